package allocator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// Allocator is the engine: the stock of every SKU at every location, where the
// locations are, and the reservations made. All its methods are safe to call
// from any number of goroutines at once. Allocate, Nearby, Cancel, Lookup and
// Available never wait for a change of locations or for one another beyond a
// few instructions; the movements of one location take turns. With a directory
// each waits for the disk besides, many in one write.
type Allocator struct {
	options Options
	ledger  *reservation.Ledger
	clock   *clock

	// recorded tells that the ledger has a journal to wait for.
	recorded bool
	holdFor  int64 // Options.HoldFor in milliseconds
	recovery reservation.Recovery

	setting  sync.Mutex // one change of locations at a time
	topology atomic.Pointer[topology]

	rules    atomic.Pointer[ruleset]
	shadow   atomic.Pointer[shadow]
	channels atomic.Pointer[channels] // nil: nothing was ever set for a channel
	dividing sync.Mutex               // one change of that at a time
	// special tells that there is something that the hot path does not know:
	// capacities, bundles, lots, locations that cool down.
	special  atomic.Bool
	moves    moves
	wares    wares
	untraced bool // for benchmarks: decisions remember nothing to explain
	greedy   bool // for tests: splits are not the cheapest

	gate    atomic.Uint32
	closing sync.Once
	failed  error         // what Close answered; set in closing
	idle    chan struct{} // to Close: look again
	pauses
	scratch sync.Pool
	stripes [stripes]stripe
	nextOne atomic.Uint32

	// life ends when Close begins; background is the goroutines it waits for.
	capacity capacity

	life       context.Context
	end        context.CancelFunc
	background sync.WaitGroup
	expiry     expiry
}

// The bits of Allocator.gate, which every call reads once when it begins.
const (
	gateClosed = 1 << iota // no call may begin
	gatePaused             // no change may begin
)

// stripes is how many counters calls in flight and statistics are spread over.
const stripes = 64

// stripe counts for the calls that share a scratch. Padded to two cache lines,
// so that no two processors write to the same one.
type stripe struct {
	changing atomic.Int64 // changes under way
	inFlight atomic.Int64 // reads under way, and changes made that wait for the disk

	allocated, refused, repeated, collected, canceled atomic.Uint64
	lostRaces                                         atomic.Uint64
	_                                                 [128 - 8*8]byte
}

// Open returns an engine in memory, or the one that Options.Dir holds, with
// everything that was acknowledged and with all holds ended whose deadline has
// passed meanwhile. It reads a snapshot and the journal behind it, some millions
// of records a second. ctx is looked at before; it ends nothing later on.
//
// Errors: every fault of the options at once, as *InvalidError each; ErrLocked,
// ErrCorrupt, ErrNewer, ErrForeign, ErrFull; what the system says of the
// directory, such as fs.ErrPermission. Nothing was changed but for an unfinished
// end of the journal, which was acknowledged to nobody.
func Open(ctx context.Context, o Options) (*Allocator, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	begun := time.Now()
	a := &Allocator{options: o, holdFor: o.HoldFor.Milliseconds(), idle: make(chan struct{}, 1)}
	a.rules.Store(newRuleset(o.Rules))
	a.pauses.quiet = make(chan struct{}, 1)
	a.life, a.end = context.WithCancel(context.Background())
	a.scratch.New = func() any { return &scratch{stripe: &a.stripes[a.nextOne.Add(1)%stripes]} }
	if o.Dir == "" {
		a.ledger = reservation.New(o.ledger())
	} else {
		var err error
		if a.ledger, err = reservation.Open(o.ledger()); err != nil {
			return nil, fmt.Errorf("allocator: open: %w", err)
		}
	}
	if err := a.start(); err != nil {
		a.end()
		return nil, fmt.Errorf("allocator: open: %w", errors.Join(err, a.ledger.Close()))
	}
	if o.Dir != "" {
		a.recovery = a.ledger.Recovered()
		a.recovery.Took = time.Since(begun)
		o.Logger.Info("journal opened", "records", a.recovery.Records, "snapshot", a.recovery.Snapshot, "took", a.recovery.Took)
	}
	a.keep()
	return a, nil
}

// start makes a ledger that was just opened ready for calls.
func (a *Allocator) start() error {
	a.recorded = a.ledger.Recorded()
	a.clock = newClock(a.ledger.Time(), a.options.MaxClockGap, a.options.Clock, a.options.Logger)
	if err := a.rebuild(); err != nil {
		return err
	}
	t, err := a.ledger.Opened(a.clock.now())
	if err != nil {
		return fmt.Errorf("recording that it was opened: %w", err)
	}
	if !a.options.ManualExpiry {
		if _, err := a.expire(a.clock.now()); err != nil {
			return fmt.Errorf("ending holds: %w", err)
		}
	}
	return a.ledger.Wait(context.Background(), t)
}

