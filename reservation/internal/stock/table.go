package stock

import (
	"slices"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// None is the number of a slot that a space does not hold. It is above every bound
// as a uint64 only: as an int it is −1 where that has 32 bits.
const None = ^uint32(0)

// Space is one numbering of the locations: slot to number and back. It has room
// for the locations that join before the next numbering; their numbers follow.
// It is safe for concurrent use.
type Space struct {
	span     int // numbers a row of this space can hold
	used     atomic.Uint32
	slotOf   []atomic.Uint32
	numberOf []atomic.Uint32
}

func newSpace(order []uint32, slots, spare int) *Space {
	s := &Space{
		span:     len(order) + spare,
		slotOf:   make([]atomic.Uint32, len(order)+spare),
		numberOf: make([]atomic.Uint32, slots+spare),
	}
	for i := range s.slotOf {
		s.slotOf[i].Store(None)
	}
	for i := range s.numberOf {
		s.numberOf[i].Store(None)
	}
	for number, slot := range order {
		s.slotOf[number].Store(slot)
		s.numberOf[slot].Store(uint32(number))
	}
	s.used.Store(uint32(len(order)))
	return s
}

// Number is the number of a slot, or None.
func (s *Space) Number(slot uint32) uint32 {
	if uint64(slot) >= uint64(len(s.numberOf)) {
		return None
	}
	return s.numberOf[slot].Load()
}

// Slot is the slot of a number, or None.
func (s *Space) Slot(number uint32) uint32 {
	if uint64(number) >= uint64(s.span) {
		return None
	}
	return s.slotOf[number].Load()
}

// Free is how many more locations can join this space.
func (s *Space) Free() int { return s.span - int(s.used.Load()) }

// numberIn translates a number of s to the number of the same slot in other.
func (s *Space) numberIn(other *Space, number uint32) uint32 {
	if s == other {
		return number
	}
	return other.Number(s.Slot(number))
}

const chunkRows = 1024

// Table is the rows of every SKU under one numbering. It is safe for concurrent
// use; a search reads one table from start to end.
type Table struct {
	Space  *Space
	chunks []atomic.Pointer[[chunkRows]atomic.Pointer[row]]
}

func newTable(space *Space, skus int) *Table {
	return &Table{Space: space, chunks: make([]atomic.Pointer[[chunkRows]atomic.Pointer[row]], (skus+chunkRows-1)/chunkRows)}
}

func (t *Table) row(sku uint32) *row {
	if c := t.chunks[sku/chunkRows].Load(); c != nil {
		return c[sku%chunkRows].Load()
	}
	return nil
}

// setRow publishes a row. Callers hold the structural lock.
func (t *Table) setRow(sku uint32, r *row) {
	at := &t.chunks[sku/chunkRows]
	if at.Load() == nil {
		at.Store(new([chunkRows]atomic.Pointer[row]))
	}
	at.Load()[sku%chunkRows].Store(r)
}

// each calls yield for every row until it returns false.
func (t *Table) each(yield func(*row) bool) {
	for i := range t.chunks {
		c := t.chunks[i].Load()
		if c == nil {
			continue
		}
		for j := range c {
			if r := c[j].Load(); r != nil && !yield(r) {
				return
			}
		}
	}
}

// Stock is the counters of every SKU at every location. All its methods are
// safe for concurrent use.
//
// Progress: claims and changes to cells that exist take no lock. Adding cells,
// widening a row and numbering anew serialise on the structural lock and never
// hold up the others.
type Stock struct {
	grow    lock.Mutex // the structural lock
	table   atomic.Pointer[Table]
	safety  func(sku, slot uint32) int64
	maxSKUs int
}

// New returns an empty stock for SKU handles below maxSKUs. safety tells the
// units a new cell starts below zero; it is called under the structural lock.
func New(maxSKUs int, safety func(sku, slot uint32) int64) *Stock {
	s := &Stock{safety: safety, maxSKUs: maxSKUs}
	s.table.Store(newTable(newSpace(nil, 0, 0), maxSKUs))
	return s
}

// Table is the table new searches should read.
func (s *Stock) Table() *Table { return s.table.Load() }

// Renumber moves every cell into a new numbering: number i is slot order[i],
// slots is one more than the highest slot there ever was, and spare more
// locations may join later. Cells of slots not in order are dropped; the caller
// has seen to it that they are empty. Claims and changes go on meanwhile.
// publish is called when the new table is complete and before writers stop
// keeping the old one fit for searches: whoever hands tables to searches
// switches there.
func (s *Stock) Renumber(order []uint32, slots, spare int, publish func(*Table)) {
	s.grow.Lock(lock.Rows)
	defer s.grow.Unlock()
	old := s.table.Load()
	t := newTable(newSpace(order, slots, spare), s.maxSKUs)
	old.each(func(r *row) bool {
		t.setRow(r.sku, s.rebuild(r, t.Space, r.sku, nil, r.wide, 0))
		return true
	})
	s.table.Store(t)
	publish(t)
	t.each(func(r *row) bool {
		r.prev.Store(nil)
		return true
	})
}

// Join gives a new slot the next number of the current space; publish runs
// under the structural lock. It returns false when the space is full: number
// anew.
func (s *Stock) Join(slot uint32, publish func(number uint32)) bool {
	s.grow.Lock(lock.Rows)
	defer s.grow.Unlock()
	t := s.table.Load()
	sp := t.Space
	if sp.Free() == 0 || uint64(slot) >= uint64(len(sp.numberOf)) {
		return false
	}
	number := sp.used.Load()
	sp.slotOf[number].Store(slot)
	sp.numberOf[slot].Store(number)
	sp.used.Store(number + 1)
	t.each(func(r *row) bool { // a dense row has the cell already
		if r.shape == dense {
			if units := s.safety(r.sku, slot); units != 0 {
				s.changeLocked(r.sku, slot, -units)
			}
		}
		return true
	})
	publish(number)
	return true
}

// Ensure makes sure that the SKU has a cell at each of the slots. Several at
// once cost one rebuild of the row.
func (s *Stock) Ensure(sku uint32, slots ...uint32) {
	if s.haveAll(sku, slots) {
		return
	}
	s.grow.Lock(lock.Rows)
	defer s.grow.Unlock()
	t := s.table.Load()
	r := t.row(sku)
	var add []uint32
	for _, slot := range slots {
		if n := t.Space.Number(slot); n != None && (r == nil || r.find(n) < 0) {
			add = append(add, n)
		}
	}
	slices.Sort(add)
	add = slices.Compact(add)
	switch {
	case len(add) == 0:
	case r == nil:
		s.publishRow(t, s.rebuild(nil, t.Space, sku, add, false, 0))
	case !s.extend(r, add):
		s.publishRow(t, s.rebuild(r, t.Space, sku, add, r.wide, tailRoom(r.cells(), len(add))))
	}
}

func (s *Stock) haveAll(sku uint32, slots []uint32) bool {
	t := s.table.Load()
	r := t.row(sku)
	if r == nil {
		return false
	}
	for _, slot := range slots {
		if n := t.Space.Number(slot); n == None || r.find(n) < 0 {
			return false
		}
	}
	return true
}

// widen rebuilds a SKU's row with wide cells, once.
func (s *Stock) widen(sku uint32) {
	s.grow.Lock(lock.Rows)
	defer s.grow.Unlock()
	s.widenLocked(sku)
}

func (s *Stock) widenLocked(sku uint32) {
	t := s.table.Load()
	if r := t.row(sku); r != nil && !r.wide {
		s.publishRow(t, s.rebuild(r, t.Space, sku, nil, true, 0))
	}
}

// publishRow makes a complete row the one searches read.
func (s *Stock) publishRow(t *Table, r *row) {
	t.setRow(r.sku, r)
	r.prev.Store(nil)
}

// rebuild makes a row in space with old's cells and new ones at the ascending
// numbers add, and moves old's values over. Callers hold the structural lock and
// publish the row.
func (s *Stock) rebuild(old *row, space *Space, sku uint32, add []uint32, wide bool, tail int) *row {
	numbers := add
	if old != nil && old.space == space {
		numbers = old.numbersWith(add)
	} else if old != nil {
		numbers = slices.Clone(add)
		for n := range old.each {
			if to := old.space.numberIn(space, n); to != None {
				numbers = append(numbers, to)
			}
		}
		slices.Sort(numbers)
		numbers = slices.Compact(numbers)
	}
	start := func(number uint32) int64 {
		slot := space.Slot(number)
		if slot == None {
			return 0
		}
		return -s.safety(sku, slot)
	}
	for _, n := range numbers {
		wide = wide || start(n) < narrowMin
	}
	r := newRow(space, sku, numbers, wide, tail)
	for n, pos := range r.each {
		if units := start(n); units != 0 {
			r.put(pos, word{available: units})
		}
	}
	if old != nil {
		r.prev.Store(old)
		old.next.Store(r)
		old.moveAll(r, numbers)
	}
	return r
}

// moveAll hands every cell over to the next row, built over the ascending
// numbers. Cells of slots that are not in its space stay.
func (r *row) moveAll(to *row, numbers []uint32) {
	if r.space != to.space {
		for n, pos := range r.each {
			if there := r.space.numberIn(to.space, n); there != None {
				r.move(pos, to, there, to.find(there))
			}
		}
		return
	}
	at := 0 // the shape's cells are in the order of the numbers
	for n, pos := range r.each {
		switch {
		case to.shape == dense:
			r.move(pos, to, n, int(n))
		case pos < r.fixed:
			for numbers[at] < n {
				at++
			}
			r.move(pos, to, n, at)
		default:
			r.move(pos, to, n, to.find(n))
		}
	}
}

// move hands one cell over to the next row: the copy is written before the old
// cell says so, and again if the old cell changed in between.
func (r *row) move(pos int, to *row, number uint32, at int) {
	for {
		v := r.onHand[pos].Load()
		to.onHand[at].Store(v)
		interleave()
		if r.onHand[pos].CompareAndSwap(v, movedOnHand) {
			break
		}
	}
	var p pause
	for {
		w, raw := r.load(pos)
		if w.state == busy {
			p.wait()
			continue
		}
		to.put(at, w)
		if w.state == listed {
			to.expose(number)
			to.listedNow.Add(1)
		}
		if r.swap(pos, raw, word{state: moved}) {
			return
		}
		if w.state == listed {
			to.listedNow.Add(-1)
			to.put(at, word{})
			if to.shape == dense {
				to.bits[number>>6].And(^(uint64(1) << (number & 63)))
			}
			to.lower(number >> 6)
		}
	}
}
