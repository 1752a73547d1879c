package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

var (
	rynek   = geo.Point{Lat: 50.0619, Lon: 19.9368}
	wawel   = geo.Point{Lat: 50.0540, Lon: 19.9354}
	warsaw  = geo.Point{Lat: 52.2297, Lon: 21.0122}
	stores  = []allocator.Location{{ID: "krakow-1", Point: rynek}, {ID: "warsaw-1", Point: warsaw}}
	twoTeas = []allocator.Line{{SKU: "tea", Quantity: 2}}
)

// opened is an engine with two stores and ten packets of tea in each.
func opened() *allocator.Allocator {
	ctx := context.Background()
	a, err := allocator.Open(ctx, allocator.Options{})
	if err != nil {
		panic(err)
	}
	tea := []allocator.Line{{SKU: "tea", Quantity: 10}}
	err = errors.Join(a.SetLocations(ctx, stores...), a.Receive(ctx,
		allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: tea},
		allocator.Receipt{ID: "GR-2", Location: "warsaw-1", Lines: tea}))
	if err != nil {
		panic(err)
	}
	return a
}

func ExampleOpen() {
	_, err := allocator.Open(context.Background(), allocator.Options{MaxLines: -1, Remember: -1})
	fmt.Println(err)
	// Output:
	// allocator: open: invalid Options.MaxLines -1: must be 0 to 1048576
	// invalid Options.Remember -1: must be 0 to 1073741824
}

func ExampleAllocator_Allocate() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	order := allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas}
	got, err := a.Allocate(ctx, order)
	fmt.Printf("%s at %s, %.0f m, %v\n", got.ID, got.Location, got.Distance, err)
	again, err := a.Allocate(ctx, order)
	fmt.Println("the same answer:", again == got, err)
	order.Lines = []allocator.Line{{SKU: "tea", Quantity: 3}}
	_, err = a.Allocate(ctx, order)
	fmt.Println(err)
	// Output:
	// SO-1001 at krakow-1, 884 m, <nil>
	// the same answer: true <nil>
	// allocator: order "SO-1001": ID already used with other content
}

// An order may name the one location it wants.
func ExampleAllocator_Allocate_at() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	got, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", At: "warsaw-1", Lines: twoTeas})
	fmt.Println(got.Location, err)
	// Output: warsaw-1 <nil>
}

// A refusal says why, location by location.
func ExampleNoLocationError() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := a.Allocate(ctx, allocator.Order{
		ID: "SO-1001", Near: wawel, MaxDistance: 50_000,
		Lines: []allocator.Line{{SKU: "tea", Quantity: 11}},
	})
	var no *allocator.NoLocationError
	if errors.As(err, &no) {
		fmt.Println(no.Counts().Short, "short,", no.Counts().TooFar, "too far")
		for _, c := range no.Candidates() {
			fmt.Printf("%s, %.0f km: %v %s\n", c.Location, c.Distance/1000, c.Reason, c.SKU)
		}
	}
	// Output:
	// 1 short, 1 too far
	// krakow-1, 1 km: short tea
	// warsaw-1, 253 km: too far
}

func ExampleAllocator_Collect() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas})
	fmt.Println(err)
	fmt.Println(a.Collect(ctx, "SO-1001"))
	fmt.Println(a.Cancel(ctx, "SO-1001"))
	level, err := a.Available("tea", "krakow-1")
	fmt.Println(level.OnHand, "on hand", err)
	// Output:
	// <nil>
	// <nil>
	// allocator: cancel "SO-1001": reservation: reservation "SO-1001" has ended: already collected
	// 8 on hand <nil>
}

// Some of the lines may be canceled, the rest stays held.
func ExampleAllocator_Cancel() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas})
	fmt.Println(err)
	fmt.Println(a.Cancel(ctx, "SO-1001", allocator.Line{SKU: "tea", Quantity: 1}))
	level, err := a.Available("tea", "krakow-1")
	fmt.Println(level.Held, "held,", level.Available, "available", err)
	// Output:
	// <nil>
	// <nil>
	// 1 held, 9 available <nil>
}

