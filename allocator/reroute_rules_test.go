package allocator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// A location that rejected a SKU is skipped for it for a while, and for no other.
func TestCoolDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := shops(t, 2, Options{Rules: sourcing.Rules{CoolDown: time.Hour}})
		confirmed(t, a, ordered("o", Line{"tea", 1}, Line{"cup", 1}))
		must(t, second(a.Reject(t.Context(), "o", Line{"tea", 1})))
		reads(t, stands(t, a, "o"), "o/1@L0 confirmed tea, cup confirmed 1 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1")
		allocated(t, a, ordered("p", Line{"tea", 1}), "L1")
		allocated(t, a, ordered("q", Line{"cup", 1}), "L0")
		time.Sleep(time.Hour - time.Millisecond)
		allocated(t, a, ordered("r", Line{"tea", 1}), "L1")
		time.Sleep(time.Millisecond)
		allocated(t, a, ordered("s", Line{"tea", 1}), "L0")
		if a.moves.cool.Any(a.gate.Now()) {
			t.Error("still cooling")
		}
		must(t, a.Close())
	})
}

// The cool-down outlives a restart; what has passed meanwhile does not count, and
// its note goes with the next one.
func TestCoolDownAfterRestart(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	o := Options{Dir: t.TempDir(), Rules: sourcing.Rules{CoolDown: time.Hour}, HoldFor: time.Minute, ManualExpiry: true, Clock: func() time.Time { return now }}
	a, err := Open(t.Context(), o)
	must(t, err, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}, Location{ID: "L1", Point: streetPoint(1)}))
	for _, at := range []string{"L0", "L1"} {
		must(t, a.Receive(t.Context(), Receipt{ID: at, Location: at, Lines: []Line{{"tea", 9}, {"cup", 9}}}))
	}
	confirmed(t, a, ordered("o", Line{"tea", 1}))
	must(t, second(a.Reject(t.Context(), "o")))
	now = now.Add(59 * time.Minute)
	for range 2 {
		must(t, a.Close())
		a, err = Open(t.Context(), o)
		must(t, err)
		allocated(t, a, ordered("p"+now.String(), Line{"tea", 1}), "L1")
		allocated(t, a, ordered("q"+now.String(), Line{"cup", 1}), "L0")
	}
	now = now.Add(time.Minute)
	must(t, a.Close())
	a, err = Open(t.Context(), o)
	must(t, err)
	allocated(t, a, ordered("r", Line{"tea", 1}), "L0")
	confirmed(t, a, Order{ID: "s", Near: streetPoint(1), Lines: []Line{{"cup", 1}}})
	must(t, second(a.Reject(t.Context(), "s")))
	for n := range a.ledger.Notes("cool/") {
		if n.Key != "cool/L1" {
			t.Errorf("note %q", n.Key)
		}
	}
	must(t, a.Close())
}

func TestMaxRejects(t *testing.T) {
	a := shops(t, 5, Options{Rules: sourcing.Rules{MaxRejects: 2}, FeedBytes: 1 << 16})
	confirmed(t, a, ordered("o", Line{"tea", 2}))
	must(t, second(a.Reject(t.Context(), "o")), second(a.Reject(t.Context(), "o", Line{"tea", 1})))
	reads(t, stands(t, a, "o"), "o/1@L1 confirmed tea confirmed 1 (tea rerouted 1); o/2@L2 confirmed tea confirmed 1")
	// The third one, of whichever part, is one too many.
	_, err := a.Part("o", 2).Reject(t.Context())
	as[*NoLocationError](t, err)
	reads(t, stands(t, a, "o"), "o/1@L1 confirmed tea confirmed 1 (tea rerouted 1); o/2@L2 confirmed tea confirmed 1")
	reads(t, eventsOf(t, a, "o/2"), "HoldPlaced L2, ReservationConfirmed L2, OrderRejected L2, RerouteFailed L2")
	must(t, a.SetRules(sourcing.Rules{}))
	must(t, second(a.Part("o", 2).Reject(t.Context())))
	audited(t, a)
}

