package allocator

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/allocator/walk"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// State is where a reservation is in its life.
type State = reservation.State

// The states of a reservation. It ends once, in one of those that say so; a Collected
// or a Delivered one can still become Returned.
const (
	Held      = reservation.Held      // until HeldUntil
	Confirmed = reservation.Confirmed // promised, without a deadline
	Accepted  = reservation.Accepted  // the location prepares it
	InTransit = reservation.InTransit // on its way to location To
	Ready     = reservation.Ready     // waits for the customer until PickupUntil
	Collected = reservation.Collected // ended: at least one unit was handed over
	Canceled  = reservation.Canceled  // ended: put back, and nothing was handed over
	Expired   = reservation.Expired   // ended: the hold's deadline passed
	NoShow    = reservation.NoShow    // ended: the pickup deadline passed
	Returned  = reservation.Returned  // ended: collected, and all of it came back
	Rerouted  = reservation.Rerouted  // ended: its units are in other parts of the order

	Packed           = reservation.Packed           // in a parcel, which waits at the location for its carrier
	Shipped          = reservation.Shipped          // on its way to the customer
	Delivered        = reservation.Delivered        // ended: the customer has it
	Lost             = reservation.Lost             // ended: the carrier has lost it
	ReturnedToSender = reservation.ReturnedToSender // ended: it came back undelivered
)

// Reservation is what became of an order, or of one part of it. Times are engine time, in UTC and whole
// milliseconds; the zero time says that there is none.
type Reservation struct {
	ID       string     `json:"id"`             // the order's
	Part     int        `json:"part,omitempty"` // the number of the part that this is, from 1; 0: it is the whole order
	Location string     `json:"location"`       // where the goods are, or were; the origin while InTransit
	To       string     `json:"to,omitempty"`   // where they are on their way to, while InTransit
	Distance geo.Meters `json:"distance,omitempty"`
	State    State      `json:"state"`
	Sequence uint64     `json:"sequence,omitempty"` // of its last change in the journal; 0 without one

	Order    string `json:"order,omitempty"` // as given with the order; Channel after Reassign the new one
	Customer string `json:"customer,omitempty"`
	Channel  string `json:"channel,omitempty"`
	Code     string `json:"code,omitempty"`  // the pickup code that Ready set
	Parcel   Parcel `json:"parcel,omitzero"` // what DoShip said of it

	HeldUntil   time.Time `json:"held_until,omitzero"`   // while units are held
	PickupUntil time.Time `json:"pickup_until,omitzero"` // while Ready
	EndedAt     time.Time `json:"ended_at,omitzero"`     // when it ended
	Promise     time.Time `json:"promise,omitzero"`      // when the goods are promised to be ready: as given with the order, or by the location's Terms

	Form  sourcing.Form `json:"form,omitempty"`  // how the goods reach the customer
	Store string        `json:"store,omitempty"` // of sourcing.ShipToStore, the chosen store; empty too if an earlier version made it
	Parts []int         `json:"parts,omitempty"` // of a whole order of several parts, the number of each; nil: there is one

	// OrderState is how far the order has come with all of its parts; 0 where the answer is
	// about one part of several.
	OrderState OrderState `json:"order_state,omitempty"`

	Rejects int    `json:"rejects,omitempty"` // how often a location has rejected it, 255 at most for each part
	From    string `json:"from,omitempty"`    // the location from which it was rerouted, the latest; empty: it never was

	Lines []ReservedLine `json:"lines"`

	// Apart is Lines with lots and quotas told apart, in what Orders walks; nil: none of
	// the units has one.
	Apart []walk.ApartLine `json:"apart,omitempty"`
}

