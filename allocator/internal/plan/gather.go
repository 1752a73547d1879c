package plan

import (
	"cmp"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// maxGathered is how many of the nearest locations are gathered for a split, for
// each form of fulfilment; maxExtra is how many are looked for besides for a line
// that none of them can fill.
const (
	maxGathered = 64
	maxExtra    = 8
	// maxSplits is how often a split is decided anew after it was lost to other
	// orders each time.
	maxSplits = 256
)

// split fills the order from several locations at the least cost, or, if it may
// be filled in part, as many of its lines as it can.
func (p *Plan) split(partial bool, yield func(*Choice) bool) bool {
	for range maxSplits {
		options := p.gather()
		if len(options) == 0 {
			return true
		}
		filled := p.assign(options, partial)
		if !filled || len(p.Missing) > 0 {
			filled = p.assignDeepest(options, partial) || filled
		}
		if !filled {
			return true
		}
		if !yield(&p.Choice) {
			return false
		}
		p.trace = p.trace[:0]
	}
	return true
}

// assign finds which of the options serve what. False: they cannot fill the order.
func (p *Plan) assign(options []option, partial bool) (filled bool) {
	a := assignment{look: &p.look, Choice: &p.Choice, solver: &p.work.solver}
	if p.Mixed {
		filled = a.assignMixed(options, partial)
	} else {
		filled = a.assign(options, partial)
	}
	for j := range options {
		o := &options[j]
		if a.found && !slices.ContainsFunc(p.Shares, func(sh Share) bool { return sh.Slot == o.slot && sh.Form == o.form }) {
			p.Saw(&o.Candidate, o.form, sourcing.Apart, "")
		}
	}
	return filled
}

// gather finds the locations that have something of the order's wants: for every
// form the chosen store, then the nearest, then the nearest for each want that
// none of these can fill.
func (p *Plan) gather() (options []option) {
	defer p.work.mask.Reset()
	options, p.work.supplies = p.work.options[:0], p.work.supplies[:0]
	defer func() { p.work.options = options[:0] }()
	for _, f := range p.Forms {
		begin := len(options)
		if p.At != reservation.Everywhere && f != sourcing.Ship {
			options = p.addOption(options, begin, p.Catalogue.Number(p.At), f)
			if f == sourcing.Collect {
				continue
			}
		}
		p.work.groups = p.work.groups[:0]
		for i := range p.Wants {
			if w := &p.Wants[i]; w.Form == f {
				p.work.groups = append(p.work.groups, w.handles(nil))
			}
		}
		options = p.addNearest(options, begin, f, maxGathered)
		if len(options)-begin >= maxGathered { // there are more
			options = p.addBroad(options, begin, f)
		}
		for i := range p.Wants {
			w := &p.Wants[i]
			if w.Form != f || filled(options[begin:], i, w.Units) {
				continue
			}
			p.work.groups = append(p.work.groups[:0], w.handles(nil))
			options = p.addNearest(options, begin, f, maxExtra)
		}
	}
	return options
}

// assignDeepest is assign with the locations besides that have the most of what none of
// the options has whole: many near shops with one each must not hide the depot that has
// what is missing.
func (p *Plan) assignDeepest(options []option, partial bool) bool {
	defer p.work.mask.Reset()
	gathered := len(options)
	for i := range p.Wants {
		if w := &p.Wants[i]; !filled(options[:gathered], i, w.Units) && (w.Form != sourcing.Collect || p.At == reservation.Everywhere) {
			options = p.addDeepest(options, w)
		}
	}
	p.work.options = options[:0]
	return len(options) > gathered && p.assign(options, partial)
}

// addDeepest adds the locations with the most units of a want, the nearest of as many
// first: as many as the order may be split over, and nothing if those do not have
// enough together.
func (p *Plan) addDeepest(options []option, w *Want) []option {
	type deep struct {
		number   uint32
		units    int64
		distance geo.Meters
	}
	var all []deep
	for number := range p.having(w) {
		slot := p.Catalogue.Slot(number)
		if choice, units, _ := p.fill(w, number, slot, gate.FromMillis(p.Now)); choice >= 0 && units > 0 {
			all = append(all, deep{number, min(units, w.Units), p.distanceTo(slot, w.Form)})
		}
	}
	slices.SortFunc(all, func(a, b deep) int {
		return cmp.Or(cmp.Compare(b.units, a.units), cmp.Compare(a.distance, b.distance), cmp.Compare(a.number, b.number))
	})
	units := int64(0)
	for _, d := range all[:min(len(all), p.Most)] {
		units += min(d.units, w.Units-units)
	}
	if units < w.Units && !p.Partial {
		return options
	}
	added := 0
	for _, d := range all {
		if added == p.Most+maxExtra {
			break
		}
		if slices.ContainsFunc(options, func(o option) bool { return o.form == w.Form && o.Number == d.number }) {
			continue
		}
		before := len(options)
		if options = p.addOptionAt(options, before, d.number, d.distance, w.Form); len(options) > before {
			added++
		}
	}
	return options
}

// addNearest adds the nearest locations that have something of p.work.groups.
func (p *Plan) addNearest(options []option, begin int, f sourcing.Form, most int) []option {
	p.startSearch(f, false)
	for added := 0; added < most; {
		number, distance, ok := p.work.search.Next()
		if !ok {
			break
		}
		before := len(options)
		if options = p.addOptionAt(options, begin, number, distance, f); len(options) > before {
			added++
		}
	}
	return options
}

func (p *Plan) addOption(options []option, begin int, number uint32, f sourcing.Form) []option {
	slot := p.Catalogue.Slot(number)
	return p.addOptionAt(options, begin, number, p.distanceTo(slot, f), f)
}

// addOptionAt adds a location if it is eligible, has anything, and is not among
// the options of the form yet.
func (p *Plan) addOptionAt(options []option, begin int, number uint32, distance geo.Meters, f sourcing.Form) []option {
	for i := begin; i < len(options); i++ {
		if options[i].Number == number {
			return options
		}
	}
	var c sourcing.Candidate
	if !p.eligible(&c, number, distance, f) {
		return options
	}
	o := option{Candidate: c, form: f, slot: p.Catalogue.Slot(number), fixed: p.fixed(&c), has: p.supplies()}
	any, reason, detail := false, sourcing.Short, ""
	for i := range p.Wants {
		w := &p.Wants[i]
		if w.Form != f {
			continue
		}
		choice, units, why := p.fill(w, number, o.slot, c.Ready)
		if choice < 0 || units <= 0 {
			if detail == "" {
				reason, detail = why, w.Name
			}
			continue
		}
		o.has[i] = supply{choice: choice, units: units, price: p.price(w, choice, min(units, w.Units), &c)}
		any = true
	}
	if !any {
		p.Saw(&c, f, reason, detail)
		return options
	}
	o.Cost, o.Left = o.fixed, 0
	if reason, detail := p.allows(&o.Candidate); reason != 0 {
		p.Saw(&c, f, reason, detail)
		return options
	}
	return append(options, o)
}

// supplies is memory for what an option has.
func (p *Plan) supplies() []supply {
	n, all := len(p.Wants), p.work.supplies
	if cap(all)-len(all) < n {
		all = make([]supply, 0, max(2*cap(all), 16*n)) // options have the one before
	}
	all = all[:len(all)+n]
	p.work.supplies = all
	has := all[len(all)-n : len(all) : len(all)]
	clear(has)
	return has
}
