package allocator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/acceptance"
	"github.com/clickcollect/clickcollect/allocator/internal/cooldown"
	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/allocator/internal/orders"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// moves is what the engine keeps to take orders elsewhere.
type moves struct {
	one  [64]lock.Mutex // by order: one rejection or reroute of an order at a time
	cool *cooldown.Cooldowns
	late *acceptance.Queue[reservation.Name]
}

// lockOrder keeps whatever else moves an order out, for one step: a rejection is
// recorded, or units found a new place, under it. It is not held while a new place
// is looked for, which the rules do, functions of the host's; what was found is
// checked under it again.
func (a *Allocator) lockOrder(order string) (unlock func()) {
	m := &a.moves.one[a.ledger.Digest(0).AddString(order).Sum()%uint64(len(a.moves.one))]
	m.Lock(lock.Orders)
	return m.Unlock
}

// noteShort makes the note of an order that only named kinds or its store.
func (s *scratch) noteShort(set topology.KindSet, at string) {
	s.note = notes.AppendShort(s.note[:0], set, at)
	s.hold.Note = s.note
}

// Reject notes that the location will not serve a confirmed reservation: nothing
// of it, or not the given lines; and takes what it will not serve elsewhere. What
// it answers is where that is now; List and events tell the new location of it.
//
// The rejection counts against Rules.MaxRejects, over all parts of the order, and
// the location is skipped for these SKUs for Rules.CoolDown, also after a restart.
// What was accepted is only confirmed from then on. A new location is then sought
// by the rules in force, as for an order that asks for what the first one asked
// for, without the locations that have rejected it; of a NeededBy or a Window that
// has passed nobody asks any more, and an order that said nothing but lines and a
// place to be near to is looked for near the location so far. The new units are
// taken before the old ones are free, in one step of the journal: whoever looks
// sees them in one place.
//
//   - All of a reservation that finds room at one location goes there and stays the
//     same reservation. What goes only in part, in other lots, or to several
//     locations, becomes new parts of the order, at most 255 in all.
//   - Goods that the customer collects go to as many locations as the order, or
//     Rules.MaxLocations, allowed; goods that are sent or brought go to as many
//     as needed.
//   - The customer of an order that named its store (At) is never sent to another
//     one: goods that were to be collected there come from elsewhere, as with
//     sourcing.ShipToStore, and are to be sent to it by Dispatch.
//   - The channel, references, deadlines and the form of the order stay. Its promise
//     gets no earlier.
//   - Lines that nobody else can serve stay where they are, and the event
//     RerouteFailed says so. So does an order that was rejected more often than
//     Rules.MaxRejects allows.
//   - What the location makes ready, sends or ends all the same, while a new place is
//     looked for, stays there too, which the answer says; that is no error.
//
// *NoLocationError: some lines stay, or all; the answer tells of the others, and
// the rejection stands. All other errors are those of Confirm, ErrNoSpace and
// ErrUnavailable; *InvalidError also for an order of several parts, one of which must be named. To
// repeat a rejection without harm, give it an ID: Change with DoReject.
func (a *Allocator) Reject(ctx context.Context, id string, lines ...Line) (Allocation, error) {
	return a.rejectOne(ctx, id, 0, lines)
}

func (a *Allocator) rejectOne(ctx context.Context, id string, part int, lines []Line) (Allocation, error) {
	c := Change{Reservation: id, Part: part, Do: DoReject, Lines: lines}
	call, err := a.gate.BeginVerb(ctx, c.Do.verb())
	if err != nil {
		return Allocation{}, fmt.Errorf("allocator: reject %s: %w", shownPart(id, part), err)
	}
	defer call.End()
	s := scratchOf(call.Pass)
	if err := a.translate(s, &c, &s.change); err != nil {
		call.Leave()
		return Allocation{}, fmt.Errorf("allocator: reject %s: %w", shownPart(id, part), err)
	}
	s.change.Lines = slices.Clone(s.change.Lines)
	got, t, err := a.reject(s, &s.change)
	if err = a.endChange(ctx, &call, t, err); err != nil {
		return got, fmt.Errorf("allocator: reject %s: %w", shownPart(id, part), err)
	}
	return got, nil
}

