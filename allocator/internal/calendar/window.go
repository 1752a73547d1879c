package calendar

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Window is a pickup window of a location, and how many orders it takes.
type Window struct {
	Slot    uint32
	Start   int64 // seconds since 1970
	Minutes int64
	Places  int64 // to MaxPlaces; 0: none any more
}

// State is a window and what is taken of it, by orders that have a place or had one
// until they were collected.
type State struct {
	Window
	Taken int64
}

// ClashError is what a list of windows has wrong that no window has by itself.
type ClashError struct {
	At int // in the list
	// Minutes is the length of another window of the location that begins at the same
	// time; 0: the window is in the list twice.
	Minutes int64
}

// Error says which window of the list it is.
func (e *ClashError) Error() string {
	if e.Minutes == 0 {
		return fmt.Sprintf("window %d is in the list twice", e.At)
	}
	return fmt.Sprintf("window %d begins when one of %d minutes does", e.At, e.Minutes)
}

// window is the SKUs of all windows of one start and length.
type window struct {
	start   int64 // seconds since 1970
	minutes int64
	sku     uint32 // of which places are taken
	allowed uint32 // whose units on hand are how many may be taken
}

// end is when the window is over, in seconds since 1970.
func (w *window) end() int64 { return w.start + 60*w.minutes }

func (w window) compare(o window) int {
	return cmp.Or(cmp.Compare(w.start, o.start), cmp.Compare(w.minutes, o.minutes))
}

func (w *window) join(o window) { w.sku, w.allowed = min(w.sku, o.sku), min(w.allowed, o.allowed) }

func (w *window) set(tag byte, sku uint32) {
	if tag == tagTaken {
		w.sku = sku
	} else {
		w.allowed = sku
	}
}

// name is the name of a SKU of the window.
func (w *window) name(tag byte) string { return nameOf(tag, w.start, w.minutes) }

// places is how many places of the window a location gives.
func (w *window) places(table *reservation.Table, number uint32) int64 {
	if w.allowed == noSKU {
		return 0
	}
	return max(table.Reachable(w.allowed, number), 0)
}

// wanted is a window of a list that is being set.
type wanted struct {
	window
	slot   uint32
	at     int // in the list
	places int64
}

// WindowChange is a change of windows that has begun: no other one does before End. It
// is a number of moves, each for some windows of one location.
type WindowChange struct {
	calendar *Calendar
	list     []wanted
	moves    []reservation.Movement
}

// SetWindows begins to set windows. End must follow. now is engine time.
//
// Errors: *ClashError; what Ledger.Prepare says of names that are new. Nothing was
// changed.
func (c *Calendar) SetWindows(windows []Window, now int64) (*WindowChange, error) {
	ch := &WindowChange{calendar: c, list: make([]wanted, len(windows))}
	for i, w := range windows {
		ch.list[i] = wanted{window{start: w.Start, minutes: w.Minutes, sku: noSKU, allowed: noSKU}, w.Slot, i, w.Places}
	}
	slices.SortFunc(ch.list, func(x, y wanted) int {
		return cmp.Or(cmp.Compare(x.slot, y.slot), x.compare(y.window), cmp.Compare(x.at, y.at))
	})
	c.setting.Lock(lock.Capacities)
	err := ch.check()
	if err == nil {
		ch.plan(now)
		err = ch.prepare()
	}
	if err != nil {
		c.setting.Unlock()
		return nil, err
	}
	return ch, nil
}

func (ch *WindowChange) check() error {
	for i := range ch.list {
		w := &ch.list[i]
		if i > 0 && ch.list[i-1].slot == w.slot && ch.list[i-1].compare(w.window) == 0 {
			return &ClashError{At: w.at}
		}
		if minutes, ok := ch.otherLength(i); ok {
			return &ClashError{At: w.at, Minutes: minutes}
		}
	}
	return nil
}

// otherLength finds a window of another length that a location has from the same
// start, and that the list does not close; or one before it in the list.
func (ch *WindowChange) otherLength(i int) (minutes int64, ok bool) {
	list := ch.list
	w := &list[i]
	if w.places == 0 {
		return 0, false
	}
	same := func(o *wanted) bool { return o.slot == w.slot && o.start == w.start }
	from, to := i, i+1
	for from > 0 && same(&list[from-1]) {
		from--
	}
	for to < len(list) && same(&list[to]) {
		to++
	}
	for j := from; j < i; j++ {
		if list[j].places > 0 {
			return list[j].minutes, true
		}
	}
	table, number, _ := ch.calendar.numbered(w.slot)
	for _, k := range ch.calendar.from(w.start) {
		listed := slices.ContainsFunc(list[from:to], func(o wanted) bool { return o.minutes == k.minutes })
		if !listed && k.places(table, number) > 0 {
			return k.minutes, true
		}
	}
	return 0, false
}

// plan lists the moves that make the windows what the list says.
func (ch *WindowChange) plan(now int64) {
	c := ch.calendar
	for i := range ch.list {
		w := &ch.list[i]
		table, number, _ := c.numbered(w.slot)
		if k, ok := c.find(w.window); ok {
			w.window = k
		}
		by := w.places - w.window.places(table, number)
		begun := w.sku != noSKU && table.Reachable(w.sku, number) > 0
		if by == 0 && (begun || w.places == 0) {
			continue
		}
		if n := len(ch.moves); n == 0 || ch.moves[n-1].Slot != w.slot || len(ch.moves[n-1].Lines) >= linesAtOnce {
			ch.moves = append(ch.moves, reservation.Movement{ID: c.nextID(), Cause: history.Received, Slot: w.slot, Now: now})
		}
		m := &ch.moves[len(ch.moves)-1]
		if !begun {
			m.Lines = append(m.Lines, reservation.MovementLine{SKU: w.name(tagTaken), Units: allPlaces})
		}
		if by != 0 {
			m.Lines = append(m.Lines, reservation.MovementLine{SKU: w.name(tagPlaces), Units: by})
		}
		if by < 0 {
			m.Cause = history.Adjusted
		}
	}
}

