package allocator

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// stands is where a reservation and each of its parts stands, in one line.
func stands(t testing.TB, a *Allocator, id string) string {
	t.Helper()
	r, err := a.Lookup(id)
	must(t, err)
	numbers := r.Parts
	if numbers == nil {
		numbers = []int{0}
	}
	var all []string
	for _, n := range numbers {
		r, err := a.Part(id, n).Lookup()
		must(t, err)
		all = append(all, fmt.Sprintf("%s@%s %v %s", nameOf(r.ID, r.Part), r.Location, r.State, units(r)))
	}
	return strings.Join(all, "; ")
}

// units is what of the lines is not zero.
func units(r Reservation) string {
	text := places(r)
	for _, line := range r.Lines {
		if line.Rerouted > 0 {
			text += fmt.Sprintf(" (%s rerouted %d)", line.SKU, line.Rerouted)
		}
	}
	return text
}

func reads(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// shops is a street with tea and cups at each of n stores.
func shops(t testing.TB, n int, o Options) *Allocator {
	t.Helper()
	a := street(t, n, o)
	for i := range n {
		stocked(t, a, fmt.Sprintf("L%d", i), "tea", 5)
		stocked(t, a, fmt.Sprintf("L%d", i), "cup", 5)
	}
	return a
}

// confirmed makes and confirms an order.
func confirmed(t testing.TB, a *Allocator, o Order) {
	t.Helper()
	_, err := a.Allocate(t.Context(), o)
	must(t, err, a.Confirm(t.Context(), o.ID))
}

// audited checks that every counter is what the reservations say.
func audited(t testing.TB, a *Allocator) {
	t.Helper()
	report, err := a.Audit(t.Context())
	must(t, err)
	if len(report.Differences) > 0 {
		t.Errorf("audit: %v", report.Differences)
	}
}

// split is an order of five tea and five cups that two stores share.
func split(t testing.TB, a *Allocator) Order {
	t.Helper()
	o := ordered("o", Line{"tea", 5}, Line{"cup", 5})
	o.MaxLocations = 2
	got, err := a.Allocate(t.Context(), o)
	must(t, err)
	reads(t, said(got), "o/1@L0 5 tea; o/2@L1 5 cup")
	return o
}

func splitShop(t testing.TB, o Options) *Allocator {
	a := street(t, 4, o)
	stocked(t, a, "L0", "tea", 5)
	stocked(t, a, "L1", "cup", 5)
	return a
}

// TestVerbsOfParts makes every verb of an order of two parts.
func TestVerbsOfParts(t *testing.T) {
	several := `invalid Part 0: must be the number of one of 2 parts of "o", such as 1 or 2`
	for _, c := range []struct {
		steps, text, then string
	}{
		{"", "", "o/1@L0 held tea held 5; o/2@L1 held cup held 5"},
		{"confirm o", "", "o/1@L0 confirmed tea confirmed 5; o/2@L1 confirmed cup confirmed 5"},
		{"confirm o/1,confirm o", "", "o/1@L0 confirmed tea confirmed 5; o/2@L1 confirmed cup confirmed 5"},
		{"confirm o,confirm o", `reservation: part 1 of reservation "o" is confirmed: not possible: reservation confirmed`, "o/1@L0 confirmed tea confirmed 5; o/2@L1 confirmed cup confirmed 5"},
		{"confirm o/2", "", "o/1@L0 held tea held 5; o/2@L1 confirmed cup confirmed 5"},
		{"cancel o", "", "o/1@L0 canceled tea canceled 5; o/2@L1 canceled cup canceled 5"},
		{"cancel o/1,cancel o", "", "o/1@L0 canceled tea canceled 5; o/2@L1 canceled cup canceled 5"},
		{"cancel o,cancel o", `reservation: part 1 of reservation "o" has ended: already canceled`, "o/1@L0 canceled tea canceled 5; o/2@L1 canceled cup canceled 5"},
		{"cancel o tea", several, "o/1@L0 held tea held 5; o/2@L1 held cup held 5"},
		{"confirm o,dispatch o/2,cancel o", `reservation: part 2 of reservation "o" is in transit: not possible: reservation canceled`, "o/1@L0 confirmed tea confirmed 5; o/2@L1 in transit cup confirmed 5"},
		{"confirm o,accept o", "", "o/1@L0 accepted tea confirmed 5; o/2@L1 accepted cup confirmed 5"},
		{"confirm o,accept o/1,accept o", "", "o/1@L0 accepted tea confirmed 5; o/2@L1 accepted cup confirmed 5"},
		{"confirm o,accept o,ready o", "", "o/1@L0 ready tea confirmed 5; o/2@L1 ready cup confirmed 5"},
		{"confirm o/1,ready o", `reservation: part 2 of reservation "o" is held: not possible: ready for pickup`, "o/1@L0 confirmed tea confirmed 5; o/2@L1 held cup held 5"},
		{"confirm o,ready o/1,collect o", "", "o/1@L0 collected tea collected 5; o/2@L1 collected cup collected 5"},
		{"confirm o,dispatch o/2,collect o", `reservation: part 2 of reservation "o" is in transit: not possible: collected`, "o/1@L0 confirmed tea confirmed 5; o/2@L1 in transit cup confirmed 5"},
		{"confirm o,ready o/1,collect o/1,collect o", "", "o/1@L0 collected tea collected 5; o/2@L1 collected cup collected 5"},
		{"confirm o,dispatch o", "", "o/1@L0 in transit tea confirmed 5; o/2@L1 in transit cup confirmed 5"},
		{"confirm o,dispatch o,arrive o", "", "o/1@L3 accepted tea confirmed 5; o/2@L3 accepted cup confirmed 5"},
		{"confirm o,dispatch o/2,arrive o", "", "o/1@L0 confirmed tea confirmed 5; o/2@L3 accepted cup confirmed 5"},
		{"confirm o,dispatch o/2,arrive o/2", "", "o/1@L0 confirmed tea confirmed 5; o/2@L3 accepted cup confirmed 5"},
		{"confirm o,shortpick o", "", "o/1@L0 canceled tea missing 5; o/2@L1 canceled cup missing 5"},
		{"confirm o,reject o", several, "o/1@L0 confirmed tea confirmed 5; o/2@L1 confirmed cup confirmed 5"},
		{"reject o/1", `reservation: part 1 of reservation "o" is held: not possible: order rejected`, "o/1@L0 held tea held 5; o/2@L1 held cup held 5"},
		{"extend o", "", "o/1@L0 held tea held 5; o/2@L1 held cup held 5"},
		{"confirm o/1,extend o", "", "o/1@L0 confirmed tea confirmed 5; o/2@L1 held cup held 5"},
		{"reassign o", "", "o/1@L0 held tea held 5; o/2@L1 held cup held 5"},
		{"collect o,return o", "", "o/1@L0 returned tea collected 5 returned 5; o/2@L1 returned cup collected 5 returned 5"},
		{"collect o,return o tea", several, "o/1@L0 collected tea collected 5; o/2@L1 collected cup collected 5"},
		{"collect o/1,return o", "", "o/1@L0 returned tea collected 5 returned 5; o/2@L1 held cup held 5"},
		{"collect o/1,collect o/2,return o/2", "", "o/1@L0 collected tea collected 5; o/2@L1 returned cup collected 5 returned 5"},
		{"confirm o/3", "reservation: reservation not found", "o/1@L0 held tea held 5; o/2@L1 held cup held 5"},
	} {
		a := splitShop(t, Options{})
		split(t, a)
		var err error
		for step := range strings.SplitSeq(c.steps, ",") {
			must(t, err)
			err = verbOf(t, a, step)
		}
		switch {
		case c.text == "" && err != nil:
			t.Errorf("%s: %v", c.steps, err)
		case c.text != "" && (err == nil || !strings.HasSuffix(err.Error(), c.text)):
			t.Errorf("%s:\n got %v\nwant %s", c.steps, err, c.text)
		}
		if got := stands(t, a, "o"); got != c.then {
			t.Errorf("%s:\n got %s\nwant %s", c.steps, got, c.then)
		}
		audited(t, a)
	}
}

// verbOf makes a step that is written as "verb id" or "verb id sku".
func verbOf(t testing.TB, a *Allocator, step string) error {
	t.Helper()
	ctx, words := t.Context(), strings.Fields(step)
	if len(words) == 0 {
		return nil
	}
	p := byName(a, words[1])
	var lines []Line
	if len(words) > 2 {
		lines = []Line{{words[2], 1}}
	}
	switch words[0] {
	case "confirm":
		return p.Confirm(ctx, lines...)
	case "cancel":
		return p.Cancel(ctx, lines...)
	case "accept":
		return p.Accept(ctx)
	case "ready":
		return p.Ready(ctx, Pickup{})
	case "collect":
		return p.Collect(ctx, lines...)
	case "dispatch":
		return p.Dispatch(ctx, "L3")
	case "arrive":
		return p.Arrive(ctx)
	case "shortpick":
		return p.ShortPick(ctx, lines...)
	case "reject":
		return second(p.Reject(ctx, lines...))
	case "reroute":
		return second(p.Reroute(ctx, lines...))
	case "extend":
		until, err := p.Extend(ctx, time.Hour)
		if r, found := p.Lookup(); err == nil && (found != nil || !r.HeldUntil.Equal(until)) {
			return fmt.Errorf("extended to %v, held until %v (%w)", until, r.HeldUntil, found)
		}
		return err
	case "reassign":
		return p.Reassign(ctx, "", Owner{Token: "till"})
	case "return":
		return a.Return(ctx, Return{ID: "r", Reservation: p.order, Part: p.number, Location: "L2", Lines: lines})
	}
	t.Fatalf("no verb %q", step)
	return nil
}

// A change with an ID is made once of each part, however often it is repeated.
func TestChangeOfParts(t *testing.T) {
	a := splitShop(t, Options{})
	split(t, a)
	confirm, cancel := Change{ID: "c1", Reservation: "o", Do: DoConfirm}, Change{ID: "c2", Reservation: "o", Do: DoCancel}
	for range 2 {
		must(t, a.Change(t.Context(), confirm, cancel))
	}
	reads(t, stands(t, a, "o"), "o/1@L0 canceled tea canceled 5; o/2@L1 canceled cup canceled 5")
	audited(t, a)
}

// The order as a whole, and a caller's own ID that looks like a part.
func TestLookupOfParts(t *testing.T) {
	a := splitShop(t, Options{})
	o := split(t, a)
	stocked(t, a, "L0", "hat", 2)
	own := ordered("x/2", Line{"hat", 1})
	allocated(t, a, own, "L0")
	allocated(t, a, ordered("x", Line{"hat", 1}), "L0")
	must(t, a.Confirm(t.Context(), "x/2"))
	reads(t, stands(t, a, "x/2")+"; "+stands(t, a, "x"), "x/2@L0 confirmed hat confirmed 1; x@L0 held hat held 1")
	r, err := a.Lookup("o")
	must(t, err)
	reads(t, fmt.Sprintln(r.ID, r.Location, r.State, r.Parts, places(r)), "o L0 held [1 2] tea held 5, cup held 5\n")
	must(t, a.Confirm(t.Context(), "o"), a.Part("o", 1).Collect(t.Context()))
	if r = state(t, a, "o", Confirmed); r.Location != "L1" || places(r) != "tea collected 5, cup confirmed 5" {
		t.Errorf("got %+v", r)
	}
	must(t, a.Part("o", 2).Cancel(t.Context()))
	if r = state(t, a, "o", Collected); r.Location != "L0" {
		t.Errorf("got %+v", r)
	}
	page, err := a.List(t.Context(), Listing{Order: "o"})
	must(t, err)
	if len(page.Reservations) != 2 || page.Reservations[0].Part != 1 || page.Reservations[1].Part != 2 {
		t.Errorf("got %+v", page)
	}
	again, err := a.Allocate(t.Context(), o)
	must(t, err)
	reads(t, said(again), "o/1@L0 5 tea; o/2@L1 5 cup")
	if err := a.Confirm(t.Context(), "a\x00b"); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
	refused(t, a.Cancel(t.Context(), "o", Line{"tea\x00q", 1}), ErrInvalid,
		`allocator: cancel "o": invalid Lines[0].SKU "tea\x00q": must not have a zero byte`)
}

func TestRejectInPlace(t *testing.T) {
	a := shops(t, 3, Options{FeedBytes: 1 << 16, HoldFor: time.Hour})
	o := ordered("o", Line{"tea", 3}, Line{"cup", 2})
	o.Channel, o.Customer = "web", "C"
	confirmed(t, a, o)
	must(t, a.Accept(t.Context(), "o"))
	got, err := a.Reject(t.Context(), "o")
	must(t, err)
	reads(t, said(got), "o@L1 2 cup 3 tea")
	if got.ID != "o" || got.Location != "L1" || got.Distance != geo.Distance(streetPoint(0), streetPoint(1)) {
		t.Errorf("got %+v", got)
	}
	r := state(t, a, "o", Confirmed)
	if r.Location != "L1" || r.From != "L0" || r.Rejects != 1 || r.Parts != nil || r.Channel != "web" || places(r) != "tea confirmed 3, cup confirmed 2" {
		t.Errorf("got %+v", r)
	}
	shelf(t, a, "L0", "tea", 5, 0, 0)
	shelf(t, a, "L1", "tea", 5, 3, 0)
	got, err = a.Reject(t.Context(), "o") // never back to where it was rejected
	must(t, err)
	reads(t, said(got), "o@L2 2 cup 3 tea")
	_, err = a.Reject(t.Context(), "o")
	as[*NoLocationError](t, err)
	if r := state(t, a, "o", Confirmed); r.Location != "L2" || r.Rejects != 3 {
		t.Errorf("got %+v", r)
	}
	reads(t, eventsOf(t, a, "o"), "HoldPlaced L0, ReservationConfirmed L0, OrderAccepted L0, OrderRejected L0, Rerouted L0, "+
		"OrderRejected L1, Rerouted L1, OrderRejected L2, RerouteFailed L2")
	audited(t, a)
	again, err := a.Allocate(t.Context(), o)
	must(t, err)
	if again.Location != "L0" {
		t.Errorf("repeat %+v", again)
	}
}

// eventsOf is the events of a reservation, with their locations.
func eventsOf(t testing.TB, a *Allocator, id string) string {
	t.Helper()
	var all []string
	for e, err := range a.History(t.Context(), 0) {
		must(t, err)
		p := byName(a, id)
		if e.ID == p.order && (p.number == 0 || e.Part == p.number) {
			all = append(all, e.Name+" "+e.Location)
		}
		for _, s := range e.Shares {
			if e.ID == p.order && s.Part == p.number {
				all = append(all, e.Name+" "+s.Location)
			}
		}
	}
	return strings.Join(all, ", ")
}

func TestRejectIntoParts(t *testing.T) {
	a := street(t, 4, Options{})
	for _, at := range []string{"L0", "L3"} {
		stocked(t, a, at, "tea", 5)
		stocked(t, a, at, "cup", 5)
	}
	stocked(t, a, "L1", "tea", 5)
	stocked(t, a, "L2", "cup", 5)
	o := ordered("o", Line{"tea", 3}, Line{"cup", 2})
	confirmed(t, a, o)
	got, err := a.Reject(t.Context(), "o", Line{"tea", 2})
	must(t, err)
	reads(t, said(got), "o/2@L1 2 tea")
	reads(t, stands(t, a, "o"), "o/1@L0 confirmed tea confirmed 1, cup confirmed 2 (tea rerouted 2); o/2@L1 confirmed tea confirmed 2")
	r, err := a.Lookup("o")
	must(t, err)
	reads(t, fmt.Sprintln(r.ID, r.Location, r.State, r.Parts, r.Rejects, places(r)), "o L0 confirmed [1 2] 1 tea confirmed 3, cup confirmed 2\n")
	must(t, a.Part("o", 1).Accept(t.Context()))
	got, err = a.Part("o", 2).Reject(t.Context()) // not L0, which has rejected it, nor L1
	must(t, err)
	reads(t, said(got), "o/2@L3 2 tea")
	// Parts of one order may meet at one location.
	must(t, second(a.Part("o", 1).Reject(t.Context())))
	reads(t, stands(t, a, "o"), "o/1@L3 confirmed tea confirmed 1, cup confirmed 2 (tea rerouted 2); o/2@L3 confirmed tea confirmed 2")
	audited(t, a)
	must(t, a.Cancel(t.Context(), "o"))
	shelf(t, a, "L3", "tea", 5, 0, 0)
	// A repeat of the order still answers what was reserved first.
	again, err := a.Allocate(t.Context(), o)
	must(t, err)
	if again.Location != "L0" || said(again) != "o@L0" && said(again) != "o@L0 3 tea 2 cup" && said(again) != "o/1@L0 3 tea 2 cup" {
		t.Errorf("repeat %+v: %s", again, said(again))
	}
}

// What nobody has stays; the rest goes.
func TestRejectPartlyServed(t *testing.T) {
	a := street(t, 3, Options{FeedBytes: 1 << 16})
	stocked(t, a, "L0", "tea", 5)
	stocked(t, a, "L0", "cup", 5)
	stocked(t, a, "L1", "tea", 5)
	confirmed(t, a, ordered("o", Line{"tea", 3}, Line{"cup", 2}))
	got, err := a.Reject(t.Context(), "o")
	as[*NoLocationError](t, err)
	reads(t, said(got), "o/2@L1 3 tea")
	reads(t, stands(t, a, "o"), "o/1@L0 confirmed tea, cup confirmed 2 (tea rerouted 3); o/2@L1 confirmed tea confirmed 3")
	if got := eventsOf(t, a, "o/1"); !strings.HasSuffix(got, "OrderRejected L0, Rerouted L0, RerouteFailed L0") {
		t.Errorf("got %s", got)
	}
	audited(t, a)
}

// The customer of an order that named its store is not sent to another one.
func TestRejectAtNamedStore(t *testing.T) {
	a := shops(t, 3, Options{})
	o := ordered("o", Line{"tea", 3})
	o.At = "L1"
	confirmed(t, a, o)
	got, err := a.Reject(t.Context(), "o")
	must(t, err)
	r := state(t, a, "o", Confirmed)
	if r.Form != sourcing.ShipToStore || got.Form != sourcing.ShipToStore || r.Location == "L1" {
		t.Errorf("got %+v, %+v", got, r)
	}
	must(t, a.Dispatch(t.Context(), "o", "L1"), a.Arrive(t.Context(), "o"), a.Collect(t.Context(), "o"))
	if r := state(t, a, "o", Collected); r.Location != "L1" {
		t.Errorf("got %+v", r)
	}
	audited(t, a)
}

func TestShipToStoreReroutes(t *testing.T) {
	a := street(t, 4, Options{})
	stocked(t, a, "L0", "tea", 5)
	stocked(t, a, "L1", "cup", 5)
	stocked(t, a, "L3", "cup", 5)
	o := ordered("o", Line{"tea", 1}, Line{"cup", 2})
	o.At, o.Form = "L0", sourcing.ShipToStore
	confirmed(t, a, o)
	reads(t, stands(t, a, "o"), "o/1@L0 confirmed tea confirmed 1; o/2@L1 confirmed cup confirmed 2")
	got, err := a.Part("o", 2).Reject(t.Context())
	must(t, err)
	reads(t, said(got), "o/2@L3 2 cup")
	if got.Form != sourcing.ShipToStore || got.Distance != geo.Distance(streetPoint(0), streetPoint(3)) {
		t.Errorf("got %+v", got)
	}
	audited(t, a)
}
