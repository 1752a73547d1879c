package state

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// Room is where one goroutine applies records, one after the other. The zero value
// applies whole records to a state that holds what all the records before say.
type Room struct {
	// Part is what of a record is applied.
	Part Part
	// Exact is the record at which the snapshot is exact from which the state was read:
	// it may have something of each record up to there, which is then not applied
	// again. 0: there is none.
	Exact uint64

	state    *State
	r        *history.Record
	sequence uint64
	hash     uint64 // of the ID of the record's reservation; 0: not worked out yet
	step     Transition
	lines    []history.Line // of the record, those of the entry that it is about
	given    []stock.Line
	effects  []Effect
	entry    book.Entry
	found    book.Entry
}

// Part says what of a record is applied. Whoever shares the work has one goroutine
// apply the shelf of every record, in order, and several the entries, each in order
// those of some reservations; no entry comes before the shelf of its record.
type Part uint8

const (
	Whole Part = iota // all of it
	Entry             // what becomes of a reservation, and of its units that are available
	Shelf             // all the rest: names, notes, movements, and what is on hand after a change of a reservation
)

// HasEntry tells the kinds of records that make a reservation or change it.
func HasEntry(k history.Kind) bool { return k == history.Held || k.Verb(0, false, false) != 0 }

// HasShelf tells the kinds of records of which there is anything to apply besides the
// reservation.
func HasShelf(k history.Kind) bool {
	return !HasEntry(k) || life.Of(k.Verb(0, false, false)).Says&life.SaysOnHand != 0
}

// UnsoundError is a record that contradicts the ones before it.
type UnsoundError struct {
	What     string
	ID       string // of the reservation or movement concerned, if any
	Sequence uint64 // of the record; 0: it is no single one
}

// Error says what contradicts what.
func (e *UnsoundError) Error() string {
	return fmt.Sprintf("%s (ID %q, record %d)", e.What, e.ID, e.Sequence)
}

// Apply brings in what a record says, as it was when it happened. It reads no clock
// and judges no deadline: what expired is in a record of its own. It is the one place
// where a record that was read changes what a ledger holds; nobody else changes it
// meanwhile, but for the goroutines that share the work (Part).
//
// Before the stock is laid out, what is on hand is noted. Afterwards what reservations
// hold is taken off what is available with each record; what is on its way to a
// location, and who is short, is then as it was when the stock was laid out.
//
// Errors: *UnsoundError; ErrFull; ErrKey, ErrNewerKey. The state is of no use then.
func (s *State) Apply(room *Room, sequence uint64, r *history.Record) error {
	return s.ApplyHashed(room, 0, sequence, r)
}

// ApplyHashed is Apply for callers that have the hash of the ID of the record's
// reservation.
func (s *State) ApplyHashed(room *Room, hash, sequence uint64, r *history.Record) error {
	room.state, room.r, room.hash, room.sequence = s, r, hash, sequence
	s.Reach(r.Time)
	if r.Part|r.Other != 0 || len(r.Shares) > 0 {
		s.Numbered(sequence)
	}
	if HasEntry(r.Kind) {
		return room.reservation()
	}
	if room.Part == Entry {
		return nil
	}
	switch r.Kind {
	case history.Moved:
		return room.moved()
	case history.SKUAdded:
		return room.name(s.SKUs, r.SKU)
	case history.LocationSet:
		if err := room.name(s.Slots, r.Slot); err != nil {
			return err
		}
		s.Places.Set(r.Slot, r.Place)
	case history.LocationRemoved:
		s.Remove(r.Slot)
	case history.SafetySet:
		if len(r.Lines) != 1 {
			return room.unsound("a safety stock without its level")
		}
		return s.SetSafety(SafetyLevel{SKU: r.SKU, Slot: r.Slot, Units: r.Lines[0].Units}, func() error { return nil })
	case history.NoteSet:
		return s.note(r, sequence)
	}
	return nil
}

// reservation brings in a record that makes a reservation or changes it.
func (p *Room) reservation() error {
	if p.Part != Entry && movesShelf(ruleOf(p.r)) {
		if err := p.shelveAll(); err != nil {
			return err
		}
	}
	switch {
	case p.Part == Shelf:
		return nil
	case p.r.Kind == history.Held:
		return p.held()
	}
	return p.changed()
}

// note brings in a note: a caller's, or the key of digests. The order of a walk of the
// book follows from that key, if the key comes before all that the book holds: in the
// front of a snapshot, or as the first record there is.
func (s *State) note(r *history.Record, sequence uint64) (err error) {
	if r.Name != KeyNote {
		s.Notes.Put(strings.Clone(r.Name), bytes.Clone(r.Place))
		return nil
	}
	if s.Digests, err = ReadKey(r.Place); err == nil && (sequence == 0 || s.Digests.Since == 0) {
		book.Keyed(s.Book, (*[3]uint64)(s.Digests.Words))
	}
	return err
}

