package allocator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// planTwin decides one order on a small world without speed: every location, and
// every assignment of lines to locations. Substitutes, lots and quotas have twins
// of their own.
type planTwin struct {
	*planWorld
	o      Order
	rules  *planRules
	at     *planSite
	wants  []planWant
	forms  []sourcing.Form
	most   int
	soft   int // soft filters in force
	broken int // wants of which no location has enough, in the last look
}

type planWant struct {
	sku   string
	units int64
	form  sourcing.Form
	group int
}

// planChoice is what a location could do for one form of an order.
type planChoice struct {
	planView
	fixed int64
	has   []int64 // by want
}

// planVerdict is what the twin says of an order.
type planVerdict struct {
	found  bool
	site   *planSite // of a single location
	cost   int64
	soft   int
	filled int  // wants filled whole, of an order in part
	parts  bool // it is split
	loose  bool // a line was broken up: any right answer will do
}

func (w *planWorld) twin(o Order, rules *planRules) *planTwin {
	p := &planTwin{planWorld: w, o: o, rules: rules}
	if i := slices.IndexFunc(w.sites, func(s *planSite) bool { return s.ID == o.At }); i >= 0 {
		p.at = w.sites[i]
	}
	sums := summed(o.Lines)
	for _, sku := range w.skus {
		if sums[sku] == 0 {
			continue
		}
		want := planWant{sku: sku, units: sums[sku], form: formOf(o, sku)}
		for g, skus := range o.Together {
			if slices.Contains(skus, sku) {
				want.group = g + 1
			}
		}
		p.wants = append(p.wants, want)
		if !slices.Contains(p.forms, want.form) {
			p.forms = append(p.forms, want.form)
		}
	}
	p.most = max(1, cmp.Or(o.MaxLocations, rules.MaxLocations))
	if len(p.forms) > 1 || p.forms[0] == sourcing.ShipToStore {
		p.most = max(p.most, 2, len(p.forms))
	}
	return p
}

func (p *planTwin) chosen(s *planSite, f sourcing.Form) bool { return s == p.at && f != sourcing.Ship }

// pointed tells whether the order has a point to measure from.
func (p *planTwin) pointed() bool { return p.at == nil || p.o.Near != geo.Point{} }

func (p *planTwin) distance(s *planSite, f sourcing.Form) geo.Meters {
	switch {
	case f == sourcing.ShipToStore:
		return geo.Distance(p.at.Point, s.Point)
	case !p.pointed() && f == sourcing.Collect:
		return 0
	}
	return geo.Distance(p.o.Near, s.Point)
}

// against says whether a reason that needs no stock holds by itself.
func (p *planTwin) against(reason sourcing.Reason, s *planSite, f sourcing.Form) bool {
	o, brought := &p.o, f == sourcing.ShipToStore
	member := func(list []string, of string) bool { return len(list) == 0 || slices.Contains(list, of) }
	serves := func(s *planSite, f sourcing.Form) bool {
		return len(s.terms.Forms) == 0 || slices.Contains(s.terms.Forms, f)
	}
	switch reason {
	case sourcing.TooFar:
		return !brought && (p.pointed() || p.chosen(s, f)) && o.MaxDistance > 0 && p.distance(s, f) > o.MaxDistance
	case sourcing.WrongKind:
		collects := func(s *planSite) bool {
			return s.Kind == Store || s.Kind == PickupPoint || slices.Contains(s.terms.Forms, sourcing.Collect) || slices.Contains(o.Kinds, s.Kind)
		}
		return len(o.Kinds) > 0 && !slices.Contains(o.Kinds, s.Kind) || f == sourcing.Collect && len(o.Kinds) == 0 && !collects(s) || brought && !collects(p.at)
	case sourcing.OutsideArea:
		return !brought && p.pointed() && !p.chosen(s, f) && s.Area != nil && !s.Area.Contains(o.Near)
	case sourcing.Offline:
		return s.terms.Offline || brought && p.at.terms.Offline
	case sourcing.NotInChannel:
		return !member(s.terms.Channels, o.Channel) || brought && !member(p.at.terms.Channels, o.Channel)
	case sourcing.NoSuchForm:
		if brought {
			return s != p.at && !serves(s, f) || !serves(p.at, sourcing.Collect)
		}
		return !serves(s, f)
	case sourcing.NoSuchPayment:
		if brought {
			s = p.at
		}
		return o.Payment != "" && !member(s.terms.Payments, o.Payment)
	case sourcing.NotInGroup:
		return len(o.Groups) > 0 && !slices.ContainsFunc(o.Groups, func(g string) bool { return slices.Contains(s.terms.Groups, g) })
	case sourcing.Excluded:
		return slices.Contains(o.Exclude, s.ID)
	case sourcing.Unplaced:
		return !brought && !p.pointed() && !p.chosen(s, f)
	case sourcing.Closed:
		_, ok := p.promise(s, f)
		return !ok
	case sourcing.Late:
		ready, ok := p.promise(s, f)
		return ok && !o.NeededBy.IsZero() && ready.After(o.NeededBy)
	}
	return false
}

