package allocator

import (
	"context"
	"fmt"
	"testing"
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
