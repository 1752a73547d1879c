package allocator

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// Every call about an order of several parts may come while its last part is being
// forgotten: between finding the order and reading its parts there may be none left.
func TestPartsForgottenMeanwhile(t *testing.T) {
	a := splitShop(t, Options{Remember: 2})
	stocked(t, a, "L2", "pen", 1<<20)
	var none []reservation.Entry
	if p, err := a.one("o", none); p != nil || !errors.Is(err, ErrNotFound) {
		t.Errorf("one part of none: got %v, %v", p, err)
	}
	ctx, stop := t.Context(), make(chan struct{})
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, lookup := a.Lookup("o")
				_, reject := a.Reject(ctx, "o")
				_, reroute := a.Reroute(ctx, "o")
				_, extended := a.Extend(ctx, "o", time.Minute)
				for _, err := range []error{lookup, reject, reroute, extended, a.Confirm(ctx, "o"), a.Collect(ctx, "o"), a.ShortPick(ctx, "o")} {
					var invalid *InvalidError
					var ended *EndedError
					var state *StateError
					if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoLocation) &&
						!errors.As(err, &invalid) && !errors.As(err, &ended) && !errors.As(err, &state) && !errors.Is(err, ErrShortage) {
						t.Errorf("while it is being forgotten: %v", err)
					}
				}
			}
		})
	}
	for i := range 30 {
		stocked(t, a, "L0", "tea", 5)
		stocked(t, a, "L1", "cup", 5)
		o := ordered("o", Line{"tea", 5}, Line{"cup", 5})
		o.MaxLocations = 2
		_, err := a.Allocate(ctx, o)
		if err != nil && !errors.Is(err, ErrNoLocation) && !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
		if err := a.Cancel(ctx, "o"); err != nil && !errors.Is(err, ErrNotFound) && !errors.As(err, new(*EndedError)) {
			t.Log(err)
		}
		for n := range 400 { // so many ended ones are remembered in each shard, none of them theirs
			id := fmt.Sprint("pen", i, "/", n)
			_, err := a.Allocate(ctx, ordered(id, Line{"pen", 1}))
			must(t, err, a.Cancel(ctx, id))
		}
	}
	close(stop)
	others.Wait()
}

// An order is explained by what was reserved, whatever is asked for besides.
func TestExplainAskedWithoutItsForm(t *testing.T) {
	a := street(t, 3, Options{})
	stocked(t, a, "L1", "tea", 9)
	o := ordered("o", Line{"tea", 2})
	o.Form, o.At = sourcing.ShipToStore, "L0"
	_, err := a.Allocate(t.Context(), o)
	must(t, err)
	for _, ask := range []Order{o, ordered("o", Line{"tea", 2}), {ID: "o", At: "L2", Lines: o.Lines}, {ID: "o", Near: o.Near, Form: sourcing.Ship, Lines: o.Lines}} {
		e, err := a.Explain(ask)
		must(t, err)
		if len(e.Chosen) != 1 || e.Chosen[0].Site != "L1" || e.Chosen[0].Form != sourcing.ShipToStore {
			t.Errorf("asked as %v at %q: chosen %+v", ask.Form, ask.At, e.Chosen)
		}
	}
}

// What a call about an order of several parts costs does not depend on how many
// others have the same reference: it reads the order's own parts, and no others.
func TestPartsAmongOthers(t *testing.T) {
	a := splitShop(t, Options{})
	stocked(t, a, "L3", "pen", 1<<20)
	o := ordered("o", Line{"tea", 5}, Line{"cup", 5})
	o.MaxLocations, o.Order = 2, "shared"
	_, err := a.Allocate(t.Context(), o)
	must(t, err)
	work := func() float64 {
		return testing.AllocsPerRun(100, func() {
			if r, err := a.Lookup("o"); err != nil || len(r.Parts) != 2 {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
	alone := work()
	for i := range 2000 {
		other := ordered(fmt.Sprint("other", i), Line{"pen", 1})
		other.Order = "shared"
		allocated(t, a, other, "L3")
	}
	if among := work(); among > 2*alone {
		t.Errorf("Lookup allocates %v times alone and %v times among others", alone, among)
	}
	must(t, a.Confirm(t.Context(), "o"), a.Cancel(t.Context(), "o"))
}
