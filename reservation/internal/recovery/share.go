package recovery

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
)

// Recovery shares what it reads out to the processors, batch by batch, by the
// shards of the book: while some read a batch and sort it by shard, others bring
// in the batch before it, one shard at a time, so that a shard's memory is in the
// cache while its turn lasts. What is on hand, names and movements are brought in
// by the reader, in order; what concerns one reservation falls to one worker, in
// order. No other order matters: an entry depends on its own records only.

const (
	// shareItems and shareBytes are when a batch is full.
	shareItems = 1 << 15
	shareBytes = 4 << 20
	// MaxWorkers is how many processors are worth using.
	MaxWorkers = 16
	// prefetchAhead is how many records ahead a worker asks for memory.
	prefetchAhead = 12
)

// item is one record or entry of a batch; its hash says of which shard.
type item struct {
	sequence uint64 // of a record
	hash     uint64
	rooted   bool // the hash is that of state.Root of its ID; of an entry: a part may have been named so
	from, to int  // in the bytes of its batch
}

// batch is items that wait for the workers.
type batch struct {
	bytes  []byte
	items  []item
	sorted []item // by shard
	ends   []int  // by shard: where its items end
}

func (b *batch) full() bool { return len(b.items) >= shareItems || len(b.bytes) >= shareBytes }

func (b *batch) empty() { b.bytes, b.items = b.bytes[:0], b.items[:0] }

// sort puts the items of a shard together, in the order in which they came.
func (b *batch) sort(of *book.Book) {
	if len(b.ends) == 0 {
		b.ends = make([]int, of.Shards())
	}
	clear(b.ends)
	for i := range b.items {
		b.ends[book.ShardOf(b.items[i].hash, len(b.ends))]++
	}
	sum := 0
	for shard, n := range b.ends {
		b.ends[shard] = sum
		sum += n
	}
	if cap(b.sorted) < len(b.items) {
		b.sorted = make([]item, cap(b.items))
	}
	b.sorted = b.sorted[:len(b.items)]
	for i := range b.items {
		at := &b.ends[book.ShardOf(b.items[i].hash, len(b.ends))]
		b.sorted[*at] = b.items[i]
		*at++
	}
}

// sharing hands batches to workers, each of which brings in one item at a time.
type sharing struct {
	book    *book.Book
	byHand  bool // one worker and no goroutines
	workers []func(it *item, data []byte) error
	errs    []error // by worker; read after all.Wait
	all     sync.WaitGroup
	next    atomic.Int64 // shard
	filling *batch
	busy    *batch
}

func newSharing(b *book.Book, workers int, worker func() func(it *item, data []byte) error) *sharing {
	s := &sharing{book: b, byHand: workers == ByHand, filling: new(batch), busy: new(batch)}
	for range max(workers, 1) {
		s.workers = append(s.workers, worker())
	}
	s.errs = make([]error, len(s.workers))
	return s
}

// handOut lets the workers bring in the batch that was filled, and gives an empty
// one for the next. The error is that of an earlier batch.
func (s *sharing) handOut() error {
	s.filling.sort(s.book)
	if err := s.wait(); err != nil {
		return err
	}
	s.filling, s.busy = s.busy, s.filling
	s.filling.empty()
	s.next.Store(0)
	if s.byHand {
		s.errs[0] = s.bringIn(s.workers[0])
		return s.errs[0]
	}
	for i, worker := range s.workers {
		s.all.Go(func() { s.errs[i] = s.bringIn(worker) })
	}
	return nil
}

// wait returns when the workers are idle.
func (s *sharing) wait() error {
	s.all.Wait()
	for _, err := range s.errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// finish hands out what is left and waits for it.
func (s *sharing) finish() error {
	if err := s.handOut(); err != nil {
		return err
	}
	return s.wait()
}

// bringIn brings in shards until there are none left.
func (s *sharing) bringIn(worker func(it *item, data []byte) error) error {
	b := s.busy
	for shard := s.next.Add(1) - 1; shard < int64(len(b.ends)); shard = s.next.Add(1) - 1 {
		from := 0
		if shard > 0 {
			from = b.ends[shard-1]
		}
		items := b.sorted[from:b.ends[shard]]
		for i := range items {
			if i+prefetchAhead < len(items) {
				ahead := &items[i+prefetchAhead]
				s.book.PrefetchSlot(ahead.hash)
				book.PrefetchBytes(uintptr(unsafe.Pointer(&b.bytes[ahead.from])))
			}
			if err := worker(&items[i], b.bytes[items[i].from:items[i].to]); err != nil {
				return err
			}
		}
	}
	return nil
}
