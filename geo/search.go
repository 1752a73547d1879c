package geo

import (
	"math"
	"math/bits"
)

// none is no number.
const none = math.MaxUint32

// stage of a search.
const (
	ended     uint8 = iota // no further result
	started                // no result yet
	listing                // results so far came from the cell or were single; nothing is queued
	piled                  // the queue is unordered, and its best is at s.least
	unordered              // the queue is not a heap yet
	walking                // results come from the queue
	counting               // results come in the order of their numbers
)

// Search is a reusable cursor over the locations around a point, nearest first, in
// the order of [Index.Nearest]. Its zero value is ready; after its first few uses it
// does not allocate. The first result is the fastest: it needs no queue.
//
// A Search keeps its index and mask until [Search.Reset] or the next start. It is
// not safe for concurrent use; use one per goroutine.
type Search struct {
	x      *Index
	mask   Mask
	cell   *cell  // of the point; nil without a tree
	sparse bool   // the list of the nearest is left out
	home   uint32 // a location near the point
	at     vector
	fixed  fixed
	within Meters
	most   float64 // squared chord of within, rounded up
	sure   float64 // squared chord of within, rounded down
	stage  uint8

	nearest
	previous

	open  [openBlocks]block // blocks of a dive that are still to be looked into
	queue []entry
	least int // position of the best in a piled queue
}

// nearest is the best location so far of the search for one result.
// Invariant: best <= most; bestNumber is none or a location at best.
type nearest struct {
	best       float64
	bestNumber uint32
	limit      int64 // gapLimit(best)
}

// previous is the result before. Only locations after it in the order are results.
type previous struct {
	last       float64
	lastNumber uint32
	counted
}

// counted is how far a search by number is.
type counted struct {
	top   uint32 // the next block of 4,096 numbers
	words uint64 // of the block before: words that are still to be read
	bits  uint64 // of the latest word: numbers that are still to be looked at
	first uint32 // the number of bit 0 of the latest word
}

// begin sets what is common to all starts and reports whether there can be a result.
func (s *Search) begin(x *Index, p Point, within Meters) bool {
	s.x, s.mask, s.stage = x, nil, ended
	if !p.valid() || !(within >= 0) {
		return false
	}
	if x.base != 0 {
		// Before the trigonometry, which then runs while the cell is on its way.
		s.cell = x.grid.find(p)
		s.home = s.cell.numbers[0]
	}
	s.at = p.vector()
	s.fixed = fix(s.at)
	s.within = within
	s.most, s.sure = anywhere, anywhere
	if within > 0 && within < math.Pi*EarthRadius {
		c := chord2Of(within)
		s.most, s.sure = c*(1+1e-12)+1e-30, c*(1-1e-12)-1e-30
		if c > 3.9 { // near the antipode the chord hardly changes
			s.most, s.sure = anywhere, 3.9
		}
	}
	s.last, s.lastNumber = 0, none
	s.stage, s.sparse = started, false
	return true
}

// anywhere is more than any squared chord.
const anywhere = 5

// Start begins a search for the locations that the mask lets through, nearest
// first, up to and including the distance within. A nil mask lets all through; within 0
// means anywhere. A point that is not valid and a negative within have no results.
func (s *Search) Start(x *Index, p Point, mask Mask, within Meters) {
	if s.begin(x, p, within) {
		s.mask = mask
	}
}

// StartSparse is Start for a mask known to let few locations through, one in
// twenty or less: it goes to the tree at once and does not look at the list of
// the nearest first. The results are the same.
func (s *Search) StartSparse(x *Index, p Point, mask Mask, within Meters) {
	s.Start(x, p, mask, within)
	s.sparse = true
}

// StartAll begins a search for all locations that the mask lets through, up to and
// including the distance within, for whoever looks at each of them and takes the best
// by something else: results come in the order of their numbers, in a fifth of the time.
func (s *Search) StartAll(x *Index, p Point, mask Mask, within Meters) {
	if s.begin(x, p, within) {
		s.mask, s.counted, s.stage = mask, counted{}, counting
	}
}

// StartList begins a search among the listed numbers; those that the index does
// not have are ignored. The slice is read before StartList returns, and neither
// kept nor changed. A number listed twice is a result twice.
func (s *Search) StartList(x *Index, p Point, numbers []uint32, within Meters) {
	if !s.begin(x, p, within) {
		return
	}
	s.queue, s.least, s.stage = s.queue[:0], 0, piled
	end := uint32(x.Len())
	for _, n := range numbers {
		if n >= end {
			continue
		}
		e := entry{far: chord2(s.at, x.place(n).at), first: n, end: n + 1}
		if !s.reaches(e.far, n) {
			continue
		}
		s.queue = append(s.queue, e)
		if s.precedes(&e, &s.queue[s.least]) {
			s.least = len(s.queue) - 1
		}
	}
}

// take returns the best of a list, which needs no order among the others until
// the next result is asked for.
func (s *Search) take() (uint32, bool) {
	last := len(s.queue) - 1
	if last < 0 {
		return 0, false
	}
	number := s.queue[s.least].first
	s.queue[s.least] = s.queue[last]
	s.queue = s.queue[:last]
	s.stage = unordered
	return number, true
}

