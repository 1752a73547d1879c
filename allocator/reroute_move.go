package allocator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/allocator/internal/orders"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// moving is units of one part on their way to another place. Where they go is
// worked out while nothing is locked and the call stands aside, because the rules
// are functions of the host's; each step is then made under the order's lock, if
// the part still is what was looked at.
type moving struct {
	a       *Allocator
	s       *scratch
	of      reservation.Name
	slot    uint32 // where it was; once it is elsewhere, somebody else has moved it
	givesUp bool   // it was rejected too often for another place to be looked for
	cause   history.Cause
	by      string             // ID of the change, if it has one
	lines   []reservation.Line // what is to go, by base SKU, ascending
	all     bool               // everything open instead
	missing bool               // they are missing where they are

	ticket reservation.Ticket
	took   []reservation.Line // of lines, what has gone; by a change without an ID
	sent   bool               // some have gone, by this moving
	stands bool               // a rejection is recorded, whatever becomes of the units
	parts  []Allocation
	went   [][]Line // by part
	err    error    // why some stay
}

// maxMoves bounds how often a new place is sought again after it was lost to
// another order each time.
const maxMoves = 1 << 10

// finish finds a new place for what was rejected, or gives that up.
func (m *moving) finish() (reservation.Ticket, error) {
	if m.givesUp {
		m.giveUp()
		m.a.moves.late.Forget(m.of)
	} else {
		m.run()
	}
	return m.ticket, m.err
}

// run moves what it can, and records what nobody else can serve.
func (m *moving) run() {
	var e, begun reservation.Entry
	for n := range maxMoves {
		if !m.a.ledger.FindPart(m.of.ID, m.of.Number(), &e) {
			if !m.stands { // else it ended before it was forgotten
				m.err = ErrNotFound
			}
			return
		}
		if n == 0 {
			m.a.ledger.FindPart(m.of.ID, m.of.Number(), &begun)
		}
		if m.gone(&e) {
			if len(m.parts) == 0 {
				m.already(&e)
			}
			break
		}
		left := m.left(&e)
		if m.stands && !movable(&e) { // its location serves it after all, or it has ended
			if len(m.parts) == 0 {
				m.already(&e)
			}
			break
		}
		if len(left) == 0 || !m.try(&e, left, n) {
			break
		}
	}
	if !m.missing && m.sent {
		m.keepVisit(&begun)
	}
}

// gone reports whether somebody else has taken the part elsewhere. What is missing
// is missing wherever the part is.
func (m *moving) gone(e *reservation.Entry) bool { return !m.missing && e.Slot != m.slot }

// already answers where a part is that somebody else has taken elsewhere.
func (m *moving) already(e *reservation.Entry) {
	t := notes.Take(e.Note)
	var lines []Line
	for _, line := range m.left(e) {
		lines = append(lines, Line{SKU: m.a.ledger.SKUName(line.SKU), Quantity: line.Quantity})
	}
	m.note(e, Allocation{Location: m.a.ledger.SlotName(e.Slot), Distance: geo.Meters(e.Distance), Form: t.Form, Ready: fromMillis(e.Promise)}, lines)
}

// left is what is still to go, by what is recorded.
func (m *moving) left(e *reservation.Entry) []reservation.Line {
	units := openUnits
	if m.missing {
		units = missingUnits
	}
	there := m.a.folded(e, units)
	if m.all {
		return there
	}
	var left []reservation.Line
	for _, line := range m.lines {
		if n := min(line.Quantity-m.moved(line.SKU), unitsIn(there, line.SKU)); n > 0 {
			left = append(left, reservation.Line{SKU: line.SKU, Quantity: n})
		}
	}
	return left
}

// moved is how many units of a line have gone: of a change with an ID, which may be
// repeated while the first call is still at work, by the parts that it made.
func (m *moving) moved(sku uint32) (units int64) {
	if m.by == "" {
		return unitsIn(m.took, sku)
	}
	parts := m.a.partsOf(m.of.ID)
	for i := range parts {
		e := &parts[i]
		if t := notes.Take(e.Note); e.From == m.of.Number() && t.IsBy(m.by) {
			units += unitsIn(m.a.folded(e, func(l *reservation.EntryLine) int64 { return l.Quantity }), sku)
		}
	}
	return units
}