// What was not found, and what a count took away, goes elsewhere.
func TestRerouteOfMissingAndShort(t *testing.T) {
	for _, c := range []struct {
		steps, text, then string
	}{
		{"shortpick o tea,reroute o", "", "o/1@L0 confirmed tea confirmed 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1"},
		{"shortpick o,reroute o", "", "o/1@L0 rerouted tea (tea rerouted 3); o/2@L1 confirmed tea confirmed 3"},
		{"shortpick o,reroute o tea", "", "o/1@L0 canceled tea missing 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1"},
		{"count,reroute o", "", "o/1@L0 confirmed tea confirmed 1 (tea rerouted 2); o/2@L1 confirmed tea confirmed 2"},
		{"shortpick o tea,count,reroute o", "", "o/1@L0 confirmed tea confirmed 1 (tea rerouted 2); o/2@L1 confirmed tea confirmed 1; o/3@L1 confirmed tea confirmed 1"},
		{"reroute o", "", "o@L1 confirmed tea confirmed 3"},
		{"reroute o tea", "", "o/1@L0 confirmed tea confirmed 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1"},
		{"reroute o hat", `not enough units of SKU "hat" at "L0": wanted 1, there are 0`, "o@L0 confirmed tea confirmed 3"},
		{"ready o,reroute o", `reservation "o" is ready: not possible: rerouted`, "o@L0 ready tea confirmed 3"},
		{"ready o,shortpick o tea,reroute o", "", "o/1@L0 ready tea confirmed 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1"},
		{"cancel o,reroute o", `reservation "o" has ended: already canceled`, "o@L0 canceled tea canceled 3"},
		{"reroute p", "reservation not found", "o@L0 confirmed tea confirmed 3"},
	} {
		a := shops(t, 2, Options{})
		stocked(t, a, "L0", "hat", 1)
		confirmed(t, a, ordered("o", Line{"tea", 3}))
		var err error
		for step := range strings.SplitSeq(c.steps, ",") {
			must(t, err)
			if step == "count" {
				err = a.Count(t.Context(), Count{ID: "c", Location: "L0", Lines: []Line{{"tea", 1}}})
				continue
			}
			err = verbOf(t, a, step)
		}
		if c.text == "" && err != nil || c.text != "" && (err == nil || !strings.HasSuffix(err.Error(), c.text)) {
			t.Errorf("%s:\n got %v\nwant %s", c.steps, err, c.text)
		}
		if got := stands(t, a, "o"); got != c.then {
			t.Errorf("%s:\n got %s\nwant %s", c.steps, got, c.then)
		}
		audited(t, a)
	}
}

func TestRerouteFrom(t *testing.T) {
	a := shops(t, 3, Options{FeedBytes: 1 << 16})
	ctx := t.Context()
	confirmed(t, a, ordered("a", Line{"tea", 2}))
	allocated(t, a, ordered("b", Line{"cup", 1}), "L0")
	confirmed(t, a, ordered("ready", Line{"tea", 1}))
	must(t, a.Ready(ctx, "ready", Pickup{}))
	stocked(t, a, "L0", "hat", 1)
	confirmed(t, a, ordered("c", Line{"hat", 1}))
	must(t, a.Accept(ctx, "c"))
	must(t, a.SetLocations(ctx, Location{ID: "L0", Point: streetPoint(0), Terms: &Terms{Offline: true}}))
	var seen []string
	each := func(done, total int, got Allocation, err error) bool {
		seen = append(seen, fmt.Sprintf("%d/%d %s %v", done, total, said(got), errors.Is(err, ErrNoLocation)))
		return true
	}
	must(t, a.RerouteFrom(ctx, "L0", func(done, total int, got Allocation, err error) bool {
		each(done, total, got, err)
		return false
	}))
	reads(t, strings.Join(seen, "; "), "1/3 a@L1 2 tea false")
	seen = nil
	must(t, a.RerouteFrom(ctx, "L0", each))
	reads(t, strings.Join(seen, "; "), "1/2 b@L1 1 cup false; 2/2 @ true")
	seen = nil
	must(t, a.RerouteFrom(ctx, "L0", each), a.RerouteFrom(ctx, "L0", nil), a.RerouteFrom(ctx, "L2", nil))
	reads(t, strings.Join(seen, "; "), "1/1 @ true")
	reads(t, stands(t, a, "c")+"; "+stands(t, a, "ready"), "c@L0 accepted hat confirmed 1; ready@L0 ready tea confirmed 1")
	if r := state(t, a, "a", Confirmed); r.Rejects != 0 || r.From != "L0" {
		t.Errorf("got %+v", r)
	}
	refused(t, a.RerouteFrom(ctx, "L9", nil), ErrUnknownLocation, `allocator: reroute from "L9": unknown location: "L9"`)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	refused(t, a.RerouteFrom(gone, "L0", nil), context.Canceled, `allocator: reroute from "L0": context canceled`)
	audited(t, a)
}

