package allocator

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// lateness is the confirmed orders that wait for their location to accept them,
// while Rules.AcceptWithin says how long they may. An order waits from its
// confirmation on, or since it came to another location. The ledger does not keep
// that time; after a restart it is read from the journal, as far as it is kept, and
// what was confirmed before waits from the restart on.
type lateness struct {
	wake chan struct{}

	on      atomic.Bool // changed under mu, together with what waits
	mu      lock.Mutex
	waiting map[string]*waiter
	queue   waitQueue
}

// waiter is an order that waits to be accepted.
type waiter struct {
	wait
	id string
	at int // in the queue
}

// wait says since when an order waits at a location, and until when it may. How
// long it may is worked out by whoever looks at the queue, which asks for opening
// hours and so runs a function of the host's; until then it is due at once.
type wait struct {
	slot   uint32
	since  int64 // engine time
	due    int64
	worked bool // due is worked out
}

// lateStep is how many late orders are dealt with before others get a turn.
const lateStep = 64

func (l *lateness) watched() bool { return l.on.Load() }

// restart begins to wait for the acceptance of an order, from a time on, if it is
// confirmed; otherwise it does not wait any more.
func (l *lateness) restart(a *Allocator, id string, e *reservation.Entry, since int64) {
	if !l.on.Load() {
		return
	}
	if e.State != Confirmed || !a.goods(e) {
		l.forget(id)
		return
	}
	l.put(id, wait{slot: e.Slot, since: since, due: since})
}

// put puts an order in the queue, or to another place in it.
func (l *lateness) put(id string, is wait) {
	l.mu.Lock(lock.Acceptance)
	defer l.mu.Unlock()
	if !l.on.Load() {
		return
	}
	l.putIn(id, is)
}

