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
// with the lower ID. It begins off, and then holds nothing. Safe for concurrent use.
// A Queue must not be copied.
type Queue struct {
	wake chan struct{}

	on      atomic.Bool // changed under mu, together with what waits
	mu      lock.Mutex
	waiting map[string]Wait
	order   *btree.BTreeG[waiter] // what waiting has
}

type waiter struct {
	due int64
	id  string
}

// New is a queue that is off.
func New() *Queue { return &Queue{wake: make(chan struct{}, 1)} }

// Wake tells that another order than before is the first one due.
func (q *Queue) Wake() <-chan struct{} { return q.wake }

// On reports whether orders are watched.
func (q *Queue) On() bool { return q.on.Load() }

// Turn begins to watch orders, or ends it and forgets them all.
func (q *Queue) Turn(on bool) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	q.on.Store(on)
	switch {
	case !on:
		q.waiting, q.order = nil, nil
	case q.waiting == nil:
		q.waiting = map[string]Wait{}
		q.order = btree.NewBTreeGOptions(func(a, b waiter) bool {
			return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id, b.id)) < 0
		}, btree.Options{NoLocks: true})
	}
}

// Put has an order wait, in the place of how it waited before.
func (q *Queue) Put(id string, is Wait) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	q.put(id, is)
}

func (q *Queue) put(id string, is Wait) {
	if !q.on.Load() {
		return
	}
	if was, ok := q.waiting[id]; ok {
		q.order.Delete(waiter{was.Due, id})
	}
	q.waiting[id] = is
	q.order.Set(waiter{is.Due, id})
	if first, _ := q.order.Min(); first.id == id {
		select {
		case q.wake <- struct{}{}:
		default: // it has been told, and not listened yet
		}
	}
}

// Refresh has an order wait at a location since it began to wait there, or from now
// on if that is not known; until when is to be worked out anew.
func (q *Queue) Refresh(id string, slot uint32, now int64) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	if was, ok := q.waiting[id]; ok {
		now = was.Since
	}
	q.put(id, Wait{Slot: slot, Since: now, Due: now})
}

// Work notes until when an order may wait, unless it waits otherwise by now.
func (q *Queue) Work(id string, was Wait, due int64) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	if is, ok := q.waiting[id]; ok && is == was {
		was.Due, was.Worked = due, true
		q.put(id, was)
	}
}

// Forget ends an order's waiting.
func (q *Queue) Forget(id string) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	if was, ok := q.waiting[id]; ok {
		q.order.Delete(waiter{was.Due, id})
		delete(q.waiting, id)
	}
}

// Next is the order that is due first; without one, what is never due.
func (q *Queue) Next() (id string, is Wait) {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	if q.order != nil {
		if first, ok := q.order.Min(); ok {
			return first.id, q.waiting[first.id]
		}
	}
	return "", Wait{Due: math.MaxInt64}
}

// Waits reports whether an order still waits as it did.
func (q *Queue) Waits(id string, as Wait) bool {
	q.mu.Lock(lock.Acceptance)
	defer q.mu.Unlock()
	is, ok := q.waiting[id]
	return ok && is == as
}
