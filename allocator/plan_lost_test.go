package allocator

import (
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// between runs act once, while an order is being priced: between the look at the
// stock and the claim. So a claim can be lost to others without any others that
// have to come at the right time.
func between(t *testing.T, a *Allocator, act func()) {
	t.Helper()
	var done atomic.Bool
	price := func(string, int64, *sourcing.Site) int64 {
		if done.CompareAndSwap(false, true) {
			act()
		}
		return 1
	}
	must(t, a.SetRules(sourcing.Rules{Costs: sourcing.Costs{Price: price}}))
}

// An order that loses its claim to another looks again: it is refused only if what
// is left then is not enough.
func TestLostClaimIsNoRefusal(t *testing.T) {
	t.Run("of one location", func(t *testing.T) {
		a, _ := slotted(t, 1, 1, Options{})
		must(t, a.SetCapacity(t.Context(), Capacity{Location: "L0", Orders: 1}))
		between(t, a, func() { allocated(t, a, ordered("first", Line{"tea", 1}), "L0") })
		got := allocated(t, a, ordered("second", Line{"tea", 1}), "L0")
		if want := at(0).AddDate(0, 0, 1); !got.Ready.Equal(want) {
			t.Fatalf("promised for %v, want %v: the day's only place is the other's", got.Ready, want)
		}
		if lost := a.Stats().LostRaces; lost != 1 {
			t.Fatalf("%d claims were lost, want 1", lost)
		}
	})
	t.Run("of a split", func(t *testing.T) {
		a := street(t, 3, Options{})
		stocked(t, a, "L0", "cup", 1)
		stocked(t, a, "L1", "tea", 1)
		stocked(t, a, "L2", "cup", 1)
		between(t, a, func() { must(t, a.Sell(t.Context(), Sale{ID: "sale", Location: "L0", Lines: []Line{{"cup", 1}}})) })
		o := ordered("o", Line{"cup", 1}, Line{"tea", 1})
		o.Form, o.MaxLocations = sourcing.Ship, 2
		got, err := a.Allocate(t.Context(), o)
		must(t, err)
		if len(got.Parts()) != 2 {
			t.Fatalf("got %+v, want two parts", got.Parts())
		}
		shelf(t, a, "L2", "cup", 1, 1, 0)
		if lost := a.Stats().LostRaces; lost != 1 {
			t.Fatalf("%d claims were lost, want 1", lost)
		}
	})
}

// Each part of a split counts as an order of its location, and its lines as that
// location's lines.
func TestEveryPartTakesCapacity(t *testing.T) {
	a, _ := slotted(t, 2, 0, Options{})
	stocked(t, a, "L0", "cup", 9)
	stocked(t, a, "L1", "rug", 9)
	must(t, a.SetCapacity(t.Context(),
		Capacity{Location: "L0", Orders: 2, Lines: 9},
		Capacity{Location: "L1", Orders: 9, Lines: 2}))
	split := ordered("split", Line{"cup", 1}, Line{"rug", 1})
	split.Form, split.MaxLocations = sourcing.Ship, 2
	got, err := a.Allocate(t.Context(), split)
	must(t, err)
	if len(got.Parts()) != 2 {
		t.Fatalf("got %+v, want two parts", got.Parts())
	}
	for _, sku := range []string{"cup", "rug"} {
		location := map[string]string{"cup": "L0", "rug": "L1"}[sku]
		for n, want := range []bool{true, false} { // the split has the first of two places
			o := ordered(sku+string(rune('0'+n)), Line{sku, 1})
			o.NeededBy = at(12) // not tomorrow
			switch _, err := a.Allocate(t.Context(), o); {
			case err == nil && !want:
				t.Errorf("%s has room for an order more than it can process", location)
			case err != nil && want:
				t.Errorf("%s: %v", location, err)
			}
		}
	}
}
