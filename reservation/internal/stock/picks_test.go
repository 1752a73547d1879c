package stock

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestPicksWithoutACell asks for what is nowhere: SKUs without a row, slots
// without a cell or outside the numbering. The pick is named, nothing is taken.
func TestPicksWithoutACell(t *testing.T) {
	for _, c := range shapeCases {
		t.Run(c.name, func(t *testing.T) {
			s := c.world(t, 1)
			s.Change(0, 0, 1)
			for _, bad := range []Pick{{SKU: 1, Slot: 0}, {SKU: 0, Slot: uint32(c.n)}, {SKU: 0, Slot: None}, {SKU: 0, Slot: None - 1}} {
				bad.Quantity = 1
				var p Picks
				if at := p.Take(s, []Pick{{SKU: 0, Slot: 0, Quantity: 1}, bad}); at != 1 {
					t.Errorf("Take with %+v = %d, want 1", bad, at)
				}
				p.Undo() // of nothing
				p.Settle()
				if got := s.Table().Reachable(0, 0); got != 1 {
					t.Errorf("after Take with %+v: %d units, want 1", bad, got)
				}
			}
			if c.step > 1 && new(Picks).Take(s, []Pick{{SKU: 0, Slot: 1, Quantity: 1}}) != 0 {
				t.Error("a slot between the cells was found")
			}
			var p Picks
			if at := p.Take(s, nil); at != -1 {
				t.Errorf("Take of nothing = %d", at)
			}
			checkBits(t, s)
		})
	}
}

// TestTwoPlacesHaveOneWinner puts one unit at each of two locations, and lets 64
// goroutines want both, round after round.
func TestTwoPlacesHaveOneWinner(t *testing.T) {
	perturb(t, 5)
	const wanters = 64
	s := newWorld(1, 100, 0)
	s.Ensure(0, everyNth(100, 1)...)
	both := []Pick{{SKU: 0, Slot: 20, Quantity: 1}, {SKU: 0, Slot: 70, Quantity: 1}}
	var claims [wanters]Picks
	for round := range fewer(20_000) {
		for _, p := range both {
			s.Change(p.SKU, p.Slot, 1)
		}
		var winners atomic.Int64
		var group sync.WaitGroup
		for i := range wanters {
			group.Go(func() {
				if claims[i].Take(s, both) == -1 {
					claims[i].Settle()
					winners.Add(1)
				}
			})
		}
		group.Wait()
		if n := winners.Load(); n != 1 {
			t.Fatalf("round %d: %d winners of one unit at each of two locations", round, n)
		}
	}
	for _, p := range both {
		if got := s.Table().Reachable(p.SKU, p.Slot); got != 0 {
			t.Errorf("slot %d: %d units at the end, want 0", p.Slot, got)
		}
	}
	checkBits(t, s)
}

// crossed is sets of picks that overlap in a circle, and in the middle of it two
// claims at one location.
func crossed() (picks [][]Pick, lines []Line) {
	at := func(cells ...[2]uint32) (set []Pick) {
		for _, c := range cells {
			set = append(set, Pick{SKU: c[0], Slot: c[1], Quantity: 1})
		}
		return set
	}
	return [][]Pick{
		at([2]uint32{0, 9}, [2]uint32{1, 2}),
		at([2]uint32{1, 2}, [2]uint32{1, 9}),
		at([2]uint32{0, 2}, [2]uint32{1, 9}),
		at([2]uint32{0, 2}, [2]uint32{0, 9}),
		at([2]uint32{0, 9}, [2]uint32{1, 2}, [2]uint32{2, 9}),
		at([2]uint32{0, 2}, [2]uint32{0, 9}, [2]uint32{1, 2}, [2]uint32{1, 9}, [2]uint32{2, 2}, [2]uint32{2, 9}),
	}, []Line{{SKU: 0, Quantity: 1}, {SKU: 1, Quantity: 1}, {SKU: 2, Quantity: 1}}
}

// TestClaimsThatCrossEnd lets claims hold cells that others want, round the
// circle, with one unit in each so that they wait for one another, while the
// locations are numbered anew so that the numbers' order is not the slots'. It
// ends, and every unit is there.
func TestClaimsThatCrossEnd(t *testing.T) {
	perturb(t, 3)
	s := newWorld(3, 12, 0)
	for sku := range uint32(3) {
		s.Ensure(sku, everyNth(12, 1)...)
		s.Change(sku, 2, 1)
		s.Change(sku, 9, 1)
	}
	sets, lines := crossed()
	var workers, others sync.WaitGroup
	var wins [8]atomic.Int64
	stop := make(chan struct{})
	others.Go(func() {
		rng := rand.New(rand.NewPCG(81, 1))
		for {
			select {
			case <-stop:
				return
			default:
				s.Renumber(shuffled(rng, 12), 12, 0, unannounced)
			}
		}
	})
	for i := range wins {
		workers.Go(func() {
			var c client
			for range fewer(60_000) {
				var won taken
				switch {
				case i < len(sets) && c.p.Take(s, sets[i]) == -1:
					won = &c.p
				case i >= len(sets) && take(&c.q, s, []uint32{2, 9}[i-len(sets)], lines):
					won = &c.q
				default:
					continue
				}
				won.Undo()
				wins[i].Add(1)
			}
		})
	}
	workers.Wait()
	close(stop)
	others.Wait()
	for sku := range uint32(3) {
		for _, slot := range []uint32{2, 9} {
			if l, _ := s.Level(sku, slot); l.Available != 1 {
				t.Errorf("sku %d slot %d: %d units at the end, want 1", sku, slot, l.Available)
			}
		}
	}
	for i := range wins {
		if n := wins[i].Load(); n != int64(fewer(60_000)) {
			t.Errorf("claimer %d won %d times of %d, and nobody ever kept a unit", i, n, fewer(60_000))
		}
	}
}

// TestPicksAllocateNothing runs a claim over locations, and a mask, that have
// been used before.
func TestPicksAllocateNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	for _, c := range shapeCases {
		t.Run(c.name, func(t *testing.T) {
			s := c.world(t, 2)
			last := uint32((c.n - 1) / c.step * c.step)
			picks := []Pick{{0, 0, 1, 1}, {0, last, 1, 0}, {1, 0, 2, 0}, {1, last, 1, 3}}
			for _, p := range picks {
				s.Change(p.SKU, p.Slot, 5)
			}
			var p Picks
			var m Mask
			var list []uint32
			groups := [][]uint32{{0, 1}, {1}}
			round := func() {
				if at := p.Take(s, picks); at != -1 {
					t.Fatalf("pick %d is short", at)
				}
				p.Undo()
				p.Take(s, picks)
				p.Settle()
				for _, p := range picks {
					s.Change(p.SKU, p.Slot, p.Quantity)
				}
				m.Start(s.Table(), groups, true, nil)
				if list, _ = m.List(10, list[:0]); len(list) != 2 {
					t.Fatalf("the list is %v", list)
				}
				p.Reset()
				m.Reset()
			}
			round()
			if n := testing.AllocsPerRun(100, round); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}
