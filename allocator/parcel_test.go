package allocator

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// parcel makes one change of a parcel.
func parcel(t testing.TB, a *Allocator, id string, do Action, c Change) error {
	t.Helper()
	p := byName(a, id)
	c.ID, c.Reservation, c.Part, c.Do = fmt.Sprint(do, " ", id, " ", a.Stats().Remembered), p.order, p.number, do
	return a.Change(t.Context(), c)
}

// TestParcels: each part of an order that is shipped has a parcel of its own, which
// leaves the units on hand when a carrier has it, and ends in one of three ways; the
// units, the parcel and the events say so, also after a restart, and nothing of it is
// ever a no-show.
func TestParcels(t *testing.T) {
	for name, snapshot := range map[string]bool{"journal": false, "snapshot": true} {
		t.Run(name, func(t *testing.T) {
			var clock handClock
			o := Options{Dir: filepath.Join(t.TempDir(), "data"), Clock: clock.now, ManualExpiry: true}
			a := formedStreet(t, o)
			more := ordered("more", Line{"tea", 4})
			more.Form = sourcing.Ship
			allocated(t, a, more, "L3")
			must(t, a.Confirm(t.Context(), "sent"), a.Confirm(t.Context(), "more"))
			ships(t, a)
			if snapshot {
				must(t, a.Snapshot(t.Context()))
			}
			a = reopened(t, a, o)
			shipped(t, a, &clock)
			endsParcels(t, a)
			must(t, a.Close())
			tellsParcels(t, o)
		})
	}
}

var dhl = Parcel{Carrier: "DHL", Tracking: strings.Repeat("9", 255)}

// ships hands the parcels to carriers.
func ships(t *testing.T, a *Allocator) {
	t.Helper()
	r := partState(t, a, "sent/1", Confirmed)
	was, err := a.Available("tea", r.Location)
	must(t, err, parcel(t, a, "sent/1", DoPack, Change{}))
	partState(t, a, "sent/1", Packed)
	shelf(t, a, r.Location, "tea", was.OnHand, was.Held, 0)
	must(t, parcel(t, a, "sent/1", DoShip, Change{Parcel: dhl}), parcel(t, a, "sent/2", DoShip, Change{Parcel: Parcel{Carrier: "GLS"}}),
		parcel(t, a, "more", DoShip, Change{}))
	n := r.Lines[0].Quantity
	shelf(t, a, r.Location, "tea", was.OnHand-n, was.Held-n, 0)
}

// shipped looks at the parcels that carriers have, after a restart, and at what is
// refused of them, then and eight days later.
func shipped(t *testing.T, a *Allocator, clock *handClock) {
	t.Helper()
	ctx := t.Context()
	if r := partState(t, a, "sent/1", Shipped); r.Parcel != dhl || r.Lines[0].Confirmed != r.Lines[0].Quantity {
		t.Errorf("%+v", r)
	}
	if r := partState(t, a, "sent/2", Shipped); r.Parcel != (Parcel{Carrier: "GLS"}) {
		t.Errorf("%+v", r)
	}
	for do, err := range map[string]error{"cancel": byName(a, "sent/1").Cancel(ctx), "short pick": byName(a, "sent/1").ShortPick(ctx),
		"pack": parcel(t, a, "sent/1", DoPack, Change{}), "ship": parcel(t, a, "sent/1", DoShip, Change{}), "reroute": second(byName(a, "sent/1").Reroute(ctx))} {
		if as[*StateError](t, err).State != Shipped {
			t.Errorf("%s of what is shipped: %v", do, err)
		}
	}
	notOfForm(t, a, "sent/1", func() error { return byName(a, "sent/1").Collect(ctx) }, `allocator: collect part 1 of "sent": reservation: part 1 of reservation "sent" is to be shipped: not possible: collected`)
	clock.add(8 * 24 * time.Hour)
	due, err := a.Expire(clock.now())
	must(t, err)
	if due.NoShows+due.Reminded != 0 {
		t.Errorf("eight days later: %+v", due)
	}
	partState(t, a, "sent", Shipped)
}

// endsParcels ends one in each way, and goes on with what came of it.
func endsParcels(t *testing.T, a *Allocator) {
	t.Helper()
	ctx := t.Context()
	r := partState(t, a, "sent/2", Shipped)
	n := r.Lines[0].Quantity
	was, err := a.Available("tea", r.Location)
	must(t, err)
	must(t, parcel(t, a, "sent/1", DoDeliver, Change{}), parcel(t, a, "sent/2", DoReturnToSender, Change{}), parcel(t, a, "more", DoLose, Change{}))
	shelf(t, a, r.Location, "tea", was.OnHand+n, was.Held, 0)
	got, lost, back := partState(t, a, "sent/1", Delivered).Lines[0], partState(t, a, "more", Lost).Lines[0], partState(t, a, "sent/2", ReturnedToSender).Lines[0]
	if got.Collected != got.Quantity || lost.Missing != 4 || back.Canceled != n {
		t.Errorf("delivered %+v, lost %+v, back %+v", got, lost, back)
	}
	partState(t, a, "sent", Delivered)
	if audit, err := a.Audit(ctx); err != nil || len(audit.Differences) > 0 {
		t.Error(audit.Differences, err)
	}
	// What was lost is sent once more, and what was delivered comes back.
	if got, err := a.Reroute(ctx, "more"); err != nil || got.Location == "L3" {
		t.Error(got, err)
	}
	partState(t, a, "more/1", Rerouted)
	must(t, a.Return(ctx, Return{ID: "back", Reservation: "sent", Part: 1, Location: "L4", As: Damaged}))
	partState(t, a, "sent/1", Returned)
}

