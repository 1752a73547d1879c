package allocator

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// These are bugs that shops and order managers had, in our terms, as far as they
// concern the life of a reservation. The ones that concern the claim alone stand
// in oversell_test.go.

// Payment is slower than the hold: the goods went to somebody else meanwhile.
// Confirming says so and takes nothing (Vendure #1738, #3508: stock gone between
// "arranging payment" and "paid", and the paid order silently short).
func TestPaymentSlowerThanTheHold(t *testing.T) {
	var clock handClock
	a := street(t, 1, Options{Clock: clock.now, ManualExpiry: true, HoldFor: time.Minute})
	stocked(t, a, "L0", "tea", 1)
	_, err := a.Allocate(t.Context(), ordered("slow", Line{"tea", 1}))
	must(t, err)
	clock.add(time.Minute)
	_, err = a.Expire(clock.now())
	must(t, err)
	_, err = a.Allocate(t.Context(), ordered("quick", Line{"tea", 1}))
	must(t, err, a.Confirm(t.Context(), "quick"))
	var ended *EndedError
	if err := a.Confirm(t.Context(), "slow"); !errors.As(err, &ended) || ended.State != Expired {
		t.Errorf("confirming what has expired: %v", err)
	}
	if v, _ := a.Available("tea", "L0"); v.Held != 1 || v.OnHand != 1 {
		t.Errorf("got %+v", v)
	}
}

// A live hold can always be confirmed, whatever happens to the stock: also when a
// count takes everything away. Then it is short, by name, and still confirmed
// (Vendure PR 4930, Saleor PR 6897: the check ran again at payment and failed).
func TestConfirmNeverFailsForStock(t *testing.T) {
	a := street(t, 1, Options{FeedBytes: 1 << 20})
	stocked(t, a, "L0", "tea", 2)
	_, err := a.Allocate(t.Context(), ordered("o", Line{"tea", 2}))
	must(t, err)
	must(t, a.Count(t.Context(), Count{ID: "c", Location: "L0", Lines: []Line{{"tea", 0}}}))
	must(t, a.Confirm(t.Context(), "o"))
	r, err := a.Lookup("o")
	if must(t, err); r.State != Confirmed || r.Lines[0].Short != 2 {
		t.Errorf("got %+v", r)
	}
	var short bool
	for e, err := range a.History(t.Context(), 0) {
		must(t, err)
		short = short || e.Name == history.Shorted.Name() && e.ID == "o" && e.Lines[0].Units == 2
	}
	if !short {
		t.Error("the shortage is silent")
	}
	var shortage *ShortageError
	if err := a.Collect(t.Context(), "o"); !errors.As(err, &shortage) {
		t.Errorf("collecting what is not there: %v", err)
	}
}

// Ending a hold twice frees its units once (Medusa #12401: the reserved quantity
// went below zero after deletes).
func TestDoubleReleaseFreesOnce(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 3)
	_, err := a.Allocate(t.Context(), ordered("o", Line{"tea", 2}))
	must(t, err, a.Confirm(t.Context(), "o"), a.Cancel(t.Context(), "o"))
	var ended *EndedError
	if err := a.Cancel(t.Context(), "o"); !errors.As(err, &ended) || ended.State != Canceled {
		t.Errorf("a second cancel: %v", err)
	}
	if v, _ := a.Available("tea", "L0"); v.Held != 0 || v.Available != 3 {
		t.Errorf("got %+v", v)
	}
}

// While one customer pays, nobody waits: a hold is no lock (Saleor PR 11069: row
// locks held while the payment provider answered).
func TestPaymentHoldsNoLock(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 1000)
	_, err := a.Allocate(t.Context(), ordered("paying", Line{"tea", 1}))
	must(t, err)
	paid := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { <-paid; must(t, a.Confirm(t.Context(), "paying")) })
	for i := range 900 { // all of them while the payment goes on
		_, err := a.Allocate(t.Context(), ordered(string(rune('a'+i%26))+string(rune('0'+i/26)), Line{"tea", 1}))
		must(t, err)
	}
	close(paid)
	wg.Wait()
}

