package acceptance

import (
	"cmp"
	"math"
	"sync/atomic"

	"github.com/tidwall/btree"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Wait says since when an order waits at a location, and until when it may. Two
// waits of an order that are equal are one.
type Wait struct {
	Slot   uint32 // the location
	Since  int64  // engine time in milliseconds, as is Due
	Due    int64
	Worked bool // Due is worked out; otherwise it is when the order is looked at first
}

// Queue is the orders that wait, the first due first, of two due at once the one
// with the lower name. It begins off, and then holds nothing. Safe for concurrent use.
// A Queue must not be copied.
type Queue[K comparable] struct {
	compare func(a, b K) int

	wake chan struct{}

	on      atomic.Bool // changed under mu, together with what waits
	mu      lock.Mutex
	waiting map[K]Wait
	order   *btree.BTreeG[waiter[K]] // what waiting has
}

type waiter[K comparable] struct {
	due  int64
	name K
}

// New is a queue of orders by their names, in the order of compare, that is off.
func New[K comparable](compare func(a, b K) int) *Queue[K] {
	return &Queue[K]{compare: compare, wake: make(chan struct{}, 1)}
}

// Wake tells that another order than before is the first one due.
func (q *Queue[K]) Wake() <-chan struct{} { return q.wake }

// On reports whether orders are watched.
func (q *Queue[K]) On() bool { return q.on.Load() }

// Turn begins to watch orders, or ends it and forgets them all.
func (q *Queue[K]) Turn(on bool) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	q.on.Store(on)
	switch {
	case !on:
		q.waiting, q.order = nil, nil
	case q.waiting == nil:
		q.waiting = map[K]Wait{}
		q.order = btree.NewBTreeGOptions(func(a, b waiter[K]) bool {
			return cmp.Or(cmp.Compare(a.due, b.due), q.compare(a.name, b.name)) < 0
		}, btree.Options{NoLocks: true})
	}
}

// Put has an order wait, in the place of how it waited before.
func (q *Queue[K]) Put(n K, is Wait) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	q.put(n, is)
}

func (q *Queue[K]) put(n K, is Wait) {
	if !q.on.Load() {
		return
	}
	if was, ok := q.waiting[n]; ok {
		q.order.Delete(waiter[K]{was.Due, n})
	}
	q.waiting[n] = is
	q.order.Set(waiter[K]{is.Due, n})
	if first, _ := q.order.Min(); first.name == n {
		select {
		case q.wake <- struct{}{}:
		default: // it has been told, and not listened yet
		}
	}
}

// Refresh has an order wait at a location since it began to wait there, or from now
// on if that is not known; until when is to be worked out anew.
func (q *Queue[K]) Refresh(n K, slot uint32, now int64) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	if was, ok := q.waiting[n]; ok {
		now = was.Since
	}
	q.put(n, Wait{Slot: slot, Since: now, Due: now})
}

// Work notes until when an order may wait, unless it waits otherwise by now.
func (q *Queue[K]) Work(n K, was Wait, due int64) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	if is, ok := q.waiting[n]; ok && is == was {
		was.Due, was.Worked = due, true
		q.put(n, was)
	}
}

// Forget ends an order's waiting.
func (q *Queue[K]) Forget(n K) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	if was, ok := q.waiting[n]; ok {
		q.order.Delete(waiter[K]{was.Due, n})
		delete(q.waiting, n)
	}
}

// Next is the order that is due first; without one, what is never due.
func (q *Queue[K]) Next() (n K, is Wait) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	if q.order != nil {
		if first, ok := q.order.Min(); ok {
			return first.name, q.waiting[first.name]
		}
	}
	return n, Wait{Due: math.MaxInt64}
}

// Waits reports whether an order still waits as it did.
func (q *Queue[K]) Waits(n K, as Wait) bool {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	is, ok := q.waiting[n]
	return ok && is == as
}
