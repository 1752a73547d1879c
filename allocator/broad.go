package allocator

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// maxBroad is how many locations with the most of the lines are gathered for a
// split besides the nearest; maxBroadLooks is how many are ranked for that.
const (
	maxBroad      = 32
	maxBroadLooks = 192
)

// addBroad adds the locations that fill the most wants of a form, the nearest of
// as many first: one that has nearly everything is worth its way when the nearest
// ones have a line each.
//
// It reads the bits of every want once (a few microseconds for a thousand
// locations and five wants, some hundred for a hundred thousand) and then the
// cells of the locations that have something of the most.
func (p *plan) addBroad(options []option, begin int, f sourcing.Form) []option {
	counts, most := p.countWants(f)
	if most < 2 {
		return options
	}
	for i := begin; i < len(options); i++ {
		counts[options[i].Number] = 0
	}
	for _, number := range p.broadest(counts, most, f) {
		if len(options)-begin >= 2*(maxGathered+maxBroad) {
			break
		}
		options = p.addOption(options, begin, number, f)
	}
	return options
}

// countWants counts for every location the wants of a form of which it has
// something, up to 255, and returns the number of these wants.
func (p *plan) countWants(f sourcing.Form) (counts []uint8, wants int) {
	n := p.topology.Index().Len()
	counts = slices.Grow(p.work.counts[:0], n)[:n]
	clear(counts)
	p.work.counts = counts
	mask := &p.work.mask
	for i := range p.wants {
		w := &p.wants[i]
		if w.form != f || wants == math.MaxUint8 {
			continue
		}
		wants++
		p.work.groups = append(p.work.groups[:0], w.handles(nil))
		mask.Start(p.topology.Table(), p.work.groups, true, p.topology.Filter(topology.KindSet(p.ask[f].Kinds), f))
		for top := 0; top<<12 < n; top++ {
			for blocks := mask.Word(1, top); blocks != 0; blocks &= blocks - 1 {
				word := top<<6 + bits.TrailingZeros64(blocks)
				for m := mask.Word(0, word); m != 0; m &= m - 1 {
					if number := word<<6 + bits.TrailingZeros64(m); number < n {
						counts[number]++
					}
				}
			}
		}
	}
	return counts, wants
}

// broadest is the numbers of the locations that fill the most wants, and then of
// those that fill the most for their cost, at most maxBroad out of the ones with
// the highest counts.
func (p *plan) broadest(counts []uint8, wants int, f sourcing.Form) []uint32 {
	var having [math.MaxUint8 + 1]int
	for _, c := range counts {
		having[c]++
	}
	least, sum := wants, having[wants]
	for ; least > 1 && sum+having[least-1] <= maxBroadLooks; least-- {
		sum += having[least-1]
	}
	type broad struct {
		number   uint32
		filled   int
		distance geo.Meters
	}
	all := make([]broad, 0, maxBroadLooks)
	for number, c := range counts {
		if int(c) < least || len(all) == maxBroadLooks {
			continue
		}
		slot := p.topology.Slot(uint32(number))
		b := broad{number: uint32(number), distance: p.distanceTo(slot, f)}
		for i := range p.wants {
			if w := &p.wants[i]; w.form == f {
				if _, units, reason := p.fill(w, b.number, slot, fromMillis(p.now)); reason == 0 && units >= w.units {
					b.filled++
				}
			}
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b broad) int {
		return cmp.Or(cmp.Compare(b.filled, a.filled), cmp.Compare(a.distance, b.distance), cmp.Compare(a.number, b.number))
	})
	numbers := make([]uint32, 0, maxBroad)
	for _, b := range all[:min(len(all), maxBroad/2)] {
		numbers = append(numbers, b.number)
	}
	all = all[len(numbers):]
	rate := func(b *broad) float64 { return float64(p.costs.Fixed(f, b.distance)+1) / float64(b.filled) }
	slices.SortStableFunc(all, func(a, b broad) int { return cmp.Compare(rate(&a), rate(&b)) })
	for _, b := range all[:min(len(all), maxBroad-len(numbers))] {
		numbers = append(numbers, b.number)
	}
	return numbers
}

