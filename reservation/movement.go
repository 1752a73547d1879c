package reservation

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
)

// Movement is a change of the units on hand at one location, with the ID its
// caller chose. Lines name SKUs, each once, in any order.
type Movement struct {
	ID    string
	Cause history.Cause // Received, Counted, Sold, Adjusted, Damaged, Sent; Delivered or Lost of a transfer
	Slot  uint32        // Delivered, Lost: 0, the transfer says where
	To    uint32        // Sent: to where
	Ref   string        // Delivered, Lost: the transfer's ID
	Now   int64         // engine time
	AsOf  int64         // Counted: when the shelf was counted; 0: now
	// Available lets units leave only if they are available, as with Sent.
	Available bool
	// Free is for quotas: lines name them, and Units is what is to be available in
	// each. What they lack comes from the SKU they are a part of, if it is available
	// there, and what they have too much goes back to it. Cause is Adjusted.
	Free  bool
	Lines []MovementLine
}

// MovementLine is a SKU by name, because a receipt may bring a new one.
type MovementLine struct {
	SKU   string
	Units int64 // −MaxQuantity to MaxQuantity, as the cause allows
}

// Move applies a movement, all lines or none, and remembers its ID: the same
// movement again does nothing and succeeds. Available units may fall below zero
// when units that are held leave by a till sale, a count, a correction or damage:
// then the youngest unconfirmed reservations there become short, after them the
// youngest confirmed ones, and each of that is recorded. Goods that are sent to
// another location must be available, and so must all that leaves if the movement
// says so.
//
// A line speaks of all units of its SKU, those in quotas and lots included, but for
// goods that are sent and for movements of available units: what is counted is all
// of it, and goods leave the quotas and lots too when the SKU itself has no
// available ones left, before any reservation becomes short.
//
// Errors: ErrUnknownLocation, ErrUnknownSKU (goods that leave and were never
// there), ErrConflict, *ShortageError (more than is on hand, or than is
// available to send), ErrOverflow, ErrTooOld, ErrFull, ErrNotFound (no such
// transfer), *EndedError (all of it has arrived), ErrJournal.
func (l *Ledger) Move(m *Movement) (t Ticket, err error) {
	switch {
	case len(m.ID) > MaxIDBytes:
		err = tooLongID(m.ID)
	case m.Cause == history.Delivered || m.Cause == history.Lost:
		t, err = l.deliver(m)
	default:
		t, err = l.move(m)
	}
	switch {
	case err != nil && m.Ref != "": // the transfer says where, if there is one
		err = fmt.Errorf("reservation: %v %s of transfer %s: %w", m.Cause, shown(m.ID), shown(m.Ref), err)
	case err != nil:
		err = fmt.Errorf("reservation: %v %s at %s: %w", m.Cause, shown(m.ID), shown(l.SlotName(m.Slot)), err)
	}
	return t, err
}

func (l *Ledger) move(m *Movement) (Ticket, error) {
	kind, to := book.KindMovement, m.Slot
	if m.Cause == history.Sent {
		kind, to = book.KindTransfer, m.To
	}
	defer l.lockFloors(m.Slot, to)()
	mark := m.digest(l.Digest(0), l.SlotName(m.Slot), l.SlotName(to))
	hash := l.state.Book.Hash(kind, m.ID)
	var found book.Entry
	there := l.state.Book.Find(kind, m.ID, &found)
	switch {
	case there && l.repeated(m, mark, &found) == nil: // whether or not there still is such a location
		return Ticket{Sequence: found.Sequence}, nil
	case l.isGone(m.Slot) || l.isGone(to) || l.Table().Space.Number(m.Slot) == NoNumber:
		return Ticket{}, ErrUnknownLocation
	case there:
		return Ticket{Sequence: found.Sequence}, ErrConflict
	}
	kept, ok := l.deltas.Get().(*[]delta)
	if !ok {
		kept = new([]delta)
	}
	deltas, settle, undo, err := l.leaving(m, (*kept)[:0])
	defer func() {
		clear(deltas)
		*kept = deltas
		l.deltas.Put(kept)
	}()
	if err != nil {
		return Ticket{}, err
	}
	if err := l.findCells(m, deltas); err != nil { // last, because it makes SKUs
		undo()
		return Ticket{}, err
	}
	sortDeltas(deltas)
	e := book.Entry{Fingerprint: mark, Location: m.Slot, Origin: m.Slot, Deadline: m.Now}
	if kind == book.KindTransfer {
		e.State, e.To, e.Since = InTransit, m.To, m.Now
		for _, d := range deltas {
			e.Lines = append(e.Lines, entryLine{SKU: d.sku, Quantity: uint32(-d.units), Confirmed: uint32(-d.units)})
		}
	}
	t, err := l.enter(m, kind, hash, &e, deltas, settle, undo)
	if err == nil && kind == book.KindTransfer {
		l.state.Places.Add(m.To, 1)
	}
	return t, err
}

