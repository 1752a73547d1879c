package allocator

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// steps makes one step after another with one reservation, "o": three tea and two
// cups at L0 of a street of two stores. A step is a verb with its arguments; what
// it must answer follows as the words of its error.
type steps struct {
	a *Allocator
}

// verb makes a step that is written as "verb", "verb sku units" or "verb L1".
func (l *steps) verb(t *testing.T, step string) error {
	t.Helper()
	ctx := t.Context()
	words := strings.Fields(step)
	var lines []Line
	if len(words) == 3 {
		var units int64
		if _, err := fmt.Sscan(words[2], &units); err != nil {
			t.Fatal(err)
		}
		lines = []Line{{words[1], units}}
	}
	switch words[0] {
	case "confirm":
		return l.a.Confirm(ctx, "o", lines...)
	case "accept":
		return l.a.Accept(ctx, "o")
	case "dispatch":
		return l.a.Dispatch(ctx, "o", words[1])
	case "arrive":
		return l.a.Arrive(ctx, "o", lines...)
	case "ready":
		return l.a.Ready(ctx, "o", Pickup{Code: "4711"})
	case "reject":
		return second(l.a.Reject(ctx, "o", lines...))
	case "short-pick":
		return l.a.ShortPick(ctx, "o", lines...)
	case "collect":
		return l.a.Collect(ctx, "o", lines...)
	case "cancel":
		return l.a.Cancel(ctx, "o", lines...)
	case "extend":
		return second(l.a.Extend(ctx, "o", time.Hour))
	case "reassign":
		return l.a.Reassign(ctx, "o", "cart", Owner{Token: "till", Channel: "shop"})
	case "return":
		return l.a.Return(ctx, Return{ID: fmt.Sprint("r", step), Reservation: "o", Location: "L1", Lines: lines})
	}
	t.Fatalf("no verb %q", step)
	return nil
}

// lifeCase is steps and what comes of them.
type lifeCase struct {
	steps string // separated by commas; those before the last succeed
	fact  error  // of the last; nil: it succeeds
	text  string // of its error, behind the name of the verb
	then  State
	lines string // after it: what is not zero of the lines
}

