package allocator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// expectedRefusal tells the errors that a race may end in.
func expectedRefusal(err error) bool {
	return err == nil || saw(err) || errors.Is(err, ErrNoLocation) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrFull)
}

// TestRerouteHammer rejects, reroutes, cancels, collects and expires the same orders
// at once; no unit appears or gets lost.
func TestRerouteHammer(t *testing.T) {
	rounds := 400
	if !scaletest.Full() {
		rounds = 40
	}
	var now atomic.Int64
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	a := shops(t, 6, Options{ManualExpiry: true, Clock: func() time.Time { return begin.Add(time.Duration(now.Load())) },
		Rules: sourcing.Rules{CoolDown: 40 * time.Millisecond, AcceptWithin: 100 * time.Millisecond}, HoldFor: 60 * time.Millisecond})
	var picked atomic.Int64 // units of tea that were not found
	const orders = 12
	id := func(r *rand.Rand) string {
		id := fmt.Sprintf("o%d", r.IntN(orders))
		if n := r.IntN(5); n > 1 {
			id = nameOf(id, n)
		}
		return id
	}
	var all sync.WaitGroup
	for g := range 6 {
		r := rand.New(rand.NewPCG(7, uint64(g)))
		all.Go(func() {
			for range rounds {
				err := hammerStep(t, a, r, id(r), &now, &picked)
				if !expectedRefusal(err) && !errors.Is(err, ErrNotFound) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	all.Wait()
	audited(t, a)
	collected := map[string]int64{}
	for o := range orders {
		r, err := a.Lookup(fmt.Sprintf("o%d", o))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		must(t, err)
		want := map[string]int64{"tea": 3, "cup": 2}
		for _, line := range r.Lines {
			if sum := line.Held + line.Confirmed + line.Collected + line.Missing + line.Expired + line.Canceled; sum != want[line.SKU] || line.Quantity != sum {
				t.Errorf("o%d: %d %s of %d: %+v", o, sum, line.SKU, want[line.SKU], line)
			}
			collected[line.SKU] += line.Collected
		}
	}
	for _, sku := range []string{"tea", "cup"} {
		left := int64(30) - collected[sku]
		if sku == "tea" {
			left -= picked.Load()
		}
		for at := range 6 {
			level, err := a.Available(sku, fmt.Sprintf("L%d", at))
			must(t, err)
			left -= level.OnHand
		}
		if left != 0 {
			t.Errorf("%d units of %s got lost", left, sku)
		}
	}
}

func hammerStep(t *testing.T, a *Allocator, r *rand.Rand, name string, now, picked *atomic.Int64) (err error) {
	ctx, p := t.Context(), byName(a, name)
	switch r.IntN(12) {
	case 0, 1:
		o := ordered(fmt.Sprintf("o%d", r.IntN(12)), Line{"tea", 3}, Line{"cup", 2})
		o.MaxLocations = 2
		_, err = a.Allocate(ctx, o)
	case 2, 3:
		err = p.Confirm(ctx)
	case 4:
		_, err = p.Reject(ctx)
	case 5:
		_, err = p.Reject(ctx, Line{"tea", 1})
	case 6:
		if r.IntN(4) == 0 {
			err = p.Cancel(ctx)
		}
	case 7:
		if r.IntN(4) == 0 {
			err = p.Collect(ctx, Line{"cup", 1})
		}
	case 8:
		now.Add(int64(time.Duration(r.IntN(20)) * time.Millisecond))
		_, err = a.Expire(time.Time{})
	case 9:
		_, err = p.Reroute(ctx)
	case 10:
		if err = p.ShortPick(ctx, Line{"tea", 1}); err == nil {
			picked.Add(1)
		}
		err = errors.Join(p.Accept(ctx), err)
	case 11:
		err = a.RerouteFrom(ctx, fmt.Sprintf("L%d", r.IntN(6)), nil)
	}
	return err
}

// TestRerouteObserved looks at an order all the while it is rerouted, as a whole and
// in parts: each unit is there once.
func TestRerouteObserved(t *testing.T) {
	reroutes := 10_000
	if !scaletest.Full() {
		reroutes = 300
	}
	a := street(t, 4, Options{})
	for at := range 4 {
		stocked(t, a, fmt.Sprintf("L%d", at), "tea", 1000)
		stocked(t, a, fmt.Sprintf("L%d", at), "cup", 1000)
	}
	var current atomic.Pointer[string]
	next := func(n int) {
		id := fmt.Sprintf("o%d", n)
		confirmed(t, a, ordered(id, Line{"tea", 60}, Line{"cup", 2}))
		if old := current.Swap(&id); old != nil {
			must(t, a.Cancel(t.Context(), *old))
		}
	}
	next(0)
	ctx, stop := context.WithCancel(t.Context())
	var watchers sync.WaitGroup
	var looks atomic.Int64
	for range 2 {
		watchers.Go(func() {
			for ctx.Err() == nil {
				id := current.Load()
				r, err := a.Lookup(*id)
				if current.Load() != id {
					continue // it may have been canceled
				}
				if err != nil || places(r) != "tea confirmed 60, cup confirmed 2" || r.State != Confirmed {
					t.Errorf("%v: %+v", err, r)
					return
				}
				looks.Add(1)
				runtime.Gosched()
			}
		})
	}
	r := rand.New(rand.NewPCG(1, 2))
	for n, parts := 0, 1; n < reroutes; n++ {
		// Some in place, most into ever more parts.
		id, from := *current.Load(), 1+r.IntN(parts)
		var lines []Line
		if r.IntN(4) > 0 {
			lines = []Line{{"tea", 1}}
		}
		if _, err := a.Part(id, from).Reroute(ctx, lines...); err != nil && !expectedRefusal(err) {
			t.Fatal(err)
		}
		if look, err := a.Lookup(id); err == nil && look.Parts != nil {
			parts = len(look.Parts)
		}
		if parts > 40 {
			next(n + 1)
			parts = 1
		}
	}
	stop()
	watchers.Wait()
	if looks.Load() == 0 {
		t.Error("nobody looked")
	}
	audited(t, a)
}
