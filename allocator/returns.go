package allocator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// Disposition is what becomes of goods that were brought back.
type Disposition uint8

// The dispositions.
const (
	Restock Disposition = iota // for sale again, at once
	Damaged                    // not sellable; they do not come on hand
	Inspect                    // not known yet; they do not come on hand until received
	dispositions
)

// String is the disposition in words.
func (d Disposition) String() string {
	switch d {
	case Restock:
		return "restock"
	case Damaged:
		return "damaged"
	case Inspect:
		return "inspect"
	}
	return fmt.Sprintf("Disposition(%d)", uint8(d))
}

func (d Disposition) cause() history.Cause {
	switch d {
	case Damaged:
		return history.DamagedReturn
	case Inspect:
		return history.ToInspect
	}
	return history.Restocked
}

// Return is goods that a customer has collected and brings back, at any location
// that takes returns.
type Return struct {
	ID          string      `json:"id"`                    // of the return itself, chosen by the caller
	Reservation string      `json:"reservation,omitempty"` // the order's ID
	Part        int         `json:"part,omitempty"`        // the number of the part whose goods they are; 0: of all parts
	Location    string      `json:"location,omitempty"`    // where they are brought back
	As          Disposition `json:"as,omitempty"`
	Lines       []Line      `json:"lines,omitempty"` // none: all that was collected and not brought back yet, at least one unit
}

// Return books goods in that customers bring back, all lines of a return or none.
// A list goes as with Change. A reservation all of whose collected units are back
// is Returned.
//
// Errors: *InvalidError; ErrUnknownLocation; ErrReturns; ErrUnknownSKU;
// ErrConflict; ErrNotFound; *StateError, nothing was collected, or a return without
// lines has nothing left to bring back; *ShortageError, more than was collected and
// not brought back; ErrOverflow; ErrNoSpace. Nothing was changed. ErrJournal, or the end of ctx: unknown; repeat the call.
func (a *Allocator) Return(ctx context.Context, returns ...Return) error {
	call, err := a.gate.BeginVerb(ctx, history.Returned)
	if err != nil {
		return fmt.Errorf("allocator: return: %w", err)
	}
	defer call.End()
	if err := a.checkBatch("returns", len(returns)); err != nil {
		call.Leave()
		return fmt.Errorf("allocator: return: %w", err)
	}
	todo, before := make([]reservation.Change, 0, len(returns)), reservation.Ticket{}
	for i := range returns {
		var next reservation.Change
		err := a.translateReturn(scratchOf(call.Pass), &returns[i], &next)
		next.ID2 = returns[i].ID
		a.markReturn(scratchOf(call.Pass), &returns[i], &next)
		if t, made := a.made(&next, err); made {
			before = later(before, t)
			continue
		}
		if err != nil {
			call.Leave()
			return fmt.Errorf("allocator: return %s: %w", quoted(returns[i].ID), err)
		}
		next.Lines = slices.Clone(next.Lines) // they are in the memory of the call
		todo = append(todo, next)
	}
	if err := a.doAll(ctx, &call, todo, before); err != nil {
		return fmt.Errorf("allocator: return: %w", err)
	}
	return nil
}

func (a *Allocator) translateReturn(s *scratch, r *Return, into *reservation.Change) error {
	if err := cmp.Or(a.checkID("ID", r.ID), a.checkReservation(s, r.Reservation), checkPart(r.Part), a.checkLocation("Location", r.Location)); err != nil {
		return err
	}
	if r.As >= dispositions {
		return &InvalidError{Field: "As", Value: uint8(r.As), Why: "is no disposition"}
	}
	*into = reservation.Change{Verb: history.Returned, ID: r.Reservation, Part: uint8(r.Part), Now: s.Now(), Cause: r.As.cause()}
	var unknown error // a SKU; it comes after the location
	if len(r.Lines) > 0 {
		if err := a.checkLineCount(len(r.Lines)); err != nil {
			return err
		}
		if into.Lines, unknown = a.resolve(s, r.Lines); unknown != nil && !errors.Is(unknown, ErrUnknownSKU) {
			return unknown
		}
	}
	var ok bool
	if into.Slot, ok = a.ledger.Slot(r.Location); !ok {
		return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(r.Location))
	}
	if t := a.locations.Load(); into.Slot < t.Slots() && t.Place(into.Slot).NoReturns {
		return fmt.Errorf("%w: %s", ErrReturns, quoted(r.Location))
	}
	return unknown
}
