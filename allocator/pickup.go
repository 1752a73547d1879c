package allocator

import (
	"errors"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// calendarLines is what a share takes of the capacity of its location, and of the
// pickup window if the customer comes there. False: it is full.
func (p *planned) calendarLines(sh *plan.Share) ([]reservation.Line, bool) {
	var lines []reservation.Line
	if p.Calendar.Limited() {
		begin := sh.Start
		if begin.IsZero() {
			begin = fromMillis(p.Now)
		}
		work := calendar.Work{Slot: sh.Slot, Begin: begin, Zone: p.Catalogue.SiteOf(sh.Slot).Calendar.Zone, Lines: wantsOf(sh)}
		var err error
		lines, err = p.Calendar.Take(nil, work, p.Now)
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
	place, ok := p.Calendar.Place(sh.Slot, p.order.Window)
	if !ok {
		return nil, false
	}
	return append(lines, place), true
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
func (p *planned) comesTo(sh *plan.Share) (slot uint32, ok bool) {
	switch {
	case p.order.Window.IsZero() || sh.Form == sourcing.Ship:
		return 0, false
	case sh.Form == sourcing.ShipToStore:
		return p.At, true
	}
	return sh.Slot, true
}

// takesPlace reports whether a share is the one that takes a place in the window:
// the first of those that are at the location where its customer comes.
func (p *planned) takesPlace(sh *plan.Share) bool {
	if slot, ok := p.comesTo(sh); !ok || slot != sh.Slot {
		return false
	}
	for i := range p.Shares {
		o := &p.Shares[i]
		if o == sh {
			break
		}
		if slot, ok := p.comesTo(o); ok && slot == sh.Slot && o.Slot == slot {
			return false
		}
	}
	return true
}

// placeAlone is the place in a pickup window at the chosen store, if the customer
// comes there and no share of the plan is there; no lines: there is no need of one.
// False: there is no such window.
func (p *planned) placeAlone() (lines []reservation.Line, ok bool) {
	comes := false
	for i := range p.Shares {
		sh := &p.Shares[i]
		at, is := p.comesTo(sh)
		if is && at == p.At && sh.Slot == at {
			return nil, true
		}
		comes = comes || is && sh.Form == sourcing.ShipToStore
	}
	if !comes {
		return nil, true
	}
	line, ok := p.Calendar.Place(p.At, p.order.Window)
	return []reservation.Line{line}, ok
}
