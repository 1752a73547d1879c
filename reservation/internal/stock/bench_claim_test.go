package stock

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	benchSKUs      = 1_000
	benchLocations = 1_000
	benchUnits     = 100_000 // enough for every claim in flight, in a narrow cell
)

// order is one claim of a benchmark.
type order struct {
	location uint32
	lines    []Line
}

// benchOrders draws n claims of k lines, one unit each. Hot ones all want SKU 0
// at location 0, and k-1 other lines there.
func benchOrders(rng *rand.Rand, n, k int, hot bool) []order {
	orders := make([]order, n)
	for i := range orders {
		o := &orders[i]
		picked := map[uint32]bool{}
		if hot {
			picked[0] = true
		} else {
			o.location = uint32(rng.IntN(benchLocations))
		}
		for len(picked) < k {
			picked[uint32(rng.IntN(benchSKUs))] = true
		}
		for sku := range picked {
			o.lines = append(o.lines, Line{SKU: sku, Quantity: 1})
		}
		slices.SortFunc(o.lines, func(a, b Line) int { return int(a.SKU) - int(b.SKU) })
	}
	return orders
}

// claimers is every implementation over the same stock, made once.
func claimers() map[string]func() claimer {
	s := newWorld(benchSKUs, benchLocations, 0)
	c := &counterTable{locations: benchLocations}
	for sku := range uint32(benchSKUs) {
		s.Ensure(sku, everyNth(benchLocations, 1)...)
	}
	for sku := range uint32(benchSKUs) {
		for slot := range uint32(benchLocations) {
			s.Change(sku, slot, benchUnits)
		}
	}
	locked, free := c, &counterTable{locations: benchLocations}
	for _, t := range []*counterTable{locked, free} {
		t.units = slices.Grow(t.units, benchSKUs*benchLocations)[:benchSKUs*benchLocations]
		for i := range t.units {
			t.units[i].Store(benchUnits)
		}
	}
	return map[string]func() claimer{
		"escrow":   func() claimer { return &escrowClaimer{s: s} },
		"stripes":  func() claimer { return &stripesClaimer{c: locked} },
		"rollback": func() claimer { return &rollbackClaimer{c: free} },
	}
}

// BenchmarkClaim is claim, settle and put back of k lines. The rivals have
// nothing to look up and no bits to keep; their time is a lower bound.
func BenchmarkClaim(b *testing.B) {
	makers := claimers()
	for _, load := range []string{"uniform", "hot"} {
		for _, k := range []int{1, 3, 5, 15} {
			for _, goroutines := range []int{1, 2, 16, 64} {
				for _, impl := range []string{"escrow", "stripes", "rollback"} {
					name := fmt.Sprintf("impl=%s/load=%s/lines=%d/goroutines=%d", impl, load, k, goroutines)
					b.Run(name, func(b *testing.B) {
						benchClaim(b, makers[impl], k, goroutines, load == "hot")
					})
				}
			}
		}
	}
}

// sampled is how rarely the duration of a claim is taken; the clock costs as
// much as the claim.
const sampled = 32

func benchClaim(b *testing.B, maker func() claimer, k, goroutines int, hot bool) {
	lists := make([][]order, goroutines)
	for i := range lists {
		lists[i] = benchOrders(rand.New(rand.NewPCG(41, uint64(i))), 1_024, k, hot)
	}
	per := (b.N + goroutines - 1) / goroutines
	samples := make([][]time.Duration, goroutines)
	for i := range samples {
		samples[i] = make([]time.Duration, 0, per/sampled+1)
	}
	var group sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i := range goroutines {
		group.Go(func() {
			c := maker()
			for n := range per {
				o := &lists[i][n%1_024]
				if n%sampled != 0 {
					if c.claim(o.location, o.lines) {
						c.putBack(o.location, o.lines)
					}
					continue
				}
				began := time.Now()
				won := c.claim(o.location, o.lines)
				samples[i] = append(samples[i], time.Since(began))
				if won {
					c.putBack(o.location, o.lines)
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	all := slices.Concat(samples...)
	slices.Sort(all)
	for _, p := range []struct {
		name  string
		share float64
	}{{"p50-ns", 0.5}, {"p99-ns", 0.99}, {"p99.9-ns", 0.999}} {
		b.ReportMetric(float64(all[int(p.share*float64(len(all)-1))]), p.name)
	}
}
