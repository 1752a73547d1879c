package geo

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// scene is an index with its dumb twin.
type scene struct {
	*twin
	index *Index
}

// drawScene draws n locations of which some were added later.
func drawScene(t testing.TB, r *rand.Rand, w world, n int) scene {
	t.Helper()
	points := w.draw(r, n)
	s := scene{twin: newTwin(points, r.Perm(n))}
	before := s.twin.before
	if r.IntN(4) == 0 {
		before = nil
		for i := range s.rank {
			s.rank[i] = i
		}
	}
	late := 0
	if r.IntN(2) == 0 {
		late = r.IntN(1 + min(n, 100))
	}
	index, err := NewIndex(points[:n-late], before)
	if err != nil {
		t.Fatal(err)
	}
	for late > 0 {
		some := 1 + r.IntN(late)
		if index, err = index.With(points[n-late : n-late+some]...); err != nil {
			t.Fatal(err)
		}
		late -= some
	}
	s.index = index
	return s
}

func (s *scene) pass(m *bitMask) func(uint32) bool {
	return func(item uint32) bool { return m.has(s.index.Number(item)) }
}

// drawWithin draws a maximum distance: none, some, or exactly that of a location.
func (s *scene) drawWithin(r *rand.Rand, p Point) Meters {
	switch r.IntN(4) {
	case 0:
		return Meters(r.Float64()*r.Float64()) * 2e7
	case 1:
		return Distance(p, s.points[r.IntN(len(s.points))])
	}
	return 0
}

// checkFirst compares one search with the twin.
func (s *scene) checkFirst(search *Search, p Point, m *bitMask, within Meters) error {
	if m == nil {
		search.Start(s.index, p, nil, within)
	} else {
		search.Start(s.index, p, m, within)
	}
	n, d, ok := search.Next()
	item, want := s.first(p, within, s.pass(m))
	switch {
	case ok != want:
		return fmt.Errorf("from %v within %v: found %v, want %v", p, within, ok, want)
	case ok && s.index.Item(n) != item:
		return fmt.Errorf("from %v within %v: item %d at %v, want %d at %v",
			p, within, s.index.Item(n), d, item, Distance(p, s.points[item]))
	case ok && d != Distance(p, s.points[item]):
		return fmt.Errorf("from %v: distance %v, want %v", p, d, Distance(p, s.points[item]))
	}
	return nil
}

// checkOrder compares a search to its end with the twin.
func (s *scene) checkOrder(search *Search, p Point, m *bitMask, within Meters, list []uint32) error {
	pass := s.pass(m)
	switch {
	case list != nil:
		kept := slices.Clone(list)
		search.StartList(s.index, p, list, within)
		if !slices.Equal(list, kept) {
			return fmt.Errorf("the list was changed")
		}
		pass = func(item uint32) bool { return slices.Contains(kept, s.index.Number(item)) }
	case m == nil:
		search.Start(s.index, p, nil, within)
	default:
		search.Start(s.index, p, m, within)
	}
	for i, item := range s.order(p, within, pass) {
		n, d, ok := search.Next()
		if !ok {
			return fmt.Errorf("from %v within %v: ended after %d results", p, within, i)
		}
		if got := s.index.Item(n); got != item || d != Distance(p, s.points[item]) {
			return fmt.Errorf("from %v within %v: result %d is item %d at %v, want %d at %v",
				p, within, i, got, d, item, Distance(p, s.points[item]))
		}
	}
	for range 2 {
		if n, d, ok := search.Next(); ok {
			return fmt.Errorf("from %v within %v: number %d at %v is one too many", p, within, n, d)
		}
	}
	return nil
}

