package peers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/clickcollect/clickcollect/bench"
)

// Config describes a comparison. The zero value of a field means what its
// comment says. A plain value.
type Config struct {
	Case    bench.Config  // world and orders; nothing else of it counts
	Engines []string      // names of contestants; none = all durable ones
	Callers []int         // callers at once; none = 1, 64, 256, 1,024 and 10,000
	Batches []int         // records to a sync of the disk's limit; none = 1, 64 and 1,024
	Rounds  int           // interleaved rounds; 0 = 3
	Length  time.Duration // of a pass; 0 = 1 s
	Dir     string        // holds all files, in directories that are removed afterwards; empty = the system's place for temporary files
	Command []string      `json:"-"` // calls ServeSeat; none = all sit in this process
}

func (c Config) withDefaults() Config {
	if len(c.Engines) == 0 {
		for _, contestant := range Contestants() {
			if contestant.Durable {
				c.Engines = append(c.Engines, contestant.Name)
			}
		}
	}
	if len(c.Callers) == 0 {
		c.Callers = []int{1, 64, 256, 1024, 10_000}
	}
	if len(c.Batches) == 0 {
		c.Batches = []int{1, 64, 1024}
	}
	c.Rounds = cmp.Or(c.Rounds, 3)
	c.Length = cmp.Or(c.Length, time.Second)
	return c
}

func (c Config) validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("peers: config: "+format, args...))
		}
	}
	for _, name := range c.Engines {
		_, err := Named(name)
		check(err == nil, "Engines has %q, which nobody is called", name)
	}
	check(len(slices.Compact(slices.Sorted(slices.Values(c.Engines)))) == len(c.Engines), "Engines has a name twice")
	for _, n := range slices.Concat(c.Callers, c.Batches) {
		check(n > 0, "Callers or Batches has %d, must be positive", n)
	}
	check(c.Rounds > 0, "Rounds is %d, must be positive", c.Rounds)
	check(c.Length > 0, "Length is %v, must be positive", c.Length)
	return errors.Join(faults...)
}

// Row is what one contestant did with so many callers, or the disk with so
// many records to a sync. Figures are medians over the rounds. A plain value.
type Row struct {
	Engine          string
	Callers         int // for the disk, the records to a sync
	OrdersPerSecond float64
	P50, P99, P999  time.Duration // in JSON nanoseconds, like Max
	Max             time.Duration // of all rounds
	CPUPerOrder     time.Duration
	Ours            float64 // orders per second of ours, over this one's in the same round; 0 = not measured
	Orders, Filled  int     // of all rounds
	Oversold        int64   // a run in which it is not 0 fails
	Rounds          []Passed
}

// Run runs the comparison and returns its rows by callers, then in the order of
// the engines, the disk's last. In each round every contestant in turn gets one pass with
// each number of callers. The error wraps bench.ErrOversold if a contestant
// broke its promise.
func Run(ctx context.Context, c Config) ([]Row, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(c.Dir, "ccpeers-")
	if err != nil {
		return nil, err
	}
	rows, err := c.run(ctx, dir)
	return rows, errors.Join(err, os.RemoveAll(dir))
}

func (c Config) run(ctx context.Context, dir string) (rows []Row, err error) {
	places, err := c.sitDown(ctx, dir)
	defer func() {
		for _, p := range places {
			err = errors.Join(err, p.Close())
		}
	}()
	if err != nil {
		return nil, err
	}
	for _, callers := range c.Callers {
		group := make([]Row, len(places))
		for range c.Rounds {
			for i, p := range places {
				if err := ctx.Err(); err != nil {
					return rows, err
				}
				passed, err := p.Run(Pass{Callers: callers, Length: c.Length})
				if err != nil {
					return rows, fmt.Errorf("%s with %d callers: %w", c.Engines[i], callers, err)
				}
				group[i].Rounds = append(group[i].Rounds, passed)
			}
		}
		ours := slices.Index(c.Engines, "ours")
		for i := range group {
			group[i].Engine, group[i].Callers = c.Engines[i], callers
			group[i].summarize()
			if ours >= 0 {
				group[i].Ours = ratio(group[ours].Rounds, group[i].Rounds)
			}
		}
		rows = append(rows, group...)
	}
	limits, err := c.limits(ctx, dir)
	return append(rows, limits...), err
}