// Reset drops the index and the mask, and keeps the memory for the next start.
func (s *Search) Reset() {
	s.x, s.mask, s.cell, s.stage = nil, nil, nil, ended
	s.queue = s.queue[:0]
}

// Next returns the next location and its distance. After ok is false once it stays
// false. Distances never decrease, except by the last digit of a float64, and but for
// [Search.StartAll].
func (s *Search) Next() (number uint32, distance Meters, ok bool) {
	switch s.stage {
	case ended:
		return 0, 0, false
	case piled:
		number, ok = s.take()
	case unordered:
		s.heapify()
		s.stage = walking
		number, ok = s.pull()
	case walking:
		number, ok = s.pull()
	case counting:
		number, ok = s.count()
	default:
		number, ok = s.find()
		if ok && s.stage == listing && s.best <= shortChord2 {
			return number, shortSpan(s.best), true // as distance would, without a look
		}
	}
	if !ok {
		s.stage = ended
		return 0, 0, false
	}
	return number, s.distance(number), true
}

// find looks for one result without a queue if it can.
func (s *Search) find() (uint32, bool) {
	s.best, s.bestNumber = s.most, none
	if len(s.x.overflow) != 0 {
		s.scanOverflow()
	}
	switch {
	case s.x.base == 0 || !s.sparse && s.scanCell():
	case s.stage == started:
		s.dive()
	default:
		s.walk()
		return s.pull()
	}
	s.last, s.lastNumber, s.stage = s.best, s.bestNumber, listing
	return s.bestNumber, s.bestNumber != none
}

// offer makes a location the best so far if it is.
func (s *Search) offer(far float64, number uint32) {
	if far > s.best || far == s.best && s.bestNumber != none && !s.x.numberBefore(number, s.bestNumber) {
		return
	}
	if s.lastNumber != none && !s.after(far, number) || far > s.sure && !s.reaches(far, number) {
		return
	}
	s.best, s.bestNumber = far, number
}

// after reports whether a location comes after the previous result.
func (s *Search) after(far float64, number uint32) bool {
	if s.lastNumber == none || far > s.last {
		return true
	}
	return far == s.last && s.x.numberBefore(s.lastNumber, number)
}

// scanOverflow offers the locations of the overflow.
func (s *Search) scanOverflow() {
	base, end := s.x.base, uint32(s.x.Len())
	for w := base >> 6; w <= (end-1)>>6; w++ {
		word := s.word(0, w)
		if w == base>>6 {
			word &= ^uint64(0) << (base & 63)
		}
		for ; word != 0; word &= word - 1 {
			n := w<<6 + uint32(bits.TrailingZeros64(word))
			if n >= end {
				break
			}
			if far := chord2(s.at, s.x.overflow[n-base].at); far <= s.best {
				s.offer(far, n)
			}
		}
	}
}

// scanCell offers the locations listed in the cell of the point, and reports
// whether the best so far is thereby proven the best of all.
func (s *Search) scanCell() bool {
	c := s.cell
	aside := math.Sqrt(chord2(s.at, vector{float64(c.center[0]), float64(c.center[1]), float64(c.center[2])}))
	from := 0
	for i, end := range stages {
		s.scanList(c.numbers[from:end])
		// The margin covers the rounding of aside and of the product.
		if sure := float64(c.beyond[i]) - aside - 1e-14; sure > 0 && s.best < sure*sure {
			return true
		}
		from = end
	}
	return false
}

// scanList offers the listed locations that the mask lets through.
func (s *Search) scanList(numbers []uint32) {
	places := s.x.places
	held, word := uint32(none), uint64(0)
	// The order of floats from 0 up is that of their bits, and a minimum of
	// integers needs no branch, which would be mispredicted once or twice per list.
	start := math.Float64bits(s.best)
	least, nearest, tied := start, uint32(none), uint64(1)
	for _, n := range numbers {
		far := math.Float64bits(chord2(s.at, places[n].at))
		if far > start { // out of reach: do not wait for the mask's memory
			continue
		}
		if w := n >> 6; w != held {
			held, word = w, s.word(0, w)
		}
		if word>>(n&63)&1 == 0 {
			continue
		}
		if far == least {
			tied = 0
		}
		if far < least {
			nearest = n
		}
		least = min(least, far)
	}
	if nearest == none && tied != 0 {
		return
	}
	if s.lastNumber == none && tied != 0 && math.Float64frombits(least) <= s.sure {
		s.best, s.bestNumber = math.Float64frombits(least), nearest
		return
	}
	for _, n := range numbers { // where order, not distance, may decide
		if s.word(0, n>>6)>>(n&63)&1 == 0 {
			continue
		}
		if far := chord2(s.at, places[n].at); far <= s.best {
			s.offer(far, n)
		}
	}
}

// word reads the mask, and lets all through where there is none to read.
func (s *Search) word(level int, word uint32) uint64 {
	if s.mask == nil {
		return ^uint64(0)
	}
	return s.mask.Word(level, int(word))
}

// reaches reports whether a location at squared chord far is within the maximum
// distance. Only where rounding could decide is the distance itself computed.
func (s *Search) reaches(far float64, number uint32) bool {
	if far <= s.sure {
		return true
	}
	return far <= s.most && s.distance(number) <= s.within
}

func (s *Search) distance(number uint32) Meters {
	return span(s.at, s.x.place(number).at)
}
