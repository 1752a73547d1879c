package reservation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// replay brings records of the journal into a ledger that no one else uses yet.
// It reads no clock and judges no deadline: what expired is in the journal.
type replay struct {
	ledger *Ledger
	// from and to are the span in which a snapshot was taken while changes went
	// on: what it has of a record from there is told by the entry's sequence.
	from, to uint64
	sequence uint64
	record   history.Record
	change   state.Transition
	given    []Line
	effects  []state.Effect
	entry    book.Entry
	found    book.Entry
	records  uint64
	latest   int64  // the latest time of a record
	shelved  bool   // somebody else has brought in what is on hand
	hash     uint64 // of the record's reservation, if somebody else has worked it out
}

// apply brings in one record.
func (p *replay) apply(sequence uint64, data []byte) error {
	p.records++
	err := p.one(sequence, data)
	p.ledger.state.Reach(p.latest)
	return err
}

func (p *replay) one(sequence uint64, data []byte) error {
	r, l := &p.record, p.ledger
	if err := r.Decode(data); err != nil {
		return fmt.Errorf("reservation: record %d: %w", sequence, err)
	}
	p.sequence = sequence
	p.latest = max(p.latest, r.Time)
	var err error
	switch r.Kind {
	case history.Held:
		err = p.held()
	case history.Moved:
		err = p.moved()
	case history.SKUAdded:
		err = p.name(l.state.SKUs, r.SKU, nil)
	case history.LocationSet:
		err = p.name(l.state.Slots, r.Slot, r.Place)
	case history.LocationRemoved:
		l.state.Remove(r.Slot)
	case history.SafetySet:
		if len(r.Lines) != 1 {
			return p.unsound("a safety stock without its level")
		}
		err = l.state.SetSafety(SafetyLevel{SKU: r.SKU, Slot: r.Slot, Units: r.Lines[0].Units}, func() error { return nil })
	case history.NoteSet:
		err = l.noted(r)
	case history.Opened:
	default:
		err = p.changed()
	}
	return err
}

// tooLong is what former versions may have written: they gave a part an ID that was
// longer than its length could say.
const tooLong = "an ID or a reference that is too long to be kept"

// unsound is the error of a record that contradicts the ones before it.
func (p *replay) unsound(what string) error {
	return fmt.Errorf("reservation: %w", &InvariantError{What: what, ID: p.record.ID, Sequence: p.sequence})
}

// name brings in a SKU or a location. One that is known by that handle is of the
// snapshot; a location may be set anew.
func (p *replay) name(n *state.Names, handle uint32, place []byte) error {
	r := &p.record
	switch known := uint64(n.Len()); {
	case uint64(handle) > known: // as int, a handle of 32 bits may be below zero
		return p.unsound("a handle out of turn")
	case uint64(handle) == known:
		if n.Len() >= n.Limit {
			return fmt.Errorf("reservation: record %d: %d names: %w", p.sequence, n.Limit, ErrFull)
		}
		n.Put(cloned(r.Name))
	case n.Name(handle) != r.Name:
		return p.unsound("a handle with two names")
	}
	if r.Kind == history.LocationSet {
		p.ledger.state.Places.Set(handle, place)
	}
	return nil
}

// held brings in a new reservation.
func (p *replay) held() error {
	r, e := &p.record, &p.entry
	e.Fingerprint, e.Distance, e.Sequence = r.Fingerprint, r.Distance, p.sequence
	e.Deadline, e.Pickup, e.Since, e.Promise = r.Deadline, 0, r.Time, r.Promise
	e.Location, e.Origin, e.To = r.Slot, r.Slot, 0
	e.State, e.Reminded, e.Rejects = Held, false, 0
	e.Refs = book.Refs{Order: r.Order, Customer: r.Customer, Owner: r.Owner, Channel: r.Channel}
	e.Parts, e.Cause, e.Note = r.Parts, r.Ref, string(r.Place)
	if !book.NoteFits(e.Cause, e.Note) { // earlier versions had other limits of each
		return p.unsound("a reservation with too long a note")
	}
	e.Lines = e.Lines[:0]
	skus := p.ledger.state.SKUs.Len()
	for _, line := range r.Lines {
		if line.Units < 1 || line.Units > MaxQuantity || uint64(line.SKU) >= uint64(skus) {
			return p.unsound("a line of no or too many units")
		}
		e.Lines = append(e.Lines, entryLine{SKU: line.SKU, Quantity: uint32(line.Units), Held: uint32(line.Units)})
	}
	if uint64(r.Slot) >= uint64(p.ledger.state.Slots.Len()) || len(e.Lines) == 0 {
		return p.unsound("a reservation of nothing or nowhere")
	}
	return p.add(book.KindOrder, r.ID)
}

