package allocator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// held is an engine with a reservation of two packets of tea, SO-1001.
func held() *allocator.Allocator {
	a := opened()
	if _, err := a.Allocate(context.Background(), allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas, Owner: "cart-7"}); err != nil {
		panic(err)
	}
	return a
}

// show tells where a reservation stands.
func show(a *allocator.Allocator, id string) {
	r, err := a.Lookup(id)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v at %s: %d held, %d confirmed, %d collected\n", r.State, r.Location, r.Lines[0].Held, r.Lines[0].Confirmed, r.Lines[0].Collected)
}

// With a directory, what was acknowledged outlives the process.
func ExampleOpen_durable() {
	dir, err := os.MkdirTemp("", "collect-data")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx, o := context.Background(), allocator.Options{Dir: dir, HoldFor: 2 * time.Hour}
	a, err := allocator.Open(ctx, o)
	if err != nil {
		panic(err)
	}
	err = errors.Join(a.SetLocations(ctx, stores...),
		a.Receive(ctx, allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: twoTeas}))
	order := allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas}
	first, err := a.Allocate(ctx, order)
	fmt.Println(first.Location, err, a.Close())

	a, err = allocator.Open(ctx, o)
	if err != nil {
		panic(err)
	}
	defer a.Close()
	show(a, "SO-1001")
	again, err := a.Allocate(ctx, order)
	fmt.Println("the same answer:", again == first, err)
	// Output:
	// krakow-1 <nil> <nil>
	// held at krakow-1: 2 held, 0 confirmed, 0 collected
	// the same answer: true <nil>
}

// From the hold to the counter.
func ExampleAllocator_Confirm() {
	ctx, a := context.Background(), held()
	defer a.Close()
	err := errors.Join(
		a.Confirm(ctx, "SO-1001"), // paid, or to be paid at the till
		a.Accept(ctx, "SO-1001"),  // the store has seen it
		a.Ready(ctx, "SO-1001", allocator.Pickup{Code: "4711"}))
	fmt.Println(err)
	show(a, "SO-1001")
	fmt.Println(a.Collect(ctx, "SO-1001"))
	show(a, "SO-1001")
	fmt.Println(a.Confirm(ctx, "SO-1001"))
	// Output:
	// <nil>
	// ready at krakow-1: 0 held, 2 confirmed, 0 collected
	// <nil>
	// collected at krakow-1: 0 held, 0 confirmed, 2 collected
	// allocator: confirm "SO-1001": reservation: reservation "SO-1001" has ended: already collected
}

func ExampleAllocator_Accept() {
	ctx, a := context.Background(), held()
	defer a.Close()
	fmt.Println(a.Accept(ctx, "SO-1001"))
	fmt.Println(a.Confirm(ctx, "SO-1001"), a.Accept(ctx, "SO-1001"))
	// Output:
	// allocator: accept "SO-1001": reservation: reservation "SO-1001" is held: not possible: order accepted
	// <nil> <nil>
}

func ExampleAllocator_Ready() {
	ctx, a := context.Background(), held()
	defer a.Close()
	until := time.Now().Add(48 * time.Hour)
	fmt.Println(a.Confirm(ctx, "SO-1001"), a.Ready(ctx, "SO-1001", allocator.Pickup{Code: "4711", Until: until}))
	r, err := a.Lookup("SO-1001")
	fmt.Println(r.State, r.Code, until.Sub(r.PickupUntil) < time.Millisecond, err)
	// Output:
	// <nil> <nil>
	// ready 4711 true <nil>
}

// The customer collects at a chosen store, which has too little: all of it is brought
// there. Nothing of it is handed over before, and it goes nowhere else.
func ExampleAllocator_Dispatch() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	order := allocator.Order{ID: "SO-1001", At: "warsaw-1", Form: sourcing.ShipToStore, Exclude: []string{"warsaw-1"}, Lines: twoTeas}
	_, err := a.Allocate(ctx, order)
	fmt.Println(err, a.Confirm(ctx, "SO-1001"))
	fmt.Println(a.Collect(ctx, "SO-1001"))
	fmt.Println(a.Dispatch(ctx, "SO-1001", "warsaw-1"))
	show(a, "SO-1001")
	fmt.Println(a.Arrive(ctx, "SO-1001"))
	show(a, "SO-1001")
	// Output:
	// <nil> <nil>
	// allocator: collect "SO-1001": reservation: reservation "SO-1001" is to be shipped to store "warsaw-1": not possible at "krakow-1": collected
	// <nil>
	// in transit at krakow-1: 0 held, 2 confirmed, 0 collected
	// <nil>
	// accepted at warsaw-1: 0 held, 2 confirmed, 0 collected
}