// lives are the lives of TestLives.
func lives() []lifeCase {
	return []lifeCase{
		{"confirm", nil, "", Confirmed, "tea confirmed 3, cup confirmed 2"},
		{"confirm tea 1", nil, "", Confirmed, "tea held 2 confirmed 1, cup held 2"},
		{"confirm tea 1,confirm", nil, "", Confirmed, "tea confirmed 3, cup confirmed 2"},
		{"confirm,confirm", ErrState, `reservation "o" is confirmed: not possible: reservation confirmed`, Confirmed, "tea confirmed 3, cup confirmed 2"},
		{"confirm tea 4", ErrShortage, `not enough units of SKU "tea" at "L0": wanted 4, there are 3`, Held, "tea held 3, cup held 2"},
		{"accept", ErrState, `reservation "o" is held: not possible: order accepted`, Held, "tea held 3, cup held 2"},
		{"confirm,accept", nil, "", Accepted, "tea confirmed 3, cup confirmed 2"},
		{"ready", ErrState, `reservation "o" is held: not possible: ready for pickup`, Held, "tea held 3, cup held 2"},
		{"confirm,ready", nil, "", Ready, "tea confirmed 3, cup confirmed 2"},
		{"confirm,accept,ready,accept", ErrState, `reservation "o" is ready: not possible: order accepted`, Ready, "tea confirmed 3, cup confirmed 2"},
		{"collect", nil, "", Collected, "tea collected 3, cup collected 2"},
		{"confirm,collect tea 1", nil, "", Confirmed, "tea confirmed 2 collected 1, cup confirmed 2"},
		{"confirm,collect tea 1,cancel", nil, "", Collected, "tea collected 1 canceled 2, cup canceled 2"},
		{"collect,cancel", ErrEnded, `reservation "o" has ended: already collected`, Collected, "tea collected 3, cup collected 2"},
		{"cancel,confirm", ErrEnded, `reservation "o" has ended: already canceled`, Canceled, "tea canceled 3, cup canceled 2"},
		{"confirm,short-pick tea 1", nil, "", Confirmed, "tea confirmed 2 missing 1, cup confirmed 2"},
		{"confirm,short-pick", nil, "", Canceled, "tea missing 3, cup missing 2"},
		{"short-pick tea 1", ErrState, `reservation "o" is held: not possible: short picked`, Held, "tea held 3, cup held 2"},
		{"dispatch L1", ErrState, `reservation "o" is held: not possible: in transit`, Held, "tea held 3, cup held 2"},
		{"confirm tea 1,dispatch L1", ErrState, `reservation "o" is confirmed: not possible: in transit`, Confirmed, "tea held 2 confirmed 1, cup held 2"},
		{"confirm,dispatch L9", ErrUnknownLocation, `unknown location: "L9"`, Confirmed, "tea confirmed 3, cup confirmed 2"},
		{"confirm,dispatch L1", nil, "", InTransit, "tea confirmed 3, cup confirmed 2"},
		{"confirm,dispatch L1,collect", ErrState, `reservation "o" is in transit: not possible: collected`, InTransit, "tea confirmed 3, cup confirmed 2"},
		{"confirm,dispatch L1,cancel", ErrState, `reservation "o" is in transit: not possible: reservation canceled`, InTransit, "tea confirmed 3, cup confirmed 2"},
		{"confirm,arrive", ErrState, `reservation "o" is confirmed: not possible: arrived for pickup`, Confirmed, "tea confirmed 3, cup confirmed 2"},
		{"confirm,dispatch L1,arrive", nil, "", Accepted, "tea confirmed 3, cup confirmed 2"},
		{"confirm,dispatch L1,arrive tea 2", nil, "", Accepted, "tea confirmed 2 missing 1, cup missing 2"},
		{"confirm,dispatch L1,arrive,ready,collect", nil, "", Collected, "tea collected 3, cup collected 2"},
		{"return", ErrState, `reservation "o" is held: not possible: return received`, Held, "tea held 3, cup held 2"},
		{"collect,return tea 1", nil, "", Collected, "tea collected 3 returned 1, cup collected 2"},
		{"collect,return", nil, "", Returned, "tea collected 3 returned 3, cup collected 2 returned 2"},
		{"collect,return,return tea 1", ErrShortage, `not enough units of SKU "tea" at "L0": wanted 1, there are 0`, Returned, "tea collected 3 returned 3, cup collected 2 returned 2"},
		{"collect,return,return again", ErrState, `reservation "o" is returned: not possible: return received`, Returned, "tea collected 3 returned 3, cup collected 2 returned 2"},
		{"confirm tea 3,cancel tea 3,short-pick", ErrState, `reservation "o" is confirmed: not possible: short picked`, Confirmed, "tea canceled 3, cup held 2"},
		{"confirm tea 3,cancel tea 3,accept", ErrState, `reservation "o" is confirmed: not possible: order accepted`, Confirmed, "tea canceled 3, cup held 2"},
		{"confirm tea 3,cancel tea 3,ready", ErrState, `reservation "o" is confirmed: not possible: ready for pickup`, Confirmed, "tea canceled 3, cup held 2"},
		{"confirm tea 3,cancel tea 3,reject", ErrState, `reservation "o" is confirmed: not possible: order rejected`, Confirmed, "tea canceled 3, cup held 2"},
		{"extend", nil, "", Held, "tea held 3, cup held 2"},
		{"confirm,extend", ErrState, `reservation "o" is confirmed: not possible: hold extended`, Confirmed, "tea confirmed 3, cup confirmed 2"},
		{"reassign", nil, "", Held, "tea held 3, cup held 2"},
		{"reassign,reassign", ErrOwner, "not the owner of the reservation", Held, "tea held 3, cup held 2"},
		{"cancel,reassign", ErrEnded, `reservation "o" has ended: already canceled`, Canceled, "tea canceled 3, cup canceled 2"},
	}
}

