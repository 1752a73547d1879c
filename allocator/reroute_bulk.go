package allocator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// RerouteFrom takes every reservation of a location that is held, confirmed or
// accepted there elsewhere, oldest first: for a location that cannot serve anybody
// for now. Set Terms.Offline first, so that no new ones come. What is ready or on
// its way stays. It is not a rejection: nothing is counted, and the location may
// serve these orders again later.
//
// each, if it is not nil, is called after each one with how many are done, of how
// many in all, and what became of it: the answer and the error of Reroute. When
// it returns false, or ctx ends, no more are begun. What was done stands; the
// call can be repeated, and tries those again that found no place. An error of one
// does not stop the others.
//
// Errors: ErrUnknownLocation; that of ctx; ErrClosed; ErrNoSpace; ErrUnavailable; ErrJournal.
func (a *Allocator) RerouteFrom(ctx context.Context, location string, each func(done, total int, got Allocation, err error) bool) error {
	names, err := a.openAt(ctx, location)
	if err != nil {
		return fmt.Errorf("allocator: reroute from %s: %w", quoted(location), err)
	}
	for i, n := range names {
		got, tried, err := a.rerouteOffline(ctx, n, location)
		if errors.Is(err, ErrClosed) || errors.Is(err, ErrNoSpace) || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrJournal) || errors.Is(err, ErrFenced) || ctx.Err() != nil && !tried {
			return fmt.Errorf("allocator: reroute from %s: %d of %d done: %w", quoted(location), i, len(names), err)
		}
		if err != nil {
			err = fmt.Errorf("allocator: reroute %s: %w", shownPart(n.ID, n.Number()), err)
		}
		if each != nil && !each(i+1, len(names), got, err) {
			return nil
		}
	}
	return nil
}

// openAt lists the reservations at a location that can go elsewhere, oldest first.
func (a *Allocator) openAt(ctx context.Context, location string) (names []reservation.Name, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := a.gate.Enter()
	if err != nil {
		return nil, err
	}
	defer c.Leave()
	slot, ok := a.ledger.Slot(location)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(location))
	}
	for id, e := range a.ledger.At(slot) {
		if movable(e) && a.hasGoods(e) {
			names = append(names, reservation.PartName(id, e.Part))
		}
	}
	slices.Reverse(names)
	return names, nil
}

// movable tells the reservations whose open units can go elsewhere.
func movable(e *reservation.Entry) bool {
	return e.State == Held || e.State == Confirmed || e.State == Accepted
}

// rerouteOffline takes a reservation elsewhere if it is still at a location.
func (a *Allocator) rerouteOffline(ctx context.Context, n reservation.Name, location string) (got Allocation, tried bool, err error) {
	call, err := a.gate.BeginVerb(ctx, history.Rerouted)
	if err != nil {
		return got, false, err
	}
	defer call.End()
	s := scratchOf(call.Pass)
	m := moving{a: a, s: s, of: n, cause: history.Offline, all: true}
	if a.ledger.FindPart(n.ID, n.Number(), &s.found) && movable(&s.found) && a.ledger.SlotName(s.found.Slot) == location {
		m.slot = s.found.Slot
		m.run()
	}
	got, err = m.answer()
	return got, true, a.endChange(ctx, &call, m.ticket, err)
}
