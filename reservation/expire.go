package reservation

import (
	"errors"
	"math"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// expiry ends what is due: holds at their deadline, goods nobody collected, and
// the reminder before that. It is a rule of the book.
type expiry struct {
	step
	now    int64
	found  book.Entry // the one the rule is at
	freed  []state.Effect
	counts Due
	// settled is how much of freed, and which counts, the journal has: all but
	// those of an order it has refused.
	settled int
	before  Due
	again   []again // orders with more that is due
	more    bool    // one of them comes: the batch is not begun anew for it
}

// Due is what Expire did.
type Due struct {
	Expired, NoShows, Reminded int
	// Earliest is the engine time, in milliseconds, of the earliest deadline of
	// those that expired or became no-shows; 0 if there were none.
	Earliest int64
}

// apply does the first thing that is due. The book comes again for the next, unless
// it is due at the same time: then only again knows of it.
func (x *expiry) Apply(id string, e *book.Entry) ([]byte, error) {
	verb, at := dueVerb(e, x.now, x.ledger.options.RemindBefore)
	if verb == 0 {
		return nil, nil
	}
	if len(x.freed) >= expireLines && !x.more {
		return nil, errEnough
	}
	x.change = &Change{Verb: history.KindOf(verb), ID: id, Now: x.now}
	if err := x.plan(e); err != nil {
		return nil, nil // nothing to do: it changed since its bucket was filled
	}
	x.step.before = stateOf(x.ledger.state.Classes, e, nil, x.parts)
	x.advance(e)
	x.settled, x.before = len(x.freed), x.counts
	x.freed = append(x.freed, x.effects...)
	did := Due{Earliest: at}
	did.count(verb, 1)
	x.counts.add(did)
	if more, _ := dueVerb(e, x.now, x.ledger.options.RemindBefore); more != 0 {
		x.again = append(x.again, again{Name{ID: strings.Clone(id), Part: e.Part}, false})
	}
	return x.log(id, e), nil
}

// again is an order with more that is due.
type again struct {
	name    Name
	several bool // it has several parts, which end together
}

// ApplyAll does the first thing that is due of an order of several parts. Its holds that
// are due end together, in one record: no part expires beside one that is confirmed
// because the call came between them.
func (x *expiry) ApplyAll(id string, parts []book.Member) ([]byte, error) {
	if len(x.freed) >= expireLines && !x.more {
		return nil, errEnough
	}
	verb, n := life.Verb(0), 0
	x.effects, x.all.changed, x.all.floors = x.effects[:0], x.all.changed[:0], nil
	did := Due{Earliest: math.MaxInt64}
	x.step.before = stateOf(x.ledger.state.Classes, nil, nil, parts)
	r := &x.record
	*r = history.Record{Time: x.now, ID: id, Lines: r.Lines[:0], Shares: r.Shares[:0]}
	var last *book.Entry
	for i := range parts {
		e := &parts[i].Entry
		due, at := dueVerb(e, x.now, x.ledger.options.RemindBefore)
		if due == 0 || verb != 0 && (due != verb || verb != life.Expire) {
			continue
		}
		x.change = &Change{Verb: history.KindOf(due), ID: id, Now: x.now}
		if x.applyOne(&parts[i]) != nil {
			continue
		}
		verb, last, parts[i].Changed = due, e, true
		did.Earliest = min(did.Earliest, at)
		n++
	}
	if last == nil {
		return nil, nil
	}
	x.settled, x.before = len(x.freed), x.counts
	x.freed = append(x.freed, x.effects...)
	did.count(verb, n)
	x.counts.add(did)
	for i := range parts {
		if more, _ := dueVerb(&parts[i].Entry, x.now, x.ledger.options.RemindBefore); more != 0 {
			x.again = append(x.again, again{Name{ID: id}, true})
			break
		}
	}
	if x.ledger.queue == nil {
		return nil, nil
	}
	r.Kind = history.KindOf(verb)
	return x.logAll(last, parts), nil
}

// count counts what was done to so many reservations.
func (d *Due) count(verb life.Verb, n int) {
	switch verb {
	case life.Expire:
		d.Expired = n
	case life.Abandon:
		d.NoShows = n
	case life.Remind:
		d.Reminded = n
	}
}

// dueVerb is the first thing that is due by now, and since when; 0 is nothing.
func dueVerb(e *book.Entry, now, remindBefore int64) (verb life.Verb, at int64) {
	d := life.Deadlines{Form: e.Form, Hold: e.Deadline, Pickup: e.Pickup, Reminded: e.Reminded}
	return d.Due(e.State, e.Lines, now, remindBefore)
}

// How much expires under one lock of a shard, at most: a claim that meets the lock
// waits for so much.
const (
	expireBatch = 64   // orders
	expireLines = 1024 // lines of theirs, and those of one order besides
)

// errEnough ends a batch that has as many lines as it may.
var errEnough = errors.New("reservation: enough for one batch")

// Expire ends every hold whose deadline has passed by an engine time, makes
// no-shows of goods whose pickup deadline has, and records the reminders that
// are due. The units are available to the next claim as soon as each batch is
// recorded. now may jump in either direction: back, nothing is due; what has
// expired stays expired.
func (l *Ledger) Expire(now int64) (all Due, err error) {
	for more := true; more && err == nil; {
		var did Due
		did, more, err = l.ExpireSome(now)
		all.add(did)
	}
	return all, err
}

// add counts what another call did.
func (d *Due) add(did Due) {
	if did.Expired+did.NoShows > 0 {
		if d.Expired+d.NoShows == 0 || did.Earliest < d.Earliest {
			d.Earliest = did.Earliest
		}
	}
	d.Expired += did.Expired
	d.NoShows += did.NoShows
	d.Reminded += did.Reminded
}

// ExpireSome is a step of Expire: a batch of what is due, at most 64 orders, of which
// those holds that are due end together. Their units are available when it returns. more: there may be more that is due.
func (l *Ledger) ExpireSome(now int64) (did Due, more bool, err error) {
	l.Look(now)
	var x *expiry
	for shard := range l.state.Book.Shards() {
		if l.state.Book.NextDue(shard) > now {
			continue
		}
		if x == nil {
			x = &expiry{now: now}
			x.ledger = l
		}
		if n, err := x.batch(shard); n > 0 || err != nil {
			return x.counts, err == nil, err
		}
	}
	return Due{}, false, nil
}

// batch ends a batch of what is due in a shard. n tells how many the book has
// given, ended or not.
func (x *expiry) batch(shard int) (n int, err error) {
	l, e := x.ledger, &x.found
	n, err = l.state.Book.DueIn(shard, x.now, expireBatch, e, x)
	if err == errEnough {
		err = nil
	}
	for len(x.again) > 0 && err == nil {
		o := x.again[len(x.again)-1]
		x.again = x.again[:len(x.again)-1]
		x.more = true
		if o.several {
			_, err = l.state.Book.ChangeAll(o.name.ID, &x.all.members, x)
		} else {
			_, err = l.state.Book.ChangePart(o.name, e, x)
		}
		if err == ErrNotFound {
			err = nil
		}
	}
	if err != nil {
		x.freed, x.counts = x.freed[:x.settled], x.before
	}
	l.state.Show(x.freed)
	if l.shorts.any() {
		l.coverFreed(x.freed, x.now)
	}
	return n, err
}

// Look tells the ledger the engine time, so that what is held from now on is found
// without looking through everything when its deadline comes. To be called at least
// once a minute while time goes by and nothing is due; it is cheap.
func (l *Ledger) Look(now int64) { l.state.Book.Look(now) }

// NextDue is the earliest engine time at which Expire may find something to do.
func (l *Ledger) NextDue() int64 {
	next := int64(math.MaxInt64)
	for shard := range l.state.Book.Shards() {
		next = min(next, l.state.Book.NextDue(shard))
	}
	return next
}
