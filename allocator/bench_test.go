package allocator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/geo"
)

// country is a world for benchmarks: locations around a few hundred towns, 200
// SKUs each stocked at a share of them.
type country struct {
	a      *Allocator
	towns  []geo.Point
	points []geo.Point // customers
	skus   []string
	runs   int // of bench, so that each has IDs of its own
}

func newCountry(b testing.TB, locations, percent int) *country {
	return newCountryWith(b, Options{}, locations, percent)
}

func newCountryWith(b testing.TB, o Options, locations, percent int) *country {
	r := rand.New(rand.NewPCG(uint64(locations), uint64(percent)))
	c := &country{a: opened(b, o)}
	for range max(locations/40, 20) {
		c.towns = append(c.towns, geo.Point{Lat: 25 + r.Float64()*24, Lon: -124 + r.Float64()*57})
	}
	near := func() geo.Point {
		town := c.towns[min(r.IntN(len(c.towns)), r.IntN(len(c.towns)))]
		return geo.Point{Lat: town.Lat + r.NormFloat64()/10, Lon: town.Lon + r.NormFloat64()/10}
	}
	for i := range 200 {
		c.skus = append(c.skus, fmt.Sprintf("SKU-%05d", i))
	}
	for range 4096 {
		c.points = append(c.points, near())
	}
	all := make([]Location, locations)
	goods := make([]Receipt, 0, locations)
	for i := range all {
		all[i] = Location{ID: fmt.Sprintf("L%06d", i), Point: near()}
		g := Receipt{ID: all[i].ID, Location: all[i].ID}
		for _, sku := range c.skus {
			if r.IntN(100) < percent {
				g.Lines = append(g.Lines, Line{sku, 1000})
			}
		}
		if len(g.Lines) > 0 {
			goods = append(goods, g)
		}
	}
	must(b, c.a.SetLocations(context.Background(), all...), c.a.Receive(context.Background(), goods...))
	return c
}

// orders draws orders of distinct SKUs without IDs.
func (c *country) orders(lines int, quantity int64) []Order {
	r := rand.New(rand.NewPCG(3, uint64(lines)))
	out := make([]Order, 4096)
	for i := range out {
		out[i].Near = c.points[i]
		for _, sku := range r.Perm(len(c.skus))[:lines] {
			out[i].Lines = append(out[i].Lines, Line{c.skus[sku], quantity})
		}
	}
	return out
}

// orderIDs makes IDs ahead, so that no timed call does.
func orderIDs(run, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("SO-%d-%07d", run, i)
	}
	return ids
}

// latencies reports the median and the 99th percentile of calls.
type latencies []time.Duration

func (l latencies) report(b *testing.B) {
	if len(l) == 0 {
		return
	}
	slices.Sort(l)
	b.ReportMetric(float64(l[len(l)/2]), "p50-ns")
	b.ReportMetric(float64(l[len(l)*99/100]), "p99-ns")
}

// bench times calls one by one. Every batch of IDs is ended outside the time.
func (c *country) bench(b *testing.B, orders []Order, want error) {
	ctx := context.Background()
	c.runs++
	ids := orderIDs(c.runs, 1<<14)
	took := make(latencies, 0, 1<<20)
	refusals, run := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		if run%len(ids) == 0 && run > 0 {
			b.StopTimer()
			for i, id := range ids {
				_ = c.a.Cancel(ctx, id)
				ids[i] = fmt.Sprintf("SO-%d-%d-%d", c.runs, run, i)
			}
			b.StartTimer()
		}
		o := orders[run%len(orders)]
		o.ID = ids[run%len(ids)]
		start := time.Now()
		_, err := c.a.Allocate(ctx, o)
		if d := time.Since(start); len(took) < cap(took) {
			took = append(took, d)
		}
		if err != nil {
			refusals++
		}
		run++
	}
	took.report(b)
	b.ReportMetric(float64(refusals)/float64(run), "refused/op")
	for _, id := range ids {
		_ = c.a.Cancel(ctx, id)
	}
	if want != nil && refusals < run {
		b.Errorf("%d of %d orders were refused", refusals, run)
	}
}

func BenchmarkAllocate(b *testing.B) {
	for _, locations := range []int{1000, 10_000, 100_000} {
		for _, percent := range []int{90, 10, 1} {
			if testing.Short() && locations > 1000 {
				continue
			}
			// A country is built only if one of its cases is asked for.
			b.Run(fmt.Sprintf("locations=%d/density=%d%%", locations, percent), func(b *testing.B) {
				c := newCountry(b, locations, percent)
				for _, lines := range []int{1, 3, 5, 15} {
					if percent < 90 && lines > 5 {
						continue
					}
					b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) { c.bench(b, c.orders(lines, 1), nil) })
				}
			})
		}
	}
}

func BenchmarkAllocateRefused(b *testing.B) {
	for _, locations := range []int{1000, 10_000} {
		c := newCountry(b, locations, 10)
		b.Run(fmt.Sprintf("locations=%d/why=quantity", locations), func(b *testing.B) {
			c.bench(b, c.orders(1, 1001), ErrNoLocation)
		})
		for why, change := range map[string]func(*Order){
			"distance": func(o *Order) { o.MaxDistance = 0.01 },
			"kind":     func(o *Order) { o.Kinds = []Kind{Locker} },
		} {
			orders := c.orders(3, 1)
			for i := range orders {
				change(&orders[i])
			}
			b.Run(fmt.Sprintf("locations=%d/why=%s", locations, why), func(b *testing.B) {
				c.bench(b, orders, ErrNoLocation)
			})
		}
	}
}

