package allocator

import (
	"path/filepath"
	"testing"

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
