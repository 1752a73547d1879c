package allocator

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// maxSubstitutes is how many substitutes an order may have for one SKU.
const maxSubstitutes = 64

// choicesOf is the SKU of a line and its substitutes, the best first, as far as
// they are known. A SKU counts once.
func (p *plan) choicesOf(sku string) (choices []goods.Product, err error) {
	a, names := p.engine, p.order.Substitutes[sku]
	for i, name := range append([]string{sku}, names...) {
		if i > 0 && a.goods.IsBundle(name) {
			if p.reserved { // it became one since
				continue
			}
			return nil, &InvalidError{Field: fmt.Sprintf("Substitutes[%s]", quoted(sku)), Value: name, Why: "is a bundle"}
		}
		handle, ok := a.ledger.SKU(name)
		if ok && !slices.ContainsFunc(choices, func(g goods.Product) bool { return g.SKU == handle }) {
			choices = append(choices, p.product(handle, name))
			p.mixed = p.mixed || i > 0
		}
	}
	if len(choices) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(sku))
	}
	return choices, nil
}

// checkSubstitutes refuses substitutes for a bundle, which is ordered as its parts.
func (p *plan) checkSubstitutes() error {
	for _, sku := range sorted(p.order.Substitutes) {
		if p.engine.goods.IsBundle(sku) {
			return &InvalidError{Field: "Substitutes", Value: sku, Why: "is a bundle: name the substitutes of its parts"}
		}
	}
	return nil
}

// demand is units of a want that one location is to have.
type demand struct {
	want  int
	units int64
}

// serving is how a location fills demands that may be for the same goods: its
// units of each product are given out once.
//
// A want gets its own SKU if there is enough of it, else the first substitute of
// which there is enough, else units of several in the order of preference. Where
// wants are then in each other's way, they are moved to less preferred choices by
// augmenting paths, shortest first (Edmonds and Karp, Journal of the ACM 19, 1972),
// so all demands are filled whenever they can be at all.
type serving struct {
	demands []demand
	skus    []uint32  // the products, each once
	left    []int64   // of each product
	at      [][]int   // by demand and choice: the product
	flow    [][]int64 // likewise: units
}

// serve fills demands at a location as far as it can; used says what else takes
// units there; nil: nothing.
func (p *plan) serve(demands []demand, number, slot uint32, ready time.Time, used func(sku uint32) int64) *serving {
	s := &serving{demands: demands, at: make([][]int, len(demands)), flow: make([][]int64, len(demands))}
	for d := range demands {
		w := &p.wants[demands[d].want]
		s.at[d], s.flow[d] = make([]int, len(w.choices)), make([]int64, len(w.choices))
		for k := range w.choices {
			g := &w.choices[k]
			q := slices.Index(s.skus, g.SKU)
			if q < 0 {
				q = len(s.skus)
				units := int64(0)
				if !p.engine.moves.cool.Cooling(g.SKU, slot, p.now) {
					units, _ = p.has(g, number, slot, millis(ready), math.MaxInt64)
				}
				if used != nil {
					units -= used(g.SKU)
				}
				s.skus, s.left = append(s.skus, g.SKU), append(s.left, max(units, 0))
			}
			s.at[d][k] = q
		}
	}
	for d := range demands { // what was ordered itself goes first to who ordered it
		s.whole(d, 1)
	}
	for d := range demands {
		if s.rest(d) > 0 && !s.whole(d, len(s.at[d])) {
			s.mix(d)
		}
	}
	for d := range demands {
		for s.rest(d) > 0 {
			if seen := s.augment(d); seen != nil {
				break
			}
		}
	}
	return s
}

// rest is the units a demand does not have yet.
func (s *serving) rest(d int) int64 {
	rest := s.demands[d].units
	for _, units := range s.flow[d] {
		rest -= units
	}
	return rest
}

// whole gives a demand all its units of one of its first few choices.
func (s *serving) whole(d, choices int) bool {
	for k, q := range s.at[d][:choices] {
		if units := s.demands[d].units; s.left[q] >= units {
			s.flow[d][k] += units
			s.left[q] -= units
			return true
		}
	}
	return false
}

// mix gives a demand what there is of its choices.
func (s *serving) mix(d int) {
	rest := s.rest(d)
	for k, q := range s.at[d] {
		n := min(rest, s.left[q])
		s.flow[d][k] += n
		s.left[q] -= n
		rest -= n
	}
}

// augment gets a demand more units by moving others to other choices. If there is
// no way to, seen is the demands that are together in each other's way: they want
// more than there is of all their choices.
func (s *serving) augment(d int) (seen []int) {
	type step struct{ demand, choice int }
	took := make([]*step, len(s.skus)) // who would take units of a product
	gave := make([]*step, len(s.at))   // by which choice a demand would give up units
	seen = append(seen, d)
	for i := 0; i < len(seen); i++ {
		e := seen[i]
		for k, q := range s.at[e] {
			if took[q] != nil {
				continue
			}
			took[q] = &step{e, k}
			if s.left[q] == 0 {
				for e2 := range s.at {
					k2 := slices.Index(s.at[e2], q)
					if k2 >= 0 && s.flow[e2][k2] > 0 && gave[e2] == nil && e2 != d {
						gave[e2] = &step{e2, k2}
						seen = append(seen, e2)
					}
				}
				continue
			}
			n := min(s.rest(d), s.left[q])
			for at := took[q]; at.demand != d; at = took[s.at[at.demand][gave[at.demand].choice]] {
				n = min(n, s.flow[at.demand][gave[at.demand].choice])
			}
			s.left[q] -= n
			for at := took[q]; ; {
				s.flow[at.demand][at.choice] += n
				if at.demand == d {
					return nil
				}
				from := gave[at.demand].choice
				s.flow[at.demand][from] -= n
				at = took[s.at[at.demand][from]]
			}
		}
	}
	return seen
}

