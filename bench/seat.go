package bench

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/clickcollect/clickcollect/allocator"
)

// seat is one contestant at the table: its engine, its world, its callers. It
// is the same whether it sits in this process or in one of its own. Not safe
// for concurrent use.
type seat struct {
	config  Config
	world   *World
	pool    *orderPool
	engine  Engine
	callers []*caller
	places  map[string]int // numbers of the locations by their IDs
	passes  int
	rate    float64 // orders per second of the pass before, to size the next
}

// pass says how a pass is run.
type pass struct {
	Procs  int           // GOMAXPROCS; 0 = unchanged
	Timed  bool          // measure latency
	Length time.Duration // ends the pass
	Orders int           // if > 0, ends the pass too
	Rate   float64       // if > 0, orders per second that are due, answered or not
	WarmUp time.Duration // of a pass with a rate: what is due before is not measured
}

// loaded says what Load cost.
type loaded struct {
	Cells       int
	HeapBytes   int64 // heap in use after a collection, with the engine less without
	LoadSeconds float64
}

// passed is what a pass measured. Latencies are in nanoseconds.
type passed struct {
	Orders, Filled, Refused, Canceled int
	Seconds, CPUSeconds               float64
	Allocations                       uint64
	Latency                           latency
	Oversold                          int64 // units promised above units received
	Astray                            int64 // units by which the engine's available differs from received less promised
	Cut                               bool  // the time ran out before Orders were done
	Wrong                             int   // of the answers looked at: not the nearest
	FalselyRefused                    int   // of the refused orders looked at: could be filled
	Dropped                           int   // of a pass with a rate: due, and not sent when the time was long over
	judged                            int   // steps of couldFill
}

type latency struct{ P50, P99, P999, Max int64 }

func newSeat(c Config, e Engine) *seat {
	w := newWorld(c)
	pool := newOrderPool(w, min(poolSize, cmp.Or(c.OrdersPerPass, poolSize)))
	s := &seat{config: c, world: w, pool: pool, engine: e, places: make(map[string]int, len(w.Locations))}
	for i, l := range w.Locations {
		s.places[l.ID] = i
	}
	for i := range c.Goroutines {
		s.callers = append(s.callers, &caller{
			ids: idMaker{next: uint64(i) * 1_000_000_000},
			// From 1 ns to 100 s with three significant figures.
			histogram: hdrhistogram.New(1, 100_000_000_000, 3),
		})
	}
	return s
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (s *seat) load() (loaded, error) {
	l := loaded{Cells: s.world.Cells()}
	before, start := heapInUse(), time.Now()
	if err := s.engine.Load(s.world); err != nil {
		return l, fmt.Errorf("bench: load: %w", err)
	}
	l.LoadSeconds = time.Since(start).Seconds()
	l.HeapBytes = heapInUse() - before
	return l, nil
}

// run runs one pass, verifies its answers and puts everything back.
func (s *seat) run(p pass) (passed, error) {
	if p.Procs > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(p.Procs))
	}
	quota := math.MaxInt
	expected := int(1.5*s.rate*p.Length.Seconds())/len(s.callers) + idChunk
	if p.Orders > 0 {
		quota = max(1, p.Orders/len(s.callers))
		expected = quota
	}
	if p.Rate > 0 {
		expected = int(p.Rate*p.Length.Seconds())/len(s.callers) + idChunk
	}
	for i, c := range s.callers {
		c.prepare(expected, i*len(s.pool.orders)/len(s.callers)+s.passes*7919)
	}
	s.passes++
	r, err := s.time(p, quota)
	if err != nil {
		return r, err
	}
	if p.Rate == 0 {
		s.rate = float64(r.Orders) / r.Seconds
	}
	if err := s.verify(&r); err != nil {
		return r, err
	}
	return r, s.putBack()
}

