package stock

import (
	"slices"
	"sync"
	"sync/atomic"
)

// claimer is one way to take all lines at a location or none, and to put them
// back. Each goroutine has its own.
type claimer interface {
	claim(location uint32, lines []Line) bool
	putBack(location uint32, lines []Line)
}

// escrowClaimer is the package itself.
type escrowClaimer struct {
	s *Stock
	q Query
}

func (e *escrowClaimer) claim(location uint32, lines []Line) bool {
	t := e.s.Table()
	if !e.q.Bind(e.s, t, lines) || e.q.Take(t.Space.Number(location)) != -1 {
		return false
	}
	e.q.Settle()
	return true
}

func (e *escrowClaimer) putBack(location uint32, lines []Line) {
	for _, l := range lines {
		e.s.Change(l.SKU, location, l.Quantity)
	}
}

// counterTable is the rivals' stock: plain counters by SKU and location, with
// no names of shapes, no bits and no growth.
type counterTable struct {
	locations uint32
	units     []atomic.Int64
	stripes   [4_096]struct {
		sync.Mutex
		_ [56]byte
	}
}

func (c *counterTable) at(sku, location uint32) uint32 { return sku*c.locations + location }

// stripesClaimer locks the stripes of all lines in ascending order.
type stripesClaimer struct {
	c    *counterTable
	held []uint32
}

func (s *stripesClaimer) lock(location uint32, lines []Line) {
	s.held = s.held[:0]
	for _, l := range lines {
		s.held = append(s.held, s.c.at(l.SKU, location)*2_654_435_761>>20)
	}
	slices.Sort(s.held)
	s.held = slices.Compact(s.held)
	for _, stripe := range s.held {
		s.c.stripes[stripe].Lock()
	}
}

func (s *stripesClaimer) unlock() {
	for _, stripe := range s.held {
		s.c.stripes[stripe].Unlock()
	}
}

func (s *stripesClaimer) claim(location uint32, lines []Line) bool {
	s.lock(location, lines)
	defer s.unlock()
	for _, l := range lines {
		if s.c.units[s.c.at(l.SKU, location)].Load() < l.Quantity {
			return false
		}
	}
	s.add(location, lines, -1)
	return true
}

func (s *stripesClaimer) putBack(location uint32, lines []Line) {
	s.lock(location, lines)
	defer s.unlock()
	s.add(location, lines, 1)
}

// add writes plainly: the locks are held, and nobody writes without them.
func (s *stripesClaimer) add(location uint32, lines []Line, sign int64) {
	for _, l := range lines {
		at := &s.c.units[s.c.at(l.SKU, location)]
		at.Store(at.Load() + sign*l.Quantity)
	}
}

// rollbackClaimer takes line by line and puts back when one is short. It is
// here for its speed only: it refuses orders for goods that are there.
type rollbackClaimer struct{ c *counterTable }

func (r *rollbackClaimer) claim(location uint32, lines []Line) bool {
	for i, l := range lines {
		at := &r.c.units[r.c.at(l.SKU, location)]
		for {
			have := at.Load()
			if have < l.Quantity {
				r.putBack(location, lines[:i])
				return false
			}
			if at.CompareAndSwap(have, have-l.Quantity) {
				break
			}
		}
	}
	return true
}

func (r *rollbackClaimer) putBack(location uint32, lines []Line) {
	for _, l := range lines {
		r.c.units[r.c.at(l.SKU, location)].Add(l.Quantity)
	}
}
