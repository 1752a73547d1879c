package stock

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestKeepBounds walks the border of what a line keeps: exactly so many units
// may be left, one fewer may not, in narrow and wide rows, below zero and for
// the largest numbers.
func TestKeepBounds(t *testing.T) {
	for _, c := range []struct{ units, quantity, keep, left int64 }{
		{5, 2, 3, 3},
		{5, 2, 4, -1},
		{5, 5, 0, 0},
		{5, 6, 0, -1},
		{0, 1, 0, -1},
		{-7, 1, 0, -1},
		{narrowMax, 1, narrowMax - 1, narrowMax - 1},
		{narrowMax, 1, narrowMax, -1},
		{MaxQuantity, 1, MaxQuantity - 1, MaxQuantity - 1},
		{MaxQuantity, MaxQuantity, 0, 0},
		{MaxQuantity, MaxQuantity, 1, -1},
		{MaxQuantity, 1, 1<<63 - 1, -1},
	} {
		s := newWorld(1, 100, 0)
		s.Ensure(0, everyNth(100, 1)...)
		s.Change(0, 40, c.units)
		var q Query
		lines := []Line{{SKU: 0, Quantity: c.quantity, Keep: c.keep}}
		q.Bind(s, s.Table(), lines)
		levels, enough := q.Levels(40, nil)
		if levels[0] != max(c.units, 0) || enough != (c.left >= 0) {
			t.Errorf("%+v: levels %v, enough %v", c, levels, enough)
		}
		want := c.left
		if c.left < 0 {
			want = c.units
		}
		for _, many := range []bool{false, true} {
			at, claim := 0, taken(&q)
			if many {
				var p Picks
				at, claim = p.Take(s, []Pick{{SKU: 0, Slot: 40, Quantity: c.quantity, Keep: c.keep}}), &p
			} else {
				at = q.Take(40)
			}
			if l, _ := s.Level(0, 40); (at == -1) != (c.left >= 0) || l.Available != want {
				t.Errorf("%+v: Take = %d, %d available after it", c, at, l.Available)
			}
			if at == -1 {
				claim.Undo()
			}
		}
		if shown := s.Table().row(0).isListed(40); shown != (c.units > 0) {
			t.Errorf("%+v: after the claims listed is %v", c, shown)
		}
	}
}

// TestKeepIsLeft lets goroutines want the last unit above what they all must
// keep, round after round: one gets it.
func TestKeepIsLeft(t *testing.T) {
	perturb(t, 3)
	const wanters, keep = 16, 3
	s := newWorld(1, 100, 0)
	s.Ensure(0, everyNth(100, 1)...)
	s.Change(0, 40, keep+1)
	lines := []Line{{SKU: 0, Quantity: 1, Keep: keep}}
	picks := []Pick{{SKU: 0, Slot: 40, Quantity: 1, Keep: keep}}
	var queries [wanters]Query
	var claims [wanters]Picks
	for round := range fewer(20_000) {
		var winners atomic.Int64
		var group sync.WaitGroup
		for i := range wanters {
			group.Go(func() {
				switch {
				case i%2 == 0 && take(&queries[i], s, 40, lines):
					queries[i].Settle()
				case i%2 == 1 && claims[i].Take(s, picks) == -1:
					claims[i].Settle()
				default:
					return
				}
				winners.Add(1)
			})
		}
		group.Wait()
		if n := winners.Load(); n != 1 {
			t.Fatalf("round %d: %d claims took the one unit above what is kept", round, n)
		}
		s.Change(0, 40, 1)
	}
}

// The channels of the hammer keep different numbers of units, and of each SKU
// every one of them keeps at least keepOf: so many are never gone.
const (
	keepSKUs  = 4
	keepSlots = 60
)

// keepOf is how many units are kept of a SKU by the channel that keeps least.
func keepOf(sku uint32) int64 { return int64(sku) * 2 }

// keeper is the books of the hammer of channels.
type keeper struct {
	s            *Stock
	held         [keepSKUs][keepSlots]atomic.Int64
	wins, losses atomic.Int64
}

