package allocator

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// listed is a list of n texts, of which every tenth names a location.
func listed(n, locations int) []string {
	out := make([]string, n)
	for i := range out {
		if out[i] = fmt.Sprint("n", i); i%10 == 0 {
			out[i] = fmt.Sprintf("L%06d", i*7919%locations)
		}
	}
	return out
}

// group puts each location into so many groups of its own.
func (c *country) group(b testing.TB, groups int) {
	t := c.a.locations.Load()
	all := make([]Location, t.Slots())
	for i := range all {
		all[i] = locationOf(t.Place(uint32(i)))
		all[i].Terms = &Terms{}
		for g := range groups {
			all[i].Terms.Groups = append(all[i].Terms.Groups, fmt.Sprintf("G%d-%d", i, g))
		}
	}
	must(b, c.a.SetLocations(context.Background(), all...))
}

// BenchmarkLists is one call of Allocate whose lists are as long as they may be, at
// 10,000 locations: none that is not a split may take 5 ms.
func BenchmarkLists(b *testing.B) {
	const locations = 10_000
	c := newCountryWith(b, benchLists, locations, 90) // every order is canceled, so one does for all
	for _, n := range []int{1, 256, 10_000} {
		for _, shape := range []struct {
			name    string
			refused bool
			change  func(o *Order)
		}{
			{"prefer", false, func(o *Order) { o.Prefer = listed(n, locations) }},
			{"exclude", false, func(o *Order) { o.Exclude = listed(n, locations) }},
			{"exclude/refused", true, func(o *Order) { o.Exclude, o.Lines[0].Quantity = listed(n, locations), 1001 }},
			{"exclude/refused/split", true, func(o *Order) {
				o.Exclude, o.Form, o.MaxLocations, o.Lines[0].Quantity = listed(n, locations), sourcing.Ship, 2, 1_000_000
			}},
			{"groups/refused", true, func(o *Order) { o.Groups = listed(n, locations) }},
			{"kinds", false, func(o *Order) { o.Kinds, o.Payment = make([]Kind, n), "till" }},
		} {
			b.Run(fmt.Sprintf("list=%s/entries=%d", shape.name, n), func(b *testing.B) {
				orders := c.orders(2, 1)[:1]
				shape.change(&orders[0])
				if _, err := c.a.Quote(orders[0]); errors.Is(err, ErrInvalid) {
					b.Skip(err) // terms are at most 4,096 bytes
				}
				if shape.refused {
					c.bench(b, orders, ErrNoLocation)
					return
				}
				c.bench(b, orders, nil)
			})
		}
	}
	for name, rules := range map[string]sourcing.Rules{
		"ready":    {Keys: sourcing.Keys(sourcing.ByReady, sourcing.ByDistance)},
		"distance": {Keys: []sourcing.Key{sourcing.ByDistance.In(5000)}},
	} {
		b.Run("keys="+name+"/prefer=256", func(b *testing.B) {
			must(b, c.a.SetRules(rules))
			orders := c.orders(2, 1)[:1]
			orders[0].Prefer = listed(256, locations)
			c.bench(b, orders, nil)
		})
	}
	for _, n := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("list=groups/of-locations=%d/refused", n), func(b *testing.B) {
			must(b, c.a.SetRules(sourcing.Rules{}))
			c.group(b, n) // for good: these come last
			orders := c.orders(2, 1)[:1]
			orders[0].Groups = listed(256, locations)
			c.bench(b, orders, ErrNoLocation)
		})
	}
}

// benchLists lets the lists be as long as the benchmark wants.
var benchLists = Options{MaxListed: 1 << 16}

// BenchmarkPartsAmongOthers is calls about an order of two parts, alone and while
// others have the same reference; and a page of that reference.
func BenchmarkPartsAmongOthers(b *testing.B) {
	for _, others := range []int{0, 100_000} {
		a, ctx := splitShop(b, Options{}), context.Background()
		stocked(b, a, "L3", "rug", int64(others)+1)
		for i := range others {
			o := ordered(fmt.Sprintf("other-%06d", i), Line{"rug", 1})
			o.Order = "shared"
			_, err := a.Allocate(ctx, o)
			must(b, err)
		}
		o := ordered("o", Line{"tea", 5}, Line{"cup", 5})
		o.MaxLocations, o.Order = 2, "shared"
		b.Run(fmt.Sprintf("verb=Lookup/others=%d", others), func(b *testing.B) {
			_, err := a.Allocate(ctx, o)
			must(b, err)
			for b.Loop() {
				_, err := a.Lookup(o.ID)
				must(b, err)
			}
			must(b, a.Cancel(ctx, o.ID))
		})
		run := 0
		b.Run(fmt.Sprintf("verb=Allocate+Confirm+Cancel/others=%d", others), func(b *testing.B) {
			for b.Loop() {
				run++
				o.ID = fmt.Sprint("o", run)
				_, err := a.Allocate(ctx, o)
				must(b, err, a.Confirm(ctx, o.ID), a.Cancel(ctx, o.ID))
			}
		})
		b.Run(fmt.Sprintf("verb=List/others=%d", others), func(b *testing.B) {
			q := Listing{Order: "shared"}
			for b.Loop() {
				page, err := a.List(ctx, q)
				must(b, err)
				q.After = page.Next
			}
		})
	}
}

// BenchmarkPickPages is a page of 50 of the pick list of a store with 100,000 live
// reservations, the first and the hundredth, while nothing changes and after a
// reservation was made and one confirmed between two pages.
func BenchmarkPickPages(b *testing.B) {
	a, ctx := street(b, 1, Options{}), context.Background()
	const live, page = 100_000, 50
	stocked(b, a, "L0", "tea", 1<<30)
	order := func(i int) Order {
		return Order{ID: fmt.Sprintf("SO-%07d", i), At: "L0", Lines: []Line{{"tea", 1}}, HoldFor: 4 * time.Hour}
	}
	for i := range live {
		o := order(i)
		_, err := a.Allocate(ctx, o)
		must(b, err)
		if i%2 == 0 {
			must(b, a.Confirm(ctx, o.ID))
		}
	}
	first := Listing{Location: "L0", Limit: page}
	hundredth := first
	for range 99 {
		p, err := a.List(ctx, hundredth)
		must(b, err)
		hundredth.After = p.Next
	}
	made := live
	for _, of := range []struct {
		name    string
		q       Listing
		changes bool
	}{{"page=1", first, false}, {"page=100", hundredth, false}, {"page=1/changes", first, true}, {"page=100/changes", hundredth, true}} {
		b.Run(of.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if of.changes {
					b.StopTimer()
					_, err := a.Allocate(ctx, order(made))
					must(b, err, a.Confirm(ctx, order(made).ID))
					made++
					b.StartTimer()
				}
				p, err := a.List(ctx, of.q)
				must(b, err)
				if len(p.Reservations) != page {
					b.Fatal(len(p.Reservations))
				}
			}
		})
	}
}
