package allocator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// newPlannedCountry is a country whose locations have hours and lead times, so
// that every order is planned.
func newPlannedCountry(b testing.TB, locations, percent int) *country {
	c := newCountry(b, locations, percent)
	t := c.a.locations.Load()
	all := make([]Location, t.Slots())
	for i := range all {
		all[i] = locationOf(t.Place(uint32(i)))
		all[i].Terms = &Terms{Hours: "Mo-Fr 09:00-18:00; Sa 09:00-14:00", Prep: time.Hour, Transfer: 24 * time.Hour, Delivery: 48 * time.Hour}
	}
	must(b, c.a.SetLocations(context.Background(), all...))
	return c
}

// with changes every order.
func with(orders []Order, change func(i int, o *Order)) []Order {
	for i := range orders {
		change(i, &orders[i])
	}
	return orders
}

// BenchmarkPlan is one call of Allocate, each timed alone: on the hot path, and
// planned with terms, for one location, for a split, and with goods brought to a
// store. Compare the figures of one run with each other.
func BenchmarkPlan(b *testing.B) {
	for _, locations := range []int{1000, 10_000} {
		for _, percent := range []int{90, 1} {
			name := fmt.Sprintf("locations=%d/stocked=%d%%/lines=", locations, percent)
			lines := 2
			if percent == 1 {
				lines = 1
			}
			b.Run(fmt.Sprint("path=hot/", name, lines), func(b *testing.B) {
				c := newCountry(b, locations, percent)
				c.bench(b, c.orders(lines, 1), nil)
			})
			b.Run(fmt.Sprint("path=planned/", name, lines), func(b *testing.B) {
				c := newPlannedCountry(b, locations, percent)
				c.bench(b, c.orders(lines, 1), nil)
			})
		}
		for _, lines := range []int{5, 8} {
			b.Run(fmt.Sprintf("path=split/locations=%d/stocked=10%%/lines=%d", locations, lines), func(b *testing.B) {
				c := newPlannedCountry(b, locations, 10)
				c.bench(b, with(c.orders(lines, 1), func(_ int, o *Order) { o.Form, o.MaxLocations = sourcing.Ship, lines }), nil)
			})
		}
		b.Run(fmt.Sprintf("path=store/locations=%d/stocked=30%%/lines=3", locations), func(b *testing.B) {
			c := newPlannedCountry(b, locations, 30)
			c.bench(b, with(c.orders(3, 1), func(i int, o *Order) {
				o.Form, o.MaxLocations, o.At = sourcing.ShipToStore, 3, fmt.Sprintf("L%06d", i*7919%locations)
			}), nil)
		})
	}
}

// BenchmarkExplain compares planned orders that remember why with those that do
// not, in turn: x-time is the ratio of the medians, x-sum that of the sums.
func BenchmarkExplain(b *testing.B) {
	for _, percent := range []int{90, 30, 1} {
		b.Run(fmt.Sprintf("locations=1000/stocked=%d%%", percent), func(b *testing.B) {
			c, ctx := newPlannedCountry(b, 1000, percent), context.Background()
			orders := c.orders(2, 1)
			if percent == 1 {
				orders = c.orders(1, 1)
			}
			var took [2]latencies
			run := 0
			for b.Loop() {
				o := orders[run/2%len(orders)]
				o.ID = fmt.Sprint("o", run)
				which := (run + run/2) % 2 // each way comes first in half of the pairs
				c.a.untraced = which == 1
				start := time.Now()
				_, err := c.a.Allocate(ctx, o)
				took[which] = append(took[which], time.Since(start))
				must(b, err, c.a.Cancel(ctx, o.ID))
				run++
			}
			var sum [2]time.Duration
			for i := range took {
				slices.Sort(took[i])
				for _, d := range took[i][:len(took[i])*99/100] {
					sum[i] += d
				}
			}
			if len(took[1]) > 0 {
				at := len(took[1]) / 2
				b.ReportMetric(float64(took[0][at])/float64(cmp.Or(took[1][at], 1)), "x-time")
				b.ReportMetric(float64(sum[0])/float64(max(sum[1], 1)), "x-sum")
			}
		})
	}
}
