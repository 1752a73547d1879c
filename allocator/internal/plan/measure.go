package plan

import (
	"math"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// look is how an order sees one location at a time. It changes nothing.
type look struct {
	View
	*Ask
	costs sourcing.Costs
	soft  int // how many of the soft filters are in force
}

// measure looks at a location for the wants of a form, as far as they do not
// depend on the stock: reason 0 says that it is eligible.
func (l *look) measure(c *sourcing.Candidate, number uint32, distance geo.Meters, f sourcing.Form) (reason sourcing.Reason, detail string) {
	slot := l.Catalogue.Slot(number)
	*c = sourcing.Candidate{Site: l.Catalogue.SiteOf(slot), Request: &l.Requests[f], Number: number, Distance: distance, Room: -1}
	if l.Catalogue.Place(slot).Gone() {
		return sourcing.Offline, ""
	}
	if reason, detail = c.Static(); reason != 0 {
		return reason, detail
	}
	if c.Ready, reason = c.Promise(c.Request.Lines); reason == 0 && l.windowFull(slot, f) {
		return sourcing.Full, windowDetail
	}
	return reason, ""
}

// likeness is what measure finds of every location that is like another.
type likeness struct {
	plan         uint64 // whose order that is of
	reason       sourcing.Reason
	static       bool // the reason holds whatever the time
	detail       string
	start, ready time.Time // if there is room
}

// compare is measure for a plan that looks at many locations: what is the same for those
// that are alike is worked out for the first of them. All that is of the location itself is
// asked of it; where that decides, it is measured.
func (p *Plan) compare(c *sourcing.Candidate, number uint32, distance geo.Meters, f sourcing.Form) (sourcing.Reason, string) {
	face, r := p.Catalogue.Face(number), &p.Requests[f]
	*c = sourcing.Candidate{Site: face.Site, Request: r, Number: number, Distance: distance, Room: -1}
	own := face.Alike == 0 || face.Slot == p.At || !r.HasPoint || r.Within > 0 && distance > r.Within
	if own || len(r.Groups)+len(r.Exclude) > 0 && c.Unwanted() != 0 {
		return p.measure(c, number, distance, f)
	}
	is := p.work.like(p.number, c, face.Alike)
	if is.reason != 0 && (is.static || r.Room == nil) {
		return is.reason, is.detail
	}
	if r.Room != nil {
		left := int64(0)
		if is.reason == 0 {
			left, _ = r.Room(c.Site, is.start, r.Lines)
		}
		if left == 0 {
			return p.measure(c, number, distance, f)
		}
		c.Room = max(-1, left)
	}
	if c.Start, c.Ready = is.start, is.ready; p.windowFull(face.Slot, f) {
		return sourcing.Full, windowDetail
	}
	return 0, ""
}

// like is what there is of the locations that are like a candidate of a plan.
func (w *Work) like(plan uint64, c *sourcing.Candidate, alike uint32) *likeness {
	at := int(alike)*len(Ask{}.Requests) + int(c.Request.Form)
	if n := at + 1 - len(w.alike); n > 0 {
		w.alike = append(w.alike, make([]likeness, n)...)
	}
	is := &w.alike[at]
	if is.plan == plan {
		return is
	}
	r, one := *c.Request, *c
	r.Room, one.Request = nil, &r
	*is = likeness{plan: plan}
	if is.reason, is.detail = one.Static(); is.reason != 0 {
		is.static = true
		return is
	}
	is.ready, is.reason = one.Promise(r.Lines)
	is.start = one.Start
	return is
}

// allows asks the rules of the host, which may look at everything there is to
// know of an eligible candidate.
func (l *look) allows(c *sourcing.Candidate) (sourcing.Reason, string) {
	if reason, detail := l.Rules.Meets(c); reason != 0 {
		return reason, detail
	}
	return l.Rules.Given(c, l.soft)
}

// fill finds for a want the first of its choices of which a location has enough;
// else, if there is enough of them together, the one of which there is most. units
// is what there is; if that is too little, reason says why.
func (l *look) fill(w *Want, number, slot uint32, ready time.Time) (choice int, units int64, reason sourcing.Reason) {
	choice, reason = -1, sourcing.Short
	most := int64(0)
	for i := range w.Choices {
		g := &w.Choices[i]
		if l.cooling(g, slot) {
			if reason == sourcing.Short && units == 0 {
				reason = sourcing.CoolingDown
			}
			continue
		}
		has, why := l.Has(g, number, slot, max(gate.Millis(ready), l.Now), w.Units)
		if has >= w.Units {
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
	if choice >= 0 && units >= w.Units {
		reason = 0
	}
	return choice, units, reason
}

// own is how many units of what was ordered itself there are for a want.
func (w *Want) own(l *look, number, slot uint32, ready time.Time) (units int64) {
	if g := &w.Choices[0]; g.Name == w.Name && !l.cooling(g, slot) {
		units, _ = l.Has(g, number, slot, max(gate.Millis(ready), l.Now), w.Units)
	}
	return units
}

// cooling reports whether a location is skipped for goods that it has rejected.
func (l *look) cooling(g *goods.Product, slot uint32) bool {
	return l.Cooling.Cooling(g.SKU, slot, l.Now)
}

// Has is how many units of goods an order can have at a location if its customer has
// them from a time on. If it is fewer than wanted for another reason than that there
// are none, why says so.
func (v *View) Has(g *goods.Product, number, slot uint32, ready, wanted int64) (units int64, why sourcing.Reason) {
	table, old := v.Catalogue.Table(), int64(0)
	pool := int64(0)
	for _, src := range g.From {
		n := table.Reachable(src.SKU, number)
		switch {
		case src.Quota:
			units += max(n, 0)
		case !g.Lasts(src, ready):
			old += max(n, 0)
		default:
			pool += n
		}
	}
	kept := v.Levels.Of(g.SKU, slot)
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

// weigh is the share of an eligible candidate that fills every want of the form.
func (l *look) weigh(c *sourcing.Candidate, f sourcing.Form) (sh Share, reason sourcing.Reason, detail string) {
	sh = Share{Number: c.Number, Slot: l.Catalogue.Slot(c.Number), Form: f, Distance: c.Distance, Start: c.Start, Ready: c.Ready}
	var few [8]Taken
	lines, reason, detail := l.takes(c, f, few[:0])
	if reason == 0 {
		sh.Lines, sh.Cost = slices.Clone(lines), c.Cost
	}
	return sh, reason, detail
}

// fills is weigh for whoever wants no share: most locations are weighed and not taken.
func (l *look) fills(c *sourcing.Candidate, f sourcing.Form) (sourcing.Reason, string) {
	var few [8]Taken
	_, reason, detail := l.takes(c, f, few[:0])
	return reason, detail
}

// takes adds to an eligible candidate what its stock says: whether it fills every want
// of the form, and with what, what it costs, and how much would be left.
func (l *look) takes(c *sourcing.Candidate, f sourcing.Form, into []Taken) (lines []Taken, reason sourcing.Reason, detail string) {
	slot := l.Catalogue.Slot(c.Number)
	lines, c.Cost, c.Left = into, l.fixed(c), 0
	left := int64(-1)
	for i := range l.Wants {
		w := &l.Wants[i]
		if w.Form != f {
			continue
		}
		choice, units, reason := 0, int64(0), sourcing.Reason(0)
		if !l.Mixed {
			choice, units, reason = l.fill(w, c.Number, slot, c.Ready)
		} else if units = w.own(l, c.Number, slot, c.Ready); units < w.Units {
			return l.takesMixed(c, f, slot, into) // wants may be in each other's way
		}
		if reason != 0 {
			return lines, reason, w.Name
		}
		if over := units - w.Units; left < 0 || over < left {
			left = over
		}
		lines = append(lines, Taken{Want: i, Choice: choice, Units: w.Units})
		c.Cost = AddCost(c.Cost, l.price(w, choice, w.Units, c))
	}
	c.Left = max(left, 0)
	reason, detail = l.allows(c)
	return lines, reason, detail
}

// fixed is what a part costs at a candidate, whatever its lines; fixedAt is the same of
// what is known of a location before it is measured.
func (l *look) fixed(c *sourcing.Candidate) int64 { return l.costs.Part(c) }

func (l *look) fixedAt(f sourcing.Form, distance geo.Meters) int64 { return l.costs.Fixed(f, distance) }

// alike reports whether a line costs as much as any other of as many units.
func (l *look) alike() bool { return l.costs.Price == nil }

// price is what units of a want cost from a candidate; to collect what the chosen
// store has costs nothing.
func (l *look) price(w *Want, choice int, units int64, c *sourcing.Candidate) int64 {
	if l.alike() && l.isChosen(c) {
		return 0
	}
	return l.costs.Line(w.Choices[choice].Name, units, c.Site)
}

func (l *look) isChosen(c *sourcing.Candidate) bool {
	return c.Request.Form == sourcing.ShipToStore && c.Site == c.Request.At
}

// AddCost adds costs, which are not below 0. The sum ends at math.MaxInt64.
func AddCost(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// windowDetail is what a refusal as sourcing.Full says besides if it is the pickup
// window that is full, or missing.
const windowDetail = "window"

// windowFull reports whether the customer of a candidate would come to a location
// whose window is full, or that has none.
func (l *look) windowFull(slot uint32, f sourcing.Form) bool {
	window := l.Requests[f].Window
	switch {
	case window.IsZero() || f == sourcing.Ship:
		return false
	case f == sourcing.ShipToStore:
		slot = l.At
	}
	return l.Calendar.Full(slot, window)
}

// distanceTo is from the order's point, or the chosen store, to a location.
func (l *look) distanceTo(slot uint32, f sourcing.Form) geo.Meters {
	r := &l.Requests[f]
	if !r.HasPoint {
		return 0
	}
	return geo.Distance(r.Near, l.Catalogue.Place(slot).Point)
}

// stillRoom reports whether the period of a candidate's promise has room, after
// a claim was lost there.
func (l *look) stillRoom(c *sourcing.Candidate) (bool, sourcing.Reason) {
	ready, reason := c.Promise(c.Request.Lines)
	c.Ready = ready
	if reason == 0 && l.windowFull(l.Catalogue.Slot(c.Number), c.Request.Form) {
		reason = sourcing.Full
	}
	return reason == 0, reason
}

// judge measures a location for all wants of a form: the first reason against it, of all
// there are, or 0. What chooses among locations and what lists them both ask it.
func judge(p *Plan, c *sourcing.Candidate, number uint32, distance geo.Meters, f sourcing.Form) (reason sourcing.Reason, detail string) {
	if reason, detail = p.compare(c, number, distance, f); reason != 0 {
		return reason, detail
	}
	return p.fills(c, f)
}
