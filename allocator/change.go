package allocator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// Change is one step in the life of a reservation, with an ID of its own that
// makes a repeat harmless: a part that is collected twice is then collected once.
type Change struct {
	ID          string      `json:"id"`                    // chosen by the caller
	Reservation string      `json:"reservation,omitempty"` // the order's ID
	Part        int         `json:"part,omitempty"`        // the number of the part that it is about; 0: all parts of the order that are still open
	Do          Action      `json:"do"`
	Lines       []Line      `json:"lines,omitempty"`    // none: all there is. Not for DoAccept, DoDispatch and DoReady, nor of a parcel
	Location    string      `json:"location,omitempty"` // DoDispatch: to where. DoReturnToSender: where it came back; empty: where it was sent from
	Pickup      Pickup      `json:"pickup,omitzero"`    // DoReady
	Parcel      Parcel      `json:"parcel,omitzero"`    // DoShip
	As          Disposition `json:"as,omitempty"`       // DoReturnToSender: what becomes of the goods
}

// Change makes changes that have IDs, each all or none. All are checked first,
// then made in order; when one is refused, the ones before it stand, and the
// whole call can be repeated: a change made before does nothing the second time
// and succeeds. Errors as with Confirm, and ErrConflict; with a DoReject among
// them also ErrNoSpace and ErrUnavailable, for all of them. A rejection whose goods
// nobody else can serve, wholly or in part, has been made: it is no error here, and
// an event says so; repeated, it looks for another place again.
func (a *Allocator) Change(ctx context.Context, changes ...Change) error {
	verb := history.Canceled
	for i := range changes {
		if v := changes[i].Do.verb(); reservation.NeedsRoom(v) {
			verb = v
		}
	}
	call, err := a.gate.BeginVerb(ctx, verb)
	if err != nil {
		return fmt.Errorf("allocator: change: %w", err)
	}
	defer call.End()
	if err := a.checkBatch("changes", len(changes)); err != nil {
		call.Leave()
		return fmt.Errorf("allocator: change: %w", err)
	}
	s := scratchOf(call.Pass)
	todo, before := make([]reservation.Change, 0, len(changes)), reservation.Ticket{}
	for i := range changes {
		c := &changes[i]
		var next reservation.Change
		err := a.checkID("ID", c.ID)
		if err == nil {
			err = a.translate(s, c, &next)
		}
		next.ID2 = c.ID
		a.mark(s, c, &next)
		if t, made := a.made(&next, err); made {
			before = later(before, t)
			continue
		}
		if err != nil {
			call.Leave()
			return fmt.Errorf("allocator: change %s: %w", quoted(c.ID), err)
		}
		next.Lines = slices.Clone(next.Lines) // they are in the memory of the call
		todo = append(todo, next)
	}
	if err := a.doAll(ctx, &call, todo, before); err != nil {
		return fmt.Errorf("allocator: change: %w", err)
	}
	return nil
}

// changeOne makes one change without an ID.
func (a *Allocator) changeOne(ctx context.Context, c Change) error {
	if err := a.doOne(ctx, &c); err != nil {
		return fmt.Errorf("allocator: %v %s: %w", c.Do, shownPart(c.Reservation, c.Part), err)
	}
	return nil
}

func (a *Allocator) doOne(ctx context.Context, c *Change) error {
	call, err := a.gate.BeginVerb(ctx, c.Do.verb())
	if err != nil {
		return err
	}
	defer call.End()
	s := scratchOf(call.Pass)
	if err := a.translate(s, c, &s.change); err != nil {
		call.Leave()
		return err
	}
	return a.do(ctx, &call, &s.change)
}

