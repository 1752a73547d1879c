package allocator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/geo"
)

// flicker is a street of stores of which some have goods for good and others by
// turns. An odd version says that a store is able, and has been since the version
// became odd: it is counted up before the shelf is emptied and after it is filled.
type flicker struct {
	a        *Allocator
	versions []atomic.Int64
	lasting  int // stores from here on always have goods
	runs     int
}

func newFlicker(t *testing.T, stores, lasting int) *flicker {
	f := &flicker{a: street(t, stores, Options{}), versions: make([]atomic.Int64, stores), lasting: lasting}
	goods := make([]Receipt, stores)
	for i := range goods {
		goods[i] = Receipt{ID: fmt.Sprint("first ", i), Location: fmt.Sprintf("L%d", i), Lines: []Line{{"tea", 1 << 20}, {"cup", 1 << 20}}}
		f.versions[i].Store(1)
	}
	must(t, f.a.Receive(t.Context(), goods...))
	return f
}

// turn empties and fills stores by turns until done.
func (f *flicker) turn(r *rand.Rand, g int, done *atomic.Bool) error {
	ctx := context.Background()
	for i := 0; !done.Load(); i++ {
		n := (r.IntN(f.lasting)/2)*2 + g // two turners, each with its own stores
		if n >= f.lasting {
			continue
		}
		at, id := fmt.Sprintf("L%d", n), fmt.Sprintf("%d/%d/%d", f.runs, g, i)
		sku := []string{"tea", "cup"}[r.IntN(2)]
		f.versions[n].Add(1)
		if err := f.a.Count(ctx, Count{ID: "off " + id, Location: at, Lines: []Line{{sku, 0}}}); err != nil {
			return err
		}
		if err := f.a.Count(ctx, Count{ID: "on " + id, Location: at, Lines: []Line{{sku, 1 << 20}}}); err != nil {
			return err
		}
		f.versions[n].Add(1)
		if i%64 == 0 {
			if err := f.a.SetLocations(ctx, Location{ID: "wanderer", Point: geo.Point{Lat: -60, Lon: r.Float64()}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// order makes an order from the start of the street and returns the store that
// it should have got instead of the one it got, or -1.
func (f *flicker) order(id string, r *rand.Rand, allocate func(context.Context, Order) (Allocation, error)) (better int, err error) {
	before := make([]int64, f.lasting)
	for i := range before {
		before[i] = f.versions[i].Load()
	}
	lines := []Line{{"tea", r.Int64N(3) + 1}, {"cup", 1}}
	got, err := allocate(context.Background(), Order{ID: id, Near: streetPoint(0), Lines: lines[:1+r.IntN(2)]})
	if err != nil {
		return -1, err
	}
	chosen := 0
	if _, err := fmt.Sscanf(got.Location, "L%d", &chosen); err != nil {
		return -1, err
	}
	for i := range min(chosen, f.lasting) {
		if before[i]%2 == 1 && f.versions[i].Load() == before[i] {
			return i, nil
		}
	}
	if chosen > f.lasting {
		return f.lasting, nil
	}
	return -1, f.a.Cancel(context.Background(), id)
}

// run makes orders while stores flicker, and returns how many got a farther
// store than one that was able all the time.
func (f *flicker) run(t *testing.T, orders int, allocate func(context.Context, Order) (Allocation, error)) int {
	t.Helper()
	f.runs++
	var done atomic.Bool
	var turners sync.WaitGroup
	for g := range 2 {
		turners.Go(func() {
			if err := f.turn(rand.New(rand.NewPCG(5, uint64(g))), g, &done); err != nil {
				t.Error(err)
			}
		})
	}
	var wrong atomic.Int64
	together(3, func(g int) {
		r := rand.New(rand.NewPCG(6, uint64(g)))
		for i := range orders {
			better, err := f.order(fmt.Sprintf("o%d/%d/%d", f.runs, g, i), r, allocate)
			if err != nil {
				t.Errorf("with goods at L%d all the time: %v", f.lasting, err)
				return
			}
			if better >= 0 {
				wrong.Add(1)
			}
		}
	})
	done.Store(true)
	turners.Wait()
	return int(wrong.Load())
}

// The chosen store is never farther than one that could fill the order during
// the whole call, and while there is such a one no order is refused (P5, P6).
func TestNearestAmongFlickeringStores(t *testing.T) {
	for _, stores := range []int{20, 400} {
		t.Run(fmt.Sprint("stores=", stores), func(t *testing.T) {
			f := newFlicker(t, stores, 12)
			if wrong := f.run(t, scaled(8000, 500), f.a.Allocate); wrong != 0 {
				t.Errorf("%d orders got a store farther than one that was able all the time", wrong)
			}
		})
	}
}

// Canary: an allocator that looks at a list made some calls ago is seen to choose
// stores too far away.
func TestNearestCanary(t *testing.T) {
	f := newFlicker(t, 20, 12)
	var mu sync.Mutex
	stale, age := "", 0
	late := func(ctx context.Context, o Order) (Allocation, error) {
		mu.Lock()
		if age%512 == 0 {
			near, err := f.a.Nearby(Order{Near: o.Near, Lines: o.Lines})
			if err != nil {
				return Allocation{}, err
			}
			for c := range able(near) {
				stale = c.Location
				break
			}
		}
		age++
		named := o
		named.At = stale
		mu.Unlock()
		got, err := f.a.Allocate(ctx, named)
		if errors.Is(err, ErrNoLocation) {
			return f.a.Allocate(ctx, o)
		}
		return got, err
	}
	for range 100 {
		if f.run(t, 2000, late) > 0 {
			return
		}
	}
	t.Error("nobody noticed a list that was out of date")
}
