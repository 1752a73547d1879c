package allocator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// SetCapacity sets how much locations can process in a period, all of the list or
// nothing; one with neither Orders nor Lines is not limited any more. Every order
// that begins after it returns keeps to it. What is taken of a period stays
// taken, also if it is more than the new capacity; then nothing is added until
// enough has been given back. A period knows the orders, or lines, that came while
// they were limited. While any location has a capacity, all orders are planned,
// which costs some microseconds each.
//
// An order counts in the period of its location in which the work on it begins:
// when it came, or, after the cut-off or outside the opening hours, when these
// let it begin; of a full one, in the next. Each part of an order counts as one
// order where its goods are. It counts until it is canceled, expires, is not
// collected, or is rerouted; collected and dispatched goods go on to count. An
// order with more lines than a period has is not served there.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrNoSpace, ErrClosed: nothing was
// changed. ErrJournal, or the end of ctx: whether it lasts is unknown; repeat it.
func (a *Allocator) SetCapacity(ctx context.Context, capacities ...Capacity) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return fmt.Errorf("allocator: set capacity: %w", err)
	}
	defer c.End()
	t, err := a.setCapacity(ctx, c.Now(), capacities)
	if waited := c.Wait(ctx, t); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: set capacity: %w", err)
	}
	return nil
}

// setCapacity is SetCapacity up to the ticket that is to be waited for.
func (a *Allocator) setCapacity(ctx context.Context, now int64, capacities []Capacity) (t reservation.Ticket, err error) {
	if err := a.checkCapacities(capacities); err != nil || len(capacities) == 0 {
		return t, err
	}
	c := &a.capacity
	c.setting.Lock(lock.Capacities)
	defer c.setting.Unlock()
	limits := maps.Clone(*c.limits.Load())
	notes := make([]reservation.Note, len(capacities))
	for i, v := range capacities {
		notes[i].Key = capacityNote + v.Location
		if v.Orders == 0 && v.Lines == 0 {
			delete(limits, v.Location)
			continue
		}
		l := limit{Per: v.Per, Orders: v.Orders, Lines: v.Lines}
		limits[v.Location] = l
		if notes[i].Value, err = json.Marshal(l); err != nil {
			return t, err
		}
	}
	return a.publishSettings(ctx, now, notes, func() {
		c.limits.Store(&limits)
		if len(limits) > 0 {
			a.special.Store(true)
		}
	})
}

func (a *Allocator) checkCapacities(capacities []Capacity) error {
	if err := a.checkBatch("capacities", len(capacities)); err != nil {
		return err
	}
	seen := make(map[string]bool, len(capacities))
	for i, v := range capacities {
		invalid := func(field string, value any, why string) error {
			return &InvalidError{Field: fmt.Sprintf("capacities[%d].%s", i, field), Value: value, Why: why}
		}
		if err := a.checkLocation(fmt.Sprintf("capacities[%d].Location", i), v.Location); err != nil {
			return err
		}
		switch {
		case seen[v.Location]:
			return invalid("Location", v.Location, "is in the list twice")
		case !v.Per.Valid():
			return invalid("Per", uint8(v.Per), "is not a period")
		case v.Orders < 0 || v.Orders > maxPlaces:
			return invalid("Orders", v.Orders, fmt.Sprintf("must be 0 to %d", maxPlaces))
		case v.Lines < 0 || v.Lines > maxCapacityLines:
			return invalid("Lines", v.Lines, fmt.Sprintf("must be 0 to %d", maxCapacityLines))
		}
		if _, ok := a.ledger.Slot(v.Location); !ok {
			return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(v.Location))
		}
		seen[v.Location] = true
	}
	return nil
}

// Capacities walks the capacities that were set, by location ID. A location that
// is removed keeps its own for when it comes back.
func (a *Allocator) Capacities() iter.Seq[Capacity] {
	return func(yield func(Capacity) bool) {
		limits := *a.capacity.limits.Load()
		for _, id := range slices.Sorted(maps.Keys(limits)) {
			l := limits[id]
			if !yield(Capacity{Location: id, Per: l.Per, Orders: l.Orders, Lines: l.Lines}) {
				return
			}
		}
	}
}

// roomFor tells the rules what each location can process; nil: no location is
// limited.
func (a *Allocator) roomFor() func(s *sourcing.Site, at time.Time, lines int) (left int64, ends time.Time) {
	if len(*a.capacity.limits.Load()) == 0 {
		return nil
	}
	return a.capacity.room
}

// limited reports whether a location has a capacity.
func (a *Allocator) limited(location string) bool {
	_, ok := (*a.capacity.limits.Load())[location]
	return ok
}