// Of confirm, cancel and expire that race on one hold exactly one decides what
// becomes of it (P4).
func TestExactlyOneEnd(t *testing.T) {
	const rounds = 2000
	var clock handClock
	a := street(t, 1, Options{Clock: clock.now, ManualExpiry: true, HoldFor: time.Minute})
	stocked(t, a, "L0", "tea", rounds)
	var outcomes [3]int
	for i := range rounds {
		id := "o" + string(rune('0'+i%10)) + string(rune('0'+i/10%10)) + string(rune('0'+i/100%10)) + string(rune('0'+i/1000))
		_, err := a.Allocate(t.Context(), ordered(id, Line{"tea", 1}))
		must(t, err)
		clock.add(time.Minute)
		var confirmed, canceled atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() { confirmed.Store(a.Confirm(t.Context(), id) == nil) })
		wg.Go(func() { canceled.Store(a.Cancel(t.Context(), id) == nil) })
		wg.Go(func() { a.Expire(clock.now()) })
		wg.Wait()
		r, err := a.Lookup(id)
		must(t, err)
		switch {
		case r.State == Expired && !confirmed.Load() && !canceled.Load():
			outcomes[0]++
		case r.State == Canceled && canceled.Load(): // a confirmed one can be canceled, too
			outcomes[1]++
		case r.State == Confirmed && confirmed.Load() && !canceled.Load():
			outcomes[2]++
			must(t, a.Cancel(t.Context(), id))
		default:
			t.Fatalf("%s: confirmed %v, canceled %v, but it is %v", id, confirmed.Load(), canceled.Load(), r.State)
		}
	}
	t.Logf("expired %d, canceled %d, confirmed %d", outcomes[0], outcomes[1], outcomes[2])
	if v, _ := a.Available("tea", "L0"); v.Held != 0 || v.Available != rounds {
		t.Errorf("got %+v", v)
	}
}

// handClock is a clock that only the test moves.
type handClock struct{ passed atomic.Int64 }

func (c *handClock) now() time.Time { return time.UnixMilli(1_800_000_000_000 + c.passed.Load()) }

func (c *handClock) add(d time.Duration) { c.passed.Add(d.Milliseconds()) }

// A reservation that is canceled while goods come in takes its own shortage with it,
// and not that of another: whoever covers what came in looks at what is missing
// first, and then at who is short. The other way around it took the mark off a
// reservation whose goods were still gone, and nobody was told.
func TestCancelBesideAReceiptLeavesNobodySilentlyShort(t *testing.T) {
	const others = 24
	a := street(t, 1, Options{})
	for round := range scaled(4000, 400) {
		id := func(i int) string { return fmt.Sprintf("o%d-%d", round, i) }
		must(t, a.Count(t.Context(), Count{ID: fmt.Sprint("c", round), Location: "L0", Lines: []Line{{"tea", 2*others + 2}}}))
		for i := range others + 1 {
			must(t, second(a.Allocate(t.Context(), ordered(id(i), Line{"tea", 2}))))
		}
		must(t, a.Count(t.Context(), Count{ID: fmt.Sprint("d", round), Location: "L0", Lines: []Line{{"tea", 0}}}))
		together(2, func(g int) {
			if g == 0 {
				must(t, a.Cancel(t.Context(), id(others)))
			} else {
				must(t, a.Receive(t.Context(), Receipt{ID: fmt.Sprint("r", round), Location: "L0", Lines: []Line{{"tea", 1}}}))
			}
		})
		short := int64(0)
		for i := range others {
			r, err := a.Lookup(id(i))
			must(t, err)
			short += r.Lines[0].Short
		}
		for i := range others {
			must(t, a.Cancel(t.Context(), id(i)))
		}
		if short != 2*others-1 {
			t.Fatalf("round %d: %d units are short, and %d are gone", round, short, 2*others-1)
		}
	}
}
