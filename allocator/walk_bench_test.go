package allocator

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/walk"
)

// BenchmarkWalkBeside is what walks of a million reservations, or of 1.8 million cells,
// cost the orders that come meanwhile. Rounds beside a walk take turns with rounds beside
// a loop that needs a processor too and touches no memory, so that the ratio is of one
// run, and of what is shared but the processors.
func BenchmarkWalkBeside(b *testing.B) {
	const made, round = 1_000_000, 20_000
	ctx := context.Background()
	c := newCountryWith(b, Options{HoldFor: 4 * time.Hour}, 10_000, 90)
	orders := c.orders(3, 1)
	run := 0
	allocate := func(n int) time.Duration {
		run++
		ids := orderIDs(run, n)
		start := time.Now()
		for i, id := range ids {
			o := orders[i%len(orders)]
			o.ID = id
			if _, err := c.a.Allocate(ctx, o); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	cancel := func(n int) {
		for _, id := range orderIDs(run, n) {
			must(b, c.a.Cancel(ctx, id))
		}
	}
	allocate(made)
	for name, one := range benchWalks(c.a) {
		b.Run("walk="+name, func(b *testing.B) {
			var ratios, plain []float64
			items, spun, walking := 0, 0, time.Duration(0)
			beside := func(side func(ctx context.Context, n *int), n *int) (orders time.Duration) {
				bound, stop := context.WithCancel(ctx)
				var all sync.WaitGroup
				all.Go(func() {
					for bound.Err() == nil {
						side(bound, n)
					}
				})
				orders = allocate(round)
				stop()
				all.Wait()
				cancel(round)
				return orders
			}
			for b.Loop() {
				without := beside(spin, &spun)
				with := beside(one, &items)
				walking += with
				ratios, plain = append(ratios, float64(with)/float64(without)), append(plain, float64(without)/round)
			}
			slices.Sort(ratios)
			slices.Sort(plain)
			b.ReportMetric(ratios[len(ratios)/2], "×spinning")
			b.ReportMetric(plain[len(plain)/2], "ns/order")
			b.ReportMetric(float64(items)/walking.Seconds(), "items/s")
		})
	}
}

// benchWalks are walks that count what they give.
func benchWalks(a *Allocator) map[string]func(ctx context.Context, n *int) {
	return map[string]func(ctx context.Context, n *int){
		"orders": func(ctx context.Context, n *int) { countItems(ctx, a.Orders().Walk(walk.Filter{}), n) },
		"cells":  func(ctx context.Context, n *int) { countItems(ctx, a.Stock().Walk(), n) },
	}
}

func countItems[T any](ctx context.Context, w walk.Walk[T], n *int) {
	for _, err := range w.All(ctx) {
		if err != nil {
			return
		}
		*n++
	}
}

// spin is a while of work on nothing.
func spin(_ context.Context, n *int) {
	for i := range 1 << 16 {
		*n = *n*31 ^ i
	}
}

// BenchmarkPage is a page of 100 of a million reservations, and of 1.8 million cells.
func BenchmarkPage(b *testing.B) {
	ctx := context.Background()
	c := newCountryWith(b, Options{HoldFor: 4 * time.Hour}, 10_000, 90)
	orders := c.orders(2, 1)
	for i, id := range orderIDs(1, 1_000_000) {
		o := orders[i%len(orders)]
		o.ID = id
		if _, err := c.a.Allocate(ctx, o); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("orders", func(b *testing.B) { benchPages(b, c.a.Orders().Walk(walk.Filter{})) })
	b.Run("cells", func(b *testing.B) { benchPages(b, c.a.Stock().Walk()) })
	b.Run("of-sku", func(b *testing.B) { benchPages(b, c.a.Stock().Of(c.skus[7])) })
}

func benchPages[T any](b *testing.B, w walk.Walk[T]) {
	b.ReportAllocs()
	cursor := ""
	for b.Loop() {
		p, err := w.Page(context.Background(), cursor, 100)
		if err != nil {
			b.Fatal(err)
		}
		cursor = p.Next
	}
}