func ExampleAllocator_Lookup() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas})
	fmt.Println(err)
	fmt.Println(a.Collect(ctx, "SO-1001", allocator.Line{SKU: "tea", Quantity: 1}))
	r, err := a.Lookup("SO-1001")
	fmt.Println(r.State, "at", r.Location, err)
	for _, line := range r.Lines {
		fmt.Println(line.SKU, line.Quantity, "ordered,", line.Held, "held,", line.Collected, "collected")
	}
	// Output:
	// <nil>
	// <nil>
	// held at krakow-1 <nil>
	// tea 2 ordered, 1 held, 1 collected
}

// Nearby lists the shops that have the goods and those that do not, the nearest first.
func ExampleAllocator_Nearby() {
	a := opened()
	defer a.Close()
	err := a.Count(context.Background(), allocator.Count{ID: "C-1", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}})
	fmt.Println(err)
	near, err := a.Nearby(allocator.Order{Near: wawel, Lines: twoTeas})
	fmt.Println(err)
	for c := range near {
		fmt.Printf("%s %v, %.1f km, %d available", c.Location, c.Kind, c.Distance/1000, c.Available[0])
		if c.Reason != 0 {
			fmt.Printf(": %v (%s)", c.Reason, c.Detail)
		}
		fmt.Println()
	}
	// Output:
	// <nil>
	// <nil>
	// krakow-1 store, 0.9 km, 1 available: short (tea)
	// warsaw-1 store, 253.3 km, 10 available
}

// NearbyAll is a listing page: is it in my shop today?
func ExampleAllocator_NearbyAll() {
	a := opened()
	defer a.Close()
	var page []allocator.Order
	for _, sku := range []string{"tea", "coffee"} {
		page = append(page, allocator.Order{At: "krakow-1", Lines: []allocator.Line{{SKU: sku, Quantity: 1}}, NeededBy: time.Now().Add(6 * time.Hour)})
	}
	for i, n := range a.NearbyAll(1, page...) {
		if n.Err != nil {
			fmt.Println(n.Err)
			continue
		}
		fmt.Println(page[i].Lines[0].SKU, n.Candidates[0].Reason == 0, n.Candidates[0].Available)
	}
	// Output:
	// tea true [10]
	// allocator: nearby: unknown SKU: "coffee"
}

func ExampleAllocator_Receive() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	goods := allocator.Receipt{ID: "GR-77", Location: "krakow-1", Lines: []allocator.Line{{SKU: "cup", Quantity: 4}}}
	fmt.Println(a.Receive(ctx, goods))
	fmt.Println(a.Receive(ctx, goods)) // sent again: booked once
	level, err := a.Available("cup", "krakow-1")
	fmt.Println(level.OnHand, "on hand", err)
	// Output:
	// <nil>
	// <nil>
	// 4 on hand <nil>
}

func ExampleAllocator_Count() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.Count(ctx, allocator.Count{ID: "IC-5", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 7}}}))
	level, err := a.Available("tea", "krakow-1")
	fmt.Println(level.OnHand, "on hand", err)
	// Output:
	// <nil>
	// 7 on hand <nil>
}

func ExampleAllocator_Sell() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.Sell(ctx, allocator.Sale{ID: "T1-0815", Location: "krakow-1", Lines: twoTeas}))
	err := a.Sell(ctx, allocator.Sale{ID: "T1-0816", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 9}}})
	var short *allocator.ShortageError
	if errors.As(err, &short) {
		fmt.Println("wanted", short.Wanted, "there are", short.Available)
	}
	// Output:
	// <nil>
	// wanted 9 there are 8
}

