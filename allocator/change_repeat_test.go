package allocator

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
)

// A change that was acknowledged does nothing when it is repeated: not to a part of
// the order either that was not there when it was made. Such a part came by a reroute
// since, or belongs to a new order, when the old one of that ID is forgotten.
func TestChangeRepeatedLeavesNewParts(t *testing.T) {
	for _, c := range []struct {
		name, steps string // before the change
		change      Change
		next, then  string // steps after it, and how the order stands after these
	}{
		{"what one part lacked came from elsewhere", "confirm o,shortpick o tea", Change{Do: DoCancel},
			"reroute o", "o/1@L0 canceled tea canceled 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1"},
		{"a part of the lines went elsewhere", "confirm o,shortpick o tea,reroute o,shortpick o/2 tea", Change{Do: DoCancel},
			"reroute o/2", "o/1@L0 canceled tea canceled 2 (tea rerouted 1); o/2@L1 rerouted tea (tea rerouted 1); o/3@L2 confirmed tea confirmed 1"},
		{"only what is named was canceled", "confirm o", Change{Do: DoCancel, Lines: []Line{{"tea", 1}}},
			"reject o tea", "o/1@L0 confirmed tea confirmed 1 canceled 1 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1"},
		{"held units went elsewhere", "", Change{Do: DoConfirm, Lines: []Line{{"tea", 1}}},
			"reroute o tea", "o/1@L0 confirmed tea held 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1"},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", c.name, restart), func(t *testing.T) {
				o := Options{Dir: t.TempDir()}
				a := durableShops(t, 4, o)
				must(t, second(a.Allocate(t.Context(), ordered("o", Line{"tea", 3}))))
				must(t, stepsOf(t, a, c.steps))
				c.change.ID, c.change.Reservation = "c", "o"
				must(t, a.Change(t.Context(), c.change), stepsOf(t, a, c.next))
				reads(t, stands(t, a, "o"), c.then)
				if restart {
					a = reopened(t, a, o)
				}
				for range 2 {
					must(t, a.Change(t.Context(), c.change))
					reads(t, stands(t, a, "o"), c.then)
				}
				audited(t, a)
				must(t, a.Close())
			})
		}
	}
}

// The change is remembered longer than the order that it was about.
func TestChangeRepeatedLeavesNewOrder(t *testing.T) {
	// All of it happens in the same millisecond, so times say nothing.
	a := splitShop(t, Options{Remember: 2, FeedBytes: 1 << 20, ManualExpiry: true, Clock: func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }})
	stocked(t, a, "L3", "tea", 99)
	cancel := Change{ID: "c", Reservation: "o", Do: DoCancel}
	must(t, second(a.Allocate(t.Context(), ordered("o", Line{"tea", 1}))), a.Change(t.Context(), cancel))
	for n := 0; second(a.Lookup("o")) == nil; n++ {
		other := ordered(fmt.Sprint("other", n), Line{"tea", 1})
		must(t, second(a.Allocate(t.Context(), other)), a.Cancel(t.Context(), other.ID))
	}
	if _, _, _, _, known := a.ledger.Made(&reservation.Change{ID2: "c"}); !known {
		t.Fatal("the change is forgotten too")
	}
	split(t, a)
	then := stands(t, a, "o")
	must(t, a.Change(t.Context(), cancel))
	reads(t, stands(t, a, "o"), then)
	audited(t, a)
}

// A rejection that was acknowledged and has found a place does nothing when it is
// repeated, whatever was rejected since: not to the part that it was about, and not to
// one that came later. One that has found none looks for a place again.
func TestRejectionRepeatedAfterOthers(t *testing.T) {
	whole, one := []Line(nil), []Line{{"tea", 1}}
	for _, c := range []struct {
		name   string
		shops  int // that have tea at first
		lines  []Line
		others []Change
		then   string // as it stands before the repeat
		again  string // and after it, if that is something else
	}{
		{"a part of it went on", 4, whole, []Change{{Reservation: "o", Lines: one}},
			"o/1@L1 confirmed tea confirmed 2 (tea rerouted 1); o/2@L2 confirmed tea confirmed 1", ""},
		{"all of it was rejected again, for nothing", 2, whole, []Change{{Reservation: "o"}}, "o@L1 confirmed tea confirmed 3", ""},
		{"what went went on", 4, one, []Change{{Reservation: "o", Part: 2}},
			"o/1@L0 confirmed tea confirmed 2 (tea rerouted 1); o/2@L2 confirmed tea confirmed 1", ""},
		{"what went was rejected, for nothing", 2, one, []Change{{Reservation: "o", Part: 2}},
			"o/1@L0 confirmed tea confirmed 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1", ""},
		{"the rest is collected, and what went was rejected, for nothing", 2, one, []Change{{Reservation: "o", Part: 2}, {Reservation: "o", Part: 1, Do: DoCollect}},
			"o/1@L0 collected tea collected 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1", ""},
		{"it went with a later one", 1, whole, []Change{{Reservation: "street"}, {Reservation: "o"}, {Reservation: "o", Lines: one}},
			"o/1@L9 confirmed tea confirmed 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1", ""},
		{"it has found no place", 1, whole, nil, "o@L0 confirmed tea confirmed 3", "o@L9 confirmed tea confirmed 3"},
		{"a part of it has found no place", 1, one, nil, "o@L0 confirmed tea confirmed 3", "o/1@L0 confirmed tea confirmed 2 (tea rerouted 1); o/2@L9 confirmed tea confirmed 1"},
	} {
		for _, restart := range []string{"none", "journal", "snapshot"} {
			t.Run(c.name+", "+restart, func(t *testing.T) {
				o := Options{Dir: t.TempDir()}
				a := durableShops(t, c.shops, o)
				confirmed(t, a, ordered("o", Line{"tea", 3}))
				first := Change{ID: "c", Reservation: "o", Do: DoReject, Lines: c.lines}
				must(t, a.Change(t.Context(), first))
				more := func(at string, i int) {
					must(t, a.SetLocations(t.Context(), Location{ID: at, Point: streetPoint(i)}))
					stocked(t, a, at, "tea", 99)
				}
				for i, other := range c.others {
					if other.Reservation == "street" {
						more("L9", 9)
						continue
					}
					if i == 2 {
						more("L1", 10)
					}
					other.ID, other.Do = fmt.Sprint("d", i), cmp.Or(other.Do, DoReject)
					must(t, a.Change(t.Context(), other))
				}
				reads(t, stands(t, a, "o"), c.then)
				more("L9", 9)
				if restart == "snapshot" {
					must(t, a.Snapshot(t.Context()))
				}
				if restart != "none" {
					a = reopened(t, a, o)
				}
				for range 2 {
					must(t, a.Change(t.Context(), first))
					reads(t, stands(t, a, "o"), cmp.Or(c.again, c.then))
				}
				audited(t, a)
				must(t, a.Close())
			})
		}
	}
}

// stepsOf makes steps that are separated by commas.
func stepsOf(t testing.TB, a *Allocator, steps string) error {
	for step := range strings.SplitSeq(steps, ",") {
		if err := verbOf(t, a, step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}