// putIn is put with the lock held.
func (l *lateness) putIn(id string, is wait) {
	w := l.waiting[id]
	if w == nil {
		w = &waiter{id: id}
		l.waiting[id] = w
		heap.Push(&l.queue, w)
	}
	w.wait = is
	heap.Fix(&l.queue, w.at)
	if l.queue[0] == w {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

func (l *lateness) forget(id string) {
	l.mu.Lock(lock.Acceptance)
	defer l.mu.Unlock()
	if w := l.waiting[id]; w != nil {
		heap.Remove(&l.queue, w.at)
		delete(l.waiting, id)
	}
}

// next is the order that is due first.
func (l *lateness) next() (id string, is wait) {
	l.mu.Lock(lock.Acceptance)
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return "", wait{due: math.MaxInt64}
	}
	return l.queue[0].id, l.queue[0].wait
}

// waits reports whether an order still waits as it did.
func (l *lateness) waits(id string, as wait) bool {
	l.mu.Lock(lock.Acceptance)
	defer l.mu.Unlock()
	w := l.waiting[id]
	return w != nil && w.wait == as
}

// work notes until when an order may wait, unless it waits otherwise by now.
func (l *lateness) work(id string, was wait, due int64) {
	l.mu.Lock(lock.Acceptance)
	defer l.mu.Unlock()
	if w := l.waiting[id]; w != nil && w.wait == was {
		was.due, was.worked = due, true
		l.putIn(id, was)
	}
}

// turn begins to watch, or ends it.
func (l *lateness) turn(on bool) {
	l.mu.Lock(lock.Acceptance)
	defer l.mu.Unlock()
	l.on.Store(on)
	switch {
	case !on:
		l.waiting, l.queue = nil, nil
	case l.waiting == nil:
		l.waiting = map[string]*waiter{}
	}
}

// refresh has an order wait at its location, since it began to wait there, or from
// now on if that is not known; how long is worked out anew.
func (l *lateness) refresh(id string, slot uint32, now int64) {
	l.mu.Lock(lock.Acceptance)
	defer l.mu.Unlock()
	if !l.on.Load() {
		return
	}
	if w := l.waiting[id]; w != nil {
		now = w.since
	}
	l.putIn(id, wait{slot: slot, since: now, due: now})
}

// acceptBy is until when a location has to accept an order that waits since a time:
// after Rules.AcceptWithin of opening time.
func (a *Allocator) acceptBy(is wait) int64 {
	within := a.rules.Load().AcceptWithin
	t := a.locations.Load()
	if within <= 0 || is.slot >= t.Slots() {
		return math.MaxInt64
	}
	by, ok := t.SiteOf(is.slot).Calendar.Add(fromMillis(is.since), within)
	if !ok {
		return math.MaxInt64
	}
	return by.UnixMilli()
}

// changed follows a change of a reservation.
func (l *lateness) changed(a *Allocator, c *reservation.Change, state State) {
	switch {
	case !l.on.Load():
	case c.Verb == history.Confirmed && state == Confirmed:
		var e reservation.Entry
		if a.ledger.Find(c.ID, &e) {
			l.restart(a, c.ID, &e, c.Now)
		}
	case state != Confirmed:
		l.forget(c.ID)
	}
}

// watchAcceptance begins to wait for orders to be accepted, or waits by other
// rules, or ends it. Orders whose time is not known wait from now on. The rules are
// locked.
func (a *Allocator) watchAcceptance(now int64) {
	l := &a.moves.late
	l.turn(a.rules.Load().AcceptWithin > 0)
	if !l.watched() {
		return
	}
	for id, e := range a.ledger.All() {
		if e.State == Confirmed && a.goods(e) {
			l.refresh(id, e.Slot, now)
		}
	}
}

// recoverWaiting reads from the journal since when orders wait.
func (a *Allocator) recoverWaiting() error {
	a.moves.late.wake = make(chan struct{}, 1)
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
	l := &a.moves.late
	l.turn(true)
	now := a.gate.Now()
	for id, e := range a.ledger.All() {
		if e.State == Confirmed && a.goods(e) {
			from := cmp.Or(since[id], now)
			l.put(id, wait{slot: e.Slot, since: from, due: from})
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
	_, is := a.moves.late.next()
	rest := expiryRest
	if now = a.gate.Now(); is.due-now < rest.Milliseconds() {
		rest = max(time.Duration(is.due-now)*time.Millisecond, time.Millisecond)
	}
	if a.options.Clock != nil && is.due != math.MaxInt64 {
		rest = min(rest, expiryTick)
	}
	return rest
}

// rerouteLate rejects, in the name of their locations, orders that were not accepted
// by now, at most lateStep of them.
func (a *Allocator) rerouteLate(ctx context.Context, now int64) (n int, err error) {
	l := &a.moves.late
	for n < lateStep {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		id, is := l.next()
		if is.due > now {
			break
		}
		// The hours or the rules may have changed since it was worked out.
		if due := a.acceptBy(is); due > now {
			l.work(id, is, due)
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
func (a *Allocator) rerouteOneLate(ctx context.Context, id string, is wait) (done bool, err error) {
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
func (a *Allocator) rejectLate(s *scratch, id string, is wait) (*moving, reservation.Ticket, error) {
	defer a.lockOrder(id)()
	l := &a.moves.late
	if !l.waits(id, is) {
		return nil, reservation.Ticket{}, nil
	}
	var e reservation.Entry
	if !a.ledger.Find(id, &e) || e.State != Confirmed || !a.goods(&e) {
		l.forget(id)
		return nil, reservation.Ticket{}, nil
	}
	m, t, err := a.recordPart(s, &reservation.Change{Verb: history.Rejected, ID: id, Now: s.Now(), Cause: history.Late}, false, 0)
	if err != nil && saw(err) { // it is in another state by now
		l.forget(id)
	}
	return m, t, err
}

// waitQueue is a heap by due time, then ID.
type waitQueue []*waiter

func (q waitQueue) Len() int { return len(q) }
func (q waitQueue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].due, q[j].due), cmp.Compare(q[i].id, q[j].id)) < 0
}
func (q waitQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push adds a waiter behind all others.
func (q *waitQueue) Push(w any) {
	w.(*waiter).at = len(*q)
	*q = append(*q, w.(*waiter))
}

// Pop takes the last one.
func (q *waitQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
