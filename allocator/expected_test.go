package allocator

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What is known to be wrong today and not mended yet: the parts of an order are
// reservations with IDs of their own, which callers' IDs can meet, and there is no
// record of the order as a whole. One that comes mends all of these. Until then the
// suites avoid exactly these inputs: orders whose IDs end in a slash and a number
// beside orders of several parts, changes named like that beside changes of whole
// orders, and confirmations of orders of which a part has expired by itself.
//
// Besides there is a race that no test makes happen each time: two cancellations of
// an order of two parts at once may each end one part, and then both are refused.
var notYet = []expectation{
	{"an order named like the second part of another", orderBeforePart, `order "o": reservation: part "o/2": ID already used with other content`},
	{"an order named like the first part of another", orderLikeFirstPart, `the other's order is canceled after parts of the own one were canceled`},
	{"a change named like a part of another", changeLikePart, `part "o/2": reservation: change "c/2": ID already used with other content`},
	{"confirmed after one part has expired", confirmedInHalf, `confirming what has expired in part: got <nil>, want an \*EndedError`},
}

// expectation is a test that is right, and what it says as long as it is not met.
type expectation struct {
	name string
	test func(t testing.TB)
	says string
}

// stale says why an expectation has no place among those that are not met.
func (e *expectation) stale(t testing.TB) string {
	switch says := Record(t, e.test); {
	case says == nil:
		return "it is met: make a test of its own of it, and let the suites try such inputs"
	case !regexp.MustCompile(e.says).MatchString(strings.Join(says, "\n")):
		return fmt.Sprintf("it does not say %q, but %q", e.says, says)
	}
	return ""
}

// TestNotYet has the expectations that are right and are not met. It fails when one
// of them is: that one belongs among the other tests then.
func TestNotYet(t *testing.T) {
	for i := range notYet {
		t.Run(notYet[i].name, func(t *testing.T) {
			if why := notYet[i].stale(t); why != "" {
				t.Error(why)
			}
		})
	}
}

// What is met, or not met for another reason, is noticed.
func TestStaleExpectationIsFound(t *testing.T) {
	for test, want := range map[*expectation]string{
		{test: func(testing.TB) {}, says: "no"}:                     "it is met: .*",
		{test: func(t testing.TB) { t.Fatal("oh") }, says: "no"}:    `it does not say "no", but \["oh\\n"\]`,
		{test: func(t testing.TB) { t.Error("oh no") }, says: "no"}: "",
	} {
		if why := test.stale(t); !regexp.MustCompile("^" + want + "$").MatchString(why) {
			t.Errorf("got %q, want %q", why, want)
		}
	}
}

// An order X/2 that was there before order X is split over two places lives as if
// there were no X, and X as if there were no X/2.
func orderBeforePart(t testing.TB) {
	a := splitShop(t, Options{})
	stocked(t, a, "L3", "pen", 9)
	other := ordered("o/2", Line{"pen", 1})
	other.Customer = "other"
	must(t, second(a.Allocate(t.Context(), other)))
	o := ordered("o", Line{"tea", 5}, Line{"cup", 5})
	o.MaxLocations, o.Customer = 2, "own"
	got, err := a.Allocate(t.Context(), o)
	must(t, err)
	apart(t, a, got)
}

// So does an order X/1 beside an order X that has parts.
func orderLikeFirstPart(t testing.TB) {
	a := splitShop(t, Options{})
	stocked(t, a, "L3", "pen", 9)
	o := ordered("o", Line{"tea", 5}, Line{"cup", 5})
	o.MaxLocations, o.Customer = 2, "own"
	got, err := a.Allocate(t.Context(), o)
	must(t, err)
	other := ordered("o/1", Line{"pen", 1})
	other.Customer = "other"
	must(t, second(a.Allocate(t.Context(), other)))
	apart(t, a, got)
}

// apart checks that an order of two parts, its parts and whatever else there is are
// found and canceled each by the ID that it was given.
func apart(t testing.TB, a *Allocator, own Allocation) {
	t.Helper()
	ids := []string{own.ID}
	for _, part := range own.Parts() {
		ids = append(ids, part.ID)
	}
	for _, id := range ids {
		if r, err := a.Lookup(id); err != nil || r.Customer != "own" {
			t.Errorf("%q is of customer %q, want their own: %v", id, r.Customer, err)
		}
	}
	page, err := a.List(t.Context(), Listing{Customer: "other"})
	must(t, err)
	if len(page.Reservations) != 1 {
		t.Fatalf("the other customer has %d orders", len(page.Reservations))
	}
	other := page.Reservations[0].ID
	if r, err := a.Lookup(other); err != nil || r.Customer != "other" {
		t.Errorf("%q is of customer %q, want the other's: %v", other, r.Customer, err)
	}
	must(t, a.Cancel(t.Context(), ids[1]), a.Cancel(t.Context(), ids[2]))
	if r, err := a.Lookup(other); err != nil || r.State != Held {
		t.Errorf("the other's order is %v after parts of the own one were canceled: %v", r.State, err)
	}
	must(t, a.Cancel(t.Context(), other))
	audited(t, a)
}

// A change c of a whole order is made, whatever other changes are named.
func changeLikePart(t testing.TB) {
	a := splitShop(t, Options{})
	stocked(t, a, "L3", "pen", 9)
	must(t, second(a.Allocate(t.Context(), ordered("other", Line{"pen", 1}))))
	split(t, a)
	must(t, a.Change(t.Context(), Change{ID: "c/2", Reservation: "other", Do: DoConfirm}))
	must(t, a.Change(t.Context(), Change{ID: "c", Reservation: "o", Do: DoConfirm}))
	reads(t, stands(t, a, "o"), "o/1@L0 confirmed tea confirmed 5; o/2@L1 confirmed cup confirmed 5")
}

// An order one part of which has expired cannot be confirmed, and nothing of it is.
func confirmedInHalf(t testing.TB) {
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var now time.Duration
	a := street(t, 2, Options{ManualExpiry: true, HoldFor: time.Hour, Clock: func() time.Time { return begin.Add(now) }})
	for i := range 100 { // until the parts of one expire one after the other
		o := ordered(fmt.Sprint("o", i), Line{"tea", 5}, Line{"cup", 5})
		o.MaxLocations = 2
		stocked(t, a, "L0", "tea", 5)
		stocked(t, a, "L1", "cup", 5)
		must(t, second(a.Allocate(t.Context(), o)))
		now += time.Hour
		did, _, err := a.ledger.ExpireSome(begin.Add(now).UnixMilli())
		must(t, err)
		if did.Expired != 1 {
			continue
		}
		var ended *EndedError
		if err := a.Confirm(t.Context(), o.ID); !errors.As(err, &ended) {
			t.Errorf("confirming what has expired in part: got %v, want an *EndedError", err)
		}
		for _, part := range []string{o.ID + "/1", o.ID + "/2"} {
			if r, err := a.Lookup(part); err != nil || r.State == Confirmed {
				t.Errorf("%q is %v: %v", part, r.State, err)
			}
		}
		return
	}
	t.Fatal("the parts of all orders expire together")
}
