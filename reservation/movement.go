package reservation

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/internal/stock"
)

// Cause is why stock moved.
type Cause uint8

// The causes of a movement.
const (
	Received Cause = iota + 1 // goods in: quantities are added
	Counted                   // a count: quantities are what is on hand, 0 included
	Sold                      // a till sale: quantities leave the units on hand, held or not
	Adjusted                  // a correction, by signed quantities
)

// String is the cause in words.
func (c Cause) String() string {
	switch c {
	case Received:
		return "receipt"
	case Counted:
		return "count"
	case Sold:
		return "till sale"
	case Adjusted:
		return "adjustment"
	}
	return "movement"
}

// Movement is a change of the units on hand at one location, with the ID its
// caller chose. Lines name SKUs, each once, in any order.
type Movement struct {
	ID    string
	Cause Cause
	Slot  uint32
	Lines []MovementLine
}

// MovementLine is a SKU by name, because a receipt may bring a new one.
type MovementLine struct {
	SKU   string
	Units int64 // −MaxQuantity to MaxQuantity, as the cause allows
}

// Move applies a movement, all lines or none, and remembers its ID: the same
// movement again does nothing and succeeds. Available units may fall below zero
// when units that are held leave; nothing else does.
//
// Errors: ErrUnknownLocation, ErrUnknownSKU (a till sale or a correction of a
// SKU that was never there), ErrConflict, *ShortageError (a till sale or a
// correction of more than is on hand), ErrOverflow, ErrFull.
func (l *Ledger) Move(m *Movement) error {
	if err := l.move(m); err != nil {
		return fmt.Errorf("reservation: %v %q at %q: %w", m.Cause, m.ID, l.SlotName(m.Slot), err)
	}
	return nil
}

func (l *Ledger) move(m *Movement) error {
	f := l.floor(m.Slot)
	f.Lock()
	defer f.Unlock()
	if l.isGone(m.Slot) || l.Table().Space.Number(m.Slot) == NoNumber {
		return ErrUnknownLocation
	}
	mark := m.fingerprint(l.SlotName(m.Slot))
	var found entry
	if l.book.find(kindMovement, m.ID, &found) {
		return sameOrConflict(mark, found.fingerprint)
	}
	kept, ok := l.deltas.Get().(*[]delta)
	if !ok {
		kept = new([]delta)
	}
	deltas, err := l.check(m, (*kept)[:0])
	defer func() {
		clear(deltas)
		*kept = deltas
		l.deltas.Put(kept)
	}()
	if err != nil {
		return err
	}
	for i := range deltas {
		d := &deltas[i]
		if d.there {
			continue
		}
		sku, err := l.skus.intern(d.name)
		if err != nil {
			return fmt.Errorf("adding SKU %q: %w", d.name, err)
		}
		l.stock.Ensure(sku, m.Slot)
		d.cell, _ = l.stock.Cell(sku, m.Slot)
	}
	if !l.book.add(kindMovement, m.ID, &entry{fingerprint: mark, location: m.Slot}, &found) {
		return sameOrConflict(mark, found.fingerprint)
	}
	if failed := apply(deltas); failed >= 0 {
		l.book.drop(kindMovement, m.ID)
		return fmt.Errorf("SKU %q: %w", deltas[failed].name, ErrOverflow)
	}
	return nil
}

func sameOrConflict(a, b uint64) error {
	if a != b {
		return ErrConflict
	}
	return nil
}

// delta is a line's signed change of the units on hand.
type delta struct {
	name  string
	cell  stock.Cell
	there bool // the cell was found
	units int64
}

