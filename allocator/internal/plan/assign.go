package plan

import (
	"cmp"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/cover"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
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

// filled reports whether any option can fill a want whole.
func filled(options []option, want int, units int64) bool {
	for i := range options {
		if options[i].has[want].units >= units {
			return true
		}
	}
	return false
}

// coverBudget is how many nodes the search for the cheapest split of more than
// 8 lines looks at: it bounds a decision to a few milliseconds.
const coverBudget = 1000

// assignment is options being chosen from: which of them serves what. It leaves in the
// choice what it found last.
type assignment struct {
	*look
	*Choice
	solver *cover.Solver
	found  bool // the options could be assigned, the last time
}

// assign covers the wants by the options at the least cost and leaves the shares
// in a.Shares. False: they cannot be covered.
func (a *assignment) assign(options []option, partial bool) bool {
	if len(a.Forms) > 1 && a.Forms[0] == sourcing.Collect && a.At == reservation.Everywhere {
		a.found = a.collectAtOne(options, partial)
		return a.found
	}
	a.found = a.cover(options, partial)
	if !a.found || !a.Exact || len(a.Missing) > 0 {
		a.found = a.improve(options, partial, a.found)
	}
	return a.found
}

// cover is assign but for the choice of the one location at which is collected
// what is collected.
func (a *assignment) cover(options []option, partial bool) bool {
	items, ok := a.items(options, partial)
	if !ok || len(items) == 0 {
		return false
	}
	if len(items) > cover.MaxLines || a.Greedy {
		return a.assignMany(options, items, partial)
	}
	problem := cover.Problem{Lines: len(items), Most: a.Most, Budget: coverBudget, Candidates: make([]cover.Candidate, len(options)), Together: a.kept(items)}
	scale := int64(1) // leaves room below a unit of money: of two that cost the same, the chosen store
	if slices.Contains(a.Forms, sourcing.ShipToStore) {
		scale = int64(len(items)) + 1
	}
	prices := make([]int64, len(options)*len(items))
	for j := range options {
		problem.Candidates[j] = a.coverCandidate(&options[j], j, items, scale, prices[j*len(items):][:len(items)])
	}
	if partial {
		problem.Missing = make([]int64, len(items))
		for i := range problem.Missing {
			problem.Missing[i] = a.leftOut(items[i])
		}
	}
	broken := slices.ContainsFunc(items, func(it item) bool { return it.pinned >= 0 })
	got, err := a.solver.Solve(&problem)
	if err == nil && !got.Found && broken {
		some := a.spread(options)
		return len(some) > 0 && len(some) < len(options) && a.cover(some, partial)
	}
	if err != nil || !got.Found {
		return false
	}
	a.Bound, a.Exact = got.Bound/scale, got.Exact
	if broken { // they could have been broken up in another way
		a.Bound, a.Exact = 0, false
	}
	return a.share(options, items, got.By)
}

// leftOut is the price of leaving an item out: more than anything else costs, so
// that as many lines as can be are filled.
func (a *assignment) leftOut(it item) int64 {
	if it.pinned < 0 {
		return cover.MaxPrice
	}
	return int64(float64(cover.MaxPrice) * float64(it.units) / float64(a.Wants[it.wants[0]].Units))
}

// coverCandidate is an option as the cover sees it.
func (a *assignment) coverCandidate(o *option, j int, items []item, scale int64, prices []int64) cover.Candidate {
	c := cover.Candidate{Fixed: clampCost(o.fixed, scale), Prices: prices}
	for i, it := range items {
		if it.pinned >= 0 {
			if it.pinned == j {
				c.Lines |= 1 << i
				c.Prices[i] = clampCost(a.pieceCost(o, &it), scale)
			}
			continue
		}
		can, price := true, int64(0)
		for _, w := range it.wants {
			h := &o.has[w]
			can = can && h.units >= a.Wants[w].Units
			price = AddCost(price, h.price)
		}
		if can {
			c.Lines |= 1 << i
			c.Prices[i] = clampCost(price, scale)
			if o.form == sourcing.ShipToStore && !a.isChosen(&o.Candidate) {
				c.Prices[i]++
			}
		}
	}
	return c
}

// clampCost keeps a cost where the cover can add it up.
func clampCost(c, scale int64) int64 { return min(c, cover.MaxPrice/(2*cover.MaxLines)/scale) * scale }

// pieceCost is what a piece of a want costs from an option.
func (a *assignment) pieceCost(o *option, it *item) int64 {
	want := it.wants[0]
	return a.price(&a.Wants[want], o.has[want].choice, it.units, &o.Candidate)
}

// items puts wants together that the same options can fill, and breaks wants
// that no option can fill alone into pieces. False: a want cannot be filled.
func (a *assignment) items(options []option, partial bool) (items []item, ok bool) {
	same := map[string]int{}
	var key []byte
	torn := a.torn(options)
	if len(torn) > 0 && !partial {
		return nil, false
	}
	for i := range a.Wants {
		w := &a.Wants[i]
		if slices.Contains(torn, w.Group) {
			continue
		}
		if !filled(options, i, w.Units) {
			pieces, whole := a.pieces(options, i)
			if !whole && !partial {
				return nil, false
			}
			items = append(items, pieces...)
			continue
		}
		key = append(key[:0], byte(w.Group), byte(w.Group>>8), byte(w.Form))
		for j := range options {
			h := &options[j].has[i]
			b := byte(0)
			if h.units >= w.Units {
				b = 1
			}
			key = append(key, b)
		}
		if at, ok := same[string(key)]; ok && a.alike() && !partial {
			items[at].wants = append(items[at].wants, i)
			continue
		}
		same[string(key)] = len(items)
		items = append(items, item{wants: []int{i}, pinned: -1, units: w.Units})
	}
	return items, true
}

// torn is the groups with a want that no option can fill: of an order in part they
// are left out whole.
func (a *assignment) torn(options []option) (groups []int) {
	for i := range a.Wants {
		if w := &a.Wants[i]; w.Group != 0 && !filled(options, i, w.Units) {
			groups = append(groups, w.Group)
		}
	}
	return groups
}

// pieces breaks a want into what the options with the most of it have; of
// options with as much the first comes first. whole: together they have enough.
func (a *assignment) pieces(options []option, want int) (pieces []item, whole bool) {
	w := &a.Wants[want]
	order := make([]int, 0, len(options))
	for j := range options {
		if options[j].has[want].units > 0 {
			order = append(order, j)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(options[b].has[want].units, options[a].has[want].units) })
	rest := w.Units
	for _, j := range order {
		if rest == 0 || len(pieces) == a.Most {
			break
		}
		n := min(rest, options[j].has[want].units)
		pieces = append(pieces, item{wants: []int{want}, pinned: j, units: n})
		rest -= n
	}
	return pieces, rest == 0
}

// kept is the items of each group of the order, which are kept at one location.
func (a *assignment) kept(items []item) (masks []uint64) {
	byGroup := map[int]uint64{}
	for i, it := range items {
		if g := a.Wants[it.wants[0]].Group; g != 0 {
			byGroup[g] |= 1 << i
		}
	}
	for g := 1; g <= a.Groups; g++ {
		if m := byGroup[g]; m != 0 {
			masks = append(masks, m)
		}
	}
	return masks
}

// share turns an assignment of items to options into shares.
func (a *assignment) share(options []option, items []item, by []int) bool {
	a.Shares, a.Missing = a.Shares[:0], a.Missing[:0]
	at := make([]int, len(options))
	for i := range at {
		at[i] = -1
	}
	got := make([]int64, len(a.Wants))
	for j := range options {
		o := &options[j]
		for i, to := range by {
			if to != j {
				continue
			}
			if at[j] < 0 {
				at[j] = len(a.Shares)
				a.Shares = append(a.Shares, Share{Number: o.Number, Slot: o.slot, Form: o.form, Distance: o.Distance, Start: o.Start, Ready: o.Ready, Cost: o.fixed})
			}
			sh := &a.Shares[at[j]]
			for _, w := range items[i].wants {
				h := &o.has[w]
				units, price := a.Wants[w].Units, h.price
				if items[i].pinned >= 0 {
					units, price = items[i].units, a.pieceCost(o, &items[i])
				}
				sh.Lines = append(sh.Lines, Taken{Want: w, Choice: h.choice, Units: units})
				sh.Cost = AddCost(sh.Cost, price)
				got[w] += units
			}
		}
	}
	for w := range a.Wants {
		if got[w] < a.Wants[w].Units {
			a.Missing = append(a.Missing, w)
		}
	}
	a.Cost = 0
	for i := range a.Shares {
		slices.SortFunc(a.Shares[i].Lines, func(a, b Taken) int { return cmp.Compare(a.Want, b.Want) })
		a.Cost = AddCost(a.Cost, a.Shares[i].Cost)
	}
	if a.Exact {
		a.Bound = a.Cost
	}
	return len(a.Shares) > 0
}