// sitDown opens all contestants and warms them up. It returns those that are
// open even when it fails.
func (c Config) sitDown(ctx context.Context, dir string) (places []place, err error) {
	for _, name := range c.Engines {
		own := filepath.Join(dir, name)
		if err := os.Mkdir(own, 0o700); err != nil {
			return places, err
		}
		s := seating{Case: c.Case, Engine: name, Dir: own}
		var p place
		if len(c.Command) > 0 {
			p, err = open(ctx, c.Command, s)
		} else {
			p, err = sit(s)
		}
		if err != nil {
			return places, fmt.Errorf("%s: %w", name, err)
		}
		places = append(places, p)
		if _, err := p.Run(Pass{Callers: c.Callers[len(c.Callers)/2], Length: c.Length / 2}); err != nil {
			return places, fmt.Errorf("%s: %w", name, err)
		}
	}
	return places, nil
}

// limits measures what the disk can do, in rounds as well.
func (c Config) limits(ctx context.Context, dir string) ([]Row, error) {
	var rows []Row
	for range c.Rounds {
		n := 0
		for _, batch := range c.Batches {
			for _, overwrite := range []bool{false, true} {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				passed, err := Limit{Batch: batch, Overwrite: overwrite, Length: c.Length}.Run(dir)
				if err != nil {
					return nil, fmt.Errorf("the disk's limit: %w", err)
				}
				if n == len(rows) {
					name := "disk, file grows"
					if overwrite {
						name = "disk, zero-filled"
					}
					rows = append(rows, Row{Engine: name, Callers: batch})
				}
				rows[n].Rounds = append(rows[n].Rounds, passed)
				n++
			}
		}
	}
	for i := range rows {
		rows[i].summarize()
	}
	return rows, nil
}

func (r *Row) summarize() {
	r.OrdersPerSecond = median(r.Rounds, Passed.perSecond)
	r.P50 = median(r.Rounds, func(p Passed) time.Duration { return p.P50 })
	r.P99 = median(r.Rounds, func(p Passed) time.Duration { return p.P99 })
	r.P999 = median(r.Rounds, func(p Passed) time.Duration { return p.P999 })
	r.CPUPerOrder = median(r.Rounds, func(p Passed) time.Duration { return p.CPUPerOrder })
	for _, p := range r.Rounds {
		r.Max = max(r.Max, p.Max)
		r.Orders += p.Orders
		r.Filled += p.Filled
	}
}

func (p Passed) perSecond() float64 { return float64(p.Orders) / p.Seconds }

// ratio is the median of one contestant's rate over another's, round by round.
func ratio(of, over []Passed) float64 {
	ratios := make([]float64, len(of))
	for i := range of {
		ratios[i] = of[i].perSecond() / over[i].perSecond()
	}
	return median(ratios, func(x float64) float64 { return x })
}

// median returns the middle figure, the lower of two.
func median[R any, T cmp.Ordered](rounds []R, figure func(R) T) T {
	figures := make([]T, len(rounds))
	for i, r := range rounds {
		figures[i] = figure(r)
	}
	slices.Sort(figures)
	return figures[(len(figures)-1)/2]
}

// WriteTable prints the rows.
func WriteTable(w io.Writer, rows []Row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "callers\tengine\torders/s\tours ×\tp50 ms\tp99 ms\tp99.9 ms\tmax ms\tcpu µs\torders\toversold\t")
	last := 0
	for i, r := range rows {
		if i > 0 && r.Callers != last {
			fmt.Fprintln(t, "\t\t\t\t\t\t\t\t\t\t\t")
		}
		last = r.Callers
		ours := "-"
		if r.Ours != 0 {
			ours = strconv.FormatFloat(r.Ours, 'f', 2, 64)
		}
		fmt.Fprintf(t, "%d\t%s\t%.0f\t%s\t%s\t%s\t%s\t%s\t%.2f\t%d\t%d\t\n", r.Callers, r.Engine, r.OrdersPerSecond, ours,
			milliseconds(r.P50), milliseconds(r.P99), milliseconds(r.P999), milliseconds(r.Max), r.CPUPerOrder.Seconds()*1e6, r.Orders, r.Oversold)
	}
	_ = t.Flush() // a table is for a terminal; what matters goes into the report
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()*1e3) }