// Every verb in every state: it does what it says, or the refusal says in which
// state the reservation is.
func TestLives(t *testing.T) {
	for _, c := range lives() {
		t.Run(c.steps, func(t *testing.T) {
			l := steps{a: street(t, 2, Options{FeedBytes: 1 << 16})}
			stocked(t, l.a, "L0", "tea", 5)
			stocked(t, l.a, "L0", "cup", 5)
			o := ordered("o", Line{"tea", 3}, Line{"cup", 2})
			o.Owner = "cart"
			first := allocated(t, l.a, o, "L0")
			steps := strings.Split(c.steps, ",")
			for _, step := range steps[:len(steps)-1] {
				must(t, l.verb(t, step))
			}
			err := l.verb(t, steps[len(steps)-1])
			if c.fact == nil {
				must(t, err)
			} else if !errors.Is(err, c.fact) || !strings.HasSuffix(err.Error(), ": "+c.text) {
				t.Fatalf("got %v\nwant %v: …: %s", err, c.fact, c.text)
			}
			r := state(t, l.a, "o", c.then)
			if got := places(r); got != c.lines {
				t.Errorf("got %s, want %s", got, c.lines)
			}
			if r.State.Ended() == r.EndedAt.IsZero() || r.Sequence == 0 {
				t.Errorf("got %+v", r)
			}
			balanced(t, l.a, r)
			if again := allocated(t, l.a, o, "L0"); again != first {
				t.Errorf("the order was answered %+v, and now %+v", first, again)
			}
		})
	}
}

// places says where the units of a reservation are.
func places(r Reservation) string {
	var lines []string
	for _, line := range r.Lines {
		words := line.SKU
		for _, part := range []struct {
			name  string
			units int64
		}{{"held", line.Held}, {"confirmed", line.Confirmed}, {"collected", line.Collected}, {"missing", line.Missing},
			{"expired", line.Expired}, {"canceled", line.Canceled}, {"returned", line.Returned}, {"short", line.Short}} {
			if part.units != 0 {
				words += fmt.Sprintf(" %s %d", part.name, part.units)
			}
		}
		lines = append(lines, words)
	}
	return strings.Join(lines, ", ")
}

// balanced checks the shelves of a life: five of each were received at L0; what
// was handed over, not found or lost is gone, what is on the road is nowhere, and
// what came back is at L1.
func balanced(t *testing.T, a *Allocator, r Reservation) {
	t.Helper()
	for _, line := range r.Lines {
		on := map[string]int64{"L0": 5}
		held := map[string]int64{r.Location: line.Held + line.Confirmed}
		on["L0"] -= line.Collected + line.Missing
		on["L1"] += line.Returned
		if r.State == InTransit {
			on["L0"] -= line.Confirmed
			held[r.Location] = 0
		} else if r.Location == "L1" {
			on["L0"] -= line.Confirmed
			on["L1"] += line.Confirmed
		}
		for _, at := range []string{"L0", "L1"} {
			shelf(t, a, at, line.SKU, on[at], held[at], 0)
		}
	}
}

