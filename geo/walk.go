package geo

import "math/bits"

// entry is one thing in the queue of a walk.
//
// Invariant: far is at most the squared chord of every location in a block, and
// exactly that of a location. Level 0 is a run of locations at one place, whose first
// number the mask lets through and whose others are still to be asked about;
// a single location is a run of one.
type entry struct {
	far        float64
	first, end uint32 // a run: numbers. A block: its index in first
	level      uint8
	bits       uint8 // as in block
}

// walk fills the queue with all that may come after the previous result. From
// here on results come best first (Hjaltason and Samet 1999).
func (s *Search) walk() {
	s.queue = s.queue[:0]
	s.stage = walking
	x := s.x
	root := s.root()
	s.queue = append(s.queue, entry{level: root.level, bits: root.bits})
	end := uint32(x.Len())
	for n := x.base; n < end; {
		word := s.word(0, n>>6) >> (n & 63)
		if word == 0 {
			n = n&^63 + 64
			continue
		}
		n += uint32(bits.TrailingZeros64(word))
		if n >= end {
			break
		}
		s.queuePlaces(chord2(s.at, x.place(n).at), n, n+1)
		n++
	}
}

// pull returns the next result from the queue.
func (s *Search) pull() (uint32, bool) {
	for len(s.queue) > 0 {
		e := s.queue[0]
		if e.level > 0 {
			s.drop()
			s.expand(block{index: e.first, level: e.level, bits: e.bits})
			continue
		}
		n, more := s.member(e)
		if more {
			s.queue[0].first = n
			s.sink(0)
		} else {
			s.drop()
		}
		return e.first, true
	}
	return 0, false
}

// member returns the member of a run that comes after its first.
func (s *Search) member(e entry) (uint32, bool) {
	if e.first+1 >= e.end {
		return 0, false
	}
	return s.nextSet(e.first+1, e.end)
}

// expand queues the children of a block.
func (s *Search) expand(b block) {
	x := s.x
	set, word := s.children(b)
	if b.level == 1 {
		for ; set != 0; set &= set - 1 {
			n := b.index*8 + uint32(bits.TrailingZeros32(set))
			s.queuePlaces(chord2(s.at, x.places[n].at), n, n+1)
		}
		return
	}
	if x.twin && x.isTwin(int(b.level), int(b.index)) {
		first, end := x.numbers(int(b.level), int(b.index))
		if n, ok := s.nextSet(uint32(first), uint32(end)); ok {
			s.queuePlaces(chord2(s.at, x.places[n].at), n, uint32(end))
		}
		return
	}
	boxes := (*[8]box)(x.boxes[b.level-1][b.index*8:])
	limit := gapLimit(s.most)
	for ; set != 0; set &= set - 1 {
		c := bits.TrailingZeros32(set) & 7
		if gap := boxes[c].gap(s.fixed); gap <= limit {
			s.push(entry{far: gapChord2(gap), first: b.index*8 + uint32(c), level: b.level - 1, bits: uint8(word >> (8 * c))})
		}
	}
}

// queuePlaces queues the run from first, without what is not after the previous
// result or too far.
func (s *Search) queuePlaces(far float64, first, end uint32) {
	if far > s.most || s.lastNumber != none && far < s.last || !s.reaches(far, first) {
		return
	}
	for !s.after(far, first) {
		n, ok := s.member(entry{first: first, end: end})
		if !ok {
			return
		}
		first = n
	}
	s.push(entry{far: far, first: first, end: end})
}

// precedes is the order of the queue. At equal distance blocks go first, since
// they may hold a location that comes before.
func (s *Search) precedes(a, b *entry) bool {
	if a.far != b.far {
		return a.far < b.far
	}
	if a.level|b.level != 0 {
		return a.level > b.level
	}
	return s.x.numberBefore(a.first, b.first)
}

// The queue is a binary heap. container/heap would allocate on each push.

func (s *Search) push(e entry) {
	s.queue = append(s.queue, e)
	i := len(s.queue) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !s.precedes(&e, &s.queue[parent]) {
			break
		}
		s.queue[i] = s.queue[parent]
		i = parent
	}
	s.queue[i] = e
}

// drop removes the first entry.
func (s *Search) drop() {
	last := len(s.queue) - 1
	s.queue[0] = s.queue[last]
	s.queue = s.queue[:last]
	if last > 0 {
		s.sink(0)
	}
}

func (s *Search) sink(i int) {
	e := s.queue[i]
	for {
		child := 2*i + 1
		if child >= len(s.queue) {
			break
		}
		if right := child + 1; right < len(s.queue) && s.precedes(&s.queue[right], &s.queue[child]) {
			child = right
		}
		if !s.precedes(&s.queue[child], &e) {
			break
		}
		s.queue[i] = s.queue[child]
		i = child
	}
	s.queue[i] = e
}

func (s *Search) heapify() {
	for i := len(s.queue)/2 - 1; i >= 0; i-- {
		s.sink(i)
	}
}

// count returns the location with the next number.
func (s *Search) count() (uint32, bool) {
	end := uint32(s.x.Len())
	for {
		for ; s.bits != 0; s.bits &= s.bits - 1 {
			n := s.first + uint32(bits.TrailingZeros64(s.bits))
			if n >= end {
				return 0, false
			}
			if s.within == 0 || s.reaches(chord2(s.at, s.x.place(n).at), n) {
				s.bits &= s.bits - 1
				return n, true
			}
		}
		for s.words == 0 {
			if s.top<<12 >= end {
				return 0, false
			}
			s.words = s.word(1, s.top)
			s.top++
		}
		s.first = ((s.top-1)<<6 + uint32(bits.TrailingZeros64(s.words))) << 6
		s.words &= s.words - 1
		if s.first >= end { // a bit for nothing
			return 0, false
		}
		s.bits = s.word(0, s.first>>6)
	}
}
