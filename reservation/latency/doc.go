// Package latency counts durations in buckets: how long commits take, and orders.
//
// The bounds of the buckets are the same in every histogram: from 119 nanoseconds to
// 1,024 seconds, eight to each doubling, so that a bucket is 9 percent wide, and
// besides them 1, 2.5 and 5 of each power of ten from a microsecond to ten seconds.
// The first ones are those of a Prometheus native histogram of schema 3, the second
// ones the classic bounds of this module: one histogram gives both, exactly.
//
// It owns the counters. It may touch nothing else; it must not read a clock, take a
// lock, start a goroutine, or decide anything.
package latency
