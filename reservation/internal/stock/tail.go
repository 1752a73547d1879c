package stock

import (
	"math/bits"
	"slices"
	"sync/atomic"
)

// This file keeps the tail of a row: cells added since the row was built, behind
// the ones its shape finds. It lets a row that grows by a few locations at a time
// be rebuilt every eighth of its length instead of every time.
//
// Invariant: a number is in the tail at most once, and not in the shape. Its
// cell is written before the tail shows it.
// Linearizes at: the store of the hash slot, or of tailLen in a short tail.
// Bound: tailRoom numbers; a sparse row's tail is short.

// shortTail is the longest tail that is looked through number by number. Longer
// ones have a hash table and a bitmap.
const shortTail = 128

// tailRoom is how many numbers a row of n cells should have room for when it was
// just found to need added more than the had it had.
func tailRoom(had, added int) int {
	if had == 0 {
		return 0
	}
	return max(8, had/8, min(added, had))
}

// makeTail gives a row room for a tail.
func (r *row) makeTail(room int) int {
	if r.shape == dense {
		return 0
	}
	if r.shape == sparse {
		room = min(room, shortTail)
	}
	if room == 0 {
		return 0
	}
	r.tailKeys = make([]atomic.Uint32, room)
	if room > shortTail {
		r.tailSlots = make([]atomic.Uint32, 1<<bits.Len(uint(2*room-1)))
		r.tailBits = make([]atomic.Uint64, words(r.space.span))
	}
	return room
}

// tailSlot is where a number's search in the tail's hash table starts.
func (r *row) tailSlot(number uint32) uint32 {
	return number * 0x9e3779b1 >> (32 - bits.Len(uint(len(r.tailSlots)-1)))
}

func (r *row) findTail(number uint32) int {
	if r.tailSlots == nil {
		for i := range int(r.tailLen.Load()) {
			if r.tailKeys[i].Load() == number {
				return r.fixed + i
			}
		}
		return -1
	}
	mask := uint32(len(r.tailSlots) - 1)
	for at := r.tailSlot(number); ; at = (at + 1) & mask {
		i := r.tailSlots[at].Load()
		if i == 0 {
			return -1
		}
		if r.tailKeys[i-1].Load() == number {
			return r.fixed + int(i) - 1
		}
	}
}

// tailIn is the bitmap of the tail's numbers in a word.
func (r *row) tailIn(word uint32) (m uint64) {
	if r.tailBits != nil {
		return r.tailBits[word].Load()
	}
	for i := range int(r.tailLen.Load()) {
		if key := r.tailKeys[i].Load(); key>>6 == word {
			m |= 1 << (key & 63)
		}
	}
	return m
}

// extend adds cells at new numbers to the tail without moving any. False: they
// do not fit. Callers hold the structural lock.
func (s *Stock) extend(r *row, numbers []uint32) bool {
	had := int(r.tailLen.Load())
	if len(numbers) > len(r.tailKeys)-had {
		return false
	}
	for _, n := range numbers {
		if !r.fits(word{available: -s.safety(r.sku, r.space.Slot(n))}) {
			return false
		}
	}
	for i, n := range numbers {
		at := had + i
		r.put(r.fixed+at, word{available: -s.safety(r.sku, r.space.Slot(n))})
		r.tailKeys[at].Store(n)
		if r.tailSlots != nil {
			slot := r.tailSlot(n)
			for mask := uint32(len(r.tailSlots) - 1); r.tailSlots[slot].Load() != 0; slot = (slot + 1) & mask {
			}
			r.tailSlots[slot].Store(uint32(at + 1))
			r.tailBits[n>>6].Or(1 << (n & 63))
		}
		r.tailLen.Store(int32(at + 1))
	}
	return true
}

// numbersWith returns the numbers of the row and the given ascending ones,
// ascending.
func (r *row) numbersWith(add []uint32) []uint32 {
	late := slices.Clone(add)
	for i := range int(r.tailLen.Load()) {
		late = append(late, r.tailKeys[i].Load())
	}
	slices.Sort(late)
	all := make([]uint32, 0, r.fixed+len(late))
	for n, pos := range r.each {
		if pos >= r.fixed {
			break
		}
		for len(late) > 0 && late[0] < n {
			all, late = append(all, late[0]), late[1:]
		}
		if len(late) > 0 && late[0] == n {
			late = late[1:]
		}
		all = append(all, n)
	}
	return append(all, late...)
}
