package allocator_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator"
)

// twoStores is an engine with tea in Krakow and in Warsaw, and a confirmed order of
// two packets in Krakow.
func twoStores() *allocator.Allocator {
	ctx, a := context.Background(), held()
	if err := a.Confirm(ctx, "SO-1001"); err != nil {
		panic(err)
	}
	return a
}

// The store will not serve the order: the next one that can takes it over.
func ExampleAllocator_Reject() {
	ctx, a := context.Background(), twoStores()
	defer a.Close()
	got, err := a.Reject(ctx, "SO-1001")
	fmt.Println(got.ID, got.Location, err)
	show(a, "SO-1001")
	_, err = a.Reject(ctx, "SO-1001") // nobody is left
	fmt.Println(errors.Is(err, allocator.ErrNoLocation))
	show(a, "SO-1001")
	// Output:
	// SO-1001 warsaw-1 <nil>
	// confirmed at warsaw-1: 0 held, 2 confirmed, 0 collected
	// true
	// confirmed at warsaw-1: 0 held, 2 confirmed, 0 collected
}

// One of two packets was not found; it comes from elsewhere, as a part of the order.
func ExampleAllocator_Reroute() {
	ctx, a := context.Background(), twoStores()
	defer a.Close()
	fmt.Println(a.ShortPick(ctx, "SO-1001", allocator.Line{SKU: "tea", Quantity: 1}))
	got, err := a.Reroute(ctx, "SO-1001")
	fmt.Println(got.ID, "part", got.Part, got.Location, got.Lines(), err)
	show(a, "SO-1001") // the whole order
	first, err := a.Part("SO-1001", 1).Lookup()
	fmt.Println("part", first.Part, first.Location, first.Lines[0].Confirmed, "confirmed", err)
	// Output:
	// <nil>
	// SO-1001 part 2 warsaw-1 [{tea 1}] <nil>
	// confirmed at krakow-1: 0 held, 2 confirmed, 0 collected
	// part 1 krakow-1 1 confirmed <nil>
}

// A store is closed for today: all its orders go elsewhere.
func ExampleAllocator_RerouteFrom() {
	ctx, a := context.Background(), twoStores()
	defer a.Close()
	krakow := stores[0]
	krakow.Terms = &allocator.Terms{Offline: true}
	fmt.Println(a.SetLocations(ctx, krakow))
	err := a.RerouteFrom(ctx, "krakow-1", func(done, total int, got allocator.Allocation, err error) bool {
		fmt.Printf("%d of %d: %s is at %s now, %v\n", done, total, got.ID, got.Location, err)
		return true
	})
	fmt.Println(err)
	// Output:
	// <nil>
	// 1 of 1: SO-1001 is at warsaw-1 now, <nil>
	// <nil>
}