// short is the first demand that is not filled, and those it is in conflict with,
// itself in front; nil: all are filled.
func (s *serving) short() (seen []int) {
	for d := range s.demands {
		if s.rest(d) > 0 {
			return s.augment(d)
		}
	}
	return nil
}

// lines is what is taken, by demand.
func (s *serving) lines(into []taken) []taken {
	for d := range s.demands {
		for k, units := range s.flow[d] {
			if units > 0 {
				into = append(into, taken{want: s.demands[d].want, choice: k, units: units})
			}
		}
	}
	return into
}

// over is how many units would be left of the product that is left least of those
// taken.
func (s *serving) over() int64 {
	least := int64(-1)
	for d := range s.demands {
		for k, q := range s.at[d] {
			if s.flow[d][k] > 0 && (least < 0 || s.left[q] < least) {
				least = s.left[q]
			}
		}
	}
	return max(least, 0)
}

// weighMixed is weigh for an order with substitutes.
func (p *plan) weighMixed(sh *share, c *sourcing.Candidate) (reason Reason, detail string) {
	demands := make([]demand, 0, len(p.wants))
	for i := range p.wants {
		if w := &p.wants[i]; w.form == sh.form {
			demands = append(demands, demand{i, w.units})
		}
	}
	s := p.serve(demands, sh.number, sh.slot, c.Ready, nil)
	if short := s.short(); short != nil {
		for _, d := range short { // one that is short by itself says best why
			w := &p.wants[demands[d].want]
			if _, _, reason := p.fill(w, sh.number, sh.slot, c.Ready); reason != 0 {
				return reason, w.name
			}
		}
		return sourcing.Short, p.wants[demands[short[0]].want].name
	}
	sh.lines = s.lines(sh.lines)
	for _, t := range sh.lines {
		sh.cost = addCost(sh.cost, p.price(&p.wants[t.want], t.choice, t.units, c))
	}
	c.Cost, c.Left = sh.cost, s.over()
	return 0, ""
}

// maxJoint is how many assignments are tried when wants that an assignment puts at
// the same location are in each other's way there.
const maxJoint = 64

// assignMixed is assign for an order with substitutes: what the options have of
// each want was found by itself, so wants that are served by the same location may
// need the same units. Then the options are tried with one of these wants taken
// away from the location, each of them in turn.
func (p *plan) assignMixed(options []option, partial bool) bool {
	tries, traced := maxJoint, len(p.trace)
	bound := int64(-1)
	var try func() bool
	try = func() bool {
		if tries == 0 {
			return false
		}
		tries--
		p.trace, p.exact = p.trace[:traced], true
		if !p.assign(options, partial) {
			return false
		}
		if bound < 0 {
			bound = p.bound
		}
		clashes := p.settle(options)
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
	p.exact = p.exact && tries == maxJoint-1
	if p.bound = min(bound, p.cost); p.exact {
		p.bound = p.cost
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
func (p *plan) settle(options []option) (clashes []clash) {
	p.cost = 0
	for i := range p.shares {
		sh := &p.shares[i]
		j := optionOf(options, sh)
		demands := make([]demand, len(sh.lines))
		for k, t := range sh.lines {
			demands[k] = demand{t.want, t.units}
		}
		s := p.serve(demands, sh.number, sh.slot, sh.ready, func(sku uint32) int64 { return p.takenAt(sh.slot, sku, i) })
		if short := s.short(); short != nil {
			rest := s.rest(short[0])
			for _, d := range short {
				clashes = append(clashes, clash{j, demands[d].want, max(demands[d].units-rest, 0)})
			}
			for k := range i { // another form may have taken them here
				if other := &p.shares[k]; other.slot == sh.slot {
					for _, t := range other.lines {
						clashes = append(clashes, clash{optionOf(options, other), t.want, 0})
					}
				}
			}
			return clashes
		}
		sh.lines, sh.cost = s.lines(sh.lines[:0]), options[j].fixed
		for _, t := range sh.lines {
			sh.cost = addCost(sh.cost, p.price(&p.wants[t.want], t.choice, t.units, &options[j].Candidate))
		}
		p.cost = addCost(p.cost, sh.cost)
	}
	return nil
}

// optionOf is the option that a share was made of.
func optionOf(options []option, sh *share) int {
	return slices.IndexFunc(options, func(o option) bool { return o.Number == sh.number && o.form == sh.form })
}

// takenAt is how many units of a SKU the first few shares take at a location.
func (p *plan) takenAt(slot, sku uint32, shares int) (units int64) {
	for i := range shares {
		if sh := &p.shares[i]; sh.slot == slot {
			for _, t := range sh.lines {
				if p.wants[t.want].choices[t.choice].SKU == sku {
					units += t.units
				}
			}
		}
	}
	return units
}

// Substituted is what an order gets instead of SKUs of its lines, by these. It is
// nil for a repeat, of which only Lines are known.
func (g Allocation) Substituted() map[string][]Line {
	if g.why == nil {
		return nil
	}
	if g.why.plan == nil {
		return g.why.instead
	}
	p := g.why.plan
	var out map[string][]Line
	for i := range p.shares {
		if g.why.number > 0 && i != g.why.number-1 {
			continue
		}
		for _, t := range p.shares[i].lines {
			w := &p.wants[t.want]
			if sku := w.choices[t.choice].Name; sku != w.name {
				if out == nil {
					out = map[string][]Line{}
				}
				out[w.name] = addLine(out[w.name], sku, t.units)
			}
		}
	}
	return out
}
