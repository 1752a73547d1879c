package cover

import (
	"errors"
	"fmt"
	"math/bits"
)

// The limits of a problem.
const (
	MaxLines      = 64      // lines of a problem
	MaxKept       = 64      // candidates the solver decides between
	MaxPrice      = 1 << 39 // of one fixed cost, price or penalty, in minor units
	SubsetLines   = 8       // up to so many lines, after merging, the answer is always exact
	DefaultBudget = 5000    // nodes of the search above that
)

// ErrProblem says that a problem breaks the limits of its fields. Nothing was
// solved; the text names the field.
var ErrProblem = errors.New("cover: bad problem")

// A Candidate is a location that could fill some of the lines.
type Candidate struct {
	Lines  uint64  // bit i: it can fill line i whole
	Fixed  int64   // cost of using it at all, minor units, 0..MaxPrice
	Prices []int64 // by line, minor units, 0..MaxPrice where Lines has a bit; nil: all 0
}

// A Problem is one order and the candidates for it. It is only read, and may be
// solved again.
type Problem struct {
	Lines      int         // 0..MaxLines
	Candidates []Candidate // best first; the index breaks ties
	Most       int         // candidates that may be used; 0: no limit
	Together   []uint64    // lines that must share a candidate; masks that overlap are one group
	Missing    []int64     // by line, the cost of leaving it out, at most MaxPrice; below 0: it must be filled; nil: all must. A group is left out whole, or, if one of its lines must be filled, not at all
	Budget     int         // nodes the search may look at above SubsetLines; 0: DefaultBudget
}

// A Solution says which candidate fills which line. It belongs to the Solver
// and is valid until its next call.
type Solution struct {
	Found      bool   // an assignment is in By. If not, and Exact: there is none
	Exact      bool   // nothing is better: cost, then lines left out, then candidates used
	By         []int  // by line: index in Problem.Candidates, -1: left out
	Used       int    // candidates used
	Left       uint64 // lines left out
	Unfillable uint64 // lines nobody can fill, alone or with those they must stay together with
	Cost       int64  // minor units, of By
	Bound      int64  // minor units; no assignment costs less
	Nodes      int    // looked at by the search; 0 up to SubsetLines
}

// A key orders assignments: the cost in the high bits, then the lines left out,
// then the candidates used. Keys add up as costs do, so that one integer
// minimum settles cost and ties. With at most 64 candidates used and 64 lines,
// each of at most MaxPrice, a key stays below 2^60+2^14.
const (
	keyShift  = 14
	leftShift = 7
	oneUsed   = 1
	never     = 1 << 61 // more than any key; twice never does not overflow
)

// A Solver keeps scratch memory between problems. The zero value is ready.
// It allocates only while a problem is larger than those before. It must not be
// copied or used by two goroutines at once.
type Solver struct {
	out Solution

	// The problem after merging: an item is a line or a group of lines.
	items     int
	itemLines [MaxLines]uint64
	penalty   [MaxLines]int64 // key of leaving an item out; never: it must be filled
	base      int64           // key of the lines nobody can fill, left out
	most      int             // 1..items
	lines     []uint64        // by candidate: the items it can fill
	fixed     []int64         // by candidate: key of using it
	prices    []int64         // by candidate × items: key of the item there
	priced    []bool          // by candidate: some price is not 0

	by     []int // by item: index of a candidate, -1: left out
	chosen []int // candidates the greedy rule used

	keep
	subsets
	tree
}

// Solve finds the cheapest assignment. Ties go to the fewest lines left out,
// then to the fewest candidates, then, up to SubsetLines lines, to the set of
// candidates that has the lowest index in which two sets differ; a line goes
// to the cheapest of the candidates used, the lowest index first. Above
// SubsetLines lines the last of these rules holds among the neighbours of the
// answer only. The answer depends on nothing but the problem.
func (s *Solver) Solve(p *Problem) (*Solution, error) {
	if done, err := s.prepare(p); done || err != nil {
		return &s.out, err
	}
	return s.solve(p, SubsetLines), nil
}