// opensAt is when a site is open next, by half hours.
func (s *planSite) opensAt(at time.Time) (time.Time, bool) {
	if s.never {
		return at, false
	}
	for !s.open(at) {
		at = at.Add(30 * time.Minute)
	}
	return at, true
}

// promise is when goods can be ready, by walking through the half hours.
func (p *planTwin) promise(s *planSite, f sourcing.Form) (time.Time, bool) {
	at := p.now
	local := at.In(s.zone)
	if clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute; s.terms.CutOff > 0 && clock > s.terms.CutOff {
		for day := local.Day(); at.In(s.zone).Day() == day; {
			at = at.Add(30 * time.Minute)
		}
	}
	at, ok := s.opensAt(at)
	for prep := s.terms.Prep; ok && prep > 0; at = at.Add(30 * time.Minute) {
		if s.open(at) {
			prep -= 30 * time.Minute
		}
	}
	switch {
	case !ok:
	case f == sourcing.Ship:
		at = at.Add(s.terms.Delivery)
	case f == sourcing.ShipToStore && s != p.at:
		at, ok = p.at.opensAt(at.Add(s.terms.Transfer))
	default:
		at, ok = s.opensAt(at)
	}
	return at, ok
}

var planReasons = [...]sourcing.Reason{sourcing.TooFar, sourcing.WrongKind, sourcing.OutsideArea, sourcing.Offline, sourcing.NotInChannel,
	sourcing.NoSuchForm, sourcing.NoSuchPayment, sourcing.NotInGroup, sourcing.Excluded, sourcing.Unplaced, sourcing.Closed, sourcing.Late}

// choices are the locations that may serve a form, by everything but the rules.
func (p *planTwin) choices(f sourcing.Form) (all []*planChoice) {
	for _, s := range p.sites {
		barred := slices.ContainsFunc(planReasons[:], func(r sourcing.Reason) bool { return p.against(r, s, f) })
		if barred || f == sourcing.Collect && p.at != nil && s != p.at {
			continue
		}
		c := &planChoice{planView: planView{site: s, form: f, distance: p.distance(s, f), now: p.now}, has: make([]int64, len(p.wants))}
		c.ready, _ = p.promise(s, f)
		c.fixed = p.fixed(s, f)
		for i, want := range p.wants {
			if want.form == f {
				c.has[i] = s.stock[want.sku]
			}
		}
		all = append(all, c)
	}
	return all
}

func (p *planTwin) costs() sourcing.Costs {
	if c := p.rules.Costs; c.Parcel != 0 || c.Transfer != 0 || c.PerKm != 0 || c.PerLine != 0 || c.Price != nil {
		return c
	}
	return sourcing.Costs{Parcel: 500, Transfer: 300, PerKm: 10, PerLine: 50}
}

func (p *planTwin) fixed(s *planSite, f sourcing.Form) int64 {
	c := p.costs()
	way := int64(math.Round(float64(c.PerKm) * float64(p.distance(s, f)) / 1000))
	switch {
	case f == sourcing.Ship:
		return c.Parcel + way
	case f == sourcing.ShipToStore && s != p.at:
		return c.Transfer + way
	}
	return 0
}

