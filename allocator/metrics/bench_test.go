package metrics_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/metrics"
)

// BenchmarkScrape is a whole scrape, read, gathered and written as text, of an engine
// with so many locations, with and without a series for each.
func BenchmarkScrape(b *testing.B) {
	for _, locations := range []int{1000, 10000} {
		a := opened(b, locations, 1000, allocator.Options{FeedBytes: 1 << 20})
		for i := range 20000 {
			_, err := a.Allocate(b.Context(), order(fmt.Sprint("SO-", i), i%locations))
			must(b, err)
		}
		for _, each := range []bool{false, true} {
			b.Run(fmt.Sprintf("locations=%d/each=%t", locations, each), func(b *testing.B) {
				scrape := scraper(b, metrics.New(a, metrics.Options{Locations: each}))
				b.ReportAllocs()
				for b.Loop() {
					scrape()
				}
			})
		}
		must(b, a.Close())
	}
}

// scraper scrapes a registry of its own as a server would.
func scraper(b *testing.B, c prometheus.Collector) func() {
	r := prometheus.NewRegistry()
	must(b, r.Register(c))
	handler := promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	return func() {
		to := httptest.NewRecorder()
		if handler.ServeHTTP(to, request); to.Code != http.StatusOK {
			b.Error(to.Code, to.Body)
		}
	}
}

// BenchmarkStats is what a scrape asks the engine for.
func BenchmarkStats(b *testing.B) {
	a := opened(b, 1000, 1000, allocator.Options{FeedBytes: 1 << 20})
	for b.Loop() {
		a.Stats()
	}
	must(b, a.Close())
}

// BenchmarkClaims lets two callers claim, in rounds of two seconds: one with a scrape
// each second, with the series of all 1,000 locations, between two without; with -short
// in rounds of a fiftieth of that. An iteration is such three rounds, in another order each
// time. It reports the medians of the 99th percentiles, and of two ratios within an
// iteration, in percent: that with scrapes to the mean of the two without, and, as a
// measure of how much the machine's noise makes, one without to the other.
func BenchmarkClaims(b *testing.B) {
	second := time.Second
	if testing.Short() {
		second /= 50
	}
	a := opened(b, 1000, 1_000_000, allocator.Options{Remember: 1 << 16})
	c := claimers{engine: a, scrape: scraper(b, metrics.New(a, metrics.Options{Locations: true}))}
	c.round(b, second, false) // memory is set aside, and caches are warm
	var quiet, scraped, ratios, noise []float64
	for turn := range b.N {
		var p99 [3]float64 // with scrapes, without, and without again
		for i := range p99 {
			which := (turn + i) % len(p99)
			p99[which] = c.round(b, second, which == 0)
		}
		mean := (p99[1] + p99[2]) / 2
		quiet, scraped = append(quiet, mean), append(scraped, p99[0])
		ratios, noise = append(ratios, 100*p99[0]/mean), append(noise, 100*p99[2]/p99[1])
	}
	b.ReportMetric(median(quiet), "p99-quiet-ns")
	b.ReportMetric(median(scraped), "p99-scraped-ns")
	b.ReportMetric(median(ratios), "%scraped/quiet")
	b.ReportMetric(median(noise), "%quiet/quiet")
	must(b, a.Close())
}

func median(all []float64) float64 {
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// claimers hold and cancel one order after another.
type claimers struct {
	engine *allocator.Allocator
	scrape func()
	rounds int
}

// round lets them work for two seconds and returns the 99th percentile of Allocate, in
// nanoseconds.
func (c *claimers) round(b *testing.B, second time.Duration, scrapes bool) float64 {
	const callers = 2
	c.rounds++
	var over atomic.Bool
	var all sync.WaitGroup
	var took [callers][]time.Duration
	for w := range callers {
		all.Go(func() {
			for i := 0; !over.Load(); i++ {
				o := order("SO-"+strconv.Itoa(c.rounds)+"-"+strconv.Itoa(w)+"-"+strconv.Itoa(i), i*7919%1000)
				begun := time.Now()
				_, err := c.engine.Allocate(context.Background(), o)
				took[w] = append(took[w], time.Since(begun))
				if err != nil || c.engine.Cancel(context.Background(), o.ID) != nil {
					b.Error("not held, or not canceled: ", err)
					return
				}
			}
		})
	}
	ticker := time.NewTicker(second)
	defer ticker.Stop()
	for range 2 {
		if scrapes {
			c.scrape()
		}
		<-ticker.C
	}
	over.Store(true)
	all.Wait()
	both := slices.Concat(took[:]...)
	slices.Sort(both)
	return float64(both[len(both)*99/100])
}
