package geo

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// bitMask is a Mask with exact levels, as a caller would keep it.
type bitMask [3][]uint64

func (m *bitMask) Word(level, word int) uint64 { return m[level][word] }

func newBitMask(n int) *bitMask {
	var m bitMask
	for level := range m {
		n = (n + 63) / 64
		m[level] = make([]uint64, n)
	}
	return &m
}

func (m *bitMask) set(n uint32) {
	for level := range m {
		m[level][n>>6] |= 1 << (n & 63)
		n >>= 6
	}
}

func (m *bitMask) has(n uint32) bool { return m == nil || m[0][n>>6]>>(n&63)&1 != 0 }

// drawMask sets each of n bits with the given probability. The upper levels
// get some bits too many, which a mask may have.
func drawMask(r *rand.Rand, n int, density float64) *bitMask {
	m := newBitMask(n)
	if density < 0.02 {
		for range int(math.Ceil(float64(n) * density * 2 * r.Float64())) {
			m.set(uint32(r.IntN(n)))
		}
	} else {
		for i := range n {
			if r.Float64() < density {
				m.set(uint32(i))
			}
		}
	}
	for range r.IntN(4) {
		m[1][r.IntN(len(m[1]))] |= 1 << r.IntN(64)
		m[2][r.IntN(len(m[2]))] |= 1 << r.IntN(64)
	}
	return m
}

// world draws points of one character.
type world struct {
	name string
	draw func(r *rand.Rand, n int) []Point
}

// wrap brings coordinates that a drawing pushed over an edge back to the globe.
func wrap(p Point) Point {
	p.Lat = max(-90, min(90, p.Lat))
	if p.Lon > 180 {
		p.Lon -= 360
	}
	if p.Lon < -180 {
		p.Lon += 360
	}
	return p
}

func uniform(r *rand.Rand) Point {
	return Point{math.Asin(2*r.Float64()-1) * 180 / math.Pi, r.Float64()*360 - 180}
}

// around draws a point about that many degrees of arc from a center.
func around(r *rand.Rand, center Point, degrees float64) Point {
	shrink := max(math.Cos(center.Lat*math.Pi/180), 0.01)
	return wrap(Point{center.Lat + r.NormFloat64()*degrees, center.Lon + r.NormFloat64()*degrees/shrink})
}

func clusters(each float64, centers ...Point) func(*rand.Rand, int) []Point {
	return func(r *rand.Rand, n int) []Point {
		points := make([]Point, n)
		for i := range points {
			points[i] = around(r, centers[r.IntN(len(centers))], each)
		}
		return points
	}
}

// towns draws places as people live: town sizes follow Zipf's law, and large towns are wider.
type towns struct {
	centers []Point
	spread  []float64
	zipf    []float64 // cumulative
}

func newTowns(r *rand.Rand, n int) *towns {
	t := &towns{}
	sum := 0.0
	for i := range n {
		region := Point{r.Float64()*35 + 30, r.Float64()*60 - 120}
		t.centers = append(t.centers, around(r, region, 1.5))
		t.spread = append(t.spread, 0.3/math.Pow(float64(i+1), 0.35)+0.02)
		sum += 1 / math.Pow(float64(i+1), 0.8)
		t.zipf = append(t.zipf, sum)
	}
	return t
}

func (t *towns) draw(r *rand.Rand) Point {
	i, _ := slices.BinarySearch(t.zipf, r.Float64()*t.zipf[len(t.zipf)-1])
	return around(r, t.centers[i], t.spread[i])
}

func (t *towns) points(r *rand.Rand, n int) []Point {
	points := make([]Point, n)
	for i := range points {
		points[i] = t.draw(r)
	}
	return points
}

const meter = 1 / 111_195.0 // in degrees of arc

var worlds = []world{
	{"uniform", func(r *rand.Rand, n int) []Point {
		points := make([]Point, n)
		for i := range points {
			points[i] = uniform(r)
		}
		return points
	}},
	{"towns", func(r *rand.Rand, n int) []Point { return newTowns(r, 1+n/30).points(r, n) }},
	{"poles", clusters(0.5, Point{90, 0}, Point{-90, 77})},
	{"antimeridian", clusters(1, Point{10, 180}, Point{-40, -180}, Point{66, 179.9})},
	{"cluster=1km", clusters(1000*meter, Point{52.2, 21}, Point{0, 0}, Point{89.99, 5})},
	{"cluster=1m", clusters(meter, Point{52.2, 21}, Point{40, 180}, Point{90, 0})},
	{"equal", func(r *rand.Rand, n int) []Point {
		places := make([]Point, 1+n/20)
		for i := range places {
			places[i] = uniform(r)
		}
		places[0] = Point{90, 0}
		points := make([]Point, n)
		for i := range points {
			points[i] = places[r.IntN(len(places))]
			if points[i].Lat == 90 {
				points[i].Lon = r.Float64()*360 - 180
			}
		}
		return points
	}},
	{"lattice", func(r *rand.Rand, n int) []Point { // many exact ties
		points := make([]Point, n)
		for i := range points {
			points[i] = Point{float64(r.IntN(19)*10 - 90), float64(r.IntN(37)*10 - 180)}
		}
		return points
	}},
}

// drawQuery draws a place to search from, often a special one.
func drawQuery(r *rand.Rand, points []Point) Point {
	near := points[r.IntN(len(points))]
	switch r.IntN(10) {
	case 0:
		return uniform(r)
	case 1:
		return Point{[]float64{90, -90, 0}[r.IntN(3)], []float64{-180, 0, 180, 33}[r.IntN(4)]}
	case 2:
		return near
	case 3:
		return wrap(Point{-near.Lat, near.Lon + 180})
	case 4:
		return wrap(Point{math.Round(near.Lat/5) * 5, math.Round(near.Lon/5) * 5})
	case 5:
		return Point{near.Lat, []float64{-180, 180}[r.IntN(2)]}
	}
	return around(r, near, math.Pow(10, r.Float64()*6-6))
}

// twin is the dumb twin of a search: every location, one after the other.
type twin struct {
	points []Point // by item, overflow included
	rank   []int   // by item; smaller is before
	at     []vector
}

func newTwin(points []Point, rank []int) *twin {
	w := &twin{points: points, rank: rank}
	for _, p := range points {
		w.at = append(w.at, p.vector())
	}
	return w
}

func (w *twin) before(a, b uint32) bool { return w.rank[a] < w.rank[b] }

// order returns the items that pass, nearest first.
func (w *twin) order(p Point, within Meters, pass func(item uint32) bool) []uint32 {
	var items []uint32
	v := p.vector()
	far := make([]float64, len(w.points))
	for i := range w.points {
		if !pass(uint32(i)) || within > 0 && Distance(p, w.points[i]) > within {
			continue
		}
		far[i] = chord2(v, w.at[i])
		items = append(items, uint32(i))
	}
	slices.SortFunc(items, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(far[a], far[b]), cmp.Compare(w.rank[a], w.rank[b]))
	})
	return items
}

// first returns the first of order in one pass.
func (w *twin) first(p Point, within Meters, pass func(item uint32) bool) (item uint32, ok bool) {
	v, best := p.vector(), math.Inf(1)
	for i := range w.points {
		far := chord2(v, w.at[i])
		if far > best || !pass(uint32(i)) || ok && far == best && !w.before(uint32(i), item) {
			continue
		}
		if within > 0 && Distance(p, w.points[i]) > within {
			continue
		}
		item, best, ok = uint32(i), far, true
	}
	return item, ok
}
