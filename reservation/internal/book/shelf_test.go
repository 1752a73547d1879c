package book

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A shelf against a slice: through several chunks and back, with so few bits of
// the numbers that they come around many times, and stragglers that have seen it.
func TestShelfAgainstSlice(t *testing.T) {
	type order struct {
		place
		number uint32
	}
	for _, numberBits := range []uint{20, 14, 5} {
		random := rand.New(rand.NewPCG(uint64(numberBits), 7))
		s := shelves{numberBits: numberBits}
		if numberBits == 20 {
			s.make(2).next = 1<<32 - 5000 // The whole number comes around too.
		}
		var twin []order
		ref := uint32(0)
		most := 3*shelfChunk + 100
		if numberBits == 5 {
			most = 400
		}
		for step := range 12 * most {
			grows := step/most%2 == 0
			if len(twin) == 0 || grows == (random.IntN(10) > 0) {
				ref++
				p := place{shard: ref % (1 << (32 - numberBits)), ref: ref}
				twin = append(twin, order{p, s.add(2, p)})
			} else {
				i := 1 + random.IntN(len(twin)) // Not the first one, mostly.
				if i == len(twin) {
					i = len(twin) - 1
				}
				s.remove(2, twin[i].place, twin[i].number)
				twin = slices.Delete(twin, i, i+1)
			}
			if f := s.of(2); int(f.dead) > max(shelfDead, f.count()/2) || f.count()-int(f.dead) != len(twin) {
				t.Fatalf("step %d: %d slots, %d dead, want %d live", step, f.count(), f.dead, len(twin))
			}
			if step%997 == 0 {
				var got, want []place
				for _, slot := range s.list(2) {
					got = append(got, s.placeOf(slot))
				}
				for _, o := range slices.Backward(twin) {
					want = append(want, o.place)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("step %d: %d orders, want %d, or in another order", step, len(got), len(want))
				}
			}
		}
	}
}

func TestShelvesFarApart(t *testing.T) {
	s := shelves{numberBits: 25}
	for _, location := range []uint32{0, 63, 64, 5000, 100_000} {
		s.add(location, place{1, location + 1})
	}
	for _, location := range []uint32{0, 63, 64, 5000, 100_000} {
		if got := s.list(location); len(got) != 1 || s.placeOf(got[0]) != (place{1, location + 1}) {
			t.Errorf("list(%d) = %x", location, got)
		}
	}
	for _, location := range []uint32{1, 62, 99_999, 1 << 31} {
		if got := s.list(location); len(got) != 0 {
			t.Errorf("list(%d) = %x", location, got)
		}
	}
}
