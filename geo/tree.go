package geo

import "math"

// unit is 1 in the fixed-point coordinates of boxes: 2^30, about 6 mm on the
// ground. Differences of coordinates fit in 32 bits, sums of their squares in 64.
const unit = 1 << 30

// outward is by how many units a box is larger than its content on each side,
// after rounding outward: one, for the rounding of the searched point. Tests
// set it to a wrong value to see that they notice.
var outward = 1.0

// box encloses the locations of one block in fixed-point coordinates.
//
// Invariant: for every location v in the block and every searched point q, the
// gap from fix(q) to the box is at most chord2(q, v)·2^60.
type box struct{ low, high [3]int32 }

// fixed is a searched point in fixed-point coordinates.
type fixed struct{ x, y, z int64 }

func fix(v vector) fixed {
	return fixed{int64(v.x * unit), int64(v.y * unit), int64(v.z * unit)}
}

// gap is the squared distance from a point to a box, in units of 2^-60 and
// without rounding; 0 inside.
func (b *box) gap(q fixed) int64 {
	dx := positive(int64(b.low[0])-q.x) + positive(q.x-int64(b.high[0]))
	dy := positive(int64(b.low[1])-q.y) + positive(q.y-int64(b.high[1]))
	dz := positive(int64(b.low[2])-q.z) + positive(q.z-int64(b.high[2]))
	return dx*dx + dy*dy + dz*dz
}

// reach is the squared distance from a point to the farthest corner of a box, in
// units of 2^-60: no location in the block is farther.
func (b *box) reach(q fixed) int64 {
	dx := max(q.x-int64(b.low[0]), int64(b.high[0])-q.x)
	dy := max(q.y-int64(b.low[1]), int64(b.high[1])-q.y)
	dz := max(q.z-int64(b.low[2]), int64(b.high[2])-q.z)
	return dx*dx + dy*dy + dz*dz
}

// positive is max(v, 0) without a branch or a comparison.
func positive(v int64) int64 { return v &^ (v >> 63) }

// gapLimit is the largest gap that a block with a location at squared chord c
// can have. The factor covers the rounding of c.
func gapLimit(c float64) int64 { return int64(c*(unit*unit*(1+0x1p-48))) + 8 }

// gapChord2 is a squared chord that no location of a block with that gap goes below.
func gapChord2(gap int64) float64 { return float64(gap) * (0x1p-60 * (1 - 0x1p-48)) }

// buildBoxes fills blocks and boxes from the places upward.
func (t *tree) buildBoxes() {
	t.blocks[0] = int(t.base)
	for level := 1; ; level++ {
		t.blocks[level] = (t.blocks[level-1] + 7) / 8
		t.boxes[level] = make([]box, (t.blocks[level]+7)&^7)
		for b := range t.blocks[level] {
			t.boxes[level][b] = t.enclose(level, b)
		}
		t.height = level
		if t.blocks[level] <= 1 {
			return
		}
	}
}

func (t *tree) enclose(level, block int) box {
	first, last := block*8, min(block*8+8, t.blocks[level-1])
	low := [3]int32{math.MaxInt32, math.MaxInt32, math.MaxInt32}
	high := [3]int32{math.MinInt32, math.MinInt32, math.MinInt32}
	for i := first; i < last; i++ {
		child := box{}
		if level == 1 {
			child = t.places[i].at.box()
		} else {
			child = t.boxes[level-1][i]
		}
		for a := range 3 {
			low[a] = min(low[a], child.low[a])
			high[a] = max(high[a], child.high[a])
		}
	}
	return box{low, high}
}

// box is the box of one place: rounded outward, and one unit more because the
// searched point is cut to a unit as well.
func (v vector) box() (b box) {
	for a, c := range [3]float64{v.x, v.y, v.z} {
		b.low[a] = int32(math.Floor(c*unit) - outward)
		b.high[a] = int32(math.Ceil(c*unit) + outward)
	}
	return b
}

// buildTwins marks the blocks of 64 or more whose locations are all at one
// place. In such a block the first set number is the nearest, and the first in
// order, so it is never looked into: 10,000 lockers in one building cost
// a search a few blocks and not 10,000 distances.
func (t *tree) buildTwins() {
	for level := 2; level <= t.height; level++ {
		t.twins[level] = make([]uint64, (t.blocks[level]+63)/64)
		for b := range t.blocks[level] {
			if t.onePlace(level, b) {
				t.twins[level][b>>6] |= 1 << (b & 63)
				t.twin = true
			}
		}
	}
}

// onePlace reports whether a block is one place, given the marks of the level
// below.
func (t *tree) onePlace(level, block int) bool {
	first, end := t.numbers(level, block)
	step := 1
	if level > 2 {
		step = 1 << (3 * (level - 1))
	}
	for n := first; n < end; n += step {
		if t.places[n].at != t.places[first].at || step > 1 && !t.isTwin(level-1, n/step) {
			return false
		}
	}
	return true
}

func (t *tree) isTwin(level, block int) bool {
	return t.twins[level][block>>6]>>(block&63)&1 != 0
}

// numbers is the half-open range of numbers in a block.
func (t *tree) numbers(level, block int) (first, end int) {
	return block << (3 * level), min((block+1)<<(3*level), int(t.base))
}
