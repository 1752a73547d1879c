package stock

import (
	"math/bits"
	"sync/atomic"
)

// shape says how a row finds the cell of a location number.
type shape uint8

const (
	dense  shape = iota // cell = number
	mid                 // bitmap of the stocked numbers and a rank for each of its words
	sparse              // sorted numbers
)

// tinyCells is the longest row that a search always walks whole; such a row has
// no summaries. It is also the planner's bound for walking a longer row's bits.
const tinyCells = 48

// Thresholds between the shapes, as cells for each location of the space:
// dense from 7 in 10, mid from 1 in 12. At the borders both neighbours cost
// about the same memory; the denser one is faster.
const (
	denseTenths = 7
	midOneIn    = 12
)

// row holds the cells of one SKU.
//
// Invariant: numbers, shape and width never change after the row is published,
// but for the tail, which grows by appending. A cell is found in exactly one
// place. Cells that are moved have their value in next.
// Progress: finding a cell is wait-free.
// Bound: at most space.span + tail cells.
type row struct {
	// What a search and a claim read of a dense row: one cache line.
	shape     shape
	wide      bool
	listedNow atomic.Int32    // listed cells: an estimate for the planner, never too low
	fixed     int             // cells found through the shape; the tail follows them
	bits      []atomic.Uint64 // dense: listed cells by number; mid: stocked numbers
	narrow    []atomic.Uint32

	// One bit for 64 and for 4,096 numbers; nil in a tiny row.
	sum1, sum2 []atomic.Uint64
	tailLen    atomic.Int32
	sumLatch   atomic.Bool // held while a summary bit is cleared or set by the slow way
	sku        uint32

	keys  []uint16 // sparse: the low halves of the numbers, ascending
	cuts  []uint32 // sparse, when numbers pass 65,536: where each high half begins
	rank  []uint32 // mid: cells before each word of bits
	broad []atomic.Uint64

	onHand    []atomic.Int32  // units physically there, held or not; movedOnHand once moved
	tailKeys  []atomic.Uint32 // numbers added since the row was built, see tail.go
	tailSlots []atomic.Uint32 // long tail: hash table of 1 + index into tailKeys
	tailBits  []atomic.Uint64 // long tail: its numbers
	space     *Space

	next atomic.Pointer[row] // where moved cells are
	prev atomic.Pointer[row] // the row searches still read while this one is filled
}

const movedOnHand = -1 << 31

// cells is the number of cells in use, the tail's included.
func (r *row) cells() int { return r.fixed + int(r.tailLen.Load()) }

// find returns the cell of a location number, or -1 when it has none.
func (r *row) find(number uint32) int {
	switch r.shape {
	case dense:
		if uint64(number) < uint64(r.fixed) {
			return int(number)
		}
		return -1
	case mid:
		w := number >> 6
		members := r.bits[w].Load()
		bit := uint64(1) << (number & 63)
		if members&bit != 0 {
			return int(r.rank[w]) + bits.OnesCount64(members&(bit-1))
		}
	case sparse:
		from, to := r.chunk(number)
		if at := from + lowerBound(r.keys[from:to], uint16(number)); at < to && r.keys[at] == uint16(number) {
			return at
		}
	}
	return r.findTail(number)
}

// chunk is the range of keys that share the high half of a number.
func (r *row) chunk(number uint32) (from, to int) {
	if r.cuts == nil {
		return 0, len(r.keys)
	}
	high := number >> 16
	return int(r.cuts[high]), int(r.cuts[high+1])
}

// each calls yield with every number of the row and its cell, the
// shape's ascending and then the tail's, until yield returns false.
func (r *row) each(yield func(number uint32, pos int) bool) {
	switch r.shape {
	case dense:
		for n := range r.fixed {
			if !yield(uint32(n), n) {
				return
			}
		}
	case mid:
		pos := 0
		for w := range r.bits {
			for m := r.bits[w].Load(); m != 0; m &= m - 1 {
				if !yield(uint32(w<<6+bits.TrailingZeros64(m)), pos) {
					return
				}
				pos++
			}
		}
	case sparse:
		high := uint32(0)
		for pos, low := range r.keys {
			for r.cuts != nil && pos >= int(r.cuts[high+1]) {
				high++
			}
			if !yield(high<<16|uint32(low), pos) {
				return
			}
		}
	}
	for i := range int(r.tailLen.Load()) {
		if !yield(r.tailKeys[i].Load(), r.fixed+i) {
			return
		}
	}
}

// newRow builds an empty row over the given ascending numbers, with room for
// tail more. A dense row takes every number of the space whether given or not.
func newRow(space *Space, sku uint32, numbers []uint32, wide bool, tail int) *row {
	r := &row{space: space, sku: sku, wide: wide}
	switch n := len(numbers); {
	case n*10 >= space.span*denseTenths && n > tinyCells:
		r.shape, r.fixed = dense, space.span
		r.bits = make([]atomic.Uint64, words(space.span))
	case n*midOneIn >= space.span && n > tinyCells:
		r.shape, r.fixed = mid, n
		r.layMid(numbers)
	default:
		r.shape, r.fixed = sparse, n
		r.laySparse(numbers)
	}
	all := r.fixed + r.makeTail(tail)
	if wide {
		r.broad = make([]atomic.Uint64, all)
	} else {
		r.narrow = make([]atomic.Uint32, all)
	}
	r.onHand = make([]atomic.Int32, all)
	if all > tinyCells {
		sums := words(words(space.span))
		both := make([]atomic.Uint64, sums+words(sums))
		r.sum1, r.sum2 = both[:sums:sums], both[sums:]
	}
	return r
}

// words is how many 64-bit words hold n bits.
func words(n int) int { return (n + 63) / 64 }

func (r *row) layMid(numbers []uint32) {
	r.bits = make([]atomic.Uint64, words(r.space.span))
	r.rank = make([]uint32, len(r.bits))
	for _, n := range numbers {
		w := n >> 6
		r.bits[w].Store(r.bits[w].Load() | 1<<(n&63))
	}
	before := uint32(0)
	for w := range r.bits {
		r.rank[w] = before
		before += uint32(bits.OnesCount64(r.bits[w].Load()))
	}
}

func (r *row) laySparse(numbers []uint32) {
	r.keys = make([]uint16, len(numbers))
	for i, n := range numbers {
		r.keys[i] = uint16(n)
	}
	if r.space.span <= 1<<16 {
		return
	}
	r.cuts = make([]uint32, (r.space.span-1)>>16+2)
	for _, n := range numbers {
		r.cuts[n>>16+1]++
	}
	for i := 1; i < len(r.cuts); i++ {
		r.cuts[i] += r.cuts[i-1]
	}
}