// ReservedLine is one SKU of a reservation. Every unit is in one place: Quantity =
// Held + Confirmed + Collected + Missing + Expired + Canceled + Rerouted. A bundle's
// contents are lines of their own; lots and quotas are not told apart.
type ReservedLine struct {
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`            // as ordered, summed over the order's lines of the SKU
	Held      int64  `json:"held,omitempty"`      // until the deadline
	Confirmed int64  `json:"confirmed,omitempty"` // for good
	Collected int64  `json:"collected,omitempty"` // handed over or delivered; returned ones included
	Missing   int64  `json:"missing,omitempty"`   // not found by the location, or lost on the road or by the carrier
	Expired   int64  `json:"expired,omitempty"`   // put back at a deadline: of the hold, or of the pickup
	Canceled  int64  `json:"canceled,omitempty"`  // put back on request
	Returned  int64  `json:"returned,omitempty"`  // of the collected: brought back
	Short     int64  `json:"short,omitempty"`     // of the held and confirmed: their goods are gone
	Rerouted  int64  `json:"rerouted,omitempty"`  // of one part: in other parts of the order by now; 0 of an order
}

// Lookup returns the reservation with the order's ID, live or remembered.
//
// An order of several parts is answered as a whole, as it was at one instant: Lines
// are those of all parts, each unit once, also while it is being rerouted;
// HeldUntil is the first of the deadlines; Location, State and all else are those
// of the first part that is live, or when all have ended, of one that was
// collected, or else of the last one. Part.Lookup answers one part alone.
//
// ErrNotFound: there is none. ErrJournal: what was read is not known to last.
func (a *Allocator) Lookup(id string) (Reservation, error) { return a.lookup(id, 0) }

// lookup is Lookup of a part, or with 0 of the whole order.
func (a *Allocator) lookup(id string, part int) (Reservation, error) {
	c, err := a.gate.Enter()
	if err != nil {
		return Reservation{}, fmt.Errorf("allocator: look up %s: %w", shownPart(id, part), err)
	}
	defer c.End()
	r, err := a.read(&scratchOf(c.Pass).found, id, part)
	if err != nil {
		c.Leave()
		return Reservation{}, fmt.Errorf("allocator: look up %s: %w", shownPart(id, part), err)
	}
	if err := c.LeaveRead(reservation.Ticket{Sequence: r.Sequence}); err != nil {
		return Reservation{}, fmt.Errorf("allocator: look up %s: %w", shownPart(id, part), err)
	}
	return r, nil
}

// read reads a part, or with 0 the whole order.
func (a *Allocator) read(found *reservation.Entry, id string, part int) (Reservation, error) {
	if err := checkPart(part); err != nil {
		return Reservation{}, err
	}
	ok := a.ledger.FindPart(id, part, found)
	if ok && (part > 0 || !several(found)) {
		r := a.reservation(id, found, nil)
		if r.Part = part; !several(found) {
			r.OrderState = orderState(a, *found)
		}
		return r, nil
	}
	parts := []reservation.Entry(nil)
	if part == 0 {
		parts = a.partsOf(id) // also when the first one has been forgotten
	}
	if len(parts) == 0 {
		return Reservation{}, ErrNotFound
	}
	return a.whole(id, parts), nil
}

// whole is an order of several parts, each read once.
func (a *Allocator) whole(order string, parts []reservation.Entry) Reservation {
	r := a.reservation(order, a.head(parts), nil)
	r.Part, r.HeldUntil, r.Lines = 0, time.Time{}, nil
	r.Parts, r.Rejects, r.OrderState = make([]int, len(parts)), 0, orderState(a, parts...)
	var lines []foldedLine
	for i := range parts {
		e := &parts[i]
		r.Parts[i] = e.Part
		r.Rejects += e.Rejects
		r.Sequence = max(r.Sequence, e.Sequence)
		if until := heldUntil(e); !until.IsZero() && (r.HeldUntil.IsZero() || until.Before(r.HeldUntil)) {
			r.HeldUntil = until
		}
		lines = a.foldLines(lines, e, true)
	}
	slices.SortStableFunc(lines, func(x, y foldedLine) int { return cmp.Compare(x.sku, y.sku) })
	for _, line := range lines {
		r.Lines = append(r.Lines, line.ReservedLine)
	}
	return r
}

// reservation translates a record of the ledger. Nothing of it refers to e. room is
// where its lines may lie, and is what is left of it then; nil: by themselves. Most
// of the time of a page was spent on small pieces of memory.
func (a *Allocator) reservation(id string, e *reservation.Entry, room *[]ReservedLine) Reservation {
	r := Reservation{ID: id, Part: e.Part, Location: a.ledger.SlotName(e.Slot), Distance: geo.Meters(e.Distance), State: e.State,
		Sequence: e.Sequence, Order: e.Order, Customer: e.Customer, Channel: e.Channel, Code: e.Code,
		Promise: fromMillis(e.Promise), Rejects: e.Rejects}
	if !notes.Plain(e.Note) { // a plain one says neither
		t := notes.Take(e.Note)
		r.Form, r.From = t.Form, a.leftOf(&t)
	}
	r.Parcel = Parcel{Carrier: e.Carrier, Tracking: e.Tracking}
	if e.Form != reservation.Unsaid {
		r.Form = formIn(e.Form)
	}
	if e.Form == reservation.Brought {
		r.Store = a.ledger.SlotName(e.To)
	}
	if room != nil && len(*room) >= len(e.Lines) {
		r.Lines, *room = (*room)[:0:len(e.Lines)], (*room)[len(e.Lines):]
	} else {
		r.Lines = make([]ReservedLine, 0, len(e.Lines))
	}
	if a.classed(e) {
		for _, line := range a.foldLines(nil, e, false) {
			r.Lines = append(r.Lines, line.ReservedLine)
		}
	} else {
		for i := range e.Lines {
			r.Lines = append(r.Lines, a.reservedLine(&e.Lines[i]))
		}
	}
	r.HeldUntil = heldUntil(e)
	if e.State.Ended() {
		r.EndedAt = fromMillis(e.Deadline)
	}
	switch e.State {
	case InTransit:
		r.To = a.ledger.SlotName(e.To)
	case Ready:
		r.PickupUntil = fromMillis(e.Pickup)
	}
	return r
}

func (a *Allocator) reservedLine(line *reservation.EntryLine) ReservedLine {
	return ReservedLine{SKU: a.ledger.SKUName(a.ledger.Base(line.SKU)), Quantity: line.Quantity, Held: line.Held,
		Confirmed: line.Confirmed, Collected: line.Collected, Missing: line.Missing, Expired: line.Lapsed,
		Canceled: line.Canceled(), Returned: line.Returned, Short: line.Short, Rerouted: line.Rerouted}
}

// classed reports whether a reservation has lines that are not shown as they are.
func (a *Allocator) classed(e *reservation.Entry) bool {
	for i := range e.Lines {
		if sku := e.Lines[i].SKU; a.ledger.Resource(sku) || a.ledger.Base(sku) != sku {
			return true
		}
	}
	return false
}

// foldedLine is the lines of one base SKU, added up.
type foldedLine struct {
	ReservedLine
	sku uint32
}

// foldLines adds the lines of a reservation to those of others, by base SKU and
// without resources. whole leaves out what is in other parts.
func (a *Allocator) foldLines(lines []foldedLine, e *reservation.Entry, whole bool) []foldedLine {
	for i := range e.Lines {
		if a.ledger.Resource(e.Lines[i].SKU) {
			continue
		}
		line, sku := a.reservedLine(&e.Lines[i]), a.ledger.Base(e.Lines[i].SKU)
		if whole {
			line.Quantity, line.Rerouted = line.Quantity-line.Rerouted, 0
		}
		at := slices.IndexFunc(lines, func(l foldedLine) bool { return l.sku == sku })
		switch {
		case at >= 0:
			lines[at].add(&line)
		case line.Quantity > 0:
			lines = append(lines, foldedLine{ReservedLine: line, sku: sku})
		}
	}
	return lines
}

// add adds the units of another line.
func (l *ReservedLine) add(o *ReservedLine) {
	l.Quantity += o.Quantity
	l.Held += o.Held
	l.Confirmed += o.Confirmed
	l.Collected += o.Collected
	l.Missing += o.Missing
	l.Expired += o.Expired
	l.Canceled += o.Canceled
	l.Returned += o.Returned
	l.Short += o.Short
	l.Rerouted += o.Rerouted
}

// heldUntil is the deadline of the units that are still held; zero if none are.
func heldUntil(e *reservation.Entry) time.Time {
	for i := range e.Lines {
		if e.Lines[i].Held > 0 {
			return fromMillis(e.Deadline)
		}
	}
	return time.Time{}
}

// Availability is a SKU's units at one location at one instant. Available =
// OnHand − Held − Safety; it may be below zero after a count or a till sale.
type Availability = reservation.Availability

// Available reads a SKU's units at a location; a SKU that was never there has
// none. Of a bundle it is how many its parts make, whole ones, as they are by themselves
// (7 of x and 9 of y make 3 of 2x + y); OnHand is how many all would make that are there,
// and what is wanting of that is Safety as far as it is never sold, else Held. The parts
// are read one after the other. Errors: ErrUnknownLocation, ErrUnknownSKU, ErrJournal (what was read is
// not known to last).
func (a *Allocator) Available(sku, location string) (Availability, error) {
	c, err := a.gate.Enter()
	if err != nil {
		return Availability{}, fmt.Errorf("allocator: available: %w", err)
	}
	defer c.End()
	slot, ok := a.ledger.Slot(location)
	if !ok {
		c.Leave()
		return Availability{}, fmt.Errorf("allocator: available: %w: %s", ErrUnknownLocation, quoted(location))
	}
	got, ok := a.levelOf(sku, slot)
	if !ok {
		c.Leave()
		return Availability{}, fmt.Errorf("allocator: available: %w: %s", ErrUnknownSKU, quoted(sku))
	}
	if err := c.LeaveSettled(); err != nil {
		return Availability{}, fmt.Errorf("allocator: available: %w", err)
	}
	return got, nil
}
