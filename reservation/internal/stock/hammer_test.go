package stock

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// fewer is full, or what of it a slow build, or a run without the full counts, can afford.
func fewer(full int) int {
	if underRace || interleaved {
		full /= 12
	}
	if !scaletest.Full() {
		full /= 8
	}
	return full
}

const (
	hammerSKUs   = 8
	hammerSlots  = 300
	hammerForced = 7 // the SKU that till sales push below zero
	hammerWide   = 6 // the SKU that asks for a wide row
)

// books is what the workers of a hammer believe to be true.
type books struct {
	s      *Stock
	held   [hammerSKUs][hammerSlots]atomic.Int64
	onHand [hammerSKUs][hammerSlots]atomic.Int64
	forced [hammerSlots]atomic.Int64
	wins   atomic.Int64
	losses atomic.Int64
}

// TestSumIsConserved lets claims, put-backs, handovers, goods in and till sales
// run over a few hot cells and many others, while rows grow, get wider, are
// numbered anew and locations join. At the end, for each cell: available + held
// = on hand.
func TestSumIsConserved(t *testing.T) {
	perturb(t, 7)
	b := &books{s: newWorld(hammerSKUs, hammerSlots, 40)}
	steps := []int{1, 2, 3, 11, 40, 1, 1, 1}
	for sku := range uint32(hammerSKUs) {
		b.s.Ensure(sku, everyNth(hammerSlots, steps[sku])...)
		for _, slot := range everyNth(hammerSlots, steps[sku]) {
			b.receive(sku, slot, 5+20_000*int64(sku/hammerWide))
		}
	}
	var workers, others sync.WaitGroup
	stop := make(chan struct{})
	others.Go(func() { b.grow(rand.New(rand.NewPCG(21, 1)), stop) })
	others.Go(func() { b.watch(t, rand.New(rand.NewPCG(21, 2)), stop) })
	for i := range 8 {
		workers.Go(func() { b.work(rand.New(rand.NewPCG(22, uint64(i))), fewer(60_000)) })
	}
	workers.Wait()
	close(stop)
	others.Wait()
	for sku := range uint32(hammerSKUs) {
		for slot := range uint32(hammerSlots) {
			l, ok := b.s.Level(sku, slot)
			held, onHand := b.held[sku][slot].Load(), b.onHand[sku][slot].Load()
			if want := (Level{OnHand: onHand, Available: onHand - held}); (ok || onHand != 0) && l != want {
				t.Errorf("sku %d slot %d: %+v, want %+v with %d held", sku, slot, l, want, held)
			}
		}
	}
	checkBits(t, b.s)
	if b.wins.Load() == 0 || b.losses.Load() == 0 {
		t.Errorf("%d claims won and %d lost: the hammer proves too little", b.wins.Load(), b.losses.Load())
	}
}

func (b *books) receive(sku, slot uint32, units int64) {
	b.onHand[sku][slot].Add(units)
	b.s.AddOnHand(sku, slot, units)
	b.s.Change(sku, slot, units)
}

// claim is what a worker holds.
type claim struct {
	slot  uint32
	lines []Line
}

func (b *books) work(rng *rand.Rand, steps int) {
	var q Query
	var holds []claim
	for range steps {
		slot := uint32(rng.IntN(hammerSlots))
		if rng.IntN(2) == 0 {
			slot = uint32(rng.IntN(3)) * 120 // every step divides 120, or nearly
		}
		switch p := rng.IntN(20); {
		case p < 12:
			if c := (claim{slot: slot, lines: randomLines(rng)}); b.claim(&q, rng, c) {
				holds = append(holds, c)
			}
		case p < 18 && len(holds) > 0:
			i := rng.IntN(len(holds))
			b.end(holds[i], rng.IntN(4) == 0)
			holds[i] = holds[len(holds)-1]
			holds = holds[:len(holds)-1]
		case p == 18:
			if sku := uint32(rng.IntN(hammerWide)); b.s.Has(sku, slot) {
				b.receive(sku, slot, 1)
			}
		default: // the shop floor sells what it has in its hands, held or not
			b.forced[slot].Add(1)
			b.receive(hammerForced, slot, -1)
		}
	}
}

func randomLines(rng *rand.Rand) []Line {
	var lines []Line
	for sku := range uint32(hammerSKUs) {
		if rng.IntN(3) == 0 {
			q := 1 + rng.Int64N(3)
			if sku >= hammerWide && rng.IntN(20) == 0 {
				q = 2_500
			}
			lines = append(lines, Line{SKU: sku, Quantity: q})
		}
	}
	if lines == nil {
		lines = []Line{{SKU: 0, Quantity: 1}}
	}
	return lines
}

// claim takes all lines, by name or by search, and settles or undoes.
func (b *books) claim(q *Query, rng *rand.Rand, c claim) bool {
	table := b.s.Table()
	number := table.Space.Number(c.slot)
	if rng.IntN(2) == 0 {
		if q.Start(b.s, table, c.lines, nil) != -1 || !sees(q, number) {
			b.losses.Add(1)
			return false
		}
	} else {
		q.Bind(b.s, table, c.lines)
	}
	if q.Take(number) != -1 {
		b.losses.Add(1)
		return false
	}
	if rng.IntN(4) == 0 {
		q.Undo()
		return false
	}
	for _, l := range c.lines {
		b.held[l.SKU][c.slot].Add(l.Quantity)
	}
	q.Settle()
	b.wins.Add(1)
	return true
}

// end hands the goods over, or puts them back.
func (b *books) end(c claim, handover bool) {
	for _, l := range c.lines {
		b.held[l.SKU][c.slot].Add(-l.Quantity)
		if handover {
			b.onHand[l.SKU][c.slot].Add(-l.Quantity)
			b.s.AddOnHand(l.SKU, c.slot, -l.Quantity)
		} else {
			b.s.Change(l.SKU, c.slot, l.Quantity)
		}
	}
}

// grow changes everything that may change under a claim, until stop.
func (b *books) grow(rng *rand.Rand, stop chan struct{}) {
	slots, ever := identity(hammerSlots), uint32(hammerSlots)
	for {
		select {
		case <-stop:
			return
		default:
		}
		sku := uint32(rng.IntN(hammerSKUs))
		switch rng.IntN(8) {
		case 0:
			b.s.Ensure(sku, slots[rng.IntN(len(slots))], slots[rng.IntN(len(slots))])
		case 1:
			if b.s.Join(ever, func(uint32) {}) {
				slots = append(slots, ever)
				ever++
				break
			}
			slots = identity(hammerSlots) // the joined ones have nothing and leave again
			fallthrough
		case 2:
			rng.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
			b.s.Renumber(slots, int(ever), 20+rng.IntN(40), unannounced)
		case 3:
			b.s.widen(sku)
		default:
			b.s.Ensure(sku, slots[rng.IntN(len(slots))])
		}
	}
}

// watch reads cells: nothing is ever below what till sales have pushed it.
func (b *books) watch(t *testing.T, rng *rand.Rand, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		sku, slot := uint32(rng.IntN(hammerSKUs)), uint32(rng.IntN(hammerSlots))
		l, ok := b.s.Level(sku, slot)
		lowest := int64(0)
		if sku == hammerForced {
			lowest = -b.forced[slot].Load()
		}
		if ok && l.Available < lowest {
			t.Errorf("sku %d slot %d: %d available, and at most %d were forced away", sku, slot, l.Available, -lowest)
			return
		}
	}
}
