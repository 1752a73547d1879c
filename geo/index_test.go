package geo

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"pgregory.net/rapid"
)

// TestCanaries sees to it that the checks of this package can fail.
func TestCanaries(t *testing.T) {
	t.Run("boxes rounded inward", func(t *testing.T) {
		outward = -1
		defer func() { outward = 1 }()
		r := rand.New(rand.NewPCG(4, 0))
		var search Search
		for range 300 {
			s := drawScene(t, r, worlds[5], 600) // 1 m clusters: boxes of a few units
			withoutGrid(s.index)
			for range 100 {
				p := drawQuery(r, s.points)
				if s.checkFirst(&search, p, nil, 0) != nil {
					return
				}
			}
		}
		t.Error("30,000 searches with boxes too small were all right")
	})
	t.Run("nearest in degrees", func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 0))
		s := drawScene(t, r, worlds[0], 500)
		wrong := 0
		for range 1000 {
			p := uniform(r)
			best, nearest := math.Inf(1), uint32(0)
			for i, q := range s.points {
				if d := math.Hypot(p.Lat-q.Lat, p.Lon-q.Lon); d < best {
					best, nearest = d, uint32(i)
				}
			}
			if want, _ := s.first(p, 0, s.pass(nil)); nearest != want {
				wrong++
			}
		}
		if wrong < 20 {
			t.Errorf("a planar nearest was found wrong %d times in 1000", wrong)
		}
	})
	t.Run("lists taken for complete", func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 0))
		s := drawScene(t, r, worlds[0], 2000)
		for i := range s.index.grid.cells {
			s.index.grid.cells[i].beyond = [2]float32{8, 8}
		}
		var search Search
		for range 2000 {
			if s.checkFirst(&search, uniform(r), drawMask(r, 2000, 0.3), 0) != nil {
				return
			}
		}
		t.Error("2,000 searches with lists taken for complete were all right")
	})
}

// withoutGrid takes the proof from all lists, so that each search needs the tree.
func withoutGrid(x *Index) {
	for i := range x.grid.cells {
		x.grid.cells[i].beyond = [2]float32{}
	}
}

func TestTreeAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 0))
	scenes := 400
	if !scaletest.Full() {
		scenes = 40
	}
	var search Search
	for range scenes {
		s := drawScene(t, r, worlds[r.IntN(len(worlds))], 1+r.IntN(6000))
		withoutGrid(s.index)
		for range 40 {
			p := drawQuery(r, s.points)
			if err := s.checkFirst(&search, p, drawAnyMask(r, len(s.points)), s.drawWithin(r, p)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCellsListTheNearest checks the invariant of the grid against all locations.
func TestCellsListTheNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 0))
	for _, w := range worlds {
		x := drawScene(t, r, w, 700).index
		for i := range x.grid.cells {
			c := &x.grid.cells[i]
			center := vector{float64(c.center[0]), float64(c.center[1]), float64(c.center[2])}
			for n := range x.base {
				for stage, end := range stages {
					if !slices.Contains(c.numbers[:end], n) && math.Sqrt(chord2(center, x.places[n].at)) < float64(c.beyond[stage]) {
						t.Fatalf("%s: cell %d leaves out number %d, which is nearer than its list ends", w.name, i, n)
					}
				}
			}
		}
	}
}

