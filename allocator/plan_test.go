package allocator

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// said is an answer in one line: for each part its ID, place and lines.
func said(got Allocation) string {
	var b strings.Builder
	parts := got.Parts()
	for _, part := range parts {
		if len(parts) == 1 && part.Part == 1 {
			part.Part = 0
		}
		fmt.Fprintf(&b, "%s@%s", nameOf(part.ID, part.Part), part.Location)
		for _, line := range part.Lines() {
			fmt.Fprintf(&b, " %d %s", line.Quantity, line.SKU)
		}
		b.WriteString("; ")
	}
	for _, line := range got.Missing() {
		fmt.Fprintf(&b, "missing %d %s; ", line.Quantity, line.SKU)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// asks checks what an order is quoted and then allocated.
func asks(t *testing.T, a *Allocator, o Order, want string) Allocation {
	t.Helper()
	quote, err := a.Quote(o)
	must(t, err)
	if got := said(quote); got != want {
		t.Errorf("quoted %q, want %q", got, want)
	}
	got, err := a.Allocate(t.Context(), o)
	must(t, err)
	if s := said(got); s != want {
		t.Errorf("allocated %q, want %q", s, want)
	}
	again, err := a.Allocate(t.Context(), o)
	must(t, err)
	if s := said(again); len(got.Missing()) == 0 && s != want {
		t.Errorf("repeat %q, want %q", s, want)
	}
	return got
}

func TestPlanForms(t *testing.T) {
	shop := func(t *testing.T) *Allocator {
		a := street(t, 4, Options{})
		stocked(t, a, "L0", "tea", 5)
		stocked(t, a, "L2", "cup", 5)
		stocked(t, a, "L3", "cup", 5)
		stocked(t, a, "L3", "tea", 5)
		return a
	}
	near := func(id string, lines ...Line) Order {
		o := ordered(id, lines...)
		o.Near = streetPoint(0)
		return o
	}
	both := []Line{{"cup", 1}, {"tea", 1}}
	t.Run("one for all first", func(t *testing.T) {
		o := near("o", both...)
		o.MaxLocations = 3
		asks(t, shop(t), o, "o@L3 1 cup 1 tea")
	})
	t.Run("split when nobody has all", func(t *testing.T) {
		a := shop(t)
		o := near("o", Line{"cup", 1}, Line{"tea", 1})
		o.MaxLocations, o.Exclude, o.Form = 2, []string{"L3"}, sourcing.Ship
		got := asks(t, a, o, "o/1@L0 1 tea; o/2@L2 1 cup")
		if got.Cost != 500+500+22+2*50 {
			t.Errorf("cost %d", got.Cost)
		}
		shelf(t, a, "L2", "cup", 5, 1, 0)
		o.ID, o.MaxLocations = "one", 1
		_, err := a.Allocate(t.Context(), o)
		as[*NoLocationError](t, err)
	})
	t.Run("ship to store", func(t *testing.T) {
		o := near("o", both...)
		o.At, o.Form = "L0", sourcing.ShipToStore
		asks(t, shop(t), o, "o/1@L0 1 tea; o/2@L2 1 cup")
	})
	t.Run("forms mixed", func(t *testing.T) {
		o := near("o", both...)
		o.At, o.Forms = "L0", map[string]sourcing.Form{"cup": sourcing.Ship}
		asks(t, shop(t), o, "o/1@L0 1 tea; o/2@L2 1 cup")
	})
	t.Run("units of one line", func(t *testing.T) {
		o := near("o", Line{"cup", 8})
		o.MaxLocations, o.Form = 2, sourcing.Ship
		asks(t, shop(t), o, "o/1@L2 5 cup; o/2@L3 3 cup")
	})
	t.Run("in part", func(t *testing.T) {
		o := near("o", Line{"cup", 12}, Line{"tea", 1})
		o.MaxLocations, o.Form, o.Partial = 3, sourcing.Ship, true
		asks(t, shop(t), o, "o/1@L2 5 cup; o/2@L3 5 cup 1 tea; missing 2 cup")
	})
	t.Run("substitute", func(t *testing.T) {
		o := near("o", both...)
		o.Substitutes = map[string][]string{"cup": {"tea"}}
		asks(t, shop(t), o, "o@L0 2 tea")
	})
	t.Run("together", func(t *testing.T) {
		a := shop(t)
		stocked(t, a, "L0", "jar", 1)
		o := near("o", Line{"cup", 1}, Line{"jar", 1}, Line{"tea", 1})
		o.MaxLocations, o.Form, o.Together = 2, sourcing.Ship, [][]string{{"cup", "tea"}}
		asks(t, a, o, "o/1@L0 1 jar; o/2@L3 1 cup 1 tea")
	})
}

func TestPlanPromise(t *testing.T) {
	start := time.Date(2026, 11, 23, 16, 30, 0, 0, time.UTC) // a Monday
	a := opened(t, Options{Clock: func() time.Time { return start }})
	must(t, a.SetLocations(t.Context(),
		Location{ID: "late", Point: streetPoint(0), Terms: &Terms{Hours: "Mo-Fr 09:00-17:00", Prep: time.Hour}},
		Location{ID: "quick", Point: streetPoint(3), Terms: &Terms{Hours: "Mo-Fr 09:00-18:00", Prep: time.Hour}}))
	stocked(t, a, "late", "tea", 5)
	stocked(t, a, "quick", "tea", 5)
	o := ordered("near", Line{"tea", 1})
	o.Near = streetPoint(0)
	got := asks(t, a, o, "near@late 1 tea")
	if want := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC); !got.Ready.Equal(want) {
		t.Errorf("ready %v, want %v", got.Ready, want)
	}
	o.ID, o.NeededBy = "tonight", start.Add(2*time.Hour)
	got = asks(t, a, o, "tonight@quick 1 tea")
	if want := start.Add(time.Hour); !got.Ready.Equal(want) {
		t.Errorf("ready %v, want %v", got.Ready, want)
	}
	must(t, a.SetRules(sourcing.Rules{Keys: sourcing.Keys(sourcing.ByReady)}))
	o.ID, o.NeededBy = "soonest", time.Time{}
	asks(t, a, o, "soonest@quick 1 tea")
}

// A repeat gets the first answer, also when what it needed has passed by then, or
// the store it named is gone (P3).
func TestPlannedRepeats(t *testing.T) {
	var later atomic.Int64
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	a := street(t, 2, Options{ManualExpiry: true, Clock: func() time.Time { return start.Add(time.Duration(later.Load())) }})
	stocked(t, a, "L1", "tea", 5)
	o := ordered("o", Line{"tea", 1})
	o.At, o.NeededBy = "L1", start.Add(time.Hour)
	first := asks(t, a, o, "o@L1 1 tea")
	later.Store(int64(2 * time.Hour))
	again, err := a.Allocate(t.Context(), o)
	must(t, err)
	if said(again) != said(first) || again.HeldUntil != first.HeldUntil {
		t.Errorf("%+v, first %+v", again, first)
	}
	must(t, a.Collect(t.Context(), "o"), a.Count(t.Context(), Count{ID: "c", Location: "L1", Lines: []Line{{"tea", 0}}}),
		a.RemoveLocation(t.Context(), "L1"))
	again, err = a.Allocate(t.Context(), o)
	must(t, err)
	if said(again) != said(first) {
		t.Errorf("%+v, first %+v", again, first)
	}
	o.ID = "late"
	_, err = a.Allocate(t.Context(), o)
	refused(t, err, ErrUnknownLocation, `allocator: order "late": unknown location: "L1"`)
	o.At = ""
	_, err = a.Allocate(t.Context(), o)
	if e := as[*NoLocationError](t, err); e.Candidates()[0].Reason != sourcing.Late {
		t.Errorf("%v", e)
	}
}

// Rules that cannot be asked are refused, and the old ones stay.
func TestRulesFaults(t *testing.T) {
	a := street(t, 1, Options{Rules: sourcing.Rules{MaxLocations: 3}})
	err := a.SetRules(sourcing.Rules{Hard: []sourcing.Filter{{Name: "empty"}}})
	as[*InvalidError](t, err)
	if a.rules.Load().MaxLocations != 3 {
		t.Error("the rules are gone")
	}
	as[*InvalidError](t, a.SetShadow(&sourcing.Rules{MaxLocations: -1}))
	_, err = a.Compare(sourcing.Rules{MaxLocations: -1})
	as[*InvalidError](t, err)
	_, err = Open(t.Context(), Options{Rules: sourcing.Rules{MaxLocations: -1}})
	as[*InvalidError](t, err)
}

// Of several faults of an order the first in the package's list is the answer,
// whether the order is planned or not: its input, then its store, then its SKUs.
func TestFirstOfSeveralFaults(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 9)
	for name, c := range map[string]struct {
		order func(o *Order)
		want  error
	}{
		"store and SKU":                 {func(o *Order) { o.At = "nowhere" }, ErrUnknownLocation},
		"store and SKU, planned":        {func(o *Order) { o.At, o.MaxLocations = "nowhere", 2 }, ErrUnknownLocation},
		"store and SKU, with a channel": {func(o *Order) { o.At, o.Payment = "nowhere", "cash" }, ErrUnknownLocation},
		"no store to bring it to":       {func(o *Order) { o.Form = sourcing.ShipToStore }, ErrInvalid},
		"no place to send it to":        {func(o *Order) { o.Form, o.At, o.Near = sourcing.Ship, "nowhere", geo.Point{} }, ErrInvalid},
		"the SKU alone, planned":        {func(o *Order) { o.MaxLocations = 2 }, ErrUnknownSKU},
	} {
		o := ordered("o", Line{"never", 1}, Line{"tea", 1})
		c.order(&o)
		if _, err := a.Allocate(t.Context(), o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