// check turns the lines into signed changes and checks them all: an unknown SKU
// goes before a shortage, a shortage before an overflow. It runs under the
// location's floor, so the units on hand stand still.
// They are appended to out.
func (l *Ledger) check(m *Movement, out []delta) ([]delta, error) {
	out = slices.Grow(out, len(m.Lines))
	var short, over error
	for _, line := range m.Lines {
		d := delta{name: line.SKU}
		var there int64
		sku, known := l.skus.find(line.SKU)
		if known {
			if d.cell, d.there = l.stock.Cell(sku, m.Slot); d.there {
				there = d.cell.OnHand()
			}
		}
		units := line.Units
		switch m.Cause {
		case Counted:
			units -= there
		case Sold:
			units = -units
		}
		switch {
		case !known && (m.Cause == Sold || m.Cause == Adjusted && units < 0):
			return out, fmt.Errorf("%w: %q", ErrUnknownSKU, line.SKU)
		case there+units < 0:
			short = cmp.Or(short, error(&ShortageError{SKU: line.SKU, Location: l.SlotName(m.Slot), Wanted: -units, Available: there}))
		case there+units > MaxQuantity:
			over = cmp.Or(over, fmt.Errorf("SKU %q: %d on hand and %d more: %w", line.SKU, there, units, ErrOverflow))
		}
		d.units = units
		out = append(out, d)
	}
	return out, cmp.Or(short, over)
}

// apply changes the stock. Units that come are on hand before they are
// available, units that go are unavailable before they leave, so that no reader
// sees more available than is on hand. It returns -1, or the line that would
// push available units out of range, and then nothing is changed.
func apply(deltas []delta) int {
	for i := range deltas {
		d := &deltas[i]
		if d.units >= 0 {
			continue
		}
		if !d.cell.Change(d.units) {
			for j := range deltas[:i] {
				if back := &deltas[j]; back.units < 0 {
					back.cell.AddOnHand(-back.units)
					back.cell.Change(-back.units)
				}
			}
			return i
		}
		d.cell.AddOnHand(d.units)
	}
	for i := range deltas {
		if d := &deltas[i]; d.units > 0 {
			d.cell.AddOnHand(d.units)
			d.cell.Change(d.units)
		}
	}
	return -1
}

// Prepare makes the cells that many movements will need, one rebuild for each
// SKU instead of one for each movement. It is only ever a matter of speed.
func (l *Ledger) Prepare(movements []Movement) error {
	type cells struct {
		name  string
		slots []uint32
	}
	var all []cells // in order of appearance, so that handles are the same every time
	index := map[string]int{}
	for i := range movements {
		m := &movements[i]
		if m.Cause != Received && m.Cause != Counted {
			continue
		}
		for _, line := range m.Lines {
			at, ok := index[line.SKU]
			if !ok {
				at = len(all)
				index[line.SKU] = at
				all = append(all, cells{name: line.SKU})
			}
			all[at].slots = append(all[at].slots, m.Slot)
		}
	}
	for _, c := range all {
		sku, err := l.skus.intern(c.name)
		if err != nil {
			return fmt.Errorf("reservation: adding SKU %q: %w", c.name, err)
		}
		if len(c.slots) > 1 {
			l.stock.Ensure(sku, c.slots...)
		}
	}
	return nil
}

// fingerprint digests a movement's content; the order of its lines does not
// count. The location counts by name: one that was removed and came back has
// another slot.
func (m *Movement) fingerprint(location string) uint64 {
	lines := m.Lines
	bySKU := func(a, b MovementLine) int { return strings.Compare(a.SKU, b.SKU) }
	if !slices.IsSortedFunc(lines, bySKU) {
		lines = slices.Clone(lines)
		slices.SortFunc(lines, bySKU)
	}
	d := Digest(0).Add(uint64(m.Cause)).AddString(location)
	for _, line := range lines {
		d = d.AddString(line.SKU).Add(uint64(line.Units))
	}
	return uint64(d)
}

// Digest is a 64-bit digest of a call's content, by which a repeat is told from
// a conflict. It is the same in every process. It is a multiply-and-fold hash
// after Wang Yi's wyhash: quick, and no defence against a caller who seeks
// collisions with himself.
type Digest uint64

// Add mixes in a number.
func (d Digest) Add(v uint64) Digest {
	hi, lo := bits.Mul64(uint64(d)^0xa0761d6478bd642f, v^0xe7037ed1a0b428db)
	return Digest(hi ^ lo + 0x8ebc6af09c88c6e3)
}

// AddString mixes in a string and its length.
func (d Digest) AddString(s string) Digest {
	d = d.Add(uint64(len(s)))
	for len(s) > 0 {
		var v uint64
		n := min(len(s), 8)
		for i := range n {
			v |= uint64(s[i]) << (8 * i)
		}
		d, s = d.Add(v), s[n:]
	}
	return d
}