// add puts p.entry into the book, unless a snapshot has it or a later state of
// it. An ended one of the same ID is one that had been forgotten by then.
func (p *replay) add(kind book.Kind, id string) error {
	b := p.ledger.state.Book
	hash := p.hash
	if hash == 0 || kind != book.KindOrder {
		hash = b.Hash(kind, id)
	}
	_, added, err := b.AddHashed(hash, kind, id, &p.entry, nil, &p.found)
	if err != nil {
		return p.unsound(tooLong)
	}
	if added {
		if kind == book.KindOrder {
			p.hold(&p.entry, -1)
		}
		return nil
	}
	if p.found.Sequence >= p.sequence {
		return nil
	}
	if kind == book.KindOrder && !p.found.State.Ended() {
		return p.unsound("a reservation made twice")
	}
	b.Drop(kind, id)
	b.AddHashed(hash, kind, id, &p.entry, nil, nil)
	if kind == book.KindOrder {
		p.hold(&p.entry, -1)
	}
	return nil
}

// hold changes what is available by the units an entry has open, in a ledger
// that has its stock laid out already; sign −1 takes them.
func (p *replay) hold(e *book.Entry, sign int64) {
	if !p.ledger.state.LaidOut() || e.State == InTransit || e.State.Ended() {
		return
	}
	for i := range e.Lines {
		line := &e.Lines[i]
		if open := int64(line.Held) + int64(line.Confirmed); open > 0 {
			p.ledger.state.Stock.Change(line.SKU, e.Location, sign*open)
		}
	}
}

// moved brings in a movement: what is on hand after it is said in full, so it may
// be brought in twice.
func (p *replay) moved() error {
	r, e := &p.record, &p.entry
	slots := uint64(p.ledger.state.Slots.Len())
	if uint64(r.Slot) >= slots || r.Cause == history.Sent && uint64(r.To) >= slots {
		return p.unsound("a movement nowhere")
	}
	if err := p.shelve(r.Slot); err != nil {
		return err
	}
	*e = book.Entry{Fingerprint: r.Fingerprint, Sequence: p.sequence, Location: r.Slot, Origin: r.Slot, Deadline: r.Time, Lines: e.Lines[:0]}
	switch r.Cause {
	case history.Sent:
		e.State, e.To, e.Since = InTransit, r.To, r.Time
		for _, line := range r.Lines {
			e.Lines = append(e.Lines, entryLine{SKU: line.SKU, Quantity: uint32(-line.Units), Confirmed: uint32(-line.Units)})
		}
		return p.add(book.KindTransfer, r.ID)
	case history.Delivered, history.Lost:
		if err := p.delivered(); err != nil {
			return err
		}
		*e = book.Entry{Fingerprint: r.Fingerprint, Sequence: p.sequence, Location: r.Slot, Origin: r.Slot, Deadline: r.Time, Lines: e.Lines[:0]}
	}
	return p.add(book.KindMovement, r.ID)
}

// shelve notes what is on hand after the record, and the change, for counts as of
// a time.
func (p *replay) shelve(slot uint32) error {
	r, l := &p.record, p.ledger
	f := l.state.Floor(slot)
	for _, line := range r.Lines {
		if line.OnHand < 0 || line.OnHand > MaxQuantity || uint64(line.SKU) >= uint64(l.state.SKUs.Len()) {
			return p.unsound("units on hand out of range")
		}
		units := onHandChange(r, line.Units)
		if r.Kind != history.Moved && ruleOf(r).Goods.Gone {
			// Goods that a count had taken away already were not taken again. What
			// a snapshot has of them it may have from after this record: then it
			// is not known here.
			units = line.OnHand - l.state.OnHand(line.SKU, slot)
			if p.sequence <= p.to {
				f.Since = max(f.Since, r.Time)
			}
		}
		l.state.SetOnHand(line.SKU, slot, line.OnHand)
		if units != 0 && !l.state.Classes.Resource(line.SKU) {
			f.Remember(state.ShelfChange{Time: r.Time, SKU: line.SKU, Slot: slot, Units: units})
		}
	}
	return nil
}

// onHandChange is by how much a record changed the units on hand.
func onHandChange(r *history.Record, units int64) int64 {
	switch {
	case r.Kind == history.Moved && r.Cause == history.Lost:
		return 0
	case r.Kind != history.Moved && ruleOf(r).Goods.OnHand < 0:
		return -units
	}
	return units
}

// ruleOf is the row of the table that a record of a reservation stands in.
func ruleOf(r *history.Record) *life.Rule { return life.Of(verbOf(r)) }

