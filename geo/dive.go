package geo

import (
	"math"
	"math/bits"
)

// openBlocks bounds the blocks open at once: at most seven siblings wait on each
// of the eleven levels.
const openBlocks = 7*11 + 8

// block is a block of the tree that a dive has still to look into.
type block struct {
	gap   int64 // lower bound of the squared chord, in units of 2^-60
	index uint32
	level uint8
	bits  uint8 // the block's byte of a mask word, if its level is odd
}

// dive looks for the best location in the tree. It begins at the bottom, with
// the block of 64 around the location that the cell lists first, and then looks at the
// siblings of that block, of its parent, and so on up to the root. Where each
// ancestor lies follows from a number alone, so the processor can fetch all of
// them at once, while on the way down from the root each fetch waits for a choice; and
// the bound is good from the start.
func (s *Search) dive() {
	s.limit = gapLimit(s.best)
	x, home := s.x, s.home
	if x.height <= 2 {
		s.look(s.root(), -1)
		return
	}
	s.look(block{level: 2, index: home >> 6}, -1)
	for level := 3; level <= x.height; level++ {
		b := block{level: uint8(level), index: home >> (3 * level)}
		if level&1 != 0 {
			b.bits = uint8(s.blockWord(level+1, b.index>>3) >> (b.index & 7 * 8))
		}
		s.look(b, int(home>>(3*(level-1))&7))
	}
}

// look looks into a block, except one of its children if that is not negative:
// depth first, the nearest child first, leaving out what is farther than the
// best so far (Roussopoulos, Kelley and Vincent 1995, with the order among the
// other children left to chance).
func (s *Search) look(b block, except int) {
	top := 0
	if except < 0 {
		top = s.descend(b, 0)
	} else {
		top = s.spread(b, 0, 1<<except)
	}
	for top > 0 {
		top--
		if b := s.open[top]; b.gap <= s.limit {
			top = s.descend(b, top)
		}
	}
}

// root is the block that holds all locations of the tree.
func (s *Search) root() block {
	b := block{level: uint8(s.x.height)}
	if s.x.height&1 != 0 {
		b.bits = uint8(s.blockWord(s.x.height+1, 0))
	}
	return b
}

// blockWord is the mask word of a block of 64 units, on an even level.
func (s *Search) blockWord(level int, index uint32) uint64 {
	if level > 6 || s.mask == nil {
		return ^uint64(0)
	}
	return s.mask.Word(level/2-1, int(index))
}

// children returns which children of a block the mask lets through, as far as the
// mask is known, and for an even level the word that says which grandchildren.
func (s *Search) children(b block) (set uint32, word uint64) {
	if b.level&1 == 0 {
		word = s.blockWord(int(b.level), b.index)
		set = occupied(word)
	} else {
		set = uint32(b.bits)
	}
	if have := s.x.blocks[b.level-1] - int(b.index)*8; have < 8 {
		set &= 1<<have - 1
	}
	return set, word
}

// occupied gathers which bytes of a word are not zero into one byte.
func occupied(word uint64) uint32 {
	const low7 = 0x7f7f7f7f7f7f7f7f
	t := ((word&low7 + low7) | word) &^ low7
	return uint32((t >> 7) * 0x0102040810204080 >> 56)
}

// descend goes from a block down to the places of its nearest branch, and leaves
// the other children that are near enough on the stack. It returns the new top.
func (s *Search) descend(b block, top int) int {
	for b.level > 1 {
		if s.x.twin && s.x.isTwin(int(b.level), int(b.index)) {
			s.offerTwins(b)
			return top
		}
		now := s.spread(b, top, 0)
		if now == top {
			return top
		}
		top = now - 1
		b = s.open[top]
	}
	s.offerPlaces(b)
	return top
}

// spread puts the children of a block that are near enough on the stack, the
// nearest on top, without those in except. It returns the new top.
func (s *Search) spread(b block, top int, except uint32) int {
	set, word := s.children(b)
	set &^= except
	boxes := (*[8]box)(s.x.boxes[b.level-1][b.index*8:])
	nearest, least := top, int64(math.MaxInt64)
	for ; set != 0; set &= set - 1 {
		c := bits.TrailingZeros32(set) & 7
		gap := boxes[c].gap(s.fixed)
		if gap > s.limit {
			continue
		}
		s.open[top] = block{gap, b.index*8 + uint32(c), b.level - 1, uint8(word >> (8 * c))}
		if gap < least {
			nearest, least = top, gap
		}
		top++
	}
	if least != math.MaxInt64 {
		s.open[nearest], s.open[top-1] = s.open[top-1], s.open[nearest]
	}
	return top
}

// offerPlaces offers the places of a block of eight.
func (s *Search) offerPlaces(b block) {
	set, _ := s.children(b)
	places := s.x.places[b.index*8:]
	for ; set != 0; set &= set - 1 {
		c := bits.TrailingZeros32(set)
		if far := chord2(s.at, places[c].at); far <= s.best {
			s.offer(far, b.index*8+uint32(c))
			s.limit = gapLimit(s.best)
		}
	}
}

// offerTwins offers the first location of a block that is one place. The others
// come after it.
func (s *Search) offerTwins(b block) {
	first, end := s.x.numbers(int(b.level), int(b.index))
	far := chord2(s.at, s.x.places[first].at)
	if far > s.best || s.bestNumber < uint32(first) && s.x.places[s.bestNumber].at == s.x.places[first].at {
		return
	}
	if n, ok := s.nextSet(uint32(first), uint32(end)); ok {
		s.offer(far, n)
		s.limit = gapLimit(s.best)
	}
}

// nextSet returns the first number from first up to end that the mask lets
// through, stepping over empty blocks by the upper levels.
func (s *Search) nextSet(first, end uint32) (uint32, bool) {
	if s.mask == nil {
		return first, first < end
	}
	for n := uint64(first); n < uint64(end); {
		if n&(1<<12-1) == 0 {
			if rest := s.mask.Word(2, int(n>>18)) >> (n >> 12 & 63); rest&1 == 0 {
				n += uint64(min(bits.TrailingZeros64(rest), 64-int(n>>12&63))) << 12
				continue
			}
		}
		if n&63 == 0 {
			if rest := s.mask.Word(1, int(n>>12)) >> (n >> 6 & 63); rest&1 == 0 {
				n += uint64(min(bits.TrailingZeros64(rest), 64-int(n>>6&63))) << 6
				continue
			}
		}
		if rest := s.mask.Word(0, int(n>>6)) >> (n & 63); rest != 0 {
			n += uint64(bits.TrailingZeros64(rest))
			return uint32(n), n < uint64(end)
		}
		n = n&^63 + 64
	}
	return 0, false
}
