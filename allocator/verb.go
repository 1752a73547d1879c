package allocator

import (
	"context"
	"fmt"
	"time"
)

// Owner is who a reservation belongs to.
type Owner struct {
	Token   string `json:"token,omitempty"`   // what the next Reassign must name; may be empty
	Channel string `json:"channel,omitempty"` // where the order is carried on, such as "till"; may be empty
}

// Pickup is how the customer gets the goods.
type Pickup struct {
	Code  string    `json:"code,omitempty"` // what the customer shows, told in events; may be empty
	Until time.Time `json:"until,omitzero"` // how long the goods wait. Zero: Options.PickupWithin from now
}

// Confirm makes a hold last: all that is still held, or the given lines of it.
// What is confirmed has no deadline, and its collection does not fail for stock
// unless the shop floor itself takes the goods away.
//
// Of an order of several parts (see Allocation.Parts), this and all verbs below change
// all parts that are still open and that they concern, in one record of the journal and
// at one instant, or none: one part that refuses is the error, which names it. Parts
// that have ended are left as they are, and so are those to which the verb has been
// done. Of one part alone they are methods of Part. Lines are always of one part: with
// lines, *InvalidError if more than one is open.
//
// Errors of this and all verbs below: that of ctx; ErrClosed; *InvalidError;
// ErrUnknownLocation; ErrUnknownSKU; ErrNotFound; *EndedError, which says how the
// reservation ended; *StateError, which says how far it has come; *FormError, which
// says how its goods reach the customer, and where; *ShortageError,
// more than the reservation has. Nothing was changed. ErrJournal, or that of a
// ctx which ended while it waited for the disk: unknown. A repeat then either
// does it or says, by *StateError or *EndedError, that it was done. To be sure of
// the answer, or for partial quantities, give the change an ID: see Change.
func (a *Allocator) Confirm(ctx context.Context, id string, lines ...Line) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoConfirm, Lines: lines})
}

// Accept notes that the location has taken a confirmed reservation on.
func (a *Allocator) Accept(ctx context.Context, id string) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoAccept})
}

// Dispatch sends a confirmed reservation to the location where its customer
// collects it. Its goods leave the units on hand. Nothing of it may be only held.
// *FormError: it is sourcing.ShipToStore and that is not the chosen store, or it is
// sourcing.Ship.
func (a *Allocator) Dispatch(ctx context.Context, id, location string) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoDispatch, Location: location})
}

// Arrive books a dispatched reservation in where it was sent to: all of it, or
// the given lines; then the rest is Missing. It is then Accepted there.
func (a *Allocator) Arrive(ctx context.Context, id string, lines ...Line) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoArrive, Lines: lines})
}

// Ready notes that the goods of a confirmed reservation wait for their customer.
// If nobody comes until the deadline, it ends as NoShow and they go back on the
// shelf. *FormError: it is sourcing.Ship, or sourcing.ShipToStore and its goods are not
// at the chosen store.
func (a *Allocator) Ready(ctx context.Context, id string, p Pickup) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoReady, Pickup: p})
}

// ShortPick notes that the location did not find goods of a confirmed reservation:
// none of them, or the given lines. They leave the units on hand.
func (a *Allocator) ShortPick(ctx context.Context, id string, lines ...Line) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoShortPick, Lines: lines})
}

// Collect hands goods over to the customer: all that is still held or confirmed,
// or the given lines of it. They leave the units on hand. *ShortageError: more
// than that, or goods that a till sale or a count took away before. *FormError: it is
// sourcing.ShipToStore, and its goods are not at the chosen store, or it is
// sourcing.Ship: that ends by Change with DoDeliver.
func (a *Allocator) Collect(ctx context.Context, id string, lines ...Line) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoCollect, Lines: lines})
}

// Cancel puts goods back on the shelf: all that is still held or confirmed, or
// the given lines of it, also if they are in a parcel that no carrier has yet. They are available to the next order when it returns.
func (a *Allocator) Cancel(ctx context.Context, id string, lines ...Line) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoCancel, Lines: lines})
}

// Extend holds what is still held for that long from now on, and returns until
// when: the deadline so far if that is later, so that a repeat does no harm.
// *InvalidError: less than 1 ms, or a hold of more than Options.MaxHold in all.
func (a *Allocator) Extend(ctx context.Context, id string, by time.Duration) (time.Time, error) {
	until, err := a.extend(ctx, id, 0, by)
	if err != nil {
		return time.Time{}, fmt.Errorf("allocator: extend %s: %w", quoted(id), err)
	}
	return until, nil
}

