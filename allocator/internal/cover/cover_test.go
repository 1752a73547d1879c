package cover

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

func (p *Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d lines, most %d, together %b, missing %v\n", p.Lines, p.Most, p.Together, p.Missing)
	for j, c := range p.Candidates {
		fmt.Fprintf(&b, "  %2d: %0*b fixed %d prices %v\n", j, p.Lines, c.Lines, c.Fixed, c.Prices)
	}
	return b.String()
}

// against compares an answer with the best of all assignments.
func against(p *Problem, got *Solution, want *trial, ties bool) error {
	switch {
	case got.Found != want.found:
		return fmt.Errorf("found %v, want %v", got.Found, want.found)
	case !got.Exact:
		return fmt.Errorf("not exact: cost %d, bound %d, nodes %d", got.Cost, got.Bound, got.Nodes)
	case !want.found:
		return nil
	case got.Cost != want.cost || got.Bound != want.cost:
		return fmt.Errorf("cost %d, bound %d, want %d %v", got.Cost, got.Bound, want.cost, want.by)
	case got.Used != want.used:
		return fmt.Errorf("%d candidates used, want %d %v", got.Used, want.used, want.by)
	case bits.OnesCount64(got.Left) != want.left:
		return fmt.Errorf("lines %b left out, want %d %v", got.Left, want.left, want.by)
	case ties && !slices.Equal(got.By, want.by):
		return fmt.Errorf("lines by %v, want %v", got.By, want.by)
	}
	return valid(p, got)
}

// valid checks that an answer is an assignment that keeps all rules, and says
// of itself what is true.
func valid(p *Problem, got *Solution) error {
	if len(got.By) != p.Lines {
		return fmt.Errorf("%d lines in the answer", len(got.By))
	}
	if got.Bound > got.Cost || got.Exact && got.Bound != got.Cost {
		return fmt.Errorf("bound %d, cost %d, exact %v", got.Bound, got.Cost, got.Exact)
	}
	var left uint64
	cost, opened := int64(0), make(map[int]bool)
	for i, j := range got.By {
		if j < 0 {
			if p.Missing == nil || p.Missing[i] < 0 {
				return fmt.Errorf("line %d is left out", i)
			}
			left |= 1 << i
			cost += p.Missing[i]
			continue
		}
		if p.Candidates[j].Lines>>i&1 == 0 {
			return fmt.Errorf("line %d is at candidate %d, which cannot fill it", i, j)
		}
		if !opened[j] {
			cost += p.Candidates[j].Fixed
		}
		opened[j] = true
		cost += price(&p.Candidates[j], i)
	}
	for _, group := range p.Together {
		for i := range p.Lines {
			for h := range i {
				if group>>i&1 != 0 && group>>h&1 != 0 && got.By[i] != got.By[h] {
					return fmt.Errorf("lines %d and %d are apart", h, i)
				}
			}
		}
	}
	if cost != got.Cost || len(opened) != got.Used || left != got.Left || p.Most > 0 && got.Used > p.Most {
		return fmt.Errorf("says cost %d, used %d, left %b; it is %d, %d, %b", got.Cost, got.Used, got.Left, cost, len(opened), left)
	}
	return nil
}

// TestEnumeration compares both ways to solve with all assignments there are:
// the subsets down to the tie breaks, the tree down to the candidates used.
func TestEnumeration(t *testing.T) {
	cases, dense := 110_000, 60
	if !scaletest.Full() {
		cases, dense = 5_000, 3
	}
	rng := rand.New(rand.NewPCG(4, 1))
	var s Solver
	found, large := 0, 0
	for n := range cases + dense {
		assignments := 2_000.0
		if n >= cases {
			assignments = 300_000
		}
		p := draw(rng, 12, 8, assignments)
		want := enumerate(p)
		if want.found {
			found++
		}
		if want.found && p.Lines == 8 && len(p.Candidates) == 12 {
			large++
		}
		if got, err := s.Solve(p); err != nil {
			t.Fatalf("case %d: %v\n%v", n, err, p)
		} else if err := against(p, got, &want, true); err != nil {
			t.Fatalf("case %d, by subsets: %v\n%v", n, err, p)
		}
		if done, _ := s.prepare(p); done {
			continue
		}
		if err := against(p, s.solve(p, 0), &want, false); err != nil {
			t.Fatalf("case %d, by the tree: %v\n%v", n, err, p)
		}
	}
	t.Logf("%d cases, %d with an assignment, %d of them 12 × 8", cases+dense, found, large)
	if found < cases/2 || large < cases/500 {
		t.Error("the cases drawn are too easy")
	}
}
