package allocator

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// A rejection with an ID is made once, however often it is repeated, whatever has
// become of the order since.
func TestRejectRepeated(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []Line
		then  string
		next  string
	}{
		{"in place", nil, "o@L1 confirmed tea confirmed 3, cup confirmed 2", "o"},
		{"in part", []Line{{"tea", 1}}, "o/1@L0 confirmed tea confirmed 2, cup confirmed 2 (tea rerouted 1); o/2@L1 confirmed tea confirmed 1", "o/1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Dir: t.TempDir()}
			a := durableShops(t, 4, o)
			confirmed(t, a, ordered("o", Line{"tea", 3}, Line{"cup", 2}))
			reject := Change{ID: "c", Reservation: "o", Do: DoReject, Lines: c.lines}
			for range 3 {
				must(t, a.Change(t.Context(), reject))
				reads(t, stands(t, a, "o"), c.then)
				a = reopened(t, a, o)
			}
			must(t, second(byName(a, c.next).Reject(t.Context())))
			then := stands(t, a, "o")
			must(t, a.Change(t.Context(), reject))
			reads(t, stands(t, a, "o"), then)
			refused(t, a.Change(t.Context(), Change{ID: "c", Reservation: "o", Do: DoReject, Lines: []Line{{"cup", 1}}}), ErrConflict,
				`allocator: change: reservation: change "c": ID already used with other content`)
			audited(t, a)
			must(t, a.Close())
		})
	}
}

// A rejection that found no other place is over when the location serves the order
// all the same: repeated, it looks for none, and is no error.
func TestRejectRepeatedWhenServed(t *testing.T) {
	for _, lines := range [][]Line{nil, {{"tea", 2}}} {
		a := shops(t, 1, Options{})
		confirmed(t, a, ordered("o", Line{"tea", 3}))
		reject := Change{ID: "c", Reservation: "o", Do: DoReject, Lines: lines}
		must(t, a.Change(t.Context(), reject), a.Ready(t.Context(), "o", Pickup{}))
		must(t, a.SetLocations(t.Context(), Location{ID: "L1", Point: streetPoint(1)}))
		stocked(t, a, "L1", "tea", 9)
		for range 2 {
			must(t, a.Change(t.Context(), reject))
			reads(t, stands(t, a, "o"), "o@L0 ready tea confirmed 3")
		}
	}
}

// What a crash has cut off behind the record of a rejection, a repeat makes good.
func TestRejectCutOff(t *testing.T) {
	for _, lines := range [][]Line{nil, {{"tea", 2}}} {
		a := shops(t, 3, Options{})
		confirmed(t, a, ordered("o", Line{"tea", 3}))
		change := Change{ID: "c", Reservation: "o", Do: DoReject, Lines: lines}
		c, err := a.gate.Begin(t.Context())
		s := scratchOf(c.Pass)
		must(t, err, a.translate(s, &change, &s.change))
		s.change.ID2, s.change.Cause = "c", history.ByStore
		a.mark(s, &change, &s.change)
		_, _, err = a.ledger.Do(&s.change)
		must(t, err)
		c.Leave()
		reads(t, stands(t, a, "o"), "o@L0 confirmed tea confirmed 3")
		want := "o@L1 confirmed tea confirmed 3"
		if lines != nil {
			want = "o/1@L0 confirmed tea confirmed 1 (tea rerouted 2); o/2@L1 confirmed tea confirmed 2"
		}
		for range 2 {
			must(t, a.Change(t.Context(), change))
			reads(t, stands(t, a, "o"), want)
		}
		audited(t, a)
	}
}

// durableShops is shops with a directory, which the caller closes.
func durableShops(t testing.TB, n int, o Options) *Allocator {
	t.Helper()
	a, err := Open(t.Context(), o)
	must(t, err)
	for i := range n {
		at := fmt.Sprintf("L%d", i)
		must(t, a.SetLocations(t.Context(), Location{ID: at, Point: streetPoint(i)}),
			a.Receive(t.Context(), Receipt{ID: at, Location: at, Lines: []Line{{"tea", 9}, {"cup", 9}}}))
	}
	return a
}

// reopened is the same engine after a restart.
func reopened(t testing.TB, a *Allocator, o Options) *Allocator {
	t.Helper()
	must(t, a.Close())
	a, err := Open(t.Context(), o)
	must(t, err)
	return a
}

// Orders in all stages of being rerouted stand after a restart as before it, from
// the journal and from a snapshot, and go on.
func TestReroutesAfterRestart(t *testing.T) {
	o := Options{Dir: t.TempDir(), Rules: sourcing.Rules{MaxLocations: 2}}
	a := durableShops(t, 5, o)
	ctx := t.Context()
	ids := []string{"a", "b", "c", "d"}
	for _, id := range ids {
		confirmed(t, a, ordered(id, Line{"tea", 3}, Line{"cup", 2}))
	}
	must(t, second(a.Reject(ctx, "a")), second(a.Reject(ctx, "b", Line{"tea", 1})), second(a.Part("b", 2).Reject(ctx)),
		a.ShortPick(ctx, "c", Line{"cup", 1}), second(a.Reroute(ctx, "c")), a.Part("b", 1).Collect(ctx))
	all := func() (text string) {
		for _, id := range ids {
			r, err := a.Lookup(id)
			must(t, err)
			r.Sequence = 0
			text += fmt.Sprintf("%s\n%+v\n", stands(t, a, id), r)
		}
		return text
	}
	before := all()
	for range 2 {
		a = reopened(t, a, o)
		reads(t, all(), before)
		must(t, a.Snapshot(ctx))
	}
	must(t, second(a.Part("b", 2).Reject(ctx)), second(a.Reject(ctx, "d")))
	must(t, a.Close())
}
