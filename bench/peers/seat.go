package peers

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench"
)

// Pass says how a pass is run. A plain value.
type Pass struct {
	Callers int           // goroutines that each wait for one answer at a time
	Length  time.Duration // after which no more orders are sent
}

// Passed is what a pass measured. A plain value.
type Passed struct {
	Orders, Filled      int
	Seconds             float64
	P50, P99, P999, Max time.Duration // from the order to its answer
	CPUPerOrder         time.Duration // processor time, the system's and the collector's included; 0 = unknown
}

// Seat is one contestant with its world. A seat has its engine to itself from
// Sit to Close. Not safe for concurrent use.
type Seat struct {
	work   *Work
	engine bench.Engine
	passes int
	rates  map[int]float64 // orders per second by callers, of the pass before
}

// Sit loads the engine with the world of w.
func Sit(w *Work, e bench.Engine) (*Seat, error) {
	if err := e.Load(w.world); err != nil {
		return nil, fmt.Errorf("peers: load: %w", err)
	}
	return &Seat{work: w, engine: e, rates: make(map[int]float64)}, nil
}

// Close closes the engine.
func (s *Seat) Close() error { return s.engine.Close() }

// Run runs one pass, checks the answers against what was received and against
// what the engine still shows as available, and cancels every reservation. The
// error wraps bench.ErrOversold if the engine broke its promise.
func (s *Seat) Run(p Pass) (Passed, error) {
	callers, passed, err := s.time(p)
	if err != nil {
		return passed, err
	}
	if err := s.verify(callers); err != nil {
		return passed, err
	}
	return passed, s.putBack(callers)
}

// time is the timed part of Run.
func (s *Seat) time(p Pass) ([]caller, Passed, error) {
	callers := make([]caller, p.Callers)
	expected := int(1.25*s.rates[p.Callers]*p.Length.Seconds())/p.Callers + 1
	for i := range callers {
		callers[i].prepare(s.passes, i, expected, s.passes*7919+i*len(s.work.orders)/p.Callers)
	}
	s.passes++
	var (
		stop  atomic.Bool
		done  sync.WaitGroup
		begin = make(chan struct{})
	)
	for i := range callers {
		done.Go(func() {
			<-begin
			callers[i].call(s.engine, s.work.orders, &stop)
		})
	}
	runtime.GC()
	cpu, start := cpuTime(), time.Now()
	alarm := time.AfterFunc(p.Length, func() { stop.Store(true) })
	close(begin)
	done.Wait()
	passed := Passed{Seconds: time.Since(start).Seconds()}
	cpu = cpuTime() - cpu
	alarm.Stop()
	var latencies []time.Duration
	for i := range callers {
		c := &callers[i]
		if c.err != nil {
			return nil, passed, c.err
		}
		passed.Filled += c.filled
		latencies = append(latencies, c.latencies...)
	}
	passed.Orders = len(latencies)
	passed.percentiles(latencies)
	passed.CPUPerOrder = cpu / time.Duration(passed.Orders)
	s.rates[p.Callers] = float64(passed.Orders) / passed.Seconds
	return callers, passed, nil
}

// percentiles sorts the latencies, of which there is one at least.
func (p *Passed) percentiles(latencies []time.Duration) {
	slices.Sort(latencies)
	at := func(share float64) time.Duration { return latencies[int(share*float64(len(latencies)-1))] }
	p.P50, p.P99, p.P999, p.Max = at(0.5), at(0.99), at(0.999), at(1)
}

// caller is one goroutine's orders and the answers it got. Not safe for
// concurrent use.
type caller struct {
	pass      int
	number    int
	ids       []string // made before the pass, and during it if it is faster than expected
	offset    int      // of the first order in the pool
	answers   []string // location per order; empty = refused
	latencies []time.Duration
	filled    int
	err       error
	_         [64]byte // away from the next caller's
}

func (c *caller) prepare(pass, number, expected, offset int) {
	c.pass, c.number, c.offset = pass, number, offset
	c.ids = make([]string, 0, expected)
	for i := range expected {
		c.ids = append(c.ids, c.id(i))
	}
	c.answers = make([]string, 0, expected)
	c.latencies = make([]time.Duration, 0, expected)
}

// id makes the ID of the i-th order. The IDs of all callers grow together, so
// that a database can keep new ones side by side.
func (c *caller) id(i int) string {
	var digits [18]byte
	n := (uint64(c.pass)*1e8+uint64(i))*1e5 + uint64(c.number)
	for at := len(digits) - 1; at >= 0; at-- {
		digits[at] = byte('0' + n%10)
		n /= 10
	}
	return string(digits[:])
}

// call sends orders, one at least, until it is told to stop.
func (c *caller) call(e bench.Engine, orders []allocator.Order, stop *atomic.Bool) {
	o := new(allocator.Order)
	for i := 0; i == 0 || !stop.Load(); i++ {
		if i == len(c.ids) {
			c.ids = append(c.ids, c.id(i))
		}
		*o = orders[(c.offset+i)%len(orders)]
		o.ID = c.ids[i]
		start := time.Now()
		location, ok, err := e.Allocate(o)
		if err != nil {
			c.err = fmt.Errorf("peers: allocate %s: %w", o.ID, err)
			return
		}
		c.latencies = append(c.latencies, time.Since(start))
		c.answers = append(c.answers, location)
		if ok {
			c.filled++
		}
	}
}

// verify adds up what the callers were promised and compares it with what was
// received and with what the engine shows.
func (s *Seat) verify(callers []caller) error {
	held := make(map[[2]int32]int64)
	for i := range callers {
		c := &callers[i]
		for k, location := range c.answers {
			if location == "" {
				continue
			}
			place, ok := s.work.places[location]
			if !ok {
				return fmt.Errorf("peers: order %s held at %q, which is no location", c.ids[k], location)
			}
			at := (c.offset + k) % len(s.work.orders)
			for n, sku := range s.work.skus[at] {
				held[[2]int32{sku, place}] += s.work.orders[at].Lines[n].Quantity
			}
		}
	}
	oversold, astray := int64(0), int64(0)
	for cell, units := range held {
		received := int64(*s.work.units(cell[0], cell[1]))
		available, err := s.engine.Available(s.work.world.SKUs[cell[0]], s.work.world.Locations[cell[1]].ID)
		if err != nil {
			return fmt.Errorf("peers: available: %w", err)
		}
		oversold += max(0, units-received)
		difference := received - units - available
		astray += max(difference, -difference)
	}
	if oversold != 0 || astray != 0 {
		return fmt.Errorf("peers: %w: %d units promised above what was received, %d units astray", bench.ErrOversold, oversold, astray)
	}
	return nil
}

// putBack cancels every reservation of the pass, with many callers, because
// each waits for the disk.
func (s *Seat) putBack(callers []caller) error {
	var ids []string
	for i := range callers {
		for k, location := range callers[i].answers {
			if location != "" {
				ids = append(ids, callers[i].ids[k])
			}
		}
	}
	many := min(1024, max(1, len(ids)))
	failures := make([]error, many)
	var done sync.WaitGroup
	for i := range many {
		done.Go(func() {
			for k := i; k < len(ids); k += many {
				if err := s.engine.Cancel(ids[k]); err != nil {
					failures[i] = fmt.Errorf("peers: cancel %s: %w", ids[k], err)
					return
				}
			}
		})
	}
	done.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}
