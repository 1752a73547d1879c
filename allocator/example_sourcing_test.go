package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// chain is an engine with a small chain of shops and a warehouse.
func chain() *allocator.Allocator {
	ctx := context.Background()
	monday := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	a, err := allocator.Open(ctx, allocator.Options{Clock: func() time.Time { return monday }})
	if err != nil {
		panic(err)
	}
	shop := allocator.Terms{Hours: "Mo-Sa 09:00-20:00", Prep: 30 * time.Minute, Transfer: 24 * time.Hour, Groups: []string{"shops"}}
	depot := allocator.Terms{Hours: "Mo-Fr 06:00-22:00", Prep: 2 * time.Hour, Transfer: 12 * time.Hour, Delivery: 24 * time.Hour}
	lodz := geo.Point{Lat: 51.7592, Lon: 19.4560}
	stock := func(id, at string, lines ...allocator.Line) allocator.Receipt {
		return allocator.Receipt{ID: id, Location: at, Lines: lines}
	}
	err = errors.Join(
		a.SetLocations(ctx,
			allocator.Location{ID: "krakow-1", Point: rynek, Terms: &shop},
			allocator.Location{ID: "warsaw-1", Point: warsaw, Terms: &shop},
			allocator.Location{ID: "lodz-depot", Kind: allocator.Warehouse, Point: lodz, Terms: &depot}),
		a.Receive(ctx,
			stock("GR-1", "krakow-1", allocator.Line{SKU: "cup", Quantity: 4}),
			stock("GR-2", "warsaw-1", allocator.Line{SKU: "cup", Quantity: 4}, allocator.Line{SKU: "tea", Quantity: 4}),
			stock("GR-3", "lodz-depot", allocator.Line{SKU: "tea", Quantity: 90})))
	if err != nil {
		panic(err)
	}
	return a
}

var cupAndTea = []allocator.Line{{SKU: "cup", Quantity: 1}, {SKU: "tea", Quantity: 2}}

func answer(got allocator.Allocation, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, part := range got.Parts() {
		fmt.Print(part.ID, " part ", part.Part, " at ", part.Location)
		for _, line := range part.Lines() {
			fmt.Print(", ", line.Quantity, " ", line.SKU)
		}
		fmt.Println(", ready", part.Ready.Format("Mon 15:04"))
	}
}

// What the chosen store lacks is brought there from the best other location.
func ExampleAllocator_Allocate_shipToStore() {
	ctx, a := context.Background(), chain()
	defer a.Close()
	answer(a.Allocate(ctx, allocator.Order{ID: "SO-1", Form: sourcing.ShipToStore, At: "krakow-1", Near: wawel, Lines: cupAndTea}))
	// Output:
	// SO-1 part 1 at krakow-1, 1 cup, ready Mon 09:30
	// SO-1 part 2 at lodz-depot, 2 tea, ready Tue 09:00
}

// Quote says what Allocate would do, and holds nothing.
func ExampleAllocator_Quote() {
	a := chain()
	defer a.Close()
	answer(a.Quote(allocator.Order{ID: "cart", Near: wawel, Lines: cupAndTea}))
	answer(a.Quote(allocator.Order{ID: "cart", Near: wawel, Lines: cupAndTea, Form: sourcing.Ship, Exclude: []string{"warsaw-1"}, MaxLocations: 2}))
	// Output:
	// cart part 1 at warsaw-1, 1 cup, 2 tea, ready Mon 09:30
	// cart part 1 at krakow-1, 1 cup, ready Mon 09:30
	// cart part 2 at lodz-depot, 2 tea, ready Tue 10:00
}

// Candidates are the stores a customer can choose from, the best first.
func ExampleAllocator_Candidates() {
	a := chain()
	defer a.Close()
	all, err := a.Candidates(allocator.Order{Near: wawel, Lines: []allocator.Line{{SKU: "cup", Quantity: 1}}})
	for c := range all {
		fmt.Printf("%s %.0f km, ready %s\n", c.Location, c.Distance/1000, c.Ready.Format("Mon 15:04"))
	}
	fmt.Println(err)
	// Output:
	// krakow-1 1 km, ready Mon 09:30
	// warsaw-1 253 km, ready Mon 09:30
	// <nil>
}

// Every location that was not chosen has one reason.
func ExampleAllocator_Explain() {
	a := chain()
	defer a.Close()
	why, err := a.Explain(allocator.Order{ID: "SO-1", Near: wawel, Lines: cupAndTea, MaxDistance: 300e3})
	fmt.Print(why)
	fmt.Println(err)
	// Output:
	// order "SO-1" at 2026-11-23T08:00:00Z: 1 location, cost 100
	//   + "warsaw-1" collect 253.3 km, ready 2026-11-23T09:30:00Z, cost 100: cup, tea
	//   - "krakow-1" collect 0.9 km: short (tea)
	//   - "lodz-depot" collect 192.6 km: wrong kind
	// <nil>
}

