package cover

import (
	"math/rand/v2"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// A gap is what a rule costs more than the best, in percent.
type gap struct{ sum, splits, worst float64 }

func (g *gap) add(cost, best int64, split bool) {
	more := 100 * (float64(cost)/float64(best) - 1)
	g.sum += more
	if split {
		g.splits += more
	}
	g.worst = max(g.worst, more)
}

// TestGap prints what the two simple rules cost more than the best: over all
// orders, and over those of which the best answer is a split.
func TestGap(t *testing.T) {
	n := 2000
	if !scaletest.Full() {
		n = 100
	}
	t.Log("                            greedy, % more           nearest first, % more    locations")
	t.Log("lines  candidates  splits   mean  of splits  worst   mean  of splits  worst   best  nearest")
	for _, candidates := range []int{16, 64} {
		for _, lines := range []int{2, 3, 5, 8} {
			compareRules(t, n, lines, candidates)
		}
	}
}

func compareRules(t *testing.T, n, lines, candidates int) {
	var solver, simple Solver
	rng := rand.New(rand.NewPCG(uint64(lines), uint64(candidates)))
	var greedy, nearest gap
	splits, used, usedNearest := 0, 0, 0
	for range n {
		p := order(rng, lines, candidates)
		best, err := solver.Solve(p)
		if err != nil || !best.Exact {
			t.Fatalf("%v, exact %v", err, best.Exact)
		}
		split := best.Used > 1
		splits += b2i(split)
		used += best.Used
		for rule, solve := range []func(*Problem) (*Solution, error){simple.Greedy, simple.NearestFirst} {
			got, err := solve(p)
			if err != nil || !got.Found || got.Cost < best.Cost {
				t.Fatalf("rule %d: %v, found %v, cost %d, best %d\n%v", rule, err, got.Found, got.Cost, best.Cost, p)
			}
			if err := valid(p, got); err != nil {
				t.Fatalf("rule %d: %v\n%v", rule, err, p)
			}
			if rule == 0 {
				greedy.add(got.Cost, best.Cost, split)
			} else {
				nearest.add(got.Cost, best.Cost, split)
				usedNearest += got.Used
			}
		}
	}
	all := float64(n)
	t.Logf("%5d  %10d  %5.0f%%  %5.1f  %9.1f  %5.0f  %5.1f  %9.1f  %5.0f  %5.2f  %7.2f", lines, candidates, 100*float64(splits)/all,
		greedy.sum/all, greedy.splits/float64(splits), greedy.worst,
		nearest.sum/all, nearest.splits/float64(splits), nearest.worst, float64(used)/all, float64(usedNearest)/all)
}
