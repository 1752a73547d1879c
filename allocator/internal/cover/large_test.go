package cover

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestTwin compares the tree with a branch and bound of another kind, up to
// 64 candidates and 20 lines, where that one comes to an end.
func TestTwin(t *testing.T) {
	want, nodes := 400, 60_000
	if !scaletest.Full() {
		want, nodes = 40, 20_000
	}
	rng := rand.New(rand.NewPCG(64, 20))
	var s Solver
	var other twin
	tried, compared, full, limited, none := 0, 0, 0, 0, 0
	for ; compared < want && tried < 20*want; tried++ {
		p := order(rng, 9+rng.IntN(12), 16+rng.IntN(49))
		if tried%2 == 0 {
			p = order(rng, 20, 64)
		}
		vary(rng, p)
		best, ended := other.solve(p, nodes)
		if !ended {
			continue
		}
		compared++
		got, err := s.Solve(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(p, got); got.Found && err != nil {
			t.Fatalf("case %d: %v\n%v", tried, err, p)
		}
		if got.Found != (best >= 0) || got.Found && got.Cost != best || !got.Exact {
			t.Fatalf("case %d: found %v, exact %v, cost %d, want %d\n%v", tried, got.Found, got.Exact, got.Cost, best, p)
		}
		if p.Lines == 20 && len(p.Candidates) == 64 {
			full++
		}
		if p.Most > 0 && got.Used == p.Most {
			limited++
		}
		if !got.Found {
			none++
		}
	}
	t.Logf("%d problems compared of %d drawn: %d of 64 × 20, %d at the limit on candidates, %d without an assignment", compared, tried, full, limited, none)
	if compared < want || full < want/10 {
		t.Error("too few problems in which the other search came to an end")
	}
}

// vary gives an order a limit on candidates, or lines that may be left out, or
// candidates with more of the lines.
func vary(rng *rand.Rand, p *Problem) {
	if rng.IntN(2) == 0 {
		for j := range p.Candidates {
			if rng.IntN(4) == 0 {
				p.Candidates[j].Lines |= rng.Uint64() & allOf(p.Lines)
			}
		}
	}
	switch rng.IntN(3) {
	case 0:
		p.Most = 2 + rng.IntN(3)
	case 1:
		p.Missing = make([]int64, p.Lines)
		for i := range p.Missing {
			p.Missing[i] = rng.Int64N(400) - 20
		}
	}
}

// TestMany compares problems with more candidates than the solver keeps with
// the best of all of them. An answer that is said to be exact is; any other has
// a bound below the best.
func TestMany(t *testing.T) {
	cases := 600
	if !scaletest.Full() {
		cases = 60
	}
	rng := rand.New(rand.NewPCG(6, 65))
	var s Solver
	exact, optimal := 0, 0
	for n := range cases {
		p := order(rng, 1+rng.IntN(8), 65+rng.IntN(200))
		vary(rng, p)
		if rng.IntN(3) == 0 { // prices so wide apart that few dominate others
			for j := range p.Candidates {
				c := &p.Candidates[j]
				c.Prices = make([]int64, p.Lines)
				for i := range c.Prices {
					c.Prices[i] = rng.Int64N(500)
				}
			}
		}
		want := sweep(p)
		check := func(got *Solution, way string) {
			err := valid(p, got)
			switch {
			case !got.Found:
				if want < 0 || !got.Exact {
					return
				}
				err = fmt.Errorf("found none, want %d", want)
			case err == nil && (want < 0 || got.Cost < want || got.Bound > want || got.Exact && got.Cost != want):
				err = fmt.Errorf("cost %d, bound %d, exact %v, want %d", got.Cost, got.Bound, got.Exact, want)
			}
			if err != nil {
				t.Fatalf("case %d, by %s: %v\n%v", n, way, err, p)
			}
			exact += bits.OnesCount(uint(b2i(got.Exact)))
			optimal += b2i(got.Cost == want)
		}
		got, err := s.Solve(p)
		if err != nil {
			t.Fatal(err)
		}
		check(got, "subsets")
		if done, _ := s.prepare(p); !done {
			check(s.solve(p, 0), "the tree")
		}
	}
	t.Logf("of %d answers %d are the best and %d say so", 2*cases, optimal, exact)
	if exact < cases {
		t.Error("too few answers were exact")
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestBudget cuts the search short at every number of nodes up to the end and
// looks at the bound.
func TestBudget(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	problems := 60
	if !scaletest.Full() {
		problems = 10
	}
	var s Solver
	cut, tight := 0, 0
	for n := range problems {
		p := order(rng, 9+rng.IntN(20), 64)
		vary(rng, p)
		p.Budget = 1 << 20
		got, err := s.Solve(p)
		if err != nil || !got.Exact {
			t.Fatalf("problem %d: %v, exact %v", n, err, got.Exact)
		}
		found, best, nodes := got.Found, got.Cost, got.Nodes
		for p.Budget = 1; p.Budget <= nodes; p.Budget += 1 + p.Budget/8 {
			got, err := s.Solve(p)
			if err != nil {
				t.Fatal(err)
			}
			if got.Nodes > p.Budget {
				t.Fatalf("problem %d: %d nodes for a budget of %d", n, got.Nodes, p.Budget)
			}
			if err := valid(p, got); got.Found && err != nil {
				t.Fatalf("problem %d, budget %d: %v", n, p.Budget, err)
			}
			wrong := got.Found && (!found || got.Cost < best || got.Exact && got.Cost > best) || !got.Found && got.Exact && found
			if wrong || found && got.Bound > best {
				t.Fatalf("problem %d, budget %d: found %v, cost %d, bound %d, exact %v; the best is %v, %d\n%v", n, p.Budget, got.Found, got.Cost, got.Bound, got.Exact, found, best, p)
			}
			cut += b2i(!got.Exact)
			tight += b2i(!got.Exact && got.Found && got.Cost == best)
		}
	}
	t.Logf("%d answers cut short, %d of them the best all the same", cut, tight)
	if cut < problems {
		t.Error("hardly a search was cut short")
	}
}

// TestPure asks a solver that has seen other problems, and a new one, the same.
func TestPure(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var used Solver
	for n := range 300 {
		p := order(rng, 1+rng.IntN(24), 1+rng.IntN(120))
		vary(rng, p)
		a, err := used.Solve(p)
		if err != nil {
			t.Fatal(err)
		}
		var fresh Solver
		b, err := fresh.Solve(p)
		if err != nil {
			t.Fatal(err)
		}
		by, other := slices.Clone(a.By), slices.Clone(b.By)
		x, y := *a, *b
		x.By, y.By = nil, nil
		if !slices.Equal(by, other) || fmt.Sprint(x) != fmt.Sprint(y) {
			t.Fatalf("problem %d: %v %v, then %v %v\n%v", n, by, x, other, y, p)
		}
	}
}
