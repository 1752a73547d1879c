package calendar

import (
	"cmp"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Capacity is how much a location can process in each period. Its JSON form is stored,
// in a note of the location.
type Capacity struct {
	Per    Period `json:"per,omitempty"`
	Orders int64  `json:"orders,omitempty"` // at most, to MaxPlaces; 0: not limited
	Lines  int64  `json:"lines,omitempty"`  // at most, to MaxLines; 0: not limited
}

// SlotCapacity is the capacity of one location; with neither orders nor lines it is
// not limited any more.
type SlotCapacity struct {
	Slot uint32
	Capacity
}

// noteArea is followed by the location's ID in the key of its capacity.
const noteArea = "capacity/"

// period is the SKUs of all periods of one beginning and kind; noSKU: there is none
// yet.
type period struct {
	begin         int64 // seconds since 1970
	per           Period
	orders, lines uint32
}

// end is when the period is over, at the latest, in seconds since 1970.
func (p *period) end() int64 {
	if p.per == Day {
		return p.begin + 25*60*60
	}
	return p.begin + 60*60
}

func (p period) compare(o period) int {
	return cmp.Or(cmp.Compare(p.begin, o.begin), cmp.Compare(p.per, o.per))
}

func (p *period) join(o period) {
	p.orders, p.lines = min(p.orders, o.orders), min(p.lines, o.lines)
}

func (p *period) set(tag byte, sku uint32) {
	if tag == tagOrders {
		p.orders = sku
	} else {
		p.lines = sku
	}
}

// CapacityChange is a change of capacities that has begun: no other one does before
// End.
type CapacityChange struct {
	calendar *Calendar
	next     map[string]Capacity
	notes    []reservation.Note
}

// SetCapacities begins to set the capacities of locations, all of the list or nothing;
// no location is in it twice. End must follow.
func (c *Calendar) SetCapacities(list []SlotCapacity) (*CapacityChange, error) {
	c.setting.Lock(lock.Capacities)
	ch := &CapacityChange{calendar: c, next: map[string]Capacity{}, notes: make([]reservation.Note, len(list))}
	if is := c.capacities.Load(); is != nil {
		ch.next = maps.Clone(*is)
	}
	for i, v := range list {
		location := c.ledger.SlotName(v.Slot)
		ch.notes[i].Key = noteArea + location
		if v.Orders == 0 && v.Lines == 0 {
			delete(ch.next, location)
			continue
		}
		ch.next[location] = v.Capacity
		var err error
		if ch.notes[i].Value, err = json.Marshal(v.Capacity); err != nil {
			ch.End()
			return nil, err
		}
	}
	return ch, nil
}

// Write writes the change down and makes it count. The caller sees to it that no order
// is under way meanwhile, which could otherwise read the old capacities and be in the
// journal behind the new ones. Errors: as of Ledger.SetNotes; nothing was changed.
func (ch *CapacityChange) Write(now int64) (reservation.Ticket, error) {
	t, err := ch.calendar.ledger.SetNotes(now, ch.notes...)
	if err == nil {
		ch.calendar.publishCapacities(ch.next)
	}
	return t, err
}

// End ends the change, written or not.
func (ch *CapacityChange) End() { ch.calendar.setting.Unlock() }

// publishCapacities makes capacities those that count. None are no table at all, so
// that orders see with one read that they need not ask.
func (c *Calendar) publishCapacities(all map[string]Capacity) {
	if len(all) == 0 {
		c.capacities.Store(nil)
		return
	}
	c.capacities.Store(&all)
}

// Limited reports whether any location has a capacity. It takes no lock.
func (c *Calendar) Limited() bool { return c.capacities.Load() != nil }

// Capacity is that of a location. False: it is not limited.
func (c *Calendar) Capacity(slot uint32) (Capacity, bool) {
	all := c.capacities.Load()
	if all == nil {
		return Capacity{}, false
	}
	is, ok := (*all)[c.ledger.SlotName(slot)]
	return is, ok
}

// Capacities walks the capacities that were set, by the ID of the location. A location
// that is removed leaves its own behind for when it comes back.
func (c *Calendar) Capacities() iter.Seq2[string, Capacity] {
	return func(yield func(string, Capacity) bool) {
		all := c.capacities.Load()
		if all == nil {
			return
		}
		for _, location := range slices.Sorted(maps.Keys(*all)) {
			if !yield(location, (*all)[location]) {
				return
			}
		}
	}
}

// Left is how many more orders of so many lines a location can process in the period
// of a time, by the clock of a zone, and the end of the period; below 0: as many as
// come.
func (c *Calendar) Left(slot uint32, at time.Time, zone *time.Location, lines int) (left int64, ends time.Time) {
	is, ok := c.Capacity(slot)
	if !ok {
		return -1, time.Time{}
	}
	begin, ends := is.Per.At(at, zone)
	k, _ := c.period(begin.Unix(), is.Per)
	table, number, _ := c.numbered(slot)
	left = MaxLines
	if is.Orders > 0 {
		left = is.Orders - takenOf(table, k.orders, number, allPlaces)
	}
	if is.Lines > 0 {
		left = min(left, (is.Lines-takenOf(table, k.lines, number, allLines))/int64(max(lines, 1)))
	}
	return max(left, 0), ends
}

// period finds the SKUs of a period.
func (c *Calendar) period(begin int64, per Period) (period, bool) {
	all := *c.periods.Load()
	at, ok := slices.BinarySearchFunc(all, period{begin: begin, per: per}, period.compare)
	if !ok {
		return period{begin: begin, per: per, orders: noSKU, lines: noSKU}, false
	}
	return all[at], true
}

// Work is what an order wants done at a location.
type Work struct {
	Slot  uint32
	Begin time.Time      // when the work on it begins
	Zone  *time.Location // of the location; nil: UTC
	Lines int64          // of the order, that are worked on there
}

// Take appends to the lines of a claim what some work takes of the capacity of its
// location: nothing, if it is not limited. The cells of a period that nobody used
// before are made first. now is engine time.
//
// Errors: as of Ledger.Move. reservation.ErrUnknownLocation: the location was removed
// meanwhile.
func (c *Calendar) Take(into []reservation.Line, w Work, now int64) ([]reservation.Line, error) {
	is, ok := c.Capacity(w.Slot)
	if !ok {
		return into, nil
	}
	begin, _ := is.Per.At(w.Begin, w.Zone)
	k, _ := c.period(begin.Unix(), is.Per)
	if c.lacks(k.orders, w.Slot, is.Orders) || c.lacks(k.lines, w.Slot, is.Lines) {
		var err error
		if k, err = c.openPeriod(k, w.Slot, is, now); err != nil {
			return into, err
		}
	}
	if is.Orders > 0 {
		into = append(into, reservation.Line{SKU: k.orders, Quantity: 1, Keep: allPlaces - is.Orders})
	}
	if is.Lines > 0 {
		into = append(into, reservation.Line{SKU: k.lines, Quantity: w.Lines, Keep: allLines - is.Lines})
	}
	return into, nil
}

// lacks reports whether something is limited at a location that is not counted yet.
func (c *Calendar) lacks(sku, slot uint32, limit int64) bool {
	if limit <= 0 {
		return false
	}
	table, number, ok := c.numbered(slot)
	return sku == noSKU || !ok || table.Reachable(sku, number) <= 0
}

// openPeriod makes the cells of a period at a location that is the first time
// used. A crash leaves nothing or cells that nobody has taken anything from.
func (c *Calendar) openPeriod(k period, slot uint32, is Capacity, now int64) (period, error) {
	c.growing.Lock(lock.Periods)
	defer c.growing.Unlock()
	k, _ = c.period(k.begin, k.per) // another order may have been quicker
	lines := make([]reservation.MovementLine, 0, 2)
	if c.lacks(k.orders, slot, is.Orders) {
		lines = append(lines, reservation.MovementLine{SKU: nameOf(tagOrders, k.begin, int64(k.per)), Units: allPlaces})
	}
	if c.lacks(k.lines, slot, is.Lines) {
		lines = append(lines, reservation.MovementLine{SKU: nameOf(tagLines, k.begin, int64(k.per)), Units: allLines})
	}
	if len(lines) == 0 {
		return k, nil
	}
	if _, err := c.ledger.Move(&reservation.Movement{ID: c.nextID(), Cause: history.Received, Slot: slot, Now: now, Lines: lines}); err != nil {
		return k, err
	}
	for _, line := range lines {
		if sku, ok := c.ledger.SKU(line.SKU); ok {
			k.set(line.SKU[1], sku)
		}
	}
	all := *c.periods.Load()
	at, there := slices.BinarySearchFunc(all, k, period.compare)
	next := slices.Clone(all)
	if there {
		next[at] = k
	} else {
		next = slices.Insert(next, at, k)
	}
	c.periods.Store(&next)
	c.sweep.by(k.end())
	return k, nil
}
