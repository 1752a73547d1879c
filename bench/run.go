package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Result is what one contestant did in one case. Figures are medians over
// the rounds unless said otherwise. A plain value.
type Result struct {
	Engine          string
	OrdersPerSecond float64            // of the throughput passes
	P50, P99, P999  time.Duration      // of the latency passes
	Max             time.Duration      // the longest of all latency passes
	CPUPerOrder     time.Duration      // processor time in the throughput passes, collector included; 0 = unknown
	AllocsPerOrder  float64            // in the throughput passes, cancels included
	Cells           int                // stocked (SKU, location) pairs
	BytesPerCell    float64            // heap after Load less heap before, per stocked cell
	LoadSeconds     float64            // of the one Load
	Orders          int                // of all passes, like the next five
	Filled          int                //
	Refused         int                //
	Canceled        int                // while passes were timed
	Oversold        int64              // units; a run in which it is not 0 fails
	Astray          int64              // units; a run in which it is not 0 fails
	Wrong           int                // answers, of those looked at, that were not the nearest; a run in which it is not 0 fails
	FalselyRefused  int                // orders, of those looked at, that could be filled; a run in which it is not 0 fails
	Harness         time.Duration      // processor time an order takes of the suite itself, with an engine that does nothing
	Cut             bool               // some pass ran out of time before its orders were done
	Scaling         float64            // throughput at two processors over throughput at one; 0 = not measured
	Throughput      map[string]float64 // this engine's throughput over each other's
	P99Ratio        map[string]float64 // this engine's p99 over each other's
	Rounds          []Round
}

// Round is what one contestant did in one round. A plain value.
type Round struct {
	OrdersPerSecond    float64
	P50, P99, P999     time.Duration
	OneProc, TwoProcs  float64 // orders per second; 0 = not measured
	AllocsPerOrder     float64
	CPUPerOrder        time.Duration
	FilledShare        float64 // of the throughput pass
	ThroughputSeconds  float64
	LatencyPassSeconds float64
}

// table is a contestant's seat as Run sees it: in this process, or at the end
// of a pipe.
type table interface {
	load() (loaded, error)
	check() error
	run(pass) (passed, error)
	close() error
}

func (s *seat) close() error { return s.engine.Close() }

// Run runs the case c with the given contestants, or all of Contestants if
// none is given, and returns their results in the same order. ctx is looked
// at between passes. Run sets GOMAXPROCS while a pass runs, so two calls must
// not overlap. The error wraps ErrOversold, ErrWrong or ErrLost if a contestant broke
// its promise; the results so far are returned with it.
func Run(ctx context.Context, c Config, contestants ...Contestant) ([]Result, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	if len(contestants) == 0 {
		contestants = Contestants()
	}
	cost, err := harness(c)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(contestants))
	tables := make([]table, len(contestants))
	defer func() {
		for _, t := range tables {
			if t != nil {
				_ = t.close() // the results are in, or the run failed already
			}
		}
	}()
	for i, contestant := range contestants {
		results[i].Engine, results[i].Harness = contestant.Name, cost
		if err := ctx.Err(); err != nil {
			return results, err
		}
		t, err := sit(c, contestant)
		if err != nil {
			return results, err
		}
		tables[i] = t
		l, err := t.load()
		if err != nil {
			return results, fmt.Errorf("%s: %w", contestant.Name, err)
		}
		results[i].Cells, results[i].LoadSeconds = l.Cells, l.LoadSeconds
		results[i].BytesPerCell = float64(l.HeapBytes) / float64(max(1, l.Cells))
		if err := t.check(); err != nil {
			return results, fmt.Errorf("%s: %w", contestant.Name, err)
		}
		warm := c.pass(0)
		warm.Length /= 2
		if _, err := results[i].take(t, warm); err != nil {
			return results, err
		}
	}
	for range c.Rounds {
		for i := range results {
			if err := ctx.Err(); err != nil {
				return results, err
			}
			if err := results[i].round(tables[i], c); err != nil {
				return results, err
			}
		}
	}
	for i := range results {
		results[i].summarize(results)
	}
	return results, nil
}

func sit(c Config, contestant Contestant) (table, error) {
	if len(c.Command) > 0 {
		return openRemote(c, contestant.Name)
	}
	return newSeat(c, contestant.New()), nil
}