// A change with an ID is made once, whatever became of the reservation since.
func TestChangesWithIDs(t *testing.T) {
	a := street(t, 2, Options{})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 9)
	allocated(t, a, ordered("o", Line{"tea", 6}), "L0")
	list := []Change{
		{ID: "c1", Reservation: "o", Do: DoConfirm},
		{ID: "c2", Reservation: "o", Do: DoAccept},
		{ID: "c3", Reservation: "o", Do: DoReady, Pickup: Pickup{Code: "17"}},
		{ID: "c4", Reservation: "o", Do: DoCollect, Lines: []Line{{"tea", 1}, {"tea", 1}}},
		{ID: "c5", Reservation: "o", Do: DoShortPick, Lines: []Line{{"tea", 1}}},
		{ID: "c6", Reservation: "o", Do: DoCancel, Lines: []Line{{"tea", 1}}},
	}
	back := Return{ID: "c1", Reservation: "o", Location: "L1", As: Damaged, Lines: []Line{{"tea", 1}}}
	for range 3 {
		must(t, a.Change(ctx, list...))
		r := state(t, a, "o", Ready)
		if got := places(r); got != "tea confirmed 2 collected 2 missing 1 canceled 1" || r.Code != "17" {
			t.Fatalf("got %s", got)
		}
	}
	refused(t, a.Return(ctx, back), ErrConflict, `allocator: return: reservation: change "c1": ID already used with other content`)
	back.ID = "r1"
	must(t, a.Return(ctx, back), a.Return(ctx, back))
	for _, other := range []Change{
		{ID: "c4", Reservation: "o", Do: DoCollect, Lines: []Line{{"tea", 1}}},
		{ID: "c4", Reservation: "o", Do: DoCancel, Lines: []Line{{"tea", 2}}},
		{ID: "c4", Reservation: "p", Do: DoCollect, Lines: []Line{{"tea", 2}}},
	} {
		if err := a.Change(ctx, other); !errors.Is(err, ErrConflict) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	must(t, a.Collect(ctx, "o"), a.Change(ctx, list...))
	if got := places(state(t, a, "o", Collected)); got != "tea collected 4 missing 1 canceled 1 returned 1" {
		t.Errorf("got %s", got)
	}
	shelf(t, a, "L0", "tea", 4, 0, 0)
}

// A call that is about nothing is refused and leaves no trace: whoever pays for
// what an event tells would pay twice. Its ID is not used up.
func TestNothingIsNoEvent(t *testing.T) {
	a := street(t, 2, Options{FeedBytes: 1 << 16})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 9)
	stocked(t, a, "L0", "cup", 9)
	allocated(t, a, ordered("back", Line{"tea", 2}), "L0")
	allocated(t, a, ordered("some", Line{"tea", 2}), "L0")
	allocated(t, a, ordered("left", Line{"tea", 1}, Line{"cup", 1}), "L0")
	must(t, a.Collect(ctx, "back"), a.Return(ctx, Return{ID: "r0", Reservation: "back", Location: "L1"}))
	must(t, a.Confirm(ctx, "some"), a.Collect(ctx, "some", Line{"tea", 1}), a.Return(ctx, Return{ID: "r1", Reservation: "some", Location: "L1"}))
	must(t, a.Confirm(ctx, "left", Line{"tea", 1}), a.Cancel(ctx, "left", Line{"tea", 1}))
	before := a.Stats().Journal.Sequence
	for name, err := range map[string]error{
		"return":           a.Return(ctx, Return{ID: "r2", Reservation: "back", Location: "L1"}),
		"return of a part": a.Return(ctx, Return{ID: "r2", Reservation: "some", Location: "L1", As: Damaged}),
		"short pick":       a.Change(ctx, Change{ID: "c1", Reservation: "left", Do: DoShortPick}),
		"accept":           a.Change(ctx, Change{ID: "c1", Reservation: "left", Do: DoAccept}),
		"ready":            a.Change(ctx, Change{ID: "c1", Reservation: "left", Do: DoReady}),
		"reject":           a.Change(ctx, Change{ID: "c1", Reservation: "left", Do: DoReject}),
	} {
		if typed := new(StateError); !errors.As(err, &typed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	sum := Adjustment{ID: "a", Location: "L0", Lines: []Line{{"tea", 1}, {"cup", 1}, {"tea", -1}}}
	refused(t, a.Adjust(ctx, sum), ErrInvalid, `allocator: reservation: adjusted "a" at "L0": invalid Lines "tea": must not come to 0 units of the SKU`)
	if after := a.Stats().Journal.Sequence; after != before {
		t.Errorf("%d records of nothing", after-before)
	}
	must(t, a.Collect(ctx, "some"), a.Return(ctx, Return{ID: "r2", Reservation: "some", Location: "L1", As: Damaged}))
	must(t, a.Confirm(ctx, "left"), a.Change(ctx, Change{ID: "c1", Reservation: "left", Do: DoAccept}))
}

// A list stops at what is refused; what was before it stands.
func TestChangeListStops(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 9)
	allocated(t, a, ordered("a", Line{"tea", 1}), "L0")
	allocated(t, a, ordered("b", Line{"tea", 1}), "L0")
	list := []Change{{ID: "1", Reservation: "a", Do: DoConfirm}, {ID: "2", Reservation: "x", Do: DoConfirm}, {ID: "3", Reservation: "b", Do: DoConfirm}}
	if err := a.Change(t.Context(), list...); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	state(t, a, "a", Confirmed)
	state(t, a, "b", Held)
	list[2].Do = 0
	list[0].ID = "4"
	refused(t, a.Change(t.Context(), list...), ErrInvalid, `allocator: change "3": invalid Do 0x0: is no action`)
}

