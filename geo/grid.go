package geo

import (
	"math"
	"math/bits"
	"slices"
)

// The grid answers a search without the tree when locations let through are
// dense around the point.
//
// In degrees the part of the globe that has locations is a rectangle. It is halved
// again and again where they are dense; what is not halved is a cell. A cell lists the
// numbers of the locations nearest to its center.
//
// Invariant: a location of the tree that is not among the first stages[i]
// numbers of a cell is at least beyond[i] from the cell's center (chord), hence, by
// the triangle inequality, at least beyond[i]-|p-center| from a point p.
//
// That holds for every p, in the cell or not, and for every center, on the sphere
// or not. So neither the rounding of the center nor of the edges of cells can
// make an answer wrong.
const (
	listed    = 11   // numbers per cell, so that a cell is one cache line
	tableBits = 5    // the tables below the first are at most 2^5 by 2^5
	maxBits   = 30   // a row or column is at least 2^-30 of the frame
	minRadius = 1e-6 // no cell is cut that is smaller, about 6 m
)

// When to halve. The list proves what is nearer than beyond-|p-center|; both are
// in units of the radius of a rectangle. Measured on towns with 90 % let through:
// a margin of 0.7 proves 94 % of searches with 0.5 to 0.8 cells per location, 0.9 proves
// 98 % with 0.75 to 1.0, 1.1 proves 99.4 % with 1.0 to 1.2. A wider
// neighbourhood adds cells and hardly proves more.
const (
	cutMargin = 0.9 // halve if the list ends less than this behind its second location
	cutNear   = 1.0 // and if the first location is nearer than this to the center
)

var stages = [2]int{4, listed}

// cell is one cache line.
type cell struct {
	center  [3]float32
	beyond  [2]float32
	numbers [listed]uint32
}

// grid is a tree of tables. An entry is a cell number, or leads to a finer
// table. A cell larger than the finest entry of its table fills several entries.
//
// Each step down is a cache miss that waits for the one before. So a table
// is as fine as its share of locations asks for, and most searches make one or two
// steps: the first table has about one entry per two locations, the others about two
// per location in their rectangle.
type grid struct {
	frame frame
	bits  uint32 // the first table is 2^bits by 2^bits
	table []uint32
	cells []cell
}

// An entry that leads to a table has the top bit set, then three bits for the
// table's own bits less one, then the offset of the table.
const (
	finer      = 1 << 31
	offsetBits = 28
	offsetMask = 1<<offsetBits - 1
)

// frame is the rectangle in degrees that the grid covers, as the fixed-point
// fractions of its height and width: where the locations are, so that a chain
// in one country has a grid as fine as its number of locations allows. A point
// outside is given the nearest cell at the border.
type frame struct {
	south, west    float64
	perLat, perLon float64 // fractions, in units of 2^-32, per degree
}

func newFrame(points []Point) frame {
	low, high := points[0], points[0]
	for _, p := range points {
		low = Point{min(low.Lat, p.Lat), min(low.Lon, p.Lon)}
		high = Point{max(high.Lat, p.Lat), max(high.Lon, p.Lon)}
	}
	const rim = 0.01 // degrees, so that no side is zero
	low = Point{max(low.Lat-rim, -90), max(low.Lon-rim, -180)}
	high = Point{min(high.Lat+rim, 90), min(high.Lon+rim, 180)}
	return frame{
		south: low.Lat, perLat: (1<<32 - 1) / (high.Lat - low.Lat),
		west: low.Lon, perLon: (1<<32 - 1) / (high.Lon - low.Lon),
	}
}

// at returns the row and column of a point as 32-bit fractions.
func (f *frame) at(p Point) (row, column uint32) {
	return fraction((p.Lat - f.south) * f.perLat), fraction((p.Lon - f.west) * f.perLon)
}

func fraction(v float64) uint32 { return uint32(min(max(int64(v), 0), 1<<32-1)) }

// find returns the cell of a valid point. The grid has at least one.
func (g *grid) find(p Point) *cell {
	row, column := g.frame.at(p)
	bits := g.bits & 31
	e := g.table[row>>(32-bits)<<bits|column>>(32-bits)]
	for e&finer != 0 {
		row <<= bits
		column <<= bits
		bits = e>>offsetBits&7 + 1
		e = g.table[e&offsetMask+row>>(32-bits)<<bits+column>>(32-bits)]
	}
	return &g.cells[e]
}

