package allocator_test

import (
	"cmp"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// doorChange is a verb of a reservation, as the twin does it.
type doorChange struct {
	verb  string
	id    string
	lines []allocator.Line
	at    string // of a dispatch or a return
	until time.Time
	by    time.Duration
	token string
	to    allocator.Owner
	as    allocator.Disposition

	parcel allocator.Parcel
}

// change does a verb; nil: it was done.
func (w *doorTwin) change(c doorChange) error {
	o := w.orders[c.id]
	switch {
	case c.at != "" && w.place(c.at) == nil:
		return allocator.ErrUnknownLocation
	case c.verb == "return" && w.place(c.at).NoReturns:
		return allocator.ErrReturns
	case !w.knows(c.lines):
		return allocator.ErrUnknownSKU
	case o == nil:
		return allocator.ErrNotFound
	case o.is.State.Ended() && c.verb != "return":
		return allocator.ErrEnded
	case !o.fits(c):
		return allocator.ErrState
	case c.verb == "reassign" && o.owner != c.token:
		return allocator.ErrOwner
	}
	given, ok := o.given(w.sums(c.lines), c)
	if !ok {
		return allocator.ErrShortage
	}
	from := o.is.Location
	for sku, n := range given {
		w.shift(o, o.line(sku), n, c)
	}
	w.turn(o, c, given)
	for sku := range given {
		w.balance(doorAt{sku, from})
		w.balance(doorAt{sku, o.is.Location})
		if c.at != "" {
			w.balance(doorAt{sku, c.at})
		}
	}
	return nil
}

// fits tells whether the verb makes sense at this point of an order's life.
func (o *twinOrder) fits(c doorChange) bool {
	s, held, sure := o.is.State, o.total(twinHeld), o.total(twinConfirmed)
	some := c.lines != nil || sure > 0
	switch c.verb {
	case "confirm", "extend":
		return held > 0
	case "accept":
		return s == allocator.Confirmed && some
	case "ready":
		return (s == allocator.Confirmed || s == allocator.Accepted) && some
	case "dispatch":
		return (s == allocator.Confirmed || s == allocator.Accepted) && held == 0
	case "arrive":
		return s == allocator.InTransit
	case "short pick":
		return (s == allocator.Confirmed || s == allocator.Accepted || s == allocator.Ready || s == allocator.Packed) && some
	case "collect", "cancel":
		return s != allocator.InTransit && s != allocator.Shipped
	case "pack":
		return (s == allocator.Confirmed || s == allocator.Accepted) && held == 0 && some
	case "ship":
		return (s == allocator.Confirmed || s == allocator.Accepted || s == allocator.Packed) && held == 0 && some
	case "deliver parcel", "sent back", "lose parcel":
		return s == allocator.Shipped
	case "return":
		back := o.total(func(l *allocator.ReservedLine) int64 { return l.Collected - l.Returned })
		return o.total(twinCollected) > 0 && (c.lines != nil || back > 0)
	}
	return true
}

// given is the units of each SKU that a verb is about.
func (o *twinOrder) given(lines []allocator.Line, c doorChange) (map[string]int64, bool) {
	may := func(l *allocator.ReservedLine) int64 {
		switch c.verb {
		case "confirm":
			return l.Held
		case "cancel":
			return l.Held + l.Confirmed
		case "collect":
			return l.Held + l.Confirmed - l.Short
		case "dispatch", "pack", "ship":
			return l.Confirmed - l.Short
		case "short pick", "arrive", "deliver parcel", "sent back", "lose parcel":
			return l.Confirmed
		case "return":
			return l.Collected - l.Returned
		}
		return 0
	}
	given := map[string]int64{}
	for _, want := range lines {
		if l := o.line(want.SKU); l == nil || may(l) < want.Quantity {
			return nil, false
		}
		given[want.SKU] = want.Quantity
	}
	if lines == nil {
		for i := range o.is.Lines {
			l := &o.is.Lines[i]
			if n := may(l); n > 0 {
				given[l.SKU] = n
			}
			if l.Short > 0 && (c.verb == "collect" || c.verb == "dispatch" || c.verb == "pack" || c.verb == "ship") {
				return nil, false
			}
		}
	}
	return given, true
}

// shift moves units of a line from one place to another.
func (w *doorTwin) shift(o *twinOrder, l *allocator.ReservedLine, n int64, c doorChange) {
	shelf := doorAt{l.SKU, o.is.Location}
	switch c.verb {
	case "confirm":
		l.Held, l.Confirmed = l.Held-n, l.Confirmed+n
	case "cancel":
		twinTake(n, &l.Held, &l.Confirmed)
		l.Canceled += n
	case "collect":
		twinTake(n, &l.Confirmed, &l.Held)
		l.Collected += n
		w.shelves[shelf] -= n
	case "dispatch", "ship":
		w.shelves[shelf] -= n
	case "deliver parcel":
		l.Confirmed, l.Collected = l.Confirmed-n, l.Collected+n
	case "lose parcel":
		l.Confirmed, l.Missing = l.Confirmed-n, l.Missing+n
	case "sent back":
		l.Confirmed, l.Canceled = l.Confirmed-n, l.Canceled+n
		if c.as == allocator.Restock {
			w.shelves[doorAt{l.SKU, cmp.Or(c.at, o.is.Location)}] += n
		}
	case "short pick":
		gone := min(l.Short, n)
		l.Short -= gone
		l.Confirmed, l.Missing = l.Confirmed-n, l.Missing+n
		w.shelves[shelf] -= n - gone
	case "arrive":
		l.Missing += l.Confirmed - n
		l.Confirmed = n
		w.shelves[doorAt{l.SKU, o.is.To}] += n
	case "return":
		l.Returned += n
		if c.as == allocator.Restock {
			w.shelves[doorAt{l.SKU, c.at}] += n
		}
	}
	l.Short = min(l.Short, l.Held+l.Confirmed)
}

// turn moves the state and the deadlines on.
func (w *doorTwin) turn(o *twinOrder, c doorChange, given map[string]int64) {
	r, used, ends := &o.is, false, allocator.Canceled
	switch c.verb {
	case "confirm":
		if r.State == allocator.Held {
			r.State = allocator.Confirmed
		}
	case "extend":
		if until := w.now.Add(c.by); until.After(o.hold) {
			o.hold = until
		}
		r.HeldUntil = o.hold
	case "reassign":
		o.owner, r.Channel = c.to.Token, c.to.Channel
	case "accept":
		r.State = allocator.Accepted
	case "ready":
		r.State, r.PickupUntil, o.told = allocator.Ready, c.until, false
	case "dispatch":
		r.State, r.To, o.spent = allocator.InTransit, c.at, true
	case "arrive":
		for i := range r.Lines {
			if l := &r.Lines[i]; given[l.SKU] == 0 {
				l.Missing, l.Confirmed = l.Missing+l.Confirmed, 0
			}
		}
		r.State, r.Location, r.To = allocator.Accepted, r.To, ""
	case "return":
		if (r.State == allocator.Collected || r.State == allocator.Delivered) && o.total(func(l *allocator.ReservedLine) int64 { return l.Collected - l.Returned }) == 0 {
			r.State = allocator.Returned
		}
		return
	case "collect":
		used = true
	case "pack":
		r.State = allocator.Packed
	case "ship":
		r.State, r.Parcel, o.spent = allocator.Shipped, c.parcel, true
	case "deliver parcel":
		ends = allocator.Delivered
	case "lose parcel":
		ends = allocator.Lost
	case "sent back":
		ends = allocator.ReturnedToSender
	}
	w.settle(o, ends, used)
}

// expire is Expire.
func (w *doorTwin) expire() (due allocator.Due) {
	for _, id := range killSorted(w.orders) {
		o := w.orders[id]
		r := &o.is
		if !r.State.Ended() && o.total(twinHeld) > 0 && !o.hold.After(w.now) {
			due.Expired++
			w.lapse(o, func(l *allocator.ReservedLine) *int64 { return &l.Held })
			w.settle(o, allocator.Expired, false)
		}
		switch {
		case r.State != allocator.Ready:
		case !r.PickupUntil.After(w.now):
			due.NoShows++
			w.lapse(o, func(l *allocator.ReservedLine) *int64 { return &l.Confirmed })
			w.settle(o, allocator.NoShow, false)
		case !o.told && !r.PickupUntil.Add(-time.Hour).After(w.now):
			due.Reminded++
			o.told = true
		}
		for _, l := range r.Lines {
			w.balance(doorAt{l.SKU, r.Location})
		}
	}
	return due
}

func (w *doorTwin) lapse(o *twinOrder, of func(*allocator.ReservedLine) *int64) {
	for i := range o.is.Lines {
		l := &o.is.Lines[i]
		l.Expired += *of(l)
		*of(l) = 0
		l.Short = min(l.Short, l.Held+l.Confirmed)
	}
}
