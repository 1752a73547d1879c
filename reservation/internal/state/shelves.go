package state

import (
	"cmp"
	"slices"
)

// shelves is the units on hand as a snapshot and the journal after it give them, SKU
// by SKU, until the numbering of the locations is known and the cells can be laid out
// at once. Used by one goroutine.
type shelves struct {
	skus []shelf
}

type shelf struct {
	cells []shelfUnits // the later of two for a slot counts
	clean int          // how many of them are sorted and name each slot once
}

type shelfUnits struct {
	slot, units uint32
}

// Recover makes the state note what is on hand until LayOut, and nothing that is
// available. One goroutine alone uses the units on hand until then.
func (s *State) Recover() { s.shelves = &shelves{} }

// LaidOut tells that the stock has its cells: what is on hand is available, less
// safety stock and what is taken.
func (s *State) LaidOut() bool { return s.shelves == nil }

// SetOnHand says what is on hand of a SKU at a slot from now on.
func (s *State) SetOnHand(sku, slot uint32, units int64) {
	if s.shelves != nil {
		s.shelves.set(sku, slot, units)
		return
	}
	s.Stock.Ensure(sku, slot)
	if cell, ok := s.Stock.Cell(sku, slot); ok {
		by := units - cell.OnHand()
		cell.AddOnHand(by)
		cell.Change(by)
	}
}

// OnHand is what is on hand of a SKU at a slot.
func (s *State) OnHand(sku, slot uint32) int64 {
	if s.shelves == nil {
		return s.Stock.OnHand(sku, slot)
	}
	return s.shelves.get(sku, slot)
}

// Shelved is how many SKUs may have something on hand before LayOut: all below that
// handle.
func (s *State) Shelved() int { return len(s.shelves.skus) }

// LayOut gives the stock its cells, now that locations have their numbers: what is on
// hand, less safety stock. What reservations hold is not taken off.
func (s *State) LayOut() {
	all := s.shelves.skus
	s.shelves = nil
	var slots []uint32
	for sku := range all {
		of := &all[sku]
		of.tidy()
		if s.Classes.Resource(uint32(sku)) { // one that has passed leaves no cells
			of.cells = slices.DeleteFunc(of.cells, func(c shelfUnits) bool { return c.units == 0 })
		}
		slots = slots[:0]
		for _, c := range of.cells {
			slots = append(slots, c.slot)
		}
		if len(slots) == 0 {
			continue
		}
		s.Stock.Ensure(uint32(sku), slots...)
		for _, c := range of.cells {
			if cell, ok := s.Stock.Cell(uint32(sku), c.slot); ok {
				cell.AddOnHand(int64(c.units))
				cell.Change(int64(c.units))
			}
		}
		of.cells = nil
	}
}

// set notes what is on hand of a SKU at a slot from now on.
func (r *shelves) set(sku, slot uint32, units int64) {
	for len(r.skus) <= int(sku) {
		r.skus = append(r.skus, shelf{})
	}
	s := &r.skus[sku]
	s.cells = append(s.cells, shelfUnits{slot: slot, units: uint32(units)})
	if len(s.cells) > 2*s.clean+1024 {
		s.tidy()
	}
}

// get is what is on hand of a SKU at a slot now; few ask.
func (r *shelves) get(sku, slot uint32) int64 {
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
func (s *shelf) tidy() {
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
