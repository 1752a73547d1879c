package allocator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/geo"
)

func TestEndsOfAReservation(t *testing.T) {
	a := street(t, 1, Options{})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 10)
	stocked(t, a, "L0", "cup", 10)
	allocated(t, a, ordered("o", Line{"tea", 5}, Line{"cup", 2}), "L0")
	must(t, a.Cancel(ctx, "o", Line{"tea", 1}), a.Collect(ctx, "o", Line{"tea", 1}, Line{"cup", 1}, Line{"tea", 1}))
	shelf(t, a, "L0", "tea", 8, 2, 0)
	shelf(t, a, "L0", "cup", 9, 1, 0)
	r := state(t, a, "o", Held)
	want := []ReservedLine{{SKU: "tea", Quantity: 5, Held: 2, Collected: 2, Canceled: 1}, {SKU: "cup", Quantity: 2, Held: 1, Collected: 1}}
	if !slices.Equal(r.Lines, want) {
		t.Errorf("lines %+v", r.Lines)
	}
	// More than is held: nothing of any line.
	over := []Line{{"cup", 1}, {"tea", 2}, {"tea", 1}}
	err := a.Cancel(ctx, "o", over...)
	refused(t, err, ErrShortage, `allocator: cancel "o": reservation: not enough units of SKU "tea" at "L0": wanted 3, there are 2`)
	refused(t, a.Collect(ctx, "o", over...), ErrShortage, `allocator: collect "o": reservation: not enough units of SKU "tea" at "L0": wanted 3, there are 2`)
	stocked(t, a, "L0", "hat", 1)
	refused(t, a.Cancel(ctx, "o", Line{"hat", 1}), ErrShortage, `allocator: cancel "o": reservation: not enough units of SKU "hat" at "L0": wanted 1, there are 0`)
	if got := state(t, a, "o", Held); !slices.Equal(got.Lines, want) {
		t.Errorf("a refusal changed the lines to %+v", got.Lines)
	}
	must(t, a.Cancel(ctx, "o"))
	state(t, a, "o", Collected)
	shelf(t, a, "L0", "tea", 8, 0, 0)
	shelf(t, a, "L0", "cup", 9, 0, 0)
	if s := a.Stats(); s.Canceled != 1 || s.Collected != 0 || s.Held != 0 {
		t.Errorf("stats %+v", s)
	}
}

// A reservation ends once; whoever comes later is told how.
func TestSecondEnd(t *testing.T) {
	a := street(t, 1, Options{})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 2)
	allocated(t, a, ordered("canceled", Line{"tea", 1}), "L0")
	allocated(t, a, ordered("collected", Line{"tea", 1}), "L0")
	must(t, a.Cancel(ctx, "canceled"), a.Collect(ctx, "collected"))
	must(t, book(t, a, "till sale", "s", "L0", Line{"tea", 1})) // nothing is left on hand
	for _, id := range []string{"canceled", "collected"} {
		for _, lines := range [][]Line{nil, {{"tea", 1}}, {{"tea", 9}}} {
			err := a.Cancel(ctx, id, lines...)
			refused(t, err, ErrEnded, `allocator: cancel "`+id+`": reservation: reservation "`+id+`" has ended: already `+id)
			if e := as[*EndedError](t, err); e.ID != id || e.State.String() != id {
				t.Errorf("got %+v", e)
			}
			refused(t, a.Collect(ctx, id, lines...), ErrEnded, `allocator: collect "`+id+`": reservation: reservation "`+id+`" has ended: already `+id)
		}
	}
	shelf(t, a, "L0", "tea", 0, 0, 0)
	if s := a.Stats(); s.Canceled != 1 || s.Collected != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestEndFaults(t *testing.T) {
	a := street(t, 1, Options{MaxLines: 2})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 2)
	allocated(t, a, ordered("o", Line{"tea", 2}), "L0")
	for verb, end := range map[string]func(context.Context, string, ...Line) error{"collect": a.Collect, "cancel": a.Cancel} {
		prefix := "allocator: " + verb + ` "o": `
		refused(t, end(ctx, "o", Line{"tea", 0}), ErrInvalid, prefix+`invalid Lines[0].Quantity 0: must be 1 or more`)
		refused(t, end(ctx, "o", Line{"tea", -1}), ErrInvalid, prefix+`invalid Lines[0].Quantity -1: must be 1 or more`)
		refused(t, end(ctx, "o", Line{"tea", tooMuch}), ErrOverflow, prefix+`2147483648 units of SKU "tea" in Lines[0]: quantity out of range`)
		refused(t, end(ctx, "o", make([]Line, 3)...), ErrInvalid, prefix+`invalid Lines 3: has more lines than the 2 of Options.MaxLines`)
		refused(t, end(ctx, "o", Line{"tee", 1}), ErrUnknownSKU, prefix+`unknown SKU: "tee"`)
		refused(t, end(ctx, "p"), ErrNotFound, "allocator: "+verb+` "p": reservation: reservation not found`)
		refused(t, end(ctx, "p", Line{"tea", 1}), ErrNotFound, "allocator: "+verb+` "p": reservation: reservation not found`)
	}
	_, err := a.Lookup("p")
	refused(t, err, ErrNotFound, `allocator: look up "p": reservation not found`)
	_, err = a.Available("tee", "L0")
	refused(t, err, ErrUnknownSKU, `allocator: available: unknown SKU: "tee"`)
	shelf(t, a, "L0", "tea", 2, 2, 0)
}

