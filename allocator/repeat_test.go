package allocator

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// A repeat of an order is answered as the first time, field by field, whatever has
// come between: before and after a restart.
func TestRepeatAnswersAlike(t *testing.T) {
	ctx := t.Context()
	plain := ordered("o", Line{"tea", 1})
	planned := ordered("o", Line{"tea", 1}, Line{"cup", 1})
	planned.Payment = "card"
	swapped := instead(ordered("o", Line{"cup", 12}), "cup", "tea")
	partial := ordered("o", Line{"tea", 30}, Line{"cup", 2}, Line{"tea", 70})
	partial.Partial, partial.MaxLocations = true, 3
	split := ordered("o", Line{"tea", 14}, Line{"cup", 1})
	split.MaxLocations = 2
	named := Order{ID: "o", At: "L2", Near: streetPoint(0), Lines: []Line{{"tea", 1}}}
	promised := ordered("o", Line{"tea", 1})
	promised.Promise = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	move := func(id string, lines ...Line) func(*Allocator) error {
		return func(a *Allocator) error {
			return errors.Join(a.Confirm(ctx, "o"), second(byName(a, id).Reject(ctx, lines...)))
		}
	}
	rules := func(a *Allocator) error {
		return a.SetRules(sourcing.Rules{Keys: []sourcing.Key{{Name: "same", Compare: func(a, b *sourcing.Candidate) int { return 0 }}}})
	}
	empty := func(a *Allocator) error {
		for i := range 3 {
			at := fmt.Sprintf("L%d", i)
			if err := errors.Join(a.Count(ctx, Count{ID: at + "/0", Location: at, Lines: []Line{{"tea", 0}, {"cup", 0}}}), a.RemoveLocation(ctx, at)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range []struct {
		name  string
		order Order
		then  func(*Allocator) error
	}{
		{"rerouted in place", plain, move("o")},
		{"rerouted in place, by a store it named", named, move("o")},
		{"planned", planned, func(*Allocator) error { return nil }},
		{"planned, rerouted in place", planned, move("o")},
		{"planned, rerouted in part", planned, move("o", Line{"cup", 1})},
		{"split", split, func(*Allocator) error { return nil }},
		{"split, a part rerouted", split, move("o/2")},
		{"in part", partial, func(*Allocator) error { return nil }},
		{"substitutes", swapped, func(*Allocator) error { return nil }},
		{"a substitute is a bundle by now", swapped, func(a *Allocator) error {
			return a.SetBundles(ctx, Bundle{SKU: "tea", Parts: []Component{{SKU: "cup", Quantity: 2}}})
		}},
		{"a line is a bundle by now", plain, func(a *Allocator) error {
			return a.SetBundles(ctx, Bundle{SKU: "tea", Parts: []Component{{SKU: "cup", Quantity: 2}}})
		}},
		{"planned by now", promised, rules},
		{"collected, and all locations are gone", named, func(a *Allocator) error { return errors.Join(a.Cancel(ctx, "o"), empty(a)) }},
		{"planned, and all locations are gone", planned, func(a *Allocator) error { return errors.Join(a.Cancel(ctx, "o"), empty(a)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Dir: t.TempDir()}
			a := durableShops(t, 3, o)
			first, err := a.Allocate(ctx, c.order)
			must(t, err, c.then(a))
			alike(t, a, c.order, answerText(first))
			a = reopened(t, a, o)
			alike(t, a, c.order, answerText(first))
			other := longer(c.order, Line{"tea", 1})
			if got, err := a.Allocate(ctx, other); err == nil {
				t.Errorf("with a line more: %s", answerText(got))
			}
			must(t, a.Close())
		})
	}
}

// longer is an order with a line more.
func longer(o Order, line Line) Order {
	o.Lines = append(slices.Clone(o.Lines), line)
	return o
}

// alike checks that a repeat, alone and in a list, is answered as the first time.
func alike(t *testing.T, a *Allocator, o Order, want string) {
	t.Helper()
	got, err := a.Allocate(t.Context(), o)
	must(t, err)
	reads(t, answerText(got), want)
	out := a.AllocateAll(t.Context(), o)[0]
	must(t, out.Err)
	reads(t, answerText(out.Allocation), want)
}

// Orders that the rules have planned are answered alike when there are none any more.
func TestRepeatWithoutItsRules(t *testing.T) {
	key := sourcing.Rules{Keys: []sourcing.Key{{Name: "same", Compare: func(a, b *sourcing.Candidate) int { return 0 }}}}
	a := shops(t, 2, Options{Rules: key})
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: &Terms{Prep: time.Hour}}))
	o := ordered("o", Line{"tea", 1})
	first, err := a.Allocate(t.Context(), o)
	must(t, err, a.SetRules(sourcing.Rules{}), a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	if first.Ready.IsZero() || first.Lines() == nil {
		t.Fatalf("not planned: %s", answerText(first))
	}
	alike(t, a, o, answerText(first))
}

// Limits that are lower by now count for new calls only.
func TestRepeatBeyondLimits(t *testing.T) {
	ctx := t.Context()
	o := Options{Dir: t.TempDir()}
	a := durableShops(t, 2, o)
	long := ordered("a-long-order-id", Line{"tea", 1}, Line{"cup", 1}, Line{"tea", 1})
	long.HoldFor = time.Hour
	general := long
	general.ID, general.Exclude = "another-long-order-id", []string{"a-long-location"}
	receipt := Receipt{ID: "a-long-receipt-id", Location: "L1", Lines: []Line{{"tea", 1}, {"cup", 1}, {"a-long-sku", 1}}}
	change := Change{ID: "a-long-change-id", Reservation: long.ID, Do: DoConfirm, Lines: []Line{{"tea", 1}, {"cup", 1}}}
	back := Return{ID: "a-long-return-id", Reservation: long.ID, Location: "L1", Lines: []Line{{"tea", 1}, {"cup", 1}}}
	calls := func(a *Allocator) error {
		return errors.Join(a.Receive(ctx, receipt), a.Change(ctx, change, Change{ID: "c", Reservation: long.ID, Do: DoCollect}), a.Return(ctx, back))
	}
	first, err := a.Allocate(ctx, long)
	must(t, err)
	second, err := a.Allocate(ctx, general)
	must(t, err, calls(a))
	o.MaxLines, o.MaxIDBytes, o.MaxHold, o.HoldFor = 1, 8, time.Minute, time.Minute
	a = reopened(t, a, o)
	alike(t, a, long, answerText(first))
	alike(t, a, general, answerText(second))
	must(t, calls(a))
	long.ID, receipt.ID, change.ID, back.ID = "a-new-order", "a-new-receipt", "a-new-change", "a-new-return"
	_, err = a.Allocate(ctx, long)
	for _, err := range []error{err, a.Receive(ctx, receipt), a.Change(ctx, change), a.Return(ctx, back)} {
		as[*InvalidError](t, err)
	}
	must(t, a.Close())
}

// A change or a return that was made is answered by its ID, whatever has become of
// the order, of its locations and of the time since.
func TestChangesRepeated(t *testing.T) {
	ctx := t.Context()
	now := time.UnixMilli(1_767_225_600_000)
	o := Options{Dir: t.TempDir(), ManualExpiry: true, Clock: func() time.Time { return now }}
	a := durableShops(t, 4, o)
	confirmed(t, a, ordered("o", Line{"tea", 4}, Line{"cup", 2}))
	collect := Change{ID: "c1", Reservation: "o", Do: DoCollect, Lines: []Line{{"tea", 1}}}
	accept := Change{ID: "c2", Reservation: "o", Do: DoAccept}
	must(t, a.Change(ctx, accept, collect))
	back := Return{ID: "b1", Reservation: "o", Location: "L3", Lines: []Line{{"tea", 1}}}
	must(t, a.Return(ctx, back))
	must(t, second(a.Reject(ctx, "o", Line{"tea", 1}))) // of several parts from now on
	must(t, second(a.Part("o", 1).Reject(ctx, Line{"cup", 1})))
	if r, err := a.Lookup("o"); err != nil || len(r.Parts) < 2 {
		t.Fatalf("%+v: %v", r, err)
	}
	ready := Change{ID: "c3", Reservation: "o", Part: 2, Do: DoReady, Pickup: Pickup{Code: "1", Until: now.Add(time.Minute)}}
	must(t, a.Change(ctx, ready))
	stood := stands(t, a, "o")
	now = now.Add(time.Hour)
	must(t, a.Count(ctx, Count{ID: "L3/0", Location: "L3", Lines: []Line{{"tea", 0}, {"cup", 0}}}), a.RemoveLocation(ctx, "L3"))
	for range 2 {
		sequence := a.Stats().Journal.Sequence
		must(t, a.Change(ctx, collect, accept), a.Change(ctx, ready), a.Return(ctx, back))
		if wrote := a.Stats().Journal.Sequence - sequence; wrote != 0 {
			t.Errorf("repeats wrote %d records", wrote)
		}
		reads(t, stands(t, a, "o"), stood)
		late := ready
		late.ID = "c4"
		as[*InvalidError](t, a.Change(ctx, late))
		refusedAs(t, a.Return(ctx, Return{ID: "b2", Reservation: "o", Part: 1, Location: "L3"}), ErrUnknownLocation)
		a = reopened(t, a, o)
	}
	must(t, a.Close())
}

func refusedAs(t *testing.T, err, fact error) {
	t.Helper()
	if !errors.Is(err, fact) {
		t.Errorf("got %v, want %v", err, fact)
	}
}

// A cancellation that was made cancels nothing more when it comes again: not what
// replaced units that had been missing.
func TestCancelRepeated(t *testing.T) {
	a := shops(t, 3, Options{})
	confirmed(t, a, ordered("o", Line{"tea", 4}))
	must(t, a.ShortPick(t.Context(), "o", Line{"tea", 1}))
	cancel := Change{ID: "c", Reservation: "o", Do: DoCancel}
	must(t, a.Change(t.Context(), cancel), second(a.Reroute(t.Context(), "o")))
	stood := stands(t, a, "o")
	if !strings.Contains(stood, "o/2@L1 confirmed") {
		t.Fatal(stood)
	}
	must(t, a.Change(t.Context(), cancel))
	reads(t, stands(t, a, "o"), stood)
}

// A movement, a quota and a loan that were booked are answered by their ID, also when
// the place or the transfer is not known any more.
func TestMovementsRepeated(t *testing.T) {
	ctx := t.Context()
	a := street(t, 3, Options{Remember: 4})
	receipt := Receipt{ID: "r", Location: "L1", Lines: []Line{{"tea", 4}}}
	quota := Quota{ID: "q", SKU: "tea", Channel: "web", Location: "L1", Units: 2}
	loan := Loan{ID: "l", SKU: "tea", From: "web", To: "till", Location: "L1", Units: 1}
	send := Transfer{ID: "s", From: "L1", To: "L2", Lines: []Line{{"tea", 2}}}
	deliver := Delivery{ID: "d", Transfer: "s"}
	calls := func() error {
		return errors.Join(a.Receive(ctx, receipt), a.SetQuota(ctx, quota), a.Borrow(ctx, loan), a.Send(ctx, send), a.Deliver(ctx, deliver))
	}
	must(t, calls(), a.Count(ctx, Count{ID: "c", Location: "L1", Lines: []Line{{"tea", 0}}}), a.GiveBack(ctx))
	must(t, a.RemoveLocation(ctx, "L1"), calls())
	other := loan
	other.Units++
	refusedAs(t, a.Borrow(ctx, other), ErrUnknownLocation)
	receipt.Lines = []Line{{"tea", 5}}
	refusedAs(t, a.Receive(ctx, receipt), ErrUnknownLocation)
}

// Times that could not be kept as they are, are refused by name.
func TestTimesInRange(t *testing.T) {
	ctx := t.Context()
	a := shops(t, 1, Options{})
	for _, at := range []time.Time{time.UnixMilli(-1), time.UnixMilli(0), time.Unix(0, 1), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1<<62, 0),
		time.Unix(-1<<62, 0), time.UnixMilli(math.MinInt64), time.UnixMilli(math.MaxInt64), time.UnixMilli(-0x18fc812e5f4bd725)} {
		o := ordered("o", Line{"tea", 1})
		promise, needed, window := o, o, o
		promise.Promise, needed.NeededBy, window.Window = at, at, at
		for field, err := range map[string]error{
			"Promise": second(a.Allocate(ctx, promise)), "NeededBy": second(a.Allocate(ctx, needed)), "Window": second(a.Quote(window)),
			"Pickup.Until":     a.Change(ctx, Change{ID: "c", Reservation: "o", Do: DoReady, Pickup: Pickup{Until: at}}),
			"AsOf":             a.Count(ctx, Count{ID: "c", Location: "L0", AsOf: at, Lines: []Line{{"tea", 1}}}),
			"windows[0].Start": a.SetWindows(ctx, Window{Location: "L0", Start: at, Length: time.Hour, Places: 1}),
		} {
			if e := as[*InvalidError](t, err); e.Field != field || e.Why != inYears {
				t.Errorf("%v: %v", at, err)
			}
		}
		must(t, second(a.Expire(at)))
	}
}

