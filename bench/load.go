package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// A schedule says when the orders of one caller are due.
type schedule struct {
	start          time.Time
	first, callers int // the caller's number, and how many there are: they take turns
	pass           pass
}

// due is when the i-th order of the caller is, from the start.
func (s *schedule) due(i int) time.Duration {
	return time.Duration(float64(s.first+i*s.callers) / s.pass.Rate * 1e9)
}

// callOnTime sends each order when it is due, whether or not the one before was
// answered in time: what is late is sent at once, and its latency counts from when it
// was due. A customer does not wait with his order for that of another.
func (c *caller) callOnTime(e Engine, pool *orderPool, s schedule) {
	o := new(allocator.Order)
	giveUp := 2*s.pass.Length + time.Second
	for i := 0; ; i++ {
		due := s.due(i)
		if due >= s.pass.Length {
			return
		}
		for {
			now := time.Since(s.start)
			if now > giveUp {
				for ; s.due(i) < s.pass.Length; i++ {
					c.dropped++
				}
				return
			}
			if now >= due {
				break
			}
			// By the clock, which is what is measured here; the last of it without
			// sleeping, since a timer is late by more than an order takes.
			if due-now > 2*time.Millisecond {
				<-time.After(due - now - time.Millisecond)
				continue
			}
			runtime.Gosched()
		}
		*o = pool.orders[(c.offset+i)%len(pool.orders)]
		o.ID = c.ids.at(i)
		location, ok, err := e.Allocate(o)
		if due >= s.pass.WarmUp {
			_ = c.histogram.RecordValue(int64(time.Since(s.start) - due))
		}
		if err != nil {
			c.err = fmt.Errorf("bench: allocate %s: %w", o.ID, err)
			return
		}
		if ok {
			c.filled++
		}
		c.answers = append(c.answers, location)
	}
}

type (
	// LoadResult is how one contestant answered at rates it did not choose. A plain
	// value.
	LoadResult struct {
		Engine                 string
		ClosedLoop             float64       // orders per second when each caller waits for its answer
		ClosedP50, ClosedP99   time.Duration // then
		ClosedP999             time.Duration
		Points                 []LoadPoint
		Sustained              float64       // the highest rate offered at which p99.9 stayed below Limit; 0 = none
		Limit                  time.Duration // 1 ms
		Harness                time.Duration // processor time an order takes of the suite itself
		ClosedProcessorPerCall time.Duration
	}
	// LoadPoint is one rate. Latencies count from when an order was due. A plain
	// value.
	LoadPoint struct {
		Share             float64 // of the closed loop's rate
		Offered, Answered float64 // orders per second
		P50, P99, P999    time.Duration
		Max               time.Duration
		Dropped           int  // orders that were due and never sent
		Overloaded        bool // answered less than 95 % of what was offered in time, or dropped some
	}
)

// Shares are the rates of Load, as shares of the closed loop's.
func Shares() []float64 { return []float64{0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2} }

// Load runs the case c with one contestant in an open loop: a closed loop finds out how
// many orders it answers at most, and then they are due at shares of that rate, for
// length each, of which the first fifth warms up. Answers are checked as Run checks
// them.
func Load(ctx context.Context, c Config, contestant Contestant, shares []float64, length time.Duration) (LoadResult, error) {
	r := LoadResult{Engine: contestant.Name, Limit: time.Millisecond}
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return r, err
	}
	if c.CancelAfter > 0 || c.OrdersPerPass > 0 {
		return r, fmt.Errorf("bench: load: case %s ends by itself or cancels; choose one that does not", c.Name)
	}
	var err error
	if r.Harness, err = harness(c); err != nil {
		return r, err
	}
	t, err := sit(c, contestant)
	if err != nil {
		return r, err
	}
	defer func() { _ = t.close() }() // the results are in, or the run failed already
	if _, err := t.load(); err != nil {
		return r, fmt.Errorf("%s: %w", contestant.Name, err)
	}
	if err := t.check(); err != nil {
		return r, fmt.Errorf("%s: %w", contestant.Name, err)
	}
	if err := r.closedLoop(t, c, length); err != nil {
		return r, err
	}
	for _, share := range shares {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		rate := share * r.ClosedLoop
		got, err := t.run(pass{Procs: c.Procs, Length: length, WarmUp: length / 5, Rate: rate})
		if err != nil {
			return r, fmt.Errorf("%s: at %.0f orders/s: %w", contestant.Name, rate, err)
		}
		p := LoadPoint{Share: share, Offered: rate, Answered: float64(got.Orders) / got.Seconds, Dropped: got.Dropped,
			P50: time.Duration(got.Latency.P50), P99: time.Duration(got.Latency.P99), P999: time.Duration(got.Latency.P999), Max: time.Duration(got.Latency.Max)}
		p.Overloaded = p.Dropped > 0 || p.Answered < 0.95*p.Offered
		if p.P999 < r.Limit && !p.Overloaded {
			r.Sustained = max(r.Sustained, p.Offered)
		}
		r.Points = append(r.Points, p)
	}
	return r, nil
}

// closedLoop finds the rate at which callers who wait for each answer get them.
func (r *LoadResult) closedLoop(t table, c Config, length time.Duration) error {
	p := pass{Procs: c.Procs, Length: length / 2}
	if _, err := t.run(p); err != nil { // warms up
		return fmt.Errorf("%s: %w", r.Engine, err)
	}
	p.Length = length
	got, err := t.run(p)
	if err == nil && got.Orders > 0 {
		r.ClosedLoop = float64(got.Orders) / got.Seconds
		r.ClosedProcessorPerCall = time.Duration(got.CPUSeconds * 1e9 / float64(got.Orders))
		p.Timed = true
		got, err = t.run(p)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.Engine, err)
	}
	r.ClosedP50, r.ClosedP99, r.ClosedP999 = time.Duration(got.Latency.P50), time.Duration(got.Latency.P99), time.Duration(got.Latency.P999)
	return nil
}

// WriteLoad prints the result of Load as a table.
func WriteLoad(w io.Writer, r LoadResult) {
	fmt.Fprintf(w, "%s, closed loop: %.0f orders/s, p50 %s p99 %s p99.9 %s µs; the suite itself takes %d of %d ns of processor an order\n",
		r.Engine, r.ClosedLoop, microseconds(r.ClosedP50), microseconds(r.ClosedP99), microseconds(r.ClosedP999), r.Harness, r.ClosedProcessorPerCall)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "offered\torders/s\tanswered/s\tp50 µs\tp99 µs\tp99.9 µs\tmax µs\tdropped\t")
	for _, p := range r.Points {
		mark := ""
		if p.Overloaded {
			mark = " overloaded"
		}
		fmt.Fprintf(t, "%.0f%%\t%.0f\t%.0f\t%s\t%s\t%s\t%s\t%d\t%s\n", 100*p.Share, p.Offered, p.Answered,
			microseconds(p.P50), microseconds(p.P99), microseconds(p.P999), microseconds(p.Max), p.Dropped, mark)
	}
	_ = t.Flush() // a table is for a terminal
	if r.Sustained > 0 {
		fmt.Fprintf(w, "sustained with p99.9 below %v: %.0f orders/s\n", r.Limit, r.Sustained)
	} else {
		fmt.Fprintf(w, "p99.9 was below %v at no rate\n", r.Limit)
	}
	fmt.Fprintln(w, "Latency counts from when an order was due. In a closed loop a caller that waits out a stall")
	fmt.Fprintln(w, "sends nothing meanwhile, so that one slow answer stands for all that would have been slow.")
}
