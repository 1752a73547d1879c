package allocator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// depotStreet is a depot and a locker before two shops, all of which have tea.
func depotStreet(t *testing.T, terms *Terms) *Allocator {
	t.Helper()
	a := opened(t, Options{})
	must(t, a.SetLocations(t.Context(),
		Location{ID: "depot", Kind: Warehouse, Point: streetPoint(0), Terms: terms},
		Location{ID: "locker", Kind: Locker, Point: streetPoint(1)},
		Location{ID: "desk", Kind: PickupPoint, Point: streetPoint(2)},
		Location{ID: "shop", Point: streetPoint(3)}))
	for _, id := range []string{"depot", "locker", "desk", "shop"} {
		stocked(t, a, id, "tea", 50)
	}
	return a
}

// where is who an order would be served by, as every call tells it, each once.
func where(t *testing.T, a *Allocator, o Order) string {
	t.Helper()
	var told []string
	tell := func(location string, err error) {
		if err != nil {
			refusal := as[*NoLocationError](t, err)
			location = "nobody"
			if o.At != "" {
				c := refusal.Candidates()[0]
				location = fmt.Sprintf("nobody: %s %v %s", c.Location, c.Reason, c.Detail)
				if n := refusal.Counts(); n.Kind == 0 || n.Short > 0 {
					t.Errorf("counts %+v", n)
				}
			}
		}
		if location = strings.TrimSpace(location); !slices.Contains(told, location) {
			told = append(told, location)
		}
	}
	for range 2 { // first as it is, then as an order that is planned
		q, err := a.Quote(o)
		tell(q.Location, err)
		if err == nil {
			e, err := a.Explain(o)
			must(t, err)
			tell(e.Chosen[0].Site, nil)
			all, err := a.Candidates(o)
			must(t, err)
			for c := range all {
				tell(c.Location, nil)
				break
			}
		}
		got, err := a.Allocate(t.Context(), o)
		tell(got.Location, err)
		if err == nil {
			must(t, a.Cancel(t.Context(), o.ID))
		}
		o.ID, o.Partial = o.ID+"p", true
	}
	if o.At == "" && o.Form == sourcing.Collect && len(o.Forms) == 0 {
		all, err := a.Nearby(Order{Near: o.Near, Lines: o.Lines, Kinds: o.Kinds})
		must(t, err)
		for c := range able(all) {
			tell(c.Location, nil)
			break
		}
	}
	return strings.Join(told, ", ")
}