// gridBuilder cuts the globe. The locations that can matter to a cell are
// passed down and thinned out at each cut, so the whole costs about
// as much as a few dozen distances per cell.
type gridBuilder struct {
	grid
	places        []place
	rows, columns []uint32  // by number, as in find
	stack         []uint32  // candidates of the cells on the way down
	far           []float64 // squared chords from the present center, per candidate
	most          int       // cells
	work          int       // candidates still to be looked at
}

func newGrid(places []place, points []Point) grid {
	if len(places) == 0 {
		return grid{}
	}
	b := gridBuilder{places: places, most: 2*len(places) + 1<<10, work: 4000*len(places) + 1<<20}
	b.frame = newFrame(points)
	for _, p := range points {
		row, column := b.frame.at(p)
		b.rows, b.columns = append(b.rows, row), append(b.columns, column)
	}
	root := region{bits: min(max(fineness(len(places)/2), 2), 11)}
	b.bits = uint32(root.bits)
	b.table = make([]uint32, 1<<(2*root.bits))
	b.stack = make([]uint32, len(places), 2*len(places)+64)
	for n := range b.stack {
		b.stack[n] = uint32(n)
	}
	b.cut(rectangle{}, root, 0)
	b.cells = slices.Clip(b.cells)
	b.table = slices.Clip(b.table)
	return b.grid
}

// rectangle is a part of the globe: the leading bits of latitude and longitude.
type rectangle struct {
	rowBits, columnBits int
	row, column         uint32
}

// region is the table that a rectangle is in: its offset, the bits before it, and
// its own.
type region struct{ offset, before, bits int }

// shape is the geometry of a rectangle.
type shape struct {
	center     [3]float32
	radius     float64 // no point of it is farther from the center (chord)
	high, wide float64 // height and largest width in degrees of arc
}

// shape relies on the haversine formula: the squared chord between two places is
// 4·sin²(Δlat/2) + cos(lat1)·cos(lat2)·4·sin²(Δlon/2).
func (s rectangle) shape(f *frame) (g shape) {
	up, right := math.Ldexp(1/f.perLat, 32-s.rowBits), math.Ldexp(1/f.perLon, 32-s.columnBits)
	south, west := float64(s.row)*up+f.south, float64(s.column)*right+f.west
	widest := 1.0 // cosine of the latitude nearest to the equator
	if south > 0 || south+up < 0 {
		_, widest = sincos(min(math.Abs(south), math.Abs(south+up)))
	}
	middle := Point{south + up/2, west + right/2}.vector()
	g.center = [3]float32{float32(middle.x), float32(middle.y), float32(middle.z)}
	g.high, g.wide = up, right*widest
	const rounding = 2e-7 // of the center to float32
	g.radius = math.Hypot(g.high, g.wide)*(math.Pi/360) + rounding
	return g
}

// cut makes a rectangle a cell, or halves it. Its candidates are stack[from:].
//
// Invariant: the candidates hold every location that is one of the listed+1
// nearest of any point of the rectangle or of its center.
func (b *gridBuilder) cut(s rectangle, t region, from int) {
	g := s.shape(&b.frame)
	center := vector{float64(g.center[0]), float64(g.center[1]), float64(g.center[2])}
	near := b.rank(center, from)
	rows, columns := t.before+t.bits-s.rowBits, t.before+t.bits-s.columnBits
	sliver := columns > 0 && g.wide < g.high/16 // beside a pole
	b.work -= len(b.stack) - from
	if sliver || rows+columns == 0 && s.rowBits == maxBits || g.radius < minRadius || b.spent() || !near.worthCutting(g.radius) {
		b.fill(s, t, near.cell(g.center))
		return
	}
	if rows+columns == 0 {
		t = b.newTable(s, t, from)
		rows, columns = t.bits, t.bits
	}
	// What is nearer to a point of the rectangle than its listed+1 nearest is
	// within the last distance plus twice the radius of the center.
	keep := math.Sqrt(near.far[listed]) + 2*g.radius
	keep *= keep * (1 + 1e-9)
	end := len(b.stack)
	for i := from; i < end; i++ {
		if b.far[i-from] <= keep {
			b.stack = append(b.stack, b.stack[i])
		}
	}
	lower, upper := s, s
	if rows == 0 || columns > 0 && g.wide > g.high {
		lower.columnBits, lower.column = s.columnBits+1, s.column<<1
		upper.columnBits, upper.column = s.columnBits+1, s.column<<1|1
	} else {
		lower.rowBits, lower.row = s.rowBits+1, s.row<<1
		upper.rowBits, upper.row = s.rowBits+1, s.row<<1|1
	}
	b.cut(lower, t, end)
	b.cut(upper, t, end)
	b.stack = b.stack[:end]
}