// able is what Nearby shows that could fill the order.
func able(near iter.Seq[Candidate]) iter.Seq[Candidate] {
	return func(yield func(Candidate) bool) {
		for c := range near {
			if c.Reason == 0 && !yield(c) {
				return
			}
		}
	}
}

func TestNearby(t *testing.T) {
	a := street(t, 4, Options{MaxDistance: 2500})
	for i, units := range []int64{3, 1, 5, 5} {
		stocked(t, a, fmt.Sprintf("L%d", i), "tea", units)
		stocked(t, a, fmt.Sprintf("L%d", i), "cup", 2)
	}
	lines := []Line{{"tea", 1}, {"cup", 1}, {"tea", 2}}
	q := Order{Near: streetPoint(0), Lines: lines}
	near, err := a.Nearby(q)
	must(t, err)
	for range 2 { // each walk begins anew
		got := slices.Collect(able(near))
		if len(got) != 2 || got[0].Location != "L0" || got[1].Location != "L2" || !slices.Equal(got[1].Available, []int64{5, 2, 5}) {
			t.Fatalf("got %+v", got)
		}
		if got[0].Distance != 0 || got[1].Distance != geo.Distance(streetPoint(0), streetPoint(2)) {
			t.Errorf("distances %+v", got)
		}
	}
	for c := range near {
		// What a page shows may be reserved from inside the walk.
		allocated(t, a, ordered("o", Line{"tea", 3}), c.Location)
		break
	}
	if got := slices.Collect(able(near)); len(got) != 1 || got[0].Location != "L2" {
		t.Errorf("got %+v", got)
	}
	for _, c := range []struct {
		change func(*Order)
		fact   error
		text   string
	}{
		{func(q *Order) { q.Lines = nil }, ErrInvalid, `allocator: nearby: invalid Lines 0: must have at least one line`},
		{func(q *Order) { q.Near.Lon = 181 }, ErrInvalid, `allocator: nearby: invalid Near geo.Point{Lat:50, Lon:181}: geo: Lon 181: outside -180 to 180 degrees`},
		{func(q *Order) { q.MaxDistance = -2 }, ErrInvalid, `allocator: nearby: invalid MaxDistance -2: must be a finite number of meters, 0 or more`},
		{func(q *Order) { q.Kinds = []Kind{4} }, ErrInvalid, `allocator: nearby: invalid Kinds[0] 0x4: is not a kind of location`},
		{func(q *Order) { q.Lines = []Line{{"tee", 1}} }, ErrUnknownSKU, `allocator: nearby: unknown SKU: "tee"`},
		{func(q *Order) { q.Lines = []Line{{"tea", tooMuch}} }, ErrOverflow, `allocator: nearby: 2147483648 units of SKU "tea" in Lines[0]: quantity out of range`},
	} {
		bad := q
		c.change(&bad)
		_, err := a.Nearby(bad)
		refused(t, err, c.fact, c.text)
	}
}

