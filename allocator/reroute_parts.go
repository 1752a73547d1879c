package allocator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// An order over several locations is one reservation for each: its parts. The
// first has the order's ID, X; the others are X/2, X/3 and so on, in the order in
// which they were made, by Allocate or by a reroute. X/1 names the first one
// alone. All parts have the order's fingerprint; each knows of how many parts the
// order was when it was made, or lost units to a new one.

// maxPartNumber is the highest number of a part.
const maxPartNumber = 255

// part is one reservation of an order, as it was read.
type part struct {
	id     string // as the ledger knows it
	number int
	e      reservation.Entry
}

// name is the ID that names the part alone.
func (p *part) name() string {
	if p.number == 1 {
		return partID(p.id, 1)
	}
	return p.id
}

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

// isPart reports whether a reservation is a part of an order, other than the
// first: its ID says so, and the order has the same content.
func (a *Allocator) isPart(id string, e *reservation.Entry) bool {
	order, n := splitID(id)
	if n < 2 || e.Parts < 2 && e.Ref == "" {
		return false
	}
	var first, own reservation.Entry
	if a.ledger.Find(order, &first) {
		return first.Fingerprint == e.Fingerprint
	}
	return !a.ledger.Find(partID(id, 2), &own) || own.Fingerprint != e.Fingerprint
}

// find looks up the reservation that an ID names. order is not empty if it names
// all parts of an order; id is the ledger's ID otherwise.
func (a *Allocator) find(id string, e *reservation.Entry) (alone, order string, ok bool) {
	if a.ledger.Find(id, e) {
		if e.Parts > 1 && !a.isPart(id, e) {
			return id, id, true
		}
		return id, "", true
	}
	if !a.moves.parts.Load() {
		return id, "", false
	}
	if whole, n := splitID(id); n == 1 && a.ledger.Find(whole, e) && e.Parts > 1 {
		return whole, "", true
	}
	if parts := a.partsOf(id); len(parts) > 0 { // the first one is forgotten
		*e = parts[0].e
		return id, id, true
	}
	return id, "", false
}

// partsOf reads every part of an order that is live or remembered, ascending; there
// are none when the last one has just been forgotten. It costs as much as the order
// has parts, whatever the references say.
//
// The ledger lists the parts one by one, so one that was made at the same time as
// the others may not be listed yet; each says how many there are.
func (a *Allocator) partsOf(order string) (all []part) {
	var e reservation.Entry
	known := false
	seen := map[int]bool{}
	last := 1
	add := func(id string, n int) {
		if seen[n] || !a.ledger.Find(id, &e) {
			return
		}
		if known && e.Fingerprint != all[0].e.Fingerprint || n > 1 && e.Parts < 2 && e.Ref == "" {
			return
		}
		known, seen[n] = true, true
		all = append(all, part{id: id, number: n, e: e})
		e = reservation.Entry{} // its lines are the part's
		last = max(last, all[len(all)-1].e.Parts)
	}
	add(order, 1)
	for id := range a.ledger.PartsOf(order) {
		_, n := splitID(id)
		add(id, n)
	}
	for n := 2; n <= last; n++ {
		add(partID(order, n), n)
	}
	slices.SortFunc(all, func(x, y part) int { return x.number - y.number })
	return all
}

// settledParts reads the parts of an order as they were at one instant: each unit
// is in one of them.
//
// Units move from a part to another one by one change that both entries show, and
// what has left a part never counts as there again. So when all parts read the
// same twice, nothing moved between the end of the first reading and the
// beginning of the second.
func (a *Allocator) settledParts(order string) []part {
	before := a.partsOf(order)
	for {
		after := a.partsOf(order)
		if slices.EqualFunc(before, after, samePart) {
			return after
		}
		before = after
	}
}

