package allocator

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// texts is n different short texts.
func texts(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("t", i)
	}
	return out
}

// refusedBy checks that every way an order comes in refuses it for a field, and
// that nothing was changed.
func refusedBy(t *testing.T, a *Allocator, o Order, field string) {
	t.Helper()
	_, allocate := a.Allocate(t.Context(), o)
	_, quote := a.Quote(o)
	_, explain := a.Explain(o)
	_, candidates := a.Candidates(o)
	_, compare := a.Compare(sourcing.Rules{}, o)
	_, nearby := a.Nearby(o)
	all := a.AllocateAll(t.Context(), o)
	for way, err := range map[string]error{"Allocate": allocate, "Quote": quote, "Explain": explain,
		"Candidates": candidates, "Compare": compare, "AllocateAll": all[0].Err,
		"Nearby": nearby, "NearbyAll": a.NearbyAll(1, o)[0].Err} {
		if err == nil {
			t.Errorf("%s: %d entries are taken", field, entries(&o))
		} else if got := as[*InvalidError](t, err); got.Field != field || !strings.Contains(got.Why, "Options.Max") && !strings.Contains(got.Why, "at most 4096") {
			t.Errorf("%s: got %v, want %q and its limit named", way, err, field)
		}
	}
	if _, err := a.Lookup(o.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("%s: the order is there: %v", field, err)
	}
	shelf(t, a, "L0", "tea", 9, 0, 0)
}

// entries is how long the longest list of an order is.
func entries(o *Order) int {
	return max(len(o.Kinds), len(o.Groups), len(o.Prefer), len(o.Exclude), len(o.Forms), len(o.Substitutes), len(o.Together))
}

// TestListsHaveLimits gives every list of an order as many entries as it may have,
// and one more.
func TestListsHaveLimits(t *testing.T) {
	a := street(t, 2, Options{MaxLines: 300})
	stocked(t, a, "L0", "tea", 9)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: &Terms{Groups: texts(256)}}))
	for _, list := range []struct {
		field string
		most  int
		set   func(o *Order, n int)
	}{
		{"Prefer", 256, func(o *Order, n int) { o.Prefer = texts(n) }},
		{"Exclude", 256, func(o *Order, n int) { o.Exclude = texts(n) }},
		{"Groups", 256, func(o *Order, n int) { o.Groups = texts(n) }},
		{"Kinds", 256, func(o *Order, n int) { o.Payment, o.Kinds = "till", make([]Kind, n) }},
		{"Forms", 300, func(o *Order, n int) {
			o.Forms = map[string]sourcing.Form{}
			for _, sku := range texts(n) {
				o.Forms[sku] = sourcing.Ship
			}
		}},
		{"Substitutes", 300, func(o *Order, n int) {
			o.Substitutes = map[string][]string{}
			for _, sku := range texts(n) {
				o.Substitutes[sku] = nil
			}
		}},
		{"Together", 600, func(o *Order, n int) { o.Together = make([][]string, n) }},
	} {
		o := ordered("o", Line{"tea", 1})
		list.set(&o, list.most+1)
		refusedBy(t, a, o, list.field)
		list.set(&o, list.most)
		_, err := a.Allocate(t.Context(), o)
		must(t, err, a.Cancel(t.Context(), "o"))
		a = street(t, 2, Options{MaxLines: 300})
		stocked(t, a, "L0", "tea", 9)
		must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: &Terms{Groups: texts(256)}}))
	}
	plain := ordered("o", Line{"tea", 1})
	plain.Kinds = make([]Kind, 257)
	refusedBy(t, a, plain, "Kinds")
}

