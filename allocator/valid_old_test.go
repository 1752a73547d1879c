package allocator

import (
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// Names as an earlier version took them.
const (
	oldPlace, oldSKU, oldOrder, oldCustomer, oldOwner = "L\xff", "tea\xff", "o\xff", "c\xff", "w\xff"
	oldTransfer, oldBundle, oldChannel                = "t\xff", "set\xff", "web\xff"
)

// asBefore does as an earlier version did: it brings in names that are not valid
// today, a location without a place and orders without one.
func asBefore(t *testing.T, a *Allocator) {
	t.Helper()
	ctx := t.Context()
	must(t, a.SetLocations(ctx, Location{ID: "shop", Point: streetPoint(0)}))
	for _, l := range []Location{{ID: oldPlace, Point: streetPoint(1)}, {ID: "nowhere"}, {ID: "empty", Point: streetPoint(2), Area: new(geo.Area)}} {
		must(t, a.locations.Set([]topology.Place{l.place()}, a.gate.Now()))
	}
	move := func(id string, cause history.Cause, at, to string, units int64) {
		slot, _ := a.ledger.Slot(at)
		other, _ := a.ledger.Slot(to)
		_, err := a.ledger.Move(&reservation.Movement{ID: id, Cause: cause, Slot: slot, To: other, Now: a.gate.Now(),
			Lines: []reservation.MovementLine{{SKU: oldSKU, Units: units}}})
		must(t, err)
	}
	move("r1", history.Received, oldPlace, "shop", 90)
	move("r2", history.Received, "nowhere", "shop", 5)
	move(oldTransfer, history.Sent, oldPlace, "shop", 3)
	stocked(t, a, "shop", "tea", 90)
	hold := func(o Order) {
		t.Helper()
		c, err := a.gate.Begin(ctx)
		must(t, err)
		s := scratchOf(c.Pass)
		named := o
		named.ID, named.Customer, named.Owner = "valid", "", ""
		s.hold.Now = a.gate.Now()
		must(t, a.checkTerms(s, &named))
		s.hold.ID, s.hold.Customer, s.hold.Owner = o.ID, o.Customer, o.Owner
		w, err := a.checkReach(streetPoint(0), true, 0, nil)
		must(t, err)
		w.lines, err = a.resolve(s, o.Lines)
		must(t, err)
		s.route.Aim(a.locations.Load(), o.Near, 0)
		if o.At != "" {
			_, err = a.allocateAt(s, a.locations.Load(), &o, w)
		} else {
			_, err = a.allocateNear(s, a.locations.Load(), &o, w)
		}
		must(t, err, c.Wait(ctx, s.ticket))
	}
	for _, id := range []string{oldOrder, oldOrder + "2", oldOrder + "3"} {
		hold(Order{ID: id, At: oldPlace, Customer: oldCustomer, Owner: oldOwner, Lines: []Line{{oldSKU, 2}}})
	}
	hold(Order{ID: "anywhere", Lines: []Line{{"tea", 2}}})
	hold(Order{ID: "at nowhere", Lines: []Line{{oldSKU, 2}}})
	bundle := []reservation.Note{{Key: "goods/bundle/" + oldBundle, Value: append(append([]byte{1, byte(len(oldSKU))}, oldSKU...), 2)},
		{Key: "channels/protection/" + url.PathEscape(oldChannel) + "//*", Value: []byte{1, 0, 1}}}
	_, err := a.ledger.SetNotes(a.gate.Now(), bundle...)
	must(t, err)
}

// TestOldNames: a directory of an earlier version opens, and what is there under a
// name that no call could bring in today is found, moved and ended by that name.
func TestOldNames(t *testing.T) {
	ctx := t.Context()
	o := Options{Dir: t.TempDir()}
	a, err := Open(ctx, o)
	must(t, err)
	asBefore(t, a)
	must(t, a.Close())
	a = opened(t, o)

	state(t, a, oldOrder, Held)
	for _, q := range []Listing{{Customer: oldCustomer}, {Location: oldPlace}} {
		page, err := a.List(ctx, q)
		if must(t, err); len(page.Reservations) != 3 {
			t.Errorf("%q has %d reservations", q.Location+q.Customer, len(page.Reservations))
		}
	}
	must(t, second(a.Extend(ctx, oldOrder, time.Hour)), a.Reassign(ctx, oldOrder, oldOwner, Owner{Token: "till"}),
		a.Confirm(ctx, oldOrder), a.Accept(ctx, oldOrder), a.Ready(ctx, oldOrder, Pickup{}), a.Collect(ctx, oldOrder, Line{oldSKU, 1}),
		a.Return(ctx, Return{ID: "r", Reservation: oldOrder, Location: oldPlace}), a.Cancel(ctx, oldOrder))
	must(t, a.Change(ctx, Change{ID: "c", Reservation: oldOrder + "2", Do: DoConfirm}), a.Dispatch(ctx, oldOrder+"2", "shop"), a.Arrive(ctx, oldOrder+"2"))
	must(t, a.Confirm(ctx, oldOrder+"3"))
	must(t, second(a.Reject(ctx, oldOrder+"3")))
	must(t, a.Deliver(ctx, Delivery{ID: "d", Transfer: oldTransfer, Lines: []Line{{oldSKU, 1}}}), a.Lose(ctx, Loss{ID: "l", Transfer: oldTransfer}))
	must(t, a.Count(ctx, Count{ID: "n", Location: oldPlace, Lines: []Line{{oldSKU, 40}}}), a.SetSafetyStock(ctx, SafetyStock{SKU: oldSKU, Location: oldPlace, Units: 1}),
		a.SetCapacity(ctx, Capacity{Location: oldPlace, Orders: 9}), a.SetCapacity(ctx, Capacity{Location: oldPlace}),
		a.SetProtection(ctx, Protection{Channel: oldChannel, Unset: true}), a.SetBundles(ctx, Bundle{SKU: oldBundle}),
		a.SetLocations(ctx, Location{ID: oldPlace, Kind: Warehouse, Point: streetPoint(3)}))
	allocated(t, a, Order{ID: "new", Near: streetPoint(0), Lines: []Line{{oldSKU, 2}}, Partial: true}, "shop")

	for what, err := range map[string]error{
		"a repeat":         second(a.Allocate(ctx, Order{ID: oldOrder, At: oldPlace, Lines: []Line{{oldSKU, 2}}})),
		"another order":    second(a.Allocate(ctx, ordered("p\xff", Line{"tea", 1}))),
		"another's change": a.Confirm(ctx, "p\xff"),
		"another's token":  a.Reassign(ctx, "new", "p\xff", Owner{}),
		"another transfer": a.Deliver(ctx, Delivery{ID: "x", Transfer: "p\xff"}),
		"another place":    a.SetLocations(ctx, Location{ID: "p\xff", Point: streetPoint(0)}),
		"another customer": second(a.List(ctx, Listing{Customer: "p\xff"})),
		"another state":    second(a.List(ctx, Listing{Customer: oldCustomer, States: []State{Rerouted + 1}})),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestOldPlaces: where earlier versions took no place for one, there still is one.
func TestOldPlaces(t *testing.T) {
	ctx := t.Context()
	o := Options{Dir: t.TempDir()}
	a, err := Open(ctx, o)
	must(t, err)
	asBefore(t, a)
	must(t, a.Close())
	a = opened(t, o)

	if all := slices.Collect(a.Locations()); len(all) != 4 || all[2].Point != (geo.Point{}) || all[3].Area == nil || all[3].Area.Contains(streetPoint(2)) {
		t.Errorf("locations %+v", all)
	}
	// Repeats get the first answer, other content a conflict; nothing is looked for anew.
	first := Order{ID: "anywhere", Lines: []Line{{"tea", 2}}}
	allocated(t, a, first, "shop")
	first.Lines = []Line{{"tea", 1}}
	if _, err := a.Allocate(ctx, first); !errors.Is(err, ErrConflict) {
		t.Error(err)
	}
	first.ID = "another"
	if _, err := a.Allocate(ctx, first); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	must(t, a.SetRules(sourcing.Rules{MaxLocations: 2}), a.Confirm(ctx, "anywhere"))
	allocated(t, a, Order{ID: "anywhere", Lines: []Line{{"tea", 2}}}, "shop")
	if e, err := a.Explain(Order{ID: "anywhere", Lines: []Line{{"tea", 2}}}); err != nil || len(e.Chosen) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	must(t, a.Confirm(ctx, "at nowhere"))
	got, err := a.Reject(ctx, "at nowhere") // from the place it is at, for what that is worth
	if must(t, err); got.Location != oldPlace {
		t.Errorf("rerouted to %q", got.Location)
	}
}

// TestNamesOfTheEngine: names with a zero byte are the engine's own. Nobody sets
// anything for them, reads or orders them.
func TestNamesOfTheEngine(t *testing.T) {
	a := street(t, 1, Options{})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 9)
	must(t, a.SetQuota(ctx, Quota{ID: "q", Channel: "web", SKU: "tea", Location: "L0", Units: 3}))
	must(t, a.Receive(ctx, Receipt{ID: "m", Location: "L0", Lines: []Line{{"milk", 3}}, Lots: map[string]Lot{"milk": lotDay("A", 2)}}))
	for handle := range uint32(a.ledger.SKUs()) {
		name := a.ledger.SKUName(handle)
		if name == "tea" || name == "milk" {
			continue
		}
		line := []Line{{name, 1}}
		for what, err := range map[string]error{
			"safety stock": a.SetSafetyStock(ctx, SafetyStock{SKU: name, Units: 1}),
			"protection":   a.SetProtection(ctx, Protection{SKU: name, Units: 1}),
			"quota":        a.SetQuota(ctx, Quota{ID: "x", Channel: "app", SKU: name, Location: "L0", Units: 1}),
			"bundle":       a.SetBundles(ctx, Bundle{SKU: name, Parts: []Component{{SKU: "tea", Quantity: 1}}}),
			"part":         a.SetBundles(ctx, Bundle{SKU: "set", Parts: []Component{{SKU: name, Quantity: 1}}}),
			"shelf life":   a.SetShelfLife(ctx, ShelfLife{SKU: name, Keeps: time.Hour}),
			"receipt":      a.Receive(ctx, Receipt{ID: "x", Location: "L0", Lines: line}),
			"count":        a.Count(ctx, Count{ID: "x", Location: "L0", Lines: line}),
			"order":        second(a.Allocate(ctx, ordered("x", line...))),
			"planned":      second(a.Quote(Order{Near: streetPoint(0), Lines: line, Partial: true})),
			"forms":        second(a.Quote(Order{Near: streetPoint(0), Lines: oneTea, Forms: map[string]sourcing.Form{name: 0}})),
		} {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%s of %q: %v", what, name, err)
			}
		}
		_, available := a.Available(name, "L0")
		_, to := a.Stock().AvailableTo("web", name, "L0")
		if !errors.Is(available, ErrUnknownSKU) || !errors.Is(to, ErrUnknownSKU) {
			t.Errorf("%q: %v, %v", name, available, to)
		}
	}
	shelf(t, a, "L0", "tea", 9, 0, 0)
}

// TestAreaWithoutRings: the zero Area, with which a directory did not open any more.
func TestAreaWithoutRings(t *testing.T) {
	a := street(t, 1, Options{Dir: t.TempDir()})
	refused(t, a.SetLocations(t.Context(), Location{ID: "new", Point: streetPoint(1), Area: new(geo.Area)}), ErrInvalid,
		`allocator: set locations: location "new": invalid locations[0].Area 0: must have an outer ring, as geo.NewArea sees to`)
}
