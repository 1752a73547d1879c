package cover

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// order draws what a shopper and the shops around bring: locations spread over
// a disc of 100 km, nearest first, a parcel for 4.50 and 0.03 a km, and each
// line on the shelf of a share of the locations of its own, 5 to 60 %. Every
// second problem has handling prices, by location and line.
func order(rng *rand.Rand, lines, candidates int) *Problem {
	p := &Problem{Lines: lines, Candidates: make([]Candidate, candidates)}
	share := make([]float64, lines)
	for i := range share {
		share[i] = 0.05 + 0.55*rng.Float64()
	}
	handling := rng.IntN(2) == 0
	km := make([]float64, candidates)
	for j := range km {
		km[j] = 100 * math.Sqrt(rng.Float64())
	}
	slices.Sort(km)
	for j := range p.Candidates {
		c := &p.Candidates[j]
		c.Fixed = 450 + int64(3*km[j])
		if handling {
			c.Prices = make([]int64, lines)
		}
		for i := range lines {
			if rng.Float64() < share[i] {
				c.Lines |= 1 << i
			}
			if handling {
				c.Prices[i] = 20 + rng.Int64N(60)
			}
		}
	}
	for i := range lines { // every line is somewhere
		p.Candidates[rng.IntN(candidates)].Lines |= 1 << i
	}
	return p
}

func orders(n, lines, candidates int) []*Problem {
	rng := rand.New(rand.NewPCG(uint64(lines), uint64(candidates)))
	all := make([]*Problem, n)
	for i := range all {
		all[i] = order(rng, lines, candidates)
	}
	return all
}

// BenchmarkSolve runs through 512 orders of each size. p50-ns and p99-ns are of
// one call, each timed alone; exact-% is how many ended within the budget.
func BenchmarkSolve(b *testing.B) {
	for _, size := range [][2]int{{2, 16}, {2, 64}, {5, 16}, {5, 64}, {8, 16}, {8, 64}, {12, 64}, {20, 64}} {
		for _, most := range []int{0, 3} {
			if most > 0 && size[0] < 5 {
				continue
			}
			b.Run(fmt.Sprintf("lines=%d/candidates=%d/most=%d", size[0], size[1], most), func(b *testing.B) {
				problems := orders(512, size[0], size[1])
				for _, p := range problems {
					p.Most = most
				}
				measure(b, problems)
			})
		}
	}
}

// BenchmarkSolveDense is the worst case up to eight lines: everybody has
// everything, at prices of which none is lower throughout.
func BenchmarkSolveDense(b *testing.B) {
	rng := rand.New(rand.NewPCG(8, 8))
	problems := make([]*Problem, 64)
	for n := range problems {
		problems[n] = order(rng, 8, 64)
		for j := range problems[n].Candidates {
			c := &problems[n].Candidates[j]
			c.Lines, c.Prices = 0xff, make([]int64, 8)
			for i := range c.Prices {
				c.Prices[i] = rng.Int64N(400)
			}
		}
	}
	measure(b, problems)
}

func measure(b *testing.B, problems []*Problem) {
	b.ReportAllocs()
	var s Solver
	exact := 0
	for _, p := range problems {
		if got, err := s.Solve(p); err != nil {
			b.Fatal(err)
		} else if got.Exact {
			exact++
		}
	}
	took := make([]time.Duration, 0, 1<<16)
	n := 0
	for b.Loop() {
		start := time.Now()
		_, _ = s.Solve(problems[n%len(problems)])
		if n++; len(took) < cap(took) {
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
	b.ReportMetric(float64(100*exact)/float64(len(problems)), "exact-%")
}
