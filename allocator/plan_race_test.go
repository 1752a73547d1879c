package allocator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// planTraffic is orders of every kind on few units in four stores, with a book of
// what came in and what is held.
type planTraffic struct {
	a        *Allocator
	received [2]atomic.Int64
	held     [][]Allocation // by goroutine
	full     atomic.Int64   // orders that got everything
	split    atomic.Int64   // of them, over several locations
	refused  atomic.Int64
}

var planSKUs = [2]string{"cup", "tea"}

// draw draws an order of some kind. Half of them ask for nothing that needs a plan.
func (f *planTraffic) draw(r *rand.Rand, id string) Order {
	o := Order{ID: id, Near: streetPoint(r.IntN(4)), Lines: []Line{{planSKUs[r.IntN(2)], r.Int64N(2) + 1}}}
	if r.IntN(2) == 0 {
		o.Lines = []Line{{"cup", r.Int64N(2) + 1}, {"tea", r.Int64N(2) + 1}}
	}
	switch r.IntN(6) {
	case 0:
		o.Form, o.MaxLocations = sourcing.Ship, 1+r.IntN(4)
	case 1:
		o.Form, o.At = sourcing.ShipToStore, fmt.Sprint("L", r.IntN(4))
	case 2:
		o.Form, o.MaxLocations, o.Partial = sourcing.Ship, 2, true
	}
	return o
}

func (f *planTraffic) step(r *rand.Rand, g, i int) error {
	ctx, id := context.Background(), fmt.Sprintf("%d/o%d", g, i)
	switch n := r.IntN(10); {
	case n < 6:
		got, err := f.a.Allocate(ctx, f.draw(r, id))
		if errors.Is(err, ErrNoLocation) {
			f.refused.Add(1)
			return nil
		}
		if err != nil {
			return err
		}
		f.held[g] = append(f.held[g], got)
		if len(got.Parts()) > 1 {
			f.split.Add(1)
		}
		f.full.Add(1)
	case n < 9 && len(f.held[g]) > 0:
		at := r.IntN(len(f.held[g]))
		got := f.held[g][at]
		f.held[g] = append(f.held[g][:at], f.held[g][at+1:]...)
		return f.cancel(ctx, got)
	case n == 9 && r.IntN(8) == 0:
		sku := r.IntN(2)
		f.received[sku].Add(1)
		return f.a.Receive(ctx, Receipt{ID: id, Location: fmt.Sprint("L", r.IntN(4)), Lines: []Line{{planSKUs[sku], 1}}})
	}
	return nil
}