// Reroute finds a new place for units of a reservation: for those that are Missing,
// because they were not found or got lost, and those that are Short, because a count
// or a till sale took their goods; if there are none, for all that is held or
// confirmed. Given lines say which: of each SKU first what is missing, then what
// is open. What it answers and where it looks is as with Reject, but nothing is
// counted, and no location is skipped from then on. Of an order with several parts
// it is about all that have units missing or short; else the part must be named.
//
// Errors: as of Reject. *StateError: the reservation is ready or on its way, and
// nothing of it is missing. *ShortageError: more than is missing or open.
func (a *Allocator) Reroute(ctx context.Context, id string, lines ...Line) (Allocation, error) {
	return a.rerouteOne(ctx, id, 0, lines)
}

func (a *Allocator) rerouteOne(ctx context.Context, id string, part int, lines []Line) (Allocation, error) {
	call, err := a.gate.BeginVerb(ctx, history.Rerouted)
	if err != nil {
		return Allocation{}, fmt.Errorf("allocator: reroute %s: %w", shownPart(id, part), err)
	}
	defer call.End()
	s := scratchOf(call.Pass)
	var wanted []reservation.Line
	if err = cmp.Or(a.checkReservation(s, id), checkPart(part)); err == nil && len(lines) > 0 {
		if err = a.checkLineCount(len(lines)); err == nil {
			wanted, err = a.resolve(s, lines)
		}
	}
	var got Allocation
	var t reservation.Ticket
	if err == nil {
		got, t, err = a.reroute(s, id, part, slices.Clone(wanted))
	}
	if err = a.endChange(ctx, &call, t, err); err != nil {
		return got, fmt.Errorf("allocator: reroute %s: %w", shownPart(id, part), err)
	}
	return got, nil
}

// reject makes a rejection and finds a new place for what it is about.
func (a *Allocator) reject(s *scratch, c *reservation.Change) (Allocation, reservation.Ticket, error) {
	m, t, err := a.recordReject(s, c)
	if m == nil {
		return Allocation{}, t, err
	}
	t, err = m.finish()
	got, _ := m.answer()
	return got, t, err
}

// recordReject records a rejection, or finds it recorded. What it is about has to
// move then, unless there is nothing to move: nil.
func (a *Allocator) recordReject(s *scratch, c *reservation.Change) (*moving, reservation.Ticket, error) {
	defer a.lockOrder(c.ID)()
	made, at, rejects, _, again := a.ledger.Made(c)
	if c.Part == 0 && (!a.ledger.Find(c.ID, &s.found) || several(&s.found)) {
		parts := a.partsOf(c.ID)
		e, err := a.one(c.ID, parts)
		if again && len(parts) > 0 {
			e, err = rejectedPart(parts, made, at), nil
		}
		if err != nil {
			return nil, reservation.Ticket{}, err
		}
		c.Part = uint8(e.Part)
	}
	if c.Cause == 0 {
		c.Cause = history.ByStore
	}
	return a.recordPart(s, c, again, rejects)
}

// cool begins the cool-down of the location that has made a rejection, for its SKUs.
func (a *Allocator) cool(r *reservation.Change, e *reservation.Entry) (t reservation.Ticket) {
	span := a.rules.Load().CoolDown.Milliseconds()
	if span <= 0 {
		return t
	}
	lines := r.Lines
	if lines == nil {
		lines = a.folded(e, openUnits)
	}
	t, err := a.moves.cool.Begin(e.Slot, lines, r.Now, r.Now+span)
	if err != nil { // it counts while the engine is open; the call that waits hears of the journal
		a.options.Logger.Error("cool-down not recorded", "err", err)
	}
	return t
}

// rejectedPart is the part that a rejection which is repeated was about, as far as
// it matters: the first one that was there then and has not gone elsewhere since.
func rejectedPart(parts []reservation.Entry, made reservation.Ticket, at int64) *reservation.Entry {
	for i := range parts {
		if e := &parts[i]; !since(e, made, at) && e.Rejects > notes.Take(e.Note).Rejects && !e.State.Ended() {
			return e
		}
	}
	return &parts[0]
}

