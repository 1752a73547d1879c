package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/clickcollect/clickcollect/reservation/latency"
)

// A histogram is durations as a series: a native histogram and one with classic buckets
// in one, which client_golang makes no constant metric of.
type histogram struct {
	desc *prometheus.Desc
	of   latency.Histogram
}

// Desc is the description of the series; see prometheus.Metric.
func (h *histogram) Desc() *prometheus.Desc { return h.desc }

// Write fills in the series; see prometheus.Metric.
func (h *histogram) Write(out *dto.Metric) error {
	count, sum := h.of.Count, h.of.Sum.Seconds()
	out.Label = prometheus.MakeLabelPairs(h.desc, nil)
	out.Histogram = &dto.Histogram{SampleCount: &count, SampleSum: &sum, Bucket: h.classic()}
	h.native(out.Histogram)
	return nil
}

// classic are the buckets with the classic bounds; each has also what those before it
// have. Every one is the end of a bucket of ours.
func (h *histogram) classic() (all []*dto.Bucket) {
	left, sum := h.of.Buckets, uint64(0)
	for _, bound := range latency.Classic() {
		for len(left) > 0 && left[0].UpTo <= bound {
			sum += left[0].Count
			left = left[1:]
		}
		count, upper := sum, bound.Seconds()
		all = append(all, &dto.Bucket{CumulativeCount: &count, UpperBound: &upper})
	}
	return all
}

// native fills in the native buckets: spans of indexes that follow each other, and for
// each index by how much its count differs from the one before. What is too short to be
// told apart is in the zero bucket.
func (h *histogram) native(out *dto.Histogram) {
	schema, threshold, zero := int32(latency.Schema), math.Exp2(latency.Least), uint64(0)
	out.Schema, out.ZeroThreshold, out.ZeroCount = &schema, &threshold, &zero
	var counts []int64
	next := int32(0) // the index behind the last one, relative to which a span begins
	for _, b := range h.of.Buckets {
		if b.UpTo <= latency.Shortest {
			zero += b.Count
			continue
		}
		at := index(b.UpTo)
		if n := len(out.PositiveSpan); n > 0 && at == next-1 { // a classic bound divides a native bucket
			counts[len(counts)-1] += int64(b.Count)
			continue
		} else if n > 0 && at == next {
			*out.PositiveSpan[n-1].Length++
		} else {
			offset, length := at-next, uint32(1)
			out.PositiveSpan = append(out.PositiveSpan, &dto.BucketSpan{Offset: &offset, Length: &length})
		}
		counts, next = append(counts, int64(b.Count)), at+1
	}
	before := int64(0)
	for _, n := range counts {
		out.PositiveDelta = append(out.PositiveDelta, n-before)
		before = n
	}
	if len(counts) == 0 { // a span of nothing says that it is a native histogram
		offset, length := int32(0), uint32(0)
		out.PositiveSpan = []*dto.BucketSpan{{Offset: &offset, Length: &length}}
	}
}

// index is the native bucket of a duration: the least i for which it is at most
// 2^(i/2^Schema) seconds. The logarithm is right but for its last digits.
func index(d time.Duration) int32 {
	i := int32(math.Ceil(math.Log2(d.Seconds()) * (1 << latency.Schema)))
	if i--; d.Seconds() > bound(i) {
		i++
	}
	if d.Seconds() > bound(i) {
		i++
	}
	return i
}

// bound is the upper bound of a native bucket, in seconds.
func bound(i int32) float64 { return math.Exp2(float64(i) / (1 << latency.Schema)) }