// plan works out who could serve lines of a part.
func (m *moving) plan(e *reservation.Entry, t *notes.Terms, left []reservation.Line) (*planned, error) {
	if t.Unread != nil { // what it forbids is not known
		return nil, t.Unread
	}
	a := m.a
	m.s.Aside()
	now := a.gate.Now()
	m.s.hold = reservation.Hold{Now: now}
	p, err := a.newPlan(m.s, a.locations.Load(), a.askedAgain(m.of.ID, e, t, left, now), &a.rules.Load().Rules, true, true)
	if err != nil {
		return nil, errors.Unwrap(err) // it is told which order it is about anyway
	}
	return p, nil
}

// try moves lines to the best place there is for them. False: there is no more to
// be done.
func (m *moving) try(e *reservation.Entry, left []reservation.Line, again int) (more bool) {
	terms := notes.Take(e.Note)
	p, err := m.plan(e, &terms, left)
	if err != nil {
		m.refuse(left, err)
		return false
	}
	p.again = again
	if !p.Choose() {
		m.refuse(left, p.refusal())
		return false
	}
	m.s.Resume()
	defer m.a.lockOrder(m.of.ID)()
	var now reservation.Entry
	if p.outdated() || !m.a.ledger.FindPart(m.of.ID, m.of.Number(), &now) || now.Slot != e.Slot || !slices.Equal(m.left(&now), left) {
		return true // look again
	}
	return m.make(p, &now, &terms, left)
}

// make takes the steps that a plan has found, with the order locked.
func (m *moving) make(p *planned, e *reservation.Entry, terms *notes.Terms, left []reservation.Line) (more bool) {
	switch ok := p.build(m.s); {
	case p.broken != nil:
		m.err = p.broken
		return false
	case !ok:
		return true
	}
	for i := range p.Shares {
		if _, err := m.terms(p, &p.Shares[i], terms.With(terms.FirstOf(e)), e.Slot, e.Rejects, true); err != nil {
			m.refuse(left, fmt.Errorf("it has been rerouted too often: %w: %v", ErrFull, err))
			return false
		}
	}
	if len(p.Shares) == 1 && m.stays(e, p.work.held[0].Lines) {
		return m.send(p, 0, e, terms, 0) == lost
	}
	number := m.nextPart()
	for i := 0; i < len(p.Shares); number++ {
		if number > maxPartNumber {
			m.refuse(left, fmt.Errorf("order %s has %d parts: %w", quoted(m.of.ID), maxPartNumber, ErrFull))
			return false
		}
		switch m.send(p, i, e, terms, number) {
		case sent:
			i++
		case lost:
			return true
		case stopped:
			return false
		}
	}
	return true
}

// sending is what became of an attempt to move units.
type sending uint8

const (
	sent     sending = iota
	occupied         // there is a part of that number
	lost             // the place or the units have gone elsewhere meanwhile; look again
	stopped          // m.err says why
)

// send moves the units of a share of a plan: all of the part, which stays the same,
// or into a new part of that number.
func (m *moving) send(p *planned, share int, e *reservation.Entry, t *notes.Terms, number int) sending {
	a, sh, held := m.a, &p.Shares[share], &p.work.held[share]
	ready := p.Told(sh)
	r := reservation.Reroute{ID: m.of.ID, Part: uint8(m.of.Number()), Now: p.Now, Cause: m.cause, Missing: m.missing}
	to := reservation.Hold{Slot: sh.Slot, Distance: float64(sh.Distance), Promise: max(e.Promise, millis(ready))}
	kept, rejects := t.With(t.FirstOf(e)), e.Rejects
	var left []Line
	for _, part := range sh.Lines {
		w := &p.Wants[part.Want]
		left = append(left, Line{SKU: w.Choices[part.Choice].Name, Quantity: part.Units})
		if sku, ok := a.ledger.SKU(w.Name); ok {
			r.Lines = append(r.Lines, reservation.Line{SKU: sku, Quantity: part.Units})
		}
	}
	r.Lines = orders.Joined(r.Lines)
	gone := r.Lines
	if number > 0 {
		to.Part, to.Fingerprint, to.Order, to.Parts = uint8(number), e.Fingerprint, cmp.Or(e.Order, m.of.ID), uint8(number)
		kept, rejects = t.With(nil), 0 // it is none of the first answer's
	} else {
		r.Lines = nil
	}
	to.Form, to.Store = formed(p.formOf(sh, t), p.At)
	if to.Note, m.err = m.terms(p, sh, kept, e.Slot, rejects, number > 0); m.err != nil {
		return stopped
	}
	r.To = reservation.Part{Hold: to, Lines: held.Lines}
	parts := &p.work.parts
	switch n := parts.Reroute(a.ledger, &r, &m.s.found); n {
	case reservation.Done:
	case reservation.Known:
		if number > 0 {
			return occupied
		}
		return lost
	case reservation.Failed:
		return m.failed(parts.Err())
	default:
		m.s.Count(gate.LostRaces)
		return lost
	}
	m.ticket = later(m.ticket, parts.Ticket())
	m.sent, m.took = true, orders.Joined(append(m.took, gone...))
	m.arrived(cmp.Or(number, m.of.Number()), sh, ready, left, p.Now)
	return sent
}