func TestVerbFaults(t *testing.T) {
	a := street(t, 1, Options{MaxIDBytes: 16, MaxLines: 2})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 9)
	must(t, a.SetLocations(ctx, Location{ID: "no", Point: streetPoint(3), NoReturns: true}))
	allocated(t, a, ordered("o", Line{"tea", 1}), "L0")
	past := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		err  error
		fact error
		text string
	}{
		{a.Confirm(ctx, ""), ErrInvalid, `allocator: confirm "": invalid Reservation "": must not be empty`},
		{a.Confirm(ctx, "o", Line{"tea", 0}), ErrInvalid, `allocator: confirm "o": invalid Lines[0].Quantity 0: must be 1 or more`},
		{a.Confirm(ctx, "o", Line{"tee", 1}), ErrUnknownSKU, `allocator: confirm "o": unknown SKU: "tee"`},
		{a.Confirm(ctx, "p"), ErrNotFound, `allocator: confirm "p": reservation: reservation not found`},
		{a.Dispatch(ctx, "o", ""), ErrInvalid, `allocator: dispatch "o": invalid Location "": must not be empty`},
		{a.Ready(ctx, "o", Pickup{Code: "0123456789abcdefg"}), ErrInvalid, `allocator: ready "o": invalid Pickup.Code "0123456789abcdefg": is 17 bytes long, at most 16 are allowed`},
		{second(a.Extend(ctx, "o", 0)), ErrInvalid, `allocator: extend "o": invalid by 0: must be from 1ms, and not make it a hold of more than the 4h0m0s of Options.MaxHold in all`},
		{second(a.Extend(ctx, "", time.Hour)), ErrInvalid, `allocator: extend "": invalid Reservation "": must not be empty`},
		{a.Reassign(ctx, "o", "x", Owner{}), ErrOwner, `allocator: reassign "o": reservation: not the owner of the reservation`},
		{a.Reassign(ctx, "o", "", Owner{Channel: "0123456789abcdefg"}), ErrInvalid, `allocator: reassign "o": invalid Channel "0123456789abcdefg": is 17 bytes long, at most 16 are allowed`},
		{a.Change(ctx, Change{ID: "c", Reservation: "o", Do: DoAccept, Lines: []Line{{"tea", 1}}}), ErrInvalid, `allocator: change "c": invalid Lines 1: must be none: the action is about the whole reservation`},
		{a.Change(ctx, Change{ID: "c", Reservation: "o", Do: DoCancel, Location: "L0"}), ErrInvalid, `allocator: change "c": invalid Location "L0": is for DoDispatch and DoReturnToSender only`},
		{a.Change(ctx, Change{Reservation: "o", Do: DoCancel}), ErrInvalid, `allocator: change "": invalid ID "": must not be empty`},
		{a.Return(ctx, Return{ID: "r", Reservation: "o"}), ErrInvalid, `allocator: return "r": invalid Location "": must not be empty`},
		{a.Return(ctx, Return{ID: "r", Reservation: "o", Location: "no"}), ErrReturns, `allocator: return "r": location takes no returns: "no"`},
		{a.Return(ctx, Return{ID: "r", Reservation: "o", Location: "L7", Lines: []Line{{"tee", 1}}}), ErrUnknownLocation, `allocator: return "r": unknown location: "L7"`},
		{a.Return(ctx, Return{ID: "r", Reservation: "o", Location: "L0", As: 9}), ErrInvalid, `allocator: return "r": invalid As 0x9: is no disposition`},
		{a.Send(ctx, Transfer{ID: "t", From: "L0", To: "L0", Lines: []Line{{"tea", 1}}}), ErrInvalid, `allocator: sent "t": invalid To "L0": must be another location`},
		{a.Send(ctx, Transfer{ID: "t", From: "L0", To: "no", Lines: []Line{{"tea", 9}}}), ErrShortage, `allocator: reservation: sent "t" at "L0": not enough units of SKU "tea" at "L0": wanted 9, there are 8`},
		{a.Deliver(ctx, Delivery{ID: "d", Transfer: "none"}), ErrNotFound, `allocator: reservation: delivered "d" of transfer "none": reservation not found`},
	} {
		refused(t, c.err, c.fact, c.text)
	}
	must(t, a.Confirm(ctx, "o"))
	if err := a.Ready(ctx, "o", Pickup{Until: past}); !errors.Is(err, ErrInvalid) {
		t.Errorf("ready until a time that is past: %v", err)
	}
}

