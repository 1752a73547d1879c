package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// BenchmarkAppend compares a log with the least that any log has to do: one
// write and one sync for each frame, over bytes that are in place. Both take
// turns in the same run, so that the figure to look at is ratio, the time of
// the log over the time of the loop.
func BenchmarkAppend(b *testing.B) {
	for _, records := range []int{1, 64, 1024, 8192} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			payload := make([]byte, records*100)
			for i := range payload {
				payload[i] = byte(i)
			}
			d := openDir(b, b.TempDir())
			l, err := OpenFile(d, FileOptions{})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			raw := newRawLoop(b, len(payload))
			for l.Numbers().Prepared < segmentsAhead { // the first ones are not what is measured
				runtime.Gosched()
			}
			var spent, least time.Duration
			for b.Loop() {
				begun := time.Now()
				if err := l.Append(l.Last()+1, records, payload); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				raw.append(b, payload)
				spent += between.Sub(begun)
				least += time.Since(between)
				if l.Last()%1000 == 0 {
					l.Trim(l.Last())
				}
			}
			b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "log-µs/op")
			b.ReportMetric(float64(least.Microseconds())/float64(b.N), "raw-µs/op")
			b.ReportMetric(float64(spent)/float64(least), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// A rawLoop is the loop: a file of zeros, written over from its start to its
// end and again.
type rawLoop struct {
	file File
	at   int64
	size int64
}

func newRawLoop(b *testing.B, payload int) *rawLoop {
	f, err := openDir(b, filepath.Join(b.TempDir(), "raw")).Create("raw", defaultSegmentBytes)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return &rawLoop{file: f, size: defaultSegmentBytes}
}

func (r *rawLoop) append(b *testing.B, payload []byte) {
	if r.at+int64(len(payload)) > r.size {
		r.at = 0
	}
	if _, err := r.file.WriteAt(payload, r.at); err != nil {
		b.Fatal(err)
	}
	if err := r.file.Sync(); err != nil {
		b.Fatal(err)
	}
	r.at += int64(len(payload))
}

// BenchmarkOpen is the time to open a directory: a new one, and one with a log
// that ends in the middle of a segment.
func BenchmarkOpen(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		dir := b.TempDir()
		for i := 0; b.Loop(); i++ {
			name := filepath.Join(dir, fmt.Sprint(i))
			d := openDir(b, name)
			l, err := OpenFile(d, FileOptions{})
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			l.Close()
			os.RemoveAll(name)
			b.StartTimer()
		}
	})
	b.Run("old", func(b *testing.B) {
		d := openDir(b, b.TempDir())
		for i := 0; b.Loop(); i++ {
			l, err := OpenFile(d, FileOptions{})
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if i == 0 {
				p := make([]byte, 1<<20)
				for range 100 {
					if err := l.Append(l.Last()+1, 1, p); err != nil {
						b.Fatal(err)
					}
				}
			}
			l.Close()
			b.StartTimer()
		}
	})
}

// BenchmarkRead reads and verifies a log of 128 MiB in frames of 64 records of
// 100 bytes, as a recovery does, from the page cache.
func BenchmarkRead(b *testing.B) {
	l, err := OpenFile(openDir(b, b.TempDir()), FileOptions{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	p := make([]byte, 6400)
	for l.Last() < 64*16_384 {
		if err := l.Append(l.Last()+1, 64, p); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(l.Numbers().Written)
	for b.Loop() {
		records := 0
		for f, err := range l.Read(1) {
			if err != nil {
				b.Fatal(err)
			}
			records += f.Count
		}
		if uint64(records) != l.Last() {
			b.Fatalf("read %d records of %d", records, l.Last())
		}
	}
	b.ReportMetric(float64(l.Last())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
}
