package allocator

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// inFlight runs orders from so many callers, each of which waits for the answer
// to one before it places the next, and returns all their times.
func (c *country) inFlight(b *testing.B, orders []Order, callers int) latencies {
	c.runs++
	run := c.runs
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([]latencies, callers)
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			mine := make(latencies, 0, b.N/callers+16)
			for n := caller; left.Add(-1) >= 0; n += callers {
				o := orders[n%len(orders)]
				o.ID = fmt.Sprintf("SO-%d-%d", run, n)
				start := time.Now()
				if _, err := c.a.Allocate(context.Background(), o); err != nil {
					b.Error(err)
					return
				}
				mine = append(mine, time.Since(start))
			}
			took[caller] = mine
		})
	}
	wg.Wait()
	return slices.Concat(took...)
}

// BenchmarkDurable is the whole path, names in and a durable hold out, with the
// journal off, in its modes, and so many callers waiting. disk=raw is the
// physical limit in the same run: one page written over a zero-filled file and
// synced. Holds that nobody ends expire after the hold time, so that memory stays
// bounded in long runs.
func BenchmarkDurable(b *testing.B) {
	b.Run("disk=raw", benchmarkRawDisk)
	for _, mode := range []string{"off", "sync", "written"} {
		for _, callers := range []int{1, 64, 256, 1024, 10_000} {
			b.Run(fmt.Sprintf("journal=%s/callers=%d", mode, callers), func(b *testing.B) {
				o := Options{HoldFor: 20 * time.Second}
				if mode != "off" {
					o.Dir = b.TempDir()
				}
				if mode == "written" {
					o.Durability = Written
				}
				c := newCountryWith(b, o, 1000, 90)
				orders := c.orders(3, 1)
				runtime.GC()
				b.ReportAllocs()
				b.ResetTimer()
				took := c.inFlight(b, orders, callers)
				b.StopTimer()
				took.report(b)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
				if n := c.a.Stats().Journal; n.Commits > 0 {
					b.ReportMetric(float64(n.Sequence)/float64(n.Commits), "records/commit")
				}
			})
		}
	}
}

func benchmarkRawDisk(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	must(b, err)
	defer f.Close()
	page := make([]byte, 4096)
	const pages = 4096
	for i := range pages {
		_, err := f.WriteAt(page, int64(i)*4096)
		must(b, err)
	}
	must(b, f.Sync())
	page[0] = 1
	b.ResetTimer()
	for i := range b.N {
		_, err := f.WriteAt(page, int64(i%pages)*4096)
		must(b, err, f.Sync())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
}

// BenchmarkBulk is AllocateAll: one caller, one wait for so many orders.
func BenchmarkBulk(b *testing.B) {
	for _, size := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("orders=%d", size), func(b *testing.B) {
			c := newCountryWith(b, Options{Dir: b.TempDir(), HoldFor: 20 * time.Second}, 1000, 90)
			orders := c.orders(3, 1)
			batch := make([]Order, size)
			n := 0
			for b.Loop() {
				for i := range batch {
					batch[i] = orders[n%len(orders)]
					batch[i].ID = fmt.Sprintf("SO-%d", n)
					n++
				}
				for _, r := range c.a.AllocateAll(context.Background(), batch...) {
					must(b, r.Err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}

// BenchmarkSnapshotBeside is what a snapshot that is being written costs the
// orders that come meanwhile.
func BenchmarkSnapshotBeside(b *testing.B) {
	for _, on := range []bool{false, true} {
		b.Run(fmt.Sprintf("snapshot=%v", on), func(b *testing.B) {
			c := newCountryWith(b, Options{Dir: b.TempDir(), SnapshotEvery: -1}, 1000, 90)
			orders := c.orders(3, 1)
			stop := make(chan struct{})
			var wg sync.WaitGroup
			snapshots := 0
			if on {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							must(b, c.a.Snapshot(context.Background()))
							snapshots++
						}
					}
				})
			}
			b.ResetTimer()
			took := c.inFlight(b, orders, 64)
			b.StopTimer()
			close(stop)
			wg.Wait()
			took.report(b)
			b.ReportMetric(float64(snapshots), "snapshots")
		})
	}
}

// BenchmarkReaderBeside is what readers of the feed cost the writers: none, one
// that keeps up, and one that is slow.
func BenchmarkReaderBeside(b *testing.B) {
	for _, reader := range []string{"none", "live", "slow"} {
		b.Run("reader="+reader, func(b *testing.B) {
			c := newCountryWith(b, Options{Dir: b.TempDir(), HoldFor: 20 * time.Second}, 1000, 90)
			orders := c.orders(3, 1)
			ctx, stop := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			if reader != "none" {
				wg.Go(func() {
					for _, err := range c.a.Events(ctx, 0) {
						if err != nil {
							return
						}
						if reader == "slow" {
							<-tick.C
						}
					}
				})
			}
			b.ResetTimer()
			took := c.inFlight(b, orders, 256)
			b.StopTimer()
			stop()
			wg.Wait()
			took.report(b)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}
