package plan

import (
	"slices"
)

// maxJoint is how many assignments are tried when wants that an assignment puts at
// the same location are in each other's way there.
const maxJoint = 64

// assignMixed is assign for an order with substitutes: what the options have of
// each want was found by itself, so wants that are served by the same location may
// need the same units. Then the options are tried with one of these wants taken
// away from the location, each of them in turn.
func (a *assignment) assignMixed(options []option, partial bool) bool {
	tries := maxJoint
	bound := int64(-1)
	var try func() bool
	try = func() bool {
		if tries == 0 {
			return false
		}
		tries--
		a.Exact = true
		if !a.assign(options, partial) {
			return false
		}
		if bound < 0 {
			bound = a.Bound
		}
		clashes := a.settle(options)
		for _, c := range clashes {
			h := &options[c.option].has[c.want]
			before := *h
			h.units = c.left
			if try() {
				return true
			}
			*h = before
		}
		return clashes == nil
	}
	if !try() {
		return false
	}
	a.Exact = a.Exact && tries == maxJoint-1
	if a.Bound = min(bound, a.Cost); a.Exact {
		a.Bound = a.Cost
	}
	return true
}

// clash is a want that an option cannot serve besides others; left is what it can.
type clash struct {
	option, want int
	left         int64
}

// settle finds which units of which choice each share takes. If a share cannot be
// filled, clashes are the wants of which at least one has to go elsewhere.
func (a *assignment) settle(options []option) (clashes []clash) {
	a.Cost = 0
	for i := range a.Shares {
		sh := &a.Shares[i]
		j := optionOf(options, sh)
		demands := make([]demand, len(sh.Lines))
		for k, t := range sh.Lines {
			demands[k] = demand{t.Want, t.Units}
		}
		s := a.serve(demands, sh.Number, sh.Slot, sh.Ready, func(sku uint32) int64 { return a.takenAt(sh.Slot, sku, i) })
		if short := s.short(); short != nil {
			rest := s.rest(short[0])
			for _, d := range short {
				clashes = append(clashes, clash{j, demands[d].want, max(demands[d].units-rest, 0)})
			}
			for k := range i { // another form may have taken them here
				if other := &a.Shares[k]; other.Slot == sh.Slot {
					for _, t := range other.Lines {
						clashes = append(clashes, clash{optionOf(options, other), t.Want, 0})
					}
				}
			}
			return clashes
		}
		sh.Lines, sh.Cost = s.lines(sh.Lines[:0]), options[j].fixed
		for _, t := range sh.Lines {
			sh.Cost = AddCost(sh.Cost, a.price(&a.Wants[t.Want], t.Choice, t.Units, &options[j].Candidate))
		}
		a.Cost = AddCost(a.Cost, sh.Cost)
	}
	return nil
}

// optionOf is the option that a share was made of.
func optionOf(options []option, sh *Share) int {
	return slices.IndexFunc(options, func(o option) bool { return o.Number == sh.Number && o.form == sh.Form })
}

// takenAt is how many units of a SKU the first few shares take at a location.
func (a *assignment) takenAt(slot, sku uint32, shares int) (units int64) {
	for i := range shares {
		if sh := &a.Shares[i]; sh.Slot == slot {
			for _, t := range sh.Lines {
				if a.Wants[t.Want].Choices[t.Choice].SKU == sku {
					units += t.Units
				}
			}
		}
	}
	return units
}
