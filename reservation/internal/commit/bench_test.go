package commit_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
)

const recordBytes = 100

// callerCounts are how many wait at a time.
var callerCounts = []int{1, 64, 256, 1000, 10_000}

// BenchmarkQueue writes records of 100 bytes durably, each caller one at a
// time, in the directory for temporary files. impl=raw is the limit of the
// disk: one loop that writes a record for each caller in one piece over zeros
// and syncs it, with nobody to wake.
func BenchmarkQueue(b *testing.B) {
	for _, callers := range callerCounts {
		b.Run(fmt.Sprintf("impl=raw/callers=%d", callers), func(b *testing.B) { benchmarkRaw(b, callers) })
		b.Run(fmt.Sprintf("impl=queue/callers=%d", callers), func(b *testing.B) {
			benchmarkQueue(b, openQueue(b, journal.FileOptions{}, commit.Options{}), callers)
		})
	}
}

// BenchmarkQueueWritten acknowledges what is written.
func BenchmarkQueueWritten(b *testing.B) {
	for _, callers := range callerCounts {
		b.Run(fmt.Sprintf("impl=queue/callers=%d", callers), func(b *testing.B) {
			benchmarkQueue(b, openQueue(b, journal.FileOptions{NoSync: true}, commit.Options{Written: true}), callers)
		})
	}
}

// BenchmarkQueueAppend waits for nothing but room in the backlog.
func BenchmarkQueueAppend(b *testing.B) {
	for _, callers := range []int{1, 2, 16} {
		b.Run(fmt.Sprintf("impl=queue/callers=%d", callers), func(b *testing.B) {
			q := openQueue(b, journal.FileOptions{}, commit.Options{})
			var left atomic.Int64
			left.Store(int64(b.N))
			var ended sync.WaitGroup
			for range callers {
				ended.Go(func() {
					record := make([]byte, recordBytes)
					for left.Add(-1) >= 0 {
						err := q.Admit(context.Background())
						if err == nil {
							_, err = q.Append(record)
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			ended.Wait()
			if err := q.WaitFor(context.Background(), q.Last()); err != nil {
				b.Error(err)
			}
			report(b, 1, nil)
		})
	}
}

// BenchmarkQueueFollowed has somebody read along: readers=live sees every
// record as soon as it is durable, readers=stuck never takes the second one.
func BenchmarkQueueFollowed(b *testing.B) {
	for _, readers := range []string{"none", "live", "stuck"} {
		b.Run("callers=256/readers="+readers, func(b *testing.B) {
			q := openQueue(b, journal.FileOptions{}, commit.Options{})
			ctx, cancel := context.WithCancel(b.Context())
			var read sync.WaitGroup
			seen := uint64(0)
			if readers != "none" {
				read.Go(func() {
					for r := range q.Follow(ctx, 1, true) {
						if seen++; r.Sequence == 1 && readers == "stuck" {
							<-ctx.Done()
						}
					}
				})
			}
			benchmarkQueue(b, q, 256)
			cancel()
			read.Wait()
			b.ReportMetric(float64(seen)/float64(b.N), "read/record")
		})
	}
}

func benchmarkQueue(b *testing.B, q *commit.Queue, callers int) {
	var left atomic.Int64
	left.Store(int64(b.N))
	waits := make([][]time.Duration, callers)
	var begun, ended sync.WaitGroup
	start := make(chan struct{})
	begun.Add(callers)
	for i := range callers {
		ended.Go(func() {
			record := make([]byte, recordBytes)
			begun.Done()
			<-start
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				timed := n%16 == 0
				var at time.Time
				if timed {
					at = time.Now()
				}
				t, err := q.Append(record)
				if err == nil {
					err = q.Wait(context.Background(), t)
				}
				if err != nil {
					b.Error(err)
					return
				}
				if timed {
					waits[i] = append(waits[i], time.Since(at))
				}
			}
		})
	}
	begun.Wait()
	b.ResetTimer()
	close(start)
	ended.Wait()
	b.StopTimer()
	report(b, 1, slices.Concat(waits...))
	n := q.Numbers()
	b.ReportMetric(float64(n.Records)/float64(n.Commits), "records/commit")
}

// report adds the rate and the quantiles of the waits.
func report(b *testing.B, perStep int, waits []time.Duration) {
	b.ReportMetric(float64(b.N*perStep)/b.Elapsed().Seconds(), "records/s")
	slices.Sort(waits)
	for name, q := range map[string]float64{"p50-µs": 0.5, "p99-µs": 0.99, "p99.9-µs": 0.999} {
		if len(waits) > 0 {
			at := waits[int(q*float64(len(waits)-1))]
			b.ReportMetric(float64(at.Nanoseconds())/1e3, name)
		}
	}
}

func benchmarkRaw(b *testing.B, callers int) {
	const fileBytes = 32 << 20
	d, err := journal.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	f, err := d.Create("raw", fileBytes)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	piece := make([]byte, (callers*recordBytes+4095)/4096*4096)
	var waits []time.Duration
	offset := int64(0)
	for b.Loop() {
		at := time.Now()
		if offset+int64(len(piece)) > fileBytes {
			offset = 0
		}
		if _, err := f.WriteAt(piece, offset); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		offset += int64(len(piece))
		waits = append(waits, time.Since(at))
	}
	report(b, callers, waits)
}

// openQueue opens a queue on a log in files, which the end of the benchmark
// closes.
func openQueue(b *testing.B, f journal.FileOptions, o commit.Options) *commit.Queue {
	d, err := journal.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	l, err := journal.OpenFile(d, f)
	if err != nil {
		b.Fatal(err)
	}
	q := commit.New(l, o)
	b.Cleanup(func() {
		if err := q.Close(); err != nil {
			b.Error(err)
		}
	})
	return q
}