func (p *planTwin) price(s *planSite, f sourcing.Form, sku string, units int64) int64 {
	c := p.costs()
	if c.Price != nil {
		return c.PerLine + c.Price(sku, units, &sourcing.Site{ID: s.ID})
	}
	if f == sourcing.ShipToStore && s == p.at {
		return 0
	}
	return c.PerLine
}

// allowed asks the filters of the rules.
func (p *planTwin) allowed(v *planView) bool {
	for _, f := range slices.Concat(p.rules.hard, p.rules.soft[:p.soft]) {
		if !f.pass(v) {
			return false
		}
	}
	return true
}

// whole fills in what a location costs that does everything, if it can.
func (p *planTwin) whole(c *planChoice) bool {
	c.cost, c.left = c.fixed, math.MaxInt64
	for i, w := range p.wants {
		if w.form != c.form {
			continue
		}
		if c.has[i] < w.units {
			return false
		}
		c.cost += p.price(c.site, c.form, w.sku, w.units)
		c.left = min(c.left, c.has[i]-w.units)
	}
	return true
}

// better says whether the rules rank a before b.
func (p *planTwin) better(a, b *planView) bool {
	if len(p.o.Prefer) > 0 {
		place := func(v *planView) int {
			if i := slices.Index(p.o.Prefer, v.site.ID); i >= 0 {
				return i
			}
			return len(p.o.Prefer)
		}
		if x, y := place(a), place(b); x != y {
			return x < y
		}
	}
	for _, k := range p.rules.keys {
		if x, y := k.value(a), k.value(b); x != y {
			return x < y
		}
	}
	if len(p.rules.keys) == 0 && a.distance != b.distance {
		return a.distance < b.distance
	}
	return a.site.ID < b.site.ID
}

// decide is what the engine must answer.
func (p *planTwin) decide() planVerdict {
	for p.soft = len(p.rules.soft); p.soft >= 0; p.soft-- {
		if v := p.single(); v.found {
			return v
		}
		if p.most > 1 {
			if v := p.split(); v.found {
				return v
			}
		}
	}
	for p.soft = len(p.rules.soft); p.o.Partial && p.soft >= 0; p.soft-- {
		if v := p.part(); v.found {
			return v
		}
	}
	p.soft = 0
	return planVerdict{}
}

// single is the best location that fills everything.
func (p *planTwin) single() (v planVerdict) {
	if len(p.forms) > 1 {
		return v
	}
	var best *planChoice
	for _, c := range p.choices(p.forms[0]) {
		if p.at != nil && p.forms[0] != sourcing.Ship && c.site != p.at || !p.whole(c) || !p.allowed(&c.planView) {
			continue
		}
		if best == nil || p.better(&c.planView, &best.planView) {
			best = c
		}
	}
	if best == nil {
		return v
	}
	return planVerdict{found: true, site: best.site, cost: best.cost, soft: p.soft, filled: len(p.wants)}
}

// options are the parts an order may be split into.
func (p *planTwin) options() (all []*planChoice) {
	for _, f := range p.forms {
		for _, c := range p.choices(f) {
			if p.allowed(&c.planView) {
				all = append(all, c)
			}
		}
	}
	p.broken = 0
	for i, w := range p.wants {
		if !slices.ContainsFunc(all, func(c *planChoice) bool { return c.has[i] >= w.units }) {
			p.broken++
		}
	}
	return all
}

// split is the cheapest assignment of the wants to locations; if there are wants
// that must be broken up, only whether there is any.
func (p *planTwin) split() (v planVerdict) {
	all := p.options()
	v.parts, v.soft, v.filled = true, p.soft, len(p.wants)
	if p.broken > 0 {
		v.found, v.loose = p.breakable(all, nil), true
		return v
	}
	v.cost = math.MaxInt64
	p.assign(all, make([]*planChoice, len(p.wants)), 0, 0, 0, &v, false)
	return v
}