// Close refuses new calls with ErrClosed, waits for those in flight, stops the
// engine's goroutines, and lets go of the directory, with everything on the disk
// also if Durability is Written. An engine in memory is gone with its content.
// Whoever calls it again, or meanwhile, waits for the first and gets its answer.
// The error says what could not be written or closed; the engine is closed all
// the same.
func (a *Allocator) Close() error {
	a.closing.Do(func() {
		a.gate.Or(gateClosed)
		a.end()
		for a.busy() {
			<-a.idle
		}
		a.background.Wait()
		if err := a.ledger.Close(); err != nil {
			a.failed = fmt.Errorf("allocator: close: %w", err)
		}
	})
	return a.failed
}

// busy reports whether any call is in flight. A change that begins to wait for the
// disk counts as waiting before it stops to count as changing, hence the order.
func (a *Allocator) busy() bool {
	for i := range a.stripes {
		if a.stripes[i].changing.Load() > 0 || a.stripes[i].inFlight.Load() > 0 {
			return true
		}
	}
	return false
}

// scratch is the memory one call works in. The pool hands it to the processor
// that used it last, so its stripe is nearly always in that one's cache.
type scratch struct {
	stripe *stripe
	claim  reservation.Claim
	hold   reservation.Hold
	change reservation.Change
	ticket reservation.Ticket // of the answer to an order
	search geo.Search
	lines  []reservation.Line
	found  reservation.Entry
	plan   *planWork
	levels []int64
	note   []byte
	keeps  *keeps // protection levels of the order's channel; nil: none
}

// enter begins a read; leave or leaveRead must follow.
func (a *Allocator) enter() (*scratch, error) {
	s := a.scratch.Get().(*scratch)
	s.stripe.inFlight.Add(1)
	if a.gate.Load()&gateClosed != 0 {
		a.leave(s)
		return nil, ErrClosed
	}
	return s, nil
}

// leave ends a read.
func (a *Allocator) leave(s *scratch) {
	a.done(&s.stripe.inFlight)
	a.scratch.Put(s)
}

// done takes a call off a counter and tells whoever waits for that.
func (a *Allocator) done(counter *atomic.Int64) {
	counter.Add(-1)
	if a.gate.Load() == 0 {
		return
	}
	for _, waiter := range [...]chan struct{}{a.idle, a.pauses.quiet} {
		select {
		case waiter <- struct{}{}:
		default:
		}
	}
}

// leaveRead ends a read when what it saw lasts: everything up to the ticket. The
// scratch is given back before the waiting.
func (a *Allocator) leaveRead(s *scratch, t reservation.Ticket) error {
	if !a.recorded || a.options.LiveReads {
		a.leave(s)
		return nil
	}
	stripe := s.stripe
	a.scratch.Put(s)
	err := a.ledger.Wait(context.Background(), t)
	a.done(&stripe.inFlight)
	return err
}

// leaveSettled is leaveRead for reads that saw more than one record.
func (a *Allocator) leaveSettled(s *scratch) error {
	if !a.recorded || a.options.LiveReads {
		a.leave(s)
		return nil
	}
	stripe := s.stripe
	a.scratch.Put(s)
	err := a.ledger.Settled(context.Background())
	a.done(&stripe.inFlight)
	return err
}

// begin begins a change that frees what is held or needs no room; leaveChange or
// wait must follow.
func (a *Allocator) begin(ctx context.Context) (*scratch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for {
		s := a.scratch.Get().(*scratch)
		s.stripe.changing.Add(1)
		if a.gate.Load() == 0 {
			return s, nil
		}
		a.leaveChange(s)
		if err := a.pass(ctx); err != nil {
			return nil, err
		}
	}
}

// admit is begin for a change that needs room on the disk.
func (a *Allocator) admit(ctx context.Context) (*scratch, error) {
	if a.recorded {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := a.ledger.Admit(ctx); err != nil {
			if a.gate.Load()&gateClosed != 0 {
				return nil, ErrClosed
			}
			return nil, err
		}
	}
	return a.begin(ctx)
}

// leaveChange ends a change that recorded nothing.
func (a *Allocator) leaveChange(s *scratch) {
	a.done(&s.stripe.changing)
	a.scratch.Put(s)
}

// wait ends a change when the journal has it: everything up to the ticket. The
// scratch is given back before the waiting, but Close waits for it.
func (a *Allocator) wait(ctx context.Context, s *scratch, t reservation.Ticket) error {
	if !a.recorded {
		a.leaveChange(s)
		return nil
	}
	stripe := a.made(s)
	err := a.ledger.Wait(ctx, t)
	a.done(&stripe.inFlight)
	return err
}

// settle ends a change that was refused for something it saw, or that recorded
// several things: when all that is recorded so far lasts.
func (a *Allocator) settle(ctx context.Context, s *scratch) error {
	if !a.recorded {
		a.leaveChange(s)
		return nil
	}
	stripe := a.made(s)
	err := a.ledger.Settled(ctx)
	a.done(&stripe.inFlight)
	return err
}

// made turns a change under way into one that waits for the disk, and gives its
// scratch back.
func (a *Allocator) made(s *scratch) *stripe {
	stripe := s.stripe
	stripe.inFlight.Add(1)
	a.done(&stripe.changing)
	a.scratch.Put(s)
	return stripe
}