func BenchmarkAllocateRepeat(b *testing.B) {
	c := newCountry(b, 1000, 90)
	orders := c.orders(3, 1)
	for i := range orders {
		orders[i].ID = fmt.Sprint(i)
		if _, err := c.a.Allocate(context.Background(), orders[i]); err != nil {
			b.Fatal(err)
		}
	}
	run := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.a.Allocate(context.Background(), orders[run%len(orders)]); err != nil {
			b.Fatal(err)
		}
		run++
	}
}

// BenchmarkNearby shows the 20 nearest of a chain for one basket, and a page of 48 SKUs in
// one shop, by turns with an Allocate of the same basket: how many times as long it takes
// is to be the same for 1,000 locations as for 10,000. Without terms Allocate goes the hot
// path; with them it plans, as Nearby does.
func BenchmarkNearby(b *testing.B) {
	hours := &Terms{Hours: "Mo-Fr 09:00-18:00; Sa 09:00-14:00", Prep: time.Hour}
	for _, locations := range []int{1000, 10_000} {
		for _, of := range []struct {
			name  string
			terms *Terms
		}{{"plain", nil}, {"terms", hours}} {
			b.Run(fmt.Sprintf("locations=%d/%s", locations, of.name), func(b *testing.B) {
				c := newCountry(b, locations, 90)
				if of.terms != nil {
					c.setTerms(b, *of.terms)
				}
				c.benchNearby(b)
			})
		}
	}
}

func (c *country) benchNearby(b *testing.B) {
	orders, page := c.orders(2, 1), c.orders(1, 1)[:48]
	for i := range page {
		page[i].At = "L000007"
	}
	var allocate, near, listing time.Duration
	timed := func(into *time.Duration, do func()) {
		begun := time.Now()
		do()
		*into += time.Since(begun)
	}
	for run := 0; b.Loop(); run++ {
		o := orders[run%len(orders)]
		o.ID = fmt.Sprint("o", run)
		timed(&allocate, func() {
			if _, err := c.a.Allocate(context.Background(), o); err != nil {
				b.Fatal(err)
			}
		})
		must(b, c.a.Cancel(context.Background(), o.ID))
		o.ID = ""
		timed(&near, func() {
			if got := c.a.NearbyAll(20, o)[0]; len(got.Candidates) != 20 {
				b.Fatal(got.Err, len(got.Candidates))
			}
		})
		timed(&listing, func() {
			if got := c.a.NearbyAll(1, page...); got[47].Err != nil {
				b.Fatal(got[47].Err)
			}
		})
	}
	b.ReportMetric(float64(near)/float64(allocate), "x-allocate")
	b.ReportMetric(float64(listing)/float64(allocate)/float64(len(page)), "x-allocate/SKU")
	b.ReportMetric(float64(near.Nanoseconds())/float64(b.N), "near-ns")
}

func BenchmarkAvailable(b *testing.B) {
	c := newCountry(b, 1000, 90)
	locations := slices.Collect(c.a.Locations())
	run := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.a.Available(c.skus[run%len(c.skus)], locations[run%len(locations)].ID); err != nil {
			b.Fatal(err)
		}
		run++
	}
}

// BenchmarkReceive books a delivery of 200 SKUs at each of 100 locations in one
// call; ns/op is for the whole list.
func BenchmarkReceive(b *testing.B) {
	c := newCountry(b, 1000, 90)
	run := 0
	for b.Loop() {
		b.StopTimer()
		list := make([]Receipt, 100)
		for i := range list {
			list[i] = Receipt{ID: fmt.Sprintf("R%d/%d", run, i), Location: fmt.Sprintf("L%06d", i*10)}
			for _, sku := range c.skus {
				list[i].Lines = append(list[i].Lines, Line{sku, 1})
			}
		}
		run++
		b.StartTimer()
		if err := c.a.Receive(context.Background(), list...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(run*100*len(c.skus)), "ns/line")
}

// Once the engine is warm a reservation allocates nothing, and neither does its
// repeat; the end of one with more than eight lines allocates once. The book of
// reservations grows now and then, which comes to less than one for a call.
func TestAllocateAllocations(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates")
	}
	c := newCountry(t, 200, 90)
	ctx := context.Background()
	const runs = 4000
	for _, lines := range []int{1, 5, 15} {
		orders := c.orders(lines, 1)[:runs+1]
		for i := range orders {
			orders[i].ID = fmt.Sprintf("%d lines %d", lines, i)
		}
		each := func(call func(o Order) error) float64 {
			next := 0
			return testing.AllocsPerRun(runs, func() {
				if err := call(orders[next]); err != nil {
					t.Error(err)
				}
				next++
			})
		}
		allocate := func(o Order) error { return second(c.a.Allocate(ctx, o)) }
		first, repeat := each(allocate), each(allocate)
		end := each(func(o Order) error { return c.a.Cancel(ctx, o.ID) })
		if first > 0 || repeat > 0 || end > 1 {
			t.Errorf("%d lines: %v allocations for an order, %v for its repeat, %v for its end", lines, first, repeat, end)
		}
	}
}