// recordPart is recordReject for one part, with the order locked. again tells a
// repeat of a rejection that was made, as the how manyth of the part.
func (a *Allocator) recordPart(s *scratch, c *reservation.Change, again bool, rejects int) (*moving, reservation.Ticket, error) {
	_, t, err := a.ledger.Do(c)
	if err != nil {
		return nil, t, err
	}
	var e reservation.Entry
	if !a.ledger.FindPart(c.ID, int(c.Part), &e) {
		return nil, t, nil
	}
	m := &moving{a: a, s: s, of: reservation.PartName(c.ID, e.Part), slot: e.Slot, cause: c.Cause, by: c.ID2, lines: c.Lines, all: c.Lines == nil, ticket: t, stands: true}
	switch {
	case again && !m.unfinished(&e, rejects):
		return nil, t, nil
	case !again:
		a.moves.restartWait(a, c.ID, &e, c.Now)
		m.ticket = later(t, a.cool(c, &e))
	}
	most := a.rules.Load().MaxRejects
	m.givesUp = most > 0 && m.rejects(&e) > most
	return m, t, nil
}

// reroute takes what is missing or short elsewhere, or what the caller says.
func (a *Allocator) reroute(s *scratch, id string, part int, lines []reservation.Line) (got Allocation, t reservation.Ticket, err error) {
	numbers := []int{part}
	if part == 0 {
		if numbers, err = a.toReroute(id, lines); err != nil {
			return got, t, err
		}
	}
	var faults []error
	all := moving{a: a, s: s, of: reservation.Name{ID: id}}
	for _, number := range numbers {
		err := a.reroutePart(s, id, number, lines, &all)
		if err != nil {
			faults = append(faults, err)
		}
	}
	got, err = all.answer()
	return got, all.ticket, errors.Join(append(faults, err)...)
}

// toReroute is the parts that a reroute of an order is about.
func (a *Allocator) toReroute(id string, lines []reservation.Line) (numbers []int, err error) {
	parts := a.partsOf(id)
	for i := range parts {
		if lines == nil && openIn(&parts[i], func(l *reservation.EntryLine) int64 { return l.Missing + l.Short }) {
			numbers = append(numbers, parts[i].Part)
		}
	}
	if len(numbers) > 0 {
		return numbers, nil
	}
	e, err := a.one(id, parts)
	if err != nil {
		return nil, err
	}
	return []int{e.Part}, nil
}

// reroutePart adds what it does for a part to all.
func (a *Allocator) reroutePart(s *scratch, id string, number int, lines []reservation.Line, all *moving) error {
	var e reservation.Entry
	if !a.ledger.FindPart(id, number, &e) {
		return ErrNotFound
	}
	missing, short, open := a.folded(&e, missingUnits), a.folded(&e, shortUnits), a.folded(&e, openUnits)
	if !movable(&e) {
		short, open = nil, nil
	}
	chosen := short
	switch {
	case lines != nil:
		var err error
		if missing, chosen, err = a.spread(&e, lines, missing, open); err != nil {
			return err
		}
	case len(missing)+len(short) == 0:
		chosen = open
	}
	switch {
	case len(missing)+len(chosen) > 0:
	case e.State.Ended():
		return fmt.Errorf("%w", &EndedError{ID: id, Part: partNumber(&e), State: e.State})
	default:
		return fmt.Errorf("%w", &StateError{ID: id, Part: partNumber(&e), State: e.State, Verb: history.Rerouted})
	}
	cause := history.NotFound
	if lines == nil && len(missing)+len(short) == 0 {
		cause = 0
	}
	for _, m := range [...]moving{{lines: missing, missing: true}, {lines: chosen}} {
		if len(m.lines) > 0 {
			m.a, m.s, m.of, m.slot, m.cause = a, s, reservation.PartName(id, number), e.Slot, cause
			m.run()
			all.merge(&m)
		}
	}
	return nil
}

// spread divides lines over what is missing and what is open.
func (a *Allocator) spread(e *reservation.Entry, lines, missing, open []reservation.Line) (gone, there []reservation.Line, err error) {
	for _, line := range lines {
		n := min(line.Quantity, unitsIn(missing, line.SKU))
		rest := line.Quantity - n
		if left := unitsIn(open, line.SKU); rest > left {
			return nil, nil, fmt.Errorf("%w", &ShortageError{SKU: a.ledger.SKUName(line.SKU), Location: a.ledger.SlotName(e.Slot),
				Wanted: line.Quantity, Available: n + left})
		}
		if n > 0 {
			gone = append(gone, reservation.Line{SKU: line.SKU, Quantity: n})
		}
		if rest > 0 {
			there = append(there, reservation.Line{SKU: line.SKU, Quantity: rest})
		}
	}
	return gone, there, nil
}