func samePart(x, y part) bool {
	return x.id == y.id && x.e.Sequence == y.e.Sequence && x.e.State == y.e.State && x.e.Slot == y.e.Slot &&
		x.e.Parts == y.e.Parts && slices.Equal(x.e.Lines, y.e.Lines)
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
func (a *Allocator) head(parts []part) *part {
	head, rank := &parts[0], -1
	for i := range parts {
		p := &parts[i]
		r := 0
		switch {
		case !a.hasGoods(&p.e):
		case !p.e.State.Ended():
			r = 4
		case p.e.State == Collected:
			r = 3
		case p.e.State != Rerouted:
			r = 2
		default:
			r = 1
		}
		if r > rank || r == rank && r == 2 {
			head, rank = p, r
		}
	}
	return head
}

// live is the parts with goods that have not ended.
func (a *Allocator) live(parts []part) (live []*part) {
	for i := range parts {
		if p := &parts[i]; !p.e.State.Ended() && a.hasGoods(&p.e) {
			live = append(live, p)
		}
	}
	return live
}

// one is the part that a change of an order must mean. *InvalidError: there are
// several; ErrNotFound: the last one has been forgotten since the order was found.
func (a *Allocator) one(order string, parts []part) (*part, error) {
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
	return nil, several(order, live)
}

func several(order string, live []*part) error {
	return &InvalidError{Field: "Reservation", Value: order,
		Why: fmt.Sprintf("has %d parts: name the one that is meant, such as %s or %s", len(live), quoted(live[0].name()), quoted(live[1].name()))}
}

// forAll tells the changes of an order that are made of each of its parts.
func forAll(c *reservation.Change) bool {
	switch c.Verb {
	case history.Confirmed, history.Canceled:
		return c.Lines == nil
	case history.Extended, history.Reassigned:
		return true
	}
	return false
}

// concerns tells the parts of which a change for all is made: the live ones,
// visits included, to which it does something.
func concerns(c *reservation.Change, p *part) bool {
	onlyHeld := c.Verb == history.Confirmed || c.Verb == history.Extended
	return !p.e.State.Ended() && (!onlyHeld || heldIn(&p.e))
}

// stepNamed makes a change of the reservation, the part, or the parts of the order
// that its ID names. The ticket is of the last record.
func (a *Allocator) stepNamed(s *scratch, c *reservation.Change) (reservation.Ticket, error) {
	if c.Verb == history.Accepted && a.moves.late.On() {
		defer a.lockOrder(c.ID)()
	}
	if !a.moves.parts.Load() {
		return a.step(s, c)
	}
	id, order, ok := a.find(c.ID, &s.found)
	if !ok || order == "" {
		c.ID = id
		t, err := a.step(s, c)
		if !ok || s.found.Parts < 2 {
			return t, err
		}
		return a.endVisits(s, c, t, err)
	}
	parts := a.partsOf(order)
	if forAll(c) && len(parts) > 0 {
		return a.stepAll(s, c, order, parts)
	}
	p, err := a.one(order, parts)
	if c.Verb == history.Returned && len(parts) > 0 {
		p, err = collectedPart(order, parts)
	}
	if err != nil {
		return reservation.Ticket{}, err
	}
	c.ID = p.id
	t, err := a.step(s, c)
	return a.endVisits(s, c, t, err)
}

// since tells the parts that were made after a change, which was made at an engine
// time. Within a millisecond the place in the journal says so, and where there is no
// journal, whether a reroute made it.
func (p *part) since(change reservation.Ticket, at int64) bool {
	return p.e.Since > at || p.e.Since == at && (p.e.Ref != "" || p.e.Sequence > change.Sequence)
}

// stepAll makes a change of every part of an order that it concerns. What one part
// refuses is done with the others all the same. With an ID, the change of a part
// has the part's number behind it, and a repeat asks the other parts too: they may
// have been changed the first time.
func (a *Allocator) stepAll(s *scratch, c *reservation.Change, order string, parts []part) (last reservation.Ticket, err error) {
	var faults []error
	done := 0
	made, at, _, _, again := a.ledger.Made(c)
	for i := range parts {
		p := &parts[i]
		if again && p.since(made, at) {
			continue // it was not there when the change was made
		}
		due := concerns(c, p)
		if !due && c.ID2 == "" {
			continue
		}
		one := *c
		one.ID = p.id
		if c.ID2 != "" && p.number > 1 {
			one.ID2 = partID(c.ID2, p.number)
		}
		t, err := a.step(s, &one)
		last = later(last, t)
		switch {
		case err == nil:
			done++
		case due:
			faults = append(faults, fmt.Errorf("part %s: %w", quoted(p.name()), err))
		}
	}
	if done == 0 && len(faults) == 0 { // it concerns none; let the order say why
		one := *c
		one.ID = a.head(parts).id
		return a.step(s, &one)
	}
	return last, errors.Join(faults...)
}

// later is the one of two tickets that comes later in the journal.
func later(a, b reservation.Ticket) reservation.Ticket {
	if b.Sequence >= a.Sequence {
		return b
	}
	return a
}

// collectedPart is the part that a return must mean.
func collectedPart(order string, parts []part) (*part, error) {
	var with []*part
	for i := range parts {
		if openIn(&parts[i].e, func(l *reservation.EntryLine) int64 { return l.Collected }) {
			with = append(with, &parts[i])
		}
	}
	switch len(with) {
	case 0:
		return &parts[0], nil
	case 1:
		return with[0], nil
	}
	return nil, several(order, with)
}

// endVisits ends the visits of an order, which are parts without goods, when the
// last part with goods has ended. The change has been made, or was refused.
func (a *Allocator) endVisits(s *scratch, c *reservation.Change, t reservation.Ticket, refused error) (reservation.Ticket, error) {
	switch c.Verb {
	case history.Collected, history.Canceled, history.ShortPicked:
	default:
		return t, refused
	}
	if refused != nil || !a.ledger.Find(c.ID, &s.found) || s.found.Parts < 2 || !s.found.State.Ended() {
		return t, refused
	}
	order := c.ID
	if a.isPart(c.ID, &s.found) {
		order, _ = splitID(c.ID)
	}
	parts := a.partsOf(order)
	if len(parts) == 0 || len(a.live(parts)) > 0 {
		return t, nil
	}
	verb := history.Canceled
	if a.head(parts).e.State == Collected {
		verb = history.Collected
	}
	for i := range parts {
		if p := &parts[i]; !p.e.State.Ended() {
			if ended, err := a.step(s, &reservation.Change{Verb: verb, ID: p.id, Now: c.Now}); err == nil {
				t = later(t, ended)
			}
		}
	}
	return t, nil
}