// tellsParcels reads the events of the test above.
func tellsParcels(t *testing.T, o Options) {
	t.Helper()
	a, err := Open(t.Context(), o)
	must(t, err)
	defer func() { must(t, a.Close()) }()
	var told []string
	for e, err := range a.History(t.Context(), 0) {
		must(t, err)
		switch e.Name {
		case "Packed", "Shipped", "Delivered", "DeliveryFailed", "ReturnedToSender":
			told = append(told, fmt.Sprint(e.Name, " ", e.ID, " ", e.Part, " ", e.Carrier, " ", len(e.Tracking), " ", e.Cause, " ", len(e.Lines) == 1 && e.Lines[0].OnHand != nil))
		}
	}
	want := "Packed sent 1  0  false,Shipped sent 1 DHL 255  true,Shipped sent 2 GLS 0  true,Shipped more 1  0  true,Delivered sent 1  0  false,ReturnedToSender sent 2  0 restocked true,DeliveryFailed more 1  0  false"
	if got := strings.Join(told, ","); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

// TestParcelIsRefused: what is for one who comes is in no parcel, what is short or only
// held is in none, and a text or a field that is not for the action is refused.
func TestParcelIsRefused(t *testing.T) {
	ctx := t.Context()
	a := formedStreet(t, Options{})
	for id, do := range map[string]Action{"brought/1": DoPack, "brought/2": DoShip} {
		if err := parcel(t, a, id, do, Change{}); as[*FormError](t, err).Store != "L0" {
			t.Errorf("%s: %v", id, err)
		}
	}
	if err := parcel(t, a, "sent/1", DoPack, Change{}); as[*StateError](t, err).State != Held {
		t.Error(err)
	}
	must(t, a.Confirm(ctx, "sent"))
	for _, c := range []struct {
		c    Change
		text string
	}{
		{Change{Do: DoPack, Parcel: Parcel{Carrier: "DHL"}}, "is for DoShip only"},
		{Change{Do: DoShip, Parcel: Parcel{Carrier: strings.Repeat("x", 256)}}, "at most 255 bytes"},
		{Change{Do: DoShip, Parcel: Parcel{Tracking: "\x00"}}, "at most 255 bytes"},
		{Change{Do: DoShip, Parcel: Parcel{Tracking: "\xff"}}, "at most 255 bytes"},
		{Change{Do: DoShip, Lines: []Line{{"tea", 1}}}, "about the whole reservation"},
		{Change{Do: DoDeliver, As: Damaged}, "is for DoReturnToSender only"},
		{Change{Do: DoReturnToSender, As: dispositions}, "is no disposition"},
		{Change{Do: DoDeliver, Location: "L0"}, "is for DoDispatch and DoReturnToSender only"},
	} {
		if err := parcel(t, a, "sent/1", c.c.Do, c.c); !strings.Contains(as[*InvalidError](t, err).Why, c.text) {
			t.Errorf("%+v: %v", c.c, err)
		}
	}
	where := partState(t, a, "sent/1", Confirmed).Location
	must(t, a.Count(ctx, Count{ID: "none", Location: where, Lines: []Line{{"tea", 0}}}))
	for _, do := range []Action{DoPack, DoShip} {
		as[*ShortageError](t, parcel(t, a, "sent/1", do, Change{}))
	}
	must(t, a.Count(ctx, Count{ID: "some", Location: where, Lines: []Line{{"tea", 9}}}))
	must(t, parcel(t, a, "sent/1", DoPack, Change{}))
	before, err := a.Available("tea", where)
	must(t, err)
	must(t, byName(a, "sent/1").Cancel(ctx)) // of a packed one frees its goods
	if after, err := a.Available("tea", where); err != nil || after.Held >= before.Held || after.OnHand != before.OnHand {
		t.Errorf("canceled: %+v, was %+v", after, before)
	}
	// The customer of what was to be collected has it sent after all, elsewhere it comes
	// back, and its goods are not for sale.
	must(t, a.Confirm(ctx, "collected"), parcel(t, a, "collected", DoShip, Change{}))
	onHand := func() int64 { v, err := a.Available("tea", "L4"); must(t, err); return v.OnHand }
	had := onHand()
	ship := Change{ID: "rts", Reservation: "collected", Do: DoReturnToSender, Location: "L4", As: Inspect}
	must(t, a.Change(ctx, ship), a.Change(ctx, ship))
	partState(t, a, "collected", ReturnedToSender)
	if onHand() != had {
		t.Errorf("%d on hand, had %d", onHand(), had)
	}
	ship.As = Restock
	if err := a.Change(ctx, ship); !strings.Contains(fmt.Sprint(err), ErrConflict.Error()) {
		t.Error(err)
	}
}