// enter records the movement, of which what leaves is taken, and shows what comes,
// in that order: no prefix of the journal has more leave than came.
func (l *Ledger) enter(m *Movement, kind book.Kind, hash uint64, e *book.Entry, deltas []delta, settle, undo func()) (Ticket, error) {
	var found book.Entry
	t, added, err := l.state.Book.AddHashed(hash, kind, m.ID, e, l.recordOf(m, e.Fingerprint, deltas), &found)
	if err != nil {
		undo()
		return t, invalid(err)
	}
	if !added {
		undo()
		return Ticket{Sequence: found.Sequence}, l.repeated(m, e.Fingerprint, &found)
	}
	settle()
	f, changed := l.state.Floor(m.Slot), 0
	for i := range deltas {
		if deltas[i].units != 0 && !l.state.Classes.Resource(deltas[i].sku) {
			changed++
		}
	}
	large := f.Large(changed, m.Slot, m.Now)
	for i := range deltas {
		d := &deltas[i]
		d.cell.AddOnHand(d.units)
		if d.units > 0 {
			d.cell.Change(d.units)
		}
		if d.units != 0 && !large && !l.state.Classes.Resource(d.sku) {
			f.Remember(state.ShelfChange{Time: m.Now, SKU: d.sku, Slot: m.Slot, Units: d.units})
		}
	}
	for i := range deltas {
		d := &deltas[i]
		switch {
		case d.units < 0:
			l.findShort(d.sku, m.Slot, m.ID, m.Now)
		case d.units > 0 && l.shorts.any():
			l.cover(d.sku, m.Slot, m.Now)
		}
	}
	return t, nil
}

// leaving is a movement's lines as signed changes of cells, with the units that
// leave made unavailable. They are appended to out.
func (l *Ledger) leaving(m *Movement, out []delta) (deltas []delta, settle, undo func(), err error) {
	if m.Free {
		return l.setAside(m)
	}
	deltas, err = l.check(m, out)
	if err != nil {
		return deltas, nil, nil, err
	}
	for i := range deltas {
		if len(deltas[i].quotas) > 0 {
			return l.spread(m, deltas)
		}
	}
	settle, undo, err = l.takeLeaving(m, deltas)
	return deltas, settle, undo, err
}

// takeLeaving makes the units that leave unavailable. Goods that are sent off, or
// leave only if they are available, are claimed like an order's; all others go
// even if they are held.
func (l *Ledger) takeLeaving(m *Movement, deltas []delta) (settle, undo func(), err error) {
	if m.Cause == history.Sent || m.Available {
		return l.claimLeaving(m, deltas)
	}
	for i := range deltas {
		d := &deltas[i]
		if d.units >= 0 || d.cell.Change(d.units) {
			continue
		}
		for j := range deltas[:i] {
			if back := &deltas[j]; back.units < 0 {
				back.cell.Change(-back.units)
			}
		}
		return nil, nil, fmt.Errorf("SKU %s: %w", shown(d.name), ErrOverflow)
	}
	return func() {}, func() {
		for i := range deltas {
			if d := &deltas[i]; d.units < 0 {
				d.cell.Change(-d.units)
			}
		}
	}, nil
}

