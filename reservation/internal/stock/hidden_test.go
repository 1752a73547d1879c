package stock

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// hiddenCase is a stress of the bits: owners swing their own cells between zero
// and one, so a unit an owner has just put there can be taken by nobody else
// and must be seen by the owner's next search.
type hiddenCase struct {
	shapeCase
	owned []uint32 // slots: neighbours in one word, in one block, and in others
}

func hiddenCases() []hiddenCase {
	return []hiddenCase{
		{shapeCase{"dense", 9_000, 1, dense}, []uint32{0, 1, 130, 4_100}},
		{shapeCase{"denseWord", 9_000, 1, dense}, []uint32{70, 71, 72, 73}},
		{shapeCase{"mid", 9_000, 5, mid}, []uint32{0, 5, 130, 4_100}},
		{shapeCase{"midWord", 9_000, 5, mid}, []uint32{65, 70, 75, 80}},
		{shapeCase{"sparse", 9_000, 20, sparse}, []uint32{0, 20, 140, 4_100}},
		{shapeCase{"sparseWord", 9_000, 20, sparse}, []uint32{0, 20, 40, 60}},
		{shapeCase{"tiny", 9_000, 300, sparse}, []uint32{0, 300, 4_200, 8_700}},
	}
}

// TestStockIsNeverHidden lets owners swing cells that share words and summary
// words, while every failing claim clears bits behind them. Each search of an
// owner, by a query and by a mask, knows of one unit. At the end every bit is compared.
func TestStockIsNeverHidden(t *testing.T) {
	rounds := 1_500
	if !scaletest.Full() {
		rounds = 300
	}
	for i, c := range hiddenCases() {
		for _, grow := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/grow=%v", c.name, grow), func(t *testing.T) {
				perturb(t, uint32(2+i%3))
				swing(t, c, rounds, grow)
			})
		}
	}
}

func swing(t *testing.T, c hiddenCase, rounds int, grow bool) {
	s := c.world(t, 1)
	var misses atomic.Int64
	var owners, growers sync.WaitGroup
	stop := make(chan struct{})
	if grow {
		growers.Go(func() { regrow(s, c, stop) })
	}
	for i, slot := range c.owned {
		rng := rand.New(rand.NewPCG(7, uint64(i)))
		owners.Go(func() {
			var q Query
			var m Mask
			groups := [][]uint32{{0, 1}, {0}} // SKU 1 is nowhere
			line, two := []Line{{SKU: 0, Quantity: 1}}, []Line{{SKU: 0, Quantity: 2}}
			for range rounds {
				s.Change(0, slot, 1)
				table := s.Table()
				number := table.Space.Number(slot)
				if q.Start(s, table, line, nil) != -1 || !sees(&q, number) {
					misses.Add(1)
				}
				if m.Start(table, groups, rng.IntN(2) == 0, nil); !shown(&m, number) {
					misses.Add(1)
				}
				for !take(&q, s, slot, line) {
					misses.Add(1)
				}
				q.Settle()
				for range 2 { // clear behind ourselves and the others
					take(&q, s, c.owned[rng.IntN(len(c.owned))], two)
					take(&q, s, slot, two)
				}
			}
			s.Change(0, slot, 1)
		})
	}
	owners.Wait()
	close(stop)
	growers.Wait()
	if n := misses.Load(); n != 0 {
		t.Errorf("stock hidden: %d of %d searches missed a unit that was there", n, rounds*len(c.owned))
	}
	checkBits(t, s)
}

// take binds and takes; the caller settles or undoes what it got.
func take(q *Query, s *Stock, slot uint32, lines []Line) bool {
	table := s.Table()
	number := table.Space.Number(slot)
	return number != None && q.Bind(s, table, lines) && q.Take(number) == -1
}

// regrow builds the rows anew until stop, by every way there is.
func regrow(s *Stock, c hiddenCase, stop chan struct{}) {
	rng := rand.New(rand.NewPCG(9, uint64(c.step)))
	for {
		select {
		case <-stop:
			return
		default:
		}
		switch rng.IntN(8) {
		case 0, 1, 2:
			s.Ensure(0, uint32(rng.IntN(c.n)))
		case 3:
			s.Renumber(shuffled(rng, c.n), c.n, 0, unannounced)
		case 4:
			s.Renumber(identity(c.n), c.n, 0, unannounced)
		default:
			a := uint32(rng.IntN(c.n - 2))
			s.Ensure(0, a, a+1, a+2)
		}
	}
}

// TestSummaryLevelsAreSetTopDown looks at rows while their first summary bits
// are being set. A setter that finds the lower bit there goes away at once, so
// the upper one must be there before: set the other way round, a search begun
// at the top missed stock that was there.
func TestSummaryLevelsAreSetTopDown(t *testing.T) {
	perturb(t, 2)
	const n = 9_000
	space := newSpace(nil, 0, n)
	for range 300 {
		r := newRow(space, 0, everyNth(n, 1), false, 0)
		var wg sync.WaitGroup
		wg.Go(func() {
			for word := uint32(0); int(word) < words(n); word += 64 {
				r.raise(word)
			}
		})
		for top := range r.sum1 {
			for r.sum1[top].Load() == 0 {
				runtime.Gosched()
			}
			if r.sum2[top>>6].Load()>>(top&63)&1 == 0 {
				t.Error("stock hidden: the lower summary bit was set before the upper one")
			}
		}
		wg.Wait()
	}
}

// TestStockIsNotHiddenForGood plays the smallest game with a summary bit: one
// goroutine clears behind an empty cell while another lists its neighbour. When
// both are done, the neighbour must be seen.
func TestStockIsNotHiddenForGood(t *testing.T) {
	perturb(t, 3)
	for _, c := range []shapeCase{{"dense", 130, 1, dense}, {"mid", 130, 2, mid}, {"sparse", 5_000, 64, sparse}} {
		s := c.world(t, 1)
		empty, full := uint32(0), uint32(c.step)
		one := []Line{{SKU: 0, Quantity: 1}}
		var a, b Query
		for game := range fewer(60_000) {
			s.Change(0, empty, 1)
			if take(&a, s, empty, one) {
				a.Settle()
			}
			var both sync.WaitGroup
			both.Go(func() { take(&a, s, empty, one) })
			both.Go(func() { s.Change(0, full, 1) })
			both.Wait()
			if b.Start(s, s.Table(), one, nil) != -1 || !sees(&b, full) {
				t.Fatalf("%s: stock hidden for good in game %d", c.name, game)
			}
			if take(&b, s, full, one) {
				b.Settle()
			}
			take(&b, s, full, one)
		}
		checkBits(t, s)
	}
}
