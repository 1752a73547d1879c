package allocator

import (
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// rejections names the first locations of the explanation of a refused plan.
func (p *plan) rejections() []Rejection {
	rejected := p.explain().Rejected
	out := make([]Rejection, 0, rejections)
	for _, c := range rejected[:min(len(rejected), rejections)] {
		r := Rejection{Location: c.Site, Distance: c.Distance, Reason: c.Reason}
		switch c.Reason {
		case sourcing.Short, sourcing.Protected, sourcing.TooOld, sourcing.CoolingDown:
			r.SKU = c.Detail
		default:
			r.Detail = c.Detail
		}
		out = append(out, r)
	}
	return out
}

// counts counts the locations of a refused plan by the first reason against each;
// of an order whose lines go different ways, by that of the first of them.
func (p *plan) counts() (c ReasonCounts) {
	f := p.forms[0]
	count := func(slot uint32) {
		number := p.topology.Number(slot)
		if number == reservation.NoNumber {
			return
		}
		switch p.considered(number, p.distanceTo(slot, f), f, 0).Reason {
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
	if p.at != reservation.Everywhere && f == sourcing.Collect {
		count(p.at)
		return c
	}
	for slot := range p.topology.Slots() {
		if !p.topology.Place(slot).Gone() {
			count(uint32(slot))
		}
	}
	return c
}
