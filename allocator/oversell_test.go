package allocator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// These are the ways in which commerce systems are known to have sold what they
// did not have, each as it would look at this door.

// Two checkouts at once on the last unit: both succeeded, because each looked
// before either had taken.
func TestOversellTwoCheckoutsOnTheLastUnit(t *testing.T) {
	a := street(t, 1, Options{})
	rounds := 2000
	if !scaletest.Full() {
		rounds = 200
	}
	for round := range rounds {
		stocked(t, a, "L0", "tea", 1)
		var won atomic.Int64
		together(2, func(g int) {
			if _, err := a.Allocate(context.Background(), ordered(fmt.Sprintf("%d/%d", round, g), Line{"tea", 1})); err == nil {
				won.Add(1)
			} else if !errors.Is(err, ErrNoLocation) {
				t.Error(err)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("round %d: %d orders got the last unit", round, won.Load())
		}
	}
	shelf(t, a, "L0", "tea", int64(rounds), int64(rounds), 0)
}

// together runs f in n goroutines that start at one signal, and waits for all.
func together(n int, f func(g int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for g := range n {
		all.Go(func() {
			<-start
			f(g)
		})
	}
	close(start)
	all.Wait()
}

// One shelf seen by two sales channels: only one channel's number went down. A
// web shop orders near a point, a kiosk names the store, the till sells.
func TestOversellTwoChannelsOnOneShelf(t *testing.T) {
	a := street(t, 1, Options{})
	for round := range 200 {
		stocked(t, a, "L0", "tea", 1)
		id := func(channel string) string { return fmt.Sprint(channel, round) }
		orders := []Order{ordered(id("web"), Line{"tea", 1}), {ID: id("kiosk"), At: "L0", Lines: []Line{{"tea", 1}}}}
		var won atomic.Int64
		together(2, func(g int) {
			if _, err := a.Allocate(context.Background(), orders[g]); err == nil {
				won.Add(1)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d channels got the one unit", won.Load())
		}
		shelf(t, a, "L0", "tea", 1, 1, 0)
		for _, o := range orders {
			if err := a.Collect(t.Context(), o.ID); err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
		}
		as[*ShortageError](t, book(t, a, "till sale", id("till"), "L0", Line{"tea", 1}))
	}
}

// Two lines of one SKU in one order: each was checked against the same number,
// and their sum oversold.
func TestOversellTwoLinesOfOneSKU(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 3)
	lines := []Line{{"tea", 2}, {"tea", 2}}
	_, err := a.Allocate(t.Context(), ordered("o", lines...))
	refused(t, err, ErrNoLocation, `allocator: order "o": no location can fill the order: 2 short, 0 too far, 0 of another kind, 0 outside the service area; nearest: "L0" 0.0 km short of SKU "tea", "L1" 1.1 km short of SKU "tea"`)
	_, err = a.Allocate(t.Context(), Order{ID: "o", At: "L0", Lines: lines})
	as[*NoLocationError](t, err)
	near, err := a.Nearby(Order{Near: streetPoint(0), Lines: lines})
	must(t, err)
	for c := range able(near) {
		t.Errorf("%q cannot fill the lines", c.Location)
	}
	stocked(t, a, "L0", "tea", 1)
	allocated(t, a, ordered("o", lines...), "L0")
	if r := state(t, a, "o", Held); len(r.Lines) != 1 || r.Lines[0].Quantity != 4 {
		t.Errorf("lines %+v", r.Lines)
	}
	shelf(t, a, "L0", "tea", 4, 4, 0)
	// The same for what leaves: no line of the two may go by itself.
	as[*ShortageError](t, a.Collect(t.Context(), "o", Line{"tea", 3}, Line{"tea", 2}))
	as[*ShortageError](t, book(t, a, "till sale", "s", "L0", Line{"tea", 3}, Line{"tea", 2}))
	shelf(t, a, "L0", "tea", 4, 4, 0)
}

// A reservation released twice: the reserved quantity went below zero, and the
// goods came back twice.
func TestOversellDoubleRelease(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 1)
	for round := range 500 {
		o := ordered(fmt.Sprint(round), Line{"tea", 1})
		allocated(t, a, o, "L0")
		var ended atomic.Int64
		together(3, func(g int) {
			lines := [][]Line{nil, o.Lines, nil}[g]
			switch err := a.Cancel(context.Background(), o.ID, lines...); {
			case err == nil:
				ended.Add(1)
			case !errors.Is(err, ErrEnded):
				t.Error(err)
			}
		})
		if ended.Load() != 1 {
			t.Fatalf("%d calls canceled it", ended.Load())
		}
		shelf(t, a, "L0", "tea", 1, 0, 0)
	}
}

// Canceled and collected at once: the goods were handed over and came back too.
func TestOversellCancelAgainstCollect(t *testing.T) {
	a := street(t, 1, Options{})
	for round := range 500 {
		stocked(t, a, "L0", "tea", 1)
		id := fmt.Sprint(round)
		before, err := a.Available("tea", "L0")
		must(t, err)
		allocated(t, a, ordered(id, Line{"tea", 1}), "L0")
		errs := make([]error, 2)
		together(2, func(g int) {
			if g == 0 {
				errs[0] = a.Cancel(context.Background(), id)
			} else {
				errs[1] = a.Collect(context.Background(), id)
			}
		})
		switch {
		case errs[0] == nil && errors.Is(errs[1], ErrEnded):
			state(t, a, id, Canceled)
			shelf(t, a, "L0", "tea", before.OnHand, 0, 0)
		case errs[1] == nil && errors.Is(errs[0], ErrEnded):
			state(t, a, id, Collected)
			shelf(t, a, "L0", "tea", before.OnHand-1, 0, 0)
		default:
			t.Fatalf("cancel: %v, collect: %v", errs[0], errs[1])
		}
	}
}

// Looked at when the basket was shown, taken when it was paid: in between the
// stock went, and the paid order was silently left short. Here the second look
// is the reservation, and it says no.
func TestOversellStockGoneBetweenLookAndOrder(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 1)
	near, err := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"tea", 1}}})
	must(t, err)
	for c := range near {
		allocated(t, a, ordered("quick", Line{"tea", 1}), c.Location)
		_, err := a.Allocate(t.Context(), Order{ID: "slow", At: c.Location, Lines: []Line{{"tea", 1}}})
		refused(t, err, ErrNoLocation, `allocator: order "slow": no location can fill the order: 1 short, 0 too far, 0 of another kind, 0 outside the service area; nearest: "L0" 0.0 km short of SKU "tea"`)
	}
	shelf(t, a, "L0", "tea", 1, 1, 0)
}