// improve replaces what the cover has assigned, if it is not proven the best of
// all or leaves anything out, by what a greedy choice assigns, if that leaves less
// out or costs less: it may break up the lines of which nobody has all in other
// ways, and for an order in part any line. found tells that there is anything to replace.
func (p *plan) improve(options []option, partial, found bool) bool {
	best := plan{shares: slices.Clone(p.shares), missing: slices.Clone(p.missing), cost: p.cost, bound: p.bound, exact: p.exact}
	lacks := math.Inf(1)
	if found {
		lacks = p.lacks()
	}
	whole := slices.Clone(options)
	for j := range whole {
		whole[j].has = p.unbroken(options, whole[j].has)
	}
	for _, from := range [2][]option{whole, options} {
		for _, byRate := range [2]bool{true, false} {
			if !p.takeGreedily(from, byRate) || !partial && len(p.missing) > 0 {
				continue
			}
			if lack := p.lacks(); lack < lacks || lack == lacks && p.cost < best.cost {
				best.shares, best.missing, best.cost = slices.Clone(p.shares), slices.Clone(p.missing), p.cost
				best.exact, best.bound = false, 0
				lacks, found = lack, true
			}
		}
		if !partial || lacks == 0 {
			break // only to fill more is a line broken up that a location has whole
		}
	}
	p.shares, p.missing, p.cost, p.bound, p.exact = best.shares, best.missing, best.cost, best.bound, best.exact
	return found
}

// lacks is how many wants are not filled whole, and below that how much of them is
// left out.
func (p *plan) lacks() (lack float64) {
	lack = float64(len(p.missing) * (len(p.wants) + 1))
	for _, w := range p.missing {
		lack += float64(p.lacking(w)) / float64(p.wants[w].units)
	}
	return lack
}

// takeGreedily takes all that is still wanted from one option after the other:
// the one that gives the most for its cost, or simply the most. Wants that are
// kept together are taken whole and together.
func (p *plan) takeGreedily(options []option, byRate bool) bool {
	rest := make([]int64, len(p.wants))
	for i := range rest {
		rest[i] = p.wants[i].units
	}
	used := make([]bool, len(options))
	p.shares, p.missing, p.cost = p.shares[:0], p.missing[:0], 0
	for len(p.shares) < p.most {
		best, bestScore := -1, 0.0
		for j := range options {
			if used[j] {
				continue
			}
			gain, cost := p.gain(&options[j], rest)
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
		p.take(&options[best], rest)
	}
	for w, units := range rest {
		if units > 0 {
			p.missing = append(p.missing, w)
		}
	}
	p.exact, p.bound = false, 0
	return len(p.shares) > 0
}

// gives is how many units of a want an option would give to what is still wanted.
func (p *plan) gives(o *option, rest []int64, want int) int64 {
	w := &p.wants[want]
	if w.form != o.form {
		return 0
	}
	if w.group == 0 {
		return min(o.has[want].units, rest[want])
	}
	for i := range p.wants {
		if p.wants[i].group == w.group && (o.has[i].units < p.wants[i].units || rest[i] == 0) {
			return 0
		}
	}
	return rest[want]
}

// gain is how many of the wants, and parts of them, an option would fill, and at
// what cost.
func (p *plan) gain(o *option, rest []int64) (gain, cost float64) {
	cost = float64(o.fixed)
	for i := range p.wants {
		if n := p.gives(o, rest, i); n > 0 {
			gain += float64(n) / float64(p.wants[i].units)
			cost += float64(o.has[i].price) * float64(n) / float64(p.wants[i].units)
		}
	}
	return gain, cost
}

// take makes an option a share of all it gives.
func (p *plan) take(o *option, rest []int64) {
	sh := share{number: o.Number, slot: o.slot, form: o.form, distance: o.Distance, start: o.Start, ready: o.Ready, cost: o.fixed}
	given := make([]int64, len(p.wants))
	for i := range p.wants {
		given[i] = p.gives(o, rest, i)
	}
	for i, n := range given {
		if n == 0 {
			continue
		}
		rest[i] -= n
		sh.lines = append(sh.lines, taken{want: i, choice: o.has[i].choice, units: n})
		sh.cost = addCost(sh.cost, p.price(&p.wants[i], o.has[i].choice, n, &o.Candidate))
	}
	p.shares = append(p.shares, sh)
	p.cost = addCost(p.cost, sh.cost)
}
