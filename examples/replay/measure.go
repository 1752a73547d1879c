package main

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// speed is what the measured repetitions of the week gave.
type speed struct {
	weeks      int
	goroutines int
	orders     int           // answered, held or refused
	lines      int           // of those
	busy       time.Duration // the time in which they were answered
	latency    latencies
	heldIDs    []string // of the last repetition, whose goods are still held
}

// steady is how long the measuring goes on if no number of weeks is given.
const steady = time.Second

// measure repeats the week, each time with new order IDs, from several
// goroutines at once. Only the Allocate calls are inside the measured time: the
// IDs are made before it and the goods are put back after it. weeks 0 means as
// many as it takes to measure for about a second.
func measure(ctx context.Context, a *allocator.Allocator, w *week, ordersOf func(repeat int) []allocator.Order, s settings, p *progress) (*speed, error) {
	sp := &speed{goroutines: s.goroutines}
	for {
		sp.weeks++
		orders := ordersOf(sp.weeks)
		took, held, err := sp.race(ctx, a, orders)
		if err != nil {
			return nil, err
		}
		sp.busy += took
		sp.orders += len(orders)
		sp.lines += w.lines
		sp.heldIDs = sp.heldIDs[:0]
		for i, ok := range held {
			if ok {
				sp.heldIDs = append(sp.heldIDs, orders[i].ID)
			}
		}
		if s.weeks > 0 {
			p.show("measuring", sp.weeks, s.weeks)
		} else {
			p.show("measuring", int(100*sp.busy/steady), 100)
		}
		if sp.weeks == s.weeks || s.weeks == 0 && sp.busy >= steady {
			return sp, nil
		}
		if err := putAllBack(ctx, a, sp.heldIDs); err != nil {
			return nil, err
		}
	}
}

// race answers the orders from all goroutines at once, each taking the next
// free one, and tells how long that took and which of them found a location.
func (sp *speed) race(ctx context.Context, a *allocator.Allocator, orders []allocator.Order) (time.Duration, []bool, error) {
	var (
		next     atomic.Int64
		ready    sync.WaitGroup
		done     sync.WaitGroup
		start    = make(chan struct{})
		held     = make([]bool, len(orders))
		failures = make([]error, sp.goroutines)
		own      = make([]latencies, sp.goroutines)
	)
	ready.Add(sp.goroutines)
	for g := range sp.goroutines {
		done.Go(func() {
			ready.Done()
			<-start
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(orders) {
					return
				}
				before := time.Now()
				_, err := a.Allocate(ctx, orders[i])
				own[g].add(time.Since(before))
				held[i] = err == nil
				if err != nil && !isRefusal(err) {
					failures[g] = err
					return
				}
			}
		})
	}
	ready.Wait()
	began := time.Now()
	close(start)
	done.Wait()
	took := time.Since(began)
	for i := range own {
		sp.latency.merge(&own[i])
	}
	return took, held, errors.Join(append(failures, ctx.Err())...)
}

func (sp *speed) perSecond(n int) float64 { return float64(n) / max(sp.busy.Seconds(), 1e-9) }

// latencies is a histogram of nanoseconds whose buckets are at most 1/32 of
// their value wide. The zero value is empty.
type latencies struct {
	count   uint64
	buckets [64 << subBits]uint64
}

const subBits = 5

func bucketOf(ns uint64) int {
	if ns < 1<<subBits {
		return int(ns)
	}
	shift := bits.Len64(ns) - 1 - subBits
	return (shift+1)<<subBits + int(ns>>shift) - 1<<subBits
}

// floorOf is the least value of a bucket.
func floorOf(bucket int) uint64 {
	if bucket < 1<<subBits {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	return uint64(bucket&(1<<subBits-1)+1<<subBits) << shift
}

func (l *latencies) add(d time.Duration) {
	l.buckets[bucketOf(uint64(max(d, 0)))]++
	l.count++
}

func (l *latencies) merge(m *latencies) {
	for i, n := range m.buckets {
		l.buckets[i] += n
	}
	l.count += m.count
}

// quantile returns the least duration that the share q of all does not exceed,
// to the width of a bucket.
func (l *latencies) quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(l.count)))
	seen := uint64(0)
	for i, n := range l.buckets {
		if seen += n; n > 0 && seen >= rank {
			return time.Duration(floorOf(i+1) - 1)
		}
	}
	return 0
}