// solve is Solve behind the merging, with the subsets up to so many items.
func (s *Solver) solve(p *Problem, subsetItems int) *Solution {
	s.reduce(s.items <= subsetItems)
	var set uint64
	var best, bound int64
	if s.items <= subsetItems {
		best, set = s.solveSubsets()
		bound = best
	} else {
		budget := p.Budget
		if budget <= 0 {
			budget = DefaultBudget
		}
		best, set, bound = s.solveTree(budget)
		s.out.Nodes = s.nodes
	}
	bound = min(bound, s.droppedBound)
	s.out.Exact = bound >= best
	if best >= never {
		s.out.Exact = bound >= never
		s.out.Bound = (bound + s.base) >> keyShift
		if s.out.Exact {
			s.out.Bound = 0
		}
		return &s.out
	}
	s.assignKept(set)
	s.finish(p)
	s.out.Bound = min((bound+s.base)>>keyShift, s.out.Cost)
	return &s.out
}

// prepare checks the problem, merges its lines to items and clears the answer.
// It reports done if there is nothing left to decide.
func (s *Solver) prepare(p *Problem) (done bool, err error) {
	s.out = Solution{By: s.out.By[:0]}
	if err := check(p); err != nil {
		return true, err
	}
	for range p.Lines {
		s.out.By = append(s.out.By, -1)
	}
	s.merge(p)
	s.weigh(p)
	s.most = s.items
	if p.Most > 0 {
		s.most = min(p.Most, s.items)
	}
	if s.base >= never { // a line that must be filled has nobody
		s.out.Exact = true
		return true, nil
	}
	if s.items == 0 {
		s.by = s.by[:0]
		s.finish(p)
		s.out.Exact, s.out.Bound = true, s.out.Cost
		return true, nil
	}
	return false, nil
}

// check reports the first field that breaks its limits.
func check(p *Problem) error {
	switch {
	case p.Lines < 0 || p.Lines > MaxLines:
		return fmt.Errorf("%w: %d lines", ErrProblem, p.Lines)
	case p.Most < 0:
		return fmt.Errorf("%w: at most %d candidates", ErrProblem, p.Most)
	case p.Missing != nil && len(p.Missing) < p.Lines:
		return fmt.Errorf("%w: %d penalties for %d lines", ErrProblem, len(p.Missing), p.Lines)
	}
	all := allOf(p.Lines)
	for i := range p.Lines {
		if p.Missing != nil && p.Missing[i] > MaxPrice {
			return fmt.Errorf("%w: line %d: penalty %d", ErrProblem, i, p.Missing[i])
		}
	}
	for i, group := range p.Together {
		if group&^all != 0 {
			return fmt.Errorf("%w: group %d names a line that is not there", ErrProblem, i)
		}
	}
	for j := range p.Candidates {
		c := &p.Candidates[j]
		switch {
		case c.Lines&^all != 0:
			return fmt.Errorf("%w: candidate %d names a line that is not there", ErrProblem, j)
		case c.Fixed < 0 || c.Fixed > MaxPrice:
			return fmt.Errorf("%w: candidate %d: fixed cost %d", ErrProblem, j, c.Fixed)
		case c.Prices == nil:
			continue
		case len(c.Prices) < p.Lines:
			return fmt.Errorf("%w: candidate %d: %d prices for %d lines", ErrProblem, j, len(c.Prices), p.Lines)
		}
		for rest := c.Lines; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros64(rest)
			if c.Prices[i] < 0 || c.Prices[i] > MaxPrice {
				return fmt.Errorf("%w: candidate %d: price %d of line %d", ErrProblem, j, c.Prices[i], i)
			}
		}
	}
	return nil
}

// allOf is the mask of the first n bits.
func allOf(n int) uint64 {
	return 1<<n - 1 // 1<<64 is 0 in Go, so 64 gives all bits
}

