package reservation

import (
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// Reroute takes a reservation, or some of its units, to another place.
type Reroute struct {
	ID    string // the order's
	Part  uint8  // the number of the part that it is about; 0 and 1: the first, or the only one
	Now   int64  // engine time
	Cause history.Cause
	// Lines are the units that leave it, ascending by SKU, each once; nil: all
	// that are held or confirmed, or with Missing all that are missing. Held units
	// stay held, confirmed ones confirmed.
	Lines []Line
	// Missing tells that the units were not found or got lost, so that there is
	// nothing to free. It is possible in any state, also after the end.
	Missing bool
	// To is where they are from now on. Without a number it is the same part
	// at another location: then all open units go, To.Lines are the same units, and
	// of To only Slot, Distance, Promise, Note and Form with its Store (none: the old
	// one stays) count.
	// With a number, 2 or more, it is a new part of the order: references
	// and a Form that are not said are those of the old one, Deadline 0 is its deadline,
	// ID, Now and From are set; Parts, which is at least its number, becomes the old
	// one's if it is more than that has.
	To Part
}

// Reroute takes units of a reservation elsewhere: it takes the new units first,
// records everything at once, and frees the old ones last. It returns Done, and
// *found is the part as it is then; or Known, and *found is what is
// there, when the part is at To.Slot already, or there is one of To.Part; or Failed, and
// Err says why; or the index of a line of To that is short. But for Done nothing
// was changed.
//
// Errors: ErrNotFound, *EndedError, *StateError (ready, on its way; in place also
// when something was collected, is missing or has lapsed), *ShortageError (more
// than the reservation has open, or than is missing), ErrInvalid (in place: To.Lines
// are not what is open), ErrUnknownLocation, ErrJournal.
//
// Linearizes at: the critical section of the order's shard, in which both records are
// written. Whoever looks at the book sees the units in
// one place; whoever looks at the stock may see them taken in both for a moment,
// never in none. Against a confirmation, cancellation, expiry or collection, the
// first one wins; a reroute that comes second gives the new units back.
func (p *Parts) Reroute(l *Ledger, r *Reroute, found *Entry) int {
	p.ticket, p.err = Ticket{}, nil
	x := &p.moving
	x.begin(l, p, r)
	how, err := x.run(found)
	x.release()
	if err != nil {
		p.err = fmt.Errorf("reservation: reroute %s: %w", shown(r.ID), invalid(err))
		return Failed
	}
	return how
}

// rerouting is a reroute being worked out. It is a rule of the book.
type rerouting struct {
	step
	r      *Reroute
	p      *Parts
	of     Change
	went   went
	part   Part
	target book.Entry // the new part
}

// errThere: a reservation is already where a reroute was to take it.
var errThere = errors.New("reservation is there")

func (x *rerouting) begin(l *Ledger, p *Parts, r *Reroute) {
	x.ledger, x.p, x.r = l, p, r
	x.part = r.To
	x.part.Parts = max(r.To.Parts, r.To.name().Part)
	x.went = went{part: r.To.name().Part, missing: r.Missing,
		Went: state.Went{To: r.To.Slot, Distance: r.To.Distance, Promise: r.To.Promise, Note: string(r.To.Note), Parts: x.part.parts(),
			Form: r.To.Form, Store: r.To.Store}}
	x.of = Change{Verb: history.Rerouted, ID: r.ID, Part: max(r.Part, 1), Now: r.Now, Lines: r.Lines, Cause: r.Cause, went: &x.went}
	x.change = &x.of
	x.part.ID, x.part.Now, x.part.From = r.ID, r.Now, max(r.Part, 1)
	if n := cap(x.entry.Lines); n == 0 || n > keptLines {
		x.entry.Lines = x.room[:0]
	}
}

// release drops the strings and lines of the reroute.
func (x *rerouting) release() {
	x.r, x.change, x.of, x.part, x.parts = nil, nil, Change{}, Part{}, nil
	x.record.Reset()
	x.entry.Refs, x.target.Refs = book.Refs{}, book.Refs{}
}

func (x *rerouting) run(found *Entry) (int, error) {
	l := x.ledger
	if err := x.check(); err != nil {
		return Failed, err
	}
	if !l.state.Book.FindPart(x.of.name(), &x.entry) {
		return Failed, ErrNotFound
	}
	if x.went.part != 0 && l.state.Book.FindPart(x.part.name(), &x.target) {
		return x.known(&x.target, found)
	}
	switch err := x.could(&x.entry); {
	case errors.Is(err, errThere):
		return x.known(&x.entry, found)
	case err != nil:
		return Failed, err
	}
	x.p.pick([]Part{x.part})
	if short := x.p.picks.Take(l.state.Stock, x.p.list); short >= 0 {
		return x.p.lines[short], nil
	}
	return x.enter(found)
}

// check refuses what the journal could not take, or what no reroute is.
func (x *rerouting) check() error {
	r := x.r
	switch {
	case x.went.part == 0 && r.Missing:
		return &InvalidError{Field: "To.Part", Value: r.To.Part, Why: "must be 2 or more for units that are missing"}
	case x.went.part != 0 && x.went.part == x.of.name().Part:
		return &InvalidError{Field: "To.Part", Value: r.To.Part, Why: "must be another one"}
	case uint64(r.To.Slot) >= uint64(x.ledger.Slots()) || x.ledger.isGone(r.To.Slot):
		return ErrUnknownLocation
	}
	return x.part.check("To", x.ledger.Slots())
}

// known is the outcome when what was asked for is there.
func (x *rerouting) known(e *book.Entry, found *Entry) (int, error) {
	export(e, found)
	x.p.ticket = Ticket{Sequence: e.Sequence}
	return Known, nil
}

// could plans the reroute of an entry.
func (x *rerouting) could(e *book.Entry) error {
	if x.went.part == 0 && e.Location == x.went.To && !e.State.Ended() {
		return errThere
	}
	if err := x.plan(e); err != nil {
		return err
	}
	if len(x.given) == 0 {
		return stateError(e, x.change)
	}
	if x.went.part == 0 {
		if !book.NoteFits(x.went.Note) {
			return fmt.Errorf("a note of %d bytes: %w", len(x.went.Note), ErrFull) // its ID is of a version that had room for longer ones
		}
		return x.whole(e)
	}
	return nil
}

// whole checks that a reservation that stays the same loses nothing on the way.
func (x *rerouting) whole(e *book.Entry) error {
	for i := range e.Lines {
		l := &e.Lines[i]
		if l.Collected|l.Missing|l.Lapsed != 0 {
			return stateError(e, x.change)
		}
		if open := int64(l.Held) + int64(l.Confirmed); open != x.givenOf(l.SKU) {
			return &InvalidError{Field: "Lines", Value: x.r.Lines, Why: "must be all that is held or confirmed if To has no number"}
		}
	}
	same := len(x.given) == len(x.part.Lines)
	for i := 0; same && i < len(x.given); i++ {
		same = x.given[i].SKU == x.part.Lines[i].SKU && x.given[i].Quantity == x.part.Lines[i].Quantity
	}
	if !same {
		return &InvalidError{Field: "To.Lines", Value: x.part.Lines, Why: "must be all that is held or confirmed if To has no number"}
	}
	return nil
}

// enter records the reroute, for which the new units are taken.
func (x *rerouting) enter(found *Entry) (int, error) {
	l, p, r := x.ledger, x.p, x.r
	var t Ticket
	var err error
	there := false
	if x.went.part == 0 {
		t, err = l.state.Book.ChangePart(x.of.name(), &x.entry, x)
		if errors.Is(err, errThere) {
			there, err = true, nil
		}
	} else {
		var added bool
		x.target.Part = x.went.part
		t, added, err = l.state.Book.Move(x.of.name(), &x.entry, &x.target, x, &p.found)
		there = err == nil && !added
	}
	if err != nil || there {
		p.picks.Undo()
		switch {
		case err != nil:
			return Failed, err
		case x.went.part == 0:
			return x.known(&x.entry, found)
		}
		return x.known(&p.found, found)
	}
	p.ticket = t
	p.picks.Settle()
	l.state.Show(x.effects)
	if l.shorts.any() {
		l.coverFreed(x.effects, r.Now)
	}
	export(&x.entry, found)
	return Done, nil
}

// apply is the rule of a reroute in place.
func (x *rerouting) Apply(id string, e *book.Entry) ([]byte, error) {
	if err := x.could(e); err != nil {
		return nil, err
	}
	from := e.Location
	x.before = stateOf(x.ledger.state.Classes, e, nil, x.parts)
	x.advance(e)
	if x.ledger.queue == nil {
		return nil, nil
	}
	x.p.start()
	x.log(id, e, from, nil)
	return x.p.bytes, nil
}

// move is the rule of a reroute into a new part.
func (x *rerouting) Move(id string, e, part *book.Entry) ([][]byte, error) {
	if err := x.could(e); err != nil {
		return nil, err
	}
	to, p := &x.part, x.p
	if to.Deadline == 0 {
		to.Deadline = e.Deadline
	}
	if to.Form == Unsaid {
		to.Form, to.Store = e.Form, e.Store()
	}
	for _, text := range [...]struct {
		to   *string
		from string
	}{{&to.Order, e.Refs.Order}, {&to.Customer, e.Refs.Customer}, {&to.Owner, e.Refs.Owner}, {&to.Channel, e.Refs.Channel}} {
		if *text.to == "" {
			*text.to = text.from
		}
	}
	holdLines(part, to.Lines)
	fill(part, &to.Hold)
	part.Sequence = 0
	confirmed := x.confirm(e, part)
	from := e.Location
	x.before = stateOf(x.ledger.state.Classes, e, nil, x.parts)
	x.advance(e)
	if x.ledger.queue == nil {
		return nil, nil
	}
	p.start()
	p.logHold(to)
	if len(confirmed) > 0 {
		r := &p.record
		*r = history.Record{Kind: history.Confirmed, Time: x.r.Now, ID: to.ID, Part: x.went.part, Slot: to.Slot, Order: to.Order, Customer: to.Customer, Lines: r.Lines[:0]}
		for _, line := range confirmed {
			r.Lines = append(r.Lines, history.Line{SKU: line.SKU, Units: line.Quantity})
		}
		p.log(r)
	}
	x.log(id, e, from, part)
	p.finish()
	return p.records, nil
}

// confirm confirms as many units of a new part as those that it replaces are
// confirmed, and returns them. Units that replace none of their kind are confirmed
// if any are.
func (x *rerouting) confirm(e, part *book.Entry) (lines []Line) {
	k := x.ledger.state.Classes
	sure, held := map[uint32]int64{}, false
	at := 0
	for _, g := range x.given {
		for e.Lines[at].SKU != g.SKU {
			at++
		}
		n := g.Quantity
		if !x.went.missing {
			n = min(n, int64(e.Lines[at].Confirmed))
		}
		held = held || n < g.Quantity
		sure[k.Base(g.SKU)] += n
	}
	total := int64(0)
	for _, n := range sure {
		total += n
	}
	if total == 0 {
		return nil
	}
	for i := range part.Lines {
		line := &part.Lines[i]
		n := int64(line.Quantity)
		if left, ok := sure[k.Base(line.SKU)]; held && ok && !k.Resource(line.SKU) {
			n = min(n, left)
			sure[k.Base(line.SKU)] -= n
		}
		if n > 0 {
			lines = append(lines, Line{SKU: line.SKU, Quantity: n})
		}
	}
	if len(lines) == 0 {
		return nil
	}
	t := state.Transition{Verb: life.Confirm}
	t.Advance(part, lines, nil, nil)
	return lines
}

// log writes the record of the reservation that the units have left, for a new part of
// the order or for none.
func (x *rerouting) log(id string, e *book.Entry, from uint32, part *book.Entry) {
	w, r := &x.went, &x.record
	*r = history.Record{Kind: history.Rerouted, Time: x.r.Now, Cause: x.r.Cause, ID: id, Part: numberOf(e), Slot: from, To: w.To, Other: w.part,
		Distance: w.Distance, Promise: w.Promise, Parts: w.Parts, Missing: w.missing,
		Order: e.Refs.Order, Customer: e.Refs.Customer, Channel: e.Refs.Channel, Lines: r.Lines[:0]}
	r.State = become(x.before, stateOf(x.ledger.state.Classes, e, part, x.parts))
	if w.part == 0 {
		r.Place = []byte(w.Note)
		r.Parts, r.Form, r.Store = e.Parts, w.Form, w.Store
	}
	for _, line := range x.given {
		r.Lines = append(r.Lines, history.Line{SKU: line.SKU, Units: line.Quantity})
	}
	x.p.log(r)
}