// formOf is how goods of a share reach the customer; goods that come to a named
// store from elsewhere are brought.
func (p *planned) formOf(sh *plan.Share, t *notes.Terms) sourcing.Form {
	if sh.Form == sourcing.ShipToStore && sh.Slot == p.At {
		return t.Form
	}
	return sh.Form
}

// failed says whether it is worth looking again after an error of the ledger: when
// it was another change that came first. One that has made the goods ready is the
// answer to a reroute; a rejection stands beside it.
func (m *moving) failed(err error) sending {
	if m.stands && errors.Is(err, ErrState) || errors.Is(err, ErrEnded) || errors.Is(err, ErrShortage) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrUnknownLocation) {
		return lost
	}
	m.err = err
	return stopped
}

// arrived notes where units are now, for the answer, and waits for the new place to
// accept them.
func (m *moving) arrived(number int, sh *plan.Share, ready time.Time, lines []Line, now int64) {
	a, e := m.a, &m.s.found
	if !a.ledger.FindPart(m.of.ID, number, e) {
		return
	}
	a.moves.restartWait(a, m.of.ID, e, now)
	if heldIn(e) {
		a.due(e.Deadline)
	}
	m.note(e, Allocation{Location: a.ledger.SlotName(sh.Slot), Distance: sh.Distance, Form: sh.Form, Ready: ready, Cost: sh.Cost}, lines)
}

// note adds where a part is now to the answer.
func (m *moving) note(e *reservation.Entry, got Allocation, lines []Line) {
	got.ID, got.Part, got.HeldUntil = m.of.ID, e.Part, heldUntil(e)
	m.parts = append(m.parts, got)
	m.went = append(m.went, lines)
}

// merge adds what another moving has done.
func (m *moving) merge(o *moving) {
	m.ticket = later(m.ticket, o.ticket)
	m.parts, m.went = append(m.parts, o.parts...), append(m.went, o.went...)
	m.err = errors.Join(m.err, o.err)
}

// answer is where units are now, and why others stay.
func (m *moving) answer() (Allocation, error) {
	if len(m.parts) == 0 {
		return Allocation{}, m.err
	}
	d := &decision{parts: m.parts, lines: m.went}
	for i := range d.parts {
		d.parts[i].why = &decision{number: i + 1, lines: d.lines[i : i+1]}
	}
	got := d.parts[0]
	got.why = d
	for i := 1; i < len(d.parts); i++ {
		got.Cost = plan.AddCost(got.Cost, d.parts[i].Cost)
		if d.parts[i].Ready.After(got.Ready) {
			got.Ready = d.parts[i].Ready
		}
	}
	return got, m.err
}

// refuse records that nobody else can serve lines, and why for the answer.
func (m *moving) refuse(left []reservation.Line, why error) {
	if !errors.Is(why, ErrNoLocation) {
		why = &NoLocationError{ID: m.of.ID, why: why}
	}
	m.err = why
	m.s.Resume()
	c := reservation.Change{Verb: history.RerouteFailed, ID: m.of.ID, Part: uint8(m.of.Number()), Now: m.s.Now(), Cause: m.cause, Lines: left}
	if _, t, err := m.a.ledger.Do(&c); err == nil {
		m.ticket = later(m.ticket, t)
	} else if !saw(err) { // not just that they are gone meanwhile
		m.err = err
	}
}

// giveUp refuses to look for a place for an order that was rejected too often.
func (m *moving) giveUp() {
	var e reservation.Entry
	if !m.a.ledger.FindPart(m.of.ID, m.of.Number(), &e) {
		return
	}
	left := m.left(&e)
	if len(left) == 0 {
		return
	}
	t := notes.Take(e.Note)
	p, err := m.plan(&e, &t, left)
	if err != nil {
		m.refuse(left, err)
		return
	}
	c := sourcing.Candidate{Number: p.Catalogue.Number(e.Slot)}
	p.Saw(&c, p.Forms[0], sourcing.RejectedTooOften, "")
	m.refuse(left, p.refusal())
}

