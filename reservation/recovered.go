package reservation

import (
	"cmp"
	"maps"
	"slices"
)

// recovered is the units on hand as a snapshot and the journal after it give
// them, SKU by SKU, until the numbering of the locations is known and the cells
// can be laid out at once. Used by one goroutine.
type recovered struct {
	skus []recoveredSKU
}

type recoveredSKU struct {
	cells []shelfUnits // the later of two for a slot counts
	clean int          // how many of them are sorted and name each slot once
}

type shelfUnits struct {
	slot, units uint32
}

// set notes what is on hand of a SKU at a slot from now on.
func (r *recovered) set(sku, slot uint32, units int64) {
	for len(r.skus) <= int(sku) {
		r.skus = append(r.skus, recoveredSKU{})
	}
	s := &r.skus[sku]
	s.cells = append(s.cells, shelfUnits{slot: slot, units: uint32(units)})
	if len(s.cells) > 2*s.clean+1024 {
		s.tidy()
	}
}

// get is what is on hand of a SKU at a slot now; few ask.
func (r *recovered) get(sku, slot uint32) int64 {
	if int(sku) >= len(r.skus) {
		return 0
	}
	s := &r.skus[sku]
	for i := len(s.cells) - 1; i >= s.clean; i-- {
		if s.cells[i].slot == slot {
			return int64(s.cells[i].units)
		}
	}
	at, ok := slices.BinarySearchFunc(s.cells[:s.clean], slot, func(c shelfUnits, slot uint32) int { return cmp.Compare(c.slot, slot) })
	if !ok {
		return 0
	}
	return int64(s.cells[at].units)
}

// tidy sorts the cells and keeps the last word on each slot.
func (s *recoveredSKU) tidy() {
	if s.clean == len(s.cells) {
		return
	}
	if !slices.IsSortedFunc(s.cells, func(a, b shelfUnits) int { return cmp.Compare(a.slot, b.slot) }) {
		slices.SortStableFunc(s.cells, func(a, b shelfUnits) int { return cmp.Compare(a.slot, b.slot) })
	}
	kept := s.cells[:0]
	for i, c := range s.cells {
		if i+1 < len(s.cells) && s.cells[i+1].slot == c.slot {
			continue
		}
		kept = append(kept, c)
	}
	s.cells, s.clean = kept, len(kept)
}

// Fill lays out the stock that was recovered, once the locations are numbered:
// what is on hand, less safety stock, less what live reservations hold. It does
// nothing the second time, and for a ledger that recovered nothing.
func (l *Ledger) Fill() error {
	r := l.shelves
	if r == nil {
		return nil
	}
	l.shelves = nil
	var slots []uint32
	for sku := range r.skus {
		s := &r.skus[sku]
		s.tidy()
		slots = slots[:0]
		for _, c := range s.cells {
			slots = append(slots, c.slot)
		}
		if len(slots) == 0 {
			continue
		}
		l.stock.Ensure(uint32(sku), slots...)
		for _, c := range s.cells {
			if cell, ok := l.stock.Cell(uint32(sku), c.slot); ok {
				cell.AddOnHand(int64(c.units))
				cell.Change(int64(c.units))
			}
		}
		s.cells = nil
	}
	lacking, err := l.takeLive()
	if err != nil || l.queue == nil {
		return err
	}
	l.mendShorts(lacking)
	return nil
}

// takeLive takes the units of the live reservations off what is available. It
// returns the cells that have fewer goods than reservations, or had.
func (l *Ledger) takeLive() (lacking map[uint64]struct{}, bad error) {
	lacking = map[uint64]struct{}{}
	l.book.dump(func(kind entryKind, id string, e *entry) bool {
		switch {
		case e.state.Ended() || kind == kindMovement || kind == kindChange:
			return true
		case kind == kindTransfer || e.state == InTransit:
			l.places.add(e.to, 1)
			return true
		}
		if mutant == mutantClock && e.state == Held && e.deadline <= l.Time() {
			return true
		}
		for i := range e.lines {
			line := &e.lines[i]
			left, ok := l.takeCell(line.sku, e.location, int64(line.held)+int64(line.confirmed))
			if !ok {
				bad = &InvariantError{What: "a reservation of goods that were never there", ID: id}
			}
			if line.short > 0 {
				l.shorts.add(line.sku, e.location, id)
			}
			if line.short > 0 || left < 0 {
				lacking[pair(line.sku, e.location)] = struct{}{}
			}
		}
		return bad == nil
	})
	return lacking, bad
}

// takeCell takes units off what is available; left is what remains with the
// safety stock, below zero when goods are missing.
func (l *Ledger) takeCell(sku, slot uint32, units int64) (left int64, ok bool) {
	if units == 0 {
		return 0, true
	}
	cell, ok := l.stock.Cell(sku, slot)
	if !ok || !cell.Change(-units) {
		return 0, false
	}
	return cell.Available() + l.safety.of(sku, slot), true
}

// mendShorts records the shortages that a movement, an end or a return left
// behind when the power went between its record and theirs.
func (l *Ledger) mendShorts(cells map[uint64]struct{}) {
	now := l.Time()
	for _, key := range slices.Sorted(maps.Keys(cells)) {
		sku, slot := uint32(key>>32), uint32(key)
		f := l.floor(slot)
		f.Lock()
		l.findShort(sku, slot, "", now)
		l.cover(sku, slot, now)
		f.Unlock()
	}
}