// translate checks a change and turns it into the ledger's. The lines are in the
// memory of the call.
func (a *Allocator) translate(s *scratch, c *Change, into *reservation.Change) error {
	now := s.Now()
	*into = reservation.Change{Verb: c.Do.verb(), ID: c.Reservation, Part: uint8(c.Part), Now: now}
	invalid := func(field string, value any, why string) error {
		return &InvalidError{Field: field, Value: value, Why: why}
	}
	switch {
	case c.Do == 0 || c.Do >= actions:
		return invalid("Do", uint8(c.Do), "is no action")
	case !c.Do.takesLines() && len(c.Lines) > 0:
		return invalid("Lines", len(c.Lines), "must be none: the action is about the whole reservation")
	case c.Do != DoDispatch && c.Do != DoReturnToSender && c.Location != "":
		return invalid("Location", c.Location, "is for DoDispatch and DoReturnToSender only")
	case c.Do != DoReady && c.Pickup != Pickup{}:
		return invalid("Pickup", c.Pickup, "is for DoReady only")
	case c.Do != DoShip && c.Parcel != Parcel{}:
		return invalid("Parcel", c.Parcel, "is for DoShip only")
	case c.Do != DoReturnToSender && c.As != Restock:
		return invalid("As", uint8(c.As), "is for DoReturnToSender only")
	case c.As >= dispositions:
		return invalid("As", uint8(c.As), "is no disposition")
	}
	if err := cmp.Or(a.checkReservation(s, c.Reservation), checkPart(c.Part)); err != nil {
		return err
	}
	switch c.Do {
	case DoShip:
		if err := cmp.Or(checkParcel("Parcel.Carrier", c.Parcel.Carrier), checkParcel("Parcel.Tracking", c.Parcel.Tracking)); err != nil {
			return err
		}
		into.Owner, into.Code = c.Parcel.Carrier, c.Parcel.Tracking
	case DoReturnToSender:
		into.Slot, into.Cause = reservation.Everywhere, c.As.cause()
	}
	switch {
	case c.Do == DoDispatch || c.Location != "":
		if err := a.checkLocation("Location", c.Location); err != nil {
			return err
		}
		var ok bool
		if into.Slot, ok = a.ledger.Slot(c.Location); !ok {
			return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(c.Location))
		}
	case c.Do == DoReady:
		if err := a.checkText("Pickup.Code", c.Pickup.Code); err != nil {
			return err
		}
		into.Code, into.Deadline = c.Pickup.Code, now+a.options.PickupWithin.Milliseconds()
		if err := checkTime("Pickup.Until", c.Pickup.Until); err != nil {
			return err
		}
		if !c.Pickup.Until.IsZero() {
			if into.Deadline = millis(c.Pickup.Until); into.Deadline <= now {
				return invalid("Pickup.Until", c.Pickup.Until, "must be later than now")
			}
		}
	}
	if len(c.Lines) == 0 {
		return nil
	}
	if err := a.checkLineCount(len(c.Lines)); err != nil {
		return err
	}
	var err error
	into.Lines, err = a.resolve(s, c.Lines)
	return err
}

// do makes a change and waits until it lasts. It ends the call.
func (a *Allocator) do(ctx context.Context, call *gate.Call, c *reservation.Change) error {
	t, err := a.stepNamed(scratchOf(call.Pass), c)
	return a.endChange(ctx, call, t, err)
}

// doAll makes changes one after the other, up to the first that is refused, and
// waits until they last, and what has the ticket last too. It ends the call.
func (a *Allocator) doAll(ctx context.Context, call *gate.Call, changes []reservation.Change, last reservation.Ticket) (err error) {
	s := scratchOf(call.Pass)
	var t reservation.Ticket
	for i := range changes {
		if err = ctx.Err(); err != nil {
			err = fmt.Errorf("%d of %d made: %w", i, len(changes), err)
			break
		}
		s.Resume() // the one before may have stood aside
		if changes[i].Verb == history.Rejected {
			_, t, err = a.reject(s, &changes[i])
			if errors.Is(err, ErrNoLocation) {
				err = nil // the rejection stands, and an event says the rest
			}
		} else {
			t, err = a.stepNamed(s, &changes[i])
		}
		if err != nil {
			break
		}
		if t.Sequence >= last.Sequence {
			last = t
		}
	}
	return a.endChange(ctx, call, last, err)
}

// endChange ends a call whose last change has that ticket, and which err ended,
// if it is not nil.
func (a *Allocator) endChange(ctx context.Context, c *gate.Call, t reservation.Ticket, err error) error {
	var waited error
	if err != nil && saw(err) && !a.options.LiveReads {
		if waited = c.Settle(ctx); waited != nil {
			return waited
		}
		return err
	}
	if waited = c.Wait(ctx, t); err == nil {
		err = waited
	}
	return err
}

