package reservation

import (
	"fmt"
	"math"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
)

// Ticket is the place of a change in the journal, for Ledger.Wait. The zero
// value is a change that was written before or that nothing writes down.
type Ticket = journal.Ticket

// Change is one step in the life of a reservation. Verb says which; the other
// fields are read as the verb needs them.
type Change struct {
	Verb  history.Kind
	ID    string // the reservation's
	ID2   string // of the change itself, chosen by the caller; empty: it has none
	Print uint64 // digest of the content, to tell a repeat from a conflict; with ID2
	Now   int64  // engine time
	Lines []Line // ascending by SKU, each once; nil: all there is

	// Former is the digest that the content had before there was a key, see
	// Ledger.Former; with ID2. Nothing is ever recorded with it.
	Former uint64

	Deadline int64         // Extended, Ready
	MaxHold  int64         // Extended: how long a hold may last in all, in milliseconds; 0: as long as it likes
	Code     string        // Ready: the pickup code
	Token    string        // Reassigned: the owner so far
	Owner    string        // Reassigned: the owner from now on
	Channel  string        // Reassigned
	Slot     uint32        // Dispatched: to where; Returned: where the goods came back
	Cause    history.Cause // Returned: Restocked, DamagedReturn or ToInspect; Rejected, RerouteFailed: why

	went *went // Rerouted, for which there is Parts.Reroute
}

// is reports whether a change has the content of the entry under its ID.
func (c *Change) is(l *Ledger, found *entry) bool {
	if c.Print == found.fingerprint {
		return true
	}
	_, former := l.Former(0, found.made())
	return former && c.Former == found.fingerprint
}

// step is a change being worked out on one reservation under its shard's lock.
// It is a rule of the book, used by one goroutine at a time.
type step struct {
	ledger *Ledger
	change *Change
	// given are the units really moved, one line per SKU; effects what they mean
	// for the stock.
	given   []Line
	effects []effect
	record  history.Record
	bytes   []byte
	entry   entry
	room    [8]entryLine
	slot    uint32 // the location whose floor is locked, for verbs that need it
	moved   bool   // the reservation has left that location meanwhile
}

// effect is what a change does to the stock of one SKU at one location.
type effect struct {
	sku, slot uint32
	free      int64 // units that become available
	onHand    int64 // change of the units on hand; available follows only by free
}

// touchesShelf tells the verbs that change the units on hand, and so take turns
// with the movements of the location.
func touchesShelf(verb history.Kind) bool {
	switch verb {
	case history.Collected, history.Dispatched, history.ShortPicked:
		return true
	}
	return false
}

// marksShort tells the verbs that speak of the goods at the location whose floor
// is locked, which a reroute may have left.
func marksShort(verb history.Kind) bool { return verb == history.Shorted || verb == history.Covered }

// apply is the rule: it finds out which units the change moves, moves them in
// the entry, and says what the journal is to record.
func (s *step) apply(id string, e *entry) ([]byte, error) {
	c := s.change
	if touchesShelf(c.Verb) && e.location != s.slot || marksShort(c.Verb) && e.location != c.Slot {
		s.moved = true
		return nil, errMoved
	}
	if err := s.plan(e); err != nil {
		return nil, err
	}
	s.effects = s.effects[:0]
	advance(e, c, s.given, &s.effects, s.ledger.classes)
	for _, f := range s.effects { // what comes in does so under the floor
		if f.onHand <= 0 {
			continue
		}
		if there := s.ledger.stock.OnHand(f.sku, f.slot); there+f.onHand > MaxQuantity {
			return nil, fmt.Errorf("SKU %q: %d on hand and %d more: %w", s.ledger.SKUName(f.sku), there, f.onHand, ErrOverflow)
		}
	}
	record := s.log(id, e)
	if mutant == mutantEarly {
		s.ledger.show(s.effects)
		s.effects = s.effects[:0]
	}
	return record, nil
}