func TestNumbering(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	for _, w := range worlds {
		s := drawScene(t, r, w, 3000)
		x := s.index
		seen := make([]bool, x.Len())
		for n := range uint32(x.Len()) {
			item := x.Item(n)
			if seen[item] || x.Number(item) != n || x.Point(n) != s.points[item] {
				t.Fatalf("%s: number %d is item %d, which is number %d", w.name, n, item, x.Number(item))
			}
			seen[item] = true
		}
	}
	// Aligned blocks are compact: among 4,096 uniform points a block of 64 is
	// a patch of about a 64th of the globe.
	points := worlds[0].draw(r, 4096)
	x, err := NewIndex(points, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint32(4096) {
		if d := Distance(x.Point(n), x.Point(n&^63)); d > 7e6 {
			t.Fatalf("numbers %d and %d share a block and are %.0f km apart", n, n&^63, d/1000)
		}
	}
}

func TestRefusedPoints(t *testing.T) {
	_, err := NewIndex([]Point{{1, 1}, {1, math.NaN()}}, nil)
	var refused *PointError
	if !errors.As(err, &refused) || refused.Field != "Lon" || err.Error() != "geo: index: item 1: geo: Lon NaN: not a number" {
		t.Errorf("NaN: %v", err)
	}
	x, err := NewIndex([]Point{{1, 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.With(Point{2, 2}, Point{91, 0}); !errors.Is(err, ErrPoint) || err.Error() != "geo: index: item 2: geo: Lat 91: outside -90 to 90 degrees" {
		t.Errorf("With: %v", err)
	}
}

func TestNoResult(t *testing.T) {
	empty, err := NewIndex(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	one, err := empty.With(Point{50, 20})
	if err != nil {
		t.Fatal(err)
	}
	two, err := NewIndex([]Point{{50, 20}, {51, 20}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	nan, inf := math.NaN(), math.Inf(1)
	var s Search
	if _, _, ok := s.Next(); ok {
		t.Error("a search that was not started has a result")
	}
	for _, x := range []*Index{empty, one, two} {
		for _, p := range []Point{{nan, 0}, {0, nan}, {inf, 0}, {0, -inf}, {91, 0}, {0, 181}, {1e300, 1e300}} {
			s.Start(x, p, nil, 0)
			if n, _, ok := s.Next(); ok || x.Within(p, 0) != 0 {
				t.Errorf("from %v: found %d", p, n)
			}
		}
		for _, within := range []Meters{-1, Meters(nan), Meters(-inf), 1e-9} {
			s.Start(x, Point{0, 0}, newBitMask(2), within)
			if n, _, ok := s.Next(); ok {
				t.Errorf("within %v: found %d", within, n)
			}
		}
		s.Start(x, Point{0, 0}, nil, Meters(inf))
		for range x.Len() {
			if _, _, ok := s.Next(); !ok {
				t.Error("within +Inf is not everywhere")
			}
		}
		if _, _, ok := s.Next(); ok {
			t.Error("one result too many")
		}
		s.StartList(x, Point{0, 0}, nil, 0)
		if _, _, ok := s.Next(); ok {
			t.Error("an empty list has a result")
		}
	}
	s.Start(two, Point{0, 0}, nil, 0)
	s.Reset()
	if _, _, ok := s.Next(); ok || s.x != nil || s.mask != nil {
		t.Error("Reset left something")
	}
	if one.Overflow() != 1 || one.Len() != 1 || two.Overflow() != 0 {
		t.Error("wrong overflow")
	}
}

// countingMask counts the words read.
type countingMask struct {
	*bitMask
	words int
}

func (m *countingMask) Word(level, word int) uint64 {
	m.words++
	return m.bitMask.Word(level, word)
}

// TestTenThousandAtOnePlace sees that one building full of lockers is answered by
// reading a few words, in the order of before.
func TestTenThousandAtOnePlace(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 0))
	const n = 10_000
	points := make([]Point, n)
	for i := range points {
		points[i] = Point{52.2, 21}
	}
	for range 500 {
		points = append(points, uniform(r))
	}
	w := newTwin(points, r.Perm(len(points)))
	x, err := NewIndex(points, w.before)
	if err != nil {
		t.Fatal(err)
	}
	s := scene{w, x}
	var search Search
	for _, density := range []float64{1, 0.9, 0.01, 0.0005} {
		m := drawMask(r, len(points), density)
		for _, p := range []Point{{52.2, 21}, {52.20001, 21}, {50, 20}, {-52.2, -159}} {
			if err := s.checkFirst(&search, p, m, 0); err != nil {
				t.Fatal(err)
			}
			if err := s.checkOrder(&search, p, m, 0, nil); err != nil {
				t.Fatal(err)
			}
		}
		counted := &countingMask{bitMask: m}
		search.Start(x, Point{52.2, 21}, counted, 0)
		search.Next()
		if counted.words > 120 {
			t.Errorf("density %v: the first result took %d words", density, counted.words)
		}
		counted.words = 0
		for range 20 {
			search.Next()
		}
		if counted.words > 600 {
			t.Errorf("density %v: 20 more results took %d words", density, counted.words)
		}
	}
}

func TestConcurrentSearches(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 0))
	s := drawScene(t, r, worlds[1], 3000)
	m := drawMask(r, 3000, 0.3)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			r := rand.New(rand.NewPCG(9, uint64(worker+1)))
			var search Search
			for range 200 {
				if err := s.checkFirst(&search, drawQuery(r, s.points), m, 0); err != nil {
					t.Error(err)
				}
				if y, err := s.index.With(uniform(r)); err != nil || y.Len() != s.index.Len()+1 {
					t.Error("With:", err)
				}
			}
		})
	}
	group.Wait()
}

func TestSearchDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 0))
	s := drawScene(t, r, worlds[1], 3000)
	masks := []*bitMask{drawMask(r, 3000, 0.9), drawMask(r, 3000, 0.01)}
	var search Search
	run := func() {
		for i := range uint32(50) {
			search.Start(s.index, s.points[i], masks[i&1], 0)
			for range 5 {
				search.Next()
			}
			search.StartList(s.index, s.points[i], []uint32{1, 2, 3, i}, 0)
			search.Next()
		}
		search.Reset()
	}
	run()
	if n := testing.AllocsPerRun(10, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNearestProperty(t *testing.T) {
	coordinate := func(most float64) *rapid.Generator[float64] {
		return rapid.OneOf(rapid.Float64Range(-most, most),
			rapid.SampledFrom([]float64{-most, -most / 2, 0, most / 2, most}))
	}
	point := rapid.Custom(func(t *rapid.T) Point {
		return Point{coordinate(90).Draw(t, "lat"), coordinate(180).Draw(t, "lon")}
	})
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfN(point, 1, 100).Draw(t, "points")
		early := rapid.IntRange(0, len(points)).Draw(t, "early")
		x, err := NewIndex(points[:early], nil)
		if err != nil {
			t.Fatal(err)
		}
		if x, err = x.With(points[early:]...); err != nil {
			t.Fatal(err)
		}
		s := scene{newTwin(points, ascending(len(points))), x}
		m := newBitMask(len(points))
		for _, n := range rapid.SliceOf(rapid.IntRange(0, len(points)-1)).Draw(t, "set") {
			m.set(uint32(n))
		}
		var search Search
		p := point.Draw(t, "from")
		if err := s.checkOrder(&search, p, m, Meters(rapid.Float64Range(0, 2.1e7).Draw(t, "within")), nil); err != nil {
			t.Fatal(err)
		}
	})
}

func ascending(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