// A location that does not accept in time, of its opening hours, loses the order.
func TestAcceptWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := shops(t, 3, Options{Rules: sourcing.Rules{AcceptWithin: 2 * time.Hour, MaxRejects: 2}, HoldFor: time.Hour, FeedBytes: 1 << 16})
		// Time begins at midnight, 1 January 2000, a Saturday.
		must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: &Terms{Hours: "Mo-Fr 09:00-17:00"}}))
		must(t, second(a.Allocate(t.Context(), ordered("o", Line{"tea", 2}))))
		must(t, second(a.Allocate(t.Context(), ordered("p", Line{"tea", 1}))))
		must(t, a.Confirm(t.Context(), "o"), a.Confirm(t.Context(), "p"))
		time.Sleep(57*time.Hour + 2*time.Hour - time.Millisecond) // Monday, 11:00
		synctest.Wait()
		state(t, a, "o", Confirmed)
		must(t, a.Accept(t.Context(), "p"))
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if r := state(t, a, "o", Confirmed); r.Location != "L1" || r.Rejects != 1 {
			t.Errorf("got %+v", r)
		}
		if r := state(t, a, "p", Accepted); r.Location != "L0" || r.Rejects != 0 {
			t.Errorf("got %+v", r)
		}
		time.Sleep(2*time.Hour - time.Millisecond)
		synctest.Wait()
		if r := state(t, a, "o", Confirmed); r.Location != "L1" {
			t.Errorf("got %+v", r)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if r := state(t, a, "o", Confirmed); r.Location != "L2" || r.Rejects != 2 {
			t.Errorf("got %+v", r)
		}
		time.Sleep(1000 * time.Hour) // given up with the third rejection
		synctest.Wait()
		if r := state(t, a, "o", Confirmed); r.Location != "L2" || r.Rejects != 3 {
			t.Errorf("got %+v", r)
		}
		if got := eventsOf(t, a, "o"); !strings.HasSuffix(got, "OrderRejected L1, Rerouted L1, OrderRejected L2, RerouteFailed L2") {
			t.Errorf("got %s", got)
		}
		must(t, a.Close())
	})
}