// TestWhereCustomersCollect: stores and pickup points hand over; warehouses and
// lockers where the order or the location says so. What is sent or brought comes
// from anywhere. Every call goes by the same rule.
func TestWhereCustomersCollect(t *testing.T) {
	says := &Terms{Forms: []sourcing.Form{sourcing.Collect, sourcing.Ship}}
	mute := &Terms{Forms: []sourcing.Form{sourcing.Ship}}
	for name, c := range map[string]struct {
		terms *Terms
		order func(o *Order)
		want  string
	}{
		"no more said":           {nil, func(*Order) {}, "desk"},
		"of other terms":         {&Terms{Prep: time.Minute}, func(*Order) {}, "desk"},
		"the depot says so":      {says, func(*Order) {}, "depot"},
		"the order says so":      {nil, func(o *Order) { o.Kinds = []Kind{Warehouse} }, "depot"},
		"the depot says no":      {mute, func(o *Order) { o.Kinds = []Kind{Warehouse, Store} }, "shop"},
		"lockers":                {nil, func(o *Order) { o.Kinds = []Kind{Locker} }, "locker"},
		"sent":                   {nil, func(o *Order) { o.Form = sourcing.Ship }, "depot"},
		"at the depot":           {nil, func(o *Order) { o.At = "depot" }, "nobody: depot wrong kind"},
		"at the depot, says so":  {says, func(o *Order) { o.At = "depot" }, "depot"},
		"at the depot, by order": {nil, func(o *Order) { o.At, o.Kinds = "depot", []Kind{Warehouse} }, "depot"},
		"at the depot, far":      {nil, func(o *Order) { o.At, o.Near = "depot", geo.Point{} }, "nobody: depot wrong kind"},
		"at the shop":            {nil, func(o *Order) { o.At = "shop" }, "shop"},
		"brought to the depot":   {nil, func(o *Order) { o.At, o.Form = "depot", sourcing.ShipToStore }, "nobody: depot wrong kind depot"},
		"brought from the depot": {nil, func(o *Order) {
			o.At, o.Form, o.Exclude = "shop", sourcing.ShipToStore, []string{"shop", "desk", "locker"}
		}, "depot"},
		"brought, kinds of where": {nil, func(o *Order) { o.At, o.Form, o.Kinds = "depot", sourcing.ShipToStore, []Kind{Warehouse} }, "depot"},
	} {
		t.Run(name, func(t *testing.T) {
			a := depotStreet(t, c.terms)
			o := ordered("o", Line{"tea", 2})
			c.order(&o)
			if got := where(t, a, o); got != c.want {
				if strings.Contains(got, "depot") && !strings.Contains(c.want, "depot") {
					t.Error("held at the depot")
				}
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestKindsAreKept: an order that names kinds goes to no other ones when it is
// rejected, and one that names none to where customers collect.
func TestKindsAreKept(t *testing.T) {
	a := depotStreet(t, nil)
	ctx := t.Context()
	must(t, a.SetLocations(ctx, Location{ID: "annex", Kind: Warehouse, Point: streetPoint(9)}))
	stocked(t, a, "annex", "tea", 50)
	o := ordered("of warehouses", Line{"tea", 2})
	o.Kinds = []Kind{Warehouse}
	allocated(t, a, o, "depot")
	allocated(t, a, ordered("of none", Line{"tea", 2}), "desk")
	for id, want := range map[string]string{"of warehouses": "annex", "of none": "shop"} {
		must(t, a.Confirm(ctx, id))
		got, err := a.Reject(ctx, id)
		must(t, err)
		if got.Location != want {
			t.Errorf("%s: rerouted to %s, want %s", id, got.Location, want)
		}
	}
	// At a depot by its kind: the goods come from elsewhere, the customer as before.
	o = ordered("at", Line{"tea", 2})
	o.At, o.Kinds = "depot", []Kind{Warehouse}
	allocated(t, a, o, "depot")
	must(t, a.Confirm(ctx, "at"))
	got, err := a.Reject(ctx, "at")
	must(t, err)
	if got.Location != "annex" || got.Form != sourcing.ShipToStore {
		t.Errorf("got %+v", got)
	}
}

// TestNearbyIsCandidates: what a product page lists is what an order can get.
func TestNearbyIsCandidates(t *testing.T) {
	list := func(a *Allocator) (nearby, candidates []string) {
		q := Order{Near: streetPoint(0), Lines: []Line{{"tea", 2}}}
		all, err := a.Nearby(q)
		must(t, err)
		for c := range able(all) {
			nearby = append(nearby, c.Location)
		}
		if all, err = a.Candidates(q); err != nil {
			t.Fatal(err)
		}
		for c := range all {
			candidates = append(candidates, c.Location)
		}
		return nearby, candidates
	}
	never := &Terms{Hours: "off"}
	for name, c := range map[string]struct {
		change func(a *Allocator)
		want   string
	}{
		"plain": {func(*Allocator) {}, "L0 L1 L2 L3"},
		"offline": {func(a *Allocator) {
			must(t, a.SetLocations(t.Context(), Location{ID: "L1", Point: streetPoint(1), Terms: &Terms{Offline: true}}))
		}, "L0 L2 L3"},
		"closed": {func(a *Allocator) {
			must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: never}))
		}, "L1 L2 L3"},
		"no form": {func(a *Allocator) {
			must(t, a.SetLocations(t.Context(), Location{ID: "L3", Point: streetPoint(3), Terms: &Terms{Forms: []sourcing.Form{sourcing.Ship}}}))
		}, "L0 L1 L2"},
		"warehouse": {func(a *Allocator) {
			must(t, a.SetLocations(t.Context(), Location{ID: "L2", Kind: Warehouse, Point: streetPoint(2)}))
		}, "L0 L1 L3"},
		"protected": {func(a *Allocator) {
			must(t, a.SetProtection(t.Context(), Protection{Location: "L0", Units: 9}))
		}, "L1 L2 L3"},
		"by rule": {func(a *Allocator) {
			must(t, a.SetRules(sourcing.Rules{Hard: []sourcing.Filter{{Name: "no L2", Pass: func(c *sourcing.Candidate) bool { return c.Site.ID != "L2" }}}}))
		}, "L0 L1 L3"},
		"bundle": {func(a *Allocator) {
			must(t, a.SetBundles(t.Context(), Bundle{SKU: "tea", Parts: []Component{{SKU: "leaf", Quantity: 1}}}),
				a.SetLocations(t.Context(), Location{ID: "L1", Point: streetPoint(1), Terms: &Terms{Offline: true}}))
			stocked(t, a, "L1", "leaf", 9)
			stocked(t, a, "L3", "leaf", 9)
		}, "L3"},
	} {
		t.Run(name, func(t *testing.T) {
			a := street(t, 4, Options{})
			for i := range 4 {
				stocked(t, a, fmt.Sprint("L", i), "tea", 9)
			}
			c.change(a)
			nearby, candidates := list(a)
			if got := strings.Join(nearby, " "); got != c.want || !slices.Equal(nearby, candidates) {
				t.Errorf("nearby %q, candidates %q, want %s", nearby, candidates, c.want)
			}
		})
	}
}

// TestNowhere: an order or a query that must say where, and does not, is refused by
// every call.
func TestNowhere(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 9)
	tea := []Line{{"tea", 1}}
	allocated(t, a, ordered("quote", tea...), "L0") // no other order's repeat
	for _, o := range []Order{{ID: "o", Lines: tea}, {ID: "o", Lines: tea, Partial: true}, {ID: "o", Lines: tea, At: "L0", Form: sourcing.Ship},
		{ID: "o", Lines: tea, At: "L0", Forms: map[string]sourcing.Form{"tea": sourcing.Ship}}} {
		_, allocate := a.Allocate(t.Context(), o)
		_, quote := a.Quote(o)
		_, explain := a.Explain(o)
		_, candidates := a.Candidates(o)
		unnamed := o
		unnamed.ID = ""
		_, unnamedQuote := a.Quote(unnamed)
		for what, err := range map[string]error{"allocate": allocate, "all": a.AllocateAll(t.Context(), o)[0].Err, "quote": quote, "explain": explain,
			"candidates": candidates, "a quote without an ID": unnamedQuote} {
			if typed := new(InvalidError); !errors.As(err, &typed) || typed.Field != "Near" {
				t.Errorf("%s of %+v: %v", what, o, err)
			}
		}
	}
	_, err := a.Nearby(Order{Lines: tea})
	refused(t, err, ErrInvalid, `allocator: nearby: invalid Near geo.Point{Lat:0, Lon:0}: must be given`)
	must(t, a.SetRules(sourcing.Rules{MaxLocations: 2}))
	_, err = a.Nearby(Order{Lines: tea})
	refused(t, err, ErrInvalid, `allocator: nearby: invalid Near geo.Point{Lat:0, Lon:0}: must be given`)
	allocated(t, a, Order{ID: "named", At: "L0", Lines: tea}, "L0")
}
