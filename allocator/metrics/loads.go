package metrics

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/clickcollect/clickcollect/allocator"
)

// loads are the series of the locations. There are many, so what does not change from
// scrape to scrape is kept. Safe for concurrent use.
type loads struct {
	desc   *prometheus.Desc
	latest atomic.Pointer[roster] // the last one made; whoever finds it outdated makes another
}

// A roster is the locations of one moment. It does not change.
type roster struct {
	ids    []string           // in the order of the engine
	sorted []int              // their places by ID, the order in which a registry wants series
	labels [][]*dto.LabelPair // of each
}

// collect sends the series.
func (l *loads) collect(a *allocator.Allocator, to chan<- prometheus.Metric) {
	r := l.latest.Load()
	if r == nil {
		r = new(roster)
	}
	ids, values := make([]string, 0, len(r.ids)), make([]float64, 0, len(r.ids))
	for id, reservations := range a.Orders().Loads() {
		ids, values = append(ids, id), append(values, float64(reservations))
	}
	if !slices.Equal(r.ids, ids) {
		r = l.roster(ids)
		l.latest.Store(r)
	}
	all := make([]load, len(ids))
	for i, at := range r.sorted {
		m := &all[i]
		m.desc, m.labels, m.value = l.desc, r.labels[at], values[at]
		m.gauge.Value = &m.value
		to <- m
	}
}

func (l *loads) roster(ids []string) *roster {
	r := &roster{ids: ids, sorted: make([]int, len(ids)), labels: make([][]*dto.LabelPair, len(ids))}
	for i, id := range ids {
		r.sorted[i], r.labels[i] = i, prometheus.MakeLabelPairs(l.desc, []string{id})
	}
	slices.SortFunc(r.sorted, func(i, j int) int { return strings.Compare(ids[i], ids[j]) })
	return r
}

// A load is the series of one location.
type load struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  float64
	gauge  dto.Gauge
}

// Desc is the description of the series; see prometheus.Metric.
func (l *load) Desc() *prometheus.Desc { return l.desc }

// Write fills in the series; see prometheus.Metric.
func (l *load) Write(out *dto.Metric) error {
	out.Label, out.Gauge = l.labels, &l.gauge
	return nil
}
