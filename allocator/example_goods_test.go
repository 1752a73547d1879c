package allocator_test

import (
	"context"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// A bundle is ordered by its own SKU and picked as its parts.
func ExampleAllocator_SetBundles() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	cups := allocator.Receipt{ID: "GR-3", Location: "krakow-1", Lines: []allocator.Line{{SKU: "cup", Quantity: 4}}}
	fmt.Println(a.Receive(ctx, cups))
	fmt.Println(a.SetBundles(ctx, allocator.Bundle{SKU: "tea for two", Parts: []allocator.Component{{SKU: "tea", Quantity: 1}, {SKU: "cup", Quantity: 2}}}))
	got, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: []allocator.Line{{SKU: "tea for two", Quantity: 1}, {SKU: "cup", Quantity: 1}}})
	fmt.Println(got.Location, got.Lines(), err)
	fmt.Println(a.SetBundles(ctx, allocator.Bundle{SKU: "cup", Parts: []allocator.Component{{SKU: "tea for two", Quantity: 1}}}))
	// Output:
	// <nil>
	// <nil>
	// krakow-1 [{cup 3} {tea 1}] <nil>
	// allocator: set bundles: invalid Parts "cup > tea for two > cup": is a bundle that leads back to itself
}

func ExampleAllocator_Bundles() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.SetBundles(ctx,
		allocator.Bundle{SKU: "hamper", Parts: []allocator.Component{{SKU: "pair", Quantity: 3}, {SKU: "jam", Quantity: 1}}},
		allocator.Bundle{SKU: "pair", Parts: []allocator.Component{{SKU: "tea", Quantity: 2}}}))
	for b := range a.Bundles() {
		fmt.Println(b.SKU, b.Parts)
	}
	// Output:
	// <nil>
	// hamper [{pair 3} {jam 1}]
	// pair [{tea 2}]
}

// milkInLots is two lots of milk, of which the second to come expires first.
func milkInLots(a *allocator.Allocator) (today time.Time, err error) {
	today = time.Now()
	milk := []allocator.Line{{SKU: "milk", Quantity: 5}}
	return today, a.Receive(context.Background(),
		allocator.Receipt{ID: "GR-3", Location: "krakow-1", Lines: milk,
			Lots: map[string]allocator.Lot{"milk": {ID: "late", Expires: today.AddDate(0, 0, 9)}}},
		allocator.Receipt{ID: "GR-4", Location: "krakow-1", Lines: milk,
			Lots: map[string]allocator.Lot{"milk": {ID: "soon", Expires: today.AddDate(0, 0, 2)}}})
}

// Goods may come in lots that expire; the first to expire go out first.
func ExampleAllocator_Receive_lots() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := milkInLots(a)
	fmt.Println(err)
	_, err = a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: []allocator.Line{{SKU: "milk", Quantity: 6}}})
	fmt.Println(err)
	for lot, is := range a.Lots("milk", "krakow-1") {
		fmt.Println(lot.ID, is.Held, "held,", is.Available, "available")
	}
	// Output:
	// <nil>
	// <nil>
	// soon 5 held, 0 available
	// late 1 held, 4 available
}

func ExampleAllocator_Lots() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	today, err := milkInLots(a)
	fmt.Println(err)
	// A customer took a bottle of the later lot.
	fmt.Println(a.Sell(ctx, allocator.Sale{ID: "T-1", Location: "krakow-1", Lines: []allocator.Line{{SKU: "milk", Quantity: 1}},
		Lots: map[string]allocator.Lot{"milk": {ID: "late", Expires: today.AddDate(0, 0, 9)}}}))
	for lot, is := range a.Lots("milk", "krakow-1") {
		fmt.Println(lot.ID, is.OnHand)
	}
	// Output:
	// <nil>
	// <nil>
	// soon 5
	// late 4
}

// What expires in two days is not sold to those who want it for longer.
func ExampleAllocator_SetShelfLife() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	_, err := milkInLots(a)
	fmt.Println(err)
	fmt.Println(a.SetShelfLife(ctx, allocator.ShelfLife{SKU: "milk", Keeps: 5 * 24 * time.Hour}))
	order := allocator.Order{ID: "SO-1001", Near: wawel, MaxDistance: 50_000, Lines: []allocator.Line{{SKU: "milk", Quantity: 6}}}
	_, err = a.Allocate(ctx, order)
	fmt.Println(err != nil)
	order.Lines[0].Quantity = 5
	got, err := a.Allocate(ctx, order)
	fmt.Println(got.Location, err)
	// Output:
	// <nil>
	// <nil>
	// true
	// krakow-1 <nil>
}

func ExampleAllocator_ShelfLives() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.SetShelfLife(ctx, allocator.ShelfLife{SKU: "milk", Keeps: 36 * time.Hour}))
	for life := range a.ShelfLives() {
		fmt.Println(life.SKU, life.Keeps)
	}
	// Output:
	// <nil>
	// milk 36h0m0s
}

// A customer may take other goods instead.
func ExampleAllocator_Allocate_substitutes() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	got, err := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: []allocator.Line{{SKU: "white tea", Quantity: 2}},
		Substitutes: map[string][]string{"white tea": {"green tea", "tea"}}})
	fmt.Println(got.Location, got.Lines(), got.Substituted(), err)
	// Output: krakow-1 [{tea 2}] map[white tea:[{tea 2}]] <nil>
}
