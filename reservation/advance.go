package reservation

import "github.com/clickcollect/clickcollect/reservation/history"

// move moves units of one line between its buckets.
func (l *entryLine) move(c *Change, units int64, f *effect) {
	n := uint32(units)
	switch c.Verb {
	case history.Confirmed:
		l.held -= n
		l.confirmed += n
	case history.Canceled:
		f.free = units
		l.takeOpen(n, &l.held, &l.confirmed)
	case history.Expired:
		f.free = units
		l.held -= n
		l.lapsed += n
	case history.NoShow:
		f.free = units
		l.confirmed -= n
		l.lapsed += n
	case history.Collected:
		f.onHand = -units
		l.takeOpen(n, &l.confirmed, &l.held)
		l.collected += n
	case history.Dispatched:
		f.onHand = -units
	case history.Arrived:
		f.onHand = units
		l.missing += l.confirmed - n
		l.confirmed = n
	case history.ShortPicked:
		gone := min(l.short, n)
		f.free, f.onHand = int64(gone), -int64(n-gone)
		l.short -= gone
		l.confirmed -= n
		l.missing += n
	case history.Returned:
		l.returned += n
		if c.Cause == history.Restocked {
			f.free, f.onHand = units, units
		}
	case history.Rerouted:
		switch {
		case c.went.missing:
			l.missing -= n
			l.rerouted += n
		case c.went.ref == "":
			f.free, l.short = units, 0
		default:
			f.free = units
			l.takeOpen(n, &l.confirmed, &l.held)
			l.rerouted += n
		}
	case history.Shorted:
		l.short += n
	case history.Covered:
		l.short -= n
	}
	l.short = min(l.short, l.held+l.confirmed)
}

// let is move for a resource, which goes with the goods: when the goods leave the
// shelf, it is used up; when they stay, it is free again. What is used up or has
// not been used has lapsed, so that nobody collects it or brings it back.
func (l *entryLine) let(c *Change, units int64, f *effect) {
	n := uint32(units)
	switch c.Verb {
	case history.Confirmed, history.Rerouted:
		l.move(c, units, f)
	case history.Canceled:
		f.free = units
		l.takeOpen(n, &l.held, &l.confirmed)
	case history.Expired, history.NoShow, history.ShortPicked:
		f.free = units
		l.takeOpen(n, &l.held, &l.confirmed)
		l.lapsed += n
	case history.Collected, history.Dispatched:
		f.onHand = -units
		l.takeOpen(n, &l.confirmed, &l.held)
		l.lapsed += n
	}
}

// takeOpen takes units from the first bucket and what is missing from the second.
func (l *entryLine) takeOpen(n uint32, first, second *uint32) {
	some := min(n, *first)
	*first -= some
	*second -= n - some
}

// turn moves the state and the deadlines on. It comes after the lines moved.
func (e *entry) turn(c *Change, given []Line) {
	switch c.Verb {
	case history.Confirmed:
		if e.state == Held {
			e.state = Confirmed
		}
	case history.Extended:
		e.deadline = max(e.deadline, c.Deadline)
	case history.Reassigned:
		e.refs.owner, e.refs.channel = c.Owner, c.Channel
	case history.Accepted:
		e.state = Accepted
	case history.Dispatched:
		e.state, e.to = InTransit, c.Slot
	case history.Arrived:
		e.arrive(c, given)
	case history.Ready:
		e.keepSince()
		e.state, e.pickup, e.refs.code, e.reminded = Ready, c.Deadline, c.Code, false
	case history.Reminded:
		e.reminded = true
	case history.Returned:
		if e.state == Collected && allReturned(e) {
			e.state = Returned
		}
		return
	case history.Rejected:
		e.reject()
		e.back()
	case history.RerouteFailed:
		return
	case history.Rerouted:
		if !e.leave(c) {
			return
		}
	}
	e.end(c)
}

// back is where an order stands that a location will not serve, or not this one.
func (e *entry) back() {
	if e.state == Accepted {
		e.state = Confirmed
	}
}

// leave brings in that units are elsewhere now; false when that ends nothing.
func (e *entry) leave(c *Change) bool {
	w := c.went
	t := e.tail()
	switch {
	case w.ref == "":
		e.keepSlot()
		e.location, e.distance = w.to, w.distance
		e.setPromise(w.promise)
		if w.note != "" {
			t.note = w.note
			e.setTail(t)
		}
		e.back()
		return false
	case w.parts > max(t.parts, 1):
		t.parts = w.parts
		e.setTail(t)
	}
	if !e.state.Ended() {
		return true
	}
	if e.state == Canceled && allRerouted(e) {
		e.state = Rerouted
	}
	return false
}

// arrive puts a reservation at the place it was sent to; lines that did not come
// along are missing.
func (e *entry) arrive(c *Change, came []Line) {
	e.keepSlot()
	e.state, e.location = Accepted, c.Slot
	for i := range e.lines {
		line := &e.lines[i]
		for len(came) > 0 && came[0].SKU < line.sku {
			came = came[1:]
		}
		if len(came) == 0 || came[0].SKU != line.sku {
			line.missing += line.confirmed
			line.confirmed = 0
		}
	}
}

// end ends the reservation when nothing is held or confirmed any more: Collected
// if the customer got anything, else what the last change made of it. When only
// held units are left of goods that were ready, nothing is ready any more, and
// their own deadline is the one that counts.
func (e *entry) end(c *Change) {
	if total(e, confirmedOf) > 0 {
		return
	}
	if total(e, heldOf) > 0 {
		if e.state == Ready {
			e.state, e.pickup = Held, e.since()
		}
		return
	}
	switch {
	case total(e, collectedOf) > 0:
		e.state = Collected
	case c.Verb == history.Expired:
		e.state = Expired
	case c.Verb == history.NoShow:
		e.state = NoShow
	case c.Verb == history.Rerouted:
		e.state = Rerouted
	default:
		e.state = Canceled
	}
	e.deadline = c.Now
}

func allReturned(e *entry) bool {
	for i := range e.lines {
		if e.lines[i].returned < e.lines[i].collected {
			return false
		}
	}
	return true
}

func allRerouted(e *entry) bool {
	for i := range e.lines {
		if e.lines[i].rerouted < e.lines[i].quantity {
			return false
		}
	}
	return true
}

// sound checks the invariants of an entry, for replay and audit.
func (e *entry) sound() bool {
	open := false
	for i := range e.lines {
		l := &e.lines[i]
		sum := uint64(l.held) + uint64(l.confirmed) + uint64(l.collected) + uint64(l.missing) + uint64(l.lapsed) + uint64(l.rerouted)
		if sum > uint64(l.quantity) || l.returned > l.collected || uint64(l.short) > uint64(l.held)+uint64(l.confirmed) {
			return false
		}
		open = open || l.held > 0 || l.confirmed > 0
	}
	return open != e.state.Ended() && e.soundOrigin()
}
