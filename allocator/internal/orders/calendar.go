package orders

import (
	"errors"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// calendarLines is what a share takes of the capacity of its location, and of the
// pickup window if the customer comes there. False: it is full.
func (b *builder) calendarLines(sh *plan.Share) (lines []reservation.Line, ok bool, err error) {
	if b.Calendar.Limited() {
		begin := sh.Start
		if begin.IsZero() {
			begin = gate.FromMillis(b.Now)
		}
		work := calendar.Work{Slot: sh.Slot, Begin: begin, Zone: b.Catalogue.SiteOf(sh.Slot).Calendar.Zone, Lines: wantsOf(sh)}
		lines, err = b.Calendar.Take(nil, work, b.Now)
		switch {
		case errors.Is(err, reservation.ErrUnknownLocation): // it was removed meanwhile
			return nil, false, nil
		case err != nil:
			return nil, false, err
		}
	}
	if !b.takesPlace(sh) {
		return lines, true, nil
	}
	place, ok := b.Calendar.Place(sh.Slot, b.window)
	if !ok {
		return nil, false, nil
	}
	return append(lines, place), true, nil
}

// wantsOf is how many lines of the order a share fills.
func wantsOf(sh *plan.Share) (n int64) {
	for i, t := range sh.Lines {
		if !slices.ContainsFunc(sh.Lines[:i], func(o plan.Taken) bool { return o.Want == t.Want }) {
			n++
		}
	}
	return n
}

// comesTo is where the customer of a share comes; false: nowhere.
func (b *builder) comesTo(sh *plan.Share) (slot uint32, ok bool) {
	switch {
	case b.window.IsZero() || sh.Form == sourcing.Ship:
		return 0, false
	case sh.Form == sourcing.ShipToStore:
		return b.At, true
	}
	return sh.Slot, true
}

// takesPlace reports whether a share is the one that takes a place in the window:
// the first of those that are at the location where its customer comes.
func (b *builder) takesPlace(sh *plan.Share) bool {
	if slot, ok := b.comesTo(sh); !ok || slot != sh.Slot {
		return false
	}
	for i := range b.Shares {
		o := &b.Shares[i]
		if o == sh {
			break
		}
		if slot, ok := b.comesTo(o); ok && slot == sh.Slot && o.Slot == slot {
			return false
		}
	}
	return true
}

// placeAlone is the place in a pickup window at the chosen store, if the customer
// comes there and no share of the plan is there; no lines: there is no need of one.
// False: there is no such window.
func (b *builder) placeAlone() (lines []reservation.Line, ok bool) {
	comes := false
	for i := range b.Shares {
		sh := &b.Shares[i]
		at, is := b.comesTo(sh)
		if is && at == b.At && sh.Slot == at {
			return nil, true
		}
		comes = comes || is && sh.Form == sourcing.ShipToStore
	}
	if !comes {
		return nil, true
	}
	line, ok := b.Calendar.Place(b.At, b.window)
	return []reservation.Line{line}, ok
}