// One of the two packets was lost on the road.
func ExampleAllocator_Arrive() {
	ctx, a := context.Background(), held()
	defer a.Close()
	fmt.Println(a.Confirm(ctx, "SO-1001"), a.Dispatch(ctx, "SO-1001", "warsaw-1"))
	fmt.Println(a.Arrive(ctx, "SO-1001", allocator.Line{SKU: "tea", Quantity: 1}))
	r, err := a.Lookup("SO-1001")
	fmt.Println(r.Lines[0].Confirmed, "to collect,", r.Lines[0].Missing, "missing", err)
	// Output:
	// <nil> <nil>
	// <nil>
	// 1 to collect, 1 missing <nil>
}

// The store finds one packet less than it should have.
func ExampleAllocator_ShortPick() {
	ctx, a := context.Background(), held()
	defer a.Close()
	fmt.Println(a.Confirm(ctx, "SO-1001"), a.ShortPick(ctx, "SO-1001", allocator.Line{SKU: "tea", Quantity: 1}))
	level, err := a.Available("tea", "krakow-1")
	fmt.Println(level.OnHand, "on hand", level.Held, "held", err)
	// Output:
	// <nil> <nil>
	// 9 on hand 1 held <nil>
}

func ExampleAllocator_Extend() {
	ctx, a := context.Background(), held()
	defer a.Close()
	before, _ := a.Lookup("SO-1001")
	until, err := a.Extend(ctx, "SO-1001", time.Hour)
	fmt.Println(until.Sub(before.HeldUntil).Round(time.Minute), "longer", err)
	_, err = a.Extend(ctx, "SO-1001", 5*time.Hour)
	fmt.Println(errors.Is(err, allocator.ErrInvalid), "beyond Options.MaxHold")
	// Output:
	// 50m0s longer <nil>
	// true beyond Options.MaxHold
}

// Begun in a cart, finished at a till.
func ExampleAllocator_Reassign() {
	ctx, a := context.Background(), held()
	defer a.Close()
	till := allocator.Owner{Token: "till-3", Channel: "shop"}
	fmt.Println(a.Reassign(ctx, "SO-1001", "cart-8", till))
	fmt.Println(a.Reassign(ctx, "SO-1001", "cart-7", till))
	// Output:
	// allocator: reassign "SO-1001": reservation: not the owner of the reservation
	// <nil>
}

// A change with an ID can be repeated: here each packet is handed over once.
func ExampleAllocator_Change() {
	ctx, a := context.Background(), held()
	defer a.Close()
	one := []allocator.Line{{SKU: "tea", Quantity: 1}}
	handover := allocator.Change{ID: "POS-88", Reservation: "SO-1001", Do: allocator.DoCollect, Lines: one}
	fmt.Println(a.Change(ctx, handover), a.Change(ctx, handover))
	show(a, "SO-1001")
	// Output:
	// <nil> <nil>
	// held at krakow-1: 1 held, 0 confirmed, 1 collected
}

func ExampleAllocator_Return() {
	ctx, a := context.Background(), held()
	defer a.Close()
	back := allocator.Return{ID: "RMA-1", Reservation: "SO-1001", Location: "warsaw-1", As: allocator.Restock}
	fmt.Println(a.Collect(ctx, "SO-1001"), a.Return(ctx, back))
	r, err := a.Lookup("SO-1001")
	level, _ := a.Available("tea", "warsaw-1")
	fmt.Println(r.State, err, level.OnHand, "on hand in Warsaw")
	// Output:
	// <nil> <nil>
	// returned <nil> 12 on hand in Warsaw
}

// Many orders, one wait for the disk.
func ExampleAllocator_AllocateAll() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	for _, out := range a.AllocateAll(ctx,
		allocator.Order{ID: "SO-1", Near: wawel, Lines: twoTeas},
		allocator.Order{ID: "SO-2", Near: warsaw, Lines: twoTeas},
		allocator.Order{ID: "SO-3", Near: warsaw, Lines: []allocator.Line{{SKU: "tee", Quantity: 1}}},
	) {
		fmt.Println(out.Location, out.Err)
	}
	// Output:
	// krakow-1 <nil>
	// warsaw-1 <nil>
	//  allocator: order "SO-3": unknown SKU: "tee"
}

func ExampleAllocator_WriteOff() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.WriteOff(ctx, allocator.Damage{ID: "D-1", Location: "krakow-1", Lines: twoTeas}))
	level, err := a.Available("tea", "krakow-1")
	fmt.Println(level.OnHand, "on hand", err)
	// Output:
	// <nil>
	// 8 on hand <nil>
}