// tooLong is what former versions may have written: they gave a part an ID that was
// longer than its length could say.
const tooLong = "an ID or a reference that is too long to be kept"

func (p *Room) unsound(what string) error {
	return &UnsoundError{What: what, ID: strings.Clone(p.r.ID), Sequence: p.sequence}
}

// name brings in a SKU or a location. One that is known by that handle is of the
// snapshot; a location may be set anew.
func (p *Room) name(n *Names, handle uint32) error {
	switch known := uint64(n.Len()); {
	case uint64(handle) > known: // as int, a handle of 32 bits may be below zero
		return p.unsound("a handle out of turn")
	case uint64(handle) == known:
		if n.Len() >= n.Limit {
			return fmt.Errorf("%d names: %w", n.Limit, ErrFull)
		}
		n.Put(strings.Clone(p.r.Name))
	case n.Name(handle) != p.r.Name:
		return p.unsound("a handle with two names")
	}
	return nil
}

// held brings in a new reservation.
func (p *Room) held() error {
	r, e := p.r, &p.entry
	e.Fingerprint, e.Distance, e.Sequence = r.Fingerprint, r.Distance, p.sequence
	e.Deadline, e.Pickup, e.Since, e.Promise = r.Deadline, 0, r.Time, r.Promise
	e.Location, e.Origin, e.To, e.Form = r.Slot, r.Slot, r.Store, r.Form
	e.State, e.Reminded, e.Rejects = life.Held, false, 0
	e.Refs = book.Refs{Order: r.Order, Customer: r.Customer, Owner: r.Owner, Channel: r.Channel}
	e.Parts, e.Part, e.From, e.Note, e.Parcel = r.Parts, partOf(r.Part), r.Other, string(r.Place), book.Parcel{}
	if !book.NoteFits(e.Note) { // former versions had other limits
		return p.unsound("a reservation with too long a note")
	}
	id := r.ID
	if r.Part == 0 && (r.Parts > 1 || r.Ref != "") {
		id = p.formerPart(r)
	}
	e.Lines = e.Lines[:0]
	skus := p.state.SKUs.Len()
	for _, line := range r.Lines {
		if line.Units < 1 || line.Units > stock.MaxQuantity || uint64(line.SKU) >= uint64(skus) {
			return p.unsound("a line of no or too many units")
		}
		e.Lines = append(e.Lines, life.Line{SKU: line.SKU, Quantity: uint32(line.Units), Held: uint32(line.Units)})
	}
	if slots := uint64(p.state.Slots.Len()); uint64(r.Slot) >= slots || uint64(r.Store) >= max(slots, 1) || len(e.Lines) == 0 {
		return p.unsound("a reservation of nothing or nowhere")
	}
	return p.add(book.KindOrder, id)
}

