package reservation

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// delivery is goods of a transfer that arrive, or are found lost. It is a rule of
// the book, for the transfer's entry.
type delivery struct {
	ledger *Ledger
	m      *Movement
	mark   uint64
	slot   uint32 // whose floor is locked
	lines  []Line // by handle, ascending; nil: all that is on the way
	deltas []delta
}

// apply moves units of the transfer from "on the way" to "arrived" or "lost" and
// records it.
func (d *delivery) Apply(_ string, e *book.Entry) ([]byte, error) {
	if e.State.Ended() {
		return nil, fmt.Errorf("%w", &EndedError{ID: d.m.Ref, State: e.State})
	}
	if err := d.plan(e); err != nil {
		return nil, err
	}
	state.Deliver(e, d.m.Cause, d.m.Now, d.lines)
	return d.ledger.recordOf(d.m, d.mark, d.deltas), nil
}

// plan works out the units and what they do to the shelf.
func (d *delivery) plan(e *book.Entry) error {
	l := d.ledger
	if d.m.Lines == nil {
		d.lines = d.lines[:0]
		for i := range e.Lines {
			if n := e.Lines[i].Confirmed; n > 0 {
				d.lines = append(d.lines, Line{SKU: e.Lines[i].SKU, Quantity: int64(n)})
			}
		}
	}
	d.deltas = d.deltas[:0]
	at := 0
	for _, line := range d.lines {
		for at < len(e.Lines) && e.Lines[at].SKU < line.SKU {
			at++
		}
		onWay := int64(0)
		if at < len(e.Lines) && e.Lines[at].SKU == line.SKU {
			onWay = int64(e.Lines[at].Confirmed)
		}
		if onWay < line.Quantity {
			return &ShortageError{SKU: l.SKUName(line.SKU), Location: l.SlotName(d.slot), Wanted: line.Quantity, Available: onWay}
		}
		next := delta{name: l.SKUName(line.SKU), sku: line.SKU, units: line.Quantity}
		next.cell, _ = l.state.Stock.Cell(line.SKU, d.slot)
		if d.m.Cause == history.Lost {
			next.units, next.lost = 0, line.Quantity
		} else if there := next.cell.OnHand(); there+line.Quantity > MaxQuantity {
			return fmt.Errorf("SKU %s: %d on hand and %d more: %w", shown(next.name), there, line.Quantity, ErrOverflow)
		}
		d.deltas = append(d.deltas, next)
	}
	return nil
}

// deliver books goods of a transfer in at the place they were sent to, or writes
// them off.
func (l *Ledger) deliver(m *Movement) (Ticket, error) {
	hash := l.state.Book.Hash(book.KindMovement, m.ID)
	turn := &l.changes[hash%state.Floors]
	turn.Lock(lock.Step)
	defer turn.Unlock()
	var e, found book.Entry
	if l.state.Book.Find(book.KindMovement, m.ID, &found) { // the transfer may be forgotten by now
		m.Slot = found.Location
		if l.repeated(m, m.digest(l.Digest(0), l.SlotName(m.Slot), ""), &found) == nil {
			return Ticket{Sequence: found.Sequence}, nil
		}
	}
	if !l.state.Book.Find(book.KindTransfer, m.Ref, &e) {
		return Ticket{}, ErrNotFound
	}
	m.Slot = e.To
	f := l.state.Floor(m.Slot)
	f.Lock(lock.Floor)
	defer f.Unlock()
	d := &delivery{ledger: l, m: m, mark: m.digest(l.Digest(0), l.SlotName(m.Slot), ""), slot: m.Slot}
	if l.state.Book.Find(book.KindMovement, m.ID, &found) {
		return Ticket{Sequence: found.Sequence}, l.repeated(m, d.mark, &found)
	}
	for _, line := range m.Lines {
		sku, known := l.state.SKUs.Find(line.SKU)
		if !known {
			return Ticket{}, fmt.Errorf("%w: %s", ErrUnknownSKU, shown(line.SKU))
		}
		d.lines = append(d.lines, Line{SKU: sku, Quantity: line.Units})
	}
	sortLines(d.lines)
	for i := range e.Lines {
		l.state.Stock.Ensure(e.Lines[i].SKU, m.Slot)
	}
	t, err := l.state.Book.Change(book.KindTransfer, m.Ref, &e, d)
	if err != nil {
		return t, err
	}
	large := m.Cause == history.Delivered && f.Large(len(d.deltas), m.Slot, m.Now)
	for i := range d.deltas {
		x := &d.deltas[i]
		if x.units == 0 {
			continue
		}
		x.cell.AddOnHand(x.units)
		x.cell.Change(x.units)
		if !large {
			f.Remember(state.ShelfChange{Time: m.Now, SKU: x.sku, Slot: m.Slot, Units: x.units})
		}
		if l.shorts.any() {
			l.cover(x.sku, m.Slot, m.Now)
		}
	}
	if e.State.Ended() {
		l.state.Places.Add(m.Slot, -1)
	}
	done := book.Entry{Fingerprint: d.mark, Sequence: t.Sequence, Location: m.Slot, Origin: m.Slot, Deadline: m.Now}
	l.state.Book.AddHashed(hash, book.KindMovement, m.ID, &done, nil, nil)
	return t, nil
}
