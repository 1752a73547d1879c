package stock

// rowHeaderBytes is what a row costs beside its arrays: its struct and its place
// in the table.
const rowHeaderBytes = 320 + 8

// Memory is what the rows take.
type Memory struct {
	SKUs     int
	Cells    int   // a dense row counts one for each location of the space
	HotBytes int64 // what searches and claims read
	AllBytes int64 // with units on hand and headers
}

// Memory adds up the rows. It walks every SKU.
func (s *Stock) Memory() Memory {
	var m Memory
	for r := range s.Table().each {
		hot, all := r.bytes()
		m.SKUs++
		m.Cells += r.cells()
		m.HotBytes += int64(hot)
		m.AllBytes += int64(all)
	}
	return m
}

// SKUs calls yield for every SKU that has a cell at the slot, until it returns
// false.
func (s *Stock) SKUs(slot uint32, yield func(sku uint32) bool) {
	t := s.Table()
	number := t.Space.Number(slot)
	if number == None {
		return
	}
	for r := range t.each {
		if r.find(number) >= 0 && !yield(r.sku) {
			return
		}
	}
}

// Slots calls yield for every slot at which the SKU has a cell, until it returns
// false.
func (s *Stock) Slots(sku uint32, yield func(slot uint32) bool) {
	t := s.Table()
	r := t.row(sku)
	if r == nil {
		return
	}
	for n := range r.each {
		if slot := r.space.Slot(n); slot != None && !yield(slot) {
			return
		}
	}
}

// Locked runs f under the structural lock: no cell is added meanwhile. f may use
// ChangeLocked, never Change or Ensure.
func (s *Stock) Locked(f func()) {
	s.grow.Lock()
	defer s.grow.Unlock()
	f()
}

// ChangeLocked is Change for use inside Locked.
func (s *Stock) ChangeLocked(sku, slot uint32, units int64) bool {
	return s.changeLocked(sku, slot, units)
}

// Has reports whether the SKU has a cell at the slot.
func (s *Stock) Has(sku, slot uint32) bool {
	t := s.Table()
	_, ok := t.at(sku, t.Space.Number(slot))
	return ok
}
