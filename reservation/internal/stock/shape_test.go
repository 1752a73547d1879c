package stock

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestShapesAgainstASet compares find, present, each, cells, listedOf and
// keysIn of every shape with a plain set of numbers.
func TestShapesAgainstASet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	spans := []int{1, 2, 63, 64, 65, 130, 4_096, 4_097, 65_535, 65_536, 65_537, 131_072, 200_003}
	if underRace {
		spans = spans[:8] // one goroutine: the race detector has nothing to find
	}
	for _, span := range spans {
		for _, share := range []float64{0, 0.0004, 0.02, 0.0832, 0.0834, 0.3, 0.69, 0.7, 1} {
			var numbers []uint32
			for n := range uint32(span) {
				if rng.Float64() < share {
					numbers = append(numbers, n)
				}
			}
			t.Run(fmt.Sprintf("span=%d/cells=%d", span, len(numbers)), func(t *testing.T) {
				checkShape(t, rng, newSpace(nil, 0, span), numbers)
			})
		}
	}
}

func checkShape(t *testing.T, rng *rand.Rand, space *Space, numbers []uint32) {
	const tail = 5
	r := newRow(space, 0, numbers, false, tail)
	want := make([]bool, space.span)
	for _, n := range numbers {
		want[n] = true
	}
	if r.shape == dense {
		for n := range want {
			want[n] = true
		}
	} else {
		for range tail - 1 {
			if n := rng.IntN(space.span); !want[n] {
				want[n] = true
				at := r.tailLen.Load()
				r.tailKeys[at].Store(uint32(n))
				r.tailLen.Store(at + 1)
			}
		}
	}
	checkShapeWanted(t, r, want)
	cells, seen := 0, make([]bool, r.cells())
	for n, ok := range want {
		pos := r.find(uint32(n))
		if (pos >= 0) != ok {
			t.Fatalf("shape %d: find(%d) = %d, but stocked is %v", r.shape, n, pos, ok)
		}
		if !ok {
			continue
		}
		cells++
		if seen[pos] {
			t.Fatalf("shape %d: cell %d belongs to two numbers", r.shape, pos)
		}
		seen[pos] = true
	}
	if r.cells() != cells {
		t.Fatalf("shape %d: cells() = %d, want %d", r.shape, r.cells(), cells)
	}
	var walked []uint32
	for n, pos := range r.each {
		if r.find(n) != pos {
			t.Fatalf("shape %d: each yields %d at %d, find says %d", r.shape, n, pos, r.find(n))
		}
		walked = append(walked, n)
	}
	slices.Sort(walked)
	if len(walked) != cells || len(slices.Compact(walked)) != cells {
		t.Fatalf("shape %d: each yields %d numbers, want %d", r.shape, len(walked), cells)
	}
}

// checkShapeWanted compares the words of the row with the set.
func checkShapeWanted(t *testing.T, r *row, want []bool) {
	if r.shape == dense {
		if m := r.present(0); m != 0 {
			t.Fatalf("an empty dense row presents %x", m)
		}
		return
	}
	for word := range uint32(words(len(want))) {
		var m uint64
		for bit := range uint32(64) {
			if n := int(word<<6 + bit); n < len(want) && want[n] {
				m |= 1 << bit
			}
		}
		if got := r.present(word); got != m {
			t.Fatalf("shape %d: present(%d) = %x, want %x", r.shape, word, got, m)
		}
		if got := r.listedOf(word, ^uint64(0)); got != 0 {
			t.Fatalf("shape %d: listedOf(%d) = %x in an empty row", r.shape, word, got)
		}
	}
}

// TestBitsOfEveryShape lists, drops and lists again random cells of every shape,
// and looks at every bit after it.
func TestBitsOfEveryShape(t *testing.T) {
	for _, c := range shapeCases {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, uint64(c.n)))
			s := c.world(t, 1)
			slots := everyNth(c.n, c.step)
			var q Query
			line := []Line{{SKU: 0, Quantity: 1}}
			full := map[uint32]bool{}
			for range 600 {
				slot := slots[rng.IntN(len(slots))]
				if rng.IntN(3) == 0 { // neighbours: words and blocks empty and fill again
					slot = slots[rng.IntN(min(len(slots), 3))]
				}
				if !full[slot] {
					s.Change(0, slot, 1)
					full[slot] = true
					if q.Start(s, s.Table(), line, nil) != -1 || !sees(&q, slot) {
						t.Fatalf("slot %d is not seen", slot)
					}
					continue
				}
				delete(full, slot)
				if q.Start(s, s.Table(), line, nil) != -1 || q.Take(slot) != -1 {
					t.Fatalf("slot %d cannot be taken", slot)
				}
				q.Settle()
				if q.Take(slot) != 0 { // fails, and tidies
					t.Fatalf("slot %d was taken twice", slot)
				}
				if s.Table().row(0).isListed(slot) {
					t.Fatalf("slot %d is still listed after it was tidied", slot)
				}
			}
			checkBits(t, s)
			if q.Start(s, s.Table(), line, nil) == -1 {
				got := q.Numbers()
				for slot := range full {
					if !slices.Contains(got, slot) {
						t.Fatalf("Numbers = %v lacks %d", got, slot)
					}
				}
			}
		})
	}
}

// TestFilterAgainstASet compares a filter's three levels with a plain set.
func TestFilterAgainstASet(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 64, 65, 4_097, 262_145} {
		pass := make([]bool, n)
		count := 0
		for i := range pass {
			if pass[i] = rng.IntN(5_000) == 0; pass[i] {
				count++
			}
		}
		f := newTable(newSpace(nil, 0, n), 1).Filter(n, func(number uint32) bool { return pass[number] })
		if f.Count() != count {
			t.Fatalf("n=%d: Count = %d, want %d", n, f.Count(), count)
		}
		for level, shift := range []int{0, 6, 12} {
			want := make([]bool, n>>shift+65)
			for i, ok := range pass {
				want[i>>shift] = want[i>>shift] || ok
			}
			for i, ok := range want {
				if got := f.Word(level, i>>6)>>(i&63)&1 != 0; got != ok {
					t.Fatalf("n=%d: bit %d of level %d is %v, want %v", n, i, level, got, ok)
				}
			}
		}
	}
}
