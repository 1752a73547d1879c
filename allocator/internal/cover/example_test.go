package cover

import (
	"slices"
	"testing"
)

// TestJoint is the published example of three orders for one item each and
// three stores with one unit each (Grid Dynamics, "Ship from store and save",
// 2021, blog.griddynamics.com): served one after the other, each at its best
// price, the orders cost 2 + 19 + 18 = 39; served together, 6 + 7 + 15 = 28.
// Stock is not the solver's business: the test takes a unit away, or hands the
// units out in every way there is, and asks for the best price of each order.
func TestJoint(t *testing.T) {
	costs := [3][3]int64{ // by order and store
		{2, 5, 6},
		{7, 19, 20},
		{8, 15, 18},
	}
	var s Solver
	serve := func(order int, stores ...int) (int64, int) {
		p := &Problem{Lines: 1, Candidates: make([]Candidate, 3)}
		for j := range p.Candidates {
			p.Candidates[j].Fixed = costs[order][j]
		}
		for _, j := range stores {
			p.Candidates[j].Lines = 1
		}
		got, err := s.Solve(p)
		if err != nil || !got.Found || !got.Exact {
			t.Fatalf("order %d at stores %v: %v, %+v", order, stores, err, got)
		}
		return got.Cost, got.By[0]
	}
	apart := int64(0)
	stores := []int{0, 1, 2}
	for order := range costs {
		cost, by := serve(order, stores...)
		apart += cost
		stores = slices.DeleteFunc(stores, func(j int) bool { return j == by })
	}
	together := apart
	var best [3]int
	for _, units := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		sum := int64(0)
		for order, store := range units {
			cost, _ := serve(order, store)
			sum += cost
		}
		if sum < together {
			together, best = sum, units
		}
	}
	if apart != 39 || together != 28 || best != [3]int{2, 0, 1} {
		t.Errorf("apart %d, together %d by %v; want 39, 28 by [2 0 1]", apart, together, best)
	}
}
