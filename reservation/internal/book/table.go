package book

// A slot of a table is a 32-bit tag over a 32-bit reference; 0 is empty.
// References are never 0.
func slotOf(tag, ref uint32) uint64 { return uint64(tag)<<32 | uint64(ref) }

func slotTag(slot uint64) uint32 { return uint32(slot >> 32) }

func slotRef(slot uint64) uint32 { return uint32(slot) }

const (
	firstSlots = 16 // slots of a new table; a power of two
	moveSlots  = 32 // old slots emptied per insertion while a table grows
)

// table is an open-addressing array: linear probing from the home slot, which
// is given by the highest bits of the tag, and removal by shifting back, so
// there are no tombstones. Not safe for concurrent use.
//
// Invariant: no slot between an entry's home and its place is empty.
// Bound: a power of two slots, at least one of them empty.
// Source: Knuth, The Art of Computer Programming, vol. 3, 6.4, Algorithms L and R.
type table struct {
	slots []uint64
	shift uint8 // tag >> shift is the home slot
}

func newTable(slots []uint64) table {
	t := table{slots: slots, shift: 32}
	for n := len(slots); n > 1; n >>= 1 {
		t.shift--
	}
	return t
}

func (t *table) home(tag uint32) int { return int(tag >> t.shift) }

// place returns the first empty slot at or after the home of tag.
func (t *table) place(tag uint32) int {
	mask := len(t.slots) - 1
	at := t.home(tag)
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	return at
}

// remove empties the slot at and moves later entries of its run back, so that
// none is cut off from its home.
func (t *table) remove(at int) {
	mask := len(t.slots) - 1
	next := at
	for {
		next = (next + 1) & mask
		slot := t.slots[next]
		if slot == 0 {
			break
		}
		if (next-t.home(slotTag(slot)))&mask >= (next-at)&mask {
			t.slots[at] = slot
			at = next
		}
	}
	t.slots[at] = 0
}

// index is a table that doubles without a pause: while it grows, each insertion
// empties a few old slots in circular order into the new table. Not safe for
// concurrent use.
//
// Homes are the high bits of a tag, so a run of old slots lands in a run of new
// ones, and whether an entry has moved already follows from its old home alone:
// every look-up reads one table, never two.
//
// Invariant: while old is there, the old slot `origin+moved` is empty or begins
// a run; an entry lies in current exactly if its old home comes before it,
// counted from origin.
// Bound: at most 3/4 full when growth begins, 7/8 at the latest. Reserved
// memory is that of the largest number of entries it ever held; it never
// shrinks.
// Source: incremental rehashing as in Redis' dict, with the test by old home as
// our deviation.
type index struct {
	current table
	old     table // slots is nil unless the index is growing
	origin  int   // old slot where the move began, one after an empty slot
	moved   int   // old slots emptied since
	entries int   // in both tables
	asked   bool  // growth was asked for and has not begun
}

// tableFor returns the table in which an entry with this tag lies or belongs.
func (x *index) tableFor(tag uint32) *table {
	if x.old.slots != nil && (x.old.home(tag)-x.origin)&(len(x.old.slots)-1) >= x.moved {
		return &x.old
	}
	return &x.current
}

// put fills the empty slot at of t, which tableFor and a search gave.
func (x *index) put(t *table, at int, slot uint64) {
	t.slots[at] = slot
	x.entries++
	if x.old.slots != nil {
		x.move()
	}
}

// take removes the entry that equals slot.
func (x *index) take(slot uint64) {
	t := x.tableFor(slotTag(slot))
	mask := len(t.slots) - 1
	at := t.home(slotTag(slot))
	for t.slots[at] != slot {
		at = (at + 1) & mask
	}
	t.remove(at)
	x.entries--
}

// wanted reports whether the caller should bring a table of twice the size to
// begin. It says so once per growth, and again when the first caller is late
// and the table is nearly full; then the caller must do it before the next put.
func (x *index) wanted() (want, urgent bool) {
	slots := len(x.current.slots)
	if x.old.slots != nil || x.entries < slots-slots/4 {
		return false, false
	}
	urgent = x.entries >= slots-slots/8
	want = urgent || !x.asked
	x.asked = true
	return want, urgent
}

// begin starts to grow into empty slots, twice as many as there are. Slots of
// another length come from a caller that was overtaken and are ignored.
func (x *index) begin(slots []uint64) {
	if x.old.slots != nil || len(slots) != 2*len(x.current.slots) {
		return
	}
	x.old, x.current = x.current, newTable(slots)
	x.moved, x.asked = 0, false
	x.origin = 0
	for x.old.slots[x.origin] != 0 {
		x.origin++
	}
	x.origin = (x.origin + 1) & (len(x.old.slots) - 1)
}

// double grows at once. The index is not growing.
func (x *index) double() {
	old := x.current.slots
	x.current, x.asked = newTable(make([]uint64, 2*len(old))), false
	for _, slot := range old {
		if slot != 0 {
			x.current.slots[x.current.place(slotTag(slot))] = slot
		}
	}
}

// move empties the next old slots, at least moveSlots of them, and on to the
// end of their run.
func (x *index) move() {
	slots := x.old.slots
	mask := len(slots) - 1
	for stop := x.moved + moveSlots; x.moved <= mask; x.moved++ {
		at := (x.origin + x.moved) & mask
		slot := slots[at]
		if slot == 0 {
			if x.moved >= stop {
				return
			}
			continue
		}
		slots[at] = 0
		x.current.slots[x.current.place(slotTag(slot))] = slot
	}
	// Entries put in since the beginning may have run past the last slot into
	// the first ones.
	for at := x.origin; slots[at] != 0; at = (at + 1) & mask {
		slot := slots[at]
		slots[at] = 0
		x.current.slots[x.current.place(slotTag(slot))] = slot
	}
	x.old = table{}
}

// bytes returns the memory of the tables.
func (x *index) bytes() int64 {
	return 8 * int64(len(x.current.slots)+len(x.old.slots))
}

// references appends the references of all entries.
func (x *index) references(refs []uint32) []uint32 {
	for _, slots := range [2][]uint64{x.current.slots, x.old.slots} {
		for _, slot := range slots {
			if slot != 0 {
				refs = append(refs, slotRef(slot))
			}
		}
	}
	return refs
}
