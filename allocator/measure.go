package allocator

import (
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// measure looks at a location for the wants of a form, as far as they do not
// depend on the stock: reason 0 says that it is eligible.
func (p *plan) measure(number uint32, distance geo.Meters, f sourcing.Form) (c sourcing.Candidate, reason Reason, detail string) {
	slot := p.topology.Slot(number)
	c = sourcing.Candidate{Site: p.topology.SiteOf(slot), Request: &p.ask[f], Number: number, Distance: distance, Room: -1}
	if p.topology.Place(slot).Gone() {
		return c, sourcing.Offline, ""
	}
	if reason, detail = c.Static(); reason != 0 {
		return c, reason, detail
	}
	if c.Ready, reason = c.Promise(c.Request.Lines); reason == 0 && p.windowFull(slot, f) {
		return c, sourcing.Full, windowDetail
	}
	return c, reason, ""
}

// allows asks the rules of the host, which may look at everything there is to
// know of a candidate.
func (p *plan) allows(c *sourcing.Candidate) (Reason, string) {
	if reason, detail := p.rules.Check(c); reason != 0 {
		return reason, detail
	}
	if ok, name := p.rules.Given(c, p.soft); !ok {
		return sourcing.ByRule, name
	}
	return 0, ""
}

// fill finds for a want the first of its choices of which a location has enough;
// else, if there is enough of them together, the one of which there is most. units
// is what there is; if that is too little, reason says why.
func (p *plan) fill(w *want, number, slot uint32, ready time.Time) (choice int, units int64, reason Reason) {
	choice, reason = -1, sourcing.Short
	most := int64(0)
	for i := range w.choices {
		g := &w.choices[i]
		if p.engine.moves.cool.Cooling(g.SKU, slot, p.now) {
			if reason == sourcing.Short && units == 0 {
				reason = sourcing.CoolingDown
			}
			continue
		}
		has, why := p.has(g, number, slot, millis(ready), w.units)
		if has >= w.units {
			return i, has, 0
		}
		if has > most || choice < 0 {
			choice, most = i, has
		}
		units += has
		if why != 0 {
			reason = why
		}
	}
	if choice >= 0 && units >= w.units {
		reason = 0
	}
	return choice, units, reason
}

// has is how many units of goods an order can have at a location. If it is fewer
// than wanted for another reason than that there are none, why says so.
func (p *plan) has(g *goods.Product, number, slot uint32, ready, wanted int64) (units int64, why Reason) {
	table, old := p.topology.Table(), int64(0)
	pool := int64(0)
	for _, src := range g.From {
		n := table.Reachable(src.SKU, number)
		switch {
		case src.Quota:
			units += max(n, 0)
		case !g.Lasts(src, max(ready, p.now)):
			old += max(n, 0)
		default:
			pool += n
		}
	}
	kept := p.protection.Of(g.SKU, slot)
	all := units + max(pool, 0)
	units += max(pool-kept, 0)
	switch {
	case units >= wanted:
		return units, 0
	case all >= wanted:
		return units, sourcing.Protected
	case all+old >= wanted:
		return units, sourcing.TooOld
	}
	return units, 0
}

// weigh adds to an eligible candidate what its stock says: whether it fills
// every want of the form, what it costs, and how much would be left.
func (p *plan) weigh(c *sourcing.Candidate, f sourcing.Form) (sh share, reason Reason, detail string) {
	slot := p.topology.Slot(c.Number)
	sh = share{number: c.Number, slot: slot, form: f, distance: c.Distance, start: c.Start, ready: c.Ready}
	sh.cost = p.costs.Part(c)
	left := int64(-1)
	if p.mixed {
		if reason, detail = p.weighMixed(&sh, c); reason == 0 {
			reason, detail = p.allows(c)
		}
		return sh, reason, detail
	}
	var few [8]taken // most locations are weighed and not taken
	lines := few[:0]
	for i := range p.wants {
		w := &p.wants[i]
		if w.form != f {
			continue
		}
		choice, units, reason := p.fill(w, c.Number, slot, c.Ready)
		if reason != 0 {
			return sh, reason, w.name
		}
		if over := units - w.units; left < 0 || over < left {
			left = over
		}
		lines = append(lines, taken{want: i, choice: choice, units: w.units})
		sh.cost = addCost(sh.cost, p.price(w, choice, w.units, c))
	}
	sh.lines = slices.Clone(lines)
	c.Cost, c.Left = sh.cost, max(left, 0)
	reason, detail = p.allows(c)
	return sh, reason, detail
}

// price is what units of a want cost from a candidate; to collect what the chosen
// store has costs nothing.
func (p *plan) price(w *want, choice int, units int64, c *sourcing.Candidate) int64 {
	if p.costs.Price == nil && p.isChosen(c) {
		return 0
	}
	return p.costs.Line(w.choices[choice].Name, units, c.Site)
}

func (p *plan) isChosen(c *sourcing.Candidate) bool {
	return c.Request.Form == sourcing.ShipToStore && c.Site == c.Request.At
}

// addCost adds costs, which never pass the largest number.
func addCost(a, b int64) int64 {
	if sum, fits := addUnits(a, b); fits {
		return sum
	}
	return 1<<63 - 1
}

// saw notes a location that was looked at and not taken.
func (p *plan) saw(c *sourcing.Candidate, f sourcing.Form, reason Reason, detail string) {
	if p.traces && len(p.trace) < maxTrace && !p.topology.Place(p.topology.Slot(c.Number)).Gone() {
		p.trace = append(p.trace, sighting{slot: p.topology.Slot(c.Number), form: f, reason: reason,
			distance: c.Distance, detail: detail})
	}
}

// maxTrace bounds the locations a decision remembers to have looked at.
const maxTrace = 64
