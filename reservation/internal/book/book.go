package book

import (
	"errors"
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/internal/book/index"
	"github.com/clickcollect/clickcollect/reservation/internal/book/slab"
	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// ErrNotFound: nothing is kept under that ID.
var ErrNotFound = errors.New("reservation not found")

// sink takes the record of a change before anyone can see the change.
type Sink interface {
	Append(record []byte) (commit.Ticket, error)
	// AppendAll takes several as one: all of them last, or none. The ticket is
	// that of the last one, and their numbers follow each other.
	AppendAll(records ...[]byte) (commit.Ticket, error)
}

// rule changes an entry in place: everything but the number of its lines, their
// SKUs and their quantities. It runs under the lock of the entry's shard, so it
// must not call the book, and id is valid only until it returns. An error: nothing
// changes. Without a record (nil) the entry is written back and nothing is logged.
type Rule interface {
	Apply(id string, e *Entry) (record []byte, err error)
}

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

// book keeps orders, transfers, and the IDs of movements and changes, by ID, in
// memory the garbage collector does not scan. Orders and transfers are kept while
// they are live. Ended ones, movements and changes are remembered, of each kind
// for itself, first in, first out, and then forgotten. It knows which orders are
// due, which are at a location, and which have a reference.
//
// The highest bits of an ID's hash choose one of the shards, 64 for each
// processor; the rest of the work happens under the mutex of that shard. Shelves
// and views have locks of their own, taken one at a time inside that of a shard,
// and nothing is locked inside them. No call holds two shards: the parts of an order lie
// in one, so that all of them are made, read and changed at one instant. In steady state
// no call allocates but to copy references out; growth allocates outside the mutex
// when it can. Safe for concurrent use.
//
// Invariant: an ID is in a name space at most once. A live order is on the shelf
// of its location and, unless its time has come and went unused, armed; an ended
// entry, a movement or a change is in its list of the remembered, but for a part of an
// order of which another part is live.
// Linearizes at: the critical section of the one shard a call touches. The sink
// has taken the record before anyone can see the change. len, memory and the
// walks visit the shards one after the other and are not one instant.
// Progress: blocking, for one critical section: a probe, a copy of one entry, the
// rule and the sink, at most 32 slots of a growing table plus one probe run, at
// most four entries forgotten; closing the gaps of a shelf, once in so many
// departures as it has orders. DueIn works in sections of 256 timers. Of the
// caller's code only rules and the sink run inside.
// Bound: IDs up to 65,535 bytes, 2^31-1 entries a shard. With
// m = remember/shards, a shard remembers its last
// k = min(remember, ⌈m + 8·√m + 8⌉) of each kind: at most k·shards in all, which
// is 1.09 · remember at 2^20 and 128 shards, and at least the last remember of
// them except when more than k of these meet in one shard, which has a
// probability below 10⁻¹¹ (Chernoff). With rememberFor, not longer than that
// after their end and about a second, if DueIn is called when NextDue says so.
// Memory is that of the peak; it is reused, not given back.
// Source: striped hash table; see index, slab, wheel, record, shelf and
// viewIndex for the parts.
type Book struct {
	shards  []shard // a power of two
	shift   int     // 64 − the hash bits that choose a shard
	key     hashKey
	used    uint64 // hash bits in use, all but in tests of collisions
	shelves shelves
	views   [views]viewIndex
	loose   bool         // see Loosen
	fixed   bool         // the key stays as it is
	looked  atomic.Int64 // when look was there last

	// To be set before the first call.
	Sink         Sink  // nil: nothing is logged
	RemindBefore int64 // ms: a ready order is due that long before its pickup deadline, once
	RememberFor  int64 // ms: 0 for as long as the number allows
}

// shard is a part of a book with its own lock. The padding keeps the mutex of the
// next shard off its last cache line.
type shard struct {
	shardParts
	_ [cacheLine - unsafe.Sizeof(shardParts{})%cacheLine]byte
}

const cacheLine = 64

type shardParts struct {
	mu      lock.Mutex
	number  uint32
	live    atomic.Int32 // orders that have not ended; written with the mutex held
	next    atomic.Int64 // what NextDue says
	index   index.Index
	hint    prefetchHint // where index.current lies
	slab    slab.Slab    // of the records
	side    slab.Slab    // of extra pieces and timers
	timers  wheel.Wheel
	ended   [kinds - 1]queue // by kind
	waiting int              // entries that wait, see record.waits
	kept    atomic.Int32     // remembered entries; written with the mutex held; here, for before index it pushes that off the line of the mutex
	scratch Entry
}

// queue links the records that are remembered, oldest first.
type queue struct {
	oldest, newest uint32
	count, keep    int
}

// New returns an empty book that remembers at least that many ended entries
// of each kind; see book for the exact bound. 0 forgets them at once.
func New(remember int) *Book { return newKeyedBook(remember, newHashKey()) }

// Fixed is New with so many shards, a power of two, and the same key every time:
// quick to make if they are few, and what it does can be repeated. For tests.
func Fixed(remember, shards int) *Book {
	b := newBook(remember, bits.Len(uint(shards))-1, hashKey{3, 5, 7})
	b.fixed = true
	return b
}

// Keyed has an empty book go by a key that follows from a secret, so that the order of
// All is the same whenever the secret is. It comes before the first entry and the first
// hash; a book that is Fixed keeps its own.
func Keyed(b *Book, secret *[3]uint64) {
	if b.fixed {
		return
	}
	for i := range b.key {
		b.key[i] = fold(secret[i]^mixFirst, secret[(i+1)%len(secret)]^mixLast)
	}
}

func newKeyedBook(remember int, key hashKey) *Book {
	bits := min(max(bits.Len(uint(runtime.GOMAXPROCS(0)*shardsPerProcessor-1)), minShardBits), maxShardBits)
	return newBook(remember, bits, key)
}

func newBook(remember, bits int, key hashKey) *Book {
	b := &Book{shards: make([]shard, 1<<bits), shift: 64 - bits, key: key, used: math.MaxUint64}
	b.shelves.numberBits = uint(32 - bits)
	for v := range b.views {
		b.views[v] = newViewIndex(len(b.shards), b.shift)
	}
	keep := rememberedPerShard(remember, len(b.shards))
	for i := range b.shards {
		s := &b.shards[i]
		s.number = uint32(i)
		s.next.Store(wheel.Never)
		s.index = index.New()
		s.hint.set(s.index.Newest())
		for kind := range s.ended {
			s.ended[kind].keep = keep
		}
	}
	return b
}

func rememberedPerShard(remember, shards int) int {
	mean := float64(max(remember, 0)) / float64(shards)
	return min(max(remember, 0), int(math.Ceil(mean+8*math.Sqrt(mean)+8)))
}

// ShardCount is how many shards there are, for DueIn and NextDue.
func (b *Book) Shards() int { return len(b.shards) }

// shardOf returns the shard of an ID and its tag there.
func (b *Book) shardOf(kind Kind, id string) (*shard, uint32) {
	return b.shardAt(b.Hash(kind, id))
}

func (b *Book) shardAt(hash uint64) (*shard, uint32) { return &b.shards[hash>>b.shift], uint32(hash) }

// partTag is the tag of a part in the shard of its order, whose ID has a tag there. It
// changes nothing above the tag, so that all parts of an order lie in one shard and
// under one lock.
func (b *Book) partTag(tag uint32, part uint8) uint32 {
	return (tag ^ uint32(part)*0x9E3779B1) & uint32(b.used)
}

// Hash is the hash of an ID, by which its shard and its entry are found. All parts of
// an order have its ID and lie in one shard: see partTag.
func (b *Book) Hash(kind Kind, id string) uint64 { return hashID(&b.key, kind, id) & b.used }

// AddHashed puts an entry under an ID, whose hash is that of Hash or Prefetch, if it is
// not there, and reports true. If it is there, nothing changes, and found, unless nil,
// receives what is there. With a record and a sink, the sink is given the record first;
// if it refuses, nothing changes and err says why, else e.Sequence becomes the record's.
// A movement, a change, and an entry that has ended, is remembered from the beginning;
// its deadline says when that was. *TooLongError: a text of it is longer than
// MaxIDBytes.
func (b *Book) AddHashed(hash uint64, kind Kind, id string, e *Entry, record []byte, found *Entry) (t commit.Ticket, added bool, err error) {
	if kind == KindOrder {
		b.shelves.prefetch(e.Location)
	}
	s, tag := b.shardAt(hash)
	tag = b.partTag(tag, e.Part)
	s.mu.Lock(lock.Shard)
	table, at, ref := s.search(tag, kind, id, e.Part)
	if ref != 0 {
		if found != nil {
			s.read(ref, found)
		}
		s.mu.Unlock()
		return t, false, nil
	}
	if err = e.Fits(id); err == nil && record != nil && b.Sink != nil {
		t, err = b.Sink.Append(record)
		e.Sequence = t.Sequence
	}
	if err != nil {
		s.mu.Unlock()
		return t, false, err
	}
	b.insert(s, table, at, tag, kind, id, e)
	if kind == KindOrder && e.several() {
		b.regroup(s, id)
	}
	s.growAndUnlock(b.loose)
	return t, true, nil
}

// growAndUnlock makes room for the next entry and gives up the lock. The caller
// holds no other shard's.
func (s *shard) growAndUnlock(loose bool) {
	twice := s.growIfUrgent(loose)
	s.mu.Unlock()
	s.growLater(twice)
}

// growIfUrgent makes room for the next entry if there is none. A table that is to
// be brought when the lock has been given up has the returned number of slots; 0
// is none.
func (s *shard) growIfUrgent(loose bool) (twice int) {
	want, urgent := s.index.Wanted()
	switch {
	case want && loose:
		s.index.Double()
		s.hint.set(s.index.Newest())
	case urgent:
		s.grow(make([]uint64, s.index.Twice()))
	case want:
		return s.index.Twice()
	}
	return 0
}

// growLater brings a table that growIfUrgent has asked for. The caller holds no
// shard's lock.
func (s *shard) growLater(twice int) {
	if twice == 0 {
		return
	}
	slots := make([]uint64, twice)
	s.mu.Lock(lock.Shard)
	s.grow(slots)
	s.mu.Unlock()
}

// LoadHashed puts an entry under an ID, which has that hash, in the place of what may be
// there, and logs nothing: for recovery. Remembered entries come in the order in which they
// are to be forgotten.
func (b *Book) LoadHashed(hash uint64, kind Kind, id string, e *Entry) {
	s, tag := b.shardAt(hash)
	tag = b.partTag(tag, e.Part)
	s.mu.Lock(lock.Shard)
	table, at, ref := s.search(tag, kind, id, e.Part)
	if ref != 0 {
		b.withdraw(s, ref)
		b.forget(s, tag, ref)
		table, at, _ = s.search(tag, kind, id, e.Part)
	}
	b.insert(s, table, at, tag, kind, id, e)
	if kind == KindOrder && (ref != 0 || e.several()) {
		b.regroup(s, id)
	}
	s.growAndUnlock(b.loose)
}

// Find copies what is there under an ID and reports whether there is anything: of an
// order of several parts, the first one.
func (b *Book) Find(kind Kind, id string, into *Entry) bool { return b.find(kind, Name{ID: id}, into) }

func (b *Book) find(kind Kind, n Name, into *Entry) bool {
	s, tag := b.shardOf(kind, n.ID)
	tag = b.partTag(tag, n.Part)
	s.mu.Lock(lock.Shard)
	_, _, ref := s.search(tag, kind, n.ID, n.Part)
	if ref != 0 {
		s.read(ref, into)
	}
	s.mu.Unlock()
	return ref != 0
}

// Change applies a rule to the entry under an ID. e is filled with what is there
// for the rule to change, and holds the outcome. ErrNotFound if there is nothing;
// otherwise an error is the rule's or the sink's, and nothing has changed.
func (b *Book) Change(kind Kind, id string, e *Entry, r Rule) (t commit.Ticket, err error) {
	return b.change(kind, Name{ID: id}, e, r)
}

func (b *Book) change(kind Kind, n Name, e *Entry, r Rule) (t commit.Ticket, err error) {
	s, tag := b.shardOf(kind, n.ID)
	tag = b.partTag(tag, n.Part)
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	_, _, ref := s.search(tag, kind, n.ID, n.Part)
	if ref == 0 {
		return t, ErrNotFound
	}
	s.read(ref, e)
	return b.changeAt(s, ref, n.ID, e, r, b.due(e), false)
}

// Drop forgets an entry, whatever its state: one that was just added and whose
// operation was undone. An ID that is not there is no fault.
func (b *Book) Drop(kind Kind, id string) {
	s, tag := b.shardOf(kind, id)
	s.mu.Lock(lock.Shard)
	if _, _, ref := s.search(tag, kind, id, 0); ref != 0 {
		b.withdraw(s, ref)
		b.forget(s, tag, ref)
		if kind == KindOrder {
			b.regroup(s, id)
		}
	}
	s.mu.Unlock()
}

// Len returns the number of entries that are live, and of those remembered.
func (b *Book) Len() (live, remembered int) {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock(lock.Shard)
		ended := 0
		for kind := range s.ended {
			ended += s.ended[kind].count
		}
		live += s.index.Len() - ended - s.waiting
		remembered += ended
		s.mu.Unlock()
	}
	return live, remembered
}

// Counts returns the number of orders that have not ended, and of all entries that
// are remembered. It takes no lock: a shard's counters lie on the line of its mutex,
// so that whoever changes them has that line already.
func (b *Book) Counts() (live, remembered int) {
	for i := range b.shards {
		live += int(b.shards[i].live.Load())
		remembered += int(b.shards[i].kept.Load())
	}
	return live, remembered
}

// Memory returns the bytes reserved for entries, tables, timers, shelves and
// views, used or not.
func (b *Book) Memory() int64 {
	total := int64(shardBytes)*int64(len(b.shards)) + b.shelves.bytes()
	for v := range b.views {
		total += b.views[v].bytes()
	}
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock(lock.Shard)
		total += s.slab.Bytes() + s.side.Bytes() + s.index.Bytes() + s.timers.Bytes()
		s.mu.Unlock()
	}
	return total
}
