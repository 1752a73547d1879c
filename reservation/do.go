package reservation

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Do makes one change to an order: to one part of it, all of its lines or none; or
// without a part to all parts that are still open and that it concerns, in one record
// and at one instant, or to none. It returns the state after it, of the last part that
// it changed, and the ticket of its record. Units that become free are available to the
// next claim when it returns.
//
// Of all parts, those are not concerned that have ended, those on which the change was
// made before (a confirmation of what is not held any more, an acceptance of what was
// accepted), and of an arrival those that are not on their way. If no part is concerned,
// the error is that of the first. Lines, rejections and reroutes are of one part.
//
// Errors: ErrNotFound, *EndedError, *FormError, *StateError, ErrOwner, *ShortageError (more
// than the reservation holds, or goods that are gone), ErrConflict and
// ErrUnknownLocation of a return, ErrInvalid of a deadline beyond the cap. Nothing
// was changed. ErrJournal: nothing was changed in memory; what the disk has is
// unknown.
func (l *Ledger) Do(c *Change) (State, Ticket, error) {
	if len(c.ID2) > MaxIDBytes {
		return 0, Ticket{}, fmt.Errorf("reservation: change: %w", tooLongID(c.ID2))
	}
	if longest := max(len(c.Owner), len(c.Code)); longest > MaxParcelBytes && c.Verb == history.Shipped {
		return 0, Ticket{}, fmt.Errorf("reservation: change: %w", &InvalidError{Field: "Owner, Code", Value: longest, Why: "must be at most 255 bytes each"})
	}
	if c.ID2 != "" {
		m := &l.changes[l.state.Book.Hash(book.KindChange, c.ID2)%state.Floors]
		m.Lock(lock.Step)
		defer m.Unlock()
		var found book.Entry
		if l.state.Book.Find(book.KindChange, c.ID2, &found) {
			if !c.is(l, &found) {
				return 0, Ticket{}, fmt.Errorf("reservation: change %s: %w", shown(c.ID2), ErrConflict)
			}
			return found.State, Ticket{Sequence: found.Sequence}, nil
		}
	}
	s := l.steps.Get().(*step)
	defer s.release()
	s.change = c
	if n := cap(s.entry.Lines); n == 0 || n > keptLines {
		s.entry.Lines = s.room[:0]
	}
	t, err := s.run()
	if err != nil {
		return s.entry.State, t, fmt.Errorf("reservation: %w", invalid(err))
	}
	if c.ID2 != "" {
		e := book.Entry{Fingerprint: c.Print, Sequence: t.Sequence, State: s.entry.State, Deadline: c.Now}
		if c.Verb == history.Rejected {
			e.Rejects = s.entry.Rejects
		}
		l.state.Book.AddHashed(l.state.Book.Hash(book.KindChange, c.ID2), book.KindChange, c.ID2, &e, nil, nil)
	}
	return s.entry.State, t, nil
}

// keptLines is how many lines a step keeps room for, once it had so many.
const keptLines = 64

// release gives a step back, without the strings and lines of its change.
func (s *step) release() {
	s.change, s.home, s.parts = nil, false, nil
	s.record.Reset()
	s.entry.Refs = book.Refs{}
	s.all = wholeOrder{}
	s.ledger.steps.Put(s)
}

// run makes the change under the locks its verb needs.
func (s *step) run() (Ticket, error) {
	for {
		t, err := s.runOne()
		if err != errSeveral && (err != ErrNotFound || s.change.Part != 0) {
			return t, err
		}
		t, err = s.runAll()
		if err != errAlone {
			return t, err
		}
	}
}

// runOne is run for one part, or for an order that has one part.
func (s *step) runOne() (Ticket, error) {
	l := s.ledger
	switch s.change.rule().Lock {
	case life.FloorNamed:
		for s.home = s.change.Slot == Everywhere; ; {
			if t, err := l.bringBack(s); !errors.Is(err, errMoved) {
				return t, err
			}
		}
	case life.FloorAhead:
		return l.takeIn(s)
	case life.FloorOf, life.FloorsOfTwo:
		return l.handOver(s)
	}
	t, err := l.state.Book.ChangePart(s.change.name(), &s.entry, s)
	if err != nil {
		return t, err
	}
	l.state.Show(s.effects)
	if l.shorts.any() {
		l.coverFreed(s.effects, s.change.Now)
	}
	return t, nil
}