// log writes the record of the change into s.bytes, with all a notice to the
// customer needs.
func (s *step) log(id string, e *entry) []byte {
	if s.ledger.queue == nil {
		return nil
	}
	c, r := s.change, &s.record
	lines := r.Lines[:0]
	*r = history.Record{Kind: c.Verb, Time: c.Now, ID: id, Change: c.ID2, Slot: e.location,
		Order: e.refs.order, Customer: e.refs.customer, Lines: lines}
	switch c.Verb {
	case history.Extended:
		r.Deadline = e.deadline
	case history.Reassigned:
		r.Owner, r.Channel = c.Owner, c.Channel
	case history.Ready:
		r.Deadline, r.Code = e.pickup, c.Code
	case history.Reminded:
		r.Deadline, r.Code = e.pickup, e.refs.code
	case history.Dispatched:
		r.To = c.Slot
	case history.Returned:
		r.Slot, r.Cause, r.Fingerprint = c.Slot, c.Cause, c.Print
	case history.Shorted:
		r.Ref = c.Token
	case history.Rejected, history.RerouteFailed:
		r.Cause = c.Cause
	}
	if c.ID2 != "" {
		r.Fingerprint = c.Print
	}
	if mutant == mutantApart {
		r.Change = ""
	}
	for i := range s.given {
		r.Lines = append(r.Lines, history.Line{SKU: s.given[i].SKU, Units: s.given[i].Quantity})
	}
	if hasOnHand(c.Verb) {
		s.shelfAfter(r)
	}
	s.bytes = r.Append(s.bytes[:0])
	return s.bytes
}

// hasOnHand tells the verbs whose records say what is on hand afterwards.
func hasOnHand(verb history.Kind) bool {
	return touchesShelf(verb) || verb == history.Arrived || verb == history.Returned
}

// shelfAfter fills in what will be on hand; the floor is locked, so it stands
// still.
func (s *step) shelfAfter(r *history.Record) {
	for i := range r.Lines {
		line := &r.Lines[i]
		line.OnHand = s.ledger.stock.OnHand(line.SKU, r.Slot)
		for _, f := range s.effects {
			if f.sku == line.SKU {
				line.OnHand += f.onHand
			}
		}
	}
}

// plan checks the change against the entry and fills s.given.
func (s *step) plan(e *entry) error {
	c := s.change
	s.given = s.given[:0]
	if err := allowed(e, c); err != nil {
		return err
	}
	switch c.Verb {
	case history.Extended, history.Reassigned, history.Accepted, history.Reminded:
		return nil
	}
	if s.ledger.classes.any(e) {
		return s.planClasses(e)
	}
	if c.Lines == nil {
		for i := range e.lines {
			line := &e.lines[i]
			if units := c.movable(line); units > 0 {
				s.given = append(s.given, Line{SKU: line.sku, Quantity: units})
			}
		}
		return s.checkShort(e)
	}
	at := 0
	for _, want := range c.Lines {
		for at < len(e.lines) && e.lines[at].sku < want.SKU {
			at++
		}
		there := int64(0)
		if at < len(e.lines) && e.lines[at].sku == want.SKU {
			there = c.movable(&e.lines[at])
		}
		if there < want.Quantity {
			return s.tooMany(e, want, there)
		}
		s.given = append(s.given, want)
	}
	return nil
}

// tooMany is the error of a line that wants more units than there are.
func (s *step) tooMany(e *entry, want Line, there int64) error {
	return fmt.Errorf("%w", &ShortageError{SKU: s.ledger.SKUName(want.SKU), Location: s.ledger.SlotName(e.location),
		Wanted: want.Quantity, Available: there})
}

// checkShort refuses to hand over or send off all of a reservation some of whose
// goods are gone.
func (s *step) checkShort(e *entry) error {
	if s.change.Verb != history.Collected && s.change.Verb != history.Dispatched {
		return nil
	}
	for i := range e.lines {
		line := &e.lines[i]
		if open := int64(line.held) + int64(line.confirmed); line.short > 0 {
			return fmt.Errorf("%w", &ShortageError{SKU: s.ledger.SKUName(line.sku), Location: s.ledger.SlotName(e.location),
				Wanted: open, Available: open - int64(line.short)})
		}
	}
	return nil
}

// movable is how many units of a line the change can move.
func (c *Change) movable(line *entryLine) int64 {
	if c.went != nil && c.went.missing {
		return int64(line.missing)
	}
	return movable(line, c.Verb)
}

// movable is how many units of a line a verb can move.
func movable(line *entryLine, verb history.Kind) int64 {
	switch verb {
	case history.Confirmed, history.Expired:
		return int64(line.held)
	case history.Canceled, history.Rerouted:
		return int64(line.held) + int64(line.confirmed)
	case history.RerouteFailed:
		return int64(line.held) + int64(line.confirmed) + int64(line.missing)
	case history.Collected:
		return int64(line.held) + int64(line.confirmed) - int64(line.short)
	case history.Dispatched:
		return int64(line.confirmed) - int64(line.short)
	case history.ShortPicked, history.Arrived, history.NoShow, history.Ready, history.Rejected:
		return int64(line.confirmed)
	case history.Returned:
		return int64(line.collected) - int64(line.returned)
	case history.Shorted:
		return int64(line.held) + int64(line.confirmed) - int64(line.short)
	case history.Covered:
		return int64(line.short)
	}
	return 0
}

