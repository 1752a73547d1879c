package book

import (
	"sync/atomic"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/internal/book/index"
)

// prefetchHint says without the lock where the table of a shard lies, only to
// warm the cache: an outdated hint costs a little time and nothing else. The
// address is never followed, so it need not keep the table alive, and the two
// words need not agree.
type prefetchHint struct {
	slots  atomic.Uintptr // address of the first slot
	room   atomic.Uintptr // address of the next new record
	timer  hintedLine     // address of the next timer, if it goes where the last one went
	bucket hintedLine     // address of the bucket the last one went to
	shift  atomic.Uint32  // of the table
}

// hintedLine is an address of which only the cache line counts. It is written
// only when that changes, because an atomic write waits for all the ones before.
type hintedLine struct{ address atomic.Uintptr }

func (h *hintedLine) set(address uintptr) {
	if address &^= cacheLine - 1; h.address.Load() != address {
		h.address.Store(address)
	}
}

func (h *hintedLine) prefetch() { prefetchLine(h.address.Load()) }

func (h *prefetchHint) set(t *index.Table) {
	if address := uintptr(unsafe.Pointer(&t.Slots[0])); h.slots.Load() != address {
		h.slots.Store(address)
		h.shift.Store(uint32(t.Shift))
	}
}

// Prefetch asks the processor to bring the slot of an ID near, and returns at
// once. Looking up an ID in a large book waits for memory most of its time; a
// caller that has other work before its add, find or resolve hides that wait by
// calling prefetch first. It changes nothing and may be left out. It returns the
// ID's hash, for AddHashed.
func (b *Book) Prefetch(kind Kind, id string) (hash uint64) {
	hash = b.Hash(kind, id)
	b.prefetchHash(hash)
	return hash
}

// prefetchHash is prefetch for callers that have the ID's hash.
func (b *Book) prefetchHash(hash uint64) {
	s, tag := b.shardAt(hash)
	room := s.hint.room.Load()
	prefetchLine(room)
	prefetchLine(room + cacheLine)
	s.hint.timer.prefetch()
	s.hint.bucket.prefetch()
	prefetchLine(uintptr(unsafe.Pointer(&s.timers)))
	prefetchLine(s.hint.slots.Load() + uintptr(tag>>(s.hint.shift.Load()&31))*8)
}

// PrefetchSlot asks for the slot of an ID only.
func (b *Book) PrefetchSlot(hash uint64) {
	s, tag := b.shardAt(hash)
	prefetchLine(s.hint.slots.Load() + uintptr(tag>>(s.hint.shift.Load()&31))*8)
}
