package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// A Finding is what the suite saw of an engine that the doctor plugged in. A plain
// value.
type Finding struct {
	Engine string
	Lie    string // what it does wrong; empty: it is honest
	Seen   string // what failed the run, or the figure that shows it
	Right  bool   // a lie was seen, or an honest engine passed
}

// doctorCase is large enough that a lie in 100,000 orders is told in every pass, and
// small enough that all lies are through in a minute.
func doctorCase() Config {
	c := Cases()[0]
	c.Name, c.Locations, c.SKUs, c.Density = "doctor", 200, 200, 0.9
	c.Scaling, c.Rounds, c.PassTime, c.OrdersPerPass = false, 1, 2*time.Second, 220_000
	return c.withDefaults()
}

// Doctor plugs in engines that lie, each in one way, and engines that do not, and says
// what the suite sees of them. A suite that misses a lie proves nothing of engines that
// pass it. ctx is looked at between engines.
func Doctor(ctx context.Context) ([]Finding, error) {
	var findings []Finding
	c := doctorCase()
	honest := append(Contestants(), Contestant{Name: "ours, durable", New: newLasting})
	for _, contestant := range honest {
		if err := ctx.Err(); err != nil {
			return findings, err
		}
		f := Finding{Engine: contestant.Name, Seen: "nothing wrong", Right: true}
		if _, err := Run(ctx, c, contestant); err != nil {
			f.Seen, f.Right = err.Error(), false
		}
		findings = append(findings, f)
	}
	for _, l := range lies {
		if err := ctx.Err(); err != nil {
			return findings, err
		}
		_, err := Run(ctx, c, Contestant{Name: l.name, New: l.engine})
		f := Finding{Engine: l.name, Lie: l.lie, Seen: "nothing", Right: errors.Is(err, l.seen)}
		if err != nil {
			f.Seen = err.Error()
		}
		findings = append(findings, f)
	}
	if err := ctx.Err(); err != nil {
		return findings, err
	}
	stalls, err := doctorStalls(ctx, c)
	if err != nil {
		return findings, err
	}
	nothing, err := doctorNothing(ctx, c)
	return append(findings, stalls, nothing), err
}

// doctorStalls shows that a stall is seen in the open loop, and that it is not in the
// closed one.
func doctorStalls(ctx context.Context, c Config) (Finding, error) {
	f := Finding{Engine: "staller", Lie: "stalls for 100 ms every second"}
	c.OrdersPerPass = 0
	r, err := Load(ctx, c, Contestant{Name: f.Engine, New: func() Engine { return &staller{Engine: new(strong)} }}, []float64{0.2}, 3*time.Second)
	if err != nil {
		return f, err
	}
	p99 := r.Points[0].P99
	f.Seen = fmt.Sprintf("p99 %v in the open loop, %v in the closed one", p99.Round(time.Microsecond), r.ClosedP99.Round(time.Microsecond))
	f.Right = p99 >= 80*time.Millisecond && r.ClosedP99 < 80*time.Millisecond
	return f, nil
}

// doctorNothing compares the processor time of the suite itself with that of ours.
func doctorNothing(ctx context.Context, c Config) (Finding, error) {
	f := Finding{Engine: "nothing", Lie: "does nothing: what the suite itself costs"}
	results, err := Run(ctx, c, Contestant{Name: "ours", New: func() Engine { return new(ours) }})
	if err != nil {
		return f, err
	}
	f.Seen = fmt.Sprintf("%d of %d ns of processor an order", results[0].Harness, results[0].CPUPerOrder)
	f.Right = results[0].CPUPerOrder == 0 || results[0].Harness < results[0].CPUPerOrder/10
	return f, nil
}

// harness measures how much processor time an order takes of the suite, with an engine
// that does nothing; 0 where the system does not say.
func harness(c Config) (time.Duration, error) {
	c.OrdersPerPass, c.CancelAfter = 0, 0
	s := newSeat(c, nothing{})
	for i, caller := range s.callers {
		caller.prepare(harnessOrders/len(s.callers), i*7919)
	}
	r, err := s.time(pass{Procs: c.Procs, Length: time.Minute, Orders: harnessOrders}, harnessOrders/len(s.callers))
	if err != nil || r.Orders == 0 {
		return 0, err
	}
	return time.Duration(r.CPUSeconds * 1e9 / float64(r.Orders)), nil
}

const harnessOrders = 1 << 19

