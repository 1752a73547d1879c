package cover

import "math/bits"

// Greedy takes, again and again, the candidate with the lowest cost per line,
// of all lines it can fill that are still open. Found may be false under Most
// although an assignment exists. Bound is 0 and Exact false: nothing is proven,
// but that a line nobody can fill has nobody.
func (s *Solver) Greedy(p *Problem) (*Solution, error) {
	if done, err := s.prepare(p); done || err != nil {
		return &s.out, err
	}
	if s.greedy() {
		s.finish(p)
	}
	return &s.out, nil
}

// NearestFirst goes through the candidates in the order given. Each one takes
// all it can fill of what is still open. Found, Bound and Exact are as with
// Greedy.
func (s *Solver) NearestFirst(p *Problem) (*Solution, error) {
	if done, err := s.prepare(p); done || err != nil {
		return &s.out, err
	}
	open := s.openAll()
	for j, lines := range s.lines {
		if len(s.chosen) == s.most {
			break
		}
		if lines&open != 0 {
			open = s.choose(j, open)
		}
	}
	if s.complete(open) {
		s.finish(p)
	}
	return &s.out, nil
}

// greedy fills by and chosen, and reports whether every item that must be
// filled is.
func (s *Solver) greedy() bool {
	for open := s.openAll(); ; {
		best, bestKey, bestGain := -1, int64(0), int64(0)
		for j, lines := range s.lines {
			key, gain := s.offer(j, lines&open)
			if gain == 0 || len(s.chosen) == s.most {
				continue
			}
			if best < 0 || less(key, gain, bestKey, bestGain) {
				best, bestKey, bestGain = j, key, gain
			}
		}
		if best < 0 {
			return s.complete(open)
		}
		open = s.choose(best, open)
	}
}

// less compares the fractions a/b and c/d of numbers not below 0.
func less(a, b, c, d int64) bool {
	hi1, lo1 := bits.Mul64(uint64(a), uint64(d))
	hi2, lo2 := bits.Mul64(uint64(c), uint64(b))
	return hi1 < hi2 || hi1 == hi2 && lo1 < lo2
}

// offer returns what candidate j asks for these items and how many they are;
// none if it is cheaper to leave them all out.
func (s *Solver) offer(j int, items uint64) (key, count int64) {
	row := s.prices[j*s.items : (j+1)*s.items]
	key = s.fixed[j]
	var leave int64
	for rest := items; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		key += row[i]
		leave = min(leave+s.penalty[i], never)
		count++
	}
	if leave < key {
		return 0, 0
	}
	return key, count
}

// openAll forgets the choices made and returns the items, all open.
func (s *Solver) openAll() uint64 {
	s.chosen = s.chosen[:0]
	s.by = grow(s.by, s.items)
	for i := range s.by {
		s.by[i] = -1
	}
	return allOf(s.items)
}

// choose gives candidate j what it can fill and returns what is left.
func (s *Solver) choose(j int, open uint64) uint64 {
	s.chosen = append(s.chosen, j)
	for rest := s.lines[j] & open; rest != 0; rest &= rest - 1 {
		s.by[bits.TrailingZeros64(rest)] = j
	}
	return open &^ s.lines[j]
}

// complete reports whether no item still open must be filled.
func (s *Solver) complete(open uint64) bool {
	for rest := open; rest != 0; rest &= rest - 1 {
		if s.penalty[bits.TrailingZeros64(rest)] >= never {
			return false
		}
	}
	return true
}
