package cover

import (
	"cmp"
	"math/bits"
	"slices"
)

// keep is the part of a Solver that holds the candidates it decides between.
type keep struct {
	n            int // kept
	index        [MaxKept]int
	keptLines    [MaxKept]uint64
	keptFixed    [MaxKept]int64
	keptPrices   [MaxKept][MaxLines]int64
	droppedBound int64 // no assignment that uses a candidate not kept has a lower key

	order []int   // scratch: candidates by slack
	slack []int64 // scratch: by candidate
}

// reduce picks the candidates to decide between. Up to MaxKept with anything to
// offer, all are kept, or, unless raw, all that are not dominated. Of more, it
// keeps those the greedy rule uses and those with the lowest reduced cost.
func (s *Solver) reduce(raw bool) {
	s.n, s.droppedBound = 0, never
	offers := 0
	for _, lines := range s.lines {
		if lines != 0 {
			offers++
		}
	}
	if offers > MaxKept {
		s.reduceMany()
	} else {
		for j, lines := range s.lines {
			if lines != 0 && (raw || !s.dominatedByAny(j)) {
				s.index[s.n] = j
				s.n++
			}
		}
	}
	for k, j := range s.index[:s.n] {
		s.keptLines[k], s.keptFixed[k] = s.lines[j], s.fixed[j]
		copy(s.keptPrices[k][:s.items], s.prices[j*s.items:(j+1)*s.items])
	}
}

func (s *Solver) dominatedByAny(j int) bool {
	for i := range s.lines {
		if i != j && s.dominates(i, j) {
			return true
		}
	}
	return false
}

// dominates reports whether i in place of j makes every assignment better: it
// costs no more and fills as much, and wins the tie, by its index or because it
// is cheaper whichever of j's items it fills. One candidate takes the place of
// one, with all the items of j, so no limit on candidates and no group breaks.
// The relation has no cycles: all that are dominated can go at once.
func (s *Solver) dominates(i, j int) bool {
	if s.lines[j]&^s.lines[i] != 0 || s.fixed[i] > s.fixed[j] {
		return false
	}
	cheaper := true
	if s.priced[i] || s.priced[j] {
		a, b := s.prices[i*s.items:(i+1)*s.items], s.prices[j*s.items:(j+1)*s.items]
		for rest := s.lines[j]; rest != 0; rest &= rest - 1 {
			item := bits.TrailingZeros64(rest)
			if a[item] > b[item] {
				return false
			}
			cheaper = cheaper && a[item] < b[item]
		}
	} else {
		cheaper = false
	}
	return i < j || s.fixed[i] < s.fixed[j] || cheaper
}

// reduceMany keeps MaxKept of more candidates. With any values v of the items
// such that no candidate's items are worth more than it costs, Σ v is a lower
// bound, and Σ v + slack is one for all that uses a candidate with this much
// slack; so what is dropped is dropped with a bound.
func (s *Solver) reduceMany() {
	sum := s.valueItems()
	s.order = grow(s.order, len(s.lines))
	for j := range s.order {
		s.order[j] = j
	}
	slices.SortFunc(s.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.slack[a], s.slack[b]), cmp.Compare(a, b))
	})
	s.greedy()
	for _, j := range s.chosen {
		s.index[s.n] = j
		s.n++
	}
	for _, j := range s.order {
		if s.lines[j] == 0 || s.inKept(j) {
			continue
		}
		if s.n == MaxKept {
			// The first one has the least slack of those left.
			s.droppedBound = sum + s.slack[j]
			break
		}
		s.index[s.n] = j
		s.n++
	}
	slices.Sort(s.index[:s.n])
}

// inKept reports whether a candidate is kept or dominated by one that is. Who
// dominates has no more slack, so it came before.
func (s *Solver) inKept(j int) bool {
	for _, i := range s.index[:s.n] {
		if i == j || s.dominates(i, j) {
			return true
		}
	}
	return false
}

// valueItems gives each item in turn the highest value the slack of the
// candidates leaves it, and returns the sum of the values.
func (s *Solver) valueItems() (sum int64) {
	s.slack = grow(s.slack, len(s.lines))
	copy(s.slack, s.fixed)
	for i := range s.items {
		value := s.penalty[i]
		for j, lines := range s.lines {
			if lines>>i&1 != 0 {
				value = min(value, s.prices[j*s.items+i]+s.slack[j])
			}
		}
		for j, lines := range s.lines {
			if lines>>i&1 != 0 {
				s.slack[j] -= max(0, value-s.prices[j*s.items+i])
			}
		}
		sum += value
	}
	return sum
}

// assignKept gives each item to the cheapest candidate of a set of kept ones,
// or leaves it out where that is cheaper or nobody is there.
func (s *Solver) assignKept(set uint64) {
	s.by = grow(s.by, s.items)
	for i := range s.items {
		s.by[i] = -1
		best := s.penalty[i]
		for rest := set; rest != 0; rest &= rest - 1 {
			k := bits.TrailingZeros64(rest)
			if s.keptLines[k]>>i&1 != 0 && (s.keptPrices[k][i] < best || s.keptPrices[k][i] == best && s.by[i] < 0) {
				s.by[i], best = s.index[k], s.keptPrices[k][i]
			}
		}
	}
}