// room is how many more orders of so many lines a location can process in the
// period of a time, and the end of that; below 0: as many as come.
func (a *Allocator) room(s *sourcing.Site, at time.Time, lines int) (left int64, ends time.Time) {
	l, ok := (*a.capacity.limits.Load())[s.ID]
	if !ok {
		return -1, time.Time{}
	}
	begin, ends := periodAt(at, s.Calendar.Zone, l.Per)
	k, _ := a.capacity.period(begin.Unix(), l.Per)
	table, number := a.locations.Load().Table(), uint32(reservation.NoNumber)
	if slot, ok := a.ledger.Slot(s.ID); ok {
		number = table.Space.Number(slot)
	}
	left = maxCapacityLines
	if l.Orders > 0 {
		left = l.Orders - takenOf(table, k.orders, number, allPlaces)
	}
	if l.Lines > 0 {
		left = min(left, (l.Lines-takenOf(table, k.lines, number, allLines))/int64(max(lines, 1)))
	}
	return max(left, 0), ends
}

// takenOf is what is gone of a cell that began with so many units; nothing, while
// there is no cell.
func takenOf(table *reservation.Table, sku, number uint32, all int64) int64 {
	if sku == noSKU || number == reservation.NoNumber {
		return 0
	}
	if n := table.Reachable(sku, number); n > 0 {
		return all - n
	}
	return 0
}

// period finds the SKUs of a period.
func (c *capacity) period(begin int64, per Period) (periodCells, bool) {
	all := *c.periods.Load()
	at, ok := slices.BinarySearchFunc(all, periodCells{begin: begin, per: per}, periodCells.compare)
	if !ok {
		return periodCells{begin: begin, per: per, orders: noSKU, lines: noSKU}, false
	}
	return all[at], true
}

// roomLines is what a share takes of the capacity of its location, and of the
// pickup window if the customer comes there. False: it is full.
func (a *Allocator) roomLines(p *plan, sh *share) ([]reservation.Line, bool) {
	var lines []reservation.Line
	if l, ok := (*a.capacity.limits.Load())[p.topology.Place(sh.slot).ID]; ok {
		k, err := a.periodFor(p, sh, l)
		switch {
		case errors.Is(err, ErrUnknownLocation): // it was removed meanwhile
			return nil, false
		case err != nil:
			p.broken = err
			return nil, false
		}
		if l.Orders > 0 {
			lines = append(lines, reservation.Line{SKU: k.orders, Quantity: 1, Keep: allPlaces - l.Orders})
		}
		if l.Lines > 0 {
			lines = append(lines, reservation.Line{SKU: k.lines, Quantity: sh.wants(), Keep: allLines - l.Lines})
		}
	}
	if !p.isVisit(sh) {
		return lines, true
	}
	line, ok := p.windowLine(sh.number)
	if !ok {
		return nil, false
	}
	return append(lines, line), true
}

// wants is how many lines of the order a share fills.
func (sh *share) wants() (n int64) {
	for i, t := range sh.lines {
		if !slices.ContainsFunc(sh.lines[:i], func(o taken) bool { return o.want == t.want }) {
			n++
		}
	}
	return n
}

// periodFor is the period in which the work on a share begins, with the cells it
// takes from.
func (a *Allocator) periodFor(p *plan, sh *share, l limit) (periodCells, error) {
	at := sh.start
	if at.IsZero() {
		at = fromMillis(p.now)
	}
	begin, _ := periodAt(at, p.topology.SiteOf(sh.slot).Calendar.Zone, l.Per)
	k, _ := a.capacity.period(begin.Unix(), l.Per)
	table := p.topology.Table()
	if lacks(table, k.orders, sh.number, l.Orders) || lacks(table, k.lines, sh.number, l.Lines) {
		return a.capacity.openPeriod(a, k, sh.slot, l, p.now)
	}
	return k, nil
}

// lacks reports whether something is limited that is not counted yet.
func lacks(table *reservation.Table, sku, number uint32, limit int64) bool {
	return limit > 0 && (sku == noSKU || table.Reachable(sku, number) <= 0)
}

// openPeriod makes the cells of a period at a location that is the first time
// used. A crash leaves nothing or cells that nobody has taken anything from.
func (c *capacity) openPeriod(a *Allocator, k periodCells, slot uint32, l limit, now int64) (periodCells, error) {
	c.growing.Lock(lock.Periods)
	defer c.growing.Unlock()
	k, _ = c.period(k.begin, k.per)
	table := a.ledger.Table()
	number := table.Space.Number(slot)
	lines := make([]reservation.MovementLine, 0, 2)
	if lacks(table, k.orders, number, l.Orders) {
		lines = append(lines, reservation.MovementLine{SKU: resourceName(tagOrders, k.begin, int64(k.per)), Units: allPlaces})
	}
	if lacks(table, k.lines, number, l.Lines) {
		lines = append(lines, reservation.MovementLine{SKU: resourceName(tagLines, k.begin, int64(k.per)), Units: allLines})
	}
	if len(lines) == 0 {
		return k, nil
	}
	if _, err := a.ledger.Move(&reservation.Movement{ID: c.nextID(), Cause: history.Received, Slot: slot, Now: now, Lines: lines}); err != nil {
		return k, err
	}
	for _, line := range lines {
		if sku, ok := a.ledger.SKU(line.SKU); ok {
			k.set(line.SKU[1], sku)
		}
	}
	all := *c.periods.Load()
	at, there := slices.BinarySearchFunc(all, k, periodCells.compare)
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
