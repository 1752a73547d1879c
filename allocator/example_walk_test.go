package allocator_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/walk"
)

// A copy of the stock in another program: a walk, and then every event since.
func ExampleAllocator_Stock() {
	ctx, a := context.Background(), recorded()
	defer a.Close()
	sequence, cells, err := a.Stock().Walk().Start(ctx)
	if err != nil {
		panic(err)
	}
	onHand := map[walk.Key]int64{}
	for c, err := range cells {
		if err != nil {
			panic(err)
		}
		onHand[c.Key] = c.OnHand
	}
	sale := allocator.Sale{ID: "T-1", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 3}}}
	fmt.Println(onHand, a.Sell(ctx, sale))
	for e, err := range a.History(ctx, sequence+1) { // or Events, which goes on as they come
		if err != nil {
			panic(err)
		}
		for _, l := range e.Lines {
			if l.OnHand != nil { // absolute: what the walk has already changes nothing
				onHand[walk.Key{SKU: l.SKU, Location: e.Location}] = *l.OnHand
			}
		}
	}
	fmt.Println(onHand)
	// Output:
	// map[{tea krakow-1}:10] <nil>
	// map[{tea krakow-1}:7]
}

// The reservations of a location page by page, as behind a REST endpoint.
func ExampleAllocator_Orders() {
	ctx, a := context.Background(), recorded()
	defer a.Close()
	for _, id := range []string{"SO-1", "SO-2", "SO-3"} {
		if _, err := a.Allocate(ctx, allocator.Order{ID: id, Near: wawel, Lines: twoTeas}); err != nil {
			panic(err)
		}
	}
	fmt.Println(a.Cancel(ctx, "SO-2"))
	there, n := a.Orders().Walk(walk.Filter{Location: "krakow-1", States: []allocator.State{allocator.Held}}), 0
	for cursor := ""; ; {
		page, err := there.Page(ctx, cursor, 1)
		if err != nil {
			panic(err)
		}
		n += len(page.Items)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	fmt.Println(n, "are held")
	_, err := there.Page(ctx, "no cursor", 1)
	fmt.Println(errors.Is(err, allocator.ErrInvalid))
	// Output:
	// <nil>
	// 2 are held
	// true
}

// Figures of many SKUs and locations in one call.
func ExampleAllocator_Stock_read() {
	ctx, a := context.Background(), recorded()
	defer a.Close()
	cells, err := a.Stock().Read(ctx, walk.Key{SKU: "tea", Location: "krakow-1"}, walk.Key{SKU: "tea", Location: "nowhere"}, walk.Key{SKU: "mate", Location: "krakow-1"})
	if err != nil {
		panic(err)
	}
	for _, c := range cells {
		fmt.Println(c.SKU, c.Location, c.Available, c.Unknown)
	}
	sums, err := a.Stock().Sum(ctx, walk.Sums{SKUs: []string{"tea"}})
	fmt.Println(sums[0].OnHand, sums[0].Locations, err)
	// Output:
	// tea krakow-1 10 false
	// tea nowhere 0 true
	// mate krakow-1 0 true
	// 10 1 <nil>
}
