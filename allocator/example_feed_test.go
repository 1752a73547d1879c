package allocator_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// recorded is like opened, and keeps its history.
func recorded() *allocator.Allocator {
	ctx := context.Background()
	a, err := allocator.Open(ctx, allocator.Options{FeedBytes: 1 << 20})
	if err != nil {
		panic(err)
	}
	goods := allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 10}}}
	if err := errors.Join(a.SetLocations(ctx, stores...), a.Receive(ctx, goods)); err != nil {
		panic(err)
	}
	return a
}

// A notice to the customer for each thing that happens to an order.
func ExampleAllocator_Events() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	a := recorded()
	defer a.Close()
	order := allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas, Customer: "ann@example.com"}
	if _, err := a.Allocate(ctx, order); err != nil {
		panic(err)
	}
	fmt.Println(errors.Join(a.Confirm(ctx, order.ID), a.Ready(ctx, order.ID, allocator.Pickup{Code: "4711"}), a.Collect(ctx, order.ID)))
	for e, err := range a.Events(ctx, 0) { // a program of yours goes on from the last Sequence it has dealt with
		if err != nil {
			break // context.Canceled: told to stop
		}
		switch e.Name {
		case "HoldPlaced", "ReservationConfirmed", "Collected":
			fmt.Printf("to %s: %s, %d×%s at %s\n", e.Customer, e.Name, e.Lines[0].Units, e.Lines[0].SKU, e.Location)
		case "ReadyForPickup":
			fmt.Printf("to %s: ready at %s, your code is %s\n", e.Customer, e.Location, e.Code)
		}
		if e.Name == "Collected" {
			stop()
		}
	}
	// Output:
	// <nil>
	// to ann@example.com: HoldPlaced, 2×tea at krakow-1
	// to ann@example.com: ReservationConfirmed, 2×tea at krakow-1
	// to ann@example.com: ready at krakow-1, your code is 4711
	// to ann@example.com: Collected, 2×tea at krakow-1
}

// An order over two stores: the customer is told once, when all of it is on its way.
func ExampleOrderState() {
	ctx, a := context.Background(), recorded()
	defer a.Close()
	more := allocator.Receipt{ID: "GR-2", Location: "warsaw-1", Lines: []allocator.Line{{SKU: "cup", Quantity: 10}}}
	if err := a.Receive(ctx, more); err != nil {
		panic(err)
	}
	order := allocator.Order{ID: "SO-1", Near: wawel, Lines: []allocator.Line{{SKU: "tea", Quantity: 1}, {SKU: "cup", Quantity: 1}}, MaxLocations: 2, Form: sourcing.Ship}
	got, err := a.Allocate(ctx, order)
	if err != nil {
		panic(err)
	}
	step := func(id string, part int, do allocator.Action) error {
		return a.Change(ctx, allocator.Change{ID: id, Reservation: "SO-1", Part: part, Do: do})
	}
	fmt.Println(a.Confirm(ctx, "SO-1"), step("parcel 1", got.Parts()[0].Part, allocator.DoShip), step("parcel 2", got.Parts()[1].Part, allocator.DoShip),
		step("he has it", 0, allocator.DoDeliver))
	for e, err := range a.History(ctx, 0) {
		if err != nil {
			panic(err)
		}
		if e.Part > 0 || len(e.Shares) > 0 {
			fmt.Printf("%s, part %d of %d, order %q\n", e.Name, e.Part, e.Parts, e.OrderState)
		}
	}
	// Output:
	// <nil> <nil> <nil> <nil>
	// HoldPlaced, part 1 of 2, order "held"
	// HoldPlaced, part 2 of 2, order ""
	// ReservationConfirmed, part 0 of 2, order "confirmed"
	// Shipped, part 1 of 2, order "partly shipped"
	// Shipped, part 2 of 2, order "shipped"
	// Delivered, part 0 of 2, order "delivered"
}

// What happened to the stock so far.
func ExampleAllocator_History() {
	ctx, a := context.Background(), recorded()
	defer a.Close()
	sale := allocator.Sale{ID: "till-1/77", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 3}}}
	if err := a.Sell(ctx, sale); err != nil {
		panic(err)
	}
	for e, err := range a.History(ctx, 0) {
		if err != nil {
			panic(err)
		}
		if e.Name == "StockReceived" || e.Name == "SaleRecorded" {
			fmt.Println(e.Name, e.ID, e.Lines[0].SKU, e.Lines[0].Units, "then on hand:", *e.Lines[0].OnHand)
		}
	}
	// Output:
	// StockReceived GR-1 tea 10 then on hand: 10
	// SaleRecorded till-1/77 tea -3 then on hand: 7
}

// A store's pick list, page by page.
func ExampleAllocator_List() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	for i := range 3 {
		id := fmt.Sprint("SO-", i)
		if _, err := a.Allocate(ctx, allocator.Order{ID: id, At: "krakow-1", Lines: twoTeas}); err != nil {
			panic(err)
		}
		if err := a.Confirm(ctx, id); err != nil {
			panic(err)
		}
	}
	want := allocator.Listing{Location: "krakow-1", States: []allocator.State{allocator.Confirmed}, Limit: 2}
	for {
		page, err := a.List(ctx, want)
		if err != nil {
			panic(err)
		}
		for _, r := range page.Reservations {
			fmt.Println("pick", r.ID, r.Lines[0].Confirmed, r.Lines[0].SKU)
		}
		if want.After = page.Next; page.Next == "" {
			return
		}
		fmt.Println("next page")
	}
	// Output:
	// pick SO-0 2 tea
	// pick SO-1 2 tea
	// next page
	// pick SO-2 2 tea
}

// Every counter recomputed.
func ExampleAllocator_Audit() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	if _, err := a.Allocate(ctx, allocator.Order{ID: "SO-1", Near: wawel, Lines: twoTeas}); err != nil {
		panic(err)
	}
	report, err := a.Audit(ctx)
	fmt.Println(report.Cells, "cells,", report.Reservations, "reservation,", len(report.Differences), "differences", err)
	// Output: 2 cells, 1 reservation, 0 differences <nil>
}
