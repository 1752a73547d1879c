package allocator_test

import (
	"context"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// told is what a shop tells its customer of an event.
func told(e *allocator.Event) string {
	switch e.Name {
	case "HoldPlaced":
		return "We have kept your goods."
	case "ReservationConfirmed":
		return "Thank you for your order."
	case "Shipped":
		return fmt.Sprintf("%s has your parcel, number %s.", e.Carrier, e.Tracking)
	case "Delivered":
		return "Your parcel is there."
	case "DeliveryFailed":
		return "Your parcel got lost. We send another one."
	case "ReturnedToSender":
		return "Your parcel came back to us."
	}
	return "nothing"
}

// The life of an order that is shipped, and what its customer is told at each step. It
// waits for nobody who comes, so that it is no no-show, however long it takes.
func ExampleAllocator_Change_parcel() {
	ctx, now := context.Background(), time.Date(2030, 5, 6, 9, 0, 0, 0, time.UTC)
	a, err := allocator.Open(ctx, allocator.Options{FeedBytes: 1 << 20, ManualExpiry: true, Clock: func() time.Time { return now }})
	if err != nil {
		panic(err)
	}
	defer a.Close()
	check := func(errs ...error) {
		for _, err := range errs {
			if err != nil {
				fmt.Println(err)
			}
		}
	}
	check(a.SetLocations(ctx, stores...), a.Receive(ctx, allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: twoTeas}))
	_, err = a.Allocate(ctx, allocator.Order{ID: "SO-1", Near: wawel, Form: sourcing.Ship, Lines: twoTeas})
	check(err, a.Confirm(ctx, "SO-1"), a.Accept(ctx, "SO-1"))
	check(a.Ready(ctx, "SO-1", allocator.Pickup{})) // it is not for one who comes
	change := func(do allocator.Action, p allocator.Parcel) {
		check(a.Change(ctx, allocator.Change{ID: fmt.Sprint("SO-1 ", do), Reservation: "SO-1", Do: do, Parcel: p}))
	}
	change(allocator.DoPack, allocator.Parcel{})
	change(allocator.DoShip, allocator.Parcel{Carrier: "DHL", Tracking: "JJD0099"})
	check(a.Cancel(ctx, "SO-1")) // a carrier has it
	now = now.AddDate(0, 0, 8)
	due, err := a.Expire(now)
	check(err)
	fmt.Println("eight days later:", due.NoShows, "no-shows")
	change(allocator.DoDeliver, allocator.Parcel{})

	for e, err := range a.History(ctx, 0) {
		check(err)
		if e.ID == "SO-1" {
			fmt.Printf("%s: %s\n", e.Name, told(&e))
		}
	}
	show(a, "SO-1")
	// Output:
	// allocator: ready "SO-1": reservation: reservation "SO-1" is to be shipped: not possible: ready for pickup
	// allocator: cancel "SO-1": reservation: reservation "SO-1" is shipped: not possible: reservation canceled
	// eight days later: 0 no-shows
	// HoldPlaced: We have kept your goods.
	// ReservationConfirmed: Thank you for your order.
	// OrderAccepted: nothing
	// Packed: nothing
	// Shipped: DHL has your parcel, number JJD0099.
	// Delivered: Your parcel is there.
	// delivered at krakow-1: 0 held, 0 confirmed, 2 collected
}
