package stock

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSlotsFrom: of every shape of row, with a tail and numbered anew, the slots come
// ascending, in pages as at once, and each that has a cell.
func TestSlotsFrom(t *testing.T) {
	for _, c := range shapeCases {
		t.Run(c.name, func(t *testing.T) {
			s := c.world(t, 2)
			check := func() {
				t.Helper()
				table := s.Table()
				var want []uint32
				for slot := range uint32(c.n) {
					if has := s.Has(1, slot); has != table.HasCell(1, slot) {
						t.Fatalf("slot %d: a cell %v", slot, has)
					} else if has {
						want = append(want, slot)
					}
				}
				for _, n := range []int{1 << 20, max(1, len(want)/3)} {
					got := []uint32{None}
					for from, more := uint32(0), true; more; {
						before := len(got)
						if got = table.SlotsFrom(1, from, n, got); len(got) > before {
							from = got[len(got)-1] + 1
						}
						more = len(got)-before == n
					}
					if !slices.Equal(got[1:], want) {
						t.Fatalf("%d at a time are %d slots, want %d", n, len(got)-1, len(want))
					}
				}
			}
			check()
			s.Ensure(1, 3, 7, 11)
			check()
			s.Ensure(1, 13, 17, 22) // into the tail that the row has got
			check()
			s.Renumber(shuffled(rand.New(rand.NewPCG(1, 2)), c.n), c.n, 8, unannounced)
			check()
			if got := s.Table().SlotsFrom(1, uint32(c.n), 5, nil); len(got) != 0 || s.Table().HasCell(1, uint32(c.n)+100) {
				t.Errorf("behind the last are %v", got)
			}
		})
	}
	if s := newWorld(2, 9, 0); len(s.Table().SlotsFrom(1, 0, 5, nil)) != 0 || s.Table().HasCell(1, 0) {
		t.Error("a SKU that was never there has cells")
	}
}
