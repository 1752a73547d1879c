package geo

import (
	"cmp"
	"slices"
)

// numbering puts items into the order of their numbers: result[n] is the item
// with number n.
//
// It is a median cut (Bentley's k-d tree, built by selection) along the axis in
// which the unit vectors spread most, except that the cut falls on a multiple of
// the largest power of 8 below the size of the part. Each aligned block of 8^j numbers
// is then one part of the recursion, and compact.
//
// Coincident places keep the order of tie among themselves wherever they are
// cut: the selection breaks equal coordinates by a rank in which coincident
// places stand together, in that order.
func numbering(at []vector, tie func(a, b uint32) bool) []uint32 {
	order := make([]uint32, len(at))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(at[a].compare(at[b]), cmp.Compare(a, b))
	})
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && at[order[hi]] == at[order[lo]] {
			hi++
		}
		slices.SortFunc(order[lo:hi], func(a, b uint32) int {
			switch {
			case a == b:
				return 0
			case tie(a, b):
				return -1
			}
			return 1
		})
		lo = hi
	}
	c := cutter{keys: make([]cutKey, len(order))}
	for rank, item := range order {
		v := at[item]
		c.keys[rank] = cutKey{axis: [3]float64{v.x, v.y, v.z}, rank: uint32(rank), item: item}
	}
	c.cut(0, len(order))
	for n := range order {
		order[n] = c.keys[n].item
	}
	return order
}

func (v vector) compare(w vector) int {
	return cmp.Or(cmp.Compare(v.x, w.x), cmp.Compare(v.y, w.y), cmp.Compare(v.z, w.z))
}

// cutKey is what the selection moves about. Copies are cheaper than following
// indices at each comparison.
type cutKey struct {
	axis       [3]float64
	rank, item uint32
}

func (k *cutKey) less(o *cutKey, axis int) bool {
	if k.axis[axis] != o.axis[axis] {
		return k.axis[axis] < o.axis[axis]
	}
	return k.rank < o.rank
}

type cutter struct{ keys []cutKey }

// cut orders keys[lo:hi] into aligned blocks. lo is a multiple of the block.
func (c *cutter) cut(lo, hi int) {
	for hi-lo > 1 {
		block := 1
		for block*8 < hi-lo {
			block *= 8
		}
		blocks := (hi - lo + block - 1) / block
		mid := lo + (blocks+1)/2*block
		c.choose(lo, hi, mid, c.widest(lo, hi))
		c.cut(lo, mid)
		lo = mid
	}
}

// widest is the axis in which keys[lo:hi] spread most.
func (c *cutter) widest(lo, hi int) int {
	low, high := c.keys[lo].axis, c.keys[lo].axis
	for i := lo + 1; i < hi; i++ {
		for a, v := range c.keys[i].axis {
			if v < low[a] {
				low[a] = v
			} else if v > high[a] {
				high[a] = v
			}
		}
	}
	best := 0
	for a := 1; a < 3; a++ {
		if high[a]-low[a] > high[best]-low[best] {
			best = a
		}
	}
	return best
}

// choose moves the keys that belong below position mid in front of it: Hoare's
// selection with the median of three. Ranks make all keys different.
func (c *cutter) choose(lo, hi, mid, axis int) {
	for rounds := 0; hi-lo > 1; rounds++ {
		if rounds > 64 { // a bad run of pivots: finish by sorting
			slices.SortFunc(c.keys[lo:hi], func(a, b cutKey) int {
				return cmp.Or(cmp.Compare(a.axis[axis], b.axis[axis]), cmp.Compare(a.rank, b.rank))
			})
			return
		}
		pivot := c.median(lo, lo+(hi-lo)/2, hi-1, axis)
		i, j := lo, hi-1
		for i <= j {
			for c.keys[i].less(&pivot, axis) {
				i++
			}
			for pivot.less(&c.keys[j], axis) {
				j--
			}
			if i <= j {
				c.keys[i], c.keys[j] = c.keys[j], c.keys[i]
				i++
				j--
			}
		}
		switch {
		case mid <= j:
			hi = j + 1
		case mid >= i:
			lo = i
		default:
			return
		}
	}
}

func (c *cutter) median(i, j, k, axis int) cutKey {
	a, b, d := &c.keys[i], &c.keys[j], &c.keys[k]
	if b.less(a, axis) {
		a, b = b, a
	}
	if d.less(b, axis) {
		b = d
		if b.less(a, axis) {
			b = a
		}
	}
	return *b
}
