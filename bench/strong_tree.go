package bench

import (
	"cmp"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/geo"
)

// leafSize is the most points a leaf of the tree holds.
const leafSize = 8

// vector is a point on the unit sphere. Chord length grows with great-circle
// distance, so the nearest by chord is the nearest on the globe, with no
// special case at the poles or the antimeridian.
type vector [3]float64

func unitVector(p geo.Point) vector {
	const degree = math.Pi / 180
	sinLat, cosLat := math.Sincos(p.Lat * degree)
	sinLon, cosLon := math.Sincos(p.Lon * degree)
	return vector{cosLat * cosLon, cosLat * sinLon, sinLat}
}

// chordSquared returns the squared chord of a great-circle distance in metres;
// 0 stands for the whole globe.
func chordSquared(metres float64) float64 {
	if metres <= 0 || metres >= math.Pi*earthRadius {
		return math.Inf(1)
	}
	half := math.Sin(metres / (2 * earthRadius))
	return 4 * half * half
}

// kdTree is a balanced k-d tree (Bentley 1975) without pointers: node i has
// the children 2i+1 and 2i+2, and splits its range of points in the middle.
// The points lie in the tree's order, so a leaf is one run of memory.
type kdTree struct {
	points []vector
	axes   []uint8
	cuts   []float64
}

// build arranges points and returns, for each place in the tree's order, the
// index the point had. It takes points over.
func (t *kdTree) build(points []vector) []int {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	nodes := 1
	for size := len(points); size > leafSize; size = (size + 1) / 2 {
		nodes = 2*nodes + 1
	}
	t.axes, t.cuts = make([]uint8, nodes), make([]float64, nodes)
	t.split(0, order, points)
	t.points = make([]vector, len(points))
	for i, was := range order {
		t.points[i] = points[was]
	}
	return order
}

// split cuts the widest axis at the median, and goes on with both halves.
func (t *kdTree) split(node int, order []int, points []vector) {
	if len(order) <= leafSize {
		return
	}
	low, high := points[order[0]], points[order[0]]
	for _, i := range order[1:] {
		for axis, x := range points[i] {
			low[axis], high[axis] = min(low[axis], x), max(high[axis], x)
		}
	}
	widest := 0
	for axis := range low {
		if high[axis]-low[axis] > high[widest]-low[widest] {
			widest = axis
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(points[a][widest], points[b][widest]) })
	middle := len(order) / 2
	t.axes[node], t.cuts[node] = uint8(widest), points[order[middle]][widest]
	t.split(2*node+1, order[:middle], points)
	t.split(2*node+2, order[middle:], points)
}

// kdFrame is a subtree still to be searched. away holds the distance from the
// query to the subtree's side of the cuts, per axis, and squared their sum of
// squares: a lower bound on the distance to any point in it (Arya and Mount
// 1993).
type kdFrame struct {
	node, low, high int32
	squared         float64
	away            vector
}

// nearest returns the number of the nearest location that has all lines and
// is no further than reach, a squared chord, or -1. The stock of a location
// is looked at only if it would be the best so far, and a subtree is searched
// only if it could hold a nearer one, so that no location is looked at twice
// and nothing is allocated.
func (e *strong) nearest(q vector, reach float64, lines []strongLine) int32 {
	var stack [40]kdFrame
	stack[0].high = int32(len(e.tree.points))
	best, bestSquared := int32(-1), reach
	for depth := 1; depth > 0; {
		depth--
		f := stack[depth]
		if f.squared > bestSquared || f.squared == bestSquared && best >= 0 {
			continue
		}
		for f.high-f.low > leafSize {
			axis, middle := e.tree.axes[f.node], f.low+(f.high-f.low)/2
			distance := q[axis] - e.tree.cuts[f.node]
			far := f
			far.squared += distance*distance - f.away[axis]*f.away[axis]
			far.away[axis] = distance
			if distance < 0 {
				far.node, far.low = 2*f.node+2, middle
				f.node, f.high = 2*f.node+1, middle
			} else {
				far.node, far.high = 2*f.node+1, middle
				f.node, f.low = 2*f.node+2, middle
			}
			if far.squared <= bestSquared {
				stack[depth] = far
				depth++
			}
		}
		for i := f.low; i < f.high; i++ {
			p := &e.tree.points[i]
			dx, dy, dz := p[0]-q[0], p[1]-q[1], p[2]-q[2]
			squared := dx*dx + dy*dy + dz*dz
			if (squared < bestSquared || squared == bestSquared && best < 0) && e.canFill(i, lines) {
				best, bestSquared = i, squared
			}
		}
	}
	return best
}