// The time to accept goes on over a restart, and begins when a rule says so.
func TestAcceptWithinAfterRestart(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	late := sourcing.Rules{AcceptWithin: 2 * time.Hour}
	o := Options{Dir: t.TempDir(), Rules: late, HoldFor: time.Hour, ManualExpiry: true, Clock: func() time.Time { return now }}
	a, err := Open(t.Context(), o)
	must(t, err, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}, Location{ID: "L1", Point: streetPoint(1)}, Location{ID: "L2", Point: streetPoint(2)}))
	for _, at := range []string{"L0", "L1", "L2"} {
		must(t, a.Receive(t.Context(), Receipt{ID: at, Location: at, Lines: []Line{{"tea", 9}}}))
	}
	confirmed(t, a, ordered("o", Line{"tea", 1}))
	now = now.Add(time.Hour)
	reopen := func() {
		must(t, a.Close())
		a, err = Open(t.Context(), o)
		must(t, err)
	}
	due := func(want int, at string) {
		t.Helper()
		did, err := a.Expire(time.Time{})
		must(t, err)
		if r := state(t, a, "o", Confirmed); did.Late != want || r.Location != at {
			t.Errorf("%d late, at %s; want %d, at %s", did.Late, r.Location, want, at)
		}
	}
	reopen()
	now = now.Add(time.Hour - time.Millisecond)
	due(0, "L0")
	now = now.Add(time.Millisecond)
	due(1, "L1")
	reopen()
	must(t, a.Snapshot(t.Context()))
	now = now.Add(2*time.Hour - time.Millisecond)
	reopen()
	due(0, "L1")
	must(t, a.SetRules(sourcing.Rules{}))
	now = now.Add(time.Hour)
	due(0, "L1")
	must(t, a.SetRules(late)) // when it was confirmed is not known any more
	now = now.Add(2*time.Hour - time.Millisecond)
	due(0, "L1")
	now = now.Add(time.Millisecond)
	due(1, "L2")
	must(t, a.Close())
}

// The place in a pickup window goes along: to the new location, or, of an order that
// named its store, it stays there.
func TestRerouteInWindow(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	start := now.Add(48 * time.Hour)
	open := func() *Allocator {
		a := shops(t, 3, Options{Clock: func() time.Time { return now }})
		var all []Window
		for _, at := range []string{"L0", "L1", "L2"} {
			all = append(all, Window{Location: at, Start: start, Length: time.Hour, Places: 1})
		}
		must(t, a.SetWindows(t.Context(), all...))
		return a
	}
	free := func(a *Allocator) (text string) {
		for _, at := range []string{"L0", "L1", "L2"} {
			for w := range a.Windows(at, start, start.Add(time.Hour)) {
				text += fmt.Sprintf("%s %d ", at, w.Free)
			}
		}
		return text
	}
	a := open()
	o := ordered("o", Line{"tea", 3})
	o.Window = start
	confirmed(t, a, o)
	reads(t, free(a), "L0 0 L1 1 L2 1 ")
	must(t, second(a.Reject(t.Context(), "o")))
	reads(t, stands(t, a, "o")+" "+free(a), "o@L1 confirmed tea confirmed 3 L0 1 L1 0 L2 1 ")
	must(t, second(a.Reject(t.Context(), "o", Line{"tea", 1})))
	reads(t, free(a), "L0 1 L1 0 L2 0 ")
	must(t, a.Cancel(t.Context(), "o"))
	reads(t, free(a), "L0 1 L1 1 L2 1 ")
	audited(t, a)

	a = open()
	o = ordered("p", Line{"tea", 3})
	o.At, o.Window = "L1", start
	confirmed(t, a, o)
	reads(t, free(a), "L0 1 L1 0 L2 1 ")
	must(t, second(a.Reject(t.Context(), "p")))
	r, err := a.Lookup("p")
	must(t, err)
	if r.Location == "L1" || r.Form != sourcing.ShipToStore || places(r) != "tea confirmed 3" || len(r.Parts) != 3 {
		t.Errorf("got %+v", r)
	}
	reads(t, free(a), "L0 1 L1 0 L2 1 ")
	must(t, a.Dispatch(t.Context(), "p", "L1"), a.Arrive(t.Context(), "p"), a.Collect(t.Context(), "p"))
	visit := mustGet(a.Part("p", 3).Lookup()) // nothing was handed over in it
	if visit.State != Canceled || visit.Location != "L1" || len(visit.Lines) != 0 {
		t.Errorf("got %+v", visit)
	}
	state(t, a, "p", Collected)
	audited(t, a)
}