// total adds up a bucket over the lines.
func total(e *entry, bucket func(*entryLine) uint32) (n int64) {
	for i := range e.lines {
		n += int64(bucket(&e.lines[i]))
	}
	return n
}

func heldOf(l *entryLine) uint32      { return l.held }
func confirmedOf(l *entryLine) uint32 { return l.confirmed }
func collectedOf(l *entryLine) uint32 { return l.collected }
func returnedOf(l *entryLine) uint32  { return l.returned }
func reroutedOf(l *entryLine) uint32  { return l.rerouted }

// concerns reports whether a change that names no lines is about any units, for the
// verbs whose states do not say so: else it would be recorded, and told to others,
// although nothing has happened.
func concerns(e *entry, c *Change) bool {
	switch c.Verb {
	case history.Returned:
		return c.Lines != nil || total(e, collectedOf) > total(e, returnedOf)
	case history.Accepted, history.Ready, history.Rejected, history.ShortPicked:
		return c.Lines != nil || total(e, confirmedOf) > 0
	}
	return true
}

// allowed says whether the state lets the verb pass.
func allowed(e *entry, c *Change) error {
	if c.Verb == history.Returned {
		if total(e, collectedOf) == 0 || !concerns(e, c) {
			return stateError(e, c)
		}
		return nil
	}
	if e.state.Ended() && !c.afterEnd() {
		return fmt.Errorf("%w", &EndedError{ID: c.ID, State: e.state})
	}
	ok := true
	switch c.Verb {
	case history.Rerouted:
		ok = c.went.missing || e.state == Held || e.state == Confirmed || e.state == Accepted
	case history.Rejected:
		ok = e.state == Confirmed || e.state == Accepted
	case history.Confirmed, history.Extended, history.Expired:
		ok = total(e, heldOf) > 0
	case history.Accepted:
		ok = e.state == Confirmed
	case history.Ready:
		ok = e.state == Confirmed || e.state == Accepted
	case history.Dispatched:
		ok = (e.state == Confirmed || e.state == Accepted) && total(e, heldOf) == 0
	case history.Arrived:
		ok = e.state == InTransit
	case history.ShortPicked:
		ok = e.state == Confirmed || e.state == Accepted || e.state == Ready
	case history.Collected, history.Canceled:
		ok = e.state != InTransit
	case history.NoShow, history.Reminded:
		ok = e.state == Ready
	}
	if !ok || !concerns(e, c) {
		return stateError(e, c)
	}
	if c.Verb == history.Reassigned && e.refs.owner != c.Token {
		return ErrOwner
	}
	if c.Verb == history.Extended && c.Deadline > e.latest(c) {
		return fmt.Errorf("%w: the hold may last until %d at most", ErrInvalid, e.latest(c))
	}
	return nil
}

// afterEnd tells the changes that a reservation that has ended lets pass: what they
// speak of is not held by it.
func (c *Change) afterEnd() bool {
	return c.Verb == history.Returned || c.Verb == history.RerouteFailed || c.went != nil && c.went.missing
}

func stateError(e *entry, c *Change) error {
	return fmt.Errorf("%w", &StateError{ID: c.ID, State: e.state, Verb: c.Verb})
}

// latest is the last deadline an extension may set.
func (e *entry) latest(c *Change) int64 {
	if c.MaxHold == 0 {
		return math.MaxInt64
	}
	return e.since() + c.MaxHold
}

// advance moves the given units and the state of an entry as the verb says, and
// appends what that means for the stock. It is the same function when a change
// happens and when its record is replayed, and it looks at nothing but its
// arguments, and at which SKUs are resources. The given units are there: plan or a
// check of the record saw to it.
func advance(e *entry, c *Change, given []Line, effects *[]effect, k *classes) {
	at := 0
	for _, g := range given {
		for e.lines[at].sku != g.SKU {
			at++
		}
		f := effect{sku: g.SKU, slot: e.location}
		if k.resource(g.SKU) {
			e.lines[at].let(c, g.Quantity, &f)
		} else {
			e.lines[at].move(c, g.Quantity, &f)
		}
		if c.Verb == history.Returned || c.Verb == history.Arrived {
			f.slot = c.Slot
		}
		if f.free != 0 || f.onHand != 0 {
			*effects = append(*effects, f)
		}
	}
	e.turn(c, given)
}
