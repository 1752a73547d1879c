package index

// Slot is a slot of a table: a 32-bit tag over a 32-bit reference; 0 is empty.
// References are never 0.
func Slot(tag, ref uint32) uint64 { return uint64(tag)<<32 | uint64(ref) }

// Tag is the tag in a slot.
func Tag(slot uint64) uint32 { return uint32(slot >> 32) }

// Ref is the reference in a slot.
func Ref(slot uint64) uint32 { return uint32(slot) }

const (
	firstSlots = 16 // slots of a new table; a power of two
	moveSlots  = 32 // old slots emptied per insertion while a table grows
)

// Table is an open-addressing array: linear probing from the home slot, which
// is given by the highest bits of the tag, and removal by shifting back, so
// there are no tombstones. Not safe for concurrent use.
//
// Invariant: no slot between an entry's home and its place is empty.
// Bound: a power of two slots, at least one of them empty.
// Source: Knuth, The Art of Computer Programming, vol. 3, 6.4, Algorithms L and R.
type Table struct {
	Slots []uint64
	Shift uint8 // tag >> Shift is the home slot
}

func newTable(slots []uint64) Table {
	t := Table{Slots: slots, Shift: 32}
	for n := len(slots); n > 1; n >>= 1 {
		t.Shift--
	}
	return t
}

// Home is the slot at which a search for a tag begins: it goes on from slot to slot,
// behind the last to the first, until the entry or an empty slot is met.
func (t *Table) Home(tag uint32) int { return int(tag >> t.Shift) }

// place returns the first empty slot at or after the home of tag.
func (t *Table) place(tag uint32) int {
	mask := len(t.Slots) - 1
	at := t.Home(tag)
	for t.Slots[at] != 0 {
		at = (at + 1) & mask
	}
	return at
}

// remove empties the slot at and moves later entries of its run back, so that
// none is cut off from its home.
func (t *Table) remove(at int) {
	mask := len(t.Slots) - 1
	next := at
	for {
		next = (next + 1) & mask
		slot := t.Slots[next]
		if slot == 0 {
			break
		}
		if (next-t.Home(Tag(slot)))&mask >= (next-at)&mask {
			t.Slots[at] = slot
			at = next
		}
	}
	t.Slots[at] = 0
}

// Index is a table that doubles without a pause: while it grows, each insertion
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
type Index struct {
	current Table
	old     Table // Slots is nil unless the index is growing
	origin  int   // old slot where the move began, one after an empty slot
	moved   int   // old slots emptied since
	entries int   // in both tables
	asked   bool  // growth was asked for and has not begun
}

// New is an index of no entries.
func New() Index { return Index{current: newTable(make([]uint64, firstSlots))} }

// Made tells an index from the zero value, in which nothing can be looked for yet.
func (x *Index) Made() bool { return x.current.Slots != nil }

// Len is how many entries there are.
func (x *Index) Len() int { return x.entries }

// Newest is the table to which the entries move, or are in.
func (x *Index) Newest() *Table { return &x.current }

// Twice is how many slots the table has that the caller is to bring.
func (x *Index) Twice() int { return 2 * len(x.current.Slots) }

// TableFor returns the table in which an entry with this tag lies or belongs.
func (x *Index) TableFor(tag uint32) *Table {
	if x.old.Slots != nil && (x.old.Home(tag)-x.origin)&(len(x.old.Slots)-1) >= x.moved {
		return &x.old
	}
	return &x.current
}

// Put fills the empty slot at of t, which TableFor and a search gave.
func (x *Index) Put(t *Table, at int, slot uint64) {
	t.Slots[at] = slot
	x.entries++
	if x.old.Slots != nil {
		x.move()
	}
}

// Take removes the entry that equals slot.
func (x *Index) Take(slot uint64) {
	t := x.TableFor(Tag(slot))
	mask := len(t.Slots) - 1
	at := t.Home(Tag(slot))
	for t.Slots[at] != slot {
		at = (at + 1) & mask
	}
	t.remove(at)
	x.entries--
}

// Wanted reports whether the caller should bring a table of twice the size to
// begin. It says so once per growth, and again when the first caller is late
// and the table is nearly full; then the caller must do it before the next put.
func (x *Index) Wanted() (want, urgent bool) {
	slots := len(x.current.Slots)
	if x.old.Slots != nil || x.entries < slots-slots/4 {
		return false, false
	}
	urgent = x.entries >= slots-slots/8
	want = urgent || !x.asked
	x.asked = true
	return want, urgent
}

// Begin starts to grow into empty slots, twice as many as there are. Slots of
// another length come from a caller that was overtaken and are ignored.
func (x *Index) Begin(slots []uint64) {
	if x.old.Slots != nil || len(slots) != 2*len(x.current.Slots) {
		return
	}
	x.old, x.current = x.current, newTable(slots)
	x.moved, x.asked = 0, false
	x.origin = 0
	for x.old.Slots[x.origin] != 0 {
		x.origin++
	}
	x.origin = (x.origin + 1) & (len(x.old.Slots) - 1)
}

// Double grows at once. The index is not growing.
func (x *Index) Double() {
	old := x.current.Slots
	x.current, x.asked = newTable(make([]uint64, 2*len(old))), false
	for _, slot := range old {
		if slot != 0 {
			x.current.Slots[x.current.place(Tag(slot))] = slot
		}
	}
}

// move empties the next old slots, at least moveSlots of them, and on to the
// end of their run.
func (x *Index) move() {
	slots := x.old.Slots
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
		x.current.Slots[x.current.place(Tag(slot))] = slot
	}
	// Entries put in since the beginning may have run past the last slot into
	// the first ones.
	for at := x.origin; slots[at] != 0; at = (at + 1) & mask {
		slot := slots[at]
		slots[at] = 0
		x.current.Slots[x.current.place(Tag(slot))] = slot
	}
	x.old = Table{}
}

// Bytes returns the memory of the tables.
func (x *Index) Bytes() int64 {
	return 8 * int64(len(x.current.Slots)+len(x.old.Slots))
}

// References appends the references of all entries.
func (x *Index) References(refs []uint32) []uint32 {
	for _, slots := range [2][]uint64{x.current.Slots, x.old.Slots} {
		for _, slot := range slots {
			if slot != 0 {
				refs = append(refs, Ref(slot))
			}
		}
	}
	return refs
}

// Between appends the slots of all entries with tags from low to high, in no order. It
// costs as many steps as the tables have slots for such tags, and the runs in which they
// end.
func (x *Index) Between(low, high uint32, found []uint64) []uint64 {
	for _, t := range [2]*Table{&x.current, &x.old} {
		if t.Slots == nil {
			continue
		}
		mask := len(t.Slots) - 1
		at, last := t.Home(low), t.Home(high)
		for n := 0; n <= mask && (n <= last-t.Home(low) || t.Slots[at] != 0); n++ {
			if slot := t.Slots[at]; slot != 0 && Tag(slot) >= low && Tag(slot) <= high {
				found = append(found, slot)
			}
			at = (at + 1) & mask
		}
	}
	return found
}