// add puts p.entry into the book, unless a snapshot has it or a later state of
// it. An ended one of the same ID is one that had been forgotten by then.
func (p *Room) add(kind book.Kind, id string) error {
	b := p.state.Book
	hash := p.hash
	if hash == 0 || kind != book.KindOrder || p.entry.Part > 1 {
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
	b.LoadHashed(hash, kind, id, &p.entry)
	if kind == book.KindOrder {
		p.hold(&p.entry, -1)
	}
	return nil
}

// hold changes what is available by the units an entry has open, once the stock is
// laid out; sign −1 takes them.
func (p *Room) hold(e *book.Entry, sign int64) {
	if !p.state.LaidOut() || e.State.OnRoad() || e.State.Ended() {
		return
	}
	for i := range e.Lines {
		line := &e.Lines[i]
		if open := line.Open(); open > 0 {
			p.state.Stock.Change(line.SKU, e.Location, sign*open)
		}
	}
}

// moved brings in a movement: what is on hand after it is said in full, so it may
// be brought in twice.
func (p *Room) moved() error {
	r, e := p.r, &p.entry
	slots := uint64(p.state.Slots.Len())
	if uint64(r.Slot) >= slots || r.Cause == history.Sent && uint64(r.To) >= slots {
		return p.unsound("a movement nowhere")
	}
	if err := p.shelve(r.Slot, r.Lines); err != nil {
		return err
	}
	*e = book.Entry{Fingerprint: r.Fingerprint, Sequence: p.sequence, Location: r.Slot, Origin: r.Slot, Deadline: r.Time, Lines: e.Lines[:0]}
	switch r.Cause {
	case history.Sent:
		e.State, e.To, e.Since = life.InTransit, r.To, r.Time
		for _, line := range r.Lines {
			e.Lines = append(e.Lines, life.Line{SKU: line.SKU, Quantity: uint32(-line.Units), Confirmed: uint32(-line.Units)})
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

// shelveAll notes what is on hand after a change of a reservation, at each location.
func (p *Room) shelveAll() error {
	if len(p.r.Shares) == 0 {
		return p.shelve(p.r.Slot, p.r.Lines)
	}
	lines := p.r.Lines
	for _, s := range p.r.Shares {
		if err := p.shelve(s.Slot, lines[:s.Lines]); err != nil {
			return err
		}
		lines = lines[s.Lines:]
	}
	return nil
}

// shelve notes what is on hand after the record, and the change, for counts as of
// a time.
func (p *Room) shelve(slot uint32, lines []history.Line) error {
	r, s := p.r, p.state
	f := s.Floor(slot)
	large := f.Large(s.changedIn(r), slot, r.Time)
	for _, line := range lines {
		if line.OnHand < 0 || line.OnHand > stock.MaxQuantity || uint64(line.SKU) >= uint64(s.SKUs.Len()) {
			return p.unsound("units on hand out of range")
		}
		units := onHandChange(r, line.Units)
		if r.Kind != history.Moved && ruleOf(r).Goods.Gone {
			// Goods that a count had taken away already were not taken again. What
			// a snapshot has of them it may have from after this record: then it
			// is not known here.
			units = line.OnHand - s.OnHand(line.SKU, slot)
			if p.sequence <= p.Exact {
				f.Since = max(f.Since, r.Time)
			}
		}
		s.SetOnHand(line.SKU, slot, line.OnHand)
		if units != 0 && !large && !s.Classes.Resource(line.SKU) {
			f.Remember(ShelfChange{Time: r.Time, SKU: line.SKU, Slot: slot, Units: units})
		}
	}
	return nil
}

// changedIn is how many SKUs' units on hand a movement of many lines changed.
func (s *State) changedIn(r *history.Record) (n int) {
	if r.Kind != history.Moved || len(r.Lines) <= recentKept {
		return 0 // all of it is remembered
	}
	for i := range r.Lines {
		sku := r.Lines[i].SKU
		if onHandChange(r, r.Lines[i].Units) != 0 && uint64(sku) < uint64(s.SKUs.Len()) && !s.Classes.Resource(sku) {
			n++
		}
	}
	return n
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
func verbOf(r *history.Record) life.Verb { return r.Kind.Verb(r.Cause, r.Elsewhere(), r.Missing) }

// movesShelf tells the verbs whose records say how many units are on hand after it
// because they changed that.
func movesShelf(rule *life.Rule) bool { return rule.Goods.OnHand != 0 || rule.Goods.Gone }

// delivered brings in goods of a transfer that arrived or were lost.
func (p *Room) delivered() error {
	p.lines = p.r.Lines
	_, err := p.state.Book.Change(book.KindTransfer, p.r.Ref, &p.entry, redo{p})
	if err == book.ErrNotFound && p.mayBeForgotten() {
		return nil
	}
	return err
}

// changed brings in a change of a reservation.
func (p *Room) changed() error {
	r := p.r
	p.step = Transition{Verb: verbOf(r), Now: r.Time, Deadline: r.Deadline, Code: strings.Clone(r.Code), Owner: strings.Clone(r.Owner),
		Channel: strings.Clone(r.Channel), Slot: r.Slot, Parcel: book.Parcel{Carrier: strings.Clone(r.Carrier), Tracking: strings.Clone(r.Tracking)}}
	if max(len(r.Carrier), len(r.Tracking)) > book.MaxParcelBytes {
		return p.unsound("a parcel with too long a number")
	}
	if r.Kind == history.Dispatched {
		p.step.Slot = r.To
	}
	if r.Kind == history.Rerouted {
		if slots := uint64(p.state.Slots.Len()); uint64(r.To) >= slots || uint64(r.Store) >= slots || len(r.Place) > book.MaxNoteBytes || !r.Elsewhere() && r.Missing {
			return p.unsound("a reroute to nowhere")
		}
		p.step.Went = Went{To: r.To, Distance: r.Distance, Promise: r.Promise, Note: string(r.Place), Parts: r.Parts, Form: r.Form, Store: r.Store}
	}
	err := p.shares()
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

// shares brings in a change of one part of an order after the other.
func (p *Room) shares() error {
	r := p.r
	if len(r.Shares) == 0 {
		return p.change(p.nameOf(r), r.Lines)
	}
	lines := r.Lines
	for i := range r.Shares {
		s := &r.Shares[i]
		if err := p.change(book.Name{ID: r.ID, Part: partOf(s.Part)}, lines[:s.Lines]); err != nil {
			return err
		}
		lines = lines[s.Lines:]
	}
	return nil
}

// formerPart says what a former version has held: p.entry becomes a part if it is one,
// and the ID is the order's. A reroute made it, or it was made with the first part, in
// one frame of the journal and of the same content.
func (p *Room) formerPart(r *history.Record) (id string) {
	order, n := FormerName(r.ID)
	if n == 0 {
		return r.ID
	}
	first := p.state.Book.Find(book.KindOrder, order, &p.found) && p.found.Fingerprint == r.Fingerprint && p.found.Parts >= n
	if r.Ref == "" && !first {
		return r.ID
	}
	if p.state.Book.Find(book.KindOrder, r.ID, &p.found) && p.found.State.Ended() { // had been forgotten by then
		p.state.Book.Drop(book.KindOrder, r.ID)
	}
	p.entry.Part = n
	if r.Ref != "" {
		p.entry.From = FormerFrom(order, r.Ref)
	}
	return strings.Clone(order)
}

// nameOf is what a record of one reservation is about.
func (p *Room) nameOf(r *history.Record) book.Name {
	if r.Part > 0 {
		return book.Name{ID: r.ID, Part: partOf(r.Part)}
	}
	if order, n := FormerName(r.ID); n > 0 && !p.state.IsNumbered(p.sequence) && !p.state.Book.Find(book.KindOrder, r.ID, &p.found) {
		return book.Name{ID: order, Part: n}
	}
	return book.Name{ID: r.ID}
}

// partOf is the number of a part as the book has it: the first one has none.
func partOf(number uint8) uint8 {
	if number == 1 {
		return 0
	}
	return number
}

// change brings in what a record does to one part of an order.
func (p *Room) change(n book.Name, lines []history.Line) error {
	if p.r.Kind == history.Arrived {
		p.step.Slot = p.r.Slot
		if len(p.r.Shares) > 0 {
			p.step.Slot = p.slotOf(n.Part)
		}
	}
	p.lines = lines
	p.entry.Lines = p.entry.Lines[:0]
	_, err := p.state.Book.ChangePart(n, &p.entry, redo{p})
	if long := (*book.TooLongError)(nil); err != nil && errors.As(err, &long) {
		return p.unsound(tooLong)
	}
	if err == book.ErrNotFound && (p.mayBeForgotten() || p.rule().AfterEnd()) {
		err = nil
	}
	return err
}

// slotOf is the location of a part's share.
func (p *Room) slotOf(part uint8) uint32 {
	for i := range p.r.Shares {
		if partOf(p.r.Shares[i].Part) == part {
			return p.r.Shares[i].Slot
		}
	}
	return p.r.Slot
}

// rule is the row of the table that the step stands in.
func (p *Room) rule() *life.Rule { return life.Of(p.step.Verb) }

// mayBeForgotten tells the records whose reservation may have ended and been
// forgotten while the snapshot was being written.
func (p *Room) mayBeForgotten() bool { return p.sequence <= p.Exact }

// redo is a rule of the book: what was done when a record was made is done again,
// unless the entry has it already.
type redo struct{ *Room }

func (p redo) Apply(_ string, e *book.Entry) ([]byte, error) {
	if p.sequence <= e.Sequence {
		return nil, nil
	}
	r := p.r
	p.given = p.given[:0]
	at := 0
	for _, line := range p.lines {
		for at < len(e.Lines) && e.Lines[at].SKU < line.SKU {
			at++
		}
		if at == len(e.Lines) || e.Lines[at].SKU != line.SKU || line.Units < 0 || line.Units > p.there(&e.Lines[at]) {
			return nil, p.unsound("more units than the reservation has")
		}
		p.given = append(p.given, stock.Line{SKU: line.SKU, Quantity: line.Units})
	}
	if r.Kind == history.Moved {
		Deliver(e, r.Cause, r.Time, p.given)
	} else {
		if e.State.Ended() && !p.rule().AfterEnd() {
			return nil, p.unsound("a change of a reservation that has ended")
		}
		p.hold(e, +1)
		p.effects = p.step.Advance(e, p.given, p.state.Classes, p.effects[:0])
		p.hold(e, -1)
	}
	e.Sequence = p.sequence
	if r.Kind != history.Moved && !e.Sound() {
		return nil, p.unsound("a reservation that does not add up")
	}
	return nil, nil
}

// there is how many units of a line the record can be about.
func (p redo) there(line *life.Line) int64 {
	if p.r.Kind == history.Moved {
		return int64(line.Confirmed)
	}
	if p.state.Classes.Resource(line.SKU) {
		return p.rule().MovableResource(line)
	}
	return p.rule().Movable(line)
}
