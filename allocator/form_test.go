package allocator

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// formedStreet is a street with a store L0 that has some tea, and L1 to L3 that have
// some as well; two orders of three parts each are made there: "brought" to L0, and
// "sent", and one "collected" that is not.
func formedStreet(t testing.TB, o Options) *Allocator {
	t.Helper()
	a := street(t, 5, o)
	for _, place := range []string{"L0", "L1", "L2"} {
		stocked(t, a, place, "tea", 6)
	}
	stocked(t, a, "L3", "tea", 40)
	brought := ordered("brought", Line{"tea", 9})
	brought.At, brought.Form, brought.MaxLocations, brought.Exclude = "L0", sourcing.ShipToStore, 3, []string{"L3"}
	sent := ordered("sent", Line{"tea", 7})
	sent.Form, sent.MaxLocations, sent.Exclude = sourcing.Ship, 3, []string{"L3"}
	for _, o := range []Order{brought, sent, ordered("collected", Line{"tea", 3})} {
		if _, err := a.Allocate(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// TestFormIsTold: of each part Lookup and the events say how it reaches the customer
// and for which store it is, also after a reroute and a restart.
func TestFormIsTold(t *testing.T) {
	for name, snapshot := range map[string]bool{"journal": false, "snapshot": true} {
		t.Run(name, func(t *testing.T) {
			o := Options{Dir: filepath.Join(t.TempDir(), "data")}
			a := formedStreet(t, o)
			stocked(t, a, "L4", "tea", 40)
			at := Order{ID: "at", At: "L1", Lines: []Line{{"tea", 1}}}
			allocated(t, a, at, "L1")
			must(t, a.Confirm(t.Context(), "brought"), a.Confirm(t.Context(), "at"))
			_, err := a.Part("brought", 2).Reject(t.Context()) // to another location
			must(t, err)
			_, err = a.Reject(t.Context(), "at") // goods that come from elsewhere are brought
			must(t, err)
			_, err = a.Part("sent", 2).Reroute(t.Context(), Line{"tea", 1}) // makes a new part
			must(t, err)
			check := func() {
				t.Helper()
				for id, want := range map[string]struct {
					form  sourcing.Form
					store string
				}{"brought/1": {sourcing.ShipToStore, "L0"}, "brought/2": {sourcing.ShipToStore, "L0"}, "brought": {sourcing.ShipToStore, "L0"},
					"sent/1": {sourcing.Ship, ""}, "sent/2": {sourcing.Ship, ""}, "sent/3": {sourcing.Ship, ""}, "collected": {}, "at": {sourcing.ShipToStore, "L1"}} {
					r, err := byName(a, id).Lookup()
					must(t, err)
					if r.Form != want.form || r.Store != want.store {
						t.Errorf("%s is %v at %q, want %v at %q", id, r.Form, r.Store, want.form, want.store)
					}
				}
			}
			check()
			told := map[string]string{}
			for e, err := range a.History(t.Context(), 0) {
				must(t, err)
				if e.Name == "HoldPlaced" || e.Name == "Rerouted" && e.Form != "" {
					told[e.Name+" "+nameOf(e.ID, e.Part)] = e.Form + " " + e.Store
				}
			}
			for what, want := range map[string]string{"HoldPlaced brought/1": "ship to store L0", "HoldPlaced brought/2": "ship to store L0", "HoldPlaced sent/3": "ship ",
				"HoldPlaced collected/1": " ", "Rerouted at/1": "ship to store L1", "Rerouted brought/2": "ship to store L0"} {
				if told[what] != want {
					t.Errorf("%s: told %q, want %q", what, told[what], want)
				}
			}
			audit, err := a.Audit(t.Context())
			must(t, err)
			if len(audit.Differences) > 0 {
				t.Error(audit.Differences)
			}
			if snapshot {
				must(t, a.Snapshot(t.Context()))
			}
			a = reopened(t, a, o)
			check()
			must(t, a.Close())
		})
	}
}

// notOfForm checks the refusal of a call for the form of a reservation, and that it has
// changed nothing.
func notOfForm(t *testing.T, a *Allocator, id string, call func() error, text string) {
	t.Helper()
	before, err := byName(a, id).Lookup()
	must(t, err)
	err = call()
	refused(t, err, ErrForm, text)
	as[*FormError](t, err)
	if after, err := byName(a, id).Lookup(); err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("%s: was %+v, is %+v, %v", text, before, after, err)
	}
}

// TestFormDecides: what is brought to a store goes to no other one, and is ready and
// handed over nowhere else; what is sent is never ready for pickup and goes to no store.
// It holds of each part of an order, of goods that a reroute has taken elsewhere, and
// after a restart.
func TestFormDecides(t *testing.T) {
	ctx := t.Context()
	for name, snapshot := range map[string]bool{"journal": false, "snapshot": true} {
		t.Run(name, func(t *testing.T) {
			var clock handClock
			o := Options{Dir: filepath.Join(t.TempDir(), "data"), Clock: clock.now, ManualExpiry: true}
			a := formedStreet(t, o)
			stocked(t, a, "L4", "tea", 40)
			must(t, a.Confirm(ctx, "brought"), a.Confirm(ctx, "sent"), a.Confirm(ctx, "collected"))
			_, err := a.Part("brought", 2).Reject(ctx)
			must(t, err)
			must(t, a.Part("brought", 2).Accept(ctx))
			if snapshot {
				must(t, a.Snapshot(ctx))
			}
			a = reopened(t, a, o)
			defer func() { must(t, a.Close()) }()
			away := mustGet(a.Part("brought", 2).Lookup())
			if away.Location == "L0" || away.Store != "L0" {
				t.Fatalf("the part that is away is %+v", away)
			}
			part := `part 2 of reservation "brought" is to be shipped to store "L0": not possible at `
			notOfForm(t, a, "brought/2", func() error { return a.Part("brought", 2).Dispatch(ctx, "L3") }, `allocator: dispatch part 2 of "brought": reservation: `+part+`"L3": in transit`)
			notOfForm(t, a, "brought/2", func() error { return a.Part("brought", 2).Collect(ctx) }, `allocator: collect part 2 of "brought": reservation: `+part+`"`+away.Location+`": collected`)
			notOfForm(t, a, "brought/2", func() error { return a.Part("brought", 2).Collect(ctx, Line{"tea", 1}) }, `allocator: collect part 2 of "brought": reservation: `+part+`"`+away.Location+`": collected`)
			notOfForm(t, a, "brought/2", func() error { return a.Part("brought", 2).Ready(ctx, Pickup{}) }, `allocator: ready part 2 of "brought": reservation: `+part+`"`+away.Location+`": ready for pickup`)
			for n := range 3 {
				p, shown, which := a.Part("sent", n), shownPart("sent", n), max(n, 1)
				notOfForm(t, a, nameOf("sent", n), func() error { return p.Ready(ctx, Pickup{}) }, fmt.Sprintf(`allocator: ready %s: reservation: part %d of reservation "sent" is to be shipped: not possible: ready for pickup`, shown, which))
				notOfForm(t, a, nameOf("sent", n), func() error { return p.Dispatch(ctx, "L1") }, fmt.Sprintf(`allocator: dispatch %s: reservation: part %d of reservation "sent" is to be shipped: not possible: in transit`, shown, which))
				notOfForm(t, a, nameOf("sent", n), func() error {
					return a.Change(ctx, Change{ID: fmt.Sprint("c", n), Reservation: "sent", Part: n, Do: DoReady})
				}, fmt.Sprintf(`allocator: change: reservation: part %d of reservation "sent" is to be shipped: not possible: ready for pickup`, which))
			}
			// What they are for passes, and ends at the store.
			p := a.Part("brought", 2)
			must(t, p.Dispatch(ctx, "L0"), p.Arrive(ctx), p.Ready(ctx, Pickup{}), p.Collect(ctx))
			must(t, a.Part("brought", 1).Ready(ctx, Pickup{}), a.Part("brought", 1).Collect(ctx))
			must(t, a.Dispatch(ctx, "collected", "L1"), a.Arrive(ctx, "collected"), a.Ready(ctx, "collected", Pickup{}))
			clock.add(8 * 24 * time.Hour)
			due, err := a.Expire(clock.now())
			must(t, err)
			if due.NoShows != 1 {
				t.Errorf("%+v", due)
			}
			state(t, a, "collected", NoShow)
			state(t, a, "sent", Confirmed)
		})
	}
}
