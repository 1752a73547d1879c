package allocator_test

import (
	"context"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator"
)

// teas sets ten packets of tea out at one shop.
func teas() *allocator.Allocator {
	a, err := allocator.Open(context.Background(), allocator.Options{})
	if err != nil {
		panic(err)
	}
	shop := allocator.Location{ID: "krakow-1", Point: wawel}
	goods := allocator.Receipt{ID: "GR-1", Location: shop.ID, Lines: []allocator.Line{{SKU: "tea", Quantity: 10}}}
	for _, err := range []error{a.SetLocations(context.Background(), shop), a.Receive(context.Background(), goods)} {
		if err != nil {
			panic(err)
		}
	}
	return a
}

// offered prints what each channel may take.
func offered(a *allocator.Allocator, channels ...string) {
	for _, channel := range channels {
		units, err := a.Stock().AvailableTo(channel, "tea", "krakow-1")
		fmt.Printf("%s: %d %v\n", channel, units, err)
	}
}

// A marketplace stops while five are left, everybody online while two are; the
// desk in the shop sells the last one.
func ExampleAllocator_SetProtection() {
	a := teas()
	defer a.Close()
	err := a.SetProtection(context.Background(),
		allocator.Protection{Location: "krakow-1", Units: 2},
		allocator.Protection{Channel: "marketplace", Units: 5},
		allocator.Protection{Channel: "desk", Units: 0})
	fmt.Println(err)
	offered(a, "web", "marketplace", "desk")
	// Output:
	// <nil>
	// web: 8 <nil>
	// marketplace: 5 <nil>
	// desk: 10 <nil>
}

func ExampleAllocator_Protections() {
	a := teas()
	defer a.Close()
	ctx := context.Background()
	fmt.Println(a.SetProtection(ctx, allocator.Protection{Channel: "web", Units: 2}, allocator.Protection{Channel: "web", SKU: "tea", Units: 3}, allocator.Protection{SKU: "tea", Units: 1}))
	fmt.Println(a.SetProtection(ctx, allocator.Protection{Channel: "web", Unset: true}))
	for p := range a.Protections() {
		fmt.Printf("%+v\n", p)
	}
	// Output:
	// <nil>
	// <nil>
	// {Channel: SKU:tea Location: Units:1 Unset:false}
	// {Channel:web SKU:tea Location: Units:3 Unset:false}
}

func ExampleAllocator_SetQuota() {
	a := teas()
	defer a.Close()
	ctx := context.Background()
	fmt.Println(a.SetQuota(ctx, allocator.Quota{ID: "Q-1", Channel: "app", SKU: "tea", Location: "krakow-1", Units: 4}))
	offered(a, "app", "web")
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1", Channel: "app", At: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 3}}})
	fmt.Println(err)
	offered(a, "app", "web") // the order took from what is set aside
	// Output:
	// <nil>
	// app: 10 <nil>
	// web: 6 <nil>
	// <nil>
	// app: 7 <nil>
	// web: 6 <nil>
}

func ExampleAllocator_Quotas() {
	a := teas()
	defer a.Close()
	ctx := context.Background()
	fmt.Println(a.SetQuota(ctx, allocator.Quota{ID: "Q-1", Channel: "app", SKU: "tea", Location: "krakow-1", Units: 4}))
	_, err := a.Allocate(ctx, allocator.Order{ID: "SO-1", Channel: "app", At: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 3}}})
	fmt.Println(err)
	for q, units := range a.Quotas() {
		fmt.Printf("%s of %s at %s: %d free, %d held\n", q.Channel, q.SKU, q.Location, q.Units, units.Held)
	}
	// Output:
	// <nil>
	// <nil>
	// app of tea at krakow-1: 1 free, 3 held
}

// The web shop lends the app two of its units and gets them back.
func ExampleAllocator_Borrow() {
	a := teas()
	defer a.Close()
	ctx := context.Background()
	quotas := []allocator.Quota{
		{ID: "Q-1", Channel: "app", SKU: "tea", Location: "krakow-1", Units: 4},
		{ID: "Q-2", Channel: "web", SKU: "tea", Location: "krakow-1", Units: 6},
	}
	fmt.Println(a.SetQuota(ctx, quotas...))
	loan := allocator.Loan{ID: "B-1", SKU: "tea", Location: "krakow-1", From: "web", To: "app", Units: 2}
	fmt.Println(a.Borrow(ctx, loan))
	offered(a, "app", "web")
	loan.ID = "B-2"
	fmt.Println(a.GiveBack(ctx, loan))
	offered(a, "app", "web")
	// Output:
	// <nil>
	// <nil>
	// app: 6 <nil>
	// web: 4 <nil>
	// <nil>
	// app: 4 <nil>
	// web: 6 <nil>
}

func ExampleAllocator_GiveBack() {
	a := teas()
	defer a.Close()
	ctx := context.Background()
	loan := allocator.Loan{ID: "B-1", SKU: "tea", Location: "krakow-1", To: "app", Units: 2} // of what is there for everybody
	fmt.Println(a.Borrow(ctx, loan))
	loan.ID, loan.Units = "B-2", 3
	fmt.Println(a.GiveBack(ctx, loan))
	loan.Units = 2
	fmt.Println(a.GiveBack(ctx, loan))
	// Output:
	// <nil>
	// allocator: give back: "B-2" of SKU "tea": not enough units of SKU "tea" at "krakow-1": wanted 3, there are 2
	// <nil>
}

func ExampleAllocator_Loans() {
	a := teas()
	defer a.Close()
	ctx := context.Background()
	fmt.Println(a.Borrow(ctx, allocator.Loan{ID: "B-1", SKU: "tea", Location: "krakow-1", To: "app", Units: 3}))
	fmt.Println(a.GiveBack(ctx, allocator.Loan{ID: "B-2", SKU: "tea", Location: "krakow-1", To: "app", Units: 1}))
	for v := range a.Loans() {
		fmt.Printf("%s borrowed %d %s at %s\n", v.To, v.Units, v.SKU, v.Location)
	}
	// Output:
	// <nil>
	// <nil>
	// app borrowed 2 tea at krakow-1
}

func ExampleAllocator_Stock_availableTo() {
	a := teas()
	defer a.Close()
	fmt.Println(a.SetProtection(context.Background(), allocator.Protection{Channel: "marketplace", Units: 6}))
	fmt.Println(a.Stock().AvailableTo("marketplace", "tea", "krakow-1"))
	fmt.Println(a.Stock().AvailableTo("web", "tea", "krakow-1"))
	// Output:
	// <nil>
	// 4 <nil>
	// 10 <nil>
}
