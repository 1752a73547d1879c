package geo

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Mask says which locations a search may return. Bit i of Word(level, w) stands
// for block w*64+i of that level: on level 0 a block is one number, on level 1
// 64 numbers, on level 2 4096.
//
// Level 0 is exact. A bit of level 1 or 2 may be set although its block is
// empty, which costs time; it must never be clear while a bit below it is set,
// because the block is then not looked into. Bits of numbers that the index does not
// have are ignored. Words of all levels may be asked for as long as their first
// block begins below Len.
//
// A search reads words when it comes to them and may read a word more than once.
// If the bits change meanwhile, each answer is right for the values that it
// read; Word must then be safe for concurrent use.
type Mask interface {
	Word(level, word int) uint64
}

// maxLocations keeps numbers and block numbers in 32 bits with room to round up.
const maxLocations = 1 << 30

// Index answers nearest-location questions over a fixed set of locations.
//
// It is immutable and safe for concurrent use. Its memory is about 52 bytes per
// location for places and tree and some 60 to 110, most for small chains, for the
// grid, in a dozen arrays without pointers, so the garbage collector never scans it.
type Index struct {
	*tree
	overflow []place // numbers base, base+1, ...; same item as number
	added    []Point // the overflow's points as given
}

// tree is what all descendants of one NewIndex share.
type tree struct {
	base   uint32 // number of locations in the tree
	places []place
	points []Point // by number, as given
	before func(a, b uint32) bool

	height int       // level of the root block: the least with 8^height >= base
	blocks [12]int   // blocks per level, 0 above height
	boxes  [12][]box // by level from 1 and block; each padded to a multiple of 8
	twins  [12][]uint64
	twin   bool // some block of 64 or more is one single place
	grid   grid
}

// place is one location by number. The fourth word holds the two directions of
// the renumbering: item is the item of this number, and number the number of the
// item that equals this position. Half a cache line each.
type place struct {
	at           vector
	item, number uint32
}

// NewIndex numbers the points and builds the index. Item i is points[i].
//
// Where two locations are at exactly the same distance, the item that is before
// the other comes first; before is a strict weak order, and the lower item number
// decides what it leaves open, or everything if before is nil. The index keeps
// before and asks it during searches, also about the items that [Index.With]
// adds: it must stay valid, answer the same for ever, and be safe for concurrent use.
//
// It takes O(n log n), about 0.35 s for 100,000 locations. The error wraps a
// *[PointError] and names the item.
func NewIndex(points []Point, before func(a, b uint32) bool) (*Index, error) {
	if len(points) >= maxLocations {
		return nil, errTooMany
	}
	t := &tree{base: uint32(len(points)), before: before}
	at := make([]vector, len(points))
	for i, p := range points {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("geo: index: item %d: %w", i, err)
		}
		at[i] = p.vector()
	}
	t.places = make([]place, len(points))
	t.points = make([]Point, len(points))
	for n, item := range numbering(at, t.itemBefore) {
		t.places[n].at = at[item]
		t.places[n].item = item
		t.places[item].number = uint32(n)
		t.points[n] = points[item]
	}
	t.buildBoxes()
	t.buildTwins()
	t.grid = newGrid(t.places, t.points)
	return &Index{tree: t}, nil
}

var errTooMany = errors.New("geo: index: more locations than an index can number")

// Len returns how many numbers are in use, the overflow included. Numbers and
// items both run from 0 to Len()-1.
func (x *Index) Len() int { return int(x.base) + len(x.overflow) }

// Item returns the item with a number below Len; it panics beyond, like a slice.
func (x *Index) Item(number uint32) uint32 { return x.place(number).item }

// Number returns the number of an item below Len; it panics beyond, like a slice.
func (x *Index) Number(item uint32) uint32 { return x.place(item).number }

// Point returns the point of a number below Len exactly as it was given; it
// panics beyond, like a slice.
func (x *Index) Point(number uint32) Point {
	if number < x.base {
		return x.points[number]
	}
	return x.added[number-x.base]
}

// Overflow returns how many locations With has added since NewIndex.
func (x *Index) Overflow() int { return len(x.overflow) }

// With returns an index that has the points in addition, as items and numbers
// Len(), Len()+1, and so on. It shares the tree with x, and x stays as it was.
//
// Added locations are kept in a list that each search scans, reading the mask
// word by word. That costs about 2 ns per location and search: the owner builds
// a new index when [Index.Overflow] grows beyond a few hundred. The errors are
// those of NewIndex.
func (x *Index) With(points ...Point) (*Index, error) {
	if x.Len()+len(points) >= maxLocations {
		return nil, errTooMany
	}
	y := &Index{tree: x.tree}
	y.overflow = slices.Grow(slices.Clone(x.overflow), len(points))
	y.added = append(slices.Clone(x.added), points...)
	for i, p := range points {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("geo: index: item %d: %w", x.Len()+i, err)
		}
		n := uint32(y.Len())
		y.overflow = append(y.overflow, place{at: p.vector(), item: n, number: n})
	}
	return y, nil
}

// Within returns how many locations are at most that far from p, the distance
// included; 0 means anywhere, so it returns Len. It visits only the blocks that
// the circle cuts.
func (x *Index) Within(p Point, within Meters) int {
	var s Search
	if !s.begin(x, p, within) {
		return 0
	}
	count := s.countBlock(x.height, 0)
	for i := range x.overflow {
		count += s.countPlace(x.base+uint32(i), &x.overflow[i])
	}
	return count
}

// Nearest walks the numbers of the locations that the mask lets through, nearest
// first, with their distances; a nil mask lets all through, and within 0 means anywhere.
// Distances up to and including within are walked. A point that is not valid and a
// negative within have no locations.
//
// The sequence can be walked more than once and starts anew each time. For a hot
// path [Search] does the same without allocation.
func (x *Index) Nearest(p Point, mask Mask, within Meters) iter.Seq2[uint32, Meters] {
	return func(yield func(uint32, Meters) bool) {
		var s Search
		s.Start(x, p, mask, within)
		for {
			number, distance, ok := s.Next()
			if !ok || !yield(number, distance) {
				return
			}
		}
	}
}

// place returns a location of the tree or the overflow.
func (x *Index) place(number uint32) *place {
	if number < x.base {
		return &x.places[number]
	}
	return &x.overflow[number-x.base]
}

// itemBefore is the total order of items at equal distance.
func (t *tree) itemBefore(a, b uint32) bool {
	if t.before != nil {
		if t.before(a, b) {
			return true
		}
		if t.before(b, a) {
			return false
		}
	}
	return a < b
}

// numberBefore is itemBefore for numbers. Coincident locations of the tree are
// numbered in that order, so a place with many locations needs no calls.
func (x *Index) numberBefore(a, b uint32) bool {
	p, q := x.place(a), x.place(b)
	if a < x.base && b < x.base && p.at == q.at {
		return a < b
	}
	return x.itemBefore(p.item, q.item)
}
