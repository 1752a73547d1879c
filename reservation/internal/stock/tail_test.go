package stock

import (
	"math/rand/v2"
	"testing"
)

// TestTailsAgainstASet lets rows grow by a few locations at a time, through
// short tails, long ones and rebuilds into the next shape, and compares find,
// present and each with a plain set.
func TestTailsAgainstASet(t *testing.T) {
	const n = 9_000
	for _, step := range []int{400, 20, 8} {
		rng := rand.New(rand.NewPCG(81, uint64(step)))
		s := newWorld(1, n, 0)
		s.Ensure(0, everyNth(n, step)...)
		want := make([]bool, n)
		for _, slot := range everyNth(n, step) {
			want[slot] = true
			s.Change(0, slot, int64(slot)+1)
		}
		longest := 0
		for round, left := 0, fewer(1_500)+200; left > 0; left-- {
			add := make([]uint32, 1+rng.IntN(4))
			for i := range add {
				add[i] = uint32(rng.IntN(n))
			}
			s.Ensure(0, add...)
			for _, slot := range add {
				if !want[slot] {
					want[slot] = true
					s.Change(0, slot, int64(slot)+1)
				}
			}
			longest = max(longest, int(s.Table().row(0).tailLen.Load()))
			if round++; round%40 == 0 {
				checkGrown(t, s, want)
			}
		}
		checkGrown(t, s, want)
		checkBits(t, s)
		if longest == 0 {
			t.Errorf("step %d: no row had a tail", step)
		}
	}
}

func checkGrown(t *testing.T, s *Stock, want []bool) {
	t.Helper()
	r := s.Table().row(0)
	walked := 0
	for number, pos := range r.each {
		if r.find(number) != pos {
			t.Fatalf("shape %d: each yields %d at %d, find says %d", r.shape, number, pos, r.find(number))
		}
		walked++
	}
	cells := 0
	for number, ok := range want {
		if ok {
			cells++
		}
		wanted := int64(0)
		if ok {
			wanted = int64(number) + 1
		}
		if got := s.Table().Reachable(0, uint32(number)); got != wanted {
			t.Fatalf("shape %d: %d units at %d, want %d", r.shape, got, number, wanted)
		}
		if shown := r.present(uint32(number)>>6)>>(number&63)&1 != 0; shown != ok {
			t.Fatalf("shape %d: number %d is present: %v, want %v", r.shape, number, shown, ok)
		}
	}
	if r.shape == dense {
		cells = len(want)
	}
	if walked != cells || r.cells() != cells {
		t.Fatalf("shape %d: each yields %d cells of %d, want %d", r.shape, walked, r.cells(), cells)
	}
}