// pass returns a throughput pass of the case at procs processors.
func (c Config) pass(procs int) pass {
	p := pass{Procs: cmp.Or(procs, c.Procs), Length: c.PassTime, Orders: c.OrdersPerPass}
	if p.Orders > 0 {
		p.Length *= 10
	}
	return p
}

// take runs one pass and adds its counts to r.
func (r *Result) take(t table, p pass) (passed, error) {
	got, err := t.run(p)
	r.Orders += got.Orders
	r.Filled += got.Filled
	r.Refused += got.Refused
	r.Canceled += got.Canceled
	r.Oversold += got.Oversold
	r.Astray += got.Astray
	r.Wrong += got.Wrong
	r.FalselyRefused += got.FalselyRefused
	r.Cut = r.Cut || got.Cut
	if err != nil {
		return got, fmt.Errorf("%s: %w", r.Engine, err)
	}
	if got.Orders == 0 {
		return got, errors.New(r.Engine + ": bench: no order was answered within the pass")
	}
	return got, nil
}

// round runs one round of the case for one contestant.
func (r *Result) round(t table, c Config) error {
	var round Round
	got, err := r.take(t, c.pass(0))
	if err != nil {
		return err
	}
	round.OrdersPerSecond = float64(got.Orders) / got.Seconds
	round.AllocsPerOrder = float64(got.Allocations) / float64(got.Orders)
	round.CPUPerOrder = time.Duration(got.CPUSeconds * 1e9 / float64(got.Orders))
	round.FilledShare = float64(got.Filled) / float64(got.Orders)
	round.ThroughputSeconds = got.Seconds
	timed := c.pass(0)
	timed.Timed = true
	if got, err = r.take(t, timed); err != nil {
		return err
	}
	round.P50, round.P99 = time.Duration(got.Latency.P50), time.Duration(got.Latency.P99)
	round.P999 = time.Duration(got.Latency.P999)
	round.LatencyPassSeconds = got.Seconds
	r.Max = max(r.Max, time.Duration(got.Latency.Max))
	if c.Scaling {
		for i, rate := range []*float64{&round.OneProc, &round.TwoProcs} {
			if got, err = r.take(t, c.pass(i+1)); err != nil {
				return err
			}
			*rate = float64(got.Orders) / got.Seconds
		}
	}
	r.Rounds = append(r.Rounds, round)
	return nil
}

// summarize fills in the medians of r and its ratios to all others.
func (r *Result) summarize(all []Result) {
	r.OrdersPerSecond = medianOf(r.Rounds, func(x Round) float64 { return x.OrdersPerSecond })
	r.AllocsPerOrder = medianOf(r.Rounds, func(x Round) float64 { return x.AllocsPerOrder })
	r.CPUPerOrder = medianOf(r.Rounds, func(x Round) time.Duration { return x.CPUPerOrder })
	r.P50 = medianOf(r.Rounds, func(x Round) time.Duration { return x.P50 })
	r.P99 = medianOf(r.Rounds, func(x Round) time.Duration { return x.P99 })
	r.P999 = medianOf(r.Rounds, func(x Round) time.Duration { return x.P999 })
	r.Scaling = medianOf(r.Rounds, func(x Round) float64 {
		if x.OneProc == 0 {
			return 0
		}
		return x.TwoProcs / x.OneProc
	})
	r.Throughput, r.P99Ratio = make(map[string]float64), make(map[string]float64)
	for _, other := range all {
		if other.Engine == r.Engine {
			continue
		}
		var throughput, p99 []float64
		for i, mine := range r.Rounds {
			theirs := other.Rounds[i]
			throughput = append(throughput, mine.OrdersPerSecond/theirs.OrdersPerSecond)
			p99 = append(p99, float64(mine.P99)/float64(max(1, theirs.P99)))
		}
		r.Throughput[other.Engine], r.P99Ratio[other.Engine] = median(throughput), median(p99)
	}
}

// medianOf returns the median of one figure over the rounds.
func medianOf[T cmp.Ordered](rounds []Round, figure func(Round) T) T {
	figures := make([]T, 0, len(rounds))
	for _, r := range rounds {
		figures = append(figures, figure(r))
	}
	return median(figures)
}

// median returns the middle figure, the lower of two, or zero for none. It
// reorders figures.
func median[T cmp.Ordered](figures []T) T {
	if len(figures) == 0 {
		var zero T
		return zero
	}
	slices.Sort(figures)
	return figures[(len(figures)-1)/2]
}