// Reassign gives a reservation another owner and channel: begun in a cart,
// finished at a till. ErrOwner: token is not that of the owner so far.
func (a *Allocator) Reassign(ctx context.Context, id, token string, to Owner) error {
	if err := a.reassign(ctx, id, 0, token, to); err != nil {
		return fmt.Errorf("allocator: reassign %s: %w", quoted(id), err)
	}
	return nil
}

// Part is one part of an order: what one location does for it. Its methods are those of
// the Allocator, of this part alone; those of the Allocator are of all parts of an order
// that are still open. It is made by Allocator.Part, costs nothing, and may be copied
// and used by any number of goroutines.
type Part struct {
	engine *Allocator
	order  string
	number int
}

// Part is the part of an order with that number, 1 to 255, as in Allocation.Part,
// Reservation.Part and Event.Part; of an order that has one part it is 1. With 0 it is the
// whole order. Whether there is one is seen by its methods: ErrNotFound.
func (a *Allocator) Part(order string, number int) Part { return Part{a, order, number} }

// Lookup returns the part, live or remembered. Errors: as of Allocator.Lookup.
func (p Part) Lookup() (Reservation, error) { return p.engine.lookup(p.order, p.number) }

// Confirm is Allocator.Confirm of the part.
func (p Part) Confirm(ctx context.Context, lines ...Line) error {
	return p.change(ctx, Change{Do: DoConfirm, Lines: lines})
}

// Accept is Allocator.Accept of the part.
func (p Part) Accept(ctx context.Context) error { return p.change(ctx, Change{Do: DoAccept}) }

// Dispatch is Allocator.Dispatch of the part.
func (p Part) Dispatch(ctx context.Context, location string) error {
	return p.change(ctx, Change{Do: DoDispatch, Location: location})
}

// Arrive is Allocator.Arrive of the part.
func (p Part) Arrive(ctx context.Context, lines ...Line) error {
	return p.change(ctx, Change{Do: DoArrive, Lines: lines})
}

// Ready is Allocator.Ready of the part.
func (p Part) Ready(ctx context.Context, pickup Pickup) error {
	return p.change(ctx, Change{Do: DoReady, Pickup: pickup})
}

// ShortPick is Allocator.ShortPick of the part.
func (p Part) ShortPick(ctx context.Context, lines ...Line) error {
	return p.change(ctx, Change{Do: DoShortPick, Lines: lines})
}

// Collect is Allocator.Collect of the part.
func (p Part) Collect(ctx context.Context, lines ...Line) error {
	return p.change(ctx, Change{Do: DoCollect, Lines: lines})
}

// Cancel is Allocator.Cancel of the part.
func (p Part) Cancel(ctx context.Context, lines ...Line) error {
	return p.change(ctx, Change{Do: DoCancel, Lines: lines})
}

// Extend is Allocator.Extend of the part.
func (p Part) Extend(ctx context.Context, by time.Duration) (time.Time, error) {
	until, err := p.engine.extend(ctx, p.order, p.number, by)
	if err != nil {
		return time.Time{}, fmt.Errorf("allocator: extend %s: %w", shownPart(p.order, p.number), err)
	}
	return until, nil
}

// Reassign is Allocator.Reassign of the part.
func (p Part) Reassign(ctx context.Context, token string, to Owner) error {
	if err := p.engine.reassign(ctx, p.order, p.number, token, to); err != nil {
		return fmt.Errorf("allocator: reassign %s: %w", shownPart(p.order, p.number), err)
	}
	return nil
}

// Reject is Allocator.Reject of the part.
func (p Part) Reject(ctx context.Context, lines ...Line) (Allocation, error) {
	return p.engine.rejectOne(ctx, p.order, p.number, lines)
}

// Reroute is Allocator.Reroute of the part.
func (p Part) Reroute(ctx context.Context, lines ...Line) (Allocation, error) {
	return p.engine.rerouteOne(ctx, p.order, p.number, lines)
}

func (p Part) change(ctx context.Context, c Change) error {
	c.Reservation, c.Part = p.order, p.number
	return p.engine.changeOne(ctx, c)
}

// shownPart is an order, or a part of it, in words.
func shownPart(order string, number int) string {
	if number == 0 {
		return quoted(order)
	}
	return fmt.Sprintf("part %d of %s", number, quoted(order))
}
