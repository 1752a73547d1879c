package allocator

import (
	"errors"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// windowDetail is what a refusal as sourcing.Full says besides if it is the pickup
// window that is full, or missing.
const windowDetail = "window"

// windowFull reports whether the customer of a candidate would come to a location
// whose window is full, or that has none.
func (p *plan) windowFull(slot uint32, f sourcing.Form) bool {
	switch {
	case p.order.Window.IsZero() || f == sourcing.Ship:
		return false
	case f == sourcing.ShipToStore:
		slot = p.at
	}
	return p.engine.calendar.Full(slot, p.order.Window)
}

// calendarLines is what a share takes of the capacity of its location, and of the
// pickup window if the customer comes there. False: it is full.
func (p *plan) calendarLines(sh *share) ([]reservation.Line, bool) {
	var lines []reservation.Line
	if p.engine.calendar.Limited() {
		begin := sh.start
		if begin.IsZero() {
			begin = fromMillis(p.now)
		}
		work := calendar.Work{Slot: sh.slot, Begin: begin, Zone: p.topology.SiteOf(sh.slot).Calendar.Zone, Lines: sh.wants()}
		var err error
		lines, err = p.engine.calendar.Take(nil, work, p.now)
		switch {
		case errors.Is(err, ErrUnknownLocation): // it was removed meanwhile
			return nil, false
		case err != nil:
			p.broken = err
			return nil, false
		}
	}
	if !p.takesPlace(sh) {
		return lines, true
	}
	place, ok := p.engine.calendar.Place(sh.slot, p.order.Window)
	if !ok {
		return nil, false
	}
	return append(lines, place), true
}

// wants is how many lines of the order a share fills.
func (sh *share) wants() (n int64) {
	for i, t := range sh.lines {
		if !slices.ContainsFunc(sh.lines[:i], func(o taken) bool { return o.want == t.want }) {
			n++
		}
	}
	return n
}

// comesTo is where the customer of a share comes; false: nowhere.
func (p *plan) comesTo(sh *share) (slot uint32, ok bool) {
	switch {
	case p.order.Window.IsZero() || sh.form == sourcing.Ship:
		return 0, false
	case sh.form == sourcing.ShipToStore:
		return p.at, true
	}
	return sh.slot, true
}

// takesPlace reports whether a share is the one that takes a place in the window:
// the first of those that are at the location where its customer comes.
func (p *plan) takesPlace(sh *share) bool {
	if slot, ok := p.comesTo(sh); !ok || slot != sh.slot {
		return false
	}
	for i := range p.shares {
		o := &p.shares[i]
		if o == sh {
			break
		}
		if slot, ok := p.comesTo(o); ok && slot == sh.slot && o.slot == slot {
			return false
		}
	}
	return true
}

// placeAlone is the place in a pickup window at the chosen store, if the customer
// comes there and no share of the plan is there; no lines: there is no need of one.
// False: there is no such window.
func (p *plan) placeAlone() (lines []reservation.Line, ok bool) {
	comes := false
	for i := range p.shares {
		sh := &p.shares[i]
		at, is := p.comesTo(sh)
		if is && at == p.at && sh.slot == at {
			return nil, true
		}
		comes = comes || is && sh.form == sourcing.ShipToStore
	}
	if !comes {
		return nil, true
	}
	line, ok := p.engine.calendar.Place(p.at, p.order.Window)
	return []reservation.Line{line}, ok
}
