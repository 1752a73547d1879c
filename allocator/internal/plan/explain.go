package plan

import (
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// maxExplained is how many locations an explanation names that were not chosen.
const maxExplained = 20

// Explain says what was chosen and why nothing else was. It changes nothing of
// the plan, so it may be asked for by many.
func (p *Plan) Explain() sourcing.Explanation {
	e := sourcing.Explanation{At: gate.FromMillis(p.Now), Cost: p.Cost, Bound: p.Bound, Exact: p.Exact,
		GivenUp: p.Rules.GivenUp(p.soft)}
	named := map[uint64]bool{}
	farthest := map[sourcing.Form]geo.Meters{}
	key := func(slot uint32, f sourcing.Form) uint64 { return uint64(slot)<<8 | uint64(f) }
	for i := range p.Shares {
		sh := &p.Shares[i]
		named[key(sh.Slot, sh.Form)] = true
		farthest[sh.Form] = max(farthest[sh.Form], sh.Distance)
		site := p.Catalogue.SiteOf(sh.Slot)
		c := sourcing.Considered{Site: site.ID, Owner: site.Owner, Form: sh.Form, Distance: sh.Distance, Ready: p.Told(sh), Cost: sh.Cost}
		for _, t := range sh.Lines {
			c.Lines = append(c.Lines, p.Wants[t.Want].Choices[t.Choice].Name)
		}
		e.Chosen = append(e.Chosen, c)
	}
	if len(p.Shares) == 0 {
		e.GivenUp = nil
	}
	for _, seen := range p.trace {
		if k := key(seen.slot, seen.form); !named[k] && len(e.Rejected) < maxExplained {
			named[k] = true
			site := p.Catalogue.SiteOf(seen.slot)
			e.Rejected = append(e.Rejected, sourcing.Considered{Site: site.ID, Owner: site.Owner, Form: seen.form,
				Distance: seen.distance, Reason: seen.reason, Detail: seen.detail})
		}
	}
	for _, f := range p.Forms {
		p.explainNearest(&e, f, farthest[f], func(slot uint32) bool {
			k := key(slot, f)
			before := named[k]
			named[k] = true
			return before
		})
	}
	e.More = max(0, p.Catalogue.Live()-len(e.Rejected)-len(e.Chosen))
	return e
}

// explainNearest adds the nearest locations that are not named yet. What was
// nearer than the chosen ones, and is eligible, was short when it was looked at.
func (p *Plan) explainNearest(e *sourcing.Explanation, f sourcing.Form, farthest geo.Meters, named func(slot uint32) bool) {
	if p.At != reservation.Everywhere && f == sourcing.Collect {
		if !named(p.At) {
			e.Rejected = append(e.Rejected, considered(p, p.Catalogue.Number(p.At), p.distanceTo(p.At, f), f, farthest))
		}
		return
	}
	var search geo.Search
	search.Start(p.Catalogue.Index(), p.Requests[f].Near, nil, 0)
	for len(e.Rejected) < maxExplained {
		number, distance, ok := search.Next()
		if !ok {
			return
		}
		if slot := p.Catalogue.Slot(number); !p.Catalogue.Place(slot).Gone() && !named(slot) {
			e.Rejected = append(e.Rejected, considered(p, number, distance, f, farthest))
		}
	}
}

// considered finds the reason against a location that was not chosen.
func considered(p *Plan, number uint32, distance geo.Meters, f sourcing.Form, farthest geo.Meters) sourcing.Considered {
	var c sourcing.Candidate
	reason, detail := p.measure(&c, number, distance, f)
	out := sourcing.Considered{Site: c.Site.ID, Owner: c.Site.Owner, Form: f, Distance: distance}
	if reason == 0 {
		reason, detail = p.fills(&c, f)
	}
	switch {
	case reason != 0:
	case len(p.Shares) == 0 && len(p.Forms) > 1:
		reason = sourcing.Apart // nobody has what goes another way
	case len(p.Shares) == 0 || distance < farthest && p.byDistance(f):
		reason, detail = sourcing.Short, "" // goods came in since
	default:
		reason = sourcing.Outranked
	}
	out.Ready, out.Reason, out.Detail = c.Ready, reason, detail
	return out
}

// byDistance tells the choices in which the nearest location was taken that could
// fill the order.
func (p *Plan) byDistance(f sourcing.Form) bool {
	return p.Rules.Nearest() && len(p.Requests[f].Prefer) == 0 && len(p.Shares) == 1 && len(p.Forms) == 1 && f != sourcing.ShipToStore
}

// Told is the promise as the customer is told it: none where no location has
// terms to make one by.
func (p *Plan) Told(sh *Share) time.Time {
	if p.past {
		return sh.Ready
	}
	return p.told(sh.Slot, sh.Form, sh.Ready)
}

// told is when goods are ready at a location, if there are terms to say so by.
func (l *look) told(slot uint32, f sourcing.Form, ready time.Time) time.Time {
	brought := f == sourcing.ShipToStore && l.Catalogue.Place(l.At).Terms.Timed()
	_, limited := l.Calendar.Capacity(slot)
	if !l.Requests[f].Window.IsZero() || l.Catalogue.Place(slot).Terms.Timed() || brought || limited {
		return gate.FromMillis(gate.Millis(ready))
	}
	return time.Time{}
}

// Recalled makes the plan that of an order that has its shares: it explains, by what
// holds now, why they are where they are.
func (p *Plan) Recalled(shares []Share) { p.past, p.Shares = true, shares }

// Lacking is how many units of a want the choice leaves out.
func (p *Plan) Lacking(want int) int64 { return p.lacking(&p.Choice, want) }

// Counts is how many locations there are by the first reason against each.
type Counts struct {
	TooFar, Kind, Area, Short int
	Other                     int // for another reason
}

// Counts counts the locations of a refused plan by the first reason against each;
// of an order whose lines go different ways, by that of the first of them.
func (p *Plan) Counts() (c Counts) {
	f := p.Forms[0]
	count := func(slot uint32) {
		number := p.Catalogue.Number(slot)
		if number == reservation.NoNumber {
			return
		}
		switch considered(p, number, p.distanceTo(slot, f), f, 0).Reason {
		case sourcing.TooFar:
			c.TooFar++
		case sourcing.WrongKind:
			c.Kind++
		case sourcing.OutsideArea:
			c.Area++
		case sourcing.Short:
			c.Short++
		default:
			c.Other++
		}
	}
	if p.At != reservation.Everywhere && f == sourcing.Collect {
		count(p.At)
		return c
	}
	for slot := range p.Catalogue.Slots() {
		if !p.Catalogue.Place(slot).Gone() {
			count(uint32(slot))
		}
	}
	return c
}

// A Finding is a location that was looked at, and the first reason against it; 0: it
// could fill every want.
type Finding struct {
	sourcing.Candidate
	Reason sourcing.Reason
	Detail string
}

// Nearby walks the locations within reach that are of a kind the order may go to, the
// nearest first, with what there is against each; of an order that names where it is
// collected, that one. All wants go one way. No location is looked at before it is asked
// for. Keys, preferences and soft filters do not count. A finding is good until the next.
func (p *Plan) Nearby(yield func(*Finding) bool) {
	p.soft = 0
	f := p.Forms[0]
	r, t := &p.Requests[f], p.Catalogue
	var is Finding // one for all
	if p.At != reservation.Everywhere && f == sourcing.Collect {
		is.Reason, is.Detail = judge(p, &is.Candidate, t.Number(p.At), p.distanceTo(p.At, f), f)
		yield(&is)
		return
	}
	p.work.search.Start(t.Index(), r.Near, nil, r.Within)
	for {
		number, distance, ok := p.work.search.Next()
		if !ok {
			return
		}
		if face := t.Face(number); t.Place(face.Slot).Gone() || !r.Allows(face.Site) {
			continue
		}
		if is.Reason, is.Detail = judge(p, &is.Candidate, number, distance, f); !yield(&is) {
			return
		}
	}
}

// Promised is the promise of a candidate as the customer is told it; zero: there is none.
func (l *look) Promised(c *sourcing.Candidate) time.Time {
	if c.Ready.IsZero() {
		return time.Time{}
	}
	return l.told(l.Catalogue.Slot(c.Number), c.Request.Form, c.Ready)
}
