package allocator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
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
	q, n := m.late, reservation.PartName(id, e.Part)
	switch {
	case !q.On():
	case e.State != Confirmed || !a.hasGoods(e):
		q.Forget(n)
	default:
		q.Put(n, acceptance.Wait{Slot: e.Slot, Since: since, Due: since})
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

// followWait follows a change of a part, or of all parts of an order, which left it in
// a state.
func (m *moves) followWait(a *Allocator, c *reservation.Change, state State) {
	if !m.late.On() {
		return
	}
	var e reservation.Entry
	there := a.ledger.FindPart(c.ID, int(c.Part), &e)
	if c.Part == 0 && (!there || several(&e)) {
		parts := a.partsOf(c.ID)
		for i := range parts {
			m.followPart(a, c, &parts[i], parts[i].State)
		}
		return
	}
	e.Part = max(e.Part, int(c.Part))
	m.followPart(a, c, &e, state)
}

// followPart follows a change that left a part in a state.
func (m *moves) followPart(a *Allocator, c *reservation.Change, e *reservation.Entry, state State) {
	switch {
	case c.Verb == history.Confirmed && state == Confirmed:
		if e.Lines != nil {
			m.restartWait(a, c.ID, e, c.Now)
		}
	case state != Confirmed:
		m.late.Forget(reservation.PartName(c.ID, e.Part))
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
			q.Refresh(reservation.PartName(id, e.Part), e.Slot, now)
		}
	}
}

// recoverMoves brings back the cool-downs and the times since which orders wait to be
// accepted.
func (a *Allocator) recoverMoves() (err error) {
	if a.moves.cool, err = cooldown.Open(a.ledger); err != nil {
		return err
	}
	return a.recoverWaiting()
}

// recoverWaiting reads from the journal since when orders wait.
func (a *Allocator) recoverWaiting() error {
	a.moves.late = acceptance.New(reservation.Name.Compare)
	if a.rules.Load().AcceptWithin <= 0 {
		return nil
	}
	since := map[reservation.Name]int64{}
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
			n := reservation.PartName(id, e.Part)
			from := cmp.Or(since[n], since[reservation.Name{ID: formerID(id, e.Part)}], now)
			q.Put(n, acceptance.Wait{Slot: e.Slot, Since: from, Due: from})
		}
	}
	return nil
}

// formerID is the ID by which records of former versions name a part.
func formerID(order string, number int) string { return order + "/" + strconv.Itoa(number) }

// readWaiting reads the times of the records by which orders begin to wait.
func (a *Allocator) readWaiting(from uint64, since map[reservation.Name]int64) error {
	for _, step := range a.ledger.History(context.Background(), from, false) {
		if step.Err != nil {
			return step.Err
		}
		r := step.Record
		if len(r.Shares) == 0 {
			noteWaiting(since, r, r.Part)
		}
		for _, share := range r.Shares {
			noteWaiting(since, r, share.Part)
		}
	}
	return nil
}

// noteWaiting notes what a record says of a part.
func noteWaiting(since map[reservation.Name]int64, r *history.Record, part uint8) {
	switch r.Kind {
	case history.Confirmed, history.Rejected:
		since[reservation.PartName(own(r.ID), int(part))] = r.Time
	case history.Rerouted:
		if !r.Elsewhere() {
			since[reservation.PartName(own(r.ID), int(part))] = r.Time
		}
	case history.Accepted, history.Ready, history.Collected, history.Canceled:
		delete(since, reservation.PartName(r.ID, int(part)))
	}
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
func (a *Allocator) rerouteLate(ctx context.Context, now int64) (did int, err error) {
	q := a.moves.late
	for did < lateStep {
		if err := ctx.Err(); err != nil {
			return did, err
		}
		n, is := q.Next()
		if is.Due > now {
			break
		}
		// The hours or the rules may have changed since it was worked out.
		if due := a.acceptBy(is); due > now {
			q.Work(n, is, due)
			continue
		}
		done, err := a.rerouteOneLate(ctx, n, is)
		if err != nil && !errors.Is(err, ErrNoLocation) && !saw(err) && !errors.Is(err, ErrFull) && !(done && unplannable(err)) {
			return did, err
		}
		if done {
			did++
		}
	}
	return did, nil
}

// unplannable tells the refusals of an order that nothing can be planned for any
// more, such as when the store its customer goes to is there no longer. It has been
// rejected, and does not keep the next ones waiting.
func unplannable(err error) bool {
	return errors.Is(err, ErrInvalid) || errors.Is(err, ErrUnknownLocation) || errors.Is(err, ErrUnknownSKU)
}

// rerouteOneLate rejects an order that is late and takes it to another place. False:
// it is not late any more.
func (a *Allocator) rerouteOneLate(ctx context.Context, n reservation.Name, is acceptance.Wait) (done bool, err error) {
	c, err := a.gate.BeginVerb(ctx, history.Rejected)
	if err != nil {
		return false, err
	}
	defer c.End()
	m, t, err := a.rejectLate(scratchOf(c.Pass), n, is)
	if m != nil {
		t, err = m.finish()
	}
	waited := c.Wait(ctx, t)
	return m != nil, cmp.Or(err, waited)
}

// rejectLate records that a late order is rejected, unless it has been accepted
// meanwhile, or waits otherwise; then there is nothing to move.
func (a *Allocator) rejectLate(s *scratch, n reservation.Name, is acceptance.Wait) (*moving, reservation.Ticket, error) {
	defer a.lockOrder(n.ID)()
	q := a.moves.late
	if !q.Waits(n, is) {
		return nil, reservation.Ticket{}, nil
	}
	var e reservation.Entry
	if !a.ledger.FindPart(n.ID, n.Number(), &e) || e.State != Confirmed || !a.hasGoods(&e) {
		q.Forget(n)
		return nil, reservation.Ticket{}, nil
	}
	m, t, err := a.recordPart(s, &reservation.Change{Verb: history.Rejected, ID: n.ID, Part: uint8(n.Number()), Now: s.Now(), Cause: history.Late}, false, 0)
	if err != nil && saw(err) { // it is in another state by now
		q.Forget(n)
	}
	return m, t, err
}
