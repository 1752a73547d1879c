package plan

import (
	"cmp"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// collectAtOne is cover for an order of which only some lines are collected: they
// are at one location, and each is tried.
func (a *assignment) collectAtOne(options []option, partial bool) bool {
	some := make([]option, 0, len(options))
	for j := range options {
		if options[j].form != sourcing.Collect {
			some = append(some, options[j])
		}
	}
	others := len(some)
	best, lacks := Choice{Exact: true}, math.Inf(1)
	try := func() {
		if !a.cover(some, partial) {
			return
		}
		lack := 0.0
		for _, w := range a.Missing {
			lack += float64(a.lacking(a.Choice, w)) / float64(a.Wants[w].Units)
		}
		best.Exact = best.Exact && a.Exact
		if lack < lacks || lack == lacks && a.Cost < best.Cost {
			lacks, best.Cost = lack, a.Cost
			best.Shares, best.Missing = slices.Clone(a.Shares), slices.Clone(a.Missing)
		}
	}
	if partial && others > 0 {
		try()
	}
	for j := range options {
		if o := &options[j]; o.form == sourcing.Collect && (partial || a.fillsForm(o)) {
			some = append(some[:others], *o)
			some[others].has = a.unbroken(options, o.has)
			try()
		}
	}
	if best.Shares == nil {
		return false
	}
	a.Shares, a.Missing, a.Cost, a.Exact, a.Bound = best.Shares, best.Missing, best.Cost, best.Exact, 0
	if a.Exact {
		a.Bound = a.Cost
	}
	return true
}

// unbroken is what an option has, without what is too little of wants that any of
// the options can fill.
func (a *assignment) unbroken(options []option, has []supply) []supply {
	has = slices.Clone(has)
	for i := range has {
		if units := a.Wants[i].Units; has[i].units < units && filled(options, i, units) {
			has[i] = supply{}
		}
	}
	return has
}

// fillsForm reports whether an option fills every want of its form.
func (a *assignment) fillsForm(o *option) bool {
	for i := range a.Wants {
		if w := &a.Wants[i]; w.Form == o.form && o.has[i].units < w.Units {
			return false
		}
	}
	return true
}

// lacking is how many units of a want a choice leaves out.
func (l *look) lacking(c *Choice, want int) int64 {
	units := l.Wants[want].Units
	for i := range c.Shares {
		for _, t := range c.Shares[i].Lines {
			if t.Want == want {
				units -= t.Units
			}
		}
	}
	return units
}

// maxSpread bounds the sets of locations that are looked at for an order with a
// line that has to be broken up.
const maxSpread = 20_000

// spreading looks for few options that together have every want: whole where any
// option has it whole, in pieces otherwise.
type spreading struct {
	wants   []Want
	most    int // options
	options []option
	open    []int
	steps   int
}

// spread is options that fill the order together and are no more than it may be
// split over; nil: there are none, or they are hard to find. What each line alone
// is best broken up into may be too many locations for all lines.
func (a *assignment) spread(options []option) []option {
	s := &spreading{wants: a.Wants, most: a.Most, options: options}
	if !s.search() {
		return nil
	}
	slices.Sort(s.open)
	some := make([]option, len(s.open))
	for i, j := range s.open {
		some[i] = options[j]
	}
	return some
}

// search opens options until every want is filled.
func (s *spreading) search() bool {
	want := s.lacking()
	if want < 0 {
		return true
	}
	if s.steps++; s.steps > maxSpread || len(s.open) >= s.most {
		return false
	}
	for _, j := range s.helpful(want) {
		s.open = append(s.open, j)
		if s.search() {
			return true
		}
		s.open = s.open[:len(s.open)-1]
	}
	return false
}

// lacking is the first want that the open options do not fill, below 0 for none.
func (s *spreading) lacking() int {
	for i := range s.wants {
		if !s.filled(i) {
			return i
		}
	}
	return -1
}

func (s *spreading) filled(i int) bool {
	w := &s.wants[i]
	if filled(s.options, i, w.Units) {
		return slices.ContainsFunc(s.open, func(j int) bool { return s.fills(j, i) })
	}
	var sum int64
	for _, j := range s.open {
		sum += s.options[j].has[i].units
	}
	return sum >= w.Units
}

// fills reports whether an option fills a want and its whole group.
func (s *spreading) fills(j, i int) bool {
	wants := s.wants
	for k := range wants {
		same := k == i || wants[i].Group != 0 && wants[k].Group == wants[i].Group
		if same && s.options[j].has[k].units < wants[k].Units {
			return false
		}
	}
	return true
}

// helpful is the options that fill a want, or have some of it if none can fill
// it; those with the most of it first.
func (s *spreading) helpful(i int) (some []int) {
	w := &s.wants[i]
	whole := filled(s.options, i, w.Units)
	for j := range s.options {
		if has := s.options[j].has[i].units; has > 0 && !slices.Contains(s.open, j) && (!whole || s.fills(j, i)) {
			some = append(some, j)
		}
	}
	if whole {
		return some
	}
	slices.SortStableFunc(some, func(a, b int) int { return cmp.Compare(s.options[b].has[i].units, s.options[a].has[i].units) })
	var most int64
	for _, j := range append(slices.Clone(s.open), some[:min(len(some), s.most-len(s.open))]...) {
		most += s.options[j].has[i].units
	}
	if most < w.Units {
		return nil
	}
	return some
}
