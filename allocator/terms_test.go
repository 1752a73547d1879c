package allocator

import (
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// Terms are the caller's before and after: the engine keeps a copy of its own.
func TestTermsAreCopied(t *testing.T) {
	dir := t.TempDir()
	a := opened(t, Options{Dir: dir})
	terms := &Terms{Hours: "Mo-Fr 09:00-17:00", Zone: "Europe/Warsaw", Groups: []string{"shops"}, Forms: []sourcing.Form{sourcing.Collect},
		Payments: []string{"cash"}, Channels: []string{"web"}, Priority: 3, Prep: time.Hour, CutOff: 15 * time.Hour, Transfer: time.Hour, Delivery: 2 * time.Hour}
	must(t, a.SetLocations(t.Context(), Location{ID: "L", Point: geo.Point{Lat: 1}, Terms: terms}))
	terms.Groups[0], terms.Hours = "other", "24/7"
	check := func(a *Allocator) {
		t.Helper()
		for l := range a.Locations() {
			if got := l.Terms; got.Groups[0] != "shops" || got.Hours != "Mo-Fr 09:00-17:00" || got.Zone != "Europe/Warsaw" || got.Priority != 3 || got.CutOff != 15*time.Hour {
				t.Errorf("terms %+v", got)
			}
			l.Terms.Groups[0] = "changed by a reader"
		}
	}
	check(a)
	check(a)
	must(t, a.Close())
	check(opened(t, Options{Dir: dir}))
}

// A fault in the terms of one location leaves all of them as they were.
func TestTermsFaults(t *testing.T) {
	a := street(t, 1, Options{})
	for _, c := range []struct {
		terms Terms
		want  string
	}{
		{Terms{Hours: "Mo-Fr 9 to 5"}, `invalid locations[1].Terms.Hours "Mo-Fr 9 to 5": hours: cannot read`},
		{Terms{Zone: "Europe/Nowhere"}, `invalid locations[1].Terms.Zone "Europe/Nowhere": unknown time zone`},
		{Terms{Prep: -1}, "invalid locations[1].Terms.Prep"},
		{Terms{CutOff: 25 * time.Hour}, "invalid locations[1].Terms.CutOff"},
		{Terms{Transfer: maxLead + 1}, "invalid locations[1].Terms.Transfer"},
		{Terms{Delivery: -1}, "invalid locations[1].Terms.Delivery"},
		{Terms{Forms: []sourcing.Form{9}}, "invalid locations[1].Terms.Forms[0]"},
		{Terms{Groups: []string{""}}, "invalid locations[1].Terms.Groups[0]"},
		{Terms{Payments: []string{"a", ""}}, "invalid locations[1].Terms.Payments[1]"},
		{Terms{Channels: []string{strings.Repeat("x", 256)}}, "invalid locations[1].Terms.Channels[0]"},
	} {
		err := a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(9)}, Location{ID: "new", Point: streetPoint(1), Terms: &c.terms})
		as[*InvalidError](t, err)
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	for l := range a.Locations() {
		if l.ID != "L0" || l.Point != streetPoint(0) {
			t.Errorf("changed: %+v", l)
		}
	}
}

// Terms that say nothing are what was set, and come back from a restart.
func TestEmptyTermsAreKept(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	a := durableShops(t, 1, o)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: &Terms{}}, Location{ID: "L1", Point: streetPoint(1)}))
	for range 2 {
		for l := range a.Locations() {
			if (l.Terms != nil) != (l.ID == "L0") {
				t.Errorf("%s has the terms %+v", l.ID, l.Terms)
			}
		}
		a = reopened(t, a, o)
	}
	must(t, a.Close())
}