// An order says how long it is held, and of whom it is.
func TestOrderTerms(t *testing.T) {
	a := street(t, 1, Options{MaxIDBytes: 16, MaxHold: time.Hour, Clock: func() time.Time { return twinTime }, ManualExpiry: true})
	stocked(t, a, "L0", "tea", 9)
	o := ordered("o", Line{"tea", 1})
	o.Order, o.Customer, o.Owner, o.Channel = "SO-1", "C-9", "cart", "web"
	o.HoldFor, o.Promise = 90*time.Second+time.Microsecond, twinTime.Add(time.Hour)
	got := allocated(t, a, o, "L0")
	if want := twinTime.Add(90 * time.Second); got.HeldUntil != want {
		t.Errorf("held until %v, want %v", got.HeldUntil, want)
	}
	r := state(t, a, "o", Held)
	if r.Order != "SO-1" || r.Customer != "C-9" || r.Channel != "web" || r.Promise != o.Promise || r.HeldUntil != got.HeldUntil {
		t.Errorf("got %+v", r)
	}
	if again := allocated(t, a, o, "L0"); again != got {
		t.Errorf("again %+v, first %+v", again, got)
	}
	for name, change := range map[string]func(*Order){
		"order": func(o *Order) { o.Order = "SO-2" }, "customer": func(o *Order) { o.Customer = "" },
		"owner": func(o *Order) { o.Owner = "x" }, "channel": func(o *Order) { o.Channel = "x" },
		"hold": func(o *Order) { o.HoldFor = 0 }, "promise": func(o *Order) { o.Promise = time.Time{} },
	} {
		other := o
		change(&other)
		if _, err := a.Allocate(t.Context(), other); !errors.Is(err, ErrConflict) {
			t.Errorf("another %s under the same ID: %v", name, err)
		}
	}
	o.ID = "p"
	o.HoldFor = time.Hour + 1
	refused(t, second(a.Allocate(t.Context(), o)), ErrInvalid, `allocator: order "p": invalid HoldFor 3600000000001: must be 0 or 1ms to the 1h0m0s of Options.MaxHold`)
	o.HoldFor, o.Channel = 0, "0123456789abcdefg"
	refused(t, second(a.Allocate(t.Context(), o)), ErrInvalid, `allocator: order "p": invalid Channel "0123456789abcdefg": is 17 bytes long, at most 16 are allowed`)
	must(t, a.Reassign(t.Context(), "o", "cart", Owner{Token: "till", Channel: "shop"}))
	if r := state(t, a, "o", Held); r.Channel != "shop" {
		t.Errorf("got %+v", r)
	}
}

