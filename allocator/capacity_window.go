package allocator

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Window is a pickup window: a span of time in which so many customers can come
// to a location. An order names it by its start, so a location has one window
// from each start on.
type Window struct {
	Location string
	Start    time.Time     // in whole seconds
	Length   time.Duration // in whole minutes, 1 minute to 7 days
	Places   int64         // orders at most, 0 to 100,000; 0: none any more
}

// WindowState is a window and what there is left of it.
type WindowState struct {
	Window
	// Taken is the places that orders have, or had until they were collected. It is
	// above Places after these were lowered.
	Taken int64
	// Free is the places an order can still take: Places − Taken, at least 0.
	Free int64
}

// SetWindows sets pickup windows: how many orders each of them takes. Many in one
// call are quickest. An order with that Order.Window takes a place, in one step
// with its goods, where its customer comes: at the location that holds the goods,
// or at Order.At. It is given back when the order is canceled, expires, is not
// collected, or goes elsewhere; a part of it gives it back with its last goods.
// Goods that are collected use it up.
//
// Places may be set below what is taken: those who have a place keep it, and
// nobody gets another one until fewer are taken. Every order that begins after
// the call returns keeps to it. Places 0 closes a window; one of which nothing is
// taken is gone then. Its length can be changed when it is closed.
//
// An hour after its end a window loses what is not taken of it. What it costs for
// good is its name: some 200 bytes, and one of Options.MaxSKUs, for each start
// and length, however many locations have it.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrNoSpace, ErrClosed: nothing was
// changed. ErrFull (no room for names), ErrJournal, or the end of ctx: the windows
// of some locations are set; repeat the call.
func (a *Allocator) SetWindows(ctx context.Context, windows ...Window) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return fmt.Errorf("allocator: set windows: %w", err)
	}
	defer c.End()
	t, err := a.setWindows(ctx, c.Now(), windows)
	if waited := c.Wait(ctx, t); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: set windows: %w", err)
	}
	return nil
}

// windowSetting is a window of the list, checked.
type windowSetting struct {
	windowCells
	slot   uint32
	at     int // in the list
	places int64
}

func (a *Allocator) setWindows(ctx context.Context, now int64, windows []Window) (last reservation.Ticket, err error) {
	list, err := a.checkWindows(windows, now)
	if err != nil {
		return last, err
	}
	c := &a.capacity
	c.setting.Lock(lock.Capacities)
	defer c.setting.Unlock()
	moves := a.windowMoves(list, now)
	raises := make([]reservation.Movement, 0, len(moves))
	for i := range moves {
		if moves[i].Cause == history.Received {
			raises = append(raises, moves[i])
		}
	}
	if len(raises) > 1 {
		if err := a.ledger.Prepare(raises); err != nil {
			return last, err
		}
	}
	defer a.publishWindows(list)
	for i := range moves {
		if err := ctx.Err(); err != nil {
			return last, fmt.Errorf("%d of %d locations set: %w", i, len(moves), err)
		}
		t, err := a.moveWindows(ctx, &moves[i])
		if err != nil {
			return last, err
		}
		last = t
	}
	return last, nil
}

// moveWindows books one movement of places: while no order claims by the old
// ones, if any get fewer.
func (a *Allocator) moveWindows(ctx context.Context, m *reservation.Movement) (reservation.Ticket, error) {
	if m.Cause != history.Received {
		resume := a.gate.Pause()
		defer resume()
		return a.ledger.Move(m)
	}
	c, err := a.gate.BeginAt(ctx, m.Now)
	if err != nil {
		return reservation.Ticket{}, err
	}
	defer c.Leave()
	return a.ledger.Move(m)
}

// checkWindows validates a list of windows and sorts it by location and start.
func (a *Allocator) checkWindows(windows []Window, now int64) ([]windowSetting, error) {
	if err := a.checkBatch("windows", len(windows)); err != nil {
		return nil, err
	}
	list := make([]windowSetting, len(windows))
	invalid := func(i int, field string, value any, why string) error {
		return &InvalidError{Field: fmt.Sprintf("windows[%d].%s", i, field), Value: value, Why: why}
	}
	for i := range windows {
		w := &windows[i]
		slot, ok := a.ledger.Slot(w.Location)
		switch {
		case !ok:
			if err := a.checkLocation(fmt.Sprintf("windows[%d].Location", i), w.Location); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(w.Location))
		case w.Start.IsZero() || !inTime(w.Start):
			return nil, invalid(i, "Start", w.Start.String(), inYears)
		case w.Start.Nanosecond() != 0:
			return nil, invalid(i, "Start", shown(w.Start), "must be in whole seconds")
		case w.Length < time.Minute || w.Length > maxWindow || w.Length%time.Minute != 0:
			return nil, invalid(i, "Length", w.Length.String(), fmt.Sprintf("must be 1m0s to %v, in whole minutes", maxWindow))
		case w.Places < 0 || w.Places > maxPlaces:
			return nil, invalid(i, "Places", w.Places, fmt.Sprintf("must be 0 to %d", maxPlaces))
		case w.Start.Add(w.Length).UnixMilli() <= now:
			return nil, invalid(i, "Start", shown(w.Start), "the window has passed")
		}
		list[i] = windowSetting{windowCells: windowCells{start: w.Start.Unix(), minutes: int64(w.Length / time.Minute), sku: noSKU, allowed: noSKU},
			slot: slot, at: i, places: w.Places}
	}
	slices.SortFunc(list, func(x, y windowSetting) int {
		return cmp.Or(cmp.Compare(x.slot, y.slot), x.compare(y.windowCells), cmp.Compare(x.at, y.at))
	})
	for i := range list {
		w := &list[i]
		if i > 0 && list[i-1].slot == w.slot && list[i-1].compare(w.windowCells) == 0 {
			return nil, invalid(w.at, "Start", shown(windows[w.at].Start), "is in the list twice")
		}
		if other, ok := a.otherLength(list, i); ok {
			return nil, invalid(w.at, "Length", windows[w.at].Length.String(), fmt.Sprintf("must be %v, as of the window that begins then", other))
		}
	}
	return list, nil
}

