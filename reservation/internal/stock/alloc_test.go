package stock

import (
	"math/rand/v2"
	"testing"
)

// TestAnOrderAllocatesNothing runs search, claim, settlement and put-back on
// every shape with a Query that has been used before.
func TestAnOrderAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	for _, c := range shapeCases {
		t.Run(c.name, func(t *testing.T) {
			s := c.world(t, 3)
			for sku := range uint32(3) {
				for _, slot := range everyNth(c.n, c.step) {
					s.Change(sku, slot, 5)
				}
			}
			rng := rand.New(rand.NewPCG(31, 1))
			lines := []Line{{SKU: 0, Quantity: 1}, {SKU: 1, Quantity: 2}, {SKU: 2, Quantity: 1}}
			var q Query
			order := func() {
				slot := uint32(rng.IntN((c.n-1)/c.step+1) * c.step)
				if q.Start(s, s.Table(), lines, nil) != -1 {
					t.Fatal("everything is everywhere")
				}
				if q.Plan(false) {
					q.Numbers()
				} else {
					q.Word(2, int(slot>>18))
					q.Word(1, int(slot>>12))
					q.Word(0, int(slot>>6))
				}
				if q.Take(slot) != -1 {
					t.Fatal("units are missing")
				}
				q.Settle()
				for _, l := range lines {
					s.Change(l.SKU, slot, l.Quantity)
				}
			}
			order()
			if n := testing.AllocsPerRun(100, order); n != 0 {
				t.Errorf("%v allocations for an order", n)
			}
			q.Start(s, s.Table(), lines, nil)
			q.Numbers()
			if n := testing.AllocsPerRun(10, func() { q.Numbers() }); n != 0 {
				t.Errorf("%v allocations for a list", n)
			}
		})
	}
}
