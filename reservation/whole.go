package reservation

import (
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// wholeOrder is what a change of all parts of an order works with.
type wholeOrder struct {
	members []book.Member
	floors  []uint32    // the numbers of the floors that are locked, ascending
	changed []wholePart // what the change does, by part
}

// wholePart is what a change of a whole order does to one of its parts.
type wholePart struct {
	slot     uint32 // the location where its goods move
	from, to int    // its effects
}

// runAll makes a change of all parts of an order that are open: under the floors of
// their locations, which it locks in ascending order, and then the order's own lock. If
// a part has left its location meanwhile, it begins anew.
func (s *step) runAll() (Ticket, error) {
	l, c := s.ledger, s.change
	for {
		w := &s.all
		if w.members = l.state.Book.FindAll(c.ID, w.members); len(w.members) == 0 {
			return Ticket{}, ErrNotFound
		}
		if len(w.members) == 1 && w.members[0].Part == 0 && w.members[0].Parts < 2 {
			return Ticket{}, errAlone // it was made a moment ago
		}
		if why := c.ofOne(); why != "" {
			return Ticket{}, &InvalidError{Field: "Part", Value: int(c.Part), Why: why}
		}
		unlock := s.lockAll()
		if where := c.rule().Lock; where == life.FloorsOfTwo || where == life.FloorNamed && !s.home {
			if l.isGone(c.Slot) {
				unlock()
				return Ticket{}, fmt.Errorf("%w: %s", ErrUnknownLocation, shown(l.SlotName(c.Slot)))
			}
		}
		s.moved = false
		t, err := l.state.Book.ChangeAll(c.ID, &w.members, s)
		if err == nil {
			s.showAll()
		}
		unlock()
		if err == nil && !takesAnyFloor(c.rule()) && l.shorts.any() {
			l.coverFreed(s.effects, c.Now)
		}
		if !s.moved {
			return t, err
		}
	}
}

// ofOne says why a change must name the part that it is about; empty: it need not.
func (c *Change) ofOne() string {
	switch {
	case c.Lines != nil:
		return "must name one of the order's parts: the change has lines"
	case c.went != nil || slices.Contains(ofOnePart, c.Verb):
		return "must name one of the order's parts: the change is of what one location does"
	}
	return ""
}

// ofOnePart is the changes that are of one part, whatever they name.
var ofOnePart = []history.Kind{history.Rejected, history.Rerouted, history.RerouteFailed, history.Shorted, history.Covered, history.Reminded}

// takesAnyFloor tells the verbs that move goods on or off a shelf.
func takesAnyFloor(rule *life.Rule) bool {
	switch rule.Lock {
	case life.FloorOf, life.FloorsOfTwo, life.FloorAhead, life.FloorNamed:
		return true
	}
	return false
}

// floorsOf appends the locations whose floors a change of a part needs.
func (s *step) floorsOf(e *book.Entry, all []uint32) []uint32 {
	switch c := s.change; c.rule().Lock {
	case life.FloorOf:
		return append(all, e.Location)
	case life.FloorsOfTwo:
		return append(all, e.Location, c.Slot)
	case life.FloorAhead:
		return append(all, e.To)
	case life.FloorNamed:
		return append(all, s.placeOf(e))
	}
	return all
}

// lockAll locks the floors of all parts that the change concerns, and makes the
// cells that goods which come in need.
func (s *step) lockAll() (unlock func()) {
	l, w, rule := s.ledger, &s.all, s.change.rule()
	w.floors = w.floors[:0]
	for i := range w.members {
		e := &w.members[i].Entry
		if !s.concerns(e) {
			continue
		}
		w.floors = s.floorsOf(e, w.floors)
		if rule.Goods.OnHand > 0 {
			for j := range e.Lines {
				l.state.Stock.Ensure(e.Lines[j].SKU, s.placeOf(e))
			}
		}
	}
	for i := range w.floors {
		w.floors[i] %= state.Floors
	}
	slices.Sort(w.floors)
	w.floors = slices.Compact(w.floors)
	for _, f := range w.floors {
		l.state.Floors[f].Lock(lock.Floor)
	}
	locked := slices.Clone(w.floors)
	return func() {
		for _, f := range slices.Backward(locked) {
			l.state.Floors[f].Unlock()
		}
	}
}

// placeOf is where the goods of a part move.
func (s *step) placeOf(e *book.Entry) uint32 {
	switch where := s.change.rule().Lock; {
	case where == life.FloorAhead:
		return e.To
	case where == life.FloorNamed && !s.home:
		return s.change.Slot
	}
	return e.Location
}

// concerns tells the parts of an order that a change of the whole order is about.
func (s *step) concerns(e *book.Entry) bool {
	verb, rule := s.change.verb(), s.change.rule()
	if rule.AfterEnd() {
		return life.Total(e.Lines, life.CollectedUnits) > life.Total(e.Lines, life.ReturnedUnits)
	}
	if e.State.Ended() {
		return false
	}
	switch verb {
	case life.Confirm, life.Extend:
		return life.Total(e.Lines, life.HeldUnits) > 0
	case life.Accept:
		return hasGoods(s.ledger.state.Classes, e) && e.State < Accepted
	case life.Dispatch:
		return hasGoods(s.ledger.state.Classes, e) && e.State != InTransit
	case life.Arrive:
		return e.State == InTransit
	case life.MakeReady:
		return hasGoods(s.ledger.state.Classes, e) && e.State != Ready
	case life.Pack:
		return hasGoods(s.ledger.state.Classes, e) && e.State != Packed && e.State != Shipped
	case life.Ship:
		return hasGoods(s.ledger.state.Classes, e) && e.State != Shipped
	case life.Deliver, life.Lose, life.SendBack, life.TurnBack:
		return e.State == Shipped
	case life.ShortPick:
		return hasGoods(s.ledger.state.Classes, e)
	}
	return true
}

// ApplyAll is the rule of a change of a whole order: it works out what becomes of each
// part that the change concerns, and says it in one record.
func (s *step) ApplyAll(id string, parts []book.Member) ([]byte, error) {
	w := &s.all
	s.effects, w.changed = s.effects[:0], w.changed[:0]
	s.before = stateOf(s.ledger.state.Classes, nil, nil, parts)
	r, last := &s.record, (*book.Entry)(nil)
	*r = history.Record{Kind: s.change.Verb, Time: s.change.Now, ID: id, Change: s.change.ID2, Lines: r.Lines[:0], Shares: r.Shares[:0]}
	for i := range parts {
		m := &parts[i]
		if !s.concerns(&m.Entry) {
			continue
		}
		if err := s.applyOne(m); err != nil {
			return nil, err
		}
		m.Changed, last = true, &m.Entry
	}
	if last == nil {
		return nil, s.none(parts)
	}
	s.entry.State = last.State
	if s.ledger.queue == nil {
		return nil, nil
	}
	return s.logAll(last, parts), nil
}

// none says why a change concerns no part: what the first one says that is open, or the
// first.
func (s *step) none(parts []book.Member) error {
	e := &parts[0].Entry
	for i := range parts {
		if !parts[i].State.Ended() && hasGoods(s.ledger.state.Classes, &parts[i].Entry) {
			e = &parts[i].Entry
			break
		}
	}
	s.entry.State = e.State
	if err := s.plan(e); err != nil {
		return err
	}
	return stateError(e, s.change)
}

// applyOne works out what becomes of one part.
func (s *step) applyOne(m *book.Member) error {
	w, e := &s.all, &m.Entry
	for _, slot := range s.floorsOf(e, nil) {
		if _, locked := slices.BinarySearch(w.floors, slot%state.Floors); !locked {
			s.moved = true
			return errMoved
		}
	}
	if s.home && s.ledger.isGone(e.Location) {
		return fmt.Errorf("%w: %s", ErrUnknownLocation, shown(s.ledger.SlotName(e.Location)))
	}
	if err := s.plan(e); err != nil {
		return err
	}
	part := wholePart{slot: s.placeOf(e), from: len(s.effects)}
	t := s.change.transition()
	if s.home || s.change.rule().Lock == life.FloorAhead {
		t.Slot = part.slot
	}
	s.effects = t.Advance(e, s.given, s.ledger.state.Classes, s.effects)
	part.to = len(s.effects)
	if err := s.checkRoom(part.from); err != nil {
		return err
	}
	w.changed = append(w.changed, part)
	r := &s.record
	lines := len(r.Lines)
	for i := range s.given {
		r.Lines = append(r.Lines, history.Line{SKU: s.given[i].SKU, Units: s.given[i].Quantity})
	}
	if s.change.rule().Says&life.SaysOnHand != 0 {
		s.shelfAfter(part.slot, r.Lines[lines:])
	}
	r.Shares = append(r.Shares, history.Share{Part: max(e.Part, 1), Slot: part.slot, Lines: len(s.given)})
	return nil
}

// logAll writes the record of the change of some parts, of which e is the last. One
// that concerns one part is about that part.
func (s *step) logAll(e *book.Entry, parts []book.Member) []byte {
	c, r := s.change, &s.record
	r.Order, r.Customer, r.Channel, r.Parts = e.Refs.Order, e.Refs.Customer, e.Refs.Channel, e.Parts
	if r.Form, r.Store = e.Form, e.Store(); slices.ContainsFunc(parts, func(m book.Member) bool { return m.Changed && (m.Form != r.Form || m.Store() != r.Store) }) {
		r.Form, r.Store = Unsaid, 0 // each part has its own
	}
	s.say(r, c.rule().Says, e)
	r.State = become(s.before, stateOf(s.ledger.state.Classes, nil, nil, parts))
	if c.ID2 != "" {
		r.Fingerprint = c.Print
	}
	if len(r.Shares) == 1 {
		r.Part, r.Slot, r.Shares = numberOf(e), r.Shares[0].Slot, r.Shares[:0]
	} else {
		r.Slot = 0
		if c.rule().Says&life.SaysHold != 0 {
			r.Deadline = c.Deadline // a part that is held longer stays so
		}
	}
	s.bytes = r.Append(s.bytes[:0])
	return s.bytes
}

// showAll shows what a change of a whole order means for the stock, once it is
// recorded. The floors are locked.
func (s *step) showAll() {
	l, c, rule := s.ledger, s.change, s.change.rule()
	l.state.Show(s.effects)
	if !takesAnyFloor(rule) {
		return
	}
	for _, part := range s.all.changed {
		l.state.Remember(part.slot, c.Now, s.effects[part.from:part.to])
		switch rule.Lock {
		case life.FloorsOfTwo:
			l.state.Places.Add(c.Slot, 1)
		case life.FloorAhead:
			l.state.Places.Add(part.slot, -1)
		}
	}
	if l.shorts.any() && rule.Lock != life.FloorAhead {
		for _, f := range s.effects {
			l.cover(f.SKU, f.Slot, c.Now)
		}
	}
}

// Parts is where the book puts the other parts of the order of which the change is of
// one.
func (s *step) Parts() *[]book.Member { return &s.parts }
