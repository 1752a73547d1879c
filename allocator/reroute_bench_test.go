package allocator

import (
	"fmt"
	"testing"
)

// BenchmarkReroute is an order, a rejection that finds room at the next location, in
// place or into a new part, and the cancellation, among 1,000 stores.
func BenchmarkReroute(b *testing.B) {
	for _, lines := range [][]Line{nil, {{"tea", 1}}} {
		b.Run(map[bool]string{true: "place=same", false: "place=part"}[lines == nil], func(b *testing.B) {
			a := street(b, 1000, Options{Remember: 1 << 12})
			for at := range 1000 {
				stocked(b, a, fmt.Sprintf("L%d", at), "tea", 1<<20)
			}
			n := 0
			for b.Loop() {
				id := fmt.Sprintf("o%d", n)
				n++
				confirmed(b, a, ordered(id, Line{"tea", 2}))
				must(b, second(a.Reject(b.Context(), id, lines...)), a.Cancel(b.Context(), id))
			}
		})
	}
}

// BenchmarkVerbsOfOne is the life of an order of one part.
func BenchmarkVerbsOfOne(b *testing.B) {
	a := street(b, 1, Options{Remember: 1 << 12})
	stocked(b, a, "L0", "tea", 1<<20)
	n := 0
	for b.Loop() {
		id := fmt.Sprintf("o%d", n)
		n++
		confirmed(b, a, ordered(id, Line{"tea", 1}))
		must(b, a.Cancel(b.Context(), id))
	}
}

// BenchmarkVerbsOfParts: what an order of two parts costs against one of one, from the
// order to its cancellation.
func BenchmarkVerbsOfParts(b *testing.B) {
	for _, parts := range []int{1, 2} {
		b.Run(fmt.Sprintf("parts=%d", parts), func(b *testing.B) {
			a := splitShop(b, Options{Remember: 1 << 12})
			lines := []Line{{"tea", 5}, {"cup", 5}}[:parts]
			for n := 0; b.Loop(); n++ {
				o := ordered(fmt.Sprintf("o%d", n), lines...)
				o.MaxLocations = parts
				confirmed(b, a, o)
				must(b, a.Cancel(b.Context(), o.ID))
			}
		})
	}
}

// BenchmarkLookupOfParts reads an order of one part, and one of two.
func BenchmarkLookupOfParts(b *testing.B) {
	for _, parts := range []int{1, 2} {
		b.Run(fmt.Sprintf("parts=%d", parts), func(b *testing.B) {
			a := splitShop(b, Options{})
			o := ordered("o", Line{"tea", 5}, Line{"cup", 5})
			o.MaxLocations = 2
			if parts == 1 {
				o.Lines = o.Lines[:1]
			}
			must(b, second(a.Allocate(b.Context(), o)))
			for b.Loop() {
				must(b, second(a.Lookup("o")))
			}
		})
	}
}

// BenchmarkAtStore is an order that names its store, and one that does not.
func BenchmarkAtStore(b *testing.B) {
	for _, at := range []string{"", "L0"} {
		b.Run("at="+at, func(b *testing.B) {
			a := street(b, 1, Options{Remember: 1 << 12})
			stocked(b, a, "L0", "tea", 1<<20)
			n := 0
			for b.Loop() {
				o := ordered(fmt.Sprintf("o%d", n), Line{"tea", 1})
				n++
				o.At = at
				must(b, second(a.Allocate(b.Context(), o)), a.Cancel(b.Context(), o.ID))
			}
		})
	}
}
