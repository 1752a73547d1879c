package allocator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// BenchmarkRanked is one call of Allocate by rules that rank all of 10,000 locations,
// so that each of them is weighed: none may take 5 ms. Every order is canceled, so one
// country does for all; those that change it come last.
func BenchmarkRanked(b *testing.B) {
	const locations = 10_000
	ready := sourcing.Keys(sourcing.ByReady, sourcing.ByDistance)
	every := func(*sourcing.Candidate) bool { return true }
	none := func(*sourcing.Candidate) bool { return false }
	hours := &Terms{Hours: "Mo-Fr 09:00-18:00; Sa 09:00-14:00", Prep: time.Hour, Transfer: 24 * time.Hour, Delivery: 48 * time.Hour}
	c := newCountryWith(b, benchLists, locations, 90)
	own := sourcing.Key{Name: "own", Compare: func(a, b *sourcing.Candidate) int { return int(a.Left - b.Left) }}
	for _, of := range []struct {
		name   string
		rules  sourcing.Rules
		terms  *Terms // of each location; nil: none
		prefer int
		cools  bool // one location cools down, for other goods
		form   sourcing.Form
	}{
		{name: "keys=ready,distance", rules: sourcing.Rules{Keys: ready}},
		{name: "keys=distance in 5 km", rules: sourcing.Rules{Keys: []sourcing.Key{sourcing.ByDistance.In(5000)}}},
		{name: "keys=cost,left,priority,ready", rules: sourcing.Rules{Keys: sourcing.Keys(sourcing.ByCost, sourcing.ByLeft, sourcing.ByPriority, sourcing.ByReady)}},
		{name: "keys=own", rules: sourcing.Rules{Keys: []sourcing.Key{own}}},
		{name: "keys=ready,distance/prefer=10000", rules: sourcing.Rules{Keys: ready}, prefer: 10_000},
		{name: "keys=ready,distance/hard=own", rules: sourcing.Rules{Keys: ready, Hard: []sourcing.Filter{{Name: "every", Pass: every}}}},
		{name: "keys=ready,distance/soft=2 given up", rules: sourcing.Rules{Keys: ready, Soft: []sourcing.Filter{{Name: "a", Pass: none}, {Name: "b", Pass: none}}}},
		{name: "keys=none/hard=own, none passes", rules: sourcing.Rules{Hard: []sourcing.Filter{{Name: "none", Pass: none}}}},
		{name: "keys=ready,distance/cooling", rules: sourcing.Rules{Keys: ready, CoolDown: time.Hour}, cools: true},
		{name: "keys=ready,distance/hours", rules: sourcing.Rules{Keys: ready}, terms: hours},
		{name: "keys=ready,distance/hours/ship", rules: sourcing.Rules{Keys: ready}, terms: hours, form: sourcing.Ship},
	} {
		b.Run(of.name, func(b *testing.B) {
			must(b, c.a.SetRules(of.rules))
			if of.terms != nil {
				c.setTerms(b, *of.terms)
			}
			orders := c.orders(2, 1)[:1]
			orders[0].Form, orders[0].Prefer = of.form, listed(of.prefer, locations)
			if of.cools {
				c.cool(b)
			}
			c.bench(b, orders, nil)
		})
	}
}

// setTerms gives every location the same terms.
func (c *country) setTerms(b testing.TB, terms Terms) {
	t := c.a.locations.Load()
	all := make([]Location, t.Slots())
	for i := range all {
		all[i] = locationOf(t.Place(uint32(i)))
		all[i].Terms = &terms
	}
	must(b, c.a.SetLocations(context.Background(), all...))
}

// cool makes one location cool down for a SKU that no order of c.orders asks for.
func (c *country) cool(b testing.TB) {
	ctx := context.Background()
	must(b, c.a.Receive(ctx, Receipt{ID: "cools", Location: "L000000", Lines: []Line{{"SKU-cool", 1}}}))
	_, err := c.a.Allocate(ctx, Order{ID: "cools", At: "L000000", Lines: []Line{{"SKU-cool", 1}}})
	must(b, err, c.a.Confirm(ctx, "cools"))
	if _, err = c.a.Reject(ctx, "cools"); !errors.Is(err, ErrNoLocation) { // nobody else has it
		b.Fatal(err)
	}
}
