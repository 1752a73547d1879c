package book

import (
	"math"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// shelf lists the live orders of one location in the order in which they came.
// Each has a number, counted up, which its record keeps; so an order that leaves
// is found by its number, and nobody has to ask the records which of them are
// still there.
//
// A slot is the reference of a record, the number of its shard and as many of
// the lowest bits of its number as there is room for, 20 to 28:
//
//	reference 32 | shard | number
//
// The lock is taken inside that of a shard, and nothing is locked inside it.
// Safe for concurrent use.
//
// Invariant: numbers ascend along the slots; the reference is 0 in exactly dead
// of them; no two others name the same record.
// Bound: at most half of the slots, or 32, are dead; closing the gaps costs one
// step a slot and at most two a departure. An order is found in as many steps as
// the number of slots has bits, mostly in three. When so many orders have come since one that it
// no longer can be told by the bits of its number, it is found in one step a slot.
type shelf struct {
	mu    lock.Mutex
	next  uint32 // number
	dead  uint32
	tail  []uint64                 // the last slots, up to shelfChunk
	full  *[][]uint64              // the chunks before, full ones; behind its end may lie an empty one
	room  hintedLine               // where the next slot will be, for prefetching
	picks atomic.Pointer[pickList] // nil until somebody asks for it; fills the cache line
}

const (
	shelfBytes = int64(unsafe.Sizeof(shelf{}))
	shelfChunk = 4096 // slots
	shelfLeast = 16   // slots of the first chunk when it is made
	shelfDead  = 32   // so many dead slots are never worth closing up
	shelfPage  = 64   // shelves made at a time
)

// shelves finds the shelf of a location, whose handles are counted up from 0.
type shelves struct {
	mu         lock.Mutex // of growth
	pages      atomic.Pointer[[]*[shelfPage]shelf]
	numberBits uint // of a slot
}

// of returns the shelf of a location, or nil if it has none yet.
func (s *shelves) of(location uint32) *shelf {
	if pages := s.pages.Load(); pages != nil && uint64(location) < shelfPage*uint64(len(*pages)) {
		return &(*pages)[location/shelfPage][location%shelfPage]
	}
	return nil
}

// make returns the shelf of a location, which has none yet or had none a moment
// ago.
func (s *shelves) make(location uint32) *shelf {
	s.mu.Lock(lock.Lists)
	defer s.mu.Unlock()
	if f := s.of(location); f != nil {
		return f
	}
	var pages []*[shelfPage]shelf
	if now := s.pages.Load(); now != nil {
		pages = slices.Clone(*now)
	}
	more := int(location)/shelfPage + 1 - len(pages)
	for range max(more, len(pages)/4) {
		pages = append(pages, new([shelfPage]shelf))
	}
	s.pages.Store(&pages)
	return s.of(location)
}

// prefetch asks for a shelf's memory before it is needed.
func (s *shelves) prefetch(location uint32) {
	if f := s.of(location); f != nil {
		f.room.prefetch()
	}
}

func (s *shelves) mask() uint64 { return 1<<s.numberBits - 1 }

// add puts an order at the end and returns its number.
func (s *shelves) add(location uint32, p place) (number uint32) {
	f := s.of(location)
	if f == nil {
		f = s.make(location)
	}
	f.mu.Lock(lock.List)
	if len(f.tail) == cap(f.tail) {
		f.extend()
	}
	number = f.next
	f.next++
	f.tail = append(f.tail, uint64(p.ref)<<32|uint64(p.shard)<<s.numberBits|uint64(number)&s.mask())
	f.room.set(uintptr(unsafe.Pointer(unsafe.SliceData(f.tail))) + uintptr(len(f.tail))*8)
	f.mu.Unlock()
	return number
}

// extend makes room at the end.
func (f *shelf) extend() {
	if len(f.tail) < shelfChunk {
		f.tail = append(make([]uint64, 0, max(shelfLeast, 2*len(f.tail))), f.tail...)
		return
	}
	if f.full == nil {
		f.full = new([][]uint64)
	}
	full := *f.full
	*f.full = append(full, f.tail)
	if n := len(full); n+1 < cap(full) && full[:n+2][n+1] != nil {
		f.tail, full[:n+2][n+1] = full[:n+2][n+1][:0], nil
		return
	}
	f.tail = make([]uint64, 0, shelfChunk)
}

func (f *shelf) chunks() [][]uint64 {
	if f.full == nil {
		return nil
	}
	return *f.full
}

// remove takes out the order with that number.
func (s *shelves) remove(location uint32, p place, number uint32) {
	f := s.of(location)
	f.mu.Lock(lock.List)
	slot := uint64(p.ref)<<32 | uint64(p.shard)<<s.numberBits | uint64(number)&s.mask()
	if at := f.find(slot, number, s.mask()); at >= 0 {
		*f.slot(at) &= math.MaxUint32
		f.dead++
	}
	if f.dead > shelfDead && int(f.dead) > f.count()/2 {
		f.closeGaps()
	}
	f.mu.Unlock()
}

// live returns how many orders of a location have not ended.
func (s *shelves) live(location uint32) int {
	f := s.of(location)
	if f == nil {
		return 0
	}
	f.mu.Lock(lock.List)
	defer f.mu.Unlock()
	return f.count() - int(f.dead)
}

func (f *shelf) count() int { return len(f.chunks())*shelfChunk + len(f.tail) }

func (f *shelf) slot(i int) *uint64 {
	if full := f.chunks(); i/shelfChunk < len(full) {
		return &full[i/shelfChunk][i%shelfChunk]
	}
	return &f.tail[i%shelfChunk]
}

// find returns the position of a slot, or -1; an order that was added and not
// removed is there. A number's age, how many came since, falls along the slots;
// where gaps were closed it falls faster, but much the same everywhere, so that
// guesses in proportion come close.
func (f *shelf) find(slot uint64, number uint32, mask uint64) int {
	ageOf := func(i int) int { return int((uint64(f.next) - *f.slot(i)) & mask) }
	age := int(uint64(f.next-number) & mask)
	low, high := max(0, f.count()-age), f.count()
	for guesses := 0; low < high; guesses++ {
		at := low
		if first := ageOf(low); guesses < 4 && first > age {
			at += min(int(uint64(high-low)*uint64(first-age)/uint64(first)), high-low-1)
		} else if *f.slot(low) != slot {
			at = int(uint(low+high) / 2)
		}
		if *f.slot(at) == slot {
			return at
		}
		if ageOf(at) > age {
			low = at + 1
		} else {
			high = at
		}
	}
	for i := range f.count() { // A straggler: its age has wrapped around.
		if *f.slot(i) == slot {
			return i
		}
	}
	return -1
}

// closeGaps moves the live slots together.
func (f *shelf) closeGaps() {
	to, full := 0, f.chunks()
	for i := range len(full) + 1 {
		chunk := f.tail
		if i < len(full) {
			chunk = full[i]
		}
		for _, slot := range chunk {
			if slot>>32 != 0 {
				*f.slot(to) = slot
				to++
			}
		}
	}
	f.dead = 0
	if chunk := to / shelfChunk; chunk < len(full) {
		// One chunk more is kept, so that the next one need not be made.
		full = append(full, f.tail)
		clear(full[min(chunk+2, len(full)):])
		f.tail, full[chunk] = full[chunk], nil
		*f.full = full[:chunk]
	}
	f.tail = f.tail[:to%shelfChunk]
}

// list returns the live slots, the latest first.
func (s *shelves) list(location uint32) []uint64 {
	f := s.of(location)
	if f == nil {
		return nil
	}
	f.mu.Lock(lock.List)
	defer f.mu.Unlock()
	slots := make([]uint64, 0, f.count()-int(f.dead))
	for i := f.count() - 1; i >= 0; i-- {
		if slot := *f.slot(i); slot>>32 != 0 {
			slots = append(slots, slot)
		}
	}
	return slots
}

func (s *shelves) placeOf(slot uint64) place {
	return place{shard: uint32(slot) >> s.numberBits, ref: uint32(slot >> 32)}
}

func (s *shelves) bytes() (total int64) {
	pages := s.pages.Load()
	if pages == nil {
		return 0
	}
	total = 8 * int64(cap(*pages))
	for _, page := range *pages {
		for i := range page {
			f := &page[i]
			f.mu.Lock(lock.List)
			total += shelfBytes + 8*int64(cap(f.tail)) + 24*int64(cap(f.chunks())) + f.picks.Load().bytes()
			for _, chunk := range f.chunks()[:cap(f.chunks())] {
				total += 8 * int64(cap(chunk))
			}
			f.mu.Unlock()
		}
	}
	return total
}

// At walks the live orders of a location, the latest first. It sees each that is
// there from start to end. No lock is held while each runs, which returns false
// to stop; the entry is valid until then.
func (b *Book) At(location uint32, each func(id string, e *Entry) bool) {
	var e Entry
	for _, slot := range b.shelves.list(location) {
		p := b.shelves.placeOf(slot)
		id, ok := b.shards[p.shard].shelved(p.ref, location, uint32(slot)&uint32(b.shelves.mask()), uint32(b.shelves.mask()), &e)
		if ok && !each(id, &e) {
			return
		}
	}
}

// Expect asks for the memory in which a location keeps its orders before one is
// added there.
func (b *Book) Expect(location uint32) { b.shelves.prefetch(location) }

// LiveAt is how many orders that have not ended are at a location.
func (b *Book) LiveAt(location uint32) int { return b.shelves.live(location) }
