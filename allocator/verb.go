package allocator

import (
	"context"
	"fmt"
	"time"
)

// Owner is who a reservation belongs to.
type Owner struct {
	Token   string // what the next Reassign must name; may be empty
	Channel string // where the order is carried on, such as "till"; may be empty
}

// Pickup is how the customer gets the goods.
type Pickup struct {
	Code  string    // what the customer shows, told in events; may be empty
	Until time.Time // how long the goods wait. Zero: Options.PickupWithin from now
}

// Confirm makes a hold last: all that is still held, or the given lines of it.
// What is confirmed has no deadline, and its collection does not fail for stock
// unless the shop floor itself takes the goods away.
//
// Of an order of several parts (see Allocation.Parts), Confirm, Cancel, Extend and
// Reassign without lines are of every part, each of which is changed or refuses on
// its own: what one refuses is done with the others, and the error names the part.
// All other verbs, and lines, are of one part: its ID must be given if more than
// one is live, else *InvalidError.
//
// Errors of this and all verbs below: that of ctx; ErrClosed; *InvalidError;
// ErrUnknownLocation; ErrUnknownSKU; ErrNotFound; *EndedError, which says how the
// reservation ended; *StateError, which says how far it has come; *ShortageError,
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
// shelf.
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
// than that, or goods that a till sale or a count took away before.
func (a *Allocator) Collect(ctx context.Context, id string, lines ...Line) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoCollect, Lines: lines})
}

// Cancel puts goods back on the shelf: all that is still held or confirmed, or
// the given lines of it. They are available to the next order when it returns.
func (a *Allocator) Cancel(ctx context.Context, id string, lines ...Line) error {
	return a.changeOne(ctx, Change{Reservation: id, Do: DoCancel, Lines: lines})
}

// Extend holds what is still held for that long from now on, and returns until
// when: the deadline so far if that is later, so that a repeat does no harm.
// *InvalidError: less than 1 ms, or a hold of more than Options.MaxHold in all.
func (a *Allocator) Extend(ctx context.Context, id string, by time.Duration) (time.Time, error) {
	until, err := a.extend(ctx, id, by)
	if err != nil {
		return time.Time{}, fmt.Errorf("allocator: extend %s: %w", quoted(id), err)
	}
	return until, nil
}

// Reassign gives a reservation another owner and channel: begun in a cart,
// finished at a till. ErrOwner: token is not that of the owner so far.
func (a *Allocator) Reassign(ctx context.Context, id, token string, to Owner) error {
	if err := a.reassign(ctx, id, token, to); err != nil {
		return fmt.Errorf("allocator: reassign %s: %w", quoted(id), err)
	}
	return nil
}
