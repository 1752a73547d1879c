package allocator

import (
	"cmp"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/cover"
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
	// coverBudget is how many nodes the search for the cheapest split of more than
	// 8 lines looks at: it bounds a decision to a few milliseconds.
	coverBudget = 1000
	// maxSplits is how often a split is decided anew after it was lost to other
	// orders each time.
	maxSplits = 256
)

// option is a location that could do a part of an order.
type option struct {
	sourcing.Candidate
	form  sourcing.Form
	slot  uint32
	fixed int64
	has   []supply // by want
}

// supply is what an option has of a want, of the choice that it would take.
type supply struct {
	choice int
	units  int64
	price  int64 // of all that is wanted
}

// item is what is covered at one location: wants that the same options can fill,
// or a piece of one want that is pinned to an option.
type item struct {
	wants  []int
	pinned int // the option, for a piece; -1: whole
	units  int64
}

// split fills the order from several locations at the least cost, or, if it may
// be filled in part, as many of its lines as it can.
func (p *plan) split(partial bool, yield func() bool) bool {
	for range maxSplits {
		options, assign := p.gather(), p.assign
		if p.mixed {
			assign = p.assignMixed
		}
		if len(options) == 0 || !assign(options, partial) {
			return true
		}
		if !yield() {
			return false
		}
		p.trace = p.trace[:0]
	}
	return true
}

// gather finds the locations that have something of the order's wants: for every
// form the chosen store, then the nearest, then the nearest for each want that
// none of these can fill.
func (p *plan) gather() (options []option) {
	defer p.work.mask.Reset()
	options, p.work.supplies = p.work.options[:0], p.work.supplies[:0]
	defer func() { p.work.options = options[:0] }()
	for _, f := range p.forms {
		begin := len(options)
		if p.at != reservation.Everywhere && f != sourcing.Ship {
			options = p.addOption(options, begin, p.topology.Number(p.at), f)
			if f == sourcing.Collect {
				continue
			}
		}
		p.work.groups = p.work.groups[:0]
		for i := range p.wants {
			if w := &p.wants[i]; w.form == f {
				p.work.groups = append(p.work.groups, w.handles(nil))
			}
		}
		options = p.addNearest(options, begin, f, maxGathered)
		if len(options)-begin >= maxGathered { // there are more
			options = p.addBroad(options, begin, f)
		}
		for i := range p.wants {
			w := &p.wants[i]
			if w.form != f || filled(options[begin:], i, w.units) {
				continue
			}
			p.work.groups = append(p.work.groups[:0], w.handles(nil))
			options = p.addNearest(options, begin, f, maxExtra)
		}
	}
	return options
}

// filled reports whether any option can fill a want whole.
func filled(options []option, want int, units int64) bool {
	for i := range options {
		if options[i].has[want].units >= units {
			return true
		}
	}
	return false
}

