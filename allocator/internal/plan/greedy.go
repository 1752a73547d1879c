package plan

import (
	"math"
	"slices"
)

// improve replaces what the cover has assigned, if it is not proven the best of
// all or leaves anything out, by what a greedy choice assigns, if that leaves less
// out or costs less: it may break up the lines of which nobody has all in other
// ways, and for an order in part any line. found tells that there is anything to replace.
func (a *assignment) improve(options []option, partial, found bool) bool {
	best := *a.Choice
	best.Shares, best.Missing = slices.Clone(a.Shares), slices.Clone(a.Missing)
	lacks := math.Inf(1)
	if found {
		lacks = a.lacks()
	}
	whole := slices.Clone(options)
	for j := range whole {
		whole[j].has = a.unbroken(options, whole[j].has)
	}
	for _, from := range [2][]option{whole, options} {
		for _, byRate := range [2]bool{true, false} {
			if !a.takeGreedily(from, byRate) || !partial && len(a.Missing) > 0 {
				continue
			}
			if lack := a.lacks(); lack < lacks || lack == lacks && a.Cost < best.Cost {
				best.Shares, best.Missing, best.Cost = slices.Clone(a.Shares), slices.Clone(a.Missing), a.Cost
				best.Exact, best.Bound = false, 0
				lacks, found = lack, true
			}
		}
		if !partial || lacks == 0 {
			break // only to fill more is a line broken up that a location has whole
		}
	}
	*a.Choice = best
	return found
}

// lacks is how many wants are not filled whole, and below that how much of them is
// left out.
func (a *assignment) lacks() (lack float64) {
	lack = float64(len(a.Missing) * (len(a.Wants) + 1))
	for _, w := range a.Missing {
		lack += float64(a.lacking(a.Choice, w)) / float64(a.Wants[w].Units)
	}
	return lack
}

// takeGreedily takes all that is still wanted from one option after the other:
// the one that gives the most for its cost, or simply the most. Wants that are
// kept together are taken whole and together.
func (a *assignment) takeGreedily(options []option, byRate bool) bool {
	rest := make([]int64, len(a.Wants))
	for i := range rest {
		rest[i] = a.Wants[i].Units
	}
	used := make([]bool, len(options))
	a.Shares, a.Missing, a.Cost = a.Shares[:0], a.Missing[:0], 0
	for len(a.Shares) < a.Most {
		best, bestScore := -1, 0.0
		for j := range options {
			if used[j] {
				continue
			}
			gain, cost := a.gain(&options[j], rest)
			score := gain
			if byRate {
				score = gain / (cost + 1)
			}
			if gain > 0 && score > bestScore {
				best, bestScore = j, score
			}
		}
		if best < 0 {
			break
		}
		used[best] = true
		a.take(&options[best], rest)
	}
	for w, units := range rest {
		if units > 0 {
			a.Missing = append(a.Missing, w)
		}
	}
	a.Exact, a.Bound = false, 0
	return len(a.Shares) > 0
}

// gives is how many units of a want an option would give to what is still wanted.
func (a *assignment) gives(o *option, rest []int64, want int) int64 {
	w := &a.Wants[want]
	if w.Form != o.form {
		return 0
	}
	if w.Group == 0 {
		return min(o.has[want].units, rest[want])
	}
	for i := range a.Wants {
		if a.Wants[i].Group == w.Group && (o.has[i].units < a.Wants[i].Units || rest[i] == 0) {
			return 0
		}
	}
	return rest[want]
}

// gain is how many of the wants, and parts of them, an option would fill, and at
// what cost.
func (a *assignment) gain(o *option, rest []int64) (gain, cost float64) {
	cost = float64(o.fixed)
	for i := range a.Wants {
		if n := a.gives(o, rest, i); n > 0 {
			gain += float64(n) / float64(a.Wants[i].Units)
			cost += float64(o.has[i].price) * float64(n) / float64(a.Wants[i].Units)
		}
	}
	return gain, cost
}

// take makes an option a share of all it gives.
func (a *assignment) take(o *option, rest []int64) {
	sh := Share{Number: o.Number, Slot: o.slot, Form: o.form, Distance: o.Distance, Start: o.Start, Ready: o.Ready, Cost: o.fixed}
	given := make([]int64, len(a.Wants))
	for i := range a.Wants {
		given[i] = a.gives(o, rest, i)
	}
	for i, n := range given {
		if n == 0 {
			continue
		}
		rest[i] -= n
		sh.Lines = append(sh.Lines, Taken{Want: i, Choice: o.has[i].choice, Units: n})
		sh.Cost = AddCost(sh.Cost, a.price(&a.Wants[i], o.has[i].choice, n, &o.Candidate))
	}
	a.Shares = append(a.Shares, sh)
	a.Cost = AddCost(a.Cost, sh.Cost)
}

// assignMany covers more items than the cover takes: the option that fills the
// most for its cost first, over and over. No bound is known.
func (a *assignment) assignMany(options []option, items []item, partial bool) bool {
	by := make([]int, len(items))
	for i := range by {
		by[i] = -1
	}
	rest := len(items)
	for used := 0; used < a.Most && rest > 0; used++ {
		best, bestRate := -1, math.Inf(1)
		for j := range options {
			n, cost := a.fills(&options[j], j, items, by)
			if rate := float64(cost+1) / float64(n); n > 0 && rate < bestRate {
				best, bestRate = j, rate
			}
		}
		if best < 0 {
			break
		}
		for i := range items {
			if by[i] < 0 && a.fillsItem(&options[best], best, &items[i]) {
				by[i] = best
				rest--
			}
		}
	}
	if rest > 0 && !partial || !a.keptTogether(items, by) {
		return false
	}
	a.Exact, a.Bound = false, 0
	return a.share(options, items, by)
}

// fills counts the items an option could add to an assignment, and what for.
func (a *assignment) fills(o *option, j int, items []item, by []int) (n int, cost int64) {
	cost = o.fixed
	for i := range items {
		if by[i] < 0 && a.fillsItem(o, j, &items[i]) {
			n++
			cost = AddCost(cost, o.has[items[i].wants[0]].price)
		}
	}
	return n, cost
}

func (a *assignment) fillsItem(o *option, j int, it *item) bool {
	if it.pinned >= 0 {
		return it.pinned == j
	}
	for _, w := range it.wants {
		if o.has[w].units < a.Wants[w].Units {
			return false
		}
	}
	return true
}

// keptTogether reports whether the groups of the order are each at one option.
func (a *assignment) keptTogether(items []item, by []int) bool {
	at := map[int]int{}
	for i, it := range items {
		g := a.Wants[it.wants[0]].Group
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
