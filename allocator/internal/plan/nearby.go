package plan

import (
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

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
		is.Reason, is.Detail = p.judge(&is.Candidate, t.Number(p.At), p.distanceTo(p.At, f), f)
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
		if is.Reason, is.Detail = p.judge(&is.Candidate, number, distance, f); !yield(&is) {
			return
		}
	}
}

// judge measures a location for all wants of a form: the first reason against it, of all
// there are, or 0. What chooses among locations and what lists them both ask it.
func (p *Plan) judge(c *sourcing.Candidate, number uint32, distance geo.Meters, f sourcing.Form) (reason sourcing.Reason, detail string) {
	if reason, detail = p.compare(c, number, distance, f); reason != 0 {
		return reason, detail
	}
	return p.fills(c, f)
}

// Promised is the promise of a candidate as the customer is told it; zero: there is none.
func (p *Plan) Promised(c *sourcing.Candidate) time.Time {
	if c.Ready.IsZero() {
		return time.Time{}
	}
	return p.told(p.Catalogue.Slot(c.Number), c.Request.Form, c.Ready)
}