// verbOf is what a record says about a reservation.
func verbOf(r *history.Record) life.Verb { return r.Kind.Verb(r.Cause, r.Ref != "", r.Missing) }

// rule is the row of the table that the change stands in.
func (p *replay) rule() *life.Rule { return life.Of(p.change.Verb) }

// movesShelf tells the verbs whose records say how many units are on hand after it
// because they changed that.
func movesShelf(rule *life.Rule) bool { return rule.Goods.OnHand != 0 || rule.Goods.Gone }

// delivered brings in goods of a transfer that arrived or were lost.
func (p *replay) delivered() error {
	_, err := p.ledger.state.Book.Change(book.KindTransfer, p.record.Ref, &p.entry, redo{p})
	if err == ErrNotFound && p.mayBeForgotten() {
		return nil
	}
	return err
}

// changed brings in a change of a reservation.
func (p *replay) changed() error {
	r, l := &p.record, p.ledger
	if !p.shelved && movesShelf(ruleOf(r)) {
		if err := p.shelve(r.Slot); err != nil {
			return err
		}
	}
	p.change = state.Transition{Verb: verbOf(r), Now: r.Time, Deadline: r.Deadline, Code: cloned(r.Code), Owner: cloned(r.Owner),
		Channel: cloned(r.Channel), Slot: r.Slot}
	if r.Kind == history.Dispatched {
		p.change.Slot = r.To
	}
	if r.Kind == history.Rerouted {
		if uint64(r.To) >= uint64(l.state.Slots.Len()) || len(r.Place) > MaxNoteBytes || r.Ref == "" && r.Missing {
			return p.unsound("a reroute to nowhere")
		}
		p.change.Went = state.Went{To: r.To, Distance: r.Distance, Promise: r.Promise, Note: string(r.Place), Parts: r.Parts}
	}
	p.entry.Lines = p.entry.Lines[:0]
	_, err := l.state.Book.Change(book.KindOrder, r.ID, &p.entry, redo{p})
	if errors.Is(invalid(err), ErrInvalid) {
		return p.unsound(tooLong)
	}
	if err == ErrNotFound && (p.mayBeForgotten() || p.rule().AfterEnd()) {
		err = nil
	}
	if err != nil || r.Change == "" {
		return err
	}
	id, state, rejects := r.Change, p.entry.State, p.entry.Rejects
	p.entry = book.Entry{Fingerprint: r.Fingerprint, Sequence: p.sequence, State: state, Deadline: r.Time, Lines: p.entry.Lines[:0]}
	if r.Kind == history.Rejected {
		p.entry.Rejects = rejects
	}
	return p.add(book.KindChange, id)
}

// mayBeForgotten tells the records whose reservation may have ended and been
// forgotten while the snapshot was being written.
func (p *replay) mayBeForgotten() bool { return p.sequence <= p.to }

// redo is replay as a rule of the book: what was done then is done again, unless
// the entry has it already.
type redo struct{ *replay }

func (p redo) Apply(_ string, e *book.Entry) ([]byte, error) {
	if p.sequence <= e.Sequence {
		return nil, nil
	}
	r := &p.record
	p.given = p.given[:0]
	at := 0
	for _, line := range r.Lines {
		for at < len(e.Lines) && e.Lines[at].SKU < line.SKU {
			at++
		}
		if at == len(e.Lines) || e.Lines[at].SKU != line.SKU || line.Units < 0 || line.Units > p.there(&e.Lines[at]) {
			return nil, p.unsound("more units than the reservation has")
		}
		p.given = append(p.given, Line{SKU: line.SKU, Quantity: line.Units})
	}
	p.replay.given = p.given
	if r.Kind == history.Moved {
		state.Deliver(e, r.Cause, r.Time, p.given)
	} else {
		if e.State.Ended() && !p.rule().AfterEnd() {
			return nil, p.unsound("a change of a reservation that has ended")
		}
		p.hold(e, +1)
		p.replay.effects = p.change.Advance(e, p.given, p.ledger.state.Classes, p.effects[:0])
		p.hold(e, -1)
	}
	e.Sequence = p.sequence
	if r.Kind != history.Moved && !e.Sound() {
		return nil, p.unsound("a reservation that does not add up")
	}
	return nil, nil
}

// there is how many units of a line the record can be about.
func (p redo) there(line *entryLine) int64 {
	if p.record.Kind == history.Moved {
		return int64(line.Confirmed)
	}
	if p.ledger.state.Classes.Resource(line.SKU) {
		return p.rule().MovableResource(line)
	}
	return p.rule().Movable(line)
}

// cloned is a text that outlives the record's bytes.
func cloned(s string) string { return strings.Clone(s) }
