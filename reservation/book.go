package reservation

import (
	"fmt"
	"iter"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"unsafe"
)

// State says how far a reservation has come. It is Held while any unit is
// held and ends once, as Collected or Canceled. The zero value is no state.
type State uint8

// The states of a reservation.
const (
	Held      State = iota + 1 // some units are held for the customer
	Collected                  // nothing is held, and at least one unit was collected
	Canceled                   // nothing is held, and every unit was canceled
)

// String returns the name of the state in lower case.
func (s State) String() string {
	switch s {
	case Held:
		return "held"
	case Collected:
		return "collected"
	case Canceled:
		return "canceled"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// entryKind is a name space: an order and a movement may have the same ID.
type entryKind uint8

const (
	kindOrder entryKind = iota + 1 // 0 marks memory that is free
	kindMovement
)

// entryLine is one SKU of an order. Quantities are in 1..2^31-1, and
// quantity - held - collected units were canceled.
type entryLine struct{ sku, quantity, held, collected uint32 }

// entry is a copy of what the book keeps under an ID. Lines are sorted by SKU,
// each SKU once. The book copies them in, and on reads it copies them out into
// the capacity of lines.
type entry struct {
	fingerprint uint64 // of the content, to tell a repeat from a conflict
	location    uint32
	state       State   // of an order
	distance    float64 // in meters
	lines       []entryLine
}

// resolveOutcome says what resolve did.
type resolveOutcome uint8

const (
	resolved     resolveOutcome = iota // done
	notFound                           // no such order, or forgotten
	alreadyEnded                       // nothing is held; the state says how it ended
	notHeld                            // a line asks for more than is held; nothing changed
)

// Shards for each processor. The scheduler may take the processor away from a
// goroutine that holds a shard's lock, and does so for milliseconds when many
// more goroutines than processors run; the others stop at that shard one after
// the other. With 8 shards for each of two processors the slowest thousandth of
// orders of 64 goroutines took 11 ms, with 64 some 50 µs. What speaks for few is
// that each shard writes its records to a place of its own, which is not in the
// cache when its turn comes; prefetch brings it there.
const (
	shardsPerProcessor = 64
	minShardBits       = 4
	maxShardBits       = 12
)

// book keeps orders and the IDs of movements, by ID, in memory the garbage
// collector does not scan. Orders are kept while units are held. Ended orders
// and movements are remembered, first in, first out, and then forgotten.
//
// The highest bits of an ID's hash choose one of the shards, 64 for each
// processor; the rest of the work happens under the mutex of that shard, and no call holds two. In steady
// state no call allocates; growth allocates outside the mutex when it can.
// Safe for concurrent use.
//
// Invariant: an ID is in a name space at most once. In each line of an order
// held + collected <= quantity; an order is Held exactly while some held > 0
// or it was added as Held with no line resolved yet.
// Linearizes at: the critical section of the one shard a call touches. len and
// memory visit the shards one after the other and are not one instant.
// Progress: blocking, for one critical section: a probe, a copy of one entry,
// at most 32 slots of a growing table plus one probe run, at most two entries
// forgotten. The lock is never held while the caller's code runs.
// Bound: IDs up to 65,535 bytes, 2^31-1 entries a shard. With
// m = remember/shards, a shard remembers its last
// k = min(remember, ⌈m + 8·√m + 8⌉) ended orders, and as many movements: at
// most k·shards in all, which is 1.09 · remember at 2^20 and 128 shards, and at least the last
// remember of them except when more than k of these meet in one shard, which
// has a probability below 10⁻¹¹ (Chernoff). Memory is that of the peak; it is
// reused, not given back.
// Source: striped hash table; see index, slab and record for the parts.
type book struct {
	shards []shard // a power of two
	shift  int     // 64 − the hash bits that choose a shard
	key    hashKey
	used   uint64 // hash bits in use, all but in tests of collisions
}

// shard is a part of a book with its own lock. What an add touches lies in its
// first three cache lines; the padding keeps the mutex of the next shard off
// its last one.
type shard struct {
	shardParts
	_ [cacheLine - unsafe.Sizeof(shardParts{})%cacheLine]byte
}

const cacheLine = 64

type shardParts struct {
	mu    sync.Mutex
	index index
	slab  slab
	ended [2]queue     // by entryKind & 1
	hint  prefetchHint // where index.current lies
}

// queue links the records that are remembered, oldest first.
type queue struct {
	oldest, newest uint32
	count, keep    int
}

// newBook returns an empty book that remembers at least that many ended orders,
// and at least that many movements; see book for the exact bound. 0 forgets
// them at once.
func newBook(remember int) *book { return newKeyedBook(remember, newHashKey()) }

func newKeyedBook(remember int, key hashKey) *book {
	bits := min(max(bits.Len(uint(runtime.GOMAXPROCS(0)*shardsPerProcessor-1)), minShardBits), maxShardBits)
	b := &book{shards: make([]shard, 1<<bits), shift: 64 - bits, key: key, used: math.MaxUint64}
	keep := rememberedPerShard(remember, len(b.shards))
	for i := range b.shards {
		s := &b.shards[i]
		s.index.current = newTable(make([]uint64, firstSlots))
		s.hint.set(&s.index.current)
		s.ended[0].keep, s.ended[1].keep = keep, keep
	}
	return b
}

func rememberedPerShard(remember, shards int) int {
	mean := float64(max(remember, 0)) / float64(shards)
	return min(max(remember, 0), int(math.Ceil(mean+8*math.Sqrt(mean)+8)))
}

// shardOf returns the shard of an ID and its tag there.
func (b *book) shardOf(kind entryKind, id string) (*shard, uint32) {
	return b.shardAt(b.hash(kind, id))
}

func (b *book) shardAt(hash uint64) (*shard, uint32) { return &b.shards[hash>>b.shift], uint32(hash) }

func (b *book) hash(kind entryKind, id string) uint64 { return hashID(&b.key, kind, id) & b.used }

// add puts an entry under an ID that is not there and reports true. If the ID
// is there, nothing changes, and found, unless nil, receives what is there. A
// movement, and an order that is not Held, is remembered from the beginning.
// The ID has at most maxEntryIDBytes.
func (b *book) add(kind entryKind, id string, e *entry, found *entry) (added bool) {
	return b.addHashed(b.hash(kind, id), kind, id, e, found)
}

// addHashed is add for callers that have the ID's hash from prefetch.
func (b *book) addHashed(hash uint64, kind entryKind, id string, e *entry, found *entry) (added bool) {
	s, tag := b.shardAt(hash)
	s.mu.Lock()
	t, at, ref := s.search(tag, kind, id)
	if ref != 0 {
		if found != nil {
			s.record(ref).read(found)
		}
		s.mu.Unlock()
		return false
	}
	ref = s.slab.take(recordBytes(len(id), len(e.lines)))
	s.hint.room.Store(s.slab.next())
	s.record(ref).write(kind, id, e)
	s.index.put(t, at, slotOf(tag, ref))
	if kind == kindMovement || e.state != Held {
		b.remember(s, kind, ref)
	}
	want, urgent := s.index.wanted()
	if urgent {
		s.grow(make([]uint64, 2*len(s.index.current.slots)))
		want = false
	}
	double := 2 * len(s.index.current.slots)
	s.mu.Unlock()
	if want {
		slots := make([]uint64, double)
		s.mu.Lock()
		s.grow(slots)
		s.mu.Unlock()
	}
	return true
}

// find copies what is there under an ID and reports whether there is anything.
func (b *book) find(kind entryKind, id string, into *entry) bool {
	s, tag := b.shardOf(kind, id)
	s.mu.Lock()
	_, _, ref := s.search(tag, kind, id)
	if ref != 0 {
		s.record(ref).read(into)
	}
	s.mu.Unlock()
	return ref != 0
}

// drop forgets an entry, whatever its state: one that was just added and whose
// operation was undone. An ID that is not there is no fault.
func (b *book) drop(kind entryKind, id string) {
	s, tag := b.shardOf(kind, id)
	s.mu.Lock()
	if _, _, ref := s.search(tag, kind, id); ref != 0 {
		r := s.record(ref)
		if kind == kindMovement || r.state() != Held {
			s.unlink(&s.ended[kind&1], r)
		}
		s.forget(tag, ref)
	}
	s.mu.Unlock()
}

// resolve ends held units of an order, all of these lines or none. to is
// Collected or Canceled. Lines are as in entry, with sku and quantity read;
// nil means all that is still held, and empty but not nil means nothing.
//
// It appends to buf, as sku and quantity, the units really ended. If after that
// nothing is held, the order ends: Collected if any of its units ever was
// collected, else Canceled; and it is remembered. When the outcome is notHeld,
// taken is buf with one line more: the first line that failed, by sku, the
// quantity wanted, and in held what is held of it (0 if the SKU is not in the
// order). Location and state are zero only if the outcome is notFound.
func (b *book) resolve(id string, to State, lines []entryLine, buf []entryLine) (location uint32, state State, taken []entryLine, outcome resolveOutcome) {
	s, tag := b.shardOf(kindOrder, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, ref := s.search(tag, kindOrder, id)
	if ref == 0 {
		return 0, 0, buf, notFound
	}
	r := s.record(ref)
	location, state = r.location(), r.state()
	if state != Held {
		return location, state, buf, alreadyEnded
	}
	taken, rest, collected, ok := r.allLines().resolve(to, lines, buf)
	if !ok {
		return location, state, taken, notHeld
	}
	if !rest {
		state = Canceled
		if collected {
			state = Collected
		}
		r.setState(state)
		b.remember(s, kindOrder, ref)
	}
	return location, state, taken, resolved
}

// len returns the number of orders that are Held, and of ended orders and
// movements that are remembered.
func (b *book) len() (held, remembered int) {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		ended := s.ended[0].count + s.ended[1].count
		held += s.index.entries - ended
		remembered += ended
		s.mu.Unlock()
	}
	return held, remembered
}

// all walks every order, held and ended, in no particular order. An order that
// is there during the whole walk comes exactly once, as it is at that moment;
// one that is added or forgotten meanwhile may come or not. The entry and its
// lines are valid until the next step; the ID is the caller's. No lock is held
// while the caller's code runs.
func (b *book) all() iter.Seq2[string, *entry] {
	return func(yield func(string, *entry) bool) {
		var refs []uint32
		var e entry
		for i := range b.shards {
			s := &b.shards[i]
			s.mu.Lock()
			refs = s.index.references(refs[:0])
			s.mu.Unlock()
			slices.Sort(refs) // The order of memory.
			for _, ref := range refs {
				id, ok := s.order(ref, &e)
				if ok && !yield(id, &e) {
					return
				}
			}
		}
	}
}

// memory returns the bytes reserved for entries and tables, used or not.
func (b *book) memory() int64 {
	total := int64(shardBytes) * int64(len(b.shards))
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		total += s.slab.bytes + s.index.bytes() + s.slab.overheadBytes()
		s.mu.Unlock()
	}
	return total
}
