package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/reservation/latency"
)

// figures are the series that Stats gives one number for.
func (n namer) figures() []figure {
	return slices.Concat(
		n.by("orders_total", "Orders since the engine was opened, by result: held at one or more locations, refused because no location could fill it, repeated and answered as before, or in conflict with another one of the same ID.", "result",
			labeled{"held", func(s *allocator.Stats) *uint64 { return &s.Allocated }},
			labeled{"refused", func(s *allocator.Stats) *uint64 { return &s.Refused }},
			labeled{"repeated", func(s *allocator.Stats) *uint64 { return &s.Repeated }},
			labeled{"conflict", func(s *allocator.Stats) *uint64 { return &s.Conflicts }}),
		n.by("reservations_ended_total", "Reservations that ended since the engine was opened, by how. Expired ones include holds of which a part was confirmed before.", "how",
			labeled{"collected", func(s *allocator.Stats) *uint64 { return &s.Collected }},
			labeled{"canceled", func(s *allocator.Stats) *uint64 { return &s.Canceled }},
			labeled{"expired", func(s *allocator.Stats) *uint64 { return &s.Expired }},
			labeled{"no_show", func(s *allocator.Stats) *uint64 { return &s.NoShows }}),
		n.by("panics_total", "Panics that were caught since the engine was opened, by whose function it was.", "in",
			labeled{"host", func(s *allocator.Stats) *uint64 { return &s.HostPanics }},
			labeled{"engine", func(s *allocator.Stats) *uint64 { return &s.Panics }}),
		[]figure{
			n.counter("lost_races_total", "Locations that an order came to and found short, since the engine was opened.",
				func(s *allocator.Stats) float64 { return float64(s.LostRaces) }),
			n.gauge("locations", "Locations there are.",
				func(s *allocator.Stats) float64 { return float64(s.Locations) }),
			n.gauge("reservations", "Reservations with units held or confirmed, of an order in parts each of them.",
				func(s *allocator.Stats) float64 { return float64(s.Held) }),
			n.gauge("remembered_ids", "Ended reservations, movements, changes and returns that are kept for repeats.",
				func(s *allocator.Stats) float64 { return float64(s.Remembered) }),
			n.gauge("short_cells", "Pairs of a SKU and a location with more units held than on hand.",
				func(s *allocator.Stats) float64 { return float64(s.Short) }),
			n.gauge("expiry_lag_seconds", "The longest time from a deadline to when its units were free, in the latest sweep that ended anything.",
				func(s *allocator.Stats) float64 { return s.ExpiryLag.Seconds() }),
			n.gauge("recovery_duration_seconds", "How long it took to open the journal.",
				func(s *allocator.Stats) float64 { return s.Recovered.Took.Seconds() }),
		}, n.journal())
}

// journal are the series of the journal; without one they are 0.
func (n namer) journal() []figure {
	return []figure{
		n.counter("journal_records_total", "Sequence number of the newest record, over the life of the journal.",
			func(s *allocator.Stats) float64 { return float64(s.Journal.Sequence) }),
		n.counter("journal_durable_records_total", "Sequence number of the newest record that lasts, over the life of the journal.",
			func(s *allocator.Stats) float64 { return float64(s.Journal.Durable) }),
		n.counter("journal_commits_total", "Commits since the engine was opened.",
			func(s *allocator.Stats) float64 { return float64(s.Journal.Commits) }),
		n.gauge("journal_backlog_bytes", "Bytes of records that are not yet written.",
			func(s *allocator.Stats) float64 { return float64(s.Journal.Backlog) }),
		n.gauge("journal_file_bytes", "Bytes of the journal's files, without snapshots.",
			func(s *allocator.Stats) float64 { return float64(s.Journal.Bytes) }),
		n.gauge("journal_segments", "Files of the journal with records.",
			func(s *allocator.Stats) float64 { return float64(s.Journal.Segments) }),
		n.gauge("journal_prepared_files", "Files of the journal that are made ready for records.",
			func(s *allocator.Stats) float64 { return float64(s.Journal.Prepared) }),
		n.gauge("journal_degraded", "1 while a commit takes more than a second.",
			func(s *allocator.Stats) float64 { return truth(s.Journal.Degraded) }),
		n.gauge("journal_failed", "1 when a write or a sync failed and nothing more is written until the engine is opened anew.",
			func(s *allocator.Stats) float64 { return truth(failed(s)) }),
	}
}

// sizes are the series of allocator.Sizes.
func (n namer) sizes() []sizeFigure {
	gauge := func(name, help string, read func(*allocator.Sizes) float64) sizeFigure {
		return sizeFigure{described{n.desc(name, help), prometheus.GaugeValue, nil}, read}
	}
	return []sizeFigure{
		gauge("skus", "SKUs that were ever received or counted.", func(s *allocator.Sizes) float64 { return float64(s.SKUs) }),
		gauge("cells", "Pairs of a SKU and a location with a counter.", func(s *allocator.Sizes) float64 { return float64(s.Cells) }),
		gauge("stock_bytes", "Bytes of memory for counters and what finds them.", func(s *allocator.Sizes) float64 { return float64(s.StockBytes) }),
		gauge("reservation_bytes", "Bytes of memory for reservations and what finds them, in use or not.", func(s *allocator.Sizes) float64 { return float64(s.ReservationBytes) }),
	}
}

// times are the histograms.
func (n namer) times() []timeFigure {
	return []timeFigure{
		{n.desc("allocate_duration_seconds", "How long one call of Allocate in 64 took, with the wait for the disk."),
			func(s *allocator.Stats) latency.Histogram { return s.AllocateTime }},
		{n.desc("journal_commit_duration_seconds", "How long each commit took to write and sync."),
			func(s *allocator.Stats) latency.Histogram { return s.Journal.CommitTime }},
	}
}
