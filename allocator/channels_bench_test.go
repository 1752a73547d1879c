package allocator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/clickcollect/clickcollect/reservation"
)

// BenchmarkChannelOrder is an order of five lines at 2,000 locations whose channel
// has nothing set, levels everywhere, levels for pairs, or quotas.
func BenchmarkChannelOrder(b *testing.B) {
	c := newCountry(b, 2_000, 90)
	ctx := context.Background()
	pairs := make([]Protection, 0, 100_000)
	for i := range 500 {
		for _, sku := range c.skus {
			pairs = append(pairs, Protection{Channel: "pairs", SKU: sku, Location: fmt.Sprintf("L%06d", i), Units: 5})
		}
	}
	run := func(name string) {
		for _, lines := range []int{1, 5} {
			orders := c.orders(lines, 1)
			for i := range orders {
				orders[i].Channel = name
			}
			b.Run(fmt.Sprintf("channel=%s/lines=%d", name, lines), func(b *testing.B) { c.bench(b, orders, nil) })
		}
	}
	run("before")
	must(b, c.a.SetProtection(ctx, append(pairs, Protection{Channel: "everywhere", Units: 5})...))
	var quotas []Quota
	for i, sku := range c.skus {
		quotas = append(quotas, Quota{ID: fmt.Sprint("q", i), Channel: "quotas", SKU: sku, Location: "L000000", Units: 0})
	}
	must(b, c.a.SetQuota(ctx, quotas...))
	for _, name := range []string{"none", "everywhere", "pairs", "quotas"} {
		run(name)
	}
}

// BenchmarkKeeps is a look-up of a level.
func BenchmarkKeeps(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		all := make([]level, n)
		for i := range all {
			all[i] = level{scope{uint32(i / 100), uint32(i % 100)}, int64(i % 50)}
		}
		wide := newLevels([]level{{scope{reservation.EverySKU, 7}, 3}, {scope{reservation.EverySKU, reservation.Everywhere}, 1}})
		k := &keeps{own: newLevels(all), all: wide}
		r := rand.New(rand.NewPCG(1, 2))
		at := make([]scope, 1<<16)
		for i := range at {
			at[i] = all[r.IntN(n)].scope
		}
		for _, hit := range []bool{true, false} {
			b.Run(fmt.Sprintf("levels=%d/hit=%v", n, hit), func(b *testing.B) {
				i, sum, sku := 0, int64(0), uint32(0)
				if !hit {
					sku = 1 << 24
				}
				for b.Loop() {
					sc := at[i&(len(at)-1)]
					sum += k.of(sc.sku+sku, sc.slot)
					i++
				}
				_ = sum
			})
		}
	}
}

// BenchmarkSetProtection sets a million levels for pairs in one call.
func BenchmarkSetProtection(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 10_000
	}
	const locations = 1000
	a := street(b, locations, Options{FeedBytes: 1 << 20})
	set := make([]Protection, 0, n)
	for sku := range n / locations {
		name := fmt.Sprintf("S%d", sku)
		stocked(b, a, "L0", name, 1)
		for i := range locations {
			set = append(set, Protection{Channel: "web", SKU: name, Location: fmt.Sprintf("L%d", i), Units: int64(i % 50)})
		}
	}
	for b.Loop() {
		must(b, a.SetProtection(context.Background(), set...))
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "levels/s")
}
