package allocator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"pgregory.net/rapid"
)

// An order X/2 that was there before order X is split over two places lives as if
// there were no X, and X as if there were no X/2: slashes are the normal form of
// document numbers, and parts used to be named like that.
func TestOrderNamedLikePart(t *testing.T) {
	for _, first := range []bool{true, false} {
		for _, name := range []string{"o/1", "o/2", "o/3", "o\x012"} {
			a := splitShop(t, Options{})
			stocked(t, a, "L3", "pen", 9)
			other := ordered(name, Line{"pen", 1})
			other.Customer = "other"
			if first {
				must(t, second(a.Allocate(t.Context(), other)))
			}
			o := ordered("o", Line{"tea", 5}, Line{"cup", 5})
			o.MaxLocations, o.Customer = 2, "own"
			must(t, second(a.Allocate(t.Context(), o)))
			if !first {
				must(t, second(a.Allocate(t.Context(), other)))
			}
			apart(t, a, name)
		}
	}
}

// apart checks that an order of two parts, its parts and whatever else there is are
// found and canceled each by what it is.
func apart(t testing.TB, a *Allocator, other string) {
	t.Helper()
	for n := range 3 {
		if r, err := a.Part("o", n).Lookup(); err != nil || r.Customer != "own" || r.Part != n {
			t.Errorf("part %d of o: %+v: %v", n, r, err)
		}
	}
	page, err := a.List(t.Context(), Listing{Customer: "other"})
	must(t, err)
	if len(page.Reservations) != 1 || page.Reservations[0].ID != other || page.Reservations[0].Part != 1 {
		t.Fatalf("the other customer has %+v", page.Reservations)
	}
	must(t, a.Part("o", 1).Cancel(t.Context()), a.Part("o", 2).Cancel(t.Context()))
	if r, err := a.Lookup(other); err != nil || r.State != Held || r.Customer != "other" {
		t.Errorf("%q is %v of %q after parts of o were canceled: %v", other, r.State, r.Customer, err)
	}
	must(t, a.Cancel(t.Context(), other))
	audited(t, a)
}

// A change c of a whole order is made, whatever other changes are named.
func TestChangeNamedLikePart(t *testing.T) {
	a := splitShop(t, Options{})
	stocked(t, a, "L3", "pen", 9)
	must(t, second(a.Allocate(t.Context(), ordered("other", Line{"pen", 1}))))
	split(t, a)
	must(t, a.Change(t.Context(), Change{ID: "c/2", Reservation: "other", Do: DoConfirm}))
	must(t, a.Change(t.Context(), Change{ID: "c", Reservation: "o", Do: DoConfirm}))
	reads(t, stands(t, a, "o"), "o/1@L0 confirmed tea confirmed 5; o/2@L1 confirmed cup confirmed 5")
}

// Orders whose IDs differ in any way never touch each other: IDs made of each other's
// pieces, of one part and of several.
func TestOrdersDoNotTouch(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, err := Open(t.Context(), Options{})
		must(t, err)
		defer func() { must(t, a.Close()) }()
		for i := range 2 {
			must(t, a.SetLocations(t.Context(), Location{ID: fmt.Sprint("L", i), Point: streetPoint(i)}))
		}
		must(t, a.Receive(t.Context(), Receipt{ID: "tea", Location: "L0", Lines: []Line{{"tea", 1000}}}, Receipt{ID: "cup", Location: "L1", Lines: []Line{{"cup", 1000}}}))
		ids := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "x/1", "x/2", "x/2/2", "x\x01", "x/", "/2", "x/02", "x/255", "X"}), 2, 6, rapid.ID[string]).Draw(r, "ids")
		stand := map[string]string{}
		for step := range 25 {
			id := rapid.SampledFrom(ids).Draw(r, "id")
			p := a.Part(id, rapid.IntRange(0, 3).Draw(r, "part"))
			switch rapid.IntRange(0, 4).Draw(r, "verb") {
			case 0, 1:
				o := ordered(id, Line{"tea", 1})
				if o.Customer = id; rapid.Bool().Draw(r, "split") {
					o.Lines, o.MaxLocations = append(o.Lines, Line{"cup", 1}), 2
				}
				_, _ = a.Allocate(t.Context(), o)
			case 2:
				_ = p.Confirm(t.Context())
			case 3:
				_ = p.Ready(t.Context(), Pickup{Code: fmt.Sprint(step)})
			case 4:
				_ = p.Cancel(t.Context())
			}
			for _, other := range ids {
				text := ""
				if l, err := a.Lookup(other); err == nil {
					text = fmt.Sprintf("%+v %s", l, stands(t, a, other))
					if l.ID != other || l.Customer != other {
						r.Fatalf("%q is order %q of %q", other, l.ID, l.Customer)
					}
				}
				if other != id && text != stand[other] {
					r.Fatalf("a step of %q has changed %q:\n from %s\n to   %s", id, other, stand[other], text)
				}
				stand[other] = text
			}
		}
	})
}

