package allocator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// Options are the settings of an Allocator. The zero value is safe: an engine in
// memory that is silent.
type Options struct {
	// Logger gets what an operator may want to know. Nil: nothing is logged.
	Logger *slog.Logger

	// MaxDistance is the reach of an order that names none, in meters.
	// 0: the whole globe.
	MaxDistance geo.Meters

	// MaxIDBytes is the longest ID of an order, movement, location or SKU, at
	// most 65,535. 0: 255.
	MaxIDBytes int

	// MaxLines is the most lines of one order or movement. 0: 4,096.
	MaxLines int

	// MaxLocations is the most locations there ever are, removed ones included.
	// 0: 1,048,576.
	MaxLocations int

	// MaxSKUs is the most SKUs there ever are, at most 268,435,456; a SKU costs
	// memory from its first receipt on. 0: 16,777,216.
	MaxSKUs int

	// Remember is how many ended reservations, and how many movements, are kept
	// so that a repeat of their ID gets the same answer. Live reservations are
	// always kept. 0: 1,048,576.
	Remember int
}

const maxSKUs = 1 << 28

// validate fills in the defaults and reports every fault at once.
func (o *Options) validate() error {
	var faults []error
	limit := func(name string, value *int, standard, most int) {
		if *value < 0 || *value > most {
			faults = append(faults, &InvalidError{Field: "Options." + name, Value: *value, Why: fmt.Sprintf("must be 0 to %d", most)})
		}
		if *value == 0 {
			*value = standard
		}
	}
	limit("MaxIDBytes", &o.MaxIDBytes, 255, math.MaxUint16)
	limit("MaxLines", &o.MaxLines, 4096, 1<<20)
	limit("MaxLocations", &o.MaxLocations, 1<<20, 1<<24)
	limit("MaxSKUs", &o.MaxSKUs, 1<<24, maxSKUs)
	limit("Remember", &o.Remember, 1<<20, 1<<30)
	if err := checkDistance("Options.MaxDistance", o.MaxDistance); err != nil {
		faults = append(faults, err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(faults...)
}

func checkDistance(field string, d geo.Meters) error {
	if !(d >= 0) || math.IsInf(float64(d), 0) {
		return &InvalidError{Field: field, Value: d, Why: "must be a finite number of meters, 0 or more"}
	}
	return nil
}

// Allocator is the engine: the stock of every SKU at every location, where the
// locations are, and the reservations made. All its methods are safe to call
// from any number of goroutines at once. Allocate, Nearby, Cancel, Lookup and
// Available never wait for a change of locations or for one another beyond a
// few instructions; the movements of one location take turns.
type Allocator struct {
	options Options
	ledger  *reservation.Ledger

	setting  sync.Mutex // one change of locations at a time
	topology atomic.Pointer[topology]

	closed  atomic.Bool
	closing sync.Once
	idle    chan struct{}
	scratch sync.Pool
	stripes [stripes]stripe
	nextOne atomic.Uint32
}

// stripes is how many counters calls in flight and statistics are spread over.
const stripes = 64

// stripe counts for the calls that share a scratch. Padded to two cache lines,
// so that no two processors write to the same one.
type stripe struct {
	inFlight                                          atomic.Int64
	allocated, refused, repeated, collected, canceled atomic.Uint64
	lostRaces                                         atomic.Uint64
	_                                                 [128 - 7*8]byte
}

// Open returns an engine in memory. It reports every fault of the options at
// once, as *InvalidError each. ctx ends nothing later on.
func Open(ctx context.Context, o Options) (*Allocator, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	a := &Allocator{options: o, idle: make(chan struct{}, 1)}
	a.ledger = reservation.New(reservation.Limits{SKUs: o.MaxSKUs, Locations: o.MaxLocations, Remember: o.Remember})
	a.scratch.New = func() any { return &scratch{stripe: &a.stripes[a.nextOne.Add(1)%stripes]} }
	index, err := geo.NewIndex(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	a.topology.Store(&topology{index: index, table: a.ledger.Table()})
	return a, nil
}

// Close waits for the calls in flight and ends the engine: what was in memory
// is gone, and every later call returns ErrClosed. Closing again does nothing.
func (a *Allocator) Close() error {
	a.closing.Do(func() {
		a.closed.Store(true)
		for a.inFlight() > 0 {
			<-a.idle
		}
	})
	return nil
}

func (a *Allocator) inFlight() (n int64) {
	for i := range a.stripes {
		n += a.stripes[i].inFlight.Load()
	}
	return n
}

// scratch is the memory one call works in. The pool hands it to the processor
// that used it last, so its stripe is nearly always in that one's cache.
type scratch struct {
	stripe *stripe
	claim  reservation.Claim
	search geo.Search
	lines  []reservation.Line
	found  reservation.Entry
	levels []int64
}

// enter begins a call; leave must follow.
func (a *Allocator) enter() (*scratch, error) {
	s := a.scratch.Get().(*scratch)
	s.stripe.inFlight.Add(1)
	if a.closed.Load() {
		a.leave(s)
		return nil, ErrClosed
	}
	return s, nil
}

func (a *Allocator) leave(s *scratch) {
	s.stripe.inFlight.Add(-1)
	if a.closed.Load() {
		select {
		case a.idle <- struct{}{}:
		default:
		}
	}
	a.scratch.Put(s)
}

// begin is enter for calls that take a context.
func (a *Allocator) begin(ctx context.Context) (*scratch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return a.enter()
}
