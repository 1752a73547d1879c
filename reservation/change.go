package reservation

import (
	"fmt"
	"math"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// Ticket is the place of a change in the journal, for Ledger.Wait. The zero
// value is a change that was written before or that nothing writes down.
type Ticket = commit.Ticket

// Change is one step in the life of a reservation. Verb says which; the other
// fields are read as the verb needs them.
type Change struct {
	Verb  history.Kind
	ID    string // the order's
	Part  uint8  // the number of the part that it is about; 0: all parts of the order that are still open
	ID2   string // of the change itself, chosen by the caller; empty: it has none
	Print uint64 // digest of the content, to tell a repeat from a conflict; with ID2
	Now   int64  // engine time
	Lines []Line // ascending by SKU, each once; nil: all there is

	// Former is the digest that the content had before there was a key, see
	// Ledger.Former; with ID2. Nothing is ever recorded with it.
	Former uint64
	// FormerName is the digest with the part named as former versions did, by an ID of
	// its own; 0: it is of no part. Nothing is ever recorded with it.
	FormerName uint64

	Deadline int64         // Extended, Ready
	MaxHold  int64         // Extended: how long a hold may last in all, in milliseconds; 0: as long as it likes
	Code     string        // Ready: the pickup code; Shipped: the number of the parcel, at most MaxParcelBytes
	Token    string        // Reassigned: the owner so far
	Owner    string        // Reassigned: the owner from now on; Shipped: the carrier, at most MaxParcelBytes
	Channel  string        // Reassigned
	Slot     uint32        // Dispatched: to where; Returned, ReturnedToSender: where the goods came back, of the latter Everywhere: where they were sent from
	Cause    history.Cause // Returned, ReturnedToSender: Restocked, DamagedReturn or ToInspect; Rejected, RerouteFailed: why

	went *went // Rerouted, for which there is Parts.Reroute
}

// went is where the units of a Rerouted change are from now on.
type went struct {
	state.Went
	part    uint8 // the number of the part that has them; 0: the same
	missing bool  // they were not found or got lost before
}

// transition is what the change does, for the state.
func (c *Change) transition() state.Transition {
	t := state.Transition{Verb: c.verb(), Now: c.Now, Deadline: c.Deadline, Code: c.Code, Owner: c.Owner, Channel: c.Channel, Slot: c.Slot, Parcel: book.Parcel{Carrier: c.Owner, Tracking: c.Code}}
	if c.went != nil {
		t.Went = c.went.Went
	}
	return t
}

// is reports whether a change has the content of the entry under its ID.
func (c *Change) is(l *Ledger, found *book.Entry) bool {
	if c.Print == found.Fingerprint || c.FormerName != 0 && c.FormerName == found.Fingerprint {
		return true
	}
	_, former := l.Former(0, made(found))
	return former && c.Former == found.Fingerprint
}

// step is a change being worked out on one reservation under its shard's lock.
// It is a rule of the book, used by one goroutine at a time.
type step struct {
	ledger *Ledger
	change *Change
	// given are the units really moved, one line per SKU; effects what they mean
	// for the stock.
	given   []Line
	effects []state.Effect
	record  history.Record
	bytes   []byte
	entry   book.Entry
	room    [8]entryLine
	slot    uint32          // the location whose floor is locked, for verbs that need it
	moved   bool            // the reservation has left that location meanwhile
	before  life.OrderState // the order's, before the change
	parts   []book.Member   // the order's, before the change; none: it has one
	home    bool            // goods come back to where they were sent from: of one part, that is the location that the change names then
	all     wholeOrder
}

// verb is the row of the table that a change stands in.
func (c *Change) verb() life.Verb {
	w := c.went
	return c.Verb.Verb(c.Cause, w != nil && w.part != 0, w != nil && w.missing)
}

func (c *Change) rule() *life.Rule { return life.Of(c.verb()) }

// name is what the change is about, unless it is about all parts of an order.
func (c *Change) name() Name { return nameOf(c.ID, c.Part) }

// takesFloor tells the verbs that change the units on hand at the reservation's
// location, and so take turns with the movements there.
func takesFloor(rule *life.Rule) bool {
	return rule.Lock == life.FloorOf || rule.Lock == life.FloorsOfTwo
}

// apply is the rule: it finds out which units the change moves, moves them in
// the entry, and says what the journal is to record.
func (s *step) Apply(id string, e *book.Entry) ([]byte, error) {
	c := s.change
	rule := c.rule()
	if c.Part == 0 && numberOf(e) != 0 {
		return nil, errSeveral
	}
	if takesFloor(rule) && e.Location != s.slot || (s.home || rule.Lock == life.FloorHeld) && e.Location != c.Slot {
		s.moved = true
		return nil, errMoved
	}
	if err := s.plan(e); err != nil {
		return nil, err
	}
	s.before = stateOf(s.ledger.state.Classes, e, nil, s.parts)
	s.advance(e)
	if err := s.checkRoom(0); err != nil {
		return nil, err
	}
	return s.log(id, e), nil
}

// checkRoom refuses what comes in beyond what can be counted, from an effect on, with
// what comes in before it: parts of an order may meet at one location. It comes in
// under the floor.
func (s *step) checkRoom(from int) error {
	for i, f := range s.effects[from:] {
		if f.OnHand <= 0 {
			continue
		}
		there := s.ledger.state.Stock.OnHand(f.SKU, f.Slot)
		for _, before := range s.effects[:from+i] {
			if before.SKU == f.SKU && before.Slot == f.Slot {
				there += before.OnHand
			}
		}
		if there+f.OnHand > MaxQuantity {
			return fmt.Errorf("SKU %s: %d on hand and %d more: %w", shown(s.ledger.SKUName(f.SKU)), there, f.OnHand, ErrOverflow)
		}
	}
	return nil
}

// advance moves the entry on, and notes what that means for the stock.
func (s *step) advance(e *book.Entry) {
	t := s.change.transition()
	s.effects = t.Advance(e, s.given, s.ledger.state.Classes, s.effects[:0])
}

// log writes the record of the change into s.bytes, with all a notice to the
// customer needs.
func (s *step) log(id string, e *book.Entry) []byte {
	if s.ledger.queue == nil {
		return nil
	}
	c, r := s.change, &s.record
	lines := r.Lines[:0]
	*r = history.Record{Kind: c.Verb, Time: c.Now, ID: id, Part: numberOf(e), Parts: e.Parts, Change: c.ID2, Slot: e.Location,
		Order: e.Refs.Order, Customer: e.Refs.Customer, Channel: e.Refs.Channel, Form: e.Form, Store: e.Store(), Lines: lines, Shares: r.Shares[:0]}
	s.say(r, c.rule().Says, e)
	r.State = become(s.before, stateOf(s.ledger.state.Classes, e, nil, s.parts))
	if c.ID2 != "" {
		r.Fingerprint = c.Print
	}
	for i := range s.given {
		r.Lines = append(r.Lines, history.Line{SKU: s.given[i].SKU, Units: s.given[i].Quantity})
	}
	if c.rule().Says&life.SaysOnHand != 0 {
		s.shelfAfter(r.Slot, r.Lines)
	}
	s.bytes = r.Append(s.bytes[:0])
	return s.bytes
}

// say fills in the fields that records of a verb have besides.
func (s *step) say(r *history.Record, says life.Says, e *book.Entry) {
	c := s.change
	if says&life.SaysHold != 0 {
		r.Deadline = e.Deadline
	}
	if says&life.SaysPickup != 0 {
		r.Deadline, r.Code = e.Pickup, e.Refs.Code
	}
	if says&life.SaysOwner != 0 {
		r.Owner, r.Channel = c.Owner, c.Channel
	}
	if says&life.SaysTo != 0 {
		r.To = c.Slot
	}
	if says&life.SaysWhere != 0 {
		r.Slot = c.Slot
	}
	if says&life.SaysCause != 0 {
		r.Cause = c.Cause
	}
	if says&life.SaysContent != 0 {
		r.Fingerprint = c.Print
	}
	if says&life.SaysBecause != 0 {
		r.Ref = c.Token
	}
	if says&life.SaysParcel != 0 {
		r.Carrier, r.Tracking = c.Owner, c.Code
	}
}

// shelfAfter fills in what will be on hand; the floor is locked, so it stands
// still.
func (s *step) shelfAfter(slot uint32, lines []history.Line) {
	for i := range lines {
		line := &lines[i]
		line.OnHand = s.ledger.state.Stock.OnHand(line.SKU, slot)
		for _, f := range s.effects {
			if f.SKU == line.SKU && f.Slot == slot {
				line.OnHand += f.OnHand
			}
		}
	}
}

// plan checks the change against the entry and fills s.given.
func (s *step) plan(e *book.Entry) error {
	c := s.change
	s.given = s.given[:0]
	if err := allowed(e, c, s.ledger); err != nil {
		return err
	}
	if c.rule().Whole {
		return nil
	}
	if s.ledger.state.Classes.Any(e) {
		return s.planClasses(e)
	}
	if c.Lines == nil {
		for i := range e.Lines {
			line := &e.Lines[i]
			if units := c.movable(line); units > 0 {
				s.given = append(s.given, Line{SKU: line.SKU, Quantity: units})
			}
		}
		return s.checkShort(e)
	}
	at := 0
	for _, want := range c.Lines {
		for at < len(e.Lines) && e.Lines[at].SKU < want.SKU {
			at++
		}
		there := int64(0)
		if at < len(e.Lines) && e.Lines[at].SKU == want.SKU {
			there = c.movable(&e.Lines[at])
		}
		if there < want.Quantity {
			return s.tooMany(e, want, there)
		}
		s.given = append(s.given, want)
	}
	return nil
}

// tooMany is the error of a line that wants more units than there are.
func (s *step) tooMany(e *book.Entry, want Line, there int64) error {
	return fmt.Errorf("%w", &ShortageError{SKU: s.ledger.SKUName(want.SKU), Location: s.ledger.SlotName(e.Location),
		Wanted: want.Quantity, Available: there})
}

// checkShort refuses to hand over or send off all of a reservation some of whose
// goods are gone.
func (s *step) checkShort(e *book.Entry) error {
	if !s.change.rule().Sound {
		return nil
	}
	for i := range e.Lines {
		line := &e.Lines[i]
		if open := int64(line.Held) + int64(line.Confirmed); line.Short > 0 {
			return fmt.Errorf("%w", &ShortageError{SKU: s.ledger.SKUName(line.SKU), Location: s.ledger.SlotName(e.Location),
				Wanted: open, Available: open - int64(line.Short)})
		}
	}
	return nil
}

// movable is how many units of a line the change can move.
func (c *Change) movable(line *entryLine) int64 { return c.rule().Movable(line) }

// allowed says whether the form and the state let the verb pass.
func allowed(e *book.Entry, c *Change, l *Ledger) error {
	rule := c.rule()
	way := life.Way{Form: e.Form, Store: e.Store(), At: e.Location, To: c.Slot}
	switch why := rule.Check(&way, e.State, e.Lines, l.state.Classes.Firm(e), c.Lines != nil); why {
	case life.ByEnd:
		return fmt.Errorf("%w", &EndedError{ID: c.ID, Part: int(numberOf(e)), State: e.State})
	case life.ByState:
		return stateError(e, c)
	case life.ByForm, life.ByStore:
		return formError(&way, c.ID, int(numberOf(e)), c.Verb, rule, l.SlotName)
	}
	if rule.Says&life.SaysOwner != 0 && e.Refs.Owner != c.Token {
		return ErrOwner
	}
	if rule.Says&life.SaysHold != 0 && c.Deadline > latest(e, c) {
		return fmt.Errorf("%w: the hold may last until %d at most", ErrInvalid, latest(e, c))
	}
	return nil
}

func stateError(e *book.Entry, c *Change) error {
	return fmt.Errorf("%w", &StateError{ID: c.ID, Part: int(numberOf(e)), State: e.State, Verb: c.Verb})
}

// latest is the last deadline an extension may set.
func latest(e *book.Entry, c *Change) int64 {
	if c.MaxHold == 0 {
		return math.MaxInt64
	}
	return e.Since + c.MaxHold
}

// NeedsRoom tells the changes of a reservation that a disk refuses that is full:
// those that may take units anew, or bring goods in. What a reservation goes
// through otherwise ends it or carries on what is held, and passes into the room
// that is kept for that. Kinds that change no reservation need room.
func NeedsRoom(k history.Kind) bool {
	v := k.Verb(0, false, false)
	return v == 0 || life.Of(v).Room
}
