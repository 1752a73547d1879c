package sourcing_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// The vendor's own numbers of kinds of site.
const (
	shop uint8 = iota
	warehouse
)

// On weekday mornings, when the shops are busy, the warehouse serves first;
// otherwise the nearest, in bands of 5 km. Shops outside the city serve only if
// nobody in it can.
func ExampleRules() {
	mornings, err := hours.Parse("Mo-Fr 08:00-12:00")
	if err != nil {
		fmt.Println(err)
		return
	}
	rules := sourcing.Rules{
		Hard: []sourcing.Filter{sourcing.Within(50_000)},
		Soft: []sourcing.Filter{sourcing.InGroups("city").Or(sourcing.OfKinds(warehouse)).Called("city first")},
		Keys: []sourcing.Key{
			sourcing.KindsFirst(warehouse).While(hours.Calendar{Schedule: mornings}, sourcing.ByDistance.In(5000)),
			sourcing.Keys(sourcing.ByPriority)[0],
			sourcing.Keys(sourcing.ByDistance)[0],
		},
	}
	if err := rules.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	sites := []struct {
		site     sourcing.Site
		distance geo.Meters
	}{
		{sourcing.Site{ID: "main square", Kind: shop, Groups: []string{"city"}, Priority: 2}, 900},
		{sourcing.Site{ID: "station", Kind: shop, Groups: []string{"city"}, Priority: 1}, 2500},
		{sourcing.Site{ID: "warehouse", Kind: warehouse}, 14_000},
		{sourcing.Site{ID: "village", Kind: shop}, 30_000},
		{sourcing.Site{ID: "far away", Kind: shop, Groups: []string{"city"}}, 290_000},
	}
	for _, hour := range []int{10, 15} {
		request := sourcing.Request{Now: time.Date(2026, time.March, 2, hour, 0, 0, 0, time.UTC), HasPoint: true}
		var pass []*sourcing.Candidate
		fmt.Println("at", hour)
		for i := range sites {
			c := &sourcing.Candidate{Site: &sites[i].site, Request: &request, Distance: sites[i].distance}
			if reason, detail := rules.Check(c); reason != 0 {
				fmt.Printf("  %s: %v, %s\n", c.Site.ID, reason, detail)
			} else if reason, name := rules.Given(c, len(rules.Soft)); reason != 0 {
				fmt.Printf("  %s: not in the first pass, %s\n", c.Site.ID, name)
			} else {
				pass = append(pass, c)
			}
		}
		slices.SortFunc(pass, rules.Compare)
		for i, c := range pass {
			fmt.Printf("  %d. %s\n", i+1, c.Site.ID)
		}
	}
	// Output:
	// at 10
	//   village: not in the first pass, city first
	//   far away: by rule, within 50 km
	//   1. warehouse
	//   2. station
	//   3. main square
	// at 15
	//   village: not in the first pass, city first
	//   far away: by rule, within 50 km
	//   1. station
	//   2. main square
	//   3. warehouse
}

// An order on Friday evening, collected at a shop that lacks the goods: the
// warehouse takes it after its cut-off, and works on Saturday; the shop opens
// again on Monday.
func ExampleCandidate_Promise() {
	calendar := func(text string) hours.Calendar {
		schedule, err := hours.Parse(text)
		if err != nil {
			fmt.Println(err)
		}
		return hours.Calendar{Schedule: schedule, Zone: time.UTC}
	}
	shop := &sourcing.Site{ID: "shop", Calendar: calendar("Mo-Fr 09:00-18:00")}
	source := &sourcing.Site{ID: "warehouse", Calendar: calendar("Mo-Sa 06:00-22:00"),
		CutOff: 16 * time.Hour, Prep: 90 * time.Minute, Transfer: 24 * time.Hour}
	request := &sourcing.Request{
		Now:  time.Date(2026, time.March, 6, 17, 30, 0, 0, time.UTC),
		Form: sourcing.ShipToStore, At: shop,
	}
	c := sourcing.Candidate{Site: source, Request: request, Distance: 12_000}
	ready, reason := c.Promise(2)
	fmt.Println("work begins", c.Start.Format("Mon 15:04"))
	fmt.Println("ready", ready.Format("Mon 15:04"), reason == 0)

	request.NeededBy = time.Date(2026, time.March, 8, 12, 0, 0, 0, time.UTC)
	_, reason = c.Promise(2)
	fmt.Println("by Sunday noon:", reason)
	// Output:
	// work begins Sat 06:00
	// ready Mon 09:00 true
	// by Sunday noon: too late
}

// Other rules, run on the same orders without holding anything.
func ExampleComparison() {
	var c sourcing.Comparison
	c.Add(
		sourcing.Result{Filled: true, Parts: 2, Distance: 5200, Cost: 980, Wait: 3 * time.Hour, Sites: []string{"krakow-1", "krakow-4"}},
		sourcing.Result{Filled: true, Parts: 1, Distance: 6100, Cost: 610, Wait: 5 * time.Hour, Sites: []string{"krakow-7"}},
	)
	c.Add(
		sourcing.Result{},
		sourcing.Result{Filled: true, Parts: 1, Distance: 40_000, Cost: 1900, Wait: 26 * time.Hour, Sites: []string{"lodz-1"}},
	)
	fmt.Print(c)
	// Output:
	// 2 orders, 1 filled by both, 0 of them at the same locations
	//                              live       shadow
	// filled                          1            2
	// filled only by it               0            1
	// split                           1            0
	// mean locations               2.00         1.00
	// mean distance km             5.20         6.10
	// mean cost                  980.00       610.00
	// mean wait                  3h0m0s       5h0m0s
}

// Why an order is served as it is.
func ExampleExplanation() {
	fmt.Print(sourcing.Explanation{
		Order: "SO-1001", At: time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC),
		Chosen: []sourcing.Considered{{Site: "krakow-7", Distance: 6100, Cost: 610, Lines: []string{"SKU-1", "SKU-2"},
			Ready: time.Date(2026, time.March, 2, 15, 0, 0, 0, time.UTC)}},
		Rejected: []sourcing.Considered{
			{Site: "krakow-1", Distance: 900, Reason: sourcing.Short, Detail: "SKU-2"},
			{Site: "krakow-4", Distance: 4300, Reason: sourcing.Closed},
		},
		Cost: 610, Bound: 610, Exact: true,
	})
	// Output:
	// order "SO-1001" at 2026-03-02T10:00:00Z: 1 location, cost 610
	//   + "krakow-7" collect 6.1 km, ready 2026-03-02T15:00:00Z, cost 610: SKU-1, SKU-2
	//   - "krakow-1" collect 0.9 km: short (SKU-2)
	//   - "krakow-4" collect 4.3 km: closed
}