// Rules are values: here the place that is ready first, within a group, and the
// nearest of those that are ready at the same time.
func ExampleAllocator_SetRules() {
	a := chain()
	defer a.Close()
	tea := allocator.Order{ID: "cart", Near: wawel, Form: sourcing.Ship, Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}}
	answer(a.Quote(tea))
	fmt.Println(a.SetRules(sourcing.Rules{
		Keys: sourcing.Keys(sourcing.ByReady, sourcing.ByDistance),
		Soft: []sourcing.Filter{sourcing.InGroups("shops")},
	}))
	answer(a.Quote(tea))
	// Output:
	// cart part 1 at lodz-depot, 1 tea, ready Tue 10:00
	// <nil>
	// cart part 1 at warsaw-1, 1 tea, ready Mon 09:30
}

// What a franchisee owns is not the chain's to send; his customers collect it all the same.
func ExampleAllocator_Nearby_ownedBy() {
	ctx, a := context.Background(), chain()
	defer a.Close()
	franchise := allocator.Terms{Owner: "Nowak & Sons"}
	fmt.Println(a.SetLocations(ctx, allocator.Location{ID: "krakow-1", Point: rynek, Terms: &franchise}))
	fmt.Println(a.SetRules(sourcing.Rules{Hard: []sourcing.Filter{sourcing.OwnedBy("").For(sourcing.Ship, sourcing.ShipToStore)}}))
	for _, form := range []sourcing.Form{sourcing.Collect, sourcing.Ship} {
		near, err := a.Nearby(allocator.Order{Near: wawel, Form: form, MaxDistance: 50e3, Lines: []allocator.Line{{SKU: "cup", Quantity: 1}}})
		for c := range near {
			fmt.Println(form, c.Location, c.Available, c.Owner, c.Reason == 0, c.Reason, err)
		}
	}
	// Output:
	// <nil>
	// <nil>
	// collect krakow-1 [4] Nowak & Sons true Reason(0) <nil>
	// ship krakow-1 [4] Nowak & Sons false another owner's <nil>
}

// Other rules are tried on orders before they are put in force.
func ExampleAllocator_Compare() {
	a := chain()
	defer a.Close()
	tea := allocator.Order{ID: "cart", Near: wawel, Form: sourcing.Ship, Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}}
	c, err := a.Compare(sourcing.Rules{Keys: sourcing.Keys(sourcing.ByReady)}, tea)
	fmt.Printf("%d order, filled by both %d, at the same place %d, meters %.0f and %.0f, %v\n",
		c.Orders, c.Both, c.Same, c.Live.Distance, c.Shadow.Distance, err)
	// Output: 1 order, filled by both 1, at the same place 0, meters 192565 and 253314, <nil>
}

// A shadow decides every order along.
func ExampleAllocator_SetShadow() {
	ctx, a := context.Background(), chain()
	defer a.Close()
	err := a.SetShadow(&sourcing.Rules{Keys: sourcing.Keys(sourcing.ByReady)})
	answer(a.Allocate(ctx, allocator.Order{ID: "SO-1", Near: wawel, Form: sourcing.Ship, Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}}))
	c, ok := a.Shadow()
	fmt.Println(c.Orders, c.Same, ok, err)
	// Output:
	// SO-1 part 1 at lodz-depot, 1 tea, ready Tue 10:00
	// 1 0 true <nil>
}

// Shadow is what a shadow has seen so far.
func ExampleAllocator_Shadow() {
	a := chain()
	defer a.Close()
	_, ok := a.Shadow()
	fmt.Println(ok)
	// Output: false
}

// Of an order that two stores serve, a verb of the order is of both parts, and Part
// names one.
func ExampleAllocator_Part() {
	ctx, a := context.Background(), chain()
	defer a.Close()
	got, err := a.Allocate(ctx, allocator.Order{ID: "SO-1", Form: sourcing.ShipToStore, At: "krakow-1", Near: wawel, Lines: cupAndTea})
	fmt.Println(len(got.Parts()), "parts", err)
	fmt.Println(a.Confirm(ctx, "SO-1"), a.Part("SO-1", 2).Dispatch(ctx, "krakow-1"))
	for _, part := range got.Parts() {
		r, err := a.Part(part.ID, part.Part).Lookup()
		fmt.Println("part", r.Part, r.State, r.To, err)
	}
	fmt.Println(a.Cancel(ctx, "SO-1")) // all of it or nothing
	// Output:
	// 2 parts <nil>
	// <nil> <nil>
	// part 1 confirmed  <nil>
	// part 2 in transit krakow-1 <nil>
	// allocator: cancel "SO-1": reservation: part 2 of reservation "SO-1" is in transit: not possible: reservation canceled
}