// shown is a time as errors show it.
func shown(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// otherLength finds a window of another length that a location has from the same
// start, and that the list does not close; or one before it in the list.
func (a *Allocator) otherLength(list []windowSetting, i int) (time.Duration, bool) {
	w := &list[i]
	if w.places == 0 {
		return 0, false
	}
	same := func(o *windowSetting) bool { return o.slot == w.slot && o.start == w.start }
	from, to := i, i+1
	for from > 0 && same(&list[from-1]) {
		from--
	}
	for to < len(list) && same(&list[to]) {
		to++
	}
	for j := from; j < i; j++ {
		if list[j].places > 0 {
			return time.Duration(list[j].minutes) * time.Minute, true
		}
	}
	table := a.ledger.Table()
	number := table.Space.Number(w.slot)
	for _, k := range a.capacity.from(w.start) {
		listed := slices.ContainsFunc(list[from:to], func(o windowSetting) bool { return o.minutes == k.minutes })
		if !listed && k.limit(table, number) > 0 {
			return time.Duration(k.minutes) * time.Minute, true
		}
	}
	return 0, false
}

// from is the windows of one start.
func (c *capacity) from(start int64) []windowCells {
	all := *c.windows.Load()
	first, _ := slices.BinarySearchFunc(all, windowCells{start: start}, windowCells.compare)
	last := first
	for last < len(all) && all[last].start == start {
		last++
	}
	return all[first:last]
}

// limit is how many places of the window a location gives.
func (w *windowCells) limit(table *reservation.Table, number uint32) int64 {
	if w.allowed == noSKU {
		return 0
	}
	return max(table.Reachable(w.allowed, number), 0)
}

// windowMoves is the movements, one for some windows of a location, that make the
// windows what the list says.
func (a *Allocator) windowMoves(list []windowSetting, now int64) (moves []reservation.Movement) {
	c, table := &a.capacity, a.ledger.Table()
	for i := range list {
		w := &list[i]
		number := table.Space.Number(w.slot)
		if k, ok := c.find(w.windowCells); ok {
			w.windowCells = k
		}
		by := w.places - w.limit(table, number)
		begun := w.sku != noSKU && table.Reachable(w.sku, number) > 0
		if by == 0 && (begun || w.places == 0) {
			continue
		}
		if n := len(moves); n == 0 || moves[n-1].Slot != w.slot || len(moves[n-1].Lines) >= maxMoveLines {
			moves = append(moves, reservation.Movement{ID: c.nextID(), Cause: history.Received, Slot: w.slot, Now: now})
		}
		m := &moves[len(moves)-1]
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
	return moves
}

// maxMoveLines is about how many lines one movement of resources has.
const maxMoveLines = 512

// find finds the SKUs of a window by its start and length.
func (c *capacity) find(w windowCells) (windowCells, bool) {
	all := *c.windows.Load()
	at, ok := slices.BinarySearchFunc(all, w, windowCells.compare)
	if !ok {
		return w, false
	}
	return all[at], true
}

// publishWindows lets orders find the windows of a list, as far as they have SKUs.
func (a *Allocator) publishWindows(list []windowSetting) {
	c := &a.capacity
	var fresh []windowCells
	for i := range list {
		w := list[i].windowCells
		if w.sku != noSKU && w.allowed != noSKU {
			continue
		}
		if _, seen := slices.BinarySearchFunc(fresh, w, windowCells.compare); seen {
			continue
		}
		w.sku, w.allowed = a.skuOr(w.name(tagTaken)), a.skuOr(w.name(tagPlaces))
		if w.sku == noSKU && w.allowed == noSKU {
			continue
		}
		at, _ := slices.BinarySearchFunc(fresh, w, windowCells.compare)
		fresh = slices.Insert(fresh, at, w)
		c.sweep.by(w.end())
	}
	if len(fresh) == 0 {
		return
	}
	next := united(slices.Concat(*c.windows.Load(), fresh), windowCells.compare, func(into *windowCells, w windowCells) {
		into.sku, into.allowed = min(into.sku, w.sku), min(into.allowed, w.allowed)
	})
	c.windows.Store(&next)
}

// skuOr is the handle of a SKU, or noSKU.
func (a *Allocator) skuOr(name string) uint32 {
	if sku, ok := a.ledger.SKU(name); ok {
		return sku
	}
	return noSKU
}

// Windows walks the windows of a location, or with "" of all, that begin at from
// or later and before to (zero: whenever), ascending by start, location by
// location, as they are now: the calendar of a shop. Windows that are over are not
// among them, nor closed ones of which nothing is taken. It does not wait for the
// disk.
func (a *Allocator) Windows(location string, from, to time.Time) iter.Seq[WindowState] {
	return func(yield func(WindowState) bool) {
		t := a.locations.Load()
		if location == "" {
			for slot := range t.Slots() {
				if !t.Place(slot).Gone() && !a.windowsAt(t, slot, from, to, yield) {
					return
				}
			}
			return
		}
		if slot, ok := a.ledger.Slot(location); ok && slot < t.Slots() {
			a.windowsAt(t, slot, from, to, yield)
		}
	}
}

func (a *Allocator) windowsAt(t *topology.Catalogue, slot uint32, from, to time.Time, yield func(WindowState) bool) bool {
	number, now := t.Number(slot), a.gate.Now()
	if number == reservation.NoNumber {
		return true
	}
	all := *a.capacity.windows.Load()
	first := 0
	if !from.IsZero() {
		first, _ = slices.BinarySearchFunc(all, from, func(w windowCells, from time.Time) int {
			return time.Unix(w.start, 0).Compare(from)
		})
	}
	for i := range all[first:] {
		w := &all[first+i]
		start := time.Unix(w.start, 0).UTC()
		if !to.IsZero() && !start.Before(to) {
			break
		}
		places, taken := w.limit(t.Table(), number), takenOf(t.Table(), w.sku, number, allPlaces)
		if places == 0 && taken == 0 || w.end()*1000 <= now {
			continue
		}
		if !yield(WindowState{Taken: taken, Free: max(places-taken, 0), Window: Window{Location: t.Place(slot).ID,
			Start: start, Length: time.Duration(w.minutes) * time.Minute, Places: places}}) {
			return false
		}
	}
	return true
}

// window is the window that the order names, at a location: the one that is open,
// if it was set with several lengths. 0 places: there is none.
func (p *plan) window(number uint32) (w windowCells, places int64) {
	start := p.order.Window
	if start.Nanosecond() != 0 || number == reservation.NoNumber {
		return w, 0
	}
	for _, w := range p.engine.capacity.from(start.Unix()) {
		if places := w.limit(p.topology.Table(), number); places > 0 && w.sku != noSKU {
			return w, places
		}
	}
	return w, 0
}

// windowLine is a place in the order's window at a location. False: there is no
// such window.
func (p *plan) windowLine(number uint32) (reservation.Line, bool) {
	w, places := p.window(number)
	return reservation.Line{SKU: w.sku, Quantity: 1, Keep: allPlaces - places}, places > 0
}

// windowDetail is what a refusal as sourcing.Full says besides if it is the pickup
// window that is full, or missing.
const windowDetail = "window"

// windowFull reports whether the customer of a candidate would come to a location
// whose window is full, or that has none.
func (p *plan) windowFull(number uint32, f sourcing.Form) bool {
	switch {
	case p.order.Window.IsZero() || f == sourcing.Ship:
		return false
	case f == sourcing.ShipToStore:
		number = p.topology.Number(p.at)
	}
	w, places := p.window(number)
	return places <= 0 || p.topology.Table().Reachable(w.sku, number) <= allPlaces-places
}

// visited is where the customer of a share comes; false: nowhere.
func (p *plan) visited(sh *share) (slot uint32, ok bool) {
	switch {
	case p.order.Window.IsZero() || sh.form == sourcing.Ship:
		return 0, false
	case sh.form == sourcing.ShipToStore:
		return p.at, true
	}
	return sh.slot, true
}

// isVisit reports whether a share is the one that takes a place in the window:
// the first of those that are at the location where its customer comes.
func (p *plan) isVisit(sh *share) bool {
	if slot, ok := p.visited(sh); !ok || slot != sh.slot {
		return false
	}
	for i := range p.shares {
		o := &p.shares[i]
		if o == sh {
			break
		}
		if slot, ok := p.visited(o); ok && slot == sh.slot && o.slot == slot {
			return false
		}
	}
	return true
}

// visitLines is the place in a pickup window at the chosen store, if no share of
// the plan is there.
func (a *Allocator) visitLines(p *plan) (lines []reservation.Line, slot uint32, ok bool) {
	comes := false
	for i := range p.shares {
		sh := &p.shares[i]
		at, visits := p.visited(sh)
		if visits && at == p.at && sh.slot == at {
			return nil, 0, true
		}
		comes = comes || visits && sh.form == sourcing.ShipToStore
	}
	if !comes {
		return nil, 0, true
	}
	line, ok := p.windowLine(p.topology.Number(p.at))
	return []reservation.Line{line}, p.at, ok
}
