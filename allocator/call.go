package allocator

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/latency"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// A call is one call in flight: the one way into the engine and out of it. It is
// counted in when it begins and out when it ends, whatever ends it: end is
// deferred right after the beginning, so that a panic, of ours or of a function
// of the host's, leaves the counts as they were. Who waits for calls to end, Close
// and pause, waits for these counts.
//
// A call counts either as a change, and then a pause waits for it, or merely as in
// flight, and then only Close does: reads, changes that wait for the disk, and
// changes while functions of the host's run, which may block, or call what pauses
// all changes (see aside).
//
// It is for one goroutine, and stays on its stack.
type call struct {
	*scratch // nil once the call has ended
	engine   *Allocator
}

// scratch is the memory one call works in. The pool hands it to the processor
// that used it last, so its stripe is nearly always in that one's cache.
type scratch struct {
	stripe           *stripe
	changing, flying bool  // on which of the stripe's counters the call is
	now              int64 // engine time, read before the call began to count as a change

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

// stripes is how many counters calls in flight and statistics are spread over.
const stripes = 64

// stripe counts for the calls that share a scratch. Padded to two cache lines,
// so that no two processors write to the same one.
type stripe struct {
	changing atomic.Int64 // changes under way
	inFlight atomic.Int64 // calls under way that are not changes, or not all the time

	allocated, refused, repeated, collected, canceled atomic.Uint64
	lostRaces                                         atomic.Uint64
	_                                                 [128 - 8*8]byte
}

// tallies are what is counted of calls.
type tallies struct {
	stripes      [stripes]stripe
	nextOne      atomic.Uint32    // the stripe of the next scratch
	allocateTime latency.Recorder // one order in timedOf
	_            [64]byte         // keeps what every order reads off the line of its sum
}

// timedOf is of how many orders one is timed.
const timedOf = 64

// begun is when an order began that is to be timed, and the zero time for the other
// ones of timedOf. Which those are the counters say that the stripe has anyway, so that
// the others cost no clock reading, and no write. An order that is counted nowhere, such
// as one that is not valid, leaves the turn to the next one.
func (s *stripe) begun() (t time.Time) {
	if (s.allocated.Load()+s.refused.Load()+s.repeated.Load())%timedOf == 0 {
		t = time.Now()
	}
	return t
}

// The bits of Allocator.gate, which every call reads once when it begins.
const (
	gateClosed = 1 << iota // no call may begin
	gatePaused             // no change may begin
)

// enter begins a read.
func (a *Allocator) enter() (call, error) {
	s := a.scratch.Get().(*scratch)
	s.stripe.inFlight.Add(1)
	s.flying = true
	c := call{s, a}
	if a.gate.Load()&gateClosed != 0 {
		c.leave()
		return c, ErrClosed
	}
	return c, nil
}

// begin begins a change that frees what is held or needs no room.
func (a *Allocator) begin(ctx context.Context) (call, error) {
	if err := ctx.Err(); err != nil {
		return call{}, err
	}
	for {
		now := a.clock.now() // it may be a function of the host's
		if c, ok := a.count(now); ok {
			return c, nil
		}
		if err := a.pass(ctx); err != nil {
			return call{}, err
		}
	}
}

// count begins a change unless a pause is on, or the engine is closed.
func (a *Allocator) count(now int64) (call, bool) {
	s := a.scratch.Get().(*scratch)
	s.stripe.changing.Add(1)
	if a.gate.Load() != 0 {
		a.done(&s.stripe.changing)
		a.scratch.Put(s)
		return call{}, false
	}
	s.changing, s.now = true, now
	lock.Enter(lock.Change)
	return call{s, a}, true
}

// admit is begin for a change that needs room on the disk.
func (a *Allocator) admit(ctx context.Context) (call, error) {
	if a.recorded {
		if err := ctx.Err(); err != nil {
			return call{}, err
		}
		if err := a.ledger.Admit(ctx); err != nil {
			if a.gate.Load()&gateClosed != 0 {
				return call{}, ErrClosed
			}
			return call{}, err
		}
	}
	return a.begin(ctx)
}

// beginVerb begins a change of a reservation: admit if the verb needs room, else
// begin.
func (a *Allocator) beginVerb(ctx context.Context, verb history.Kind) (call, error) {
	if reservation.NeedsRoom(verb) {
		return a.admit(ctx)
	}
	return a.begin(ctx)
}

// end ends the call if nothing has ended it yet, as when a panic runs through it.
// Its memory may be in any state then and is not used again.
func (c *call) end() {
	if c.scratch != nil {
		c.uncount()
		c.scratch = nil
	}
}

// leave ends the call.
func (c *call) leave() {
	c.uncount()
	c.putBack()
}

// uncount takes the call off the counters it is on. A call that is on both leaves
// the changes first: see busy.
func (c *call) uncount() {
	s := c.scratch
	if s.changing {
		s.changing = false
		lock.Leave(lock.Change)
		c.engine.done(&s.stripe.changing)
	}
	if s.flying {
		s.flying = false
		c.engine.done(&s.stripe.inFlight)
	}
}

func (c *call) putBack() {
	c.engine.scratch.Put(c.scratch)
	c.scratch = nil
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

// leaveRead ends a read when what it saw lasts: everything up to the ticket.
func (c *call) leaveRead(t reservation.Ticket) error {
	if c.engine.options.LiveReads {
		c.leave()
		return nil
	}
	return c.wait(context.Background(), t)
}

// leaveSettled is leaveRead for reads that saw more than one record.
func (c *call) leaveSettled() error {
	if c.engine.options.LiveReads {
		c.leave()
		return nil
	}
	return c.settle(context.Background())
}

// wait ends the call when the journal has what it did: everything up to the
// ticket. The memory is given back before the waiting, but Close waits for it.
func (c *call) wait(ctx context.Context, t reservation.Ticket) error {
	if !c.engine.recorded {
		c.leave()
		return nil
	}
	a, stripe := c.engine, c.made()
	defer a.done(&stripe.inFlight)
	return a.ledger.Wait(ctx, t)
}

// settle ends a call that was refused for something it saw, or that recorded
// several things: when all that is recorded so far lasts.
func (c *call) settle(ctx context.Context) error {
	if !c.engine.recorded {
		c.leave()
		return nil
	}
	a, stripe := c.engine, c.made()
	defer a.done(&stripe.inFlight)
	return a.ledger.Settled(ctx)
}

// made gives the memory of a call back that has only to wait for the disk; it
// counts as in flight until then.
func (c *call) made() *stripe {
	s := c.scratch
	stripe := s.stripe
	c.engine.aside(s)
	s.flying = false // it is the caller's to take off
	c.putBack()
	return stripe
}

// yield hands something that a walk has found to the caller's loop, which may do
// whatever it likes, Close included: meanwhile the call is not counted. False: the
// loop, or the engine, has ended.
func (c *call) yield(hand func() bool) bool {
	s := c.scratch
	c.scratch = nil // for end, if the loop panics
	s.flying = false
	c.engine.done(&s.stripe.inFlight)
	on := hand()
	s.stripe.inFlight.Add(1)
	s.flying = true
	c.scratch = s
	return on && c.engine.gate.Load()&gateClosed == 0
}

// aside lets a change count as merely in flight, so that it holds up no pause. It
// is for functions of the host's: they may block, and may call what pauses all
// changes, or waits for the end of a pause. What the change has read since it was
// last counted may be outdated afterwards: see Allocator.epoch.
func (a *Allocator) aside(s *scratch) {
	if !s.changing {
		return
	}
	if !s.flying {
		s.stripe.inFlight.Add(1)
		s.flying = true
	}
	s.changing = false
	lock.Leave(lock.Change)
	a.done(&s.stripe.changing)
}

// resume lets a call that stood aside count as a change again, when no pause is
// on. A call that has begun may go on while Close waits for it.
func (a *Allocator) resume(s *scratch) {
	if s.changing {
		return
	}
	for {
		s.now = a.clock.now()
		s.stripe.changing.Add(1)
		if a.gate.Load()&gatePaused == 0 {
			break
		}
		a.done(&s.stripe.changing)
		a.awaitResumed()
	}
	s.changing = true // and still in flight: Close looks at the changes first
	lock.Enter(lock.Change)
}