// TestChannelsKeepTheirs lets channels that keep different numbers of units
// claim from the same cells, at one location and at many, put back, and grow
// the rows. At no moment is fewer available than what all of them keep, and at
// the end available + held is what came in.
func TestChannelsKeepTheirs(t *testing.T) {
	perturb(t, 6)
	const each = 12
	k := &keeper{s: newWorld(keepSKUs, keepSlots, 20)}
	for sku := range uint32(keepSKUs) {
		k.s.Ensure(sku, everyNth(keepSlots, 1)...)
		for _, slot := range everyNth(keepSlots, 1) {
			k.s.Change(sku, slot, each)
		}
	}
	var workers, others sync.WaitGroup
	stop := make(chan struct{})
	others.Go(func() { k.watch(t, stop) })
	others.Go(func() { k.grow(stop) })
	for i := range 8 {
		workers.Go(func() { k.work(rand.New(rand.NewPCG(72, uint64(i))), fewer(60_000)) })
	}
	workers.Wait()
	close(stop)
	others.Wait()
	for sku := range uint32(keepSKUs) {
		for slot := range uint32(keepSlots) {
			l, _ := k.s.Level(sku, slot)
			if held := k.held[sku][slot].Load(); l.Available+held != each || l.Available < keepOf(sku) {
				t.Errorf("sku %d slot %d: %d available and %d held of %d", sku, slot, l.Available, held, each)
			}
		}
	}
	checkBits(t, k.s)
	if k.wins.Load() == 0 || k.losses.Load() == 0 {
		t.Errorf("%d claims won and %d lost: the hammer proves too little", k.wins.Load(), k.losses.Load())
	}
}

func (k *keeper) work(rng *rand.Rand, steps int) {
	var c client
	var holds [][]Pick
	for range steps {
		if len(holds) > 8 || len(holds) > 0 && rng.IntN(3) == 0 {
			i := rng.IntN(len(holds))
			for _, p := range holds[i] {
				k.held[p.SKU][p.Slot].Add(-p.Quantity)
				k.s.Change(p.SKU, p.Slot, p.Quantity)
			}
			holds[i] = holds[len(holds)-1]
			holds = holds[:len(holds)-1]
			continue
		}
		if picks := keepPicks(rng, rng.IntN(2) == 0); k.claim(&c, rng, picks) {
			holds = append(holds, picks)
		}
	}
}

// keepPicks draws cells of a few hot slots; many: of more than one.
func keepPicks(rng *rand.Rand, many bool) (picks []Pick) {
	slot := rng.Uint32N(3)
	for len(picks) == 0 {
		for sku := range uint32(keepSKUs) {
			for at := range uint32(3) {
				if many && rng.IntN(4) == 0 || !many && at == slot && rng.IntN(2) == 0 {
					picks = append(picks, Pick{SKU: sku, Slot: at * 20, Quantity: 1 + rng.Int64N(3), Keep: keepOf(sku) + rng.Int64N(3)})
				}
			}
		}
	}
	return picks
}

func (k *keeper) claim(c *client, rng *rand.Rand, picks []Pick) bool {
	var won taken
	if one := picks[0].Slot; rng.IntN(2) == 0 && picks[len(picks)-1].Slot == one && sameSlot(picks) {
		var lines []Line
		for _, p := range picks {
			lines = append(lines, Line{SKU: p.SKU, Quantity: p.Quantity, Keep: p.Keep})
		}
		if take(&c.q, k.s, one, lines) {
			won = &c.q
		}
	} else if c.p.Take(k.s, picks) == -1 {
		won = &c.p
	}
	if won == nil {
		k.losses.Add(1)
		return false
	}
	if rng.IntN(4) == 0 {
		won.Undo()
		return false
	}
	for _, p := range picks {
		k.held[p.SKU][p.Slot].Add(p.Quantity)
	}
	won.Settle()
	k.wins.Add(1)
	return true
}

func sameSlot(picks []Pick) bool {
	for _, p := range picks {
		if p.Slot != picks[0].Slot {
			return false
		}
	}
	return true
}

// watch reads the hot cells until stop.
func (k *keeper) watch(t *testing.T, stop chan struct{}) {
	for i := uint32(0); ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		sku, slot := i%keepSKUs, i/keepSKUs%3*20
		if l, ok := k.s.Level(sku, slot); !ok || l.Available < keepOf(sku) {
			t.Errorf("sku %d slot %d: %d available, and everybody keeps %d", sku, slot, l.Available, keepOf(sku))
			return
		}
	}
}

// grow builds rows anew until stop.
func (k *keeper) grow(stop chan struct{}) {
	rng := rand.New(rand.NewPCG(72, 99))
	for {
		select {
		case <-stop:
			return
		default:
		}
		if rng.IntN(3) == 0 {
			k.s.Renumber(shuffled(rng, keepSlots), keepSlots, 20, unannounced)
		} else {
			k.s.widen(rng.Uint32N(keepSKUs))
		}
	}
}
