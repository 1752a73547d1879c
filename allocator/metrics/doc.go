// Package metrics tells Prometheus the numbers of an engine: a Collector over
// allocator.Stats.
//
// All series begin with clickcollect_. They are read at each scrape, by Stats, which
// takes no lock; between scrapes the package does nothing. Nothing is counted per SKU.
// A series per location, and what Sizes says, are there for those who ask for them
// (Options). Two engines in one registry are told apart by a label, engine.
//
// Two series are histograms, both as a native one of schema 3 and with classic buckets;
// which of them is stored the server decides. clickcollect_journal_commit_duration_seconds
// has every commit. clickcollect_allocate_duration_seconds is a sample: one call of
// Allocate in 64 is timed, so that the other 63 read no clock for it. Its quantiles are
// those of all orders; how many there are say clickcollect_orders_total and not its count.
//
// It owns the names of the series and their help. It may touch the door alone, and
// client_golang, which no other package of the module does, so that a program which does
// not import this one does not link it. It must not keep figures of its own, change
// anything of the engine, start a goroutine, or know a registry.
package metrics