// addNearest adds the nearest locations that have something of p.work.groups.
func (p *plan) addNearest(options []option, begin int, f sourcing.Form, most int) []option {
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

func (p *plan) addOption(options []option, begin int, number uint32, f sourcing.Form) []option {
	slot := p.topology.Slot(number)
	return p.addOptionAt(options, begin, number, p.distanceTo(slot, f), f)
}

// addOptionAt adds a location if it is eligible, has anything, and is not among
// the options of the form yet.
func (p *plan) addOptionAt(options []option, begin int, number uint32, distance geo.Meters, f sourcing.Form) []option {
	for i := begin; i < len(options); i++ {
		if options[i].Number == number {
			return options
		}
	}
	c, ok := p.eligible(number, distance, f)
	if !ok {
		return options
	}
	o := option{Candidate: c, form: f, slot: p.topology.Slot(number), fixed: p.costs.Part(&c), has: p.supplies()}
	any, reason, detail := false, sourcing.Short, ""
	for i := range p.wants {
		w := &p.wants[i]
		if w.form != f {
			continue
		}
		choice, units, why := p.fill(w, number, o.slot, c.Ready)
		if choice < 0 || units <= 0 {
			if detail == "" {
				reason, detail = why, w.name
			}
			continue
		}
		o.has[i] = supply{choice: choice, units: units, price: p.price(w, choice, min(units, w.units), &c)}
		any = true
	}
	if !any {
		p.saw(&c, f, reason, detail)
		return options
	}
	o.Cost, o.Left = o.fixed, 0
	if reason, detail := p.allows(&o.Candidate); reason != 0 {
		p.saw(&c, f, reason, detail)
		return options
	}
	return append(options, o)
}

// supplies is memory for what an option has.
func (p *plan) supplies() []supply {
	n, all := len(p.wants), p.work.supplies
	if cap(all)-len(all) < n {
		all = make([]supply, 0, max(2*cap(all), 16*n)) // options have the one before
	}
	all = all[:len(all)+n]
	p.work.supplies = all
	has := all[len(all)-n : len(all) : len(all)]
	clear(has)
	return has
}

// assign covers the wants by the options at the least cost and leaves the shares
// in p.shares. False: they cannot be covered.
func (p *plan) assign(options []option, partial bool) bool {
	if len(p.forms) > 1 && p.forms[0] == sourcing.Collect && p.at == reservation.Everywhere {
		if !p.collectAtOne(options, partial) {
			return false
		}
	} else {
		found := p.cover(options, partial)
		if !found || !p.exact || len(p.missing) > 0 {
			found = p.improve(options, partial, found)
		}
		if !found {
			return false
		}
	}
	for j := range options {
		o := &options[j]
		if !slices.ContainsFunc(p.shares, func(sh share) bool { return sh.slot == o.slot && sh.form == o.form }) {
			p.saw(&o.Candidate, o.form, sourcing.Apart, "")
		}
	}
	return true
}

// cover is assign but for the choice of the one location at which is collected
// what is collected.
func (p *plan) cover(options []option, partial bool) bool {
	items, ok := p.items(options, partial)
	if !ok || len(items) == 0 {
		return false
	}
	if len(items) > cover.MaxLines || p.engine.greedy {
		return p.assignMany(options, items, partial)
	}
	problem := cover.Problem{Lines: len(items), Most: p.most, Budget: coverBudget, Candidates: make([]cover.Candidate, len(options)), Together: p.kept(items)}
	scale := int64(1) // leaves room below a unit of money: of two that cost the same, the chosen store
	if slices.Contains(p.forms, sourcing.ShipToStore) {
		scale = int64(len(items)) + 1
	}
	prices := make([]int64, len(options)*len(items))
	for j := range options {
		problem.Candidates[j] = p.coverCandidate(&options[j], j, items, scale, prices[j*len(items):][:len(items)])
	}
	if partial {
		problem.Missing = make([]int64, len(items))
		for i := range problem.Missing {
			problem.Missing[i] = p.leftOut(items[i])
		}
	}
	broken := slices.ContainsFunc(items, func(it item) bool { return it.pinned >= 0 })
	got, err := p.work.solver.Solve(&problem)
	if err == nil && !got.Found && broken {
		some := p.spread(options)
		return len(some) > 0 && len(some) < len(options) && p.cover(some, partial)
	}
	if err != nil || !got.Found {
		return false
	}
	p.bound, p.exact = got.Bound/scale, got.Exact
	if broken { // they could have been broken up in another way
		p.bound, p.exact = 0, false
	}
	return p.share(options, items, got.By)
}

// leftOut is the price of leaving an item out: more than anything else costs, so
// that as many lines as can be are filled.
func (p *plan) leftOut(it item) int64 {
	if it.pinned < 0 {
		return cover.MaxPrice
	}
	return int64(float64(cover.MaxPrice) * float64(it.units) / float64(p.wants[it.wants[0]].units))
}

// coverCandidate is an option as the cover sees it.
func (p *plan) coverCandidate(o *option, j int, items []item, scale int64, prices []int64) cover.Candidate {
	c := cover.Candidate{Fixed: clampCost(o.fixed, scale), Prices: prices}
	for i, it := range items {
		if it.pinned >= 0 {
			if it.pinned == j {
				c.Lines |= 1 << i
				c.Prices[i] = clampCost(p.pieceCost(o, &it), scale)
			}
			continue
		}
		can, price := true, int64(0)
		for _, w := range it.wants {
			h := &o.has[w]
			can = can && h.units >= p.wants[w].units
			price = addCost(price, h.price)
		}
		if can {
			c.Lines |= 1 << i
			c.Prices[i] = clampCost(price, scale)
			if o.form == sourcing.ShipToStore && !p.isChosen(&o.Candidate) {
				c.Prices[i]++
			}
		}
	}
	return c
}

// clampCost keeps a cost where the cover can add it up.
func clampCost(c, scale int64) int64 { return min(c, cover.MaxPrice/(2*cover.MaxLines)/scale) * scale }

// pieceCost is what a piece of a want costs from an option.
func (p *plan) pieceCost(o *option, it *item) int64 {
	want := it.wants[0]
	return p.price(&p.wants[want], o.has[want].choice, it.units, &o.Candidate)
}

// items puts wants together that the same options can fill, and breaks wants
// that no option can fill alone into pieces. False: a want cannot be filled.
func (p *plan) items(options []option, partial bool) (items []item, ok bool) {
	same := map[string]int{}
	var key []byte
	torn := p.torn(options)
	if len(torn) > 0 && !partial {
		return nil, false
	}
	for i := range p.wants {
		w := &p.wants[i]
		if slices.Contains(torn, w.group) {
			continue
		}
		if !filled(options, i, w.units) {
			pieces, whole := p.pieces(options, i)
			if !whole && !partial {
				return nil, false
			}
			items = append(items, pieces...)
			continue
		}
		key = append(key[:0], byte(w.group), byte(w.group>>8), byte(w.form))
		for j := range options {
			h := &options[j].has[i]
			b := byte(0)
			if h.units >= w.units {
				b = 1
			}
			key = append(key, b)
		}
		if at, ok := same[string(key)]; ok && p.costs.Price == nil && !partial {
			items[at].wants = append(items[at].wants, i)
			continue
		}
		same[string(key)] = len(items)
		items = append(items, item{wants: []int{i}, pinned: -1, units: w.units})
	}
	return items, true
}

// torn is the groups with a want that no option can fill: of an order in part they
// are left out whole.
func (p *plan) torn(options []option) (groups []int) {
	for i := range p.wants {
		if w := &p.wants[i]; w.group != 0 && !filled(options, i, w.units) {
			groups = append(groups, w.group)
		}
	}
	return groups
}

// pieces breaks a want into what the options with the most of it have; of
// options with as much the first comes first. whole: together they have enough.
func (p *plan) pieces(options []option, want int) (pieces []item, whole bool) {
	w := &p.wants[want]
	order := make([]int, 0, len(options))
	for j := range options {
		if options[j].has[want].units > 0 {
			order = append(order, j)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(options[b].has[want].units, options[a].has[want].units) })
	rest := w.units
	for _, j := range order {
		if rest == 0 || len(pieces) == p.most {
			break
		}
		n := min(rest, options[j].has[want].units)
		pieces = append(pieces, item{wants: []int{want}, pinned: j, units: n})
		rest -= n
	}
	return pieces, rest == 0
}

// kept is the items of each group of the order, which are kept at one location.
func (p *plan) kept(items []item) (masks []uint64) {
	byGroup := map[int]uint64{}
	for i, it := range items {
		if g := p.wants[it.wants[0]].group; g != 0 {
			byGroup[g] |= 1 << i
		}
	}
	for g := 1; g <= len(p.order.Together); g++ {
		if m := byGroup[g]; m != 0 {
			masks = append(masks, m)
		}
	}
	return masks
}

// share turns an assignment of items to options into shares.
func (p *plan) share(options []option, items []item, by []int) bool {
	p.shares, p.missing = p.shares[:0], p.missing[:0]
	at := make([]int, len(options))
	for i := range at {
		at[i] = -1
	}
	got := make([]int64, len(p.wants))
	for j := range options {
		o := &options[j]
		for i, to := range by {
			if to != j {
				continue
			}
			if at[j] < 0 {
				at[j] = len(p.shares)
				p.shares = append(p.shares, share{number: o.Number, slot: o.slot, form: o.form, distance: o.Distance, start: o.Start, ready: o.Ready, cost: o.fixed})
			}
			sh := &p.shares[at[j]]
			for _, w := range items[i].wants {
				h := &o.has[w]
				units, price := p.wants[w].units, h.price
				if items[i].pinned >= 0 {
					units, price = items[i].units, p.pieceCost(o, &items[i])
				}
				sh.lines = append(sh.lines, taken{want: w, choice: h.choice, units: units})
				sh.cost = addCost(sh.cost, price)
				got[w] += units
			}
		}
	}
	for w := range p.wants {
		if got[w] < p.wants[w].units {
			p.missing = append(p.missing, w)
		}
	}
	p.cost = 0
	for i := range p.shares {
		slices.SortFunc(p.shares[i].lines, func(a, b taken) int { return cmp.Compare(a.want, b.want) })
		p.cost = addCost(p.cost, p.shares[i].cost)
	}
	if p.exact {
		p.bound = p.cost
	}
	return len(p.shares) > 0
}

// assignMany covers more items than the cover takes: the option that fills the
// most for its cost first, over and over. No bound is known.
func (p *plan) assignMany(options []option, items []item, partial bool) bool {
	by := make([]int, len(items))
	for i := range by {
		by[i] = -1
	}
	rest := len(items)
	for used := 0; used < p.most && rest > 0; used++ {
		best, bestRate := -1, math.Inf(1)
		for j := range options {
			n, cost := p.fills(&options[j], j, items, by)
			if rate := float64(cost+1) / float64(n); n > 0 && rate < bestRate {
				best, bestRate = j, rate
			}
		}
		if best < 0 {
			break
		}
		for i := range items {
			if by[i] < 0 && p.fillsItem(&options[best], best, &items[i]) {
				by[i] = best
				rest--
			}
		}
	}
	if rest > 0 && !partial || !p.keptTogether(items, by) {
		return false
	}
	p.exact, p.bound = false, 0
	return p.share(options, items, by)
}

// fills counts the items an option could add to an assignment, and what for.
func (p *plan) fills(o *option, j int, items []item, by []int) (n int, cost int64) {
	cost = o.fixed
	for i := range items {
		if by[i] < 0 && p.fillsItem(o, j, &items[i]) {
			n++
			cost = addCost(cost, o.has[items[i].wants[0]].price)
		}
	}
	return n, cost
}

func (p *plan) fillsItem(o *option, j int, it *item) bool {
	if it.pinned >= 0 {
		return it.pinned == j
	}
	for _, w := range it.wants {
		if o.has[w].units < p.wants[w].units {
			return false
		}
	}
	return true
}

// keptTogether reports whether the groups of the order are each at one option.
func (p *plan) keptTogether(items []item, by []int) bool {
	at := map[int]int{}
	for i, it := range items {
		g := p.wants[it.wants[0]].group
		if g == 0 {
			continue
		}
		if j, ok := at[g]; ok && j != by[i] {
			return false
		}
		at[g] = by[i]
	}
	return true
}
