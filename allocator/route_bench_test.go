package allocator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/route"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// routeWorld is locations around towns, and SKUs each stocked at a random share
// of the locations, whatever the other SKUs do.
func routeWorld(b *testing.B, locations, skus int, share float64) *country {
	r := rand.New(rand.NewPCG(uint64(locations), uint64(share*1e6)))
	c := &country{a: opened(b, Options{})}
	for range max(locations/40, 20) {
		c.towns = append(c.towns, geo.Point{Lat: 25 + r.Float64()*24, Lon: -124 + r.Float64()*57})
	}
	near := func() geo.Point {
		town := c.towns[min(r.IntN(len(c.towns)), r.IntN(len(c.towns)))]
		return geo.Point{Lat: town.Lat + r.NormFloat64()/10, Lon: town.Lon + r.NormFloat64()/10}
	}
	all := make([]Location, locations)
	goods := make([]Receipt, locations)
	for i := range all {
		all[i] = Location{ID: fmt.Sprintf("L%06d", i), Point: near()}
		goods[i] = Receipt{ID: all[i].ID, Location: all[i].ID}
	}
	for k := range skus {
		c.skus = append(c.skus, fmt.Sprintf("SKU-%05d", k))
		for _, i := range r.Perm(locations)[:int(float64(locations)*share+0.5)] {
			goods[i].Lines = append(goods[i].Lines, Line{c.skus[k], 1000})
		}
	}
	goods = slices.DeleteFunc(goods, func(g Receipt) bool { return len(g.Lines) == 0 })
	must(b, c.a.SetLocations(context.Background(), all...), c.a.Receive(context.Background(), goods...))
	for range 4096 {
		c.points = append(c.points, near())
	}
	return c
}

// routed is the search of allocateNear without the claim: the nearest location
// that has enough of every line.
func routed(a *Allocator, r *route.Route, t *topology.Catalogue, near geo.Point, lines []reservation.Line) bool {
	r.Aim(t, near, 0)
	for ok := r.Start(a.ledger, lines, nil); ok && r.Next(); {
		if _, enough := r.Levels(); enough {
			return true
		}
	}
	return false
}

// BenchmarkRoute times the choice alone, call by call; clock-ns is what the clock
// itself takes of each.
func BenchmarkRoute(b *testing.B) {
	for _, locations := range []int{100, 1000, 10_000, 100_000} {
		for _, share := range []float64{0.9, 0.1, 0.01, 0.0001} {
			if testing.Short() && locations > 1000 || share*float64(locations) < 1 {
				continue
			}
			c := routeWorld(b, locations, 64, share)
			for _, k := range []int{1, 3, 5, 15} {
				b.Run(fmt.Sprintf("locations=%d/density=%v/lines=%d", locations, share, k), func(b *testing.B) { c.route(b, k) })
			}
		}
	}
}

func (c *country) route(b *testing.B, k int) {
	r := rand.New(rand.NewPCG(7, uint64(k)))
	t := c.a.locations.Load()
	orders := make([][]reservation.Line, 1024)
	for i := range orders {
		for _, at := range r.Perm(len(c.skus))[:k] {
			sku, _ := c.a.ledger.SKU(c.skus[at])
			orders[i] = append(orders[i], reservation.Line{SKU: sku, Quantity: 1})
		}
		slices.SortFunc(orders[i], func(x, y reservation.Line) int { return int(x.SKU) - int(y.SKU) })
	}
	var s route.Route
	took, clock := make(latencies, 0, 1<<20), make(latencies, 0, 1<<20)
	found, run := 0, 0
	for b.Loop() {
		start := time.Now()
		if routed(c.a, &s, t, c.points[run%len(c.points)], orders[run%len(orders)]) {
			found++
		}
		middle := time.Now()
		if len(took) < cap(took) {
			took, clock = append(took, middle.Sub(start)), append(clock, time.Since(middle))
		}
		run++
	}
	took.report(b)
	slices.Sort(clock)
	b.ReportMetric(float64(clock[len(clock)/2]), "clock-ns")
	b.ReportMetric(float64(found)/float64(run), "found/op")
}
