package cover

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestBadProblem names each limit of the fields by breaking it.
func TestBadProblem(t *testing.T) {
	one := func(c Candidate) *Problem { return &Problem{Lines: 2, Candidates: []Candidate{{Lines: 3}, c}} }
	for _, c := range []struct {
		says string
		p    *Problem
	}{
		{"-1 lines", &Problem{Lines: -1}},
		{"65 lines", &Problem{Lines: 65}},
		{"at most -2 candidates", &Problem{Lines: 1, Most: -2}},
		{"1 penalties for 2 lines", &Problem{Lines: 2, Missing: make([]int64, 1)}},
		{"line 1: penalty 549755813889", &Problem{Lines: 2, Missing: []int64{-5, MaxPrice + 1}}},
		{"group 1 names a line that is not there", &Problem{Lines: 2, Together: []uint64{3, 4}}},
		{"candidate 1 names a line that is not there", one(Candidate{Lines: 5})},
		{"candidate 1: fixed cost -1", one(Candidate{Fixed: -1})},
		{"candidate 1: fixed cost 549755813889", one(Candidate{Fixed: MaxPrice + 1})},
		{"candidate 1: 1 prices for 2 lines", one(Candidate{Lines: 1, Prices: []int64{1}})},
		{"candidate 1: price -1 of line 0", one(Candidate{Lines: 1, Prices: []int64{-1, 0}})},
		{"candidate 1: price 549755813889 of line 1", one(Candidate{Lines: 2, Prices: []int64{-1, MaxPrice + 1}})},
	} {
		var s Solver
		for _, solve := range []func(*Problem) (*Solution, error){s.Solve, s.Greedy, s.NearestFirst} {
			got, err := solve(c.p)
			if !errors.Is(err, ErrProblem) || !strings.HasSuffix(err.Error(), c.says) || got.Found {
				t.Errorf("want %q: %v, %+v", c.says, err, got)
			}
		}
	}
}

