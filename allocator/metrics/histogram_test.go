package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/clickcollect/clickcollect/reservation/latency"
)

// twin is what client_golang makes of durations.
func twin(t *testing.T, all []time.Duration) *dto.Histogram {
	t.Helper()
	o := prometheus.HistogramOpts{Name: "twin", Help: "x", NativeHistogramBucketFactor: math.Exp2(1.0 / (1 << latency.Schema)),
		NativeHistogramZeroThreshold: math.Exp2(latency.Least)}
	for _, bound := range latency.Classic() {
		o.Buckets = append(o.Buckets, bound.Seconds())
	}
	h := prometheus.NewHistogram(o)
	for _, d := range all {
		h.Observe(d.Seconds())
	}
	return written(t, h)
}

// ours is what we make of them.
func ours(t *testing.T, all []time.Duration) *dto.Histogram {
	t.Helper()
	var r latency.Recorder
	for _, d := range all {
		r.Add(d)
	}
	return written(t, &histogram{prometheus.NewDesc("ours", "x", nil, nil), r.Read()})
}

func written(t *testing.T, m prometheus.Metric) *dto.Histogram {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Histogram
}

// told is what a server reads in a histogram: the classic buckets, and the native ones
// by their index.
func told(h *dto.Histogram) string {
	native, at, count := map[int32]int64{}, int32(0), int64(0)
	deltas := h.PositiveDelta
	for _, span := range h.PositiveSpan {
		at += span.GetOffset()
		for range span.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			if count != 0 {
				native[at] = count
			}
			at++
		}
	}
	text := fmt.Sprintf("%d, %.6g, schema %d, %v below %v, %v, %d left over, classic",
		h.GetSampleCount(), h.GetSampleSum(), h.GetSchema(), h.GetZeroCount(), h.GetZeroThreshold(), native, len(deltas))
	for _, b := range h.Bucket {
		text += fmt.Sprintf(" %v:%d", b.GetUpperBound(), b.GetCumulativeCount())
	}
	return text
}

// A histogram says what client_golang's own would, which sees each duration: none, those
// around every bound of either kind, and any.
func TestHistogramIsAsOfClientGolang(t *testing.T) {
	around := []time.Duration{0, 1}
	for i := int32(latency.Least << latency.Schema); i <= 10<<latency.Schema; i++ {
		d := time.Duration(bound(i) * 1e9)
		around = append(around, d-1, d, min(d+1, 1024*time.Second))
	}
	for _, d := range latency.Classic() {
		around = append(around, d-1, d, d+1)
	}
	cases := [][]time.Duration{nil, {0}, {time.Millisecond}, around}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var some []time.Duration
		for range random.IntN(200) {
			some = append(some, time.Duration(math.Exp2(random.Float64()*39)))
		}
		cases = append(cases, some)
	}
	for _, all := range cases {
		if got, want := told(ours(t, all)), told(twin(t, all)); got != want {
			t.Errorf("of %v\n got %s\nwant %s", all, got, want)
		}
	}
	// The canary: a histogram that lacks one is told apart.
	if told(ours(t, around[1:])) == told(twin(t, around)) {
		t.Error("the canary lives")
	}
}