// merge makes items of lines, in the order of their lowest lines. Lines nobody
// can fill are no items: they are left out at their price.
func (s *Solver) merge(p *Problem) {
	var groups [MaxLines]uint64
	n := 0
	for _, group := range p.Together {
		for g := 0; g < n; g++ {
			if groups[g]&group != 0 {
				group |= groups[g]
				n--
				groups[g] = groups[n]
				g = -1 // the larger group may meet one looked at before
			}
		}
		if group != 0 {
			groups[n] = group
			n++
		}
	}
	var fillable uint64 // by someone, line by line
	for j := range p.Candidates {
		fillable |= p.Candidates[j].Lines
	}
	s.items, s.base = 0, 0
	for rest := allOf(p.Lines); rest != 0; {
		item := rest & -rest
		for _, group := range groups[:n] {
			if group&item != 0 {
				item = group
				break
			}
		}
		rest &^= item
		penalty := leave(p, item)
		if item&^fillable != 0 || bits.OnesCount64(item) > 1 && !anyFills(p, item) {
			s.out.Unfillable |= item
			s.base = min(s.base+penalty, never)
			continue
		}
		s.itemLines[s.items], s.penalty[s.items] = item, penalty
		s.items++
	}
}

// anyFills reports whether one candidate has all these lines.
func anyFills(p *Problem, lines uint64) bool {
	for j := range p.Candidates {
		if lines&^p.Candidates[j].Lines == 0 {
			return true
		}
	}
	return false
}

// leave is the key of leaving out lines that go together.
func leave(p *Problem, lines uint64) int64 {
	if p.Missing == nil {
		return never
	}
	var sum int64
	for rest := lines; rest != 0; rest &= rest - 1 {
		cost := p.Missing[bits.TrailingZeros64(rest)]
		if cost < 0 {
			return never
		}
		sum += cost
	}
	return sum<<keyShift | int64(bits.OnesCount64(lines))<<leftShift
}

// weigh fills in what each candidate asks for each item. An item that costs
// less left out than at a candidate is none of the candidate's.
func (s *Solver) weigh(p *Problem) {
	n := len(p.Candidates)
	s.lines, s.fixed, s.priced = grow(s.lines, n), grow(s.fixed, n), grow(s.priced, n)
	s.prices = grow(s.prices, n*s.items)
	for j := range p.Candidates {
		c := &p.Candidates[j]
		s.fixed[j] = c.Fixed<<keyShift | oneUsed
		row := s.prices[j*s.items : (j+1)*s.items]
		var can uint64
		var sum int64
		for i := range row {
			lines := s.itemLines[i]
			row[i] = 0
			if lines&^c.Lines != 0 {
				continue
			}
			if c.Prices != nil {
				row[i] = priceOf(c, lines) << keyShift
			}
			if row[i] <= s.penalty[i] {
				can |= 1 << i
				sum += row[i]
			}
		}
		s.lines[j], s.priced[j] = can, sum != 0
	}
}

func priceOf(c *Candidate, lines uint64) (sum int64) {
	for rest := lines; rest != 0; rest &= rest - 1 {
		sum += c.Prices[bits.TrailingZeros64(rest)]
	}
	return sum
}

// grow returns a slice of n elements of any content, the old one if it is large
// enough.
func grow[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n)
	}
	return old[:n]
}

// finish writes by, item by item, to the answer and adds up what it costs.
func (s *Solver) finish(p *Problem) {
	var used [MaxLines]int
	s.out.Found = true
	s.out.Left = s.out.Unfillable
	for i := range s.items {
		j := s.by[i]
		if j < 0 {
			s.out.Left |= s.itemLines[i]
			continue
		}
		c := &p.Candidates[j]
		known := false
		for _, u := range used[:s.out.Used] {
			known = known || u == j
		}
		if !known {
			used[s.out.Used] = j
			s.out.Used++
			s.out.Cost += c.Fixed
		}
		if c.Prices != nil {
			s.out.Cost += priceOf(c, s.itemLines[i])
		}
		for rest := s.itemLines[i]; rest != 0; rest &= rest - 1 {
			s.out.By[bits.TrailingZeros64(rest)] = j
		}
	}
	for rest := s.out.Left; rest != 0; rest &= rest - 1 {
		s.out.Cost += p.Missing[bits.TrailingZeros64(rest)]
	}
}
