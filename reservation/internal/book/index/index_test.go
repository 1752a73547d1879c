package index_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/book/index"
)

// place is the empty slot in which an entry belongs.
func place(t *index.Table, tag uint32) int {
	at := t.Home(tag)
	for t.Slots[at] != 0 {
		at = (at + 1) % len(t.Slots)
	}
	return at
}

// finds looks an entry up.
func finds(x *index.Index, tag, ref uint32) bool {
	t := x.TableFor(tag)
	for at := t.Home(tag); t.Slots[at] != 0; at = (at + 1) % len(t.Slots) {
		if t.Slots[at] == index.Slot(tag, ref) {
			return true
		}
	}
	return false
}

// TestIndexAgainstMap: an index of few tags, so that runs are long and wrap, against a map.
func TestIndexAgainstMap(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		x := index.New()
		spread := []uint32{1, 3, 200, math.MaxUint32}[seed%4]
		twin := map[uint32]uint32{} // reference to tag
		for ref := uint32(1); ref < 3000; ref++ {
			tag := math.MaxUint32 - random.Uint32N(spread)
			table := x.TableFor(tag)
			x.Put(table, place(table, tag), index.Slot(tag, ref))
			twin[ref] = tag
			// Growth begins when asked for, or as late as can be.
			if want, urgent := x.Wanted(); urgent || want && seed%3 > 0 {
				x.Begin(make([]uint64, x.Twice()))
			}
			if random.IntN(3) == 0 {
				for old, tag := range twin {
					if !finds(&x, tag, old) { // Take would not end
						t.Fatalf("seed %d: reference %d is not found", seed, old)
					}
					x.Take(index.Slot(tag, old))
					delete(twin, old)
					break
				}
			}
			if x.Len() != len(twin) {
				t.Fatalf("seed %d: %d entries, want %d", seed, x.Len(), len(twin))
			}
			if ref%64 == 0 {
				between(t, &x, twin, tag, tag+random.Uint32N(spread)%(math.MaxUint32-tag+1))
				between(t, &x, twin, 0, math.MaxUint32)
			}
		}
		for ref, tag := range twin {
			if !finds(&x, tag, ref) {
				t.Fatalf("seed %d: reference %d is not found", seed, ref)
			}
		}
		for _, ref := range x.References(nil) {
			tag, ok := twin[ref]
			if !ok {
				t.Fatalf("seed %d: reference %d twice or unknown", seed, ref)
			}
			if !finds(&x, tag, ref) {
				t.Fatalf("seed %d: reference %d is not found any more", seed, ref)
			}
			x.Take(index.Slot(tag, ref))
			delete(twin, ref)
		}
		if len(twin) != 0 || x.Len() != 0 {
			t.Fatalf("seed %d: %d left over", seed, len(twin))
		}
	}
}

// between checks that the slots of a range of tags are those that the map has.
func between(t *testing.T, x *index.Index, twin map[uint32]uint32, low, high uint32) {
	t.Helper()
	want := 0
	for _, tag := range twin {
		if tag >= low && tag <= high {
			want++
		}
	}
	found := x.Between(low, high, nil)
	seen := map[uint32]bool{}
	for _, slot := range found {
		if tag, ok := twin[index.Ref(slot)]; !ok || tag != index.Tag(slot) || tag < low || tag > high || seen[index.Ref(slot)] {
			t.Fatalf("between %d and %d is reference %d with tag %d, again: %v", low, high, index.Ref(slot), index.Tag(slot), seen[index.Ref(slot)])
		}
		seen[index.Ref(slot)] = true
	}
	if len(found) != want {
		t.Fatalf("between %d and %d are %d entries, want %d", low, high, len(found), want)
	}
}

// TestDouble: an index that grows at once has what it had, and more room; one that is
// overtaken ignores slots of another length.
func TestDouble(t *testing.T) {
	x := index.New()
	for ref := uint32(1); ref < 1000; ref++ {
		tag := ref * 2654435761
		if want, _ := x.Wanted(); want {
			x.Double()
		}
		x.Put(x.TableFor(tag), place(x.TableFor(tag), tag), index.Slot(tag, ref))
	}
	x.Begin(make([]uint64, x.Twice()/2))
	for ref := uint32(1); ref < 1000; ref++ {
		if tag := ref * 2654435761; !finds(&x, tag, ref) {
			t.Fatalf("reference %d is not found", ref)
		}
	}
	if x.Bytes() != int64(8*len(x.Newest().Slots)) || x.Twice() != 2*len(x.Newest().Slots) || x.Len() != 999 {
		t.Errorf("%d entries in %d bytes", x.Len(), x.Bytes())
	}
	if zero := (index.Index{}); zero.Made() || !x.Made() {
		t.Error("the zero index is made")
	}
}