// time is the timed part of run.
func (s *seat) time(p pass, quota int) (passed, error) {
	var (
		stop          atomic.Bool
		done          sync.WaitGroup
		before, after runtime.MemStats
		begin         = make(chan struct{})
	)
	var start time.Time
	for i, c := range s.callers {
		done.Go(func() {
			<-begin
			if p.Rate > 0 {
				c.callOnTime(s.engine, s.pool, schedule{start: start, first: i, callers: len(s.callers), pass: p})
				return
			}
			c.call(s.engine, s.pool, &stop, quota, s.config.CancelAfter, p.Timed)
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	start = time.Now()
	alarm := time.AfterFunc(p.Length, func() { stop.Store(true) })
	close(begin)
	done.Wait()
	r := passed{Seconds: time.Since(start).Seconds(), CPUSeconds: (cpuTime() - cpu).Seconds()}
	alarm.Stop()
	runtime.ReadMemStats(&after)
	r.Allocations = after.Mallocs - before.Mallocs
	merged := s.callers[0].histogram
	for i, c := range s.callers {
		if c.err != nil {
			return r, c.err
		}
		r.Orders += len(c.answers)
		r.Filled += c.filled
		r.Canceled += c.canceled
		r.Dropped += c.dropped
		if i > 0 && (p.Timed || p.Rate > 0) {
			merged.Merge(c.histogram)
		}
		r.Cut = r.Cut || p.Orders > 0 && len(c.answers) < quota
	}
	r.Refused = r.Orders - r.Filled
	r.Latency = latency{
		P50: merged.ValueAtPercentile(50), P99: merged.ValueAtPercentile(99),
		P999: merged.ValueAtPercentile(99.9), Max: merged.Max(),
	}
	return r, nil
}

// caller is one goroutine's orders and the answers it got. Not safe for
// concurrent use.
type caller struct {
	ids       idMaker
	offset    int      // of the first order in the pool
	answers   []string // location per order; "" = refused or canceled since
	filled    int      // answers that named a location
	canceled  int      // of those, canceled during the pass
	dropped   int      // orders that were due and not sent
	histogram *hdrhistogram.Histogram
	err       error
	_         [64]byte // away from the next caller's counters
}

func (c *caller) prepare(expected, offset int) {
	c.ids.prepare(expected)
	c.offset, c.filled, c.canceled, c.dropped = offset, 0, 0, 0
	c.answers = slices.Grow(c.answers[:0], expected)
	c.histogram.Reset()
}

// call sends orders until it is told to stop or has sent quota.
func (c *caller) call(e Engine, pool *orderPool, stop *atomic.Bool, quota, cancelAfter int, timed bool) {
	o := new(allocator.Order)
	var start time.Time
	for i := 0; i < quota && !stop.Load(); i++ {
		*o = pool.orders[(c.offset+i)%len(pool.orders)]
		o.ID = c.ids.at(i)
		if timed {
			start = time.Now()
		}
		location, ok, err := e.Allocate(o)
		if timed {
			// Beyond 100 s a value is dropped; a pass is shorter.
			_ = c.histogram.RecordValue(int64(time.Since(start)))
		}
		if err != nil {
			c.err = fmt.Errorf("bench: allocate %s: %w", o.ID, err)
			return
		}
		if ok {
			c.filled++
		}
		c.answers = append(c.answers, location)
		if back := i - cancelAfter; cancelAfter > 0 && back >= 0 && c.answers[back] != "" {
			if err := e.Cancel(c.ids.at(back)); err != nil {
				c.err = fmt.Errorf("bench: cancel %s: %w", c.ids.at(back), err)
				return
			}
			c.answers[back] = ""
			c.canceled++
		}
	}
}

// putBack cancels every reservation of the pass, and looks whether all is there again.
func (s *seat) putBack() error {
	b := &books{world: s.world, held: make(map[cell]int64)}
	for _, c := range s.callers {
		for i, location := range c.answers {
			if location == "" {
				continue
			}
			if err := s.engine.Cancel(c.ids.at(i)); err != nil {
				return fmt.Errorf("bench: cancel %s: %w", c.ids.at(i), err)
			}
			k := (c.offset + i) % len(s.pool.orders)
			b.hold(&s.pool.orders[k], s.pool.skus[k], s.places[location])
		}
	}
	return s.allBack(b)
}