// The parts of an order expire at one instant, or none of them: whoever confirms it
// meanwhile gets all of it or hears that it has expired.
func TestOrderExpiresAsOne(t *testing.T) {
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var now atomic.Int64
	a := street(t, 2, Options{ManualExpiry: true, HoldFor: time.Hour, FeedBytes: 1 << 20, Clock: func() time.Time { return begin.Add(time.Duration(now.Load())) }})
	confirmed, expired := 0, 0
	for i := range scaletest.Of(2000, 200) {
		o := ordered(fmt.Sprint("o", i), Line{"tea", 5}, Line{"cup", 5})
		o.MaxLocations = 2
		stocked(t, a, "L0", "tea", 5)
		stocked(t, a, "L1", "cup", 5)
		must(t, second(a.Allocate(t.Context(), o)))
		now.Add(int64(time.Hour))
		var both sync.WaitGroup
		var confirm error
		both.Go(func() { confirm = a.Confirm(context.Background(), o.ID) })
		both.Go(func() {
			if _, err := a.Expire(time.Time{}); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		r, err := a.Lookup(o.ID)
		must(t, err)
		want := "tea confirmed 5, cup confirmed 5"
		if confirm != nil {
			want = "tea expired 5, cup expired 5"
			as[*EndedError](t, confirm)
			expired++
		} else {
			confirmed++
			must(t, a.Collect(t.Context(), o.ID))
		}
		if places(r) != want {
			t.Fatalf("confirmed: %v, and it is %s", confirm, places(r))
		}
	}
	t.Logf("%d confirmed, %d expired", confirmed, expired)
	audited(t, a)
}

// Of two cancellations of an order at once one cancels all of it and the other hears
// so; of a confirmation and a cancellation nothing is seen in between.
func TestVerbsOfOrderAreOneStep(t *testing.T) {
	a := street(t, 2, Options{})
	for i := range scaletest.Of(3000, 300) {
		stocked(t, a, "L0", "tea", 5)
		stocked(t, a, "L1", "cup", 5)
		o := ordered(fmt.Sprint("o", i), Line{"tea", 5}, Line{"cup", 5})
		o.MaxLocations = 2
		must(t, second(a.Allocate(t.Context(), o)))
		var all sync.WaitGroup
		stop, ended := make(chan struct{}), make([]error, 2)
		all.Go(func() {
			for {
				r, err := a.Lookup(o.ID)
				whole := []string{"tea held 5, cup held 5", "tea confirmed 5, cup confirmed 5", "tea canceled 5, cup canceled 5"}
				if err != nil || !slices.Contains(whole, places(r)) {
					t.Errorf("seen: %s, %v", places(r), err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		var verbs sync.WaitGroup
		verbs.Go(func() { _ = a.Confirm(context.Background(), o.ID) })
		for g := range ended {
			verbs.Go(func() { ended[g] = a.Cancel(context.Background(), o.ID) })
		}
		verbs.Wait()
		close(stop)
		all.Wait()
		if (ended[0] == nil) == (ended[1] == nil) || !errors.Is(errors.Join(ended...), ErrEnded) {
			t.Fatalf("two cancellations at once: %v and %v", ended[0], ended[1])
		}
	}
	audited(t, a)
}

// A verb on an order is one event, with what it is for each part; and each event of a
// part says which.
func TestEventsSayThePart(t *testing.T) {
	a := splitShop(t, Options{FeedBytes: 1 << 20})
	split(t, a)
	must(t, a.Confirm(t.Context(), "o"), a.Part("o", 2).Accept(t.Context()), a.Accept(t.Context(), "o"), a.Ready(t.Context(), "o", Pickup{Code: "7"}), a.Collect(t.Context(), "o"))
	var told []string
	for e, err := range a.History(t.Context(), 0) {
		must(t, err)
		if e.ID != "o" {
			continue
		}
		text := fmt.Sprintf("%s %d of %d at %q", e.Name, e.Part, e.Parts, e.Location)
		for _, s := range e.Shares {
			text += fmt.Sprintf(", part %d at %s", s.Part, s.Location)
			for _, l := range s.Lines {
				text += fmt.Sprintf(" %d %s", l.Units, l.SKU)
				if l.OnHand != nil {
					text += fmt.Sprintf(" of which %d are left", *l.OnHand)
				}
			}
		}
		told = append(told, text)
	}
	want := []string{
		`HoldPlaced 1 of 2 at "L0"`, `HoldPlaced 2 of 2 at "L1"`,
		`ReservationConfirmed 0 of 2 at "", part 1 at L0 5 tea, part 2 at L1 5 cup`,
		`OrderAccepted 2 of 2 at "L1"`, `OrderAccepted 1 of 2 at "L0"`,
		`ReadyForPickup 0 of 2 at "", part 1 at L0 5 tea, part 2 at L1 5 cup`,
		`Collected 0 of 2 at "", part 1 at L0 5 tea of which 0 are left, part 2 at L1 5 cup of which 0 are left`,
	}
	if !slices.Equal(told, want) {
		t.Errorf("\n got %q\nwant %q", told, want)
	}
}

// An order of which a part is live is remembered as a whole, however many others end
// meanwhile: a repeat is answered as the first time, field by field.
func TestOrderIsRememberedAsOne(t *testing.T) {
	a := splitShop(t, Options{Remember: 2})
	stocked(t, a, "L3", "pen", 9)
	o := split(t, a)
	first, err := a.Allocate(t.Context(), o)
	must(t, err, a.Part("o", 1).Cancel(t.Context()))
	others := func() {
		for i := range 3000 {
			id := fmt.Sprint("pen", a.Stats().Allocated, "-", i)
			must(t, second(a.Allocate(t.Context(), ordered(id, Line{"pen", 1}))), a.Cancel(t.Context(), id))
		}
	}
	others()
	again, err := a.Allocate(t.Context(), o)
	must(t, err)
	reads(t, answerText(again), answerText(first))
	reads(t, stands(t, a, "o"), "o/1@L0 canceled tea canceled 5; o/2@L1 held cup held 5")
	must(t, a.Cancel(t.Context(), "o"))
	others()
	if _, err := a.Lookup("o"); !errors.Is(err, ErrNotFound) {
		t.Errorf("it is not forgotten: %v", err)
	}
	audited(t, a)
}
