package allocator

import (
	"fmt"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// An order over several locations has a part for each. The parts are numbered in the
// order in which they were made, by Allocate or by a reroute, and have its ID and
// content; each knows of how many parts the order was when it was made, or lost units
// to a new one.

// hasGoods reports whether a part has lines of goods: one that has none is the
// customer's place in a pickup window.
func (a *Allocator) hasGoods(e *reservation.Entry) bool {
	for i := range e.Lines {
		if !a.ledger.Resource(e.Lines[i].SKU) {
			return true
		}
	}
	return false
}

// partsOf reads every part of an order that is live or remembered, ascending, as they
// were at one instant; there are none when the last one has been forgotten.
func (a *Allocator) partsOf(order string) []reservation.Entry { return a.ledger.FindAll(order, nil) }

// several tells an order of several parts by one of them.
func several(e *reservation.Entry) bool { return e.Parts > 1 || e.Part > 1 }

// partNumber is the number of a part as it is told; 0 of an order's only one.
func partNumber(e *reservation.Entry) int {
	if !several(e) {
		return 0
	}
	return e.Part
}

// heldIn reports whether units of a reservation are only held.
func heldIn(e *reservation.Entry) bool {
	return openIn(e, func(l *reservation.EntryLine) int64 { return l.Held })
}

// openIn reports whether any line has something.
func openIn(e *reservation.Entry, units func(*reservation.EntryLine) int64) bool {
	return slices.ContainsFunc(e.Lines, func(l reservation.EntryLine) bool { return units(&l) > 0 })
}

// head is the part whose place and state stand for the order: the first live one
// with goods; of ended ones the first that was collected, then the last one that
// is not just elsewhere. There is at least one part.
func (a *Allocator) head(parts []reservation.Entry) *reservation.Entry {
	head, rank := &parts[0], -1
	for i := range parts {
		e := &parts[i]
		r := 0
		switch {
		case !a.hasGoods(e):
		case !e.State.Ended():
			r = 5
		case e.State == Collected:
			r = 4
		case e.State == Delivered:
			r = 3
		case e.State != Rerouted:
			r = 2
		default:
			r = 1
		}
		if r > rank || r == rank && r == 2 {
			head, rank = e, r
		}
	}
	return head
}

// orderState is how far the order of these parts has come.
func orderState(a *Allocator, parts ...reservation.Entry) OrderState {
	var o life.Order
	for i := range parts {
		held, collected := int64(0), int64(0)
		for _, l := range parts[i].Lines {
			held, collected = held+l.Held, collected+l.Collected
		}
		o.Add(parts[i].State, held, collected, a.hasGoods(&parts[i]))
	}
	return o.State()
}

// live is the parts with goods that have not ended.
func (a *Allocator) live(parts []reservation.Entry) (live []*reservation.Entry) {
	for i := range parts {
		if e := &parts[i]; !e.State.Ended() && a.hasGoods(e) {
			live = append(live, e)
		}
	}
	return live
}

// one is the part that a change of an order must mean. *InvalidError: there are
// several; ErrNotFound: the last one has been forgotten since the order was found.
func (a *Allocator) one(order string, parts []reservation.Entry) (*reservation.Entry, error) {
	if len(parts) == 0 {
		return nil, ErrNotFound
	}
	live := a.live(parts)
	switch len(live) {
	case 0:
		return a.head(parts), nil
	case 1:
		return live[0], nil
	}
	return nil, manyParts(order, live)
}

func manyParts(order string, live []*reservation.Entry) error {
	return &InvalidError{Field: "Part", Value: 0,
		Why: fmt.Sprintf("must be the number of one of %d parts of %s, such as %d or %d", len(live), quoted(order), live[0].Part, live[1].Part)}
}

// ofOne tells the changes of an order that are of one of its parts.
func ofOne(c *reservation.Change) bool {
	return c.Lines != nil || c.Verb == history.Rejected || c.Verb == history.Rerouted
}

// stepNamed makes a change of a part, or of all parts of the order that are still open.
// If it can only be of one, that must be named unless one is left. The ticket is of the
// last record.
func (a *Allocator) stepNamed(s *scratch, c *reservation.Change) (reservation.Ticket, error) {
	if c.Verb == history.Accepted && a.moves.late.On() {
		defer a.lockOrder(c.ID)()
	}
	if c.Part == 0 && ofOne(c) {
		if !a.ledger.Find(c.ID, &s.found) || several(&s.found) {
			parts := a.partsOf(c.ID)
			e, err := a.one(c.ID, parts)
			if c.Verb == history.Returned && len(parts) > 0 {
				e, err = collectedPart(c.ID, parts)
			}
			switch {
			case len(parts) == 0: // the ledger knows whether the change was made before
			case err != nil:
				return reservation.Ticket{}, err
			default:
				c.Part = uint8(e.Part)
			}
		}
	}
	t, err := a.step(s, c)
	return a.endVisits(s, c, t, err)
}

// since tells the parts that were made after a change, which was made at an engine
// time. Within a millisecond the place in the journal says so, and where there is no
// journal, whether a reroute made it.
func since(e *reservation.Entry, change reservation.Ticket, at int64) bool {
	return e.Since > at || e.Since == at && (e.From != 0 || e.Sequence > change.Sequence)
}

// later is the one of two tickets that comes later in the journal.
func later(a, b reservation.Ticket) reservation.Ticket {
	if b.Sequence >= a.Sequence {
		return b
	}
	return a
}

// collectedPart is the part that a return of some lines must mean.
func collectedPart(order string, parts []reservation.Entry) (*reservation.Entry, error) {
	var with []*reservation.Entry
	for i := range parts {
		if openIn(&parts[i], func(l *reservation.EntryLine) int64 { return l.Collected }) {
			with = append(with, &parts[i])
		}
	}
	switch len(with) {
	case 0:
		return &parts[0], nil
	case 1:
		return with[0], nil
	}
	return nil, manyParts(order, with)
}

// endVisits ends the visits of an order, which are parts without goods, when the
// last part with goods has ended. The change has been made, or was refused.
func (a *Allocator) endVisits(s *scratch, c *reservation.Change, t reservation.Ticket, refused error) (reservation.Ticket, error) {
	switch c.Verb {
	case history.Collected, history.Canceled, history.ShortPicked, history.ParcelDelivered, history.ParcelLost, history.ReturnedToSender:
	default:
		return t, refused
	}
	if refused != nil || !a.ledger.FindPart(c.ID, int(c.Part), &s.found) || !several(&s.found) || !s.found.State.Ended() {
		return t, refused
	}
	parts := a.partsOf(c.ID)
	if len(parts) == 0 || len(a.live(parts)) > 0 {
		return t, nil
	}
	verb := history.Canceled
	if a.head(parts).State == Collected {
		verb = history.Collected
	}
	for i := range parts {
		if e := &parts[i]; !e.State.Ended() {
			if ended, err := a.step(s, &reservation.Change{Verb: verb, ID: c.ID, Part: uint8(e.Part), Now: c.Now}); err == nil {
				t = later(t, ended)
			}
		}
	}
	return t, nil
}

// maxPartNumber is the highest number of a part.
const maxPartNumber = math.MaxUint8

// checkPart validates the number of a part; 0 is the whole order.
func checkPart(number int) error {
	if number < 0 || number > maxPartNumber {
		return &InvalidError{Field: "Part", Value: number, Why: fmt.Sprintf("must be 0 to %d", maxPartNumber)}
	}
	return nil
}