// prepare makes room for what is new, in one step for all locations.
func (ch *WindowChange) prepare() error {
	raises := make([]reservation.Movement, 0, len(ch.moves))
	for i := range ch.moves {
		if !ch.Lowers(i) {
			raises = append(raises, ch.moves[i])
		}
	}
	if len(raises) < 2 {
		return nil
	}
	return ch.calendar.ledger.Prepare(raises)
}

// Moves is how many moves the change has.
func (ch *WindowChange) Moves() int { return len(ch.moves) }

// Lowers reports whether a move gives a window fewer places than it had: no order that
// claims by the old ones may be under way then.
func (ch *WindowChange) Lowers(i int) bool { return ch.moves[i].Cause != history.Received }

// Move makes a move. Errors: as of Ledger.Move; the moves before it stand.
func (ch *WindowChange) Move(i int) (reservation.Ticket, error) {
	return ch.calendar.ledger.Move(&ch.moves[i])
}

// End lets orders find the windows of the list, as far as they have SKUs, and ends the
// change.
func (ch *WindowChange) End() {
	ch.publish()
	ch.calendar.setting.Unlock()
}

func (ch *WindowChange) publish() {
	c := ch.calendar
	var fresh []window
	for i := range ch.list {
		w := ch.list[i].window
		if w.sku != noSKU && w.allowed != noSKU {
			continue
		}
		at, seen := slices.BinarySearchFunc(fresh, w, window.compare)
		if seen {
			continue
		}
		w.sku, w.allowed = c.skuOr(w.name(tagTaken)), c.skuOr(w.name(tagPlaces))
		if w.sku == noSKU && w.allowed == noSKU {
			continue
		}
		fresh = slices.Insert(fresh, at, w)
		c.sweep.by(w.end())
	}
	if len(fresh) == 0 {
		return
	}
	next := united(slices.Concat(*c.windows.Load(), fresh), window.compare, (*window).join)
	c.windows.Store(&next)
}

// skuOr is the handle of a SKU, or noSKU.
func (c *Calendar) skuOr(name string) uint32 {
	if sku, ok := c.ledger.SKU(name); ok {
		return sku
	}
	return noSKU
}

// find finds the SKUs of a window by its start and length.
func (c *Calendar) find(w window) (window, bool) {
	all := *c.windows.Load()
	at, ok := slices.BinarySearchFunc(all, w, window.compare)
	if !ok {
		return w, false
	}
	return all[at], true
}

// from is the windows of one start.
func (c *Calendar) from(start int64) []window {
	all := *c.windows.Load()
	first, _ := slices.BinarySearchFunc(all, window{start: start}, window.compare)
	last := first
	for last < len(all) && all[last].start == start {
		last++
	}
	return all[first:last]
}

// Windows walks the windows of a location that begin at from or later and before to
// (zero: whenever), ascending by start, as they are now. Those that are over at now are
// not among them, nor closed ones of which nothing is taken.
func (c *Calendar) Windows(slot uint32, from, to time.Time, now int64) iter.Seq[State] {
	return func(yield func(State) bool) {
		table, number, ok := c.numbered(slot)
		if !ok {
			return
		}
		all := *c.windows.Load()
		first := 0
		if !from.IsZero() {
			first, _ = slices.BinarySearchFunc(all, from, func(w window, from time.Time) int {
				return time.Unix(w.start, 0).Compare(from)
			})
		}
		for i := range all[first:] {
			w := &all[first+i]
			if !to.IsZero() && !time.Unix(w.start, 0).Before(to) {
				break
			}
			places, taken := w.places(table, number), takenOf(table, w.sku, number, allPlaces)
			if places == 0 && taken == 0 || w.end()*1000 <= now {
				continue
			}
			if !yield(State{Window{Slot: slot, Start: w.start, Minutes: w.minutes, Places: places}, taken}) {
				return
			}
		}
	}
}

// open is the window of a location from a start on: the one that is open, if it was
// set with several lengths. 0 places: there is none.
func (c *Calendar) open(table *reservation.Table, number uint32, start time.Time) (w window, places int64) {
	if start.Nanosecond() != 0 {
		return w, 0
	}
	for _, w := range c.from(start.Unix()) {
		if places := w.places(table, number); places > 0 && w.sku != noSKU {
			return w, places
		}
	}
	return w, 0
}

// Place is the line of a claim that takes a place in the window of a location from a
// start on. False: there is no such window.
func (c *Calendar) Place(slot uint32, start time.Time) (reservation.Line, bool) {
	table, number, ok := c.numbered(slot)
	if !ok {
		return reservation.Line{}, false
	}
	w, places := c.open(table, number, start)
	return reservation.Line{SKU: w.sku, Quantity: 1, Keep: allPlaces - places}, places > 0
}

// Full reports whether the window of a location from a start on has no free place, or
// is not there.
func (c *Calendar) Full(slot uint32, start time.Time) bool {
	table, number, ok := c.numbered(slot)
	if !ok {
		return true
	}
	w, places := c.open(table, number, start)
	return places <= 0 || table.Reachable(w.sku, number) <= allPlaces-places
}