// saw tells the refusals that rest on a record, which is to last before anybody is
// told of it.
func saw(err error) bool {
	return errors.Is(err, ErrEnded) || errors.Is(err, ErrState) || errors.Is(err, ErrConflict) ||
		errors.Is(err, ErrShortage) || errors.Is(err, ErrOwner) || errors.Is(err, ErrForm)
}

// step makes one change.
func (a *Allocator) step(s *scratch, c *reservation.Change) (reservation.Ticket, error) {
	state, t, err := a.ledger.Do(c)
	if err != nil {
		return t, err
	}
	a.moves.followWait(a, c, state)
	switch {
	case (c.Verb == history.Collected || c.Verb == history.ParcelDelivered) && state.Ended():
		s.Count(gate.Collected)
	case c.Verb == history.Canceled && state.Ended():
		s.Count(gate.Canceled)
	case c.Verb == history.Ready:
		a.due(c.Deadline - max(0, a.options.RemindBefore.Milliseconds()))
	}
	return t, nil
}

func (a *Allocator) extend(ctx context.Context, id string, part int, by time.Duration) (time.Time, error) {
	call, err := a.gate.BeginVerb(ctx, history.Extended)
	if err != nil {
		return time.Time{}, err
	}
	defer call.End()
	s := scratchOf(call.Pass)
	tooLong := &InvalidError{Field: "by", Value: by,
		Why: fmt.Sprintf("must be from 1ms, and not make it a hold of more than the %v of Options.MaxHold in all", a.options.MaxHold)}
	if by < time.Millisecond || by > a.options.MaxHold {
		call.Leave()
		return time.Time{}, tooLong
	}
	if err := cmp.Or(a.checkReservation(s, id), checkPart(part)); err != nil {
		call.Leave()
		return time.Time{}, err
	}
	now := s.Now()
	until := now + by.Milliseconds()
	c := reservation.Change{Verb: history.Extended, ID: id, Part: uint8(part), Now: now,
		Deadline: until, MaxHold: a.options.MaxHold.Milliseconds()}
	t, err := a.stepNamed(s, &c)
	switch {
	case errors.Is(err, ErrInvalid):
		err = tooLong
	case err == nil:
		until = a.heldFor(s, &c, until)
	}
	if err := a.endChange(ctx, &call, t, err); err != nil {
		return time.Time{}, err
	}
	return fromMillis(until), nil
}

// heldFor is until when a reservation that was extended is held, at least until
// that time: of an order of several parts, all that is held.
func (a *Allocator) heldFor(s *scratch, c *reservation.Change, until int64) int64 {
	ok := a.ledger.FindPart(c.ID, int(c.Part), &s.found)
	if ok && (c.Part > 0 || !several(&s.found)) {
		if !s.found.State.Ended() {
			until = max(until, s.found.Deadline)
		}
		return until
	}
	first, parts := int64(0), a.partsOf(c.ID)
	for i := range parts {
		e := &parts[i]
		if d := e.Deadline; !e.State.Ended() && heldIn(e) && (first == 0 || d < first) {
			first = d
		}
	}
	return max(until, first)
}

func (a *Allocator) reassign(ctx context.Context, id string, part int, token string, to Owner) error {
	call, err := a.gate.BeginVerb(ctx, history.Reassigned)
	if err != nil {
		return err
	}
	defer call.End()
	s := scratchOf(call.Pass)
	err = cmp.Or(a.checkReservation(s, id), checkPart(part))
	if err == nil && token != "" {
		known := a.ledger.FindPart(id, part, &s.found)
		err = a.checkKnown("token", token, known && s.found.Owner == token)
	}
	if err == nil {
		err = cmp.Or(a.checkText("Token", to.Token), a.checkText("Channel", to.Channel))
	}
	if err != nil {
		call.Leave()
		return err
	}
	return a.do(ctx, &call, &reservation.Change{Verb: history.Reassigned, ID: id, Part: uint8(part), Now: call.Now(),
		Token: token, Owner: to.Token, Channel: to.Channel})
}
