package reservation

import (
	"runtime"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
)

// lifeFake is a ledger with a fault.
type lifeFake struct {
	name  string
	spoil lifeSpoiler
	says  string // the fault that must be among those found
}

// lifeFakes are such ledgers.
func lifeFakes() []lifeFake {
	return append([]lifeFake{
		{"an expiry that also wins after a confirm", lifeLateExpiry, "no order in which its answers"},
		{"an expiry that leaves holds behind", func(_ *lifeGame, c *lifeCall, serve func()) {
			if c.verb != history.Expired || c.number%2 == 0 {
				serve()
			}
		}, "no order in which its answers"},
		{"a cancel that frees twice", func(g *lifeGame, c *lifeCall, serve func()) {
			serve()
			if c.verb == history.Canceled && c.fact == lifeFine {
				for sku, n := range c.units {
					g.l.state.Stock.Change(g.skus[sku], c.slot, int64(n))
				}
			}
		}, "no order of"},
		{"a claim that refuses what is there", func(_ *lifeGame, c *lifeCall, serve func()) {
			if c.verb != history.Held || c.now%64 != 0 {
				serve()
				return
			}
			for c.units[c.how] == 0 {
				c.how++
			}
		}, "no order of"},
		{"an end told wrong", func(_ *lifeGame, c *lifeCall, serve func()) {
			if serve(); c.told == Expired {
				c.told = Canceled
			}
		}, "no order in which its answers"},
		{"a cancel and an expiry that both win", func(_ *lifeGame, c *lifeCall, serve func()) {
			if serve(); c.verb == history.Canceled && c.told == Expired {
				c.fact, c.state = lifeFine, Canceled
			}
		}, "no order in which its answers"},
		{"a repeat that acts again", func(_ *lifeGame, c *lifeCall, serve func()) {
			own := c.change
			c.change = 0
			serve()
			c.change = own
		}, "no order in which its answers"},
		{"an order that is changed part by part", lifePartByPart, "a second record"},
		{"a look at one part after the other", func(g *lifeGame, c *lifeCall, serve func()) {
			if serve(); c.verb == lifeLook && c.looks[1].made {
				first := c.looks[0]
				for range 64 {
					runtime.Gosched()
				}
				serve()
				c.looks[0] = first
			}
		}, "no order in which its answers"},
		{"a movement that is forgotten", func(_ *lifeGame, c *lifeCall, serve func()) {
			if c.verb != history.Moved || c.now%64 != 0 {
				serve()
			}
		}, "was not"},
	}, lifeFakeReroutes()...)
}

// Canary: ledgers with a fault of concurrency, or of memory, do not pass.
func TestLivesCanary(t *testing.T) {
	for _, fake := range lifeFakes() {
		t.Run(fake.name, func(t *testing.T) {
			for n := range uint64(20) {
				_, faults := lifeHistory(t, 1+n, lifeOps/8, false, fake.spoil, &lifeTally{})
				for _, f := range faults {
					if strings.Contains(f, fake.says) {
						return
					}
				}
			}
			t.Error("nobody noticed")
		})
	}
}

// lifeLateExpiry forgets, when holds expire, that some were confirmed.
func lifeLateExpiry(g *lifeGame, c *lifeCall, serve func()) {
	if c.verb == history.Expired {
		var late []string
		for slot := range uint32(lifeSlots) {
			g.l.state.Book.At(slot, func(id string, e *book.Entry) bool {
				if e.State == Confirmed && e.Deadline <= c.now {
					late = append(late, id)
				}
				return true
			})
		}
		var e book.Entry
		for _, id := range late {
			_, _ = g.l.state.Book.Change(book.KindOrder, id, &e, lifeRule(func(_ string, e *book.Entry) ([]byte, error) {
				if e.State != Confirmed {
					return nil, ErrState
				}
				e.State = Held
				for i := range e.Lines {
					e.Lines[i].Held, e.Lines[i].Confirmed = e.Lines[i].Held+e.Lines[i].Confirmed, 0
				}
				return nil, nil
			}))
		}
	}
	serve()
}

// lifePartByPart changes one part of an order after the other.
func lifePartByPart(g *lifeGame, c *lifeCall, serve func()) {
	all := g.l.FindAll(lifeOrder(c.number), nil)
	if len(all) < 2 || c.part > 0 || c.verb != history.Confirmed && c.verb != history.Canceled {
		serve()
		return
	}
	for i := range all {
		c.part = uint8(all[i].Part)
		serve()
	}
	c.part = 0
}

// lifeRule is a rule of the book that is a function.
type lifeRule func(id string, e *book.Entry) ([]byte, error)

func (f lifeRule) Apply(id string, e *book.Entry) ([]byte, error) { return f(id, e) }

// lifeFakeReroutes are ledgers whose reroutes have a fault.
func lifeFakeReroutes() []lifeFake {
	return []lifeFake{
		{"a reroute that takes nothing", func(g *lifeGame, c *lifeCall, serve func()) {
			if serve(); c.verb == history.Rerouted && c.fact == lifeFine && c.how == Done {
				for sku, n := range c.units {
					if n > 0 {
						g.l.state.Stock.Change(g.skus[sku], c.to, int64(n))
					}
				}
			}
		}, "no order of"},
		{"a reroute that comes too late and wins", func(_ *lifeGame, c *lifeCall, serve func()) {
			if serve(); c.verb == history.Rerouted && c.fact == lifeEnded {
				c.fact, c.how = lifeFine, Done
			}
		}, "no order in which its answers"},
	}
}