// everyCall calls each method that can be refused, and returns what it said.
func everyCall(ctx context.Context, a *Allocator) map[string]error {
	_, allocate := a.Allocate(ctx, ordered("o", Line{"tea", 1}))
	_, lookup := a.Lookup("o")
	_, available := a.Available("tea", "L0")
	_, nearby := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"tea", 1}}})
	_, extend := a.Extend(ctx, "o", time.Second)
	return map[string]error{
		"allocate": allocate, `look up "o"`: lookup, "available": available, "nearby": nearby,
		`cancel "o"`: a.Cancel(ctx, "o"), `collect "o"`: a.Collect(ctx, "o"),
		"received": a.Receive(ctx, Receipt{}), "counted": a.Count(ctx, Count{}), "sold": a.Sell(ctx, Sale{}),
		"adjusted": a.Adjust(ctx, Adjustment{}), "damaged": a.WriteOff(ctx, Damage{}), "sent": a.Send(ctx, Transfer{}),
		"delivered": a.Deliver(ctx, Delivery{}), "lost": a.Lose(ctx, Loss{}), "change": a.Change(ctx, Change{}),
		"return": a.Return(ctx, Return{}), `confirm "o"`: a.Confirm(ctx, "o"), `accept "o"`: a.Accept(ctx, "o"),
		`dispatch "o"`: a.Dispatch(ctx, "o", "L0"), `arrive "o"`: a.Arrive(ctx, "o"), `ready "o"`: a.Ready(ctx, "o", Pickup{}),
		`short pick "o"`: a.ShortPick(ctx, "o"), `extend "o"`: extend, `reassign "o"`: a.Reassign(ctx, "o", "", Owner{}),
		`order "all"`: a.AllocateAll(ctx, ordered("all", Line{"tea", 1}))[0].Err, "snapshot": a.Snapshot(ctx),
		"set safety stock": a.SetSafetyStock(ctx, SafetyStock{}),
		"set locations":    a.SetLocations(ctx, Location{}), "remove location": a.RemoveLocation(ctx, "L0"),
	}
}

func TestUseAfterClose(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 2)
	allocated(t, a, ordered("o", Line{"tea", 1}), "L0")
	near, err := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"tea", 1}}})
	must(t, err)
	must(t, a.Close(), a.Close())
	for what, err := range everyCall(t.Context(), a) {
		refused(t, err, ErrClosed, "allocator: "+what+": allocator is closed")
	}
	for c := range near {
		t.Errorf("a walk after Close found %+v", c)
	}
	if s := a.Stats(); s.Allocated != 1 || s.Held != 1 || s.Locations != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestCanceledContext(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 2)
	allocated(t, a, ordered("o", Line{"tea", 1}), "L0")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range everyCall(ctx, a) {
		switch what {
		case "available", "nearby", `look up "o"`: // they take no context
			must(t, err)
		default:
			refused(t, err, context.Canceled, "allocator: "+what+": context canceled")
		}
	}
	shelf(t, a, "L0", "tea", 2, 1, 0)
	state(t, a, "o", Held)
}

// expiring is a context that ends after a number of looks at it.
type expiring struct {
	context.Context
	looks atomic.Int64
}

func (c *expiring) Err() error {
	if c.looks.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// A context that ends during a bulk call ends it between two movements.
func TestContextEndsDuringBulk(t *testing.T) {
	a := street(t, 1, Options{})
	ctx := &expiring{Context: t.Context()}
	ctx.looks.Store(3)
	list := []Receipt{{ID: "r0", Location: "L0", Lines: []Line{{"tea", 1}}}, {ID: "r1", Location: "L0", Lines: []Line{{"tea", 1}}}, {ID: "r2", Location: "L0", Lines: []Line{{"tea", 1}}}}
	refused(t, a.Receive(ctx, list...), context.Canceled, "allocator: received: 2 of 3 booked: context canceled")
	shelf(t, a, "L0", "tea", 2, 0, 0)
	must(t, a.Receive(t.Context(), list...))
	shelf(t, a, "L0", "tea", 3, 0, 0)
}

// Close waits for the calls in flight, lets later ones fail, and leaves what was
// booked as it was.
func TestCloseDuringTraffic(t *testing.T) {
	for range 20 {
		a := street(t, 8, Options{})
		for i := range 8 {
			stocked(t, a, fmt.Sprintf("L%d", i), "tea", 1<<20)
		}
		var calls sync.WaitGroup
		var held atomic.Int64
		running := make(chan struct{})
		for g := range 8 {
			calls.Go(func() {
				for i := 0; ; i++ {
					if g == 0 && i == 50 {
						close(running)
					}
					_, err := a.Allocate(context.Background(), Order{ID: fmt.Sprintf("%d/%d", g, i), Near: streetPoint(g), Lines: []Line{{"tea", 1}}})
					if err != nil {
						if !errors.Is(err, ErrClosed) {
							t.Error(err)
						}
						return
					}
					held.Add(1)
				}
			})
		}
		<-running
		var closers sync.WaitGroup
		for range 3 {
			closers.Go(func() { must(t, a.Close()) })
		}
		closers.Wait()
		calls.Wait()
		if s := a.Stats(); int64(s.Allocated) != held.Load() || int64(s.Held) != held.Load() {
			t.Fatalf("%d orders were held, stats %+v", held.Load(), s)
		}
	}
}