// handOver runs a verb that takes goods off the shelf, under the floor of the
// reservation's location.
func (l *Ledger) handOver(s *step) (Ticket, error) {
	c := s.change
	for {
		if !l.state.Book.FindPart(c.name(), &s.entry) {
			return Ticket{}, ErrNotFound
		}
		s.slot = s.entry.Location
		other := s.slot
		away := c.rule().Lock == life.FloorsOfTwo
		if away {
			other = c.Slot
		}
		unlock := l.lockFloors(s.slot, other)
		if away && l.isGone(c.Slot) {
			unlock()
			return Ticket{}, fmt.Errorf("%w: %s", ErrUnknownLocation, shown(l.SlotName(c.Slot)))
		}
		t, err := l.state.Book.ChangePart(c.name(), &s.entry, s)
		if err == nil {
			l.leave(s)
		}
		unlock()
		if !errors.Is(err, errMoved) {
			return t, err
		}
	}
}

// leave is the rest of handOver once the change is recorded.
func (l *Ledger) leave(s *step) {
	now := s.change.Now
	l.state.Show(s.effects)
	l.state.Remember(s.slot, now, s.effects)
	if s.change.rule().Lock == life.FloorsOfTwo {
		l.state.Places.Add(s.change.Slot, 1)
	}
	if l.shorts.any() {
		for _, f := range s.effects {
			l.cover(f.SKU, f.Slot, now)
		}
	}
}

// takeIn runs an arrival under the floor of the location it was sent to.
func (l *Ledger) takeIn(s *step) (Ticket, error) {
	c := s.change
	if !l.state.Book.FindPart(c.name(), &s.entry) {
		return Ticket{}, ErrNotFound
	}
	c.Slot = s.entry.To // stands still: nothing sends it on while it is on the road
	f := l.state.Floor(c.Slot)
	f.Lock(lock.Floor)
	defer f.Unlock()
	l.makeRoom(s, c)
	t, err := l.state.Book.ChangePart(c.name(), &s.entry, s)
	if err != nil {
		return t, err
	}
	l.state.Show(s.effects)
	l.state.Remember(c.Slot, c.Now, s.effects)
	l.state.Places.Add(c.Slot, -1)
	return t, nil
}

// bringBack books returned goods in under the floor of the place where they came
// back: Everywhere is where they were sent from.
func (l *Ledger) bringBack(s *step) (Ticket, error) {
	c := s.change
	if s.home {
		if !l.state.Book.FindPart(c.name(), &s.entry) {
			return Ticket{}, ErrNotFound
		}
		c.Slot = s.entry.Location
	}
	f := l.state.Floor(c.Slot)
	f.Lock(lock.Floor)
	defer f.Unlock()
	if l.isGone(c.Slot) {
		return Ticket{}, fmt.Errorf("%w: %s", ErrUnknownLocation, shown(l.SlotName(c.Slot)))
	}
	if !l.state.Book.FindPart(c.name(), &s.entry) {
		return Ticket{}, ErrNotFound
	}
	if c.rule().Goods.OnHand > 0 {
		l.makeRoom(s, c)
	}
	t, err := l.state.Book.ChangePart(c.name(), &s.entry, s)
	if err != nil {
		return t, err
	}
	l.state.Show(s.effects)
	l.state.Remember(c.Slot, c.Now, s.effects)
	if l.shorts.any() {
		for _, f := range s.effects {
			l.cover(f.SKU, f.Slot, c.Now)
		}
	}
	return t, nil
}

// makeRoom makes the cells that goods which come in may need.
func (l *Ledger) makeRoom(s *step, c *Change) {
	for i := range s.entry.Lines {
		l.state.Stock.Ensure(s.entry.Lines[i].SKU, c.Slot)
	}
}

// lockFloors locks the floors of two locations, which may be one, in an order
// that rules out cycles.
func (l *Ledger) lockFloors(a, b uint32) (unlock func()) {
	first, second := a%state.Floors, b%state.Floors
	if first > second {
		first, second = second, first
	}
	l.state.Floors[first].Lock(lock.Floor)
	if second == first {
		return l.state.Floors[first].Unlock
	}
	l.state.Floors[second].Lock(lock.Floor)
	return func() {
		l.state.Floors[second].Unlock()
		l.state.Floors[first].Unlock()
	}
}

// sortLines sorts lines by SKU; they are few.
func sortLines(lines []Line) {
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Compare(a.SKU, b.SKU) })
}
