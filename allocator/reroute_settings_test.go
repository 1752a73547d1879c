package allocator

import (
	"errors"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// What is reserved goes elsewhere whatever has been set since; if there is a reason
// that it cannot, the rejection stands, and the answer says both.
func TestRejectUnderOtherSettings(t *testing.T) {
	mate := ordered("o", Line{"tea", 3}, Line{"cup", 1})
	mate.Substitutes = map[string][]string{"tea": {"mate", "pen"}}
	taken := mate
	taken.Substitutes = map[string][]string{"tea": {"mate"}}
	taken.Lines = []Line{{"tea", 7}}
	held := ordered("o", Line{"tea", 3})
	held.At, held.Form, held.MaxLocations = "L3", sourcing.ShipToStore, 2
	bundle := func(sku string) func(a *Allocator) error {
		return func(a *Allocator) error {
			return a.SetBundles(t.Context(), Bundle{SKU: sku, Parts: []Component{{"cup", 2}}})
		}
	}
	for _, c := range []struct {
		name   string
		order  Order
		set    func(a *Allocator) error
		then   string
		refuse string
	}{
		{"a substitute is a bundle", mate, bundle("mate"), "o@L1 confirmed tea confirmed 3, cup confirmed 1", ""},
		{"the substitute that was taken is a bundle", taken, bundle("mate"), "o@L1 confirmed mate confirmed 7", ""},
		{"what was ordered is a bundle", mate, bundle("tea"), "o@L1 confirmed tea confirmed 3, cup confirmed 1", ""},
		{"the store of the customer is gone", held, func(a *Allocator) error {
			return errors.Join(a.Count(t.Context(), Count{ID: "n", Location: "L3", Lines: []Line{{"tea", 0}, {"cup", 0}, {"mate", 0}}}), a.RemoveLocation(t.Context(), "L3"))
		}, "o@L2 confirmed tea confirmed 3", `allocator: reject "o": allocator: order "o": no location can fill the order: unknown location: "L3"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := shops(t, 4, Options{})
			for _, at := range []string{"L0", "L1", "L3"} {
				stocked(t, a, at, "mate", 9)
			}
			if c.order.At != "" {
				must(t, a.Count(t.Context(), Count{ID: "m", Location: c.order.At, Lines: []Line{{"tea", 0}}}))
			}
			confirmed(t, a, c.order)
			must(t, c.set(a))
			_, err := a.Reject(t.Context(), "o")
			if c.refuse == "" {
				must(t, err)
			} else {
				refused(t, err, ErrNoLocation, c.refuse)
				e := as[*NoLocationError](t, err)
				if e.Candidates() != nil || e.Counts() != (ReasonCounts{}) || e.Explain().Rejected != nil {
					t.Errorf("locations were looked at: %v, %v, %v", e.Candidates(), e.Counts(), e.Explain())
				}
			}
			reads(t, stands(t, a, "o"), c.then)
			must(t, a.Change(t.Context(), Change{ID: "c", Reservation: "o", Do: DoReject}))
			audited(t, a)
		})
	}
}

// A rejection is recorded, and while a new place is looked for the location serves the
// order after all, or it ends. The answer is that of a rejection that stands, and
// where the goods are; a repeat says the same. A reroute, of which nothing is
// recorded before, says what came first.
func TestRejectWhileServed(t *testing.T) {
	for _, c := range []struct {
		name, meanwhile string
		lines           []Line
		answer, then    string
		reroute         error
	}{
		{"ready", "ready o", nil, "o@L0 3 tea", "o@L0 ready tea confirmed 3", ErrState},
		{"ready, in part", "ready o", []Line{{"tea", 1}}, "o@L0 1 tea", "o@L0 ready tea confirmed 3", ErrState},
		{"dispatched", "dispatch o", nil, "o@L0 3 tea", "o@L0 in transit tea confirmed 3", ErrState},
		{"collected", "ready o,collect o", nil, "o@L0", "o@L0 collected tea collected 3", nil},
		{"canceled", "cancel o", nil, "o@L0", "o@L0 canceled tea canceled 3", nil},
		{"rerouted", "reject o", nil, "o@L1 3 tea", "o@L1 confirmed tea confirmed 3", nil},
	} {
		for verb, move := range map[string]func(a *Allocator) (Allocation, error){
			"reject":  func(a *Allocator) (Allocation, error) { return a.Reject(t.Context(), "o", c.lines...) },
			"reroute": func(a *Allocator) (Allocation, error) { return a.Reroute(t.Context(), "o", c.lines...) },
			"change": func(a *Allocator) (Allocation, error) {
				return Allocation{}, a.Change(t.Context(), Change{ID: "c", Reservation: "o", Do: DoReject, Lines: c.lines})
			},
		} {
			t.Run(c.name+", "+verb, func(t *testing.T) {
				var a *Allocator
				meanwhile := ""
				a = shops(t, 4, Options{Rules: sourcing.Rules{Hard: []sourcing.Filter{{Name: "meanwhile", Pass: func(*sourcing.Candidate) bool {
					if steps := meanwhile; steps != "" {
						meanwhile = ""
						must(t, stepsOf(t, a, steps))
					}
					return true
				}}}}})
				confirmed(t, a, ordered("o", Line{"tea", 3}))
				meanwhile = c.meanwhile
				got, err := move(a)
				if verb == "reroute" && c.reroute != nil {
					refusedAs(t, err, c.reroute)
				} else {
					must(t, err)
				}
				if verb == "reject" {
					reads(t, said(got), c.answer)
				}
				reads(t, stands(t, a, "o"), c.then)
				if verb == "change" {
					must(t, second(move(a)))
					reads(t, stands(t, a, "o"), c.then)
				}
				audited(t, a)
			})
		}
	}
}
