package reservation

import (
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// do is a change of an order or a part of it, with or without an ID of its own.
func (w *ledgerTwin) do(order, change int, c *Change) (State, error) {
	if c.ID2 != "" {
		if known := w.changes[change]; known != nil {
			if known.print != c.Print {
				return 0, ErrConflict
			}
			return known.state, nil
		}
	}
	back := c.Verb == history.Returned || c.Verb == history.ReturnedToSender
	home := back && c.Slot == Everywhere
	if back && !home && w.slots[c.Slot].gone {
		return 0, ErrUnknownLocation
	}
	parts, err := w.concerned(order, c)
	switch {
	case err != nil:
		return 0, err
	case c.Verb == history.Dispatched && w.slots[c.Slot].gone:
		return 0, ErrUnknownLocation
	}
	gives, coming := make([][]int64, len(parts)), map[[2]uint32]int64{}
	for i, o := range parts {
		if home && w.slots[o.slot].gone && (o.concerns(c) || o.parts == 1 || c.Part > 0) {
			return 0, ErrUnknownLocation
		}
		if err := o.allows(c); err != nil {
			return 0, err
		}
		if gives[i], err = w.given(o, c, coming); err != nil {
			return 0, err
		}
	}
	w.apply(parts, c, gives)
	last := parts[len(parts)-1].state
	if c.ID2 != "" {
		w.changes[change] = &twinChange{print: c.Print, state: last}
	}
	return last, nil
}

// concerned is the parts of an order that a change is about, ascending. If it is about
// none of them, it is the first one that is open, or the first, which will not allow it.
func (w *ledgerTwin) concerned(order int, c *Change) ([]*twinOrder, error) {
	all := w.partsOf(order)
	switch {
	case c.Part > 0:
		if o := w.orders[partAt(order, int(c.Part))]; o != nil {
			return []*twinOrder{o}, nil
		}
		return nil, ErrNotFound
	case len(all) == 0:
		return nil, ErrNotFound
	case len(all) == 1 && all[0].parts == 1:
		return all, nil
	case c.Lines != nil, c.Verb == history.Rejected, c.Verb == history.RerouteFailed:
		return nil, ErrInvalid
	}
	some := slices.DeleteFunc(slices.Clone(all), func(o *twinOrder) bool { return !o.concerns(c) })
	if len(some) > 0 {
		return some, nil
	}
	return []*twinOrder{all[max(0, slices.IndexFunc(all, (*twinOrder).open))]}, nil
}

// concerns tells the parts that a change of the whole order is about.
func (o *twinOrder) concerns(c *Change) bool {
	if c.Verb == history.Returned {
		return o.sum(func(l twinLine) int64 { return l.collected - l.returned }) > 0
	}
	if !o.open() {
		return false
	}
	switch c.Verb {
	case history.Confirmed, history.Extended:
		return o.sum(func(l twinLine) int64 { return l.held }) > 0
	case history.Accepted:
		return o.state == Held || o.state == Confirmed
	case history.Dispatched:
		return o.state != InTransit
	case history.Arrived:
		return o.state == InTransit
	case history.Ready:
		return o.state != Ready
	case history.Packed:
		return o.state != Packed && o.state != Shipped
	case history.Shipped:
		return o.state != Shipped
	case history.ParcelDelivered, history.ParcelLost, history.ReturnedToSender:
		return o.state == Shipped
	}
	return true
}

// backAt is where goods of it come back.
func (o *twinOrder) backAt(c *Change) uint32 {
	if c.Slot == Everywhere {
		return o.slot
	}
	return c.Slot
}

// allows is which verbs a state lets pass.
func (o *twinOrder) allows(c *Change) error {
	held := o.sum(func(l twinLine) int64 { return l.held })
	if c.Verb == history.Returned {
		left := o.sum(func(l twinLine) int64 { return l.collected - l.returned })
		if o.sum(func(l twinLine) int64 { return l.collected }) == 0 || c.Lines == nil && left == 0 {
			return ErrState
		}
		return nil
	}
	if o.state.Ended() && c.Verb != history.RerouteFailed {
		return ErrEnded
	}
	pickup := []history.Kind{history.Ready, history.Dispatched, history.Collected}
	parcel := []history.Kind{history.Packed, history.Shipped, history.ParcelDelivered, history.ParcelLost, history.ReturnedToSender}
	if o.form == Sent && slices.Contains(pickup, c.Verb) || o.form == Fetched && c.Verb == history.Dispatched ||
		(o.form == Fetched || o.form == Brought) && slices.Contains(parcel, c.Verb) {
		return ErrForm
	}
	var in []State
	switch c.Verb {
	case history.Confirmed, history.Extended:
		if held == 0 {
			return ErrState
		}
	case history.Accepted:
		in = []State{Confirmed}
	case history.Rejected:
		in = []State{Confirmed, Accepted}
	case history.Ready:
		in = []State{Confirmed, Accepted}
	case history.Dispatched:
		if in = []State{Confirmed, Accepted}; held > 0 {
			return ErrState
		}
	case history.Arrived:
		in = []State{InTransit}
	case history.ShortPicked:
		in = []State{Confirmed, Accepted, Ready, Packed}
	case history.Collected, history.Canceled:
		in = []State{Held, Confirmed, Accepted, Ready, Packed}
	case history.Packed, history.Shipped:
		if in = []State{Confirmed, Accepted}; held > 0 {
			return ErrState
		}
		if c.Verb == history.Shipped {
			in = append(in, Packed)
		}
	case history.ParcelDelivered, history.ParcelLost, history.ReturnedToSender:
		in = []State{Shipped}
	}
	// These are about what is confirmed, if they do not say that they are about less.
	ofConfirmed := []history.Kind{history.Accepted, history.Rejected, history.Ready, history.ShortPicked, history.Packed, history.Shipped}
	nothing := slices.Contains(ofConfirmed, c.Verb) && c.Lines == nil && o.sum(func(l twinLine) int64 { return l.confirmed }) == 0
	switch {
	case in != nil && !slices.Contains(in, o.state), nothing:
		return ErrState
	case o.form == Brought && (c.Verb == history.Ready || c.Verb == history.Collected) && o.slot != o.store, o.form == Brought && c.Verb == history.Dispatched && c.Slot != o.store:
		return ErrForm
	case c.Verb == history.Reassigned && o.owner != c.Token:
		return ErrOwner
	case c.Verb == history.Extended && c.MaxHold != 0 && c.Deadline > o.born+c.MaxHold:
		return ErrInvalid
	}
	return nil
}

// can is how many units of a line a verb may move.
func (l *twinLine) can(verb history.Kind) int64 {
	switch verb {
	case history.Confirmed, history.Expired:
		return l.held
	case history.Canceled:
		return l.held + l.confirmed
	case history.Collected:
		return l.held + l.confirmed - l.short
	case history.Packed, history.Shipped:
		return l.confirmed - l.short
	case history.Dispatched, history.ShortPicked, history.Arrived, history.NoShow, history.Rejected, history.ParcelDelivered, history.ParcelLost, history.ReturnedToSender:
		return l.confirmed
	case history.RerouteFailed:
		return l.held + l.confirmed + l.missing
	case history.Returned:
		return l.collected - l.returned
	}
	return 0
}

// given is how many units of each line a change moves. coming is what comes in with the
// parts before this one, by SKU and location.
func (w *ledgerTwin) given(o *twinOrder, c *Change, coming map[[2]uint32]int64) ([]int64, error) {
	give := make([]int64, len(o.lines))
	if c.Lines == nil {
		for i := range o.lines {
			if o.lines[i].short > 0 && (c.Verb == history.Collected || c.Verb == history.Dispatched || c.Verb == history.Packed || c.Verb == history.Shipped) {
				return nil, ErrShortage
			}
			give[i] = o.lines[i].can(c.Verb)
		}
	}
	for _, want := range c.Lines {
		at := slices.IndexFunc(o.lines, func(l twinLine) bool { return l.sku == want.SKU })
		if at < 0 || o.lines[at].can(c.Verb) < want.Quantity {
			return nil, ErrShortage
		}
		give[at] = want.Quantity
	}
	room := uint32(0)
	switch {
	case c.Verb == history.Arrived:
		room = o.to
	case (c.Verb == history.Returned || c.Verb == history.ReturnedToSender) && c.Cause == history.Restocked:
		room = o.backAt(c)
	default:
		return give, nil
	}
	for i, l := range o.lines {
		cell := [2]uint32{l.sku, room}
		if coming[cell] += give[i]; give[i] > 0 && w.onHand[l.sku][room]+coming[cell] > MaxQuantity {
			return nil, ErrOverflow
		}
	}
	return give, nil
}

// apply makes a change that has been allowed, and marks what that makes up for.
func (w *ledgerTwin) apply(parts []*twinOrder, c *Change, gives [][]int64) {
	var froms []uint32
	for i, o := range parts {
		froms = append(froms, o.slot)
		w.advance(o, c, gives[i])
	}
	for i, o := range parts {
		for _, l := range o.lines {
			w.bring(l.sku, froms[i])
			if c.Verb == history.Returned || c.Verb == history.ReturnedToSender {
				w.bring(l.sku, o.backAt(c))
			}
		}
	}
}

// advance makes a change and nothing else.
func (w *ledgerTwin) advance(o *twinOrder, c *Change, give []int64) {
	from := o.slot
	switch c.Verb {
	case history.Confirmed:
		if o.state == Held {
			o.state = Confirmed
		}
	case history.Extended:
		o.deadline = max(o.deadline, c.Deadline)
	case history.Reassigned:
		o.owner, o.channel = c.Owner, c.Channel
	case history.Accepted:
		o.state = Accepted
	case history.Dispatched:
		o.state, o.to = InTransit, c.Slot
	case history.Arrived:
		if o.state = Accepted; o.slot != o.to {
			o.slot = o.to
			w.shelve(o)
		}
	case history.Ready:
		o.state, o.pickup, o.code, o.reminded = Ready, c.Deadline, c.Code, false
	case history.Reminded:
		o.reminded = true
	case history.Packed:
		o.state = Packed
	case history.Shipped:
		o.state, o.parcel = Shipped, [2]string{c.Owner, c.Code}
	case history.Rejected:
		o.rejects++
		if o.state == Accepted {
			o.state = Confirmed
		}
	case history.RerouteFailed:
		return
	}
	for i := range o.lines {
		w.moveUnits(o, &o.lines[i], c, give[i], from)
	}
	if c.Verb == history.Returned {
		if (o.state == Collected || o.state == Delivered) && o.sum(func(l twinLine) int64 { return l.collected - l.returned }) == 0 {
			o.state = Returned
		}
	} else {
		w.finish(o, c)
	}
}

// moveUnits moves n units of a line.
func (w *ledgerTwin) moveUnits(o *twinOrder, l *twinLine, c *Change, n int64, from uint32) {
	first := func(a, b *int64) {
		some := min(n, *a)
		*a -= some
		*b -= n - some
	}
	switch c.Verb {
	case history.Confirmed:
		l.held, l.confirmed = l.held-n, l.confirmed+n
	case history.Canceled:
		first(&l.held, &l.confirmed)
		l.canceled += n
	case history.Expired:
		l.held, l.lapsed = l.held-n, l.lapsed+n
	case history.NoShow:
		l.confirmed, l.lapsed = l.confirmed-n, l.lapsed+n
	case history.Collected:
		first(&l.confirmed, &l.held)
		l.collected += n
		w.shift(c.Now, l.sku, from, -n)
	case history.Dispatched, history.Shipped:
		w.shift(c.Now, l.sku, from, -n)
	case history.ParcelDelivered:
		l.confirmed, l.collected = l.confirmed-n, l.collected+n
	case history.ParcelLost:
		l.confirmed, l.missing = l.confirmed-n, l.missing+n
	case history.ReturnedToSender:
		l.confirmed, l.canceled = l.confirmed-n, l.canceled+n
		if c.Cause == history.Restocked {
			w.shift(c.Now, l.sku, o.backAt(c), n)
		}
	case history.Arrived:
		l.missing, l.confirmed = l.missing+l.confirmed-n, n
		w.shift(c.Now, l.sku, o.slot, n)
	case history.ShortPicked:
		gone := min(l.short, n) // those were taken off the shelf before
		l.short -= gone
		l.confirmed, l.missing = l.confirmed-n, l.missing+n
		w.shift(c.Now, l.sku, from, -(n - gone))
	case history.Returned:
		l.returned += n
		if c.Cause == history.Restocked {
			w.shift(c.Now, l.sku, c.Slot, n)
		}
	}
	l.short = min(l.short, l.held+l.confirmed)
}

// shelve puts an order at the end of the shelf.
func (w *ledgerTwin) shelve(o *twinOrder) {
	w.shelf = append(slices.DeleteFunc(w.shelf, func(x *twinOrder) bool { return x == o }), o)
}

// finish ends an order that nothing is left of, and takes one that only holds
// units off the shelf of the goods that wait for a customer.
func (w *ledgerTwin) finish(o *twinOrder, c *Change) {
	if o.open() {
		if o.state == Ready && o.sum(func(l twinLine) int64 { return l.confirmed }) == 0 {
			o.state = Held
		}
		return
	}
	w.shelf = slices.DeleteFunc(w.shelf, func(x *twinOrder) bool { return x == o })
	o.deadline = c.Now
	switch {
	case c.Verb == history.ParcelDelivered:
		o.state = Delivered
	case o.sum(func(l twinLine) int64 { return l.collected }) > 0:
		o.state = Collected
	case c.Verb == history.ParcelLost:
		o.state = Lost
	case c.Verb == history.ReturnedToSender:
		o.state = ReturnedToSender
	case c.Verb == history.Expired:
		o.state = Expired
	case c.Verb == history.NoShow:
		o.state = NoShow
	case c.Verb == history.Rerouted:
		o.state = Rerouted
	default:
		o.state = Canceled
	}
}

// expire does everything that is due.
func (w *ledgerTwin) expire(now int64) (counts Due) {
	for _, o := range slices.Clone(w.shelf) {
		for !o.state.Ended() {
			c := Change{Now: now}
			at := int64(0)
			switch {
			case o.deadline <= now && o.sum(func(l twinLine) int64 { return l.held }) > 0:
				c.Verb, at = history.Expired, o.deadline
				counts.Expired++
			case o.state == Ready && o.pickup <= now:
				c.Verb, at = history.NoShow, o.pickup
				counts.NoShows++
			case o.state == Ready && !o.reminded && w.remindBefore > 0 && o.pickup-w.remindBefore <= now:
				c.Verb = history.Reminded
				counts.Reminded++
			}
			if c.Verb == 0 {
				break
			}
			if at > 0 && (counts.Earliest == 0 || at < counts.Earliest) {
				counts.Earliest = at
			}
			give, _ := w.given(o, &c, nil)
			w.apply([]*twinOrder{o}, &c, [][]int64{give})
		}
	}
	return counts
}