// cancel ends every part.
func (f *planTraffic) cancel(ctx context.Context, got Allocation) error {
	for _, part := range got.Parts() {
		if err := f.a.Part(part.ID, part.Part).Cancel(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sums counts the units on hand and held of a SKU, and finds what is below zero.
func (f *planTraffic) sums(sku string) (onHand, held int64, err error) {
	for i := range 5 {
		v, e := f.a.Available(sku, fmt.Sprint("L", i))
		if e != nil || v.OnHand < 0 || v.Held < 0 || v.Available < 0 {
			err = fmt.Errorf("%s at L%d: %+v %w", sku, i, v, e)
		}
		onHand, held = onHand+v.OnHand, held+v.Held
	}
	return onHand, held, err
}

// Planned orders, hot ones, cancellations and receipts at once: no unit comes or
// goes by itself, none is below zero, and at the end what is held is what the
// orders say (P1).
func TestPlansConserveUnits(t *testing.T) {
	f := &planTraffic{a: street(t, 5, Options{Remember: 1 << 20}), held: make([][]Allocation, 16)}
	for sku, name := range planSKUs {
		for i := range 4 {
			stocked(t, f.a, fmt.Sprint("L", i), name, 2)
		}
		f.received[sku].Store(8)
	}
	stop, watching := make(chan struct{}), sync.WaitGroup{}
	watching.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, sku := range planSKUs {
				if _, _, err := f.sums(sku); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	steps := scaled(4000, 400)
	together(16, func(g int) {
		r := rand.New(rand.NewPCG(5, uint64(g)))
		for i := range steps {
			if err := f.step(r, g, i); err != nil {
				t.Error(err)
				return
			}
		}
	})
	close(stop)
	watching.Wait()
	open := map[string]int64{}
	for _, mine := range f.held {
		for _, got := range mine {
			for _, part := range got.Parts() {
				r, err := f.a.Part(part.ID, part.Part).Lookup()
				must(t, err)
				for _, line := range r.Lines {
					open[line.SKU] += line.Held
				}
			}
		}
	}
	for sku, name := range planSKUs {
		onHand, held, err := f.sums(name)
		if must(t, err); onHand != f.received[sku].Load() || held != open[name] {
			t.Errorf("%s: %d on hand of %d, %d held of %d", name, onHand, f.received[sku].Load(), held, open[name])
		}
	}
	if f.split.Load() == 0 || f.refused.Load() == 0 {
		t.Errorf("%d orders filled, %d split, %d refused", f.full.Load(), f.split.Load(), f.refused.Load())
	}
}

// With units enough for everybody at the far end of the street nobody is refused,
// whatever the others do with the few units nearby (P6).
func TestPlansAreNotRefusedWhileThereIsEnough(t *testing.T) {
	f := &planTraffic{a: street(t, 5, Options{Remember: 1 << 20}), held: make([][]Allocation, 16)}
	steps := scaled(3000, 300)
	for _, name := range planSKUs {
		for i := range 4 {
			stocked(t, f.a, fmt.Sprint("L", i), name, 1)
		}
		stocked(t, f.a, "L4", name, int64(16*steps*4))
	}
	together(16, func(g int) {
		r := rand.New(rand.NewPCG(6, uint64(g)))
		for i := range steps {
			if err := f.step(r, g, i); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for _, mine := range f.held {
		for _, got := range mine {
			if len(got.Missing()) > 0 {
				t.Errorf("%s misses %v", got.ID, got.Missing())
			}
		}
	}
	if f.refused.Load() != 0 {
		t.Errorf("%d orders refused of %d", f.refused.Load(), f.full.Load()+f.refused.Load())
	}
}

// A split order is there with all its parts or not at all, at every instant of
// the ledger's history.
func TestPlansAreAllOrNothing(t *testing.T) {
	a := street(t, 2, Options{FeedBytes: 8 << 20})
	stocked(t, a, "L0", "cup", 1)
	stocked(t, a, "L1", "tea", 1)
	ctx := context.Background()
	together(8, func(g int) {
		for i := range scaled(500, 60) {
			o := Order{ID: fmt.Sprintf("%d-%d", g, i), Near: streetPoint(0), Form: sourcing.Ship, MaxLocations: 2, Lines: []Line{{"cup", 1}, {"tea", 1}}}
			if i%3 == 0 {
				o.Lines = o.Lines[:1] // comes between
			}
			got, err := a.Allocate(ctx, o)
			if err != nil {
				if !errors.Is(err, ErrNoLocation) {
					t.Error(err)
				}
				continue
			}
			for n, part := range got.Parts() {
				if _, err := a.Part(part.ID, part.Part).Lookup(); err != nil {
					t.Errorf("part %d of %s: %v", n+1, o.ID, err)
				}
				must(t, a.Part(part.ID, part.Part).Cancel(ctx))
			}
		}
	})
	shelf(t, a, "L0", "cup", 1, 0, 0)
	shelf(t, a, "L1", "tea", 1, 0, 0)
	parts, last := map[string]int{}, ""
	for e, err := range a.History(ctx, 0) {
		must(t, err)
		if e.Name != "HoldPlaced" {
			continue
		}
		if e.Part > 1 && e.ID != last {
			t.Errorf("part %d of %s comes behind %s", e.Part, e.ID, last)
		}
		last = e.ID
		parts[e.ID]++
	}
	split := 0
	for order, n := range parts {
		if n > 2 {
			t.Errorf("%s has %d parts", order, n)
		}
		if n == 2 {
			split++
		}
	}
	if split == 0 {
		t.Error("no order was split")
	}
}

// planCall and planAnswer are a call of a history of two stores.
type planCall struct {
	verb   string // "one", "split", "short", "cancel", "receive"
	units  [2]int // wanted, by SKU
	stores [2]int // of what is canceled or received, by SKU; short: the store, twice
}

type planAnswer struct {
	held   bool
	stores [2]int // where each SKU was taken
}

// planLevel is the units available by SKU and store.
type planLevel [2][2]int

// planModel: an order for one location is refused only if each of the two stores
// was short of it, each at an instant of its own inside the call (P6), which is a
// call "short" for each; what is filled says from where. Only a refusal of a split, which looks at one store after the
// other, may be that of an instant that never was; it is not judged.
var planModel = porcupine.Model{
	Init: func() any { return planLevel{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(planLevel), input.(planCall), output.(planAnswer)
		switch in.verb {
		case "receive", "cancel":
			for sku, units := range in.units {
				s[sku][in.stores[sku]] += units
			}
			return true, s
		}
		if !out.held {
			store := in.stores[0]
			return in.verb != "short" || s[0][store] < in.units[0] || s[1][store] < in.units[1], s
		}
		for sku, units := range in.units {
			if s[sku][out.stores[sku]] < units {
				return false, s
			}
			s[sku][out.stores[sku]] -= units
		}
		return true, s
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

// planScribe writes down what one goroutine orders.
type planScribe struct {
	a      *Allocator
	clock  *atomic.Int64
	client int
	calls  []porcupine.Operation
}

func (s *planScribe) note(in planCall, call func() planAnswer) planAnswer {
	from := s.clock.Add(1)
	out := call()
	s.calls = append(s.calls, porcupine.Operation{ClientId: s.client, Input: in, Call: from, Output: out, Return: s.clock.Add(1)})
	return out
}

// order orders both SKUs, of one store or of two, and sometimes cancels part by
// part.
func (s *planScribe) order(t testing.TB, r *rand.Rand, id string) {
	in := planCall{verb: "one", units: [2]int{1 + r.IntN(2), 1 + r.IntN(2)}}
	o := Order{ID: id, Near: streetPoint(r.IntN(2)), Form: sourcing.Ship, MaxLocations: 1, Lines: []Line{{"cup", int64(in.units[0])}, {"tea", int64(in.units[1])}}}
	if r.IntN(2) == 0 {
		in.verb, o.MaxLocations, in.units = "split", 2, [2]int{1, 1} // one unit is not broken up
		o.Lines = []Line{{"cup", 1}, {"tea", 1}}
	}
	var got Allocation
	out := s.note(in, func() (out planAnswer) {
		var err error
		if got, err = s.a.Allocate(context.Background(), o); err != nil {
			if !errors.Is(err, ErrNoLocation) {
				t.Error(err)
			}
			return out
		}
		out.held = true
		for _, part := range got.Parts() {
			for _, line := range part.Lines() {
				for sku, name := range planSKUs {
					if line.SKU == name {
						out.stores[sku] = int(part.Location[1] - '0')
					}
				}
			}
		}
		return out
	})
	if !out.held || r.IntN(4) == 0 {
		return
	}
	for sku, name := range planSKUs { // a line at a time: the lines of one part come back one after the other
		for _, part := range got.Parts() {
			for _, line := range part.Lines() {
				if line.SKU == name {
					back := planCall{verb: "cancel", stores: out.stores}
					back.units[sku] = int(line.Quantity)
					s.note(back, func() planAnswer {
						must(t, s.a.Part(part.ID, part.Part).Cancel(context.Background(), line))
						return planAnswer{}
					})
				}
			}
		}
	}
}

// playPlanHistory lets four goroutines order and judges what they saw.
func playPlanHistory(t *testing.T, seed uint64, forge func(*planAnswer)) bool {
	a := street(t, 2, Options{})
	var clock atomic.Int64
	scribes := make([]*planScribe, 4)
	opening := &planScribe{a: a, clock: &clock, client: 4}
	receive := func(s *planScribe, id string, sku, store, units int) {
		in := planCall{verb: "receive"}
		in.units[sku], in.stores[sku] = units, store
		s.note(in, func() planAnswer {
			must(t, a.Receive(context.Background(), Receipt{ID: id, Location: fmt.Sprint("L", store), Lines: []Line{{planSKUs[sku], int64(units)}}}))
			return planAnswer{}
		})
	}
	for i := range 4 {
		receive(opening, fmt.Sprint("in ", i), i%2, i/2, 1+i%2)
	}
	together(len(scribes), func(g int) {
		r := rand.New(rand.NewPCG(seed, uint64(g)))
		s := &planScribe{a: a, clock: &clock, client: g}
		scribes[g] = s
		for i := range 10 {
			if id := fmt.Sprintf("%d-%d", g, i); r.IntN(5) == 0 {
				receive(s, id, r.IntN(2), r.IntN(2), 1)
			} else {
				s.order(t, r, id)
			}
		}
	})
	calls := opening.calls
	for _, s := range scribes {
		calls = append(calls, s.calls...)
	}
	if forge != nil {
		for i := range calls {
			if out := calls[i].Output.(planAnswer); calls[i].Input.(planCall).verb == "one" {
				forge(&out)
				calls[i].Output = out
			}
		}
	}
	return porcupine.CheckOperations(planModel, refusedApart(calls))
}

// refusedApart makes two calls of each refusal of an order for one location: one
// for each store that was short.
func refusedApart(calls []porcupine.Operation) (out []porcupine.Operation) {
	for _, c := range calls {
		in := c.Input.(planCall)
		if in.verb != "one" || c.Output.(planAnswer).held {
			out = append(out, c)
			continue
		}
		for store := range 2 {
			in.verb, in.stores = "short", [2]int{store, store}
			c.Input = in
			out = append(out, c)
		}
	}
	return out
}

// What concurrent callers of planned orders see is what they would have seen one
// after the other (P1, P6).
func TestPlansAreLinearizable(t *testing.T) {
	for seed := range scaled(500, 40) {
		if !playPlanHistory(t, uint64(seed), nil) {
			t.Fatalf("the history of seed %d has no order in which it is right", seed)
		}
	}
}

// TestPlansLinearizableCatches: histories with answers nobody gave are caught.
func TestPlansLinearizableCatches(t *testing.T) {
	for name, forge := range map[string]func(*planAnswer){
		"refused all the same": func(a *planAnswer) { a.held = false },
		"held all the same":    func(a *planAnswer) { a.held = true },
	} {
		caught := 0
		for seed := range 20 {
			if !playPlanHistory(t, uint64(seed), forge) {
				caught++
			}
		}
		if caught == 0 {
			t.Errorf("%s: not caught", name)
		}
	}
}
