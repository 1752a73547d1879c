package allocator_test

import (
	"context"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// slotShop is an engine with one shop and some tea, at eight in the morning.
func slotShop(ctx context.Context) (*allocator.Allocator, error) {
	clock := func() time.Time { return time.Date(2031, 3, 3, 8, 0, 0, 0, time.UTC) }
	a, err := allocator.Open(ctx, allocator.Options{Clock: clock})
	if err != nil {
		return nil, err
	}
	if err := a.SetLocations(ctx, allocator.Location{ID: "krakow-1", Point: geo.Point{Lat: 50.06, Lon: 19.94}}); err != nil {
		return nil, err
	}
	return a, a.Receive(ctx, allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 10}}})
}

func ExampleAllocator_SetWindows() {
	ctx := context.Background()
	a, err := slotShop(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	ten := time.Date(2031, 3, 3, 10, 0, 0, 0, time.UTC)
	fmt.Println(a.SetWindows(ctx,
		allocator.Window{Location: "krakow-1", Start: ten, Length: time.Hour, Places: 1},
		allocator.Window{Location: "krakow-1", Start: ten.Add(time.Hour), Length: time.Hour, Places: 5}))
	order := allocator.Order{ID: "SO-1", Near: geo.Point{Lat: 50.05, Lon: 19.93}, Window: ten,
		Lines: []allocator.Line{{SKU: "tea", Quantity: 2}}}
	got, err := a.Allocate(ctx, order)
	fmt.Println(got.Location, got.Ready.Format(time.Kitchen), err)
	order.ID = "SO-2"
	_, err = a.Allocate(ctx, order)
	fmt.Println(err != nil)
	for w := range a.Windows("krakow-1", ten, time.Time{}) {
		fmt.Println(w.Start.Format(time.Kitchen), w.Free, "of", w.Places)
	}
	// Output:
	// <nil>
	// krakow-1 10:00AM <nil>
	// true
	// 10:00AM 0 of 1
	// 11:00AM 5 of 5
}

func ExampleAllocator_SetCapacity() {
	ctx := context.Background()
	a, err := slotShop(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	fmt.Println(a.SetCapacity(ctx, allocator.Capacity{Location: "krakow-1", Per: allocator.Hour, Orders: 1}))
	for _, id := range []string{"SO-1", "SO-2", "SO-3"} {
		got, err := a.Allocate(ctx, allocator.Order{ID: id, Near: geo.Point{Lat: 50.05, Lon: 19.93}, Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}})
		fmt.Println(got.ID, "ready at", got.Ready.Format(time.Kitchen), err)
	}
	for c := range a.Capacities() {
		fmt.Println(c.Location, c.Orders, "orders an", c.Per)
	}
	// Output:
	// <nil>
	// SO-1 ready at 8:00AM <nil>
	// SO-2 ready at 9:00AM <nil>
	// SO-3 ready at 10:00AM <nil>
	// krakow-1 1 orders an hour
}

// Windows is the calendar of a shop: what is free when.
func ExampleAllocator_Windows() {
	ctx := context.Background()
	a, err := slotShop(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	ten := time.Date(2031, 3, 3, 10, 0, 0, 0, time.UTC)
	fmt.Println(a.SetWindows(ctx, allocator.Window{Location: "krakow-1", Start: ten, Length: time.Hour, Places: 3}))
	for w := range a.Windows("krakow-1", ten, ten.Add(time.Hour)) {
		fmt.Println(w.Start.Format(time.Kitchen), w.Length, w.Free, "free,", w.Taken, "taken")
	}
	// Output:
	// <nil>
	// 10:00AM 1h0m0s 3 free, 0 taken
}

// Capacities are the limits that were set.
func ExampleAllocator_Capacities() {
	ctx := context.Background()
	a, err := slotShop(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	fmt.Println(a.SetCapacity(ctx, allocator.Capacity{Location: "krakow-1", Per: allocator.Day, Orders: 40, Lines: 200}))
	for c := range a.Capacities() {
		fmt.Println(c.Location, c.Orders, "orders and", c.Lines, "lines a", c.Per)
	}
	// Output:
	// <nil>
	// krakow-1 40 orders and 200 lines a day
}
