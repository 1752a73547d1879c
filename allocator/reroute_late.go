package allocator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/acceptance"
	"github.com/clickcollect/clickcollect/allocator/internal/cooldown"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// lateStep is how many late orders are dealt with before others get a turn.
const lateStep = 64

// restartWait begins to wait for the acceptance of an order, from a time on, if it is
// confirmed; otherwise it does not wait any more.
//
// An order waits from its confirmation on, or since it came to another location. The
// ledger does not keep that time; after a restart it is read from the journal, as far
// as it is kept, and what was confirmed before waits from the restart on.
func (m *moves) restartWait(a *Allocator, id string, e *reservation.Entry, since int64) {
	q := m.late
	switch {
	case !q.On():
	case e.State != Confirmed || !a.hasGoods(e):
		q.Forget(id)
	default:
		q.Put(id, acceptance.Wait{Slot: e.Slot, Since: since, Due: since})
	}
}

// acceptBy is until when a location has to accept an order that waits since a time:
// after Rules.AcceptWithin of opening time.
func (a *Allocator) acceptBy(is acceptance.Wait) int64 {
	within := a.rules.Load().AcceptWithin
	t := a.locations.Load()
	if within <= 0 || is.Slot >= t.Slots() {
		return math.MaxInt64
	}
	by, ok := t.SiteOf(is.Slot).Calendar.Add(fromMillis(is.Since), within)
	if !ok {
		return math.MaxInt64
	}
	return by.UnixMilli()
}

// followWait follows a change of a reservation.
func (m *moves) followWait(a *Allocator, c *reservation.Change, state State) {
	switch {
	case !m.late.On():
	case c.Verb == history.Confirmed && state == Confirmed:
		var e reservation.Entry
		if a.ledger.Find(c.ID, &e) {
			m.restartWait(a, c.ID, &e, c.Now)
		}
	case state != Confirmed:
		m.late.Forget(c.ID)
	}
}

// watchAcceptance begins to wait for orders to be accepted, or waits by other
// rules, or ends it. Orders whose time is not known wait from now on. The rules are
// locked.
func (a *Allocator) watchAcceptance(now int64) {
	q := a.moves.late
	q.Turn(a.rules.Load().AcceptWithin > 0)
	if !q.On() {
		return
	}
	for id, e := range a.ledger.All() {
		if e.State == Confirmed && a.hasGoods(e) {
			q.Refresh(id, e.Slot, now)
		}
	}
}

// recoverMoves brings back the cool-downs and the times since which orders wait to be
// accepted.
func (a *Allocator) recoverMoves() (err error) {
	for range a.ledger.All() {
		a.moves.parts.Store(true) // there may be orders of several parts
		break
	}
	if a.moves.cool, err = cooldown.Open(a.ledger); err != nil {
		return err
	}
	return a.recoverWaiting()
}

// recoverWaiting reads from the journal since when orders wait.
func (a *Allocator) recoverWaiting() error {
	a.moves.late = acceptance.New()
	if a.rules.Load().AcceptWithin <= 0 {
		return nil
	}
	since := map[string]int64{}
	for from := uint64(0); ; {
		err := a.readWaiting(from, since)
		var trimmed *TrimmedError
		if !errors.As(err, &trimmed) {
			if err != nil {
				return fmt.Errorf("reading when orders were confirmed: %w", err)
			}
			break
		}
		from = trimmed.First
	}
	q := a.moves.late
	q.Turn(true)
	now := a.gate.Now()
	for id, e := range a.ledger.All() {
		if e.State == Confirmed && a.hasGoods(e) {
			from := cmp.Or(since[id], now)
			q.Put(id, acceptance.Wait{Slot: e.Slot, Since: from, Due: from})
		}
	}
	return nil
}