func sortDeltas(deltas []delta) {
	slices.SortFunc(deltas, func(a, b delta) int { return cmp.Compare(a.sku, b.sku) })
}

func (l *Ledger) claimLeaving(m *Movement, deltas []delta) (settle, undo func(), err error) {
	var picks []stock.Pick
	for _, d := range deltas {
		if d.units < 0 {
			picks = append(picks, stock.Pick{SKU: d.sku, Slot: m.Slot, Quantity: -d.units})
		}
	}
	slices.SortFunc(picks, func(a, b stock.Pick) int { return cmp.Compare(a.SKU, b.SKU) })
	var p stock.Picks
	short := p.Take(l.state.Stock, picks)
	if short < 0 {
		return p.Settle, p.Undo, nil
	}
	a := l.level(picks[short].SKU, m.Slot)
	return nil, nil, &ShortageError{SKU: l.SKUName(picks[short].SKU), Location: l.SlotName(m.Slot), Wanted: picks[short].Quantity, Available: max(a.Available, 0)}
}

// findCells gives each delta its SKU's handle and cell, new ones included.
func (l *Ledger) findCells(m *Movement, deltas []delta) error {
	for i := range deltas {
		d := &deltas[i]
		if d.there {
			continue
		}
		sku, err := l.addSKU(d.name, m.Now)
		if err != nil {
			return fmt.Errorf("adding SKU %s: %w", shown(d.name), err)
		}
		l.state.Stock.Ensure(sku, m.Slot)
		d.sku = sku
		d.cell, _ = l.state.Stock.Cell(sku, m.Slot)
	}
	return nil
}

// addSKU is the handle of a SKU, a new one recorded before anybody can use it, and
// after the SKU that it is a part of.
func (l *Ledger) addSKU(name string, now int64) (uint32, error) {
	if base, sub := state.BaseName(name); sub {
		if _, err := l.addSKU(base, now); err != nil {
			return 0, err
		}
	}
	return l.state.SKUs.Intern(name, func(handle uint32) error {
		_, err := l.append(&history.Record{Kind: history.SKUAdded, Time: now, SKU: handle, Name: name})
		return err
	})
}

// recordOf is the movement for the journal; nil without one. Deltas ascend by
// SKU.
func (l *Ledger) recordOf(m *Movement, mark uint64, deltas []delta) []byte {
	if l.queue == nil {
		return nil
	}
	r := history.Record{Kind: history.Moved, Time: m.Now, Cause: m.Cause, ID: m.ID, Slot: m.Slot, To: m.To, Ref: m.Ref,
		AsOf: m.AsOf, Fingerprint: mark, Lines: make([]history.Line, len(deltas))}
	for i := range deltas {
		d := &deltas[i]
		r.Lines[i] = history.Line{SKU: d.sku, Units: d.units + d.lost, OnHand: d.cell.OnHand() + d.units}
	}
	return r.Append(nil)
}

// repeated is nil if a movement has the content of the entry that is there under
// its ID; mark is its digest.
func (l *Ledger) repeated(m *Movement, mark uint64, found *book.Entry) error {
	if !m.is(l, mark, found, l.SlotName(m.Slot), l.SlotName(m.To)) {
		return ErrConflict
	}
	return nil
}

// Booked looks a movement up without booking it: true if it was booked and is
// remembered, whatever would refuse it by now. at and to are the names of its
// locations, which may be gone; of a delivery or a loss the transfer says where.
func (l *Ledger) Booked(m *Movement, at, to string) (Ticket, bool) {
	kind := book.KindMovement
	if m.Cause == history.Sent {
		kind = book.KindTransfer
	}
	var found book.Entry
	if !l.state.Book.Find(kind, m.ID, &found) {
		return Ticket{}, false
	}
	if m.Ref != "" {
		at = l.SlotName(found.Location)
	}
	return Ticket{Sequence: found.Sequence}, m.is(l, m.digest(l.Digest(0), at, to), &found, at, to)
}

