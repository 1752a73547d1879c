package allocator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/allocator/internal/channels"
	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// ReasonCounts is how many locations were refused for each reason.
type ReasonCounts struct {
	TooFar int `json:"too_far,omitempty"`
	Kind   int `json:"kind"`
	Area   int `json:"area,omitempty"`
	Short  int `json:"short,omitempty"`
	Other  int `json:"other,omitempty"` // for another reason, which Candidates and Explain name
}

// Rejection is one location and the reason it was not chosen.
type Rejection struct {
	Location string          `json:"location"`
	Distance geo.Meters      `json:"distance,omitempty"`
	Reason   sourcing.Reason `json:"reason,omitempty"`
	SKU      string          `json:"sku,omitempty"`    // with sourcing.Short: the first SKU it has too little of; empty if goods came in since
	Detail   string          `json:"detail,omitempty"` // of other reasons: the filter, the store, the window it holds against
}

// NoLocationError is the refusal of an order that no location could fill. It is
// ErrNoLocation. The refusal is exact; the reasons are worked out when they are
// asked for, from the locations as they were and the stock as it is then, so
// that an order nobody can fill costs no more than one that is filled. Safe for
// concurrent use, also after Close.
type NoLocationError struct {
	ID string // the order

	engine     *Allocator
	topology   *topology.Catalogue
	near       geo.Point
	hasPoint   bool
	at         uint32 // the slot the order named, or reservation.Everywhere
	within     geo.Meters
	set        topology.KindSet
	lines      []reservation.Line
	plan       *planned            // nil: the hot path
	protection *channels.Levels    // protection levels of the order's channel
	few        [3]reservation.Line // the lines, when they are few
	why        error               // no location was looked at: what was reserved cannot be asked for again
}

// rejections is how many of the nearest locations a refusal names.
const rejections = 5

// refuse answers an order that no location could fill: with the first answer if
// the ID is in the book after all, with a refusal otherwise.
func (a *Allocator) refuse(s *scratch, t *topology.Catalogue, o *Order, w wants, mark uint64) (Allocation, error) {
	if a.ledger.Find(o.ID, &s.found) {
		return a.repeat(s, o, mark, false)
	}
	s.Count(gate.Refused)
	e := &NoLocationError{ID: o.ID, engine: a, topology: t, near: o.Near, hasPoint: true,
		at: reservation.Everywhere, within: w.within, set: w.set, protection: s.protection}
	if len(w.lines) <= len(e.few) {
		e.lines = append(e.few[:0], w.lines...)
	} else {
		e.lines = slices.Clone(w.lines)
	}
	if o.At != "" {
		e.at = w.at
		e.hasPoint = o.Near != geo.Point{}
	}
	return Allocation{}, e
}

// Error counts the locations by reason and names the nearest.
func (e *NoLocationError) Error() string {
	if e.why != nil {
		return fmt.Sprintf("allocator: order %s: %v: %v", quoted(e.ID), ErrNoLocation, e.why)
	}
	var b strings.Builder
	c := e.Counts()
	fmt.Fprintf(&b, "allocator: order %s: %v: %d short, %d too far, %d of another kind, %d outside the service area",
		quoted(e.ID), ErrNoLocation, c.Short, c.TooFar, c.Kind, c.Area)
	if c.Other > 0 {
		fmt.Fprintf(&b, ", %d for other reasons", c.Other)
	}
	for i, r := range e.Candidates() {
		if i == 0 {
			b.WriteString("; nearest: ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %.1f km %v", quoted(r.Location), float64(r.Distance)/1000, r.Reason)
		if r.SKU != "" {
			fmt.Fprintf(&b, " of SKU %s", quoted(r.SKU))
		}
	}
	return b.String()
}

// Is makes errors.Is(err, ErrNoLocation) true.
func (e *NoLocationError) Is(target error) bool { return target == ErrNoLocation }

// Unwrap is why no location was looked at, of a reservation that was to go elsewhere:
// the store where its customer collects is gone (ErrUnknownLocation), or it has gone
// elsewhere too often (ErrFull). nil: locations were looked at.
func (e *NoLocationError) Unwrap() error { return e.why }

// Candidates names the nearest locations, at most 5, and why each was not
// chosen; the one the order named if it named one.
func (e *NoLocationError) Candidates() []Rejection {
	if e.why != nil {
		return nil
	}
	if e.plan != nil {
		return e.plan.rejections()
	}
	return e.planned().rejections()
}

// distance is from the order's point to a location, 0 without a point.
func (e *NoLocationError) distance(slot uint32) geo.Meters {
	if !e.hasPoint {
		return 0
	}
	return geo.Distance(e.near, e.topology.Place(slot).Point)
}

// static is the first reason that holds against a location whatever its stock,
// or 0.
func (e *NoLocationError) static(p *topology.Place, distance geo.Meters) sourcing.Reason {
	switch {
	case e.within > 0 && distance > e.within:
		return sourcing.TooFar
	case !p.Allows(e.set, sourcing.Collect):
		return sourcing.WrongKind
	case p.Area != nil && e.at == reservation.Everywhere && !p.Area.Contains(e.near):
		return sourcing.OutsideArea
	}
	return 0
}

// Counts counts every location under the first reason that holds against it;
// only the one the order named if it named one. A location in reach that
// nothing else rules out was short: the search has seen it.
func (e *NoLocationError) Counts() (c ReasonCounts) {
	if e.why != nil {
		return c
	}
	count := func(p *topology.Place, distance geo.Meters) {
		switch e.static(p, distance) {
		case sourcing.TooFar:
			c.TooFar++
		case sourcing.WrongKind:
			c.Kind++
		case sourcing.OutsideArea:
			c.Area++
		default:
			c.Short++
		}
	}
	t := e.topology
	switch {
	case e.plan != nil:
		return ReasonCounts(e.plan.Counts())
	case e.protection != nil: // what is short may be kept for others
		return ReasonCounts(e.planned().Counts())
	case e.at != reservation.Everywhere:
		count(t.Place(e.at), e.distance(e.at))
	case e.within == 0 && t.Anywhere(e.set, sourcing.Collect) && !t.Areas():
		c.Short = t.Live()
	default:
		for i := range t.Slots() {
			if p := t.Place(i); !p.Gone() {
				count(p, geo.Distance(e.near, p.Point))
			}
		}
	}
	return c
}