// readWaiting reads the times of the records by which orders begin to wait.
func (a *Allocator) readWaiting(from uint64, since map[string]int64) error {
	for _, step := range a.ledger.History(context.Background(), from, false) {
		if step.Err != nil {
			return step.Err
		}
		switch r := step.Record; r.Kind {
		case history.Confirmed, history.Rejected:
			since[own(r.ID)] = r.Time
		case history.Rerouted:
			if r.Ref == "" {
				since[own(r.ID)] = r.Time
			}
		case history.Accepted, history.Ready, history.Collected, history.Canceled:
			delete(since, r.ID)
		}
	}
	return nil
}

// lateDue reroutes some of the orders that are late, and returns for how long there
// is nothing to do: the step of a goroutine of the engine's.
func (a *Allocator) lateDue() time.Duration {
	now := a.gate.Now()
	if _, err := a.rerouteLate(a.gate.Life(), now); err != nil {
		if a.gate.Life().Err() == nil {
			a.options.Logger.Error("late orders not rerouted", "err", err)
		}
		return expiryRetry
	}
	_, is := a.moves.late.Next()
	rest := expiryRest
	if now = a.gate.Now(); is.Due-now < rest.Milliseconds() {
		rest = max(time.Duration(is.Due-now)*time.Millisecond, time.Millisecond)
	}
	if a.options.Clock != nil && is.Due != math.MaxInt64 {
		rest = min(rest, expiryTick)
	}
	return rest
}

// rerouteLate rejects, in the name of their locations, orders that were not accepted
// by now, at most lateStep of them.
func (a *Allocator) rerouteLate(ctx context.Context, now int64) (n int, err error) {
	q := a.moves.late
	for n < lateStep {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		id, is := q.Next()
		if is.Due > now {
			break
		}
		// The hours or the rules may have changed since it was worked out.
		if due := a.acceptBy(is); due > now {
			q.Work(id, is, due)
			continue
		}
		done, err := a.rerouteOneLate(ctx, id, is)
		if err != nil && !errors.Is(err, ErrNoLocation) && !saw(err) && !errors.Is(err, ErrFull) && !(done && unplannable(err)) {
			return n, err
		}
		if done {
			n++
		}
	}
	return n, nil
}

// unplannable tells the refusals of an order that nothing can be planned for any
// more, such as when the store its customer goes to is there no longer. It has been
// rejected, and does not keep the next ones waiting.
func unplannable(err error) bool {
	return errors.Is(err, ErrInvalid) || errors.Is(err, ErrUnknownLocation) || errors.Is(err, ErrUnknownSKU)
}

// rerouteOneLate rejects an order that is late and takes it to another place. False:
// it is not late any more.
func (a *Allocator) rerouteOneLate(ctx context.Context, id string, is acceptance.Wait) (done bool, err error) {
	c, err := a.gate.BeginVerb(ctx, history.Rejected)
	if err != nil {
		return false, err
	}
	defer c.End()
	m, t, err := a.rejectLate(scratchOf(c.Pass), id, is)
	if m != nil {
		t, err = m.finish()
	}
	waited := c.Wait(ctx, t)
	return m != nil, cmp.Or(err, waited)
}

// rejectLate records that a late order is rejected, unless it has been accepted
// meanwhile, or waits otherwise; then there is nothing to move.
func (a *Allocator) rejectLate(s *scratch, id string, is acceptance.Wait) (*moving, reservation.Ticket, error) {
	defer a.lockOrder(id)()
	q := a.moves.late
	if !q.Waits(id, is) {
		return nil, reservation.Ticket{}, nil
	}
	var e reservation.Entry
	if !a.ledger.Find(id, &e) || e.State != Confirmed || !a.hasGoods(&e) {
		q.Forget(id)
		return nil, reservation.Ticket{}, nil
	}
	m, t, err := a.recordPart(s, &reservation.Change{Verb: history.Rejected, ID: id, Now: s.Now(), Cause: history.Late}, false, 0)
	if err != nil && saw(err) { // it is in another state by now
		q.Forget(id)
	}
	return m, t, err
}
