package stock

import (
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Memory is what the rows take.
type Memory struct {
	SKUs     int   // those with a cell anywhere
	Cells    int   // pairs of such a SKU and a location; a dense row has one for each location
	HotBytes int64 // what searches and claims read, of all rows
	AllBytes int64 // with units on hand and what the rows are found by: all that the heap has for them
}

// Memory adds up the rows. It walks every SKU. Those for which counted is false
// have bytes alone; nil: all are counted.
func (s *Stock) Memory(counted func(sku uint32) bool) Memory {
	t := s.Table()
	h := newHeapSizes()
	m := Memory{AllBytes: t.bytes(h)}
	for r := range t.each {
		hot, all := r.bytes(h)
		m.HotBytes += int64(hot)
		m.AllBytes += int64(all)
		if counted == nil || counted(r.sku) {
			m.SKUs++
			m.Cells += r.live()
		}
	}
	return m
}

// live is the number of cells at locations that are there: a dense row also has
// room for those that may join.
func (r *row) live() int {
	if r.shape == dense {
		return int(r.space.used.Load())
	}
	return r.cells()
}

// bytes is the memory of the row: what searches and claims read of its arrays, and
// all of it.
func (r *row) bytes(h *heapSizes) (hot, all int) {
	hot = h.array(2*len(r.keys)) + h.array(4*len(r.cuts)) + h.array(8*len(r.bits)) + h.array(4*len(r.rank)) +
		h.array(4*len(r.narrow)) + h.array(8*len(r.broad)) +
		h.array(4*len(r.tailKeys)) + h.array(4*len(r.tailSlots)) + h.array(8*len(r.tailBits)) +
		h.array(8*(len(r.sum1)+len(r.sum2)))
	return hot, hot + h.array(4*len(r.onHand)) + h.object(unsafe.Sizeof(row{}))
}

// bytes is the memory of the table and its space without the rows.
func (t *Table) bytes(h *heapSizes) (total int64) {
	total = int64(h.object(uintptr(len(t.chunks))*unsafe.Sizeof(t.chunks[0]))) +
		int64(h.array(4*len(t.Space.slotOf))) + int64(h.array(4*len(t.Space.numberOf)))
	chunk := int64(h.object(unsafe.Sizeof([chunkRows]atomic.Pointer[row]{})))
	for i := range t.chunks {
		if t.chunks[i].Load() != nil {
			total += chunk
		}
	}
	return total
}

const (
	sizeStep  = 8        // of the sizes that are rounded
	largeSize = 32 << 10 // above, the heap gives whole pages
	pageSize  = 8 << 10
	tinySize  = 8 // up to here, objects without pointers share one of twice that
	// Above so many bytes an object with pointers has a header, of 8 bytes.
	headedSize  = 8 * unsafe.Sizeof(uintptr(0)) * unsafe.Sizeof(uintptr(0))
	headerBytes = 8
)

// heapSizes is what the heap takes for so many steps of bytes: it has some seventy
// sizes and rounds up, by a tenth on average, an eighth at most.
type heapSizes [largeSize/sizeStep + 1]uint16

// newHeapSizes asks the heap, by what it gives a slice that grows.
func newHeapSizes() *heapSizes {
	h := new(heapSizes)
	for at := 1; at < len(h); {
		size := cap(slices.Grow([]byte(nil), at*sizeStep))
		for ; at < len(h) && at*sizeStep <= size; at++ {
			h[at] = uint16(size)
		}
	}
	return h
}

// array is what an array of so many bytes takes, without pointers.
func (h *heapSizes) array(bytes int) int {
	switch {
	case bytes <= tinySize:
		return bytes
	case bytes < 2*tinySize: // mostly nothing else fits in with it
		return 2 * tinySize
	case bytes > largeSize:
		return (bytes + pageSize - 1) &^ (pageSize - 1)
	}
	return int(h[(bytes+sizeStep-1)/sizeStep])
}

// object is what something with pointers takes.
func (h *heapSizes) object(bytes uintptr) int {
	if bytes > headedSize && bytes <= largeSize {
		bytes += headerBytes
	}
	return h.array(max(int(bytes), 2*tinySize))
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

// SlotsFrom appends the slots from one on at which a SKU has a cell, ascending, n at
// most. Of a row in which few locations are it takes memory for all of these, else it
// asks for one location after the other.
func (t *Table) SlotsFrom(sku, from uint32, n int, found []uint32) []uint32 {
	r := t.row(sku)
	if r == nil {
		return found
	}
	slots := uint32(len(r.space.numberOf))
	if start := len(found); r.cells()*8 < int(slots) {
		for number := range r.each {
			if slot := r.space.Slot(number); slot != None && slot >= from {
				found = append(found, slot)
			}
		}
		slices.Sort(found[start:])
		return found[:min(len(found), start+n)]
	}
	for ; from < slots && n > 0; from++ {
		if number := r.space.Number(from); number != None && r.find(number) >= 0 {
			found = append(found, from)
			n--
		}
	}
	return found
}

// HasCell reports whether a SKU has a cell at a slot.
func (t *Table) HasCell(sku, slot uint32) bool {
	r := t.row(sku)
	if r == nil {
		return false
	}
	number := r.space.Number(slot)
	return number != None && r.find(number) >= 0
}

// Locked runs f under the structural lock: no cell is added meanwhile. f may use
// ChangeLocked, never Change or Ensure.
func (s *Stock) Locked(f func()) {
	s.grow.Lock(lock.Rows)
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