// WriteFindings prints what Doctor found, and returns an error if the suite missed a
// lie or wronged an honest engine.
func WriteFindings(w io.Writer, findings []Finding) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	caught, lies := 0, 0
	var faults []error
	for _, f := range findings {
		said := "passed"
		if f.Lie != "" {
			lies++
			said = "caught"
			if f.Right {
				caught++
			}
		}
		if !f.Right {
			said = map[bool]string{true: "MISSED", false: "WRONGED"}[f.Lie != ""]
			faults = append(faults, fmt.Errorf("bench: doctor: %s (%s): %s: %s", f.Engine, f.Lie, said, f.Seen))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n\t\t%s\n", f.Engine, said, f.Lie, f.Seen)
	}
	_ = t.Flush() // a table is for a terminal
	fmt.Fprintf(w, "%d of %d lies caught\n", caught, lies)
	return errors.Join(faults...)
}

// lies are the engines that fail a run, and with what.
var lies = []struct {
	name, lie string
	seen      error
	engine    func() Engine
}{
	{"overseller", "promises one order in 100,000 without holding its units", ErrOversold, func() Engine {
		return &liar{Engine: new(strong), allocate: func(l *liar, o *allocator.Order, n uint64) (string, bool, error) {
			location, ok, err := l.Engine.Allocate(o)
			if n%100_000 == 0 && ok && err == nil {
				l.promised.Store(o.ID, true)
				err = l.Engine.Cancel(o.ID)
			}
			return location, ok, err
		}}
	}},
	{"refuser", "refuses one order in 1,000", ErrWrong, func() Engine {
		return &liar{Engine: new(strong), allocate: func(l *liar, o *allocator.Order, n uint64) (string, bool, error) {
			if n%1000 == 0 {
				return "", false, nil
			}
			return l.Engine.Allocate(o)
		}}
	}},
	{"second best", "takes the second nearest", ErrWrong, func() Engine {
		inner := new(ours)
		return &liar{Engine: inner, allocate: func(_ *liar, o *allocator.Order, _ uint64) (string, bool, error) {
			if nearest, err := inner.allocator.Quote(*o); err == nil {
				other := *o
				other.Exclude = []string{nearest.Location}
				if location, ok, err := inner.Allocate(&other); ok && err == nil {
					return location, true, nil
				}
			}
			return inner.Allocate(o)
		}}
	}},
	{"forgetter", "forgets one cancellation in 1,000", ErrOversold, func() Engine {
		return &liar{Engine: new(strong), cancel: func(l *liar, id string, n uint64) error {
			if n%1000 == 0 {
				return nil
			}
			return l.Engine.Cancel(id)
		}}
	}},
	{"loser", "loses one acknowledged order at a restart", ErrLost, func() Engine { return new(loser) }},
}

// A liar is an engine with a lie in one of its answers. n counts them from 1.
type liar struct {
	Engine
	allocate func(l *liar, o *allocator.Order, n uint64) (string, bool, error)
	cancel   func(l *liar, id string, n uint64) error
	n        atomic.Uint64
	promised sync.Map // IDs of orders that hold nothing
}

func (l *liar) Allocate(o *allocator.Order) (string, bool, error) {
	if l.allocate == nil {
		return l.Engine.Allocate(o)
	}
	return l.allocate(l, o, l.n.Add(1))
}

func (l *liar) Cancel(id string) error {
	if _, lied := l.promised.LoadAndDelete(id); lied {
		return nil
	}
	if l.cancel == nil {
		return l.Engine.Cancel(id)
	}
	return l.cancel(l, id, l.n.Add(1))
}

// A loser is the durable engine without the first order it acknowledged, after a
// restart.
type loser struct {
	lasting
	first atomic.Pointer[string]
}

func (e *loser) Allocate(o *allocator.Order) (string, bool, error) {
	location, ok, err := e.lasting.Allocate(o)
	if id := o.ID; ok && e.first.Load() == nil {
		e.first.CompareAndSwap(nil, &id)
	}
	return location, ok, err
}

func (e *loser) Restart() error {
	err := e.lasting.Restart()
	if id := e.first.Load(); err == nil && id != nil {
		err = e.Cancel(*id)
	}
	return err
}

// A staller answers nobody for 100 ms of every second.
type staller struct {
	Engine
	mu    sync.RWMutex
	since atomic.Int64 // Unix nanoseconds of the last stall
}

func (e *staller) Allocate(o *allocator.Order) (string, bool, error) {
	now, since := time.Now().UnixNano(), e.since.Load()
	if now-since > int64(time.Second) && e.since.CompareAndSwap(since, now) {
		e.mu.Lock()
		<-time.After(100 * time.Millisecond)
		e.mu.Unlock()
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.Engine.Allocate(o)
}

// nothing is the engine that does nothing.
type nothing struct{}

func (nothing) Load(*World) error                               { return nil }
func (nothing) Allocate(*allocator.Order) (string, bool, error) { return "", false, nil }
func (nothing) Cancel(string) error                             { return nil }
func (nothing) Available(sku, location string) (int64, error)   { return 0, nil }
func (nothing) Close() error                                    { return nil }
