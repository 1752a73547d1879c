package reservation

import (
	"math"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// expiry ends what is due: holds at their deadline, goods nobody collected, and
// the reminder before that. It is a rule of the book.
type expiry struct {
	step
	now    int64
	freed  []effect
	counts Due
	// settled is how much of freed, and which counts, the journal has: all but
	// those of an order it has refused.
	settled int
	before  Due
	again   []string // orders with more that is due
}

// Due is what Expire did.
type Due struct {
	Expired, NoShows, Reminded int
	// Latest is how late the latest of them was, in milliseconds.
	Latest int64
}

// apply does the first thing that is due. The book comes again for the next, unless
// it is due at the same time: then only again knows of it.
func (x *expiry) apply(id string, e *entry) ([]byte, error) {
	verb, at := e.due(x.now, x.ledger.options.RemindBefore)
	if verb == 0 {
		return nil, nil
	}
	x.change = &Change{Verb: verb, ID: id, Now: x.now}
	if err := x.plan(e); err != nil {
		return nil, nil // nothing to do: it changed since its bucket was filled
	}
	x.effects = x.effects[:0]
	advance(e, x.change, x.given, &x.effects, x.ledger.classes)
	x.settled, x.before = len(x.freed), x.counts
	x.freed = append(x.freed, x.effects...)
	x.counts.Latest = max(x.counts.Latest, x.now-at)
	switch verb {
	case history.Expired:
		x.counts.Expired++
	case history.NoShow:
		x.counts.NoShows++
	case history.Reminded:
		x.counts.Reminded++
	}
	if more, _ := e.due(x.now, x.ledger.options.RemindBefore); more != 0 {
		x.again = append(x.again, strings.Clone(id))
	}
	return x.log(id, e), nil
}

// due is the first thing that is due by now, and since when; 0 is nothing.
func (e *entry) due(now, remindBefore int64) (verb history.Kind, at int64) {
	switch {
	case e.state.Ended():
		return 0, 0
	case e.deadline <= now && total(e, heldOf) > 0:
		return history.Expired, e.deadline
	case e.state != Ready:
		return 0, 0
	case e.pickup <= now:
		return history.NoShow, e.pickup
	case !e.reminded && remindBefore > 0 && e.pickup-remindBefore <= now:
		return history.Reminded, e.pickup - remindBefore
	}
	return 0, 0
}

// expireBatch is how many holds expire under one lock of a shard, at most: a claim
// that meets the lock waits for so many.
const expireBatch = 64

// Expire ends every hold whose deadline has passed by an engine time, makes
// no-shows of goods whose pickup deadline has, and records the reminders that
// are due. The units are available to the next claim as soon as each batch is
// recorded. now may jump in either direction: back, nothing is due; what has
// expired stays expired.
func (l *Ledger) Expire(now int64) (Due, error) {
	x := &expiry{now: now}
	x.ledger = l
	var e entry
	for shard := range l.book.shardCount() {
		for l.book.nextDue(shard) <= now {
			x.freed = x.freed[:0]
			n, err := l.book.dueIn(shard, now, expireBatch, &e, x)
			for len(x.again) > 0 && err == nil {
				id := x.again[len(x.again)-1]
				x.again = x.again[:len(x.again)-1]
				if _, err = l.book.change(kindOrder, id, &e, x); err == ErrNotFound {
					err = nil
				}
			}
			if err != nil {
				x.freed, x.counts = x.freed[:x.settled], x.before
			}
			l.show(x.freed)
			if l.shorts.any() {
				l.coverFreed(x.freed, now)
			}
			if err != nil {
				return x.counts, err
			}
			if n == 0 {
				break
			}
		}
	}
	return x.counts, nil
}

// NextDue is the earliest engine time at which Expire may find something to do.
func (l *Ledger) NextDue() int64 {
	next := int64(math.MaxInt64)
	for shard := range l.book.shardCount() {
		next = min(next, l.book.nextDue(shard))
	}
	return next
}
