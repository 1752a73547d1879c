package allocator

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/reservation"
)

// expiry is the state of the goroutine that ends holds, and what it has done.
type expiry struct {
	// armed is the engine time at which the goroutine looks again; whoever sets an
	// earlier deadline wakes it.
	armed atomic.Int64
	wake  chan struct{}

	expired, noShows, reminded atomic.Uint64
	lag                        atomic.Int64 // Stats.ExpiryLag in milliseconds
}

const (
	// expiryTick is how often the goroutine looks while something is due that it
	// has not met yet.
	expiryTick = 5 * time.Millisecond
	// expiryRest is how long it sleeps at most.
	expiryRest = time.Minute
	// expiryRetry is how long it waits after an error of the journal.
	expiryRetry = time.Second
)

// keep starts the goroutines of the engine; Close stops them.
func (a *Allocator) keep() {
	a.expiry.wake = make(chan struct{}, 1)
	a.expiry.armed.Store(math.MinInt64) // nobody need wake it before it has looked
	if !a.options.ManualExpiry {
		a.gate.Keep("acceptance", a.moves.late.Wake(), a.lateDue)
		a.gate.Keep("deadlines", a.expiry.wake, a.expireDue)
	}
	if a.options.Dir != "" && a.options.SnapshotEvery > 0 {
		a.gate.Keep("snapshots", nil, a.snapshotStep())
	}
}

// expireDue ends what is due and returns how long there is nothing to do: the step
// of a goroutine of the engine's.
func (a *Allocator) expireDue() time.Duration {
	now := a.gate.Now()
	a.gate.WatchClock()
	more, err := a.sweepPassed(now)
	if err != nil && a.gate.Life().Err() == nil {
		a.options.Logger.Error("windows that have passed not cleared", "err", err)
	}
	a.ledger.Look(now)
	if a.ledger.NextDue() <= now {
		if _, err := a.expire(a.gate.Life(), now); err != nil {
			if a.gate.Life().Err() == nil {
				a.options.Logger.Error("holds not ended", "err", err)
			}
			return expiryRetry
		}
	}
	// A deadline set from here on either is seen by NextDue or finds the goroutine
	// armed for later than it.
	a.expiry.armed.Store(math.MaxInt64)
	next := a.ledger.NextDue()
	a.expiry.armed.Store(next)
	now = a.gate.Now()
	rest := expiryRest
	switch {
	case next <= now || more:
		rest = expiryTick
	case next-now < expiryRest.Milliseconds():
		rest = time.Duration(next-now) * time.Millisecond
	}
	if a.options.Clock != nil && next != math.MaxInt64 {
		rest = min(rest, expiryTick)
	}
	return rest
}

// sweepPassed does a step of the sweep of windows and periods that are over, if it is
// due. It is called by no change. more: there is another one to do.
func (a *Allocator) sweepPassed(now int64) (more bool, err error) {
	if !a.calendar.SweepDue(now) {
		return false, nil
	}
	c, err := a.gate.Enter()
	if err != nil {
		return false, nil // closed
	}
	defer c.Leave()
	if begun, busy := a.calendar.BeginSweep(now); !begun {
		return busy, nil
	}
	defer a.calendar.EndSweep()
	for range calendar.SweepSteps {
		if more, err := a.sweepStep(now); err != nil || !more {
			return err == nil, err
		}
	}
	return true, nil
}

// sweepStep does a step of the sweep while nothing changes.
func (a *Allocator) sweepStep(now int64) (more bool, err error) {
	defer a.gate.Pause()()
	return a.calendar.SweepStep(now)
}

// due tells the goroutine of a deadline that was just set.
func (a *Allocator) due(deadline int64) {
	if deadline < a.expiry.armed.Load() {
		select {
		case a.expiry.wake <- struct{}{}:
		default:
		}
	}
}

// Due is what a call of Expire did.
type Due struct {
	Expired  int `json:"expired,omitempty"`  // holds whose deadline had passed, in whole or the part not confirmed
	NoShows  int `json:"no_shows,omitempty"` // reservations that nobody collected in time
	Reminded int `json:"reminded,omitempty"` // reservations whose reminder was due
	Late     int `json:"late,omitempty"`     // orders that no location accepted in time, and that were taken to another one, or could not be
}

// Expire ends the holds whose deadline is not after now, makes no-shows of the
// goods that nobody collected in time, records the reminders that are due, and
// reroutes what was not accepted in time (Rules.AcceptWithin):
// what the engine's goroutine does by itself without Options.ManualExpiry. now is
// at most engine time: a later one, and the zero time, count as engine time, an
// earlier one as itself. The units are available when it returns. What nobody took
// of pickup windows and capacities that have been over for an hour is cleared away.
//
// Errors: ErrClosed; ErrJournal.
func (a *Allocator) Expire(now time.Time) (Due, error) {
	at := a.gate.Now()
	switch {
	case now.IsZero() || now.After(lastTime):
	case now.Before(firstTime):
		at = millis(firstTime)
	default:
		at = min(at, millis(now))
	}
	for more := true; more; { // before it counts as a change itself
		var err error
		if more, err = a.sweepPassed(at); err != nil {
			return Due{}, fmt.Errorf("allocator: expire: %w", err)
		}
	}
	due, err := a.expire(context.Background(), at)
	if err != nil {
		return due, fmt.Errorf("allocator: expire: %w", err)
	}
	err = a.expirySettled()
	for n := lateStep; err == nil && n == lateStep; due.Late += n { // each a change of its own
		n, err = a.rerouteLate(context.Background(), at)
	}
	if err != nil {
		return due, fmt.Errorf("allocator: expire: %w", err)
	}
	return due, nil
}

// expire ends what is due by an engine time, batch by batch. Each is a change of
// its own: a pause, and with it everybody else's changes, waits for one of them,
// however many are due.
func (a *Allocator) expire(ctx context.Context, now int64) (all Due, err error) {
	worst := int64(0)
	for more := true; more && err == nil; {
		var did reservation.Due
		did, more, err = a.expireSome(ctx, now)
		all.Expired += did.Expired
		all.NoShows += did.NoShows
		all.Reminded += did.Reminded
		if did.Expired+did.NoShows > 0 {
			worst = max(worst, a.gate.Now()-did.Earliest)
			a.expiry.lag.Store(worst)
		}
	}
	return all, err
}

// expireSome ends a batch of what is due and counts it.
func (a *Allocator) expireSome(ctx context.Context, now int64) (did reservation.Due, more bool, err error) {
	c, err := a.gate.Begin(ctx)
	if err != nil {
		return did, false, err
	}
	defer c.Leave()
	did, more, err = a.ledger.ExpireSome(now)
	x := &a.expiry
	x.expired.Add(uint64(did.Expired))
	x.noShows.Add(uint64(did.NoShows))
	x.reminded.Add(uint64(did.Reminded))
	return did, more, err
}

// expirySettled returns when all that is recorded so far lasts.
func (a *Allocator) expirySettled() error {
	c, err := a.gate.Begin(context.Background())
	if err != nil {
		return err
	}
	defer c.End()
	return c.Settle(context.Background())
}
