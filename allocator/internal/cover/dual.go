package cover

import (
	"cmp"
	"math/bits"
	"slices"
)

// dual is the part of a Solver that finds lower bounds.
//
// Invariant: for every candidate that is not closed, the sum over its items of
// max(0, value − price) plus its slack is what it costs to use; slack >= 0; no
// value is above the item's penalty. So any assignment costs at least the sum
// of the values, and at least its slack more if it uses a candidate.
type dual struct {
	byPrice [MaxLines][MaxKept]uint8 // by item: kept candidates that can fill it, cheapest first
	fills   [MaxLines]int            // by item: how many
	rarest  [MaxLines]uint8          // items, those with the fewest candidates first
	fee     int64                    // asked for each candidate used, and given back Most times

	value [MaxLines]int64
	limit [MaxLines]int64 // by item: the value goes no higher
	spare [MaxKept]int64  // slack
}

// startDual sorts the kept candidates by item.
func (s *Solver) startDual() {
	for i := range s.items {
		n := 0
		for k := range s.n {
			if s.keptLines[k]>>i&1 != 0 {
				s.byPrice[i][n] = uint8(k)
				n++
			}
		}
		s.fills[i], s.rarest[i] = n, uint8(i)
		slices.SortFunc(s.byPrice[i][:n], func(a, b uint8) int {
			return cmp.Or(cmp.Compare(s.keptPrices[a][i], s.keptPrices[b][i]), cmp.Compare(a, b))
		})
	}
	slices.SortFunc(s.rarest[:s.items], func(a, b uint8) int {
		return cmp.Or(cmp.Compare(s.fills[a], s.fills[b]), cmp.Compare(a, b))
	})
	s.fee = 0
}

// ascend raises the values of the items by turns, one price at a time, until
// none can rise, and returns the bound: no assignment that uses all of opened,
// none of closed and at most Most has a lower key. It is never if there is none.
// In the first round an item takes no more of a candidate's slack than its share;
// else, where prices are equal, the first item would take all of it.
func (s *Solver) ascend(opened, closed uint64) int64 {
	bound := -s.fee * int64(s.most)
	for k := range s.n {
		s.spare[k] = s.keptFixed[k] + s.fee
		if opened>>k&1 != 0 {
			bound += s.spare[k]
			s.spare[k] = 0
		}
	}
	for i := range s.items {
		if !s.startItem(i, opened, closed) {
			return never
		}
	}
	for share := true; ; share = false {
		var rising uint64
		for i := range s.items {
			if s.value[i] < s.limit[i] {
				rising |= 1 << i
			}
		}
		if rising == 0 {
			break
		}
		for _, i := range s.rarest[:s.items] {
			if rising>>i&1 != 0 {
				s.raise(int(i), closed, rising, share)
			}
		}
	}
	for i := range s.items {
		bound += s.value[i]
	}
	return bound
}

// startItem sets a value to the lowest price, which takes no slack, and its
// limit to what the item costs where no candidate has to be opened for it.
func (s *Solver) startItem(i int, opened, closed uint64) bool {
	list := s.byPrice[i][:s.fills[i]]
	s.limit[i] = s.penalty[i]
	s.value[i] = never
	for _, k := range list {
		if closed>>k&1 != 0 {
			continue
		}
		price := s.keptPrices[k][i]
		s.value[i] = min(s.value[i], price)
		if opened>>k&1 != 0 {
			s.limit[i] = min(s.limit[i], price)
			break
		}
	}
	s.value[i] = min(s.value[i], s.limit[i])
	return s.value[i] < never
}

// raise lets a value rise to the next price, or as far as the slack goes, which
// is then its limit. With share, the slack of a candidate is split among its
// rising items, and no limit is set.
func (s *Solver) raise(i int, closed, rising uint64, share bool) {
	list := s.byPrice[i][:s.fills[i]]
	value, upTo := s.value[i], 0
	step, target := int64(never), s.limit[i]
	for n, k := range list {
		if closed>>k&1 != 0 {
			continue
		}
		if price := s.keptPrices[k][i]; price > value {
			target = min(target, price)
			break
		}
		upTo = n + 1
		spare := s.spare[k]
		if share {
			spare /= int64(bits.OnesCount64(s.keptLines[k] & rising))
		}
		step = min(step, spare)
	}
	if step < target-value {
		target = value + step
		if !share {
			s.limit[i] = target
		}
	}
	if step = target - value; step > 0 {
		for _, k := range list[:upTo] {
			if closed>>k&1 == 0 {
				s.spare[k] -= step
			}
		}
		s.value[i] = target
	}
}

// tight is the set of candidates the values suggest: all that are opened, and
// for each item nobody has yet at its value, the first with no slack left.
func (s *Solver) tight(opened, closed uint64) uint64 {
	set := opened
	for _, i := range s.rarest[:s.items] {
		first, has := -1, false
		for _, k := range s.byPrice[i][:s.fills[i]] {
			if closed>>k&1 != 0 {
				continue
			}
			if s.keptPrices[k][i] > s.value[i] {
				break
			}
			if has = set>>k&1 != 0; has {
				break
			}
			if first < 0 && s.spare[k] == 0 {
				first = int(k)
			}
		}
		if !has && first >= 0 && s.value[i] < s.penalty[i] {
			set |= 1 << first
		}
	}
	return set
}

// demand is how many of the free candidates it takes at least to fill what the
// opened ones do not and nobody may leave out.
func (s *Solver) demand(opened, free uint64) int {
	var must uint64
	largest := 0
	for i := range s.items {
		if s.penalty[i] >= never {
			must |= 1 << i
		}
	}
	for rest := opened; rest != 0; rest &= rest - 1 {
		must &^= s.keptLines[bits.TrailingZeros64(rest)]
	}
	if must == 0 {
		return 0
	}
	for rest := free; rest != 0; rest &= rest - 1 {
		largest = max(largest, bits.OnesCount64(must&s.keptLines[bits.TrailingZeros64(rest)]))
	}
	if largest == 0 {
		return MaxKept + 1
	}
	return (bits.OnesCount64(must) + largest - 1) / largest
}
