package allocator

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// lateness is the confirmed orders that wait for their location to accept them,
// while Rules.AcceptWithin says how long they may. An order waits from its
// confirmation on, or since it came to another location. The ledger does not keep
// that time; after a restart it is read from the journal, as far as it is kept, and
// what was confirmed before waits from the restart on.
type lateness struct {
	on   atomic.Bool
	wake chan struct{}

	mu      sync.Mutex
	waiting map[string]*waiter
	queue   waitQueue
}

// waiter is an order that waits to be accepted.
type waiter struct {
	id         string
	since, due int64 // engine time
	at         int   // in the queue
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
	l.wait(a, id, e.Slot, since)
}

// wait puts an order in the queue, or to another place in it.
func (l *lateness) wait(a *Allocator, id string, slot uint32, since int64) {
	due := a.acceptBy(slot, since)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting = map[string]*waiter{}
	}
	w := l.waiting[id]
	if w == nil {
		w = &waiter{id: id}
		l.waiting[id] = w
		heap.Push(&l.queue, w)
	}
	w.since, w.due = since, due
	heap.Fix(&l.queue, w.at)
	if l.queue[0] == w {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

func (l *lateness) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.waiting[id]; w != nil {
		heap.Remove(&l.queue, w.at)
		delete(l.waiting, id)
	}
}

// next is the order that is due first, and when.
func (l *lateness) next() (id string, due int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return "", math.MaxInt64
	}
	return l.queue[0].id, l.queue[0].due
}

// acceptBy is until when a location has to accept an order that waits since a time:
// after Rules.AcceptWithin of opening time.
func (a *Allocator) acceptBy(slot uint32, since int64) int64 {
	within := a.rules.Load().AcceptWithin
	t := a.topology.Load()
	if within <= 0 || int(slot) >= len(t.places) {
		return math.MaxInt64
	}
	by, ok := t.siteOf(slot).Calendar.Add(fromMillis(since), within)
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
// rules. Orders whose time is not known wait from now on.
func (a *Allocator) watchAcceptance() {
	l := &a.moves.late
	if a.rules.Load().AcceptWithin <= 0 {
		l.on.Store(false)
		l.mu.Lock()
		l.waiting, l.queue = nil, nil
		l.mu.Unlock()
		return
	}
	l.on.Store(true)
	now := a.clock.now()
	for id, e := range a.ledger.All() {
		if e.State != Confirmed || !a.goods(e) {
			continue
		}
		l.mu.Lock()
		since := now
		if w := l.waiting[id]; w != nil {
			since = w.since
		}
		l.mu.Unlock()
		l.wait(a, id, e.Slot, since)
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
	l.on.Store(true)
	now := a.clock.now()
	for id, e := range a.ledger.All() {
		if e.State == Confirmed && a.goods(e) {
			l.wait(a, id, e.Slot, cmp.Or(since[id], now))
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

// keepAccepting reroutes orders that are not accepted in time, until the engine is
// closed.
func (a *Allocator) keepAccepting() {
	l := &a.moves.late
	timer := time.NewTimer(expiryRest)
	defer timer.Stop()
	for {
		timer.Reset(a.lateDue())
		select {
		case <-a.life.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// lateDue reroutes some of the orders that are late, and returns for how long there
// is nothing to do.
func (a *Allocator) lateDue() time.Duration {
	now := a.clock.now()
	if _, err := a.rerouteLate(a.life, now); err != nil {
		if a.life.Err() == nil {
			a.options.Logger.Error("late orders not rerouted", "err", err)
		}
		return expiryRetry
	}
	_, due := a.moves.late.next()
	rest := expiryRest
	if now = a.clock.now(); due-now < rest.Milliseconds() {
		rest = max(time.Duration(due-now)*time.Millisecond, time.Millisecond)
	}
	if a.options.Clock != nil && due != math.MaxInt64 {
		rest = min(rest, expiryTick)
	}
	return rest
}

// rerouteLate rejects, in the name of their locations, orders that were not accepted
// by now, at most lateStep of them.
func (a *Allocator) rerouteLate(ctx context.Context, now int64) (n int, err error) {
	for n < lateStep {
		id, due := a.moves.late.next()
		if due > now {
			break
		}
		s, err := a.admit(ctx)
		if err != nil {
			return n, err
		}
		done, t, err := a.rejectLate(s, id, now)
		if waited := a.wait(ctx, s, t); err == nil {
			err = waited
		}
		if err != nil && !errors.Is(err, ErrNoLocation) && !saw(err) && !errors.Is(err, ErrFull) {
			return n, err
		}
		if done {
			n++
		}
	}
	return n, nil
}

// rejectLate rejects an order that is due, unless it has been accepted meanwhile.
func (a *Allocator) rejectLate(s *scratch, id string, now int64) (done bool, t reservation.Ticket, err error) {
	defer a.lockOrder(id)()
	l := &a.moves.late
	if first, due := l.next(); first != id || due > now {
		return false, t, nil // another one was quicker
	}
	var e reservation.Entry
	if !a.ledger.Find(id, &e) || e.State != Confirmed || !a.goods(&e) {
		l.forget(id)
		return false, t, nil
	}
	l.mu.Lock()
	since := l.waiting[id].since
	l.mu.Unlock()
	if due := a.acceptBy(e.Slot, since); due > now { // the hours or the rules have changed
		l.wait(a, id, e.Slot, since)
		return false, t, nil
	}
	_, t, err = a.rejectPart(s, &reservation.Change{Verb: history.Rejected, ID: id, Now: a.clock.now(), Cause: history.Late}, false)
	if err != nil && saw(err) { // it is in another state by now
		l.forget(id)
	}
	return true, t, err
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
