package metrics

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/reservation/latency"
)

// Options of a Collector. The zero value has the series of one engine as a whole.
type Options struct {
	// Engine is the value of the label engine, which all series then have. Of several
	// engines in one registry each needs one of its own, in UTF-8. Empty: no such label.
	Engine string

	// Locations adds a series for each location. False: none.
	Locations bool

	// Sizes adds what allocator.Sizes says, which walks every SKU at each scrape. False:
	// it does not.
	Sizes bool
}

// A Collector is a prometheus.Collector over one engine. Safe for concurrent use, also
// after the engine was closed; it then tells the last numbers.
type Collector struct {
	engine  *allocator.Allocator
	figures []figure
	sizes   []sizeFigure
	times   []timeFigure
	loads   *loads // nil: no series of locations
}

// The descriptions of series, with how each is read.
type (
	described struct {
		desc   *prometheus.Desc
		kind   prometheus.ValueType
		values []string // of the labels
	}
	figure struct {
		described
		read func(*allocator.Stats) float64
	}
	sizeFigure struct {
		described
		read func(*allocator.Sizes) float64
	}
	timeFigure struct {
		desc *prometheus.Desc
		read func(*allocator.Stats) latency.Histogram
	}
)

// New returns a collector over an engine, for any number of registries. A registry
// refuses it if Engine is not UTF-8, or if another collector in it has the same Engine,
// or has one where this one has none.
func New(a *allocator.Allocator, o Options) *Collector {
	n := namer{}
	if o.Engine != "" {
		n.labels = prometheus.Labels{"engine": o.Engine}
	}
	c := &Collector{engine: a, figures: n.figures(), times: n.times()}
	if o.Sizes {
		c.sizes = n.sizes()
	}
	if o.Locations {
		c.loads = &loads{desc: n.desc("location_reservations", "Reservations of a location that have not ended.", "location")}
	}
	return c
}

// Describe sends the descriptions of all series; see prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for i := range c.figures {
		to <- c.figures[i].desc
	}
	for i := range c.sizes {
		to <- c.sizes[i].desc
	}
	for i := range c.times {
		to <- c.times[i].desc
	}
	if c.loads != nil {
		to <- c.loads.desc
	}
}

// Collect reads the numbers and sends them; see prometheus.Collector.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	s := c.engine.Stats()
	for i := range c.figures {
		f := &c.figures[i]
		to <- f.metric(f.read(&s))
	}
	for i := range c.times {
		f := &c.times[i]
		to <- &histogram{f.desc, f.read(&s)}
	}
	if c.sizes != nil {
		s := c.engine.Sizes()
		for i := range c.sizes {
			f := &c.sizes[i]
			to <- f.metric(f.read(&s))
		}
	}
	if c.loads != nil {
		c.loads.collect(c.engine, to)
	}
}

// metric is a series with its value.
func (d described) metric(value float64) prometheus.Metric {
	m, err := prometheus.NewConstMetric(d.desc, d.kind, value, d.values...)
	if err != nil {
		return prometheus.NewInvalidMetric(d.desc, err)
	}
	return m
}

// namer makes descriptions for one engine.
type namer struct{ labels prometheus.Labels }

func (n namer) desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("clickcollect_"+name, help, labels, n.labels)
}

func (n namer) gauge(name, help string, read func(*allocator.Stats) float64) figure {
	return figure{described{n.desc(name, help), prometheus.GaugeValue, nil}, read}
}

func (n namer) counter(name, help string, read func(*allocator.Stats) float64) figure {
	return figure{described{n.desc(name, help), prometheus.CounterValue, nil}, read}
}

// by are counters of one name, one for each value of a label.
func (n namer) by(name, help, label string, each ...labeled) (all []figure) {
	desc := n.desc(name, help, label)
	for _, l := range each {
		all = append(all, figure{described{desc, prometheus.CounterValue, []string{l.value}},
			func(s *allocator.Stats) float64 { return float64(*l.count(s)) }})
	}
	return all
}

type labeled struct {
	value string
	count func(*allocator.Stats) *uint64
}

// truth is a condition as a gauge.
func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// failed reports whether a journal stopped for good, and was not merely closed.
func failed(s *allocator.Stats) bool { return errors.Is(s.Journal.Err, allocator.ErrJournal) }
