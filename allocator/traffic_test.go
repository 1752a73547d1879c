package allocator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/geo"
)

// scaled is how often to do something: all of n with the full counts, a part of it
// without them or under the race detector.
func scaled(n, part int) int {
	if !scaletest.Full() || raced {
		return part
	}
	return n
}

// Of 64 callers who want the one unit there is, one gets it, in every round.
func TestOneUnitOneWinner(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 1)
	const callers = 64
	ids := make([]string, callers)
	for g := range ids {
		ids[g] = fmt.Sprint("caller ", g)
	}
	ctx := context.Background()
	for round := range scaled(100_000, 1000) {
		var winners, winner atomic.Int64
		together(callers, func(g int) {
			o := ordered(ids[g]+fmt.Sprint(" in ", round), Line{"tea", 1})
			switch _, err := a.Allocate(ctx, o); {
			case err == nil:
				winners.Add(1)
				winner.Store(int64(g))
			case !errors.Is(err, ErrNoLocation):
				t.Error(err)
			}
		})
		if winners.Load() != 1 {
			t.Fatalf("round %d: %d winners", round, winners.Load())
		}
		must(t, a.Cancel(ctx, ids[winner.Load()]+fmt.Sprint(" in ", round)))
	}
	shelf(t, a, "L0", "tea", 1, 0, 0)
}