func ExampleAllocator_Adjust() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	broken := allocator.Adjustment{ID: "AD-3", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: -1}}}
	fmt.Println(a.Adjust(ctx, broken))
	level, err := a.Available("tea", "krakow-1")
	fmt.Println(level.OnHand, "on hand", err)
	// Output:
	// <nil>
	// 9 on hand <nil>
}

func ExampleAllocator_SetSafetyStock() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.SetSafetyStock(ctx,
		allocator.SafetyStock{SKU: "tea", Units: 2},
		allocator.SafetyStock{SKU: "tea", Location: "warsaw-1", Units: 5}))
	for _, l := range stores {
		level, err := a.Available("tea", l.ID)
		fmt.Println(l.ID, level.Available, "available", err)
	}
	// Output:
	// <nil>
	// krakow-1 8 available <nil>
	// warsaw-1 5 available <nil>
}

func ExampleAllocator_Available() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas})
	fmt.Println(err)
	level, err := a.Available("tea", "krakow-1")
	fmt.Printf("%+v %v\n", level, err)
	_, err = a.Available("coffee", "krakow-1")
	fmt.Println(err)
	// Output:
	// <nil>
	// {OnHand:10 Held:2 Safety:0 Available:8} <nil>
	// allocator: available: unknown SKU: "coffee"
}

func ExampleAllocator_SetLocations() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.SetLocations(ctx, allocator.Location{ID: "krakow-2", Kind: allocator.Locker, Point: wawel}))
	fmt.Println(a.SetLocations(ctx, allocator.Location{ID: "krakow-3", Point: geo.Point{Lat: 500.619, Lon: 19.9368}}))
	// Output:
	// <nil>
	// allocator: set locations: location "krakow-3": invalid locations[0].Point geo.Point{Lat:500.619, Lon:19.9368}: geo: Lat 500.619: outside -90 to 90 degrees
}

func ExampleAllocator_RemoveLocation() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	err := a.RemoveLocation(ctx, "warsaw-1")
	var use *allocator.LocationInUseError
	if errors.As(err, &use) {
		fmt.Println(use.OnHand, "on hand,", use.Held, "held")
	}
	fmt.Println(a.Count(ctx, allocator.Count{ID: "IC-6", Location: "warsaw-1", Lines: []allocator.Line{{SKU: "tea"}}}))
	fmt.Println(a.RemoveLocation(ctx, "warsaw-1"))
	// Output:
	// 10 on hand, 0 held
	// <nil>
	// <nil>
}

func ExampleAllocator_Locations() {
	a := opened()
	defer a.Close()
	for l := range a.Locations() {
		fmt.Println(l.ID, l.Kind, l.Point)
	}
	// Output:
	// krakow-1 store {50.0619 19.9368}
	// warsaw-1 store {52.2297 21.0122}
}

func ExampleAllocator_Stats() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas})
	fmt.Println(err, a.Collect(ctx, "SO-1001"))
	s := a.Stats()
	fmt.Println(s.Locations, "locations,", s.Allocated, "allocated,", s.Collected, "collected,", s.Held, "held")
	// Output:
	// <nil> <nil>
	// 2 locations, 1 allocated, 1 collected, 0 held
}

func ExampleAllocator_Sizes() {
	a := opened()
	defer a.Close()
	s := a.Sizes()
	fmt.Println(s.SKUs, "SKU in", s.Cells, "cells")
	// Output:
	// 1 SKU in 2 cells
}

func ExampleAllocator_Orders_loads() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas})
	fmt.Println(err)
	for id, reservations := range a.Orders().Loads() {
		fmt.Println(id, reservations)
	}
	// Output:
	// <nil>
	// krakow-1 1
	// warsaw-1 0
}

func ExampleAllocator_Close() {
	ctx, a := context.Background(), opened()
	fmt.Println(a.Close())
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas})
	fmt.Println(errors.Is(err, allocator.ErrClosed), a.Close())
	// Output:
	// <nil>
	// true <nil>
}
