package latency

import (
	"math"
	"sync"
	"testing"
	"time"
)

// slowest is the bucket of a duration by a walk of the bounds.
func slowest(d time.Duration) time.Duration {
	for _, bound := range bounds {
		if d <= bound {
			return bound
		}
	}
	return bounds[len(bounds)-1]
}

// misplaced reports the durations around each bound that a recorder does not count
// in the bucket they belong to.
func misplaced(record func(time.Duration) Histogram) (faults []time.Duration) {
	for _, bound := range bounds {
		for d := bound - 1; d <= bound+1; d++ {
			h := record(d)
			if h.Count != 1 || len(h.Buckets) != 1 || h.Buckets[0] != (Bucket{slowest(d), 1}) || h.Sum != d {
				faults = append(faults, d)
			}
		}
	}
	return faults
}

func TestBuckets(t *testing.T) {
	faults := misplaced(func(d time.Duration) Histogram {
		var r Recorder
		r.Add(d)
		return r.Read()
	})
	if faults != nil {
		t.Errorf("in the wrong bucket: %v", faults)
	}
	// The canary: a recorder that rounds to microseconds is noticed.
	if misplaced(func(d time.Duration) Histogram {
		var r Recorder
		r.Add(d.Round(time.Microsecond))
		h := r.Read()
		h.Sum = d
		return h
	}) == nil {
		t.Error("the canary lives")
	}
}

// The bounds are what the package comment says.
func TestBounds(t *testing.T) {
	if bounds[0] != Shortest || bounds[buckets-1] != 1024*time.Second {
		t.Errorf("from %v to %v", bounds[0], bounds[buckets-1])
	}
	for i := 1; i < buckets; i++ {
		if wide := float64(bounds[i]) / float64(bounds[i-1]); wide > 1.1 || wide < 1 {
			t.Errorf("from %v to %v", bounds[i-1], bounds[i])
		}
	}
	classic := Classic()
	if n := len(classic); n != classics || classic[0] != time.Microsecond || classic[1] != 2500 || classic[n-1] != 10*time.Second {
		t.Errorf("%v", classic)
	}
	for _, bound := range classic {
		if slowest(bound) != bound {
			t.Errorf("%v is no bound", bound)
		}
	}
}

// What is out of range is counted all the same.
func TestOutOfRange(t *testing.T) {
	var r Recorder
	for _, d := range []time.Duration{math.MinInt64, -1, 0, time.Hour} {
		r.Add(d)
	}
	h := r.Read()
	if h.Count != 4 || h.Sum != time.Hour || len(h.Buckets) != 2 || h.Buckets[0] != (Bucket{Shortest, 3}) || h.Buckets[1].UpTo != 1024*time.Second {
		t.Errorf("%+v", h)
	}
}

func TestQuantile(t *testing.T) {
	var r Recorder
	if h := r.Read(); h.Quantile(0.5) != 0 || h.String() != "none" {
		t.Errorf("of nothing %v, %v", h.Quantile(0.5), h)
	}
	for i := range 1000 {
		r.Add(time.Duration(i+1) * time.Millisecond)
	}
	h := r.Read()
	for _, q := range []float64{-1, 0, 0.001, 0.25, 0.5, 0.99, 1, 2} {
		exact := max(time.Duration(math.Ceil(1000*min(max(q, 0), 1)))*time.Millisecond, time.Millisecond)
		if got := h.Quantile(q); got < exact || got > exact*110/100 {
			t.Errorf("quantile %v is %v, exactly %v", q, got, exact)
		}
	}
	if got, want := h.String(), "1000, mean 500.5ms, p50 500ms, p99 1s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Nothing is lost when many count at once, and a reader sees no more than there is.
func TestTogether(t *testing.T) {
	const workers, each = 4, 5000
	var r Recorder
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range each {
				r.Add(time.Duration(i*(w+1)) * time.Microsecond)
				if i%500 == 0 && r.Read().Count > workers*each {
					t.Error("more than there is")
				}
			}
		})
	}
	all.Wait()
	if h := r.Read(); h.Count != workers*each || h.Sum != each*(each-1)/2*10*time.Microsecond {
		t.Errorf("%v", h)
	}
}

func BenchmarkAdd(b *testing.B) {
	var r Recorder
	d := time.Duration(0)
	for b.Loop() {
		r.Add(d)
		d = (d + 997) & (1<<20 - 1)
	}
}