// spent reports whether the grid is as large as it may be, or has cost as much.
// What is left is not cut any more, so no set of locations, say 100,000 in
// a few buildings, makes a grid that costs more than a constant per location.
func (b *gridBuilder) spent() bool {
	return b.work < 0 || len(b.cells) >= b.most || len(b.table) > offsetMask-1<<(2*tableBits)
}

// newTable adds a table for a rectangle that is one entry of its present table.
func (b *gridBuilder) newTable(s rectangle, t region, from int) region {
	inside := 0
	for _, n := range b.stack[from:] {
		if b.rows[n]>>(32-s.rowBits) == s.row && b.columns[n]>>(32-s.columnBits) == s.column {
			inside++
		}
	}
	at := b.entry(s, t)
	finest := min(tableBits, maxBits-s.rowBits)
	t = region{offset: len(b.table), before: s.rowBits, bits: min(max(fineness(2*inside), 1), finest)}
	b.table[at] = finer | uint32(t.bits-1)<<offsetBits | uint32(t.offset)
	b.table = append(b.table, make([]uint32, 1<<(2*t.bits))...)
	return t
}

// fineness is the bits of a square table with about n entries.
func fineness(n int) int { return (bits.Len(uint(n)) + 1) / 2 }

// entry is the table position of the first entry of a rectangle.
func (b *gridBuilder) entry(s rectangle, t region) int {
	mask := uint32(1)<<t.bits - 1
	row, column := s.row<<(t.before+t.bits-s.rowBits), s.column<<(t.before+t.bits-s.columnBits)
	return t.offset + int(row&mask)<<t.bits + int(column&mask)
}

func (b *gridBuilder) fill(s rectangle, t region, c cell) {
	at := b.entry(s, t)
	for row := range 1 << (t.before + t.bits - s.rowBits) {
		for column := range 1 << (t.before + t.bits - s.columnBits) {
			b.table[at+row<<t.bits+column] = uint32(len(b.cells))
		}
	}
	b.cells = append(b.cells, c)
}

// ranked is the beginning of the list of locations by distance from a center.
type ranked struct {
	count   int // at most listed+1
	far     [listed + 1]float64
	numbers [listed + 1]uint32
}

// rank finds the nearest candidates of a center and leaves all squared chords in b.far.
func (b *gridBuilder) rank(center vector, from int) (r ranked) {
	b.far = b.far[:0]
	for _, n := range b.stack[from:] {
		d := chord2(center, b.places[n].at)
		b.far = append(b.far, d)
		if r.count == len(r.far) {
			if d >= r.far[listed] {
				continue
			}
			r.count--
		}
		i := r.count
		for ; i > 0 && r.far[i-1] > d; i-- {
			r.far[i], r.numbers[i] = r.far[i-1], r.numbers[i-1]
		}
		r.far[i], r.numbers[i] = d, n
		r.count++
	}
	return r
}

// worthCutting reports whether a smaller rectangle would prove more: the list leaves
// locations out, it hardly goes beyond the first ones, and there are
// locations near enough for that to change soon.
func (r *ranked) worthCutting(radius float64) bool {
	if r.count <= listed {
		return false
	}
	first, second, last := math.Sqrt(r.far[0]), math.Sqrt(r.far[1]), math.Sqrt(r.far[listed])
	return last-second < cutMargin*radius && first < cutNear*radius
}

func (r *ranked) cell(center [3]float32) cell {
	c := cell{center: center}
	for i := range c.numbers {
		c.numbers[i] = r.numbers[min(i, r.count-1)]
	}
	for i, end := range stages {
		c.beyond[i] = 8 // the list is all there is
		if end < r.count {
			c.beyond[i] = float32(math.Sqrt(r.far[end]) * (1 - 1e-7))
		}
	}
	sortStages(&c)
	return c
}

// sortStages sorts the numbers of each stage, so that those of one mask word follow
// each other. Their order within a stage has no meaning.
func sortStages(c *cell) {
	from := 0
	for _, end := range stages {
		for i := from + 1; i < end; i++ {
			for j := i; j > from && c.numbers[j] < c.numbers[j-1]; j-- {
				c.numbers[j], c.numbers[j-1] = c.numbers[j-1], c.numbers[j]
			}
		}
		from = end
	}
}