// What is held stays collectable whatever other orders do: payment may take its
// time, no lock is held meanwhile, and nobody else gets the units.
func TestOversellHeldWhileOthersOrder(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 4)
	allocated(t, a, ordered("slow payer", Line{"tea", 3}), "L0")
	together(8, func(g int) {
		for i := range 200 {
			id := fmt.Sprintf("%d/%d", g, i)
			if _, err := a.Allocate(context.Background(), ordered(id, Line{"tea", 1})); err == nil {
				if err := a.Cancel(context.Background(), id); err != nil {
					t.Error(err)
				}
			}
		}
	})
	shelf(t, a, "L0", "tea", 4, 3, 0)
	must(t, a.Collect(t.Context(), "slow payer"))
	shelf(t, a, "L0", "tea", 1, 0, 0)
}

// The order was written, the answer was lost, and the retry reserved again.
func TestOversellRetryAfterALostAnswer(t *testing.T) {
	a := street(t, 3, Options{})
	for i := range 3 {
		stocked(t, a, fmt.Sprintf("L%d", i), "tea", 1)
	}
	for round := range 300 {
		o := ordered(fmt.Sprint(round), Line{"tea", 1})
		answers := make([]Allocation, 8)
		together(len(answers), func(g int) {
			var err error
			if answers[g], err = a.Allocate(context.Background(), o); err != nil {
				t.Error(err)
			}
		})
		for _, got := range answers {
			if got != answers[0] {
				t.Fatalf("answers differ: %+v", answers)
			}
		}
		held := int64(0)
		for i := range 3 {
			level, err := a.Available("tea", fmt.Sprintf("L%d", i))
			must(t, err)
			held += level.Held
		}
		if held != 1 {
			t.Fatalf("%d units are held for one order", held)
		}
		must(t, a.Cancel(t.Context(), o.ID))
	}
}