// delta is a line's signed change of the units on hand.
type delta struct {
	name  string
	sku   uint32
	cell  stock.Cell
	there bool // the cell was found
	units int64
	lost  int64 // of a transfer: written off on the way

	quotas []uint32 // of the SKU, whose units are spoken of too
	spread bool     // one of the cells of a SKU with quotas
	part   bool     // a quota's among them
	held   int64    // that leave without having been claimed
}

// check turns the lines into signed changes and checks them all: an unknown SKU
// goes before a shortage, a shortage before an overflow. It runs under the
// location's floor, so the units on hand stand still.
// They are appended to out.
func (l *Ledger) check(m *Movement, out []delta) ([]delta, error) {
	if m.Cause == history.Adjusted {
		for _, line := range m.Lines {
			if line.Units == 0 {
				return out, &InvalidError{Field: "Lines", Value: goodsName(line.SKU), Why: "must not come to 0 units of the SKU"}
			}
		}
	}
	out = slices.Grow(out, len(m.Lines))
	var changed map[uint32]int64 // of a count: by SKU, what it could not see
	recent := true
	if m.Cause == history.Counted && m.AsOf != 0 {
		changed, recent = l.state.Floor(m.Slot).After(m.AsOf, m.Slot)
	}
	var short, over error
	for _, line := range m.Lines {
		d := delta{name: line.SKU}
		var there int64
		sku, known := l.state.SKUs.Find(line.SKU)
		if known {
			d.sku = sku
			if d.cell, d.there = l.state.Stock.Cell(sku, m.Slot); d.there {
				there = d.cell.OnHand()
			}
			if m.Cause != history.Sent && !m.Available {
				d.quotas = l.quotasAt(sku, m.Slot)
			}
		}
		units, since := line.Units, int64(0)
		l.addQuotas(d.quotas, m, changed, &there, &since)
		switch m.Cause {
		case history.Counted:
			if known {
				since += changed[sku]
			}
			if known && !recent {
				return out, fmt.Errorf("count as of %d: %w", m.AsOf, ErrTooOld)
			}
			units = max(0, units+since) - there
		case history.Sold, history.Damaged, history.Sent:
			units = -units
		}
		switch {
		case !known && (units < 0 || m.Cause == history.Sold) && !l.isLotOfKnown(line.SKU):
			return out, fmt.Errorf("%w: %s", ErrUnknownSKU, shown(goodsName(line.SKU)))
		case there+units < 0:
			short = cmp.Or(short, error(&ShortageError{SKU: goodsName(line.SKU), Location: l.SlotName(m.Slot), Wanted: -units, Available: there}))
		case there+units > MaxQuantity:
			over = cmp.Or(over, fmt.Errorf("SKU %s: %d on hand and %d more: %w", shown(goodsName(line.SKU)), there, units, ErrOverflow))
		}
		d.units = units
		out = append(out, d)
	}
	return l.withOwn(m, out), cmp.Or(short, over)
}

// Prepare makes the cells that many movements will need, one rebuild for each
// SKU instead of one for each movement. It is only ever a matter of speed.
func (l *Ledger) Prepare(movements []Movement) error {
	now := int64(0)
	type cells struct {
		name  string
		slots []uint32
	}
	var all []cells // in order of appearance, so that handles are the same every time
	index := map[string]int{}
	for i := range movements {
		m := &movements[i]
		if m.Cause != history.Received && m.Cause != history.Counted {
			continue
		}
		now = m.Now
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
		sku, err := l.addSKU(c.name, now)
		if err != nil {
			return fmt.Errorf("reservation: adding SKU %s: %w", shown(c.name), err)
		}
		if len(c.slots) > 1 {
			l.state.Stock.Ensure(sku, c.slots...)
		}
	}
	return nil
}