func missingUnits(l *reservation.EntryLine) int64 { return l.Missing }
func shortUnits(l *reservation.EntryLine) int64   { return l.Short }
func openUnits(l *reservation.EntryLine) int64    { return l.Held + l.Confirmed }

// folded is units of a reservation's goods by base SKU, ascending, without zeros.
func (a *Allocator) folded(e *reservation.Entry, units func(*reservation.EntryLine) int64) (lines []reservation.Line) {
	for i := range e.Lines {
		if l := &e.Lines[i]; units(l) > 0 && !a.ledger.Resource(l.SKU) {
			lines = append(lines, reservation.Line{SKU: a.ledger.Base(l.SKU), Quantity: units(l)})
		}
	}
	return orders.Joined(lines)
}

// unitsIn is how many units of a SKU lines have.
func unitsIn(lines []reservation.Line, sku uint32) int64 {
	for _, line := range lines {
		if line.SKU == sku {
			return line.Quantity
		}
	}
	return 0
}

// askedAgain is the order that finds a new place for lines of a part.
func (a *Allocator) askedAgain(id string, e *reservation.Entry, t *notes.Terms, lines []reservation.Line, now int64) *Order {
	from := a.ledger.SlotName(e.Slot)
	o := &Order{ID: id, At: t.At, Form: t.Form, MaxDistance: geo.Meters(t.Within), Kinds: kindsIn(t.Kinds), Payment: t.Payment, Groups: t.Groups,
		Exclude: append(a.excluded(t), from), Substitutes: t.Instead, MaxLocations: t.Most, Partial: true,
		Order: e.Order, Customer: e.Customer, Owner: e.Owner, Channel: e.Channel}
	switch places := a.locations.Load(); {
	case t.Near != nil:
		o.Near = geo.Point(*t.Near)
	case t.At == "" && e.Slot < places.Slots():
		o.Near = places.Place(e.Slot).Point
	}
	if o.Form == sourcing.Collect && o.At != "" {
		o.Form = sourcing.ShipToStore
	}
	if t.NeededBy > now {
		o.NeededBy = fromMillis(t.NeededBy)
	}
	if t.Window > now {
		o.Window = fromMillis(t.Window)
		if o.Form == sourcing.ShipToStore { // the place in it is another part's, or is kept
			o.Window = time.Time{}
			if o.NeededBy.IsZero() || t.Window < t.NeededBy {
				o.NeededBy = fromMillis(t.Window)
			}
		}
	}
	if o.Form != sourcing.Collect {
		o.MaxLocations = maxParts
	}
	for _, line := range lines {
		o.Lines = append(o.Lines, Line{SKU: a.ledger.SKUName(line.SKU), Quantity: line.Quantity})
	}
	return o
}

// terms is the note of what goes to another place: what the order asked for, and
// from where it came, and of a new part by which change: that is what tells, as long
// as the part is remembered, that its units have gone, wherever it goes itself later.
func (m *moving) terms(p *planned, sh *plan.Share, t notes.Terms, from uint32, rejects int, isNew bool) ([]byte, error) {
	t.Form, t.Left, t.From, t.Rejects = p.formOf(sh, &t), from+1, "", rejects
	if isNew {
		t.ByDigest, t.By = notes.ChangeDigest(m.by), ""
	}
	if t.Near == nil && t.At == "" {
		near := notes.Place(p.order.Near) // the next search begins there too
		t.Near = &near
	}
	if m.cause != history.Offline && m.cause != 0 && !slices.Contains(t.Rejected, from) {
		t.Rejected = append(slices.Clone(t.Rejected), from)
	}
	b, err := t.Bytes(reservation.MaxNoteBytes)
	return b, noteFault(err)
}

// isWindow tells the resource that is a place in a pickup window.
func isWindow(name string) bool { return strings.HasPrefix(name, "\x00w") }
