package gate

import (
	"context"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// A Call is one call in flight. It is counted in when it begins and out when it ends,
// whatever ends it: End is deferred right after the beginning, so that a panic, of
// ours or of a function of the host's, leaves the counts as they were. Who waits for
// calls to end, Close and Pause, waits for these counts.
//
// A call counts either as a change, and then a pause waits for it, or merely as in
// flight, and then only Close does: reads, changes that wait for the disk, and
// changes while functions of the host's run, which may block, or call what pauses
// all changes (see Pass.Aside).
//
// It is for one goroutine, and stays on its stack.
type Call struct {
	*Pass // nil once the call has ended
}

// A Pass is what one call after the other has of the gate while it is in flight. The
// pool hands it to the processor that used it last, so its stripe and its memory are
// nearly always in that one's cache.
type Pass struct {
	gate             *Gate
	stripe           *stripe
	changing, flying bool  // on which of the stripe's counters the call is
	now              int64 // engine time, read before the call began to count as a change

	// Memory is what the calls of this pass work in. It is nil for the first of them;
	// what one leaves there the next one finds. After a panic it is not used again.
	Memory any
}

// Now is engine time, as it was when the call began to count as a change.
func (p *Pass) Now() int64 { return p.now }

// Enter begins a read.
func (g *Gate) Enter() (Call, error) {
	p := g.pool.Get().(*Pass)
	p.stripe.inFlight.Add(1)
	p.flying = true
	c := Call{p}
	if g.bits.Load()&closed != 0 {
		c.Leave()
		return c, ErrClosed
	}
	return c, nil
}

// Begin begins a change that frees what is held or needs no room.
func (g *Gate) Begin(ctx context.Context) (Call, error) {
	if err := ctx.Err(); err != nil {
		return Call{}, err
	}
	for {
		now := g.clock.now() // it may be a function of the host's
		if c, ok := g.count(now); ok {
			return c, nil
		}
		if err := g.pass(ctx); err != nil {
			return Call{}, err
		}
	}
}

// BeginAt is Begin for a step of a longer call, at the engine time of that one.
func (g *Gate) BeginAt(ctx context.Context, now int64) (Call, error) {
	for {
		if c, ok := g.count(now); ok {
			return c, nil
		}
		if err := g.pass(ctx); err != nil {
			return Call{}, err
		}
	}
}

// count begins a change unless a pause is on, or the engine is closed.
func (g *Gate) count(now int64) (Call, bool) {
	p := g.pool.Get().(*Pass)
	p.stripe.changing.Add(1)
	if g.bits.Load() != 0 {
		g.done(&p.stripe.changing)
		g.pool.Put(p)
		return Call{}, false
	}
	p.changing, p.now = true, now
	lock.Enter(lock.Change)
	return Call{p}, true
}

// Admit is Begin for a change that needs room on the disk.
func (g *Gate) Admit(ctx context.Context) (Call, error) {
	if g.recorded {
		if err := ctx.Err(); err != nil {
			return Call{}, err
		}
		if err := g.ledger.Admit(ctx); err != nil {
			if g.bits.Load()&closed != 0 {
				return Call{}, ErrClosed
			}
			return Call{}, err
		}
	}
	return g.Begin(ctx)
}

// BeginVerb begins a change of a reservation: Admit if the verb needs room, else
// Begin.
func (g *Gate) BeginVerb(ctx context.Context, verb history.Kind) (Call, error) {
	if reservation.NeedsRoom(verb) {
		return g.Admit(ctx)
	}
	return g.Begin(ctx)
}

// AdmitSetting begins a change of settings that is going to hold all other changes up
// for a moment: it needs room on the disk, and counts as a read, so that the pause
// does not wait for the call that makes it.
func (g *Gate) AdmitSetting(ctx context.Context) (Call, error) {
	if err := ctx.Err(); err != nil {
		return Call{}, err
	}
	now := g.clock.now() // it may be a function of the host's: nothing is held yet
	c, err := g.Enter()
	if err != nil {
		return c, err
	}
	if g.recorded {
		if err := g.ledger.Admit(ctx); err != nil {
			c.Leave()
			return c, err
		}
	}
	c.now = now
	return c, nil
}

// End ends the call if nothing has ended it yet, as when a panic runs through it.
// Its memory may be in any state then and is not used again.
func (c *Call) End() {
	if c.Pass != nil {
		c.uncount()
		c.Pass = nil
	}
}

// Leave ends the call.
func (c *Call) Leave() {
	c.uncount()
	c.putBack()
}

// uncount takes the call off the counters it is on. A call that is on both leaves
// the changes first: see counters.busy.
func (c *Call) uncount() {
	p := c.Pass
	if p.changing {
		p.changing = false
		lock.Leave(lock.Change)
		p.gate.done(&p.stripe.changing)
	}
	if p.flying {
		p.flying = false
		p.gate.done(&p.stripe.inFlight)
	}
}

func (c *Call) putBack() {
	c.gate.pool.Put(c.Pass)
	c.Pass = nil
}

// done takes a call off a counter and tells whoever waits for that.
func (g *Gate) done(counter *atomic.Int64) {
	counter.Add(-1)
	if g.bits.Load() == 0 {
		return
	}
	for _, waiter := range [...]chan struct{}{g.idle, g.pauses.quiet} {
		select {
		case waiter <- struct{}{}:
		default:
		}
	}
}

// LeaveRead ends a read when what it has read lasts: everything up to the ticket.
func (c *Call) LeaveRead(t reservation.Ticket) error {
	if c.gate.options.LiveReads {
		c.Leave()
		return nil
	}
	return c.Wait(context.Background(), t)
}

// LeaveSettled is LeaveRead for reads of more than one record.
func (c *Call) LeaveSettled() error {
	if c.gate.options.LiveReads {
		c.Leave()
		return nil
	}
	return c.Settle(context.Background())
}

// Wait ends the call when the journal has what it did: everything up to the
// ticket. The memory is given back before the waiting, but Close waits for it.
func (c *Call) Wait(ctx context.Context, t reservation.Ticket) error {
	g := c.gate
	if !g.recorded {
		c.Leave()
		return nil
	}
	stripe := c.made()
	defer g.done(&stripe.inFlight)
	return g.ledger.Wait(ctx, t)
}

// Settle ends a call that was refused for something it has read, or that recorded
// several things: when all that is recorded so far lasts.
func (c *Call) Settle(ctx context.Context) error {
	g := c.gate
	if !g.recorded {
		c.Leave()
		return nil
	}
	stripe := c.made()
	defer g.done(&stripe.inFlight)
	return g.ledger.Settled(ctx)
}

// Settled returns when everything that a read has read so far lasts. The call goes on.
func (g *Gate) Settled() error {
	if !g.recorded || g.options.LiveReads {
		return nil
	}
	return g.ledger.Settled(context.Background())
}

// made gives the memory of a call back that has only to wait for the disk; it
// counts as in flight until then.
func (c *Call) made() *stripe {
	stripe := c.stripe
	c.Aside()
	c.flying = false // it is the caller's to take off
	c.putBack()
	return stripe
}

// Yield hands something that a walk has found to the caller's loop, which may do
// whatever it likes, Close included: meanwhile the call is not counted. False: the
// loop, or the engine, has ended.
func (c *Call) Yield(hand func() bool) bool {
	p := c.Pass
	c.Pass = nil // for End, if the loop panics
	p.flying = false
	p.gate.done(&p.stripe.inFlight)
	on := hand()
	p.stripe.inFlight.Add(1)
	p.flying = true
	c.Pass = p
	return on && p.gate.bits.Load()&closed == 0
}

// Aside makes a change count as merely in flight, so that it holds up no pause. It
// is for functions of the host's: they may block, and may call what pauses all
// changes, or waits for the end of a pause. What the change has read since it was
// last counted may be outdated afterwards: see Gate.Epoch.
func (p *Pass) Aside() {
	if !p.changing {
		return
	}
	if !p.flying {
		p.stripe.inFlight.Add(1)
		p.flying = true
	}
	p.changing = false
	lock.Leave(lock.Change)
	p.gate.done(&p.stripe.changing)
}

// Resume makes a call that stood aside count as a change again, when no pause is
// on. A call that has begun may go on while Close waits for it.
func (p *Pass) Resume() {
	if p.changing {
		return
	}
	g := p.gate
	for {
		p.now = g.clock.now()
		p.stripe.changing.Add(1)
		if g.bits.Load()&paused == 0 {
			break
		}
		g.done(&p.stripe.changing)
		g.awaitResumed()
	}
	p.changing = true // and still in flight: Close looks at the changes first
	lock.Enter(lock.Change)
}
