package plan

import (
	"cmp"
	"iter"
	"math"
	"math/bits"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
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
func (p *Plan) addBroad(options []option, begin int, f sourcing.Form) []option {
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
func (p *Plan) countWants(f sourcing.Form) (counts []uint8, wants int) {
	n := p.Catalogue.Index().Len()
	counts = slices.Grow(p.work.counts[:0], n)[:n]
	clear(counts)
	p.work.counts = counts
	for i := range p.Wants {
		w := &p.Wants[i]
		if w.Form != f || wants == math.MaxUint8 {
			continue
		}
		wants++
		for number := range p.having(w) {
			counts[number]++
		}
	}
	return counts, wants
}

// having walks the locations that have something of a want, in the order of their
// numbers. The caller resets the mask when no walk follows.
func (p *Plan) having(w *Want) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		n, mask := p.Catalogue.Index().Len(), &p.work.mask
		p.work.groups = append(p.work.groups[:0], w.handles(nil))
		mask.Start(p.Catalogue.Table(), p.work.groups, true, p.Catalogue.Filter(topology.KindSet(p.Requests[w.Form].Kinds), w.Form))
		for top := 0; top<<12 < n; top++ {
			for blocks := mask.Word(1, top); blocks != 0; blocks &= blocks - 1 {
				word := top<<6 + bits.TrailingZeros64(blocks)
				for m := mask.Word(0, word); m != 0; m &= m - 1 {
					if number := word<<6 + bits.TrailingZeros64(m); number < n && !yield(uint32(number)) {
						return
					}
				}
			}
		}
	}
}

// broadest is the numbers of the locations that fill the most wants, and then of
// those that fill the most for their cost, at most maxBroad out of the ones with
// the highest counts.
func (p *Plan) broadest(counts []uint8, wants int, f sourcing.Form) []uint32 {
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
		slot := p.Catalogue.Slot(uint32(number))
		b := broad{number: uint32(number), distance: p.distanceTo(slot, f)}
		for i := range p.Wants {
			if w := &p.Wants[i]; w.Form == f {
				if _, units, reason := p.fill(w, b.number, slot, gate.FromMillis(p.Now)); reason == 0 && units >= w.Units {
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
	rate := func(b *broad) float64 { return float64(p.fixedAt(f, b.distance)+1) / float64(b.filled) }
	slices.SortStableFunc(all, func(a, b broad) int { return cmp.Compare(rate(&a), rate(&b)) })
	for _, b := range all[:min(len(all), maxBroad-len(numbers))] {
		numbers = append(numbers, b.number)
	}
	return numbers
}
