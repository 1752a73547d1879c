package latency

import (
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// Schema is how often the width of the buckets is halved: 2^Schema of them make
	// one doubling.
	Schema = 3
	// Least is the power of two, in seconds, below which durations are not told apart:
	// they are in the first bucket.
	Least = -23
	// Shortest is 2^Least seconds, cut to whole nanoseconds: the end of that bucket.
	Shortest = 119 * time.Nanosecond

	most        = 10 // the power of two that is the last bound, likewise
	classicFrom = time.Microsecond
	classicTo   = 10 * time.Second
	classics    = 7*3 + 1 // bounds from classicFrom to classicTo
	buckets     = (most-Least)<<Schema + 1 + classics
)

// bounds are the upper bounds of the buckets, in nanoseconds and ascending. A
// duration that is longer than the last counts as that long.
var bounds = cut()

// cut makes the bounds. They are cut to whole nanoseconds, which durations are, so
// that it is the same to be at most a bound before and after that.
func cut() (all [buckets]time.Duration) {
	i := 0
	for k := Least << Schema; k <= most<<Schema; k++ {
		all[i] = time.Duration(math.Exp2(float64(k)/(1<<Schema)) * 1e9)
		i++
	}
	for _, bound := range Classic() {
		all[i] = bound
		i++
	}
	slices.Sort(all[:])
	return all
}

// Classic are the classic bounds, ascending: 1, 2.5 and 5 of each power of ten, from
// a microsecond to ten seconds.
func Classic() []time.Duration {
	var all []time.Duration
	for step := classicFrom; step < classicTo; step *= 10 {
		all = append(all, step, step*5/2, step*5)
	}
	return append(all, classicTo)
}

// A Recorder counts durations. The zero value has none. Safe for concurrent use; an
// Add is two atomic additions, to lines that all who add share: whoever calls it more
// often than some hundred thousand times a second should give it a sample.
type Recorder struct {
	counts [buckets]atomic.Uint64
	sum    atomic.Int64
}

// Add counts a duration; one below zero, which a clock that is set can make, as zero.
func (r *Recorder) Add(d time.Duration) {
	d = max(d, 0)
	i, _ := slices.BinarySearch(bounds[:], d)
	r.counts[min(i, buckets-1)].Add(1)
	r.sum.Add(int64(d))
}

// Read copies what was counted. What is added meanwhile may be in the buckets and not
// yet in the sum.
func (r *Recorder) Read() Histogram {
	h := Histogram{Sum: time.Duration(r.sum.Load())}
	for i := range r.counts {
		if n := r.counts[i].Load(); n > 0 {
			h.Count += n
			h.Buckets = append(h.Buckets, Bucket{UpTo: bounds[i], Count: n})
		}
	}
	return h
}

// A Histogram is how often something took how long. It is a copy and changes no more.
type Histogram struct {
	Count   uint64        // how often in all
	Sum     time.Duration // how long in all
	Buckets []Bucket      // those that are not empty, ascending
}

// A Bucket counts what took longer than the bound before and at most UpTo; the last
// one there can be also all that took longer.
type Bucket struct {
	UpTo  time.Duration
	Count uint64
}

// Quantile is the bound below or at which the part q of all lies, q from 0 to 1: at
// most 9 percent too long. 0 if there is nothing.
func (h Histogram) Quantile(q float64) time.Duration {
	left := uint64(math.Ceil(min(max(q, 0), 1) * float64(h.Count)))
	for _, b := range h.Buckets {
		if b.Count >= left {
			return b.UpTo
		}
		left -= b.Count
	}
	return 0
}

// String is the histogram in a few words.
func (h Histogram) String() string {
	if h.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, mean %v, p50 %v, p99 %v", h.Count, h.Sum/time.Duration(h.Count), h.Quantile(0.5), h.Quantile(0.99))
}