// Two units of tea and one cup: whoever orders both holds at most one tea, so an
// order of one tea is never refused, however many others are just failing at
// the cup with a tea in hand.
func TestNoRefusalWhileOthersFail(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 2)
	stocked(t, a, "L0", "cup", 1)
	ctx := context.Background()
	var done atomic.Bool
	var failing sync.WaitGroup
	var failed atomic.Int64
	for g := range 6 {
		failing.Go(func() {
			for i := 0; !done.Load(); i++ {
				id := fmt.Sprintf("both %d/%d", g, i)
				if _, err := a.Allocate(ctx, ordered(id, Line{"tea", 1}, Line{"cup", 1})); err != nil {
					failed.Add(1)
				} else if err := a.Cancel(ctx, id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range scaled(100_000, 5000) {
		o := ordered(fmt.Sprint("tea ", i), Line{"tea", 1})
		if i%2 == 0 {
			o.At = "L0"
		}
		if _, err := a.Allocate(ctx, o); err != nil {
			t.Errorf("with a unit on the shelf: %v", err)
			break
		}
		must(t, a.Cancel(ctx, o.ID))
	}
	done.Store(true)
	failing.Wait()
	shelf(t, a, "L0", "tea", 2, 0, 0)
	shelf(t, a, "L0", "cup", 1, 0, 0)
	if failed.Load() == 0 {
		t.Log("no order failed")
	}
}

// traffic is a small shop floor under fire, with its own book of what came in
// and what left by the till.
type traffic struct {
	a        *Allocator
	stores   int
	received [4][]atomic.Int64 // by SKU and store
	sold     [4][]atomic.Int64
	ids      [][]string // by goroutine: orders that were held
}

var trafficSKUs = [4]string{"a", "b", "c", "d"}

func (f *traffic) goods(r *rand.Rand, id string, most int64) (g Receipt, sku, store int) {
	sku, store = r.IntN(4), r.IntN(f.stores)
	return Receipt{ID: id, Location: fmt.Sprintf("L%d", store), Lines: []Line{{trafficSKUs[sku], r.Int64N(most) + 1}}}, sku, store
}

// step is one random call.
func (f *traffic) step(r *rand.Rand, g, i int, tills bool) error {
	ctx := context.Background()
	id := fmt.Sprintf("%d/%d", g, i)
	switch n := r.IntN(100); {
	case n < 45:
		o := Order{ID: id, Near: streetPoint(r.IntN(f.stores)), Lines: []Line{{trafficSKUs[r.IntN(4)], r.Int64N(2) + 1}}}
		if n < 25 {
			o.Lines = append(o.Lines, Line{trafficSKUs[r.IntN(4)], 1})
		}
		if n < 5 {
			o.At = fmt.Sprintf("L%d", r.IntN(f.stores))
		}
		_, err := f.a.Allocate(ctx, o)
		if err == nil {
			f.ids[g] = append(f.ids[g], id)
		}
		return expected(err, ErrNoLocation)
	case n < 80 && len(f.ids[g]) > 0:
		id := f.ids[g][r.IntN(len(f.ids[g]))]
		if n < 70 {
			return expected(f.a.Cancel(ctx, id), ErrEnded)
		}
		return expected(f.a.Collect(ctx, id), ErrEnded, ErrShortage)
	case n < 85:
		got, sku, store := f.goods(r, id, 3)
		f.received[sku][store].Add(got.Lines[0].Quantity)
		return f.a.Receive(ctx, got)
	case n < 88 && tills:
		got, sku, store := f.goods(r, id, 2)
		err := f.a.Sell(ctx, Sale(got))
		if err == nil {
			f.sold[sku][store].Add(got.Lines[0].Quantity)
		}
		return expected(err, ErrShortage)
	case n < 90:
		return f.a.SetSafetyStock(ctx, SafetyStock{SKU: trafficSKUs[r.IntN(4)], Units: r.Int64N(2)})
	case n == 90: // joins behind the numbered ones
		return f.a.SetLocations(ctx, Location{ID: "far " + id, Point: geo.Point{Lat: -50, Lon: r.Float64()}})
	case n == 91: // has everything numbered anew
		return f.a.SetLocations(ctx, Location{ID: "wanderer", Point: geo.Point{Lat: -60, Lon: r.Float64()}})
	}
	sku, store := trafficSKUs[r.IntN(4)], fmt.Sprintf("L%d", r.IntN(f.stores))
	v, err := f.a.Available(sku, store)
	if v.OnHand < 0 || v.Held < 0 || !tills && v.Held > v.OnHand || v.Available != v.OnHand-v.Held-v.Safety {
		return fmt.Errorf("%s at %s: %+v", sku, store, v)
	}
	return err
}

// expected drops the errors that traffic meets as a matter of course.
func expected(err error, facts ...error) error {
	for _, fact := range facts {
		if errors.Is(err, fact) {
			return nil
		}
	}
	return err
}

// Whatever happens at once, what came in is on hand, sold or collected, and what
// is held is what the orders say.
func TestTrafficConservesUnits(t *testing.T) {
	for _, tills := range []bool{false, true} {
		t.Run(fmt.Sprint("tills=", tills), func(t *testing.T) {
			f := &traffic{a: street(t, 6, Options{}), stores: 6, ids: make([][]string, 8)}
			for sku := range trafficSKUs {
				f.received[sku], f.sold[sku] = make([]atomic.Int64, f.stores), make([]atomic.Int64, f.stores)
				for store := range f.stores {
					f.received[sku][store].Add(3)
					stocked(t, f.a, fmt.Sprintf("L%d", store), trafficSKUs[sku], 3)
				}
			}
			together(len(f.ids), func(g int) {
				r := rand.New(rand.NewPCG(11, uint64(g)))
				for i := range scaled(6000, 500) {
					if err := f.step(r, g, i, tills); err != nil {
						t.Error(err)
						return
					}
				}
			})
			f.audit(t)
		})
	}
}

func (f *traffic) audit(t *testing.T) {
	held, collected := map[cellName]int64{}, map[cellName]int64{}
	orders := 0
	for _, ids := range f.ids {
		for _, id := range ids {
			orders++
			r, err := f.a.Lookup(id)
			must(t, err)
			for _, line := range r.Lines {
				held[cellName{line.SKU, r.Location}] += line.Held
				collected[cellName{line.SKU, r.Location}] += line.Collected
				if line.Quantity != line.Held+line.Collected+line.Canceled || line.Canceled < 0 {
					t.Errorf("%s: line %+v", id, line)
				}
			}
		}
	}
	for sku, name := range trafficSKUs {
		for store := range f.stores {
			at := cellName{name, fmt.Sprintf("L%d", store)}
			v, err := f.a.Available(at.sku, at.location)
			must(t, err)
			if onHand := f.received[sku][store].Load() - f.sold[sku][store].Load() - collected[at]; v.OnHand != onHand || v.Held != held[at] {
				t.Errorf("%v: got %+v, want %d on hand and %d held", at, v, onHand, held[at])
			}
		}
	}
	s := f.a.Stats()
	if int(s.Allocated) != orders || s.Held+int(s.Collected)+int(s.Canceled) != orders || s.Refused == 0 {
		t.Errorf("%d orders, stats %+v", orders, s)
	}
}

// Reading a shelf whose row is just being laid anew shows what is on it.
func TestAvailableWhileRowsMove(t *testing.T) {
	a := street(t, 300, Options{})
	var goods []Receipt
	for i := range 300 {
		goods = append(goods, Receipt{ID: fmt.Sprint(i), Location: fmt.Sprintf("L%d", i), Lines: []Line{{"tea", 5}}})
	}
	must(t, a.Receive(t.Context(), goods...))
	var done atomic.Bool
	var renumbering sync.WaitGroup
	defer renumbering.Wait()
	renumbering.Go(func() {
		for i := range scaled(300, 60) {
			if err := a.SetLocations(context.Background(), Location{ID: "wanderer", Point: streetPoint(300 + i)}); err != nil {
				t.Error(err)
			}
		}
		done.Store(true)
	})
	for i := 0; !done.Load(); i++ {
		shelf(t, a, fmt.Sprintf("L%d", i%300), "tea", 5, 0, 0)
	}
}
