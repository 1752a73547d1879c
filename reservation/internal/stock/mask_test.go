package stock

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// maskWorld is a stock of rows of every shape over n locations, and of which
// units are where.
type maskWorld struct {
	s   *Stock
	n   int
	has []map[uint32]bool // by SKU: slots
}

// newMaskWorld fills a share of the cells; some cells of each row are in its
// tail, some were filled and emptied again.
func newMaskWorld(rng *rand.Rand, n int, share float64) *maskWorld {
	steps := []int{1, 3, 11, 90, max(1, n/20), n, 1, 5, 40}
	w := &maskWorld{s: newWorld(len(steps)+1, n, 0), n: n} // the last SKU has no row
	for sku := range uint32(len(steps)) {
		w.has = append(w.has, map[uint32]bool{})
		slots := everyNth(n, steps[sku])
		w.s.Ensure(sku, slots...)
		for range min(10, n/10) {
			slots = append(slots, uint32(rng.IntN(n)))
			w.s.Ensure(sku, slots[len(slots)-1])
		}
		for _, slot := range slots {
			if w.has[sku][slot] || rng.Float64() >= share {
				continue
			}
			w.s.Change(sku, slot, 1)
			w.has[sku][slot] = true
		}
		var q Query
		one := []Line{{SKU: sku, Quantity: 1}}
		for _, slot := range slots {
			if !w.has[sku][slot] || rng.IntN(4) != 0 {
				continue
			}
			delete(w.has[sku], slot)
			if take(&q, w.s, slot, one) {
				q.Settle()
			}
			take(&q, w.s, slot, one) // is refused, and tidies
		}
	}
	w.has = append(w.has, nil)
	return w
}

// passes is what a mask asks, of the sets.
func (w *maskWorld) passes(groups [][]uint32, every bool, slot uint32) bool {
	for _, skus := range groups {
		if has := slices.ContainsFunc(skus, func(sku uint32) bool { return w.has[sku][slot] }); has != every {
			return has
		}
	}
	return every
}

// TestMaskAgainstASet compares the words of masks over rows of all shapes, and
// their lists, with plain sets. Nearly full rows aside, level 0 is exact; no bit
// is missing on any level.
func TestMaskAgainstASet(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 1))
	spans := []int{1, 40, 64, 700, 4_097, 9_000, 140_001}
	if underRace {
		spans = spans[:5] // one goroutine: the race detector has nothing to find
	}
	var m Mask
	for _, n := range spans {
		for _, share := range []float64{0, 0.01, 0.5, 1} {
			t.Run(fmt.Sprintf("n=%d/share=%v", n, share), func(t *testing.T) {
				w := newMaskWorld(rng, n, share)
				for range 12 {
					w.check(t, rng, &m)
				}
				m.Reset()
			})
		}
	}
}

func (w *maskWorld) check(t *testing.T, rng *rand.Rand, m *Mask) {
	groups := make([][]uint32, rng.IntN(4))
	for i := range groups {
		for range rng.IntN(4) {
			groups[i] = append(groups[i], uint32(rng.IntN(len(w.has))))
		}
	}
	every, table := rng.IntN(2) == 0, w.s.Table()
	var filter *Filter
	modulus := uint32(1)
	if rng.IntN(3) == 0 {
		modulus = 2 + rng.Uint32N(5)
		filter = table.Filter(w.n, func(number uint32) bool { return number%modulus == 0 })
	}
	m.Start(table, groups, every, filter)
	exact := !slices.ContainsFunc(m.rows, func(r *row) bool { return r.shape != dense && r.mostlyListed() })
	var want []uint32
	for slot := range uint32(w.n) {
		if slot%modulus == 0 && w.passes(groups, every, slot) {
			want = append(want, slot)
			for level, shift := range []int{6, 12, 18} {
				if m.Word(level, int(slot>>shift))>>(slot>>(shift-6)&63)&1 == 0 {
					t.Fatalf("groups %v, every %v: slot %d is masked out on level %d", groups, every, slot, level)
				}
			}
		}
	}
	got := walk(m, w.n)
	if len(groups) == 0 && every && filter == nil { // all ones: bits beyond the locations say nothing
		got = slices.DeleteFunc(got, func(n uint32) bool { return int(n) >= w.n })
	}
	if exact && !slices.Equal(got, want) {
		t.Fatalf("groups %v, every %v: %d numbers found, %d pass", groups, every, len(got), len(want))
	}
	for _, most := range []int{0, len(got) - 1, len(got), w.n + 64} {
		list, ok := m.List(most, nil)
		if len(list) > most && most >= 0 || ok && len(list) < len(want) || !ok && most > w.n {
			t.Fatalf("groups %v, every %v: List(%d) = %d numbers, %v; %d pass", groups, every, most, len(list), ok, len(want))
		}
	}
}

// TestMaskListsWhatIsRare lists goods that few locations have, however many
// locations there are.
func TestMaskListsWhatIsRare(t *testing.T) {
	s := newWorld(3, 140_001, 0)
	s.Ensure(0, everyNth(140_001, 1)...)
	s.Ensure(1, everyNth(140_001, 7_000)...)
	s.Ensure(2, everyNth(140_001, 1)...)
	for _, slot := range everyNth(140_001, 7_000) {
		s.Change(0, slot, 1)
		s.Change(1, slot, 1)
	}
	for _, slot := range everyNth(140_001, 1) {
		s.Change(2, slot, 1)
	}
	rare := everyNth(140_001, 7_000)
	var m Mask
	for _, c := range []struct {
		groups [][]uint32
		every  bool
		max    int
		want   []uint32
	}{
		{[][]uint32{{0}}, true, 21, rare},
		{[][]uint32{{1}}, true, 21, rare},
		{[][]uint32{{0, 1}}, true, 21, rare},
		{[][]uint32{{2}, {1, 0}}, true, 21, rare},
		{[][]uint32{{0}, {1}}, false, 21, rare},
		{[][]uint32{{0}, {1}}, false, 20, nil},
		{[][]uint32{{2}, {1}}, false, 1_000, nil},
		{[][]uint32{{2}}, true, 1_000, nil},
		{[][]uint32{{0}, {}}, true, 1_000, []uint32{}},
	} {
		m.Start(s.Table(), c.groups, c.every, nil)
		if got, ok := m.List(c.max, nil); ok != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("groups %v, every %v: List(%d) = %v, %v", c.groups, c.every, c.max, got, ok)
		}
	}
}