// The words by which digests were made before they had a key do not make two orders
// the same any more: that number made a factor zero, and what came before it counted
// no more.
func TestDigestIsKeyed(t *testing.T) {
	mark := uint64(0xe7037ed1a0b428db)
	a := shops(t, 2, Options{})
	o := ordered("o", Line{"tea", 1})
	erased := ordered("p", Line{"cup", 3})
	erased.At = "L1"
	for _, at := range []*Order{&o, &erased} { // past the check of times, which refuses it too
		at.ID, at.Promise = "o", time.UnixMilli(int64(mark))
	}
	first, other := wants{lines: []reservation.Line{{SKU: 0, Quantity: 1}}}, wants{lines: []reservation.Line{{SKU: 1, Quantity: 3}}}
	if first.digest(a.orderDigest(&o, 0), &o) == other.digest(a.orderDigest(&erased, 0), &erased) {
		t.Error("two orders have one digest")
	}
	w := wants{lines: []reservation.Line{{SKU: 0, Quantity: 5}, {SKU: 101, Quantity: 0x64636261}, {SKU: 102, Quantity: 1}}}
	named := ordered("o")
	named.At = "abcde" // five bytes that read as those lines
	less := wants{lines: w.lines[2:]}
	near := ordered("o")
	if w.digest(a.orderDigest(&near, 0), &near) == less.digest(a.orderDigest(&named, 0), &named) {
		t.Error("a store's name reads as lines")
	}
}