// Many orders at once get the answers they would have got one by one.
func TestAllocateAll(t *testing.T) {
	a := street(t, 2, Options{FeedBytes: 1 << 16})
	stocked(t, a, "L0", "tea", 2)
	stocked(t, a, "L1", "tea", 1)
	o := ordered("a", Line{"tea", 2})
	out := a.AllocateAll(t.Context(), o, ordered("b", Line{"tea", 1}), ordered("c", Line{"tea", 1}), o, ordered("a", Line{"tea", 1}), ordered("", Line{"tea", 1}))
	for i, want := range []struct {
		location string
		fact     error
	}{{"L0", nil}, {"L1", nil}, {"", ErrNoLocation}, {"L0", nil}, {"", ErrConflict}, {"", ErrInvalid}} {
		if out[i].Location != want.location || !errors.Is(out[i].Err, want.fact) {
			t.Errorf("%d: got %+v, want %+v", i, out[i], want)
		}
	}
	if len(a.AllocateAll(t.Context())) != 0 {
		t.Error("an answer to no order")
	}
}

// A delivery of no transfer is refused also where there is no location yet.
func TestDeliveryInAnEmptyEngine(t *testing.T) {
	a := opened(t, Options{})
	err := a.Deliver(t.Context(), Delivery{ID: "d", Transfer: "none"})
	refused(t, err, ErrNotFound, `allocator: reservation: delivered "d" of transfer "none": reservation not found`)
}

// Goods of a transfer are nowhere while on their way, and arrive in parts.
func TestTransfers(t *testing.T) {
	a := street(t, 2, Options{})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 9)
	allocated(t, a, ordered("o", Line{"tea", 3}), "L0")
	send := Transfer{ID: "t", From: "L0", To: "L1", Lines: []Line{{"tea", 2}, {"tea", 3}}}
	must(t, a.Send(ctx, send), a.Send(ctx, send))
	shelf(t, a, "L0", "tea", 4, 3, 0)
	if e := as[*LocationInUseError](t, a.RemoveLocation(ctx, "L1")); e.Incoming != 1 {
		t.Errorf("got %+v", e)
	}
	some := Delivery{ID: "d1", Transfer: "t", Lines: []Line{{"tea", 2}}}
	must(t, a.Deliver(ctx, some), a.Deliver(ctx, some), a.Lose(ctx, Loss{ID: "x", Transfer: "t", Lines: []Line{{"tea", 1}}}))
	got, err := a.LookupTransfer("t")
	must(t, err)
	if got.State != InTransit || got.From != "L0" || got.To != "L1" || got.Lines[0] != (TransferLine{"tea", 5, 2, 2, 1}) {
		t.Errorf("got %+v", got)
	}
	short := as[*ShortageError](t, a.Deliver(ctx, Delivery{ID: "d2", Transfer: "t", Lines: []Line{{"tea", 3}}}))
	if short.Wanted != 3 || short.Available != 2 {
		t.Errorf("got %+v", short)
	}
	must(t, a.Deliver(ctx, Delivery{ID: "d2", Transfer: "t"}))
	got, err = a.LookupTransfer("t")
	must(t, err)
	if got.State != Collected || got.EndedAt.IsZero() || got.Lines[0] != (TransferLine{"tea", 5, 0, 4, 1}) {
		t.Errorf("got %+v", got)
	}
	as[*EndedError](t, a.Deliver(ctx, Delivery{ID: "d3", Transfer: "t"}))
	shelf(t, a, "L1", "tea", 4, 0, 0)
	refused(t, second(a.LookupTransfer("u")), ErrNotFound, `allocator: look up transfer "u": reservation not found`)
	must(t, a.WriteOff(ctx, Damage{ID: "w", Location: "L1", Lines: []Line{{"tea", 4}}}), a.RemoveLocation(ctx, "L1"))
}