// TestEdges are problems with nothing, or next to nothing, to decide.
func TestEdges(t *testing.T) {
	three := []Candidate{{Lines: 0b011, Fixed: 5}, {Lines: 0b110, Fixed: 5}, {Lines: 0b001, Fixed: 1}}
	for name, c := range map[string]struct {
		p    Problem
		want Solution
	}{
		"no lines":              {Problem{}, Solution{Found: true, Exact: true}},
		"no candidates":         {Problem{Lines: 2}, Solution{Exact: true, By: []int{-1, -1}, Unfillable: 3}},
		"nobody needed":         {Problem{Lines: 2, Missing: []int64{3, 4}}, Solution{Found: true, Exact: true, By: []int{-1, -1}, Left: 3, Unfillable: 3, Cost: 7, Bound: 7}},
		"one must":              {Problem{Lines: 2, Missing: []int64{3, -1}}, Solution{Exact: true, By: []int{-1, -1}, Unfillable: 3}},
		"a split":               {Problem{Lines: 3, Candidates: three}, Solution{Found: true, Exact: true, By: []int{2, 1, 1}, Used: 2, Cost: 6, Bound: 6}},
		"no split":              {Problem{Lines: 3, Candidates: three, Most: 1}, Solution{Exact: true, By: []int{-1, -1, -1}}},
		"a group nobody has":    {Problem{Lines: 3, Candidates: three, Together: []uint64{0b101}}, Solution{Exact: true, By: []int{-1, -1, -1}, Unfillable: 0b101}},
		"groups that overlap":   {Problem{Lines: 3, Candidates: three, Together: []uint64{0b011, 0b110}}, Solution{Exact: true, By: []int{-1, -1, -1}, Unfillable: 0b111}},
		"a group out as one":    {Problem{Lines: 3, Candidates: three, Together: []uint64{0b011}, Missing: []int64{2, 2, 9}}, Solution{Found: true, Exact: true, By: []int{-1, -1, 1}, Used: 1, Left: 0b011, Cost: 9, Bound: 9}},
		"a group of empty ones": {Problem{Lines: 1, Candidates: three[2:], Together: []uint64{0, 1, 0, 1}}, Solution{Found: true, Exact: true, By: []int{0}, Used: 1, Cost: 1, Bound: 1}},
		"filled rather than out": {Problem{Lines: 1, Candidates: three[2:], Missing: []int64{1}},
			Solution{Found: true, Exact: true, By: []int{0}, Used: 1, Cost: 1, Bound: 1}},
		"the first of equals": {Problem{Lines: 2, Candidates: []Candidate{{}, {Lines: 1, Fixed: 2}, {Lines: 3, Fixed: 4}, {Lines: 2, Fixed: 2}, {Lines: 3, Fixed: 4}}},
			Solution{Found: true, Exact: true, By: []int{2, 2}, Used: 1, Cost: 4, Bound: 4}},
	} {
		var s Solver
		got, err := s.Solve(&c.p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		by := got.By
		rest, want := *got, c.want
		rest.By, want.By = nil, nil
		if !slices.Equal(by, c.want.By) || !same(&rest, &want) {
			t.Errorf("%s: %+v, want %+v", name, *got, c.want)
		}
	}
}

func same(a, b *Solution) bool {
	return a.Found == b.Found && a.Exact == b.Exact && a.Used == b.Used && a.Left == b.Left &&
		a.Unfillable == b.Unfillable && a.Cost == b.Cost && a.Bound == b.Bound && a.Nodes == b.Nodes
}

// TestLargestCosts adds up the most that can be asked for.
func TestLargestCosts(t *testing.T) {
	prices := slices.Repeat([]int64{MaxPrice}, MaxLines)
	p := &Problem{Lines: MaxLines}
	for j := range 2 * MaxLines {
		p.Candidates = append(p.Candidates, Candidate{Lines: 1 << (j % MaxLines), Fixed: MaxPrice, Prices: prices})
	}
	var s Solver
	got, err := s.Solve(p)
	if err != nil || !got.Exact || got.Cost != 2*MaxLines*MaxPrice {
		t.Fatalf("%v, exact %v, cost %d", err, got.Exact, got.Cost)
	}
	if err := valid(p, got); err != nil {
		t.Fatal(err)
	}
	for _, most := range []int{1, 63} {
		p.Most = most
		if got, err = s.Solve(p); err != nil || got.Found || !got.Exact {
			t.Fatalf("at most %d: %v, %+v", most, err, got)
		}
	}
	p.Missing = prices
	if got, err = s.Solve(p); err != nil || !got.Exact || got.Cost != MaxLines*MaxPrice || got.Used != 0 {
		t.Fatalf("%v, exact %v, cost %d, used %d", err, got.Exact, got.Cost, got.Used)
	}
}

// TestNoAllocation: after the largest problem a solver allocates no more.
func TestNoAllocation(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	var problems []*Problem
	for _, size := range [][2]int{{24, 300}, {8, 64}, {2, 3}, {8, 200}, {20, 64}} {
		p := order(rng, size[0], size[1])
		vary(rng, p)
		p.Together = []uint64{3}
		problems = append(problems, p)
	}
	var s Solver
	all := func() {
		for _, p := range problems {
			_, _ = s.Solve(p)
			_, _ = s.Greedy(p)
			_, _ = s.NearestFirst(p)
		}
	}
	all()
	if n := testing.AllocsPerRun(5, all); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzSolve makes a problem of any bytes and compares what is small enough with
// all assignments.
func FuzzSolve(f *testing.F) {
	f.Add([]byte{3, 2, 0, 0, 0, 3, 5, 1, 2, 3, 6, 4, 1, 1, 1})
	f.Add([]byte{5, 9, 2, 6, 1, 31, 0, 255, 255, 255, 255, 255, 7, 1})
	f.Add([]byte{255, 255, 255, 255, 255, 1, 128, 0, 64, 200})
	var s Solver
	f.Fuzz(func(t *testing.T, data []byte) {
		p := decode(data)
		for way := range 3 {
			got, err := []func(*Problem) (*Solution, error){s.Greedy, s.NearestFirst, s.Solve}[way](p)
			if err != nil {
				if !errors.Is(err, ErrProblem) || got.Found {
					t.Fatal(err)
				}
				return
			}
			if err := valid(p, got); got.Found && err != nil {
				t.Fatalf("way %d: %v\n%v", way, err, p)
			}
		}
		if p.Lines > 5 || len(p.Candidates) > 6 {
			return
		}
		want := enumerate(p)
		got, _ := s.Solve(p)
		if err := against(p, got, &want, true); err != nil {
			t.Fatalf("by subsets: %v\n%v", err, p)
		}
		if done, _ := s.prepare(p); !done {
			if err := against(p, s.solve(p, 0), &want, false); err != nil {
				t.Fatalf("by the tree: %v\n%v", err, p)
			}
		}
	})
}

// decode reads a problem from bytes; those that are missing are 0.
func decode(data []byte) *Problem {
	next := func() int64 {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return int64(b)
	}
	p := &Problem{Lines: int(next())%68 - 1, Most: int(next()) % 5, Budget: int(next())}
	if group := uint64(next()); group != 0 {
		p.Together = []uint64{group, uint64(next())}
	}
	if next()%2 == 1 {
		for range p.Lines {
			p.Missing = append(p.Missing, next()-1)
		}
	}
	for len(data) > 0 && len(p.Candidates) < 80 {
		c := Candidate{Lines: uint64(next()), Fixed: next()}
		if flags := next(); flags&1 != 0 {
			for range p.Lines {
				c.Prices = append(c.Prices, next()-flags>>7)
			}
		}
		p.Candidates = append(p.Candidates, c)
	}
	return p
}