// Goods go from one store to another, and one packet is lost on the way.
func ExampleAllocator_Send() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.Send(ctx, allocator.Transfer{ID: "T-1", From: "krakow-1", To: "warsaw-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 5}}}))
	one := []allocator.Line{{SKU: "tea", Quantity: 1}}
	fmt.Println(a.Lose(ctx, allocator.Loss{ID: "T-1/lost", Transfer: "T-1", Lines: one}))
	fmt.Println(a.Deliver(ctx, allocator.Delivery{ID: "T-1/in", Transfer: "T-1"}))
	t, err := a.LookupTransfer("T-1")
	fmt.Println(t.Lines[0].Delivered, "delivered", t.Lines[0].Lost, "lost", err)
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// 4 delivered 1 lost <nil>
}

func ExampleAllocator_Deliver() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.Send(ctx, allocator.Transfer{ID: "T-1", From: "krakow-1", To: "warsaw-1", Lines: twoTeas}))
	fmt.Println(a.Deliver(ctx, allocator.Delivery{ID: "T-1/in", Transfer: "T-1"}))
	fmt.Println(a.Deliver(ctx, allocator.Delivery{ID: "T-1/again", Transfer: "T-1"}))
	// Output:
	// <nil>
	// <nil>
	// allocator: reservation: delivered "T-1/again" of transfer "T-1": reservation "T-1" has ended: already collected
}

func ExampleAllocator_Lose() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.Send(ctx, allocator.Transfer{ID: "T-1", From: "krakow-1", To: "warsaw-1", Lines: twoTeas}))
	fmt.Println(a.Lose(ctx, allocator.Loss{ID: "T-1/lost", Transfer: "T-1"}))
	// Output:
	// <nil>
	// <nil>
}

func ExampleAllocator_LookupTransfer() {
	ctx, a := context.Background(), opened()
	defer a.Close()
	fmt.Println(a.Send(ctx, allocator.Transfer{ID: "T-1", From: "krakow-1", To: "warsaw-1", Lines: twoTeas}))
	t, err := a.LookupTransfer("T-1")
	fmt.Println(t.State, t.Lines[0].OnTheWay, "on the way to", t.To, err)
	// Output:
	// <nil>
	// in transit 2 on the way to warsaw-1 <nil>
}

// An embedder with a clock of its own, and no goroutine of the engine's.
func ExampleAllocator_Expire() {
	now := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	ctx := context.Background()
	a, err := allocator.Open(ctx, allocator.Options{ManualExpiry: true, Clock: func() time.Time { return now }})
	if err != nil {
		panic(err)
	}
	defer a.Close()
	err = errors.Join(a.SetLocations(ctx, stores...), a.Receive(ctx, allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: twoTeas}))
	got, _ := a.Allocate(ctx, allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas})
	fmt.Println("held until", got.HeldUntil, err)
	now = now.Add(10 * time.Minute)
	due, err := a.Expire(now)
	fmt.Println(due.Expired, "expired", err)
	// Output:
	// held until 2027-01-02 03:14:05 +0000 UTC <nil>
	// 1 expired <nil>
}

func ExampleAllocator_Snapshot() {
	a := held()
	defer a.Close()
	fmt.Println(a.Snapshot(context.Background())) // in memory it does nothing
	// Output: <nil>
}

// The history of an engine, one event a line.
func ExampleAllocator_Export_lines() {
	ctx := context.Background()
	a, err := allocator.Open(ctx, allocator.Options{FeedBytes: 1 << 20, Clock: func() time.Time { return time.Unix(1_900_000_000, 0) }, ManualExpiry: true})
	if err != nil {
		panic(err)
	}
	defer a.Close()
	err = errors.Join(a.SetLocations(ctx, stores[0]), a.Receive(ctx, allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: twoTeas}))
	var out bytes.Buffer
	next, failed := a.Export(ctx, &out, 0)
	fmt.Println(err, failed, next)
	fmt.Print(out.String())
	// Output:
	// <nil> <nil> 5
	// {"sequence":1,"time":"2030-03-17T17:46:40Z","name":"Opened"}
	// {"sequence":2,"time":"2030-03-17T17:46:40Z","name":"LocationSet","location":"krakow-1"}
	// {"sequence":3,"time":"2030-03-17T17:46:40Z","name":"SKUAdded","lines":[{"sku":"tea","units":0}]}
	// {"sequence":4,"time":"2030-03-17T17:46:40Z","name":"StockReceived","id":"GR-1","location":"krakow-1","lines":[{"sku":"tea","units":2,"on_hand":2}]}
}
