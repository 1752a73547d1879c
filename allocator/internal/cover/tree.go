package cover

import "math/bits"

// tree is the part of a Solver that searches by opening and closing candidates.
type tree struct {
	dual
	best    int64  // least key found
	bestSet uint64 // kept candidates it uses
	rest    int64  // least bound of what the budget cut off
	nodes   int
	budget  int
}

// solveTree returns the least key found, the set of kept candidates it uses, and
// a bound no assignment of kept candidates is below.
func (s *Solver) solveTree(budget int) (best int64, set uint64, bound int64) {
	s.best, s.bestSet, s.rest = never, 0, never
	s.nodes, s.budget = 0, budget
	s.startDual()
	s.greedy()
	var start uint64
	for k, j := range s.index[:s.n] {
		for _, c := range s.chosen {
			if c == j {
				start |= 1 << k
			}
		}
	}
	s.consider(start)
	if s.best >= never {
		s.consider(s.fewest())
	}
	s.improve()
	s.charge()
	s.visit(0, 0, -never)
	s.improve()
	s.lower()
	return s.best, s.bestSet, min(s.best, s.rest)
}

// visit looks at all assignments that use opened and do not use closed, none
// of which is below a bound the caller knows. Once the budget is spent, what
// hangs on the way back is bounded, once for each candidate decided at most.
func (s *Solver) visit(opened, closed uint64, known int64) {
	values := s.ascend(opened, closed)
	bound := max(known, values)
	if s.nodes >= s.budget {
		s.rest = min(s.rest, bound)
		return
	}
	s.nodes++
	if bound >= s.best {
		return
	}
	s.consider(s.tight(opened, closed))
	for k := range s.n { // the slack belongs to these values, not to what was known
		if (opened|closed)>>k&1 == 0 && values+s.spare[k] >= s.best {
			closed |= 1 << k
		}
	}
	free := allOf(s.n) &^ (opened | closed)
	used := bits.OnesCount64(opened)
	if bound >= s.best || used+s.demand(opened, free) > s.most {
		return
	}
	if free == 0 || used == s.most {
		s.consider(opened)
		return
	}
	k := s.branch(free)
	s.visit(opened|1<<k, closed, bound)
	s.visit(opened, closed|1<<k, bound)
}

// branch picks, of the free candidates with the least slack, the one whose
// items it would serve at the greatest gain.
func (s *Solver) branch(free uint64) int {
	best, bestSlack, bestGain := -1, int64(0), int64(0)
	for rest := free; rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		if best >= 0 && s.spare[k] > bestSlack {
			continue
		}
		var gain int64
		for items := s.keptLines[k]; items != 0; items &= items - 1 {
			i := bits.TrailingZeros64(items)
			if s.value[i] >= s.keptPrices[k][i] {
				gain += s.value[i] - s.keptPrices[k][i] + 1
			}
		}
		if best < 0 || s.spare[k] < bestSlack || gain > bestGain {
			best, bestSlack, bestGain = k, s.spare[k], gain
		}
	}
	return best
}

// charge picks the fee per candidate used that gives the best bound, if the
// limit on candidates matters. A fee, and Most times the fee back, makes no
// assignment within the limit dearer (Lagrange).
func (s *Solver) charge() {
	if s.most >= s.items {
		return
	}
	best, bestFee := s.ascend(0, 0), int64(0)
	if bits.OnesCount64(s.tight(0, 0)) <= s.most || best >= never {
		return
	}
	try := func(fee int64) {
		s.fee = fee
		if bound := s.ascend(0, 0); bound < never && bound > best {
			best, bestFee = bound, fee
		}
	}
	for shift := keyShift; shift < keyShift+39; shift++ {
		try(1 << shift)
	}
	for step := bestFee / 2; step > bestFee/32; step /= 2 {
		middle := bestFee
		try(middle - step)
		try(middle + step)
	}
	s.fee = bestFee
}

// key returns what the best assignment within a set of kept candidates costs,
// and those it uses.
func (s *Solver) key(set uint64) (key int64, used uint64) {
	for i := range s.items {
		best, by := s.penalty[i], uint64(0)
		for rest := set; rest != 0; rest &= rest - 1 {
			k := bits.TrailingZeros64(rest)
			if s.keptLines[k]>>i&1 != 0 && (s.keptPrices[k][i] < best || s.keptPrices[k][i] == best && by == 0) {
				best, by = s.keptPrices[k][i], rest&-rest
			}
		}
		key = min(key+best, never)
		used |= by
	}
	for rest := used; rest != 0; rest &= rest - 1 {
		key = min(key+s.keptFixed[bits.TrailingZeros64(rest)], never)
	}
	if bits.OnesCount64(used) > s.most {
		return never, used
	}
	return key, used
}

// fewest takes, again and again, the kept candidate that fills the most open
// items which must be filled: a try at a set within the limit.
func (s *Solver) fewest() (set uint64) {
	var open uint64
	for i := range s.items {
		if s.penalty[i] >= never {
			open |= 1 << i
		}
	}
	for open != 0 {
		best, most := 0, -1
		for k := range s.n {
			if n := bits.OnesCount64(s.keptLines[k] & open); n > most {
				best, most = k, n
			}
		}
		if most <= 0 {
			break
		}
		set |= 1 << best
		open &^= s.keptLines[best]
	}
	return set
}

// consider keeps a set if it is the best so far.
func (s *Solver) consider(set uint64) bool {
	key, used := s.key(set)
	if key >= s.best {
		return false
	}
	s.best, s.bestSet = key, used
	return true
}

// improve drops, adds and swaps candidates while that makes the best cheaper.
func (s *Solver) improve() {
	if s.best >= never {
		return
	}
	for better := true; better; {
		better = false
		set := s.bestSet
		for k := range s.n {
			bit := uint64(1) << k
			better = s.consider(set^bit) || better
			if set&bit != 0 {
				continue
			}
			for rest := set; rest != 0; rest &= rest - 1 {
				better = s.consider(set^bit^rest&-rest) || better
			}
		}
	}
}

// lower swaps candidates for ones with a lower index while the key stays.
func (s *Solver) lower() {
	if s.best >= never {
		return
	}
	for moved := true; moved; {
		moved = false
		for rest := s.bestSet; rest != 0 && !moved; rest &= rest - 1 {
			mine := rest & -rest
			for k := 0; uint64(1)<<k < mine && !moved; k++ {
				swapped := s.bestSet&^mine | 1<<k
				if s.bestSet>>k&1 != 0 {
					continue
				}
				if key, used := s.key(swapped); key == s.best {
					s.bestSet, moved = used, true
				}
			}
		}
	}
}