// checkAll compares a search by number with the twin.
func (s *scene) checkAll(search *Search, p Point, m *bitMask, within Meters) error {
	if m == nil {
		search.StartAll(s.index, p, nil, within)
	} else {
		search.StartAll(s.index, p, m, within)
	}
	var want []uint32
	for _, item := range s.order(p, within, s.pass(m)) {
		want = append(want, s.index.Number(item))
	}
	slices.Sort(want)
	for i, n := range want {
		got, d, ok := search.Next()
		if far := Distance(p, s.points[s.index.Item(n)]); !ok || got != n || d != far {
			return fmt.Errorf("all from %v within %v: result %d is number %d at %v, %v, want %d at %v", p, within, i, got, d, ok, n, far)
		}
	}
	for range 2 {
		if n, d, ok := search.Next(); ok {
			return fmt.Errorf("all from %v within %v: number %d at %v is one too many", p, within, n, d)
		}
	}
	return nil
}

var densities = []float64{0.9, 0.1, 0.01, 0.0001}

// drawAnyMask draws a mask of some density, or none.
func drawAnyMask(r *rand.Rand, n int) *bitMask {
	if i := r.IntN(len(densities) + 1); i > 0 {
		return drawMask(r, n, densities[i-1])
	}
	return nil
}

// sweep runs that many searches over scenes of all characters and sizes, on all
// processors. It returns the number of searches and the first error.
func sweep(t testing.TB, searches int, seed uint64, sizes []int) (done int64, first error) {
	var (
		group sync.WaitGroup
		total atomic.Int64
		wrong atomic.Pointer[error]
	)
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(worker)))
			var search Search
			for total.Load() < int64(searches) && wrong.Load() == nil {
				s := drawScene(t, r, worlds[r.IntN(len(worlds))], 1+r.IntN(sizes[r.IntN(len(sizes))]))
				for range 40 {
					m := drawAnyMask(r, len(s.points))
					for range 20 {
						p := drawQuery(r, s.points)
						if err := s.checkFirst(&search, p, m, s.drawWithin(r, p)); err != nil {
							wrong.CompareAndSwap(nil, &err)
							return
						}
					}
					total.Add(20)
				}
			}
		})
	}
	group.Wait()
	if err := wrong.Load(); err != nil {
		first = *err
	}
	return total.Load(), first
}

// TestNearestAgainstEveryLocation is the promise of the package: 0 wrong in a
// million searches.
func TestNearestAgainstEveryLocation(t *testing.T) {
	small, large := 950_000, 60_000
	if !scaletest.Full() {
		small, large = 40_000, 3_000
	}
	for _, run := range []struct {
		searches int
		sizes    []int
	}{{small, []int{1, 3, 20, 100, 600}}, {large, []int{5_000, 40_000}}} {
		done, err := sweep(t, run.searches, 1, run.sizes)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d searches among up to %d locations, 0 wrong", done, slices.Max(run.sizes))
	}
}

func TestOrderAgainstEveryLocation(t *testing.T) {
	rounds := 3000
	if !scaletest.Full() {
		rounds = 200
	}
	r := rand.New(rand.NewPCG(2, 0))
	var search Search
	for range rounds {
		s := drawScene(t, r, worlds[r.IntN(len(worlds))], 1+r.IntN(1+r.IntN(2000)))
		for range 3 {
			p, m := drawQuery(r, s.points), drawAnyMask(r, len(s.points))
			if err := s.checkOrder(&search, p, m, s.drawWithin(r, p), nil); err != nil {
				t.Fatal(err)
			}
			if err := s.checkAll(&search, p, m, s.drawWithin(r, p)); err != nil {
				t.Fatal(err)
			}
			list := make([]uint32, 0, 60)
			for range r.IntN(60) {
				if n := uint32(r.IntN(len(s.points))); !slices.Contains(list, n) {
					list = append(list, n)
				}
			}
			if err := s.checkOrder(&search, p, nil, s.drawWithin(r, p), list); err != nil {
				t.Fatal("list:", err)
			}
			within := s.drawWithin(r, p)
			want := len(s.order(p, within, func(uint32) bool { return true }))
			if got := s.index.Within(p, within); got != want {
				t.Fatalf("%d within %v of %v, want %d", got, within, p, want)
			}
		}
	}
}