// rejects is how often an order was rejected, over all its parts.
func (m *moving) rejects(e *reservation.Entry) (n int) {
	parts := m.a.partsOf(m.of.ID)
	for i := range parts {
		n += parts[i].Rejects
	}
	return max(n, e.Rejects)
}

// unfinished reports whether a rejection that is repeated has left something to do,
// such as after a crash between its record and the reroute. rejects is the how manyth
// of the part it was; 0: that is not known.
func (m *moving) unfinished(e *reservation.Entry, rejects int) bool {
	if t := notes.Take(e.Note); t.Rejects == e.Rejects || rejects > 0 && t.Rejects >= rejects || !movable(e) {
		return false // it has gone elsewhere since, or its customer gets it here all the same
	}
	if m.all {
		return e.State == Confirmed
	}
	return slices.ContainsFunc(m.lines, func(l reservation.Line) bool { return l.Quantity > m.moved(l.SKU) })
}

// keepVisit keeps the customer's place in a pickup window at the store the order
// named, when all goods that were to be collected there come from elsewhere now:
// the place was free for a moment.
func (m *moving) keepVisit(begun *reservation.Entry) {
	a, s := m.a, m.s
	t := notes.Take(begun.Note)
	s.Resume()
	now := s.Now()
	if t.Window <= now || t.At == "" || t.At != a.ledger.SlotName(begun.Slot) {
		return
	}
	var places []reservation.Line
	sure := false
	for i := range begun.Lines {
		l := &begun.Lines[i]
		if n := openUnits(l); n > 0 && a.ledger.Resource(l.SKU) && isWindow(a.ledger.SKUName(l.SKU)) {
			places = append(places, reservation.Line{SKU: l.SKU, Quantity: n})
			sure = sure || l.Confirmed > 0
		}
	}
	defer a.lockOrder(m.of.ID)()
	if len(places) == 0 || !a.ledger.FindPart(m.of.ID, m.of.Number(), &s.found) || s.found.State != Rerouted {
		return
	}
	number := m.nextPart()
	if number > maxPartNumber {
		return
	}
	t.Form, t.First = sourcing.Collect, nil
	note, err := t.Bytes(reservation.MaxNoteBytes)
	if err != nil { // it is no longer than it was
		m.err = noteFault(err)
		return
	}
	visit := reservation.Part{Lines: places, Hold: reservation.Hold{ID: m.of.ID, Part: uint8(number), Fingerprint: begun.Fingerprint, Slot: begun.Slot,
		Now: now, Deadline: max(begun.Deadline, now+a.holdFor), Promise: t.Window, Order: cmp.Or(begun.Order, m.of.ID), Customer: begun.Customer,
		Owner: begun.Owner, Channel: begun.Channel, Note: note, Parts: uint8(number), From: uint8(m.of.Number())}}
	parts := &s.plan.parts
	if parts.Reserve(a.ledger, []reservation.Part{visit}, &s.found) != reservation.Done {
		return
	}
	m.ticket = later(m.ticket, parts.Ticket())
	if sure {
		if t, err := a.step(s, &reservation.Change{Verb: history.Confirmed, ID: m.of.ID, Part: uint8(number), Now: now}); err == nil {
			m.ticket = later(m.ticket, t)
		}
	}
}

// stays reports whether a part can go as a whole and stay the same reservation.
func (m *moving) stays(e *reservation.Entry, to []reservation.Line) bool {
	if m.missing {
		return false
	}
	n := 0
	for i := range e.Lines {
		l := &e.Lines[i]
		if l.Collected|l.Missing|l.Lapsed != 0 {
			return false
		}
		if open := openUnits(l); open > 0 {
			if n == len(to) || to[n].SKU != l.SKU || to[n].Quantity != open {
				return false
			}
			n++
		}
	}
	return n == len(to)
}

// nextPart is the lowest number behind the order's parts so far.
func (m *moving) nextPart() (number int) {
	number = 2
	parts := m.a.partsOf(m.of.ID)
	for i := range parts {
		number = max(number, parts[i].Part+1, parts[i].Parts+1)
	}
	return number
}