// TestTermsAndBatchesHaveLimits does the same with what is set.
func TestTermsAndBatchesHaveLimits(t *testing.T) {
	a := street(t, 1, Options{MaxListed: 3, MaxBatch: 2, MaxVertices: 4})
	ctx := t.Context()
	located := func(terms *Terms, area *geo.Area) error {
		return a.SetLocations(ctx, Location{ID: "L0", Point: streetPoint(0), Terms: terms, Area: area})
	}
	square := []geo.Point{{Lat: 49, Lon: 19}, {Lat: 49, Lon: 21}, {Lat: 51, Lon: 21}}
	small, err := geo.NewArea(square)
	must(t, err)
	large, err := geo.NewArea(append(square, geo.Point{Lat: 51, Lon: 19}, geo.Point{Lat: 50, Lon: 18}))
	must(t, err, located(&Terms{Groups: texts(3), Payments: texts(3), Channels: texts(3)}, small))
	_, list := a.List(ctx, Listing{Order: "x", States: make([]State, 4)})
	for field, err := range map[string]error{
		"locations[0].Terms.Groups":   located(&Terms{Groups: texts(4)}, nil),
		"locations[0].Terms.Payments": located(&Terms{Payments: texts(4)}, nil),
		"locations[0].Terms.Channels": located(&Terms{Channels: texts(4)}, nil),
		"locations[0].Terms.Forms":    located(&Terms{Forms: make([]sourcing.Form, 4)}, nil),
		"locations[0].Area":           located(nil, large),
		"States":                      list,
		"locations":                   a.SetLocations(ctx, make([]Location, 3)...),
		"movements":                   a.Receive(ctx, make([]Receipt, 3)...),
		"changes":                     a.Change(ctx, make([]Change, 3)...),
		"returns":                     a.Return(ctx, make([]Return, 3)...),
		"levels":                      a.SetProtection(ctx, make([]Protection, 3)...),
		"bundles":                     a.SetBundles(ctx, make([]Bundle, 3)...),
		"capacities":                  a.SetCapacity(ctx, make([]Capacity, 3)...),
		"windows":                     a.SetWindows(ctx, make([]Window, 3)...),
		"lives":                       a.SetShelfLife(ctx, make([]ShelfLife, 3)...),
		"orders":                      a.AllocateAll(ctx, make([]Order, 3)...)[2].Err,
	} {
		if err == nil {
			t.Errorf("%s: no error", field)
		} else if got := as[*InvalidError](t, err); got.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	for _, err := range []error{a.SetQuota(ctx, make([]Quota, 3)...), a.Borrow(ctx, make([]Loan, 3)...),
		a.SetSafetyStock(ctx, make([]SafetyStock, 3)...), a.Send(ctx, make([]Transfer, 3)...)} {
		if got := as[*InvalidError](t, err); got.Value != 3 {
			t.Error(err)
		}
	}
	if _, err := a.Compare(sourcing.Rules{}, make([]Order, 3)...); err == nil {
		t.Error("three orders are compared")
	}
}

// An order that was accepted when lists could be longer is answered as it was then.
func TestRepeatUnderShorterLimits(t *testing.T) {
	dir := t.TempDir()
	o := ordered("o", Line{"tea", 1})
	o.Prefer = texts(300)
	a := street(t, 2, Options{Dir: dir, MaxListed: 300})
	stocked(t, a, "L0", "tea", 9)
	first := allocated(t, a, o, "L0")
	must(t, a.Close())
	a = opened(t, Options{Dir: dir})
	if again := allocated(t, a, o, "L0"); again.Distance != first.Distance || len(again.Parts()) != len(first.Parts()) {
		t.Errorf("got %+v first and %+v again", first, again)
	}
	o.ID = "p"
	if _, err := a.Allocate(t.Context(), o); as[*InvalidError](t, err).Field != "Prefer" {
		t.Error(err)
	}
}

// TestTermsAreKeptOrRefused gives orders lists that together are longer than what is
// kept. Whatever is accepted counts when the order has to go elsewhere.
func TestTermsAreKeptOrRefused(t *testing.T) {
	shops := func() *Allocator {
		a := street(t, 4, Options{MaxListed: 4096})
		for i, groups := range [][]string{{"licensed"}, nil, {"licensed"}, {"licensed"}} {
			l := fmt.Sprint("L", i)
			must(t, a.SetLocations(t.Context(), Location{ID: l, Point: streetPoint(i), Terms: &Terms{Groups: groups}}))
			stocked(t, a, l, "tea", 9)
		}
		return a
	}
	long := strings.Repeat("x", 200)
	for field, set := range map[string]func(o *Order, n int){
		"Exclude": func(o *Order, n int) { o.Exclude = append(texts(n), o.Exclude...) },
		"Groups":  func(o *Order, n int) { o.Groups = append(texts(n), o.Groups...) },
		"Substitutes": func(o *Order, n int) {
			o.Substitutes = map[string][]string{long: nil, "tea": {long, long + "2"}, "x": texts(n)}
		},
	} {
		last := 0
		for n := 4000; n >= 1; n = n * 9 / 10 {
			a := shops()
			o := ordered("o", Line{"tea", 1})
			o.Groups, o.Exclude = []string{"licensed"}, []string{"L2"}
			if field == "Substitutes" && n > maxSubstitutes {
				continue
			}
			set(&o, n)
			_, err := a.Allocate(t.Context(), o)
			if err != nil {
				refusedBy(t, a, o, field)
				continue
			}
			last = max(last, n)
			must(t, a.Confirm(t.Context(), "o"))
			got, err := a.Reject(t.Context(), "o")
			if err == nil && got.Location == "L1" {
				t.Errorf("%s of %d: L1 is not licensed", field, n)
			}
			if err != nil || got.Location != "L3" {
				t.Errorf("%s of %d: after the reroute at %q: %v", field, n, got.Location, err)
			}
			if n < last*7/10 {
				break
			}
		}
		if last == 0 {
			t.Errorf("%s: nothing was accepted", field)
		}
	}
}

// What reroutes add to terms of the longest kind is kept too, with the longest IDs;
// terms for which there is no more room are never cut.
func TestTermsHaveRoomForReroutes(t *testing.T) {
	const stores = 110
	a := opened(t, Options{MaxListed: 4096})
	name := func(i int) string { return strings.Repeat("\x01", 230) + fmt.Sprint(i) } // six bytes each as JSON
	all := make([]Location, stores)
	for i := range all {
		all[i] = Location{ID: name(i), Point: streetPoint(i)}
	}
	must(t, a.SetLocations(t.Context(), all...))
	for i := range all {
		stocked(t, a, name(i), "tea", 1)
	}
	o := ordered("o", Line{"tea", 1})
	for n := 600; ; n-- {
		o.Exclude = texts(n)
		if _, err := a.Allocate(t.Context(), o); err == nil {
			break
		}
	}
	must(t, a.Confirm(t.Context(), "o"))
	for i := range stores - 1 {
		change := Change{ID: strings.Repeat("\x02", 250) + fmt.Sprint(i), Reservation: "o", Do: DoReject}
		must(t, a.Change(t.Context(), change))
		if r := state(t, a, "o", Confirmed); r.From != name(i) || r.Location != name(i+1) {
			t.Fatalf("move %d: at %q from %q", i, r.Location, r.From)
		}
	}
	audited(t, a)
	full := notes.Terms{Exclude: o.Exclude}
	for slot := range uint32(4000) {
		full.Rejected = append(full.Rejected, slot)
	}
	if note, err := full.Bytes(reservation.MaxNoteBytes); note != nil || as[*InvalidError](t, noteFault(err)).Field != "Rejects" {
		t.Errorf("terms of 4,000 rejections: %d bytes, %v", len(note), err)
	}
}

// TestListsAreReadOnce changes the lists of a request, and those of the sites, after
// the first site was asked: what a plan goes by was worked out before.
func TestListsAreReadOnce(t *testing.T) {
	var asked atomic.Int64
	spoil := sourcing.Filter{Name: "spoils", Pass: func(c *sourcing.Candidate) bool {
		asked.Add(1)
		c.Request.Exclude[0], c.Request.Groups[0] = "none", "none"
		return false
	}}
	a := street(t, 4, Options{Rules: sourcing.Rules{Hard: []sourcing.Filter{spoil}}})
	for i := range 4 {
		l := fmt.Sprint("L", i)
		must(t, a.SetLocations(t.Context(), Location{ID: l, Point: streetPoint(i), Terms: &Terms{Groups: []string{"g"}}}))
		stocked(t, a, l, "tea", 9)
	}
	o := ordered("o", Line{"tea", 1})
	o.Exclude, o.Groups = []string{"L2"}, []string{"g"}
	if _, err := a.Allocate(t.Context(), o); !errors.Is(err, ErrNoLocation) {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("%d sites came to the filter, want L0, L1 and L3", n)
	}
}

// Preferred locations come first without a look at all others: the work of an order
// does not grow with the locations there are.
func TestPreferLooksAtFew(t *testing.T) {
	var looks [2]int64
	for i, stores := range []int{50, 500} {
		var priced atomic.Int64
		price := func(string, int64, *sourcing.Site) int64 { priced.Add(1); return 1 }
		a := street(t, stores, Options{Rules: sourcing.Rules{Costs: sourcing.Costs{Price: price}}})
		for s := range stores {
			stocked(t, a, fmt.Sprint("L", s), "tea", 9)
		}
		must(t, a.SetLocations(t.Context(), Location{ID: "L7", Point: streetPoint(7), Terms: &Terms{Offline: true}}))
		o := ordered("o", Line{"tea", 5})
		o.Prefer = append(texts(200), "L7", "L49", "L3")
		allocated(t, a, o, "L49")
		o.ID, o.Lines = "p", []Line{{"tea", 9}}
		allocated(t, a, o, "L3")
		o.ID = "q"
		allocated(t, a, o, "L0")
		if got, err := a.Candidates(o); err == nil {
			for c := range got {
				if c.Location != "L1" {
					t.Errorf("the first candidate is %q, want L1", c.Location)
				}
				break
			}
		}
		looks[i] = priced.Load()
	}
	if looks[0] != looks[1] || looks[0] > 10 {
		t.Errorf("%d and %d locations were weighed", looks[0], looks[1])
	}
}

// An order of the longest ID, its parts and a change of them, of the longest ID too,
// stand after a restart. It used to be that the directory could not be opened any more,
// because a part had an ID that was longer.
func TestLongestIDs(t *testing.T) {
	o := Options{Dir: t.TempDir(), MaxIDBytes: math.MaxUint16}
	a := durableShops(t, 3, o)
	id := func(first string, n int) string { return first + strings.Repeat("x", n-1) }
	for n := math.MaxUint16 - 1; n <= math.MaxUint16; n++ {
		long := ordered(id("o", n), Line{"tea", 12})
		long.MaxLocations = 2
		must(t, second(a.Allocate(t.Context(), long)))
		a = reopened(t, a, o)
		if r, err := a.Lookup(long.ID); err != nil || len(r.Parts) != 2 || r.State != Held {
			t.Fatalf("after a restart it is %v, in %d parts: %v", r.State, len(r.Parts), err)
		}
		change := Change{ID: id("c", n), Reservation: long.ID, Do: DoCancel}
		must(t, a.Change(t.Context(), change))
		a = reopened(t, a, o)
		must(t, a.Change(t.Context(), change))
		if r, err := a.Lookup(long.ID); err != nil || r.State != Canceled {
			t.Fatalf("after a restart it is %v: %v", r.State, err)
		}
	}
	_, err := a.Allocate(t.Context(), ordered(id("o", math.MaxUint16+1), Line{"tea", 12}))
	if invalid := as[*InvalidError](t, err); invalid.Field != "ID" {
		t.Errorf("a longer one: %.300v", err)
	}
	shelf(t, a, "L0", "tea", 9, 0, 0)
	audited(t, a)
	must(t, a.Close())
}
