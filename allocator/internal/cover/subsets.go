package cover

import "math/bits"

// subsets is the part of a Solver that solves by subsets of items.
type subsets struct {
	single [1 << SubsetLines]int64  // key of one candidate filling the subset
	who    [1 << SubsetLines]uint64 // its bit: 1<<63 for kept candidate 0, and so on down
	sum    [1 << SubsetLines]int64  // scratch: of one candidate
	which  [1 << SubsetLines]uint8  // scratch: the subsets of its items
	layers [2]layer
}

// A layer has the best assignment of every subset of items.
// Of two sets of candidates of one size, the one with the lower index where
// they differ is the larger number if candidate 0 has the highest bit; these
// numbers add up over disjoint sets as keys do. A sum in which a candidate
// stands twice never wins, for using it once is cheaper by at least one key.
type layer struct {
	key [1 << SubsetLines]int64
	set [1 << SubsetLines]uint64 // bits as in who
}

// solveSubsets returns the least key and the set of kept candidates it uses.
// Item 0 is decided first, so but for the full set only subsets without it, the
// even ones, are asked for.
func (s *Solver) solveSubsets() (int64, uint64) {
	s.singles()
	full := 1<<s.items - 1
	d := &s.layers[0]
	d.key[0], d.set[0] = 0, 0
	for subset := 2; subset <= full; subset += 2 {
		s.split(d, d, subset)
	}
	s.split(d, d, full)
	if bits.OnesCount64(d.set[full]) > s.most {
		d = s.solveLayers(full)
	}
	return d.key[full], bits.Reverse64(d.set[full])
}

// solveLayers goes from at most 0 candidates to at most Most.
func (s *Solver) solveLayers(full int) *layer {
	d, next := &s.layers[0], &s.layers[1]
	d.key[0], d.set[0] = 0, 0
	next.key[0], next.set[0] = 0, 0
	for subset := 2; subset <= full; subset += 2 {
		low := subset & -subset
		d.key[subset] = min(s.penalty[bits.TrailingZeros(uint(low))]+d.key[subset^low], never)
		d.set[subset] = 0
	}
	for range s.most - 1 {
		for subset := 2; subset <= full; subset += 2 {
			s.split(next, d, subset)
		}
		d, next = next, d
	}
	// The last layer is asked for the full set only, and for what is left of
	// it when the lowest items are left out.
	for i := s.items - 1; i >= 0; i-- {
		s.split(next, d, full>>i<<i)
	}
	return next
}

// singles finds, for every subset of items, the cheapest candidate that fills
// all of it. What nobody fills alone costs never.
func (s *Solver) singles() {
	full := 1<<s.items - 1
	for subset := range full + 1 {
		s.single[subset], s.who[subset] = never, 0
	}
	for k := range s.n {
		s.sum[0], s.which[0] = s.keptFixed[k], 0
		n := 1
		for rest := s.keptLines[k]; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros64(rest)
			price, bit := s.keptPrices[k][i], uint8(1)<<i
			for a := range n {
				s.sum[n+a], s.which[n+a] = s.sum[a]+price, s.which[a]|bit
			}
			n *= 2
		}
		bit := uint64(1) << (63 - k)
		for a := 1; a < n; a++ {
			if subset := s.which[a]; s.sum[a] < s.single[subset] {
				s.single[subset], s.who[subset] = s.sum[a], bit
			}
		}
	}
}

// split writes the best of a subset to layer to: its lowest item is left out,
// or goes to a candidate with some of the others, and layer from has the rest.
// The two are one layer if candidates are not counted.
func (s *Solver) split(to, from *layer, subset int) {
	low := subset & -subset
	rest := subset ^ low
	best := min(s.penalty[bits.TrailingZeros(uint(low))]+to.key[rest], never)
	set := to.set[rest]
	for with := rest; ; with = (with - 1) & rest {
		mine, theirs := uint8(with|low), uint8(rest^with)
		if key := s.single[mine] + from.key[theirs]; key <= best {
			if sets := s.who[mine] + from.set[theirs]; key < best || sets > set {
				best, set = key, sets
			}
		}
		if with == 0 {
			break
		}
	}
	if best >= never {
		best, set = never, 0
	}
	to.key[subset], to.set[subset] = best, set
}