// part is the most wants that can be filled whole, at the least cost.
func (p *planTwin) part() (v planVerdict) {
	all := p.options()
	v.parts, v.soft, v.cost = true, p.soft, math.MaxInt64
	if p.broken > 0 {
		v.loose = true
	}
	p.assign(all, make([]*planChoice, len(p.wants)), 0, 0, 0, &v, true)
	if v.loose { // pieces make it more, so nothing is known but that there is something
		for i, w := range p.wants {
			v.found = v.found || w.group == 0 && slices.ContainsFunc(all, func(c *planChoice) bool { return c.has[i] > 0 })
		}
	}
	return v
}

// assign tries every location for the i-th want and all behind it.
func (p *planTwin) assign(all, by []*planChoice, i int, cost int64, filled int, v *planVerdict, partial bool) {
	if i == len(p.wants) {
		if filled > 0 && (!partial || p.groupsWhole(by)) && (!v.found || filled > v.filled || filled == v.filled && cost < v.cost) {
			v.found, v.cost, v.filled = true, cost, filled
		}
		return
	}
	w := p.wants[i]
	for _, c := range all {
		if c.form != w.form || c.has[i] < w.units {
			continue
		}
		opened := slices.Contains(by[:i], c)
		if used := p.used(by[:i]); !opened && used == p.most || !p.fits(by, i, c) {
			continue
		}
		more := p.price(c.site, c.form, w.sku, w.units)
		if !opened {
			more += c.fixed
		}
		by[i] = c
		p.assign(all, by, i+1, cost+more, filled+1, v, partial)
		by[i] = nil
	}
	if partial {
		p.assign(all, by, i+1, cost, filled, v, partial)
	}
}

func (p *planTwin) used(by []*planChoice) (n int) {
	for i, c := range by {
		if c != nil && !slices.Contains(by[:i], c) {
			n++
		}
	}
	return n
}

// fits keeps groups at one location, and what is collected when other lines are
// not.
func (p *planTwin) fits(by []*planChoice, i int, c *planChoice) bool {
	for j, other := range by[:i] {
		if other == nil || other == c {
			continue
		}
		if g := p.wants[i].group; g != 0 && g == p.wants[j].group {
			return false
		}
		if len(p.forms) > 1 && c.form == sourcing.Collect && other.form == sourcing.Collect {
			return false
		}
	}
	return true
}

// groupsWhole says whether no group is torn: all of it or nothing.
func (p *planTwin) groupsWhole(by []*planChoice) bool {
	for i := range p.wants {
		for j := range p.wants {
			if g := p.wants[i].group; g != 0 && g == p.wants[j].group && (by[i] == nil) != (by[j] == nil) {
				return false
			}
		}
	}
	return true
}

// breakable says whether so many locations together have everything.
func (p *planTwin) breakable(all, open []*planChoice) bool {
	if p.together(all, open) {
		return true
	}
	if len(open) == p.most {
		return false
	}
	from := 0
	if n := len(open); n > 0 {
		from = slices.Index(all, open[n-1]) + 1
	}
	for _, c := range all[from:] {
		if p.breakable(all, append(open, c)) {
			return true
		}
	}
	return false
}

// together says whether open locations have every want: whole if any location
// has it whole, summed up otherwise.
func (p *planTwin) together(all, open []*planChoice) bool {
	for i, w := range p.wants {
		var sum, most int64
		for _, c := range open {
			sum, most = sum+c.has[i], max(most, c.has[i])
		}
		whole := slices.ContainsFunc(all, func(c *planChoice) bool { return c.has[i] >= w.units })
		if whole && most < w.units || !whole && (sum < w.units || w.group != 0) {
			return false
		}
	}
	collects := 0
	for _, c := range open {
		if c.form == sourcing.Collect {
			collects++
		}
	}
	if len(p.forms) > 1 && collects > 1 {
		return false
	}
	for g := range p.o.Together {
		if !slices.ContainsFunc(open, func(c *planChoice) bool {
			return !slices.ContainsFunc(p.o.Together[g], func(sku string) bool {
				i := slices.IndexFunc(p.wants, func(w planWant) bool { return w.sku == sku })
				return c.has[i] < p.wants[i].units
			})
		}) {
			return false
		}
	}
	return true
}

// whereOf names the form and the place of a part, for messages.
func whereOf(part Allocation) string { return fmt.Sprintf("%v at %s", part.Form, part.Location) }
