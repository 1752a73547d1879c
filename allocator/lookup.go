package allocator

import (
	"context"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// State is where a reservation is in its life.
type State = reservation.State

// The states of a reservation. It ends once, in one of the last five; a
// Collected one can still become Returned.
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
)

// Reservation is what became of an order. Times are engine time, in UTC and whole
// milliseconds; the zero time says that there is none.
type Reservation struct {
	ID       string
	Location string // where the goods are, or were; the origin while InTransit
	To       string // where they are on their way to, while InTransit
	Distance geo.Meters
	State    State
	Sequence uint64 // of its last change in the journal; 0 without one

	Order, Customer, Channel string // as given with the order; Channel after Reassign the new one
	Code                     string // the pickup code that Ready set

	HeldUntil   time.Time // while units are held
	PickupUntil time.Time // while Ready
	EndedAt     time.Time // when it ended
	Promise     time.Time // as given with the order

	Lines []ReservedLine
}

// ReservedLine is one SKU of a reservation. Every unit is in one place: Quantity =
// Held + Confirmed + Collected + Missing + Expired + Canceled.
type ReservedLine struct {
	SKU       string
	Quantity  int64 // as ordered, summed over the order's lines of the SKU
	Held      int64 // until the deadline
	Confirmed int64 // for good
	Collected int64 // handed over; returned ones included
	Missing   int64 // not found by the location, or lost on the road
	Expired   int64 // put back at a deadline: of the hold, or of the pickup
	Canceled  int64 // put back on request
	Returned  int64 // of the collected: brought back
	Short     int64 // of the held and confirmed: their goods are gone
}

// Lookup returns the reservation with the order's ID, live or remembered.
// ErrNotFound: there is none. ErrJournal: what was read is not known to last.
func (a *Allocator) Lookup(id string) (Reservation, error) {
	s, err := a.enter()
	if err != nil {
		return Reservation{}, fmt.Errorf("allocator: look up %q: %w", id, err)
	}
	if !a.ledger.Find(id, &s.found) {
		a.leave(s)
		return Reservation{}, fmt.Errorf("allocator: look up %q: %w", id, ErrNotFound)
	}
	r := a.reservation(id, &s.found)
	if err := a.leaveRead(s, reservation.Ticket{Sequence: r.Sequence}); err != nil {
		return Reservation{}, fmt.Errorf("allocator: look up %q: %w", id, err)
	}
	return r, nil
}

// reservation translates a record of the ledger. Nothing of it refers to e.
func (a *Allocator) reservation(id string, e *reservation.Entry) Reservation {
	r := Reservation{ID: id, Location: a.ledger.SlotName(e.Slot), Distance: geo.Meters(e.Distance), State: e.State,
		Sequence: e.Sequence, Order: e.Order, Customer: e.Customer, Channel: e.Channel, Code: e.Code,
		Promise: fromMillis(e.Promise), Lines: make([]ReservedLine, len(e.Lines))}
	for i := range e.Lines {
		line := &e.Lines[i]
		r.Lines[i] = ReservedLine{SKU: a.ledger.SKUName(line.SKU), Quantity: line.Quantity, Held: line.Held,
			Confirmed: line.Confirmed, Collected: line.Collected, Missing: line.Missing, Expired: line.Lapsed,
			Canceled: line.Canceled(), Returned: line.Returned, Short: line.Short}
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
// none. Errors: ErrUnknownLocation, ErrUnknownSKU, ErrJournal (what was read is
// not known to last).
func (a *Allocator) Available(sku, location string) (Availability, error) {
	s, err := a.enter()
	if err != nil {
		return Availability{}, fmt.Errorf("allocator: available: %w", err)
	}
	slot, ok := a.ledger.Slot(location)
	if !ok {
		a.leave(s)
		return Availability{}, fmt.Errorf("allocator: available: %w: %q", ErrUnknownLocation, location)
	}
	handle, ok := a.ledger.SKU(sku)
	if !ok {
		a.leave(s)
		return Availability{}, fmt.Errorf("allocator: available: %w: %q", ErrUnknownSKU, sku)
	}
	got := a.ledger.Available(handle, slot)
	if err := a.leaveSettled(s); err != nil {
		return Availability{}, fmt.Errorf("allocator: available: %w", err)
	}
	return got, nil
}

// settled returns when everything a read has seen so far lasts.
func (a *Allocator) settled() error {
	if !a.recorded || a.options.LiveReads {
		return nil
	}
	return a.ledger.Settled(context.Background())
}
