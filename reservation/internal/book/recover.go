package book

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// A loose book keeps no shelves and no timers, and its tables grow at once: what
// recovery brings in and takes out again needs neither, and one pass over what is
// left in the end is cheaper than keeping them on the way. Loosen comes before the
// first call; until Settle only Add, Load, Change, Drop, Find and the walks may be
// called, settle alone, and everything after it.

// Loosen makes an empty book loose.
func (b *Book) Loosen() { b.loose = true }

// Settle puts the live orders of a loose book on their shelves, by when they were
// made, and arms their timers on wheels that stand at an engine time. So many
// goroutines share the work.
func (b *Book) Settle(workers int, now int64) {
	b.loose = false
	b.Look(now)
	Share(workers, len(b.shards), func() func(int) {
		var order refSorter
		return func(i int) { order.settle(b, &b.shards[i]) }
	})
	pages := b.shelves.pages.Load()
	if pages == nil {
		return
	}
	Share(workers, len(*pages), func() func(int) {
		var order shelfSorter
		return func(i int) {
			for at := range shelfPage {
				order.settle(b, &(*pages)[i][at])
			}
		}
	})
}

// Share gives the numbers below n to so many goroutines, each with a function of
// its own for them, and returns when all are done.
func Share(workers, n int, worker func() func(i int)) {
	if workers <= 1 {
		each := worker()
		for i := range n {
			each(i)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			each := worker()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				each(int(i))
			}
		})
	}
	all.Wait()
}

// settle puts the live orders of a shard on their shelves and arms their timers.
func (o *refSorter) settle(b *Book, s *shard) {
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	s.hint.set(s.index.Newest())
	s.hint.room.Store(s.slab.Next())
	for _, ref := range o.of(s) {
		r := s.record(ref)
		if r.kind() != KindOrder || r.state().Ended() {
			continue
		}
		r.setNumber(b.shelves.add(r.location(), place{s.number, ref}))
		if due := b.dueAt(s, ref); due != wheel.Never {
			b.arm(s, ref, due)
		}
	}
	b.setNext(s)
}

// dueAt is due for a record, of which it reads what it needs.
func (b *Book) dueAt(s *shard, ref uint32) int64 {
	r := s.record(ref)
	switch {
	case s.partial(r):
		s.read(ref, &s.scratch)
		return b.due(&s.scratch)
	case r.state() == life.Held && r.lineCount() > 0:
		return r.deadline()
	case r.state() == life.Ready:
		return b.due(&Entry{State: life.Ready, Pickup: r.pickup(), Reminded: r.has(flagReminded)})
	}
	return wheel.Never
}

// partial reports whether the state of a record does not say where its units are.
func (s *shard) partial(r record) bool {
	x := r.extra()
	return x != 0 && s.extra(x).lineCount() > 0
}

// refSorter gives the references of a shard in the order of memory.
type refSorter struct{ refs, spare []uint32 }

// of returns them, valid until the next call. It is called with the shard's lock
// held.
func (o *refSorter) of(s *shard) []uint32 {
	o.refs = s.index.References(o.refs[:0])
	o.sort(s.slab.Bound())
	return o.refs
}

// refDigit is how many bits a pass of the sort looks at.
const refDigit = 11

// sort sorts the references, all of which are below a bound.
func (o *refSorter) sort(bound uint32) {
	if len(o.refs) < 1<<8 {
		slices.Sort(o.refs)
		return
	}
	o.spare = slices.Grow(o.spare[:0], len(o.refs))[:len(o.refs)]
	for shift := 0; shift < 32 && bound>>shift != 0; shift += refDigit {
		var from [1 << refDigit]uint32
		for _, ref := range o.refs {
			from[ref>>shift&(1<<refDigit-1)]++
		}
		sum := uint32(0)
		for i, n := range from {
			from[i], sum = sum, sum+n
		}
		for _, ref := range o.refs {
			at := &from[ref>>shift&(1<<refDigit-1)]
			o.spare[*at] = ref
			*at++
		}
		o.refs, o.spare = o.spare, o.refs
	}
}

// shelved is an order of a shelf that is being sorted.
type shelved struct {
	since    int64
	sequence uint64
	slot     uint64
}

type shelfSorter struct{ orders, spare []shelved }

// settle puts the orders of a shelf, all of them live, in the order in which
// they were made.
func (o *shelfSorter) settle(b *Book, f *shelf) {
	f.mu.Lock(lock.List)
	defer f.mu.Unlock()
	n := f.count()
	if n < 2 {
		return
	}
	const ahead = 16
	o.orders = o.orders[:0]
	for i := range n {
		if i+ahead < n {
			p := b.shelves.placeOf(*f.slot(i + ahead))
			address := b.shards[p.shard].slab.Address(p.ref)
			prefetchLine(address)
			prefetchLine(address + cacheLine)
		}
		slot := *f.slot(i)
		p := b.shelves.placeOf(slot)
		s := &b.shards[p.shard]
		r := s.record(p.ref)
		o.orders = append(o.orders, shelved{s.since(r), binary.LittleEndian.Uint64(r[sequenceAt:]), slot})
	}
	o.sort()
	mask := b.shelves.mask()
	for i := range o.orders {
		p := b.shelves.placeOf(o.orders[i].slot)
		*f.slot(i) = o.orders[i].slot&^mask | uint64(i)&mask
		b.shards[p.shard].record(p.ref).setNumber(uint32(i))
	}
	f.next = uint32(n)
}

// since is when the entry of a record was made.
func (s *shard) since(r record) int64 {
	if x := r.extra(); x != 0 {
		if text := s.extra(x).past(); len(text) >= originSlot {
			return int64(binary.BigEndian.Uint64(text[originSince:]))
		}
	}
	return r.pickup()
}

// sort sorts by time, and orders of the same time by their last change.
func (o *shelfSorter) sort() {
	first, last := o.orders[0].since, o.orders[0].since
	for i := range o.orders {
		first, last = min(first, o.orders[i].since), max(last, o.orders[i].since)
	}
	o.spare = slices.Grow(o.spare[:0], len(o.orders))[:len(o.orders)]
	for shift := 0; shift < 64 && uint64(last-first)>>shift != 0; shift += refDigit {
		if len(o.orders) < 1<<8 {
			break
		}
		var from [1 << refDigit]uint32
		digit := func(v *shelved) uint64 { return uint64(v.since-first) >> shift & (1<<refDigit - 1) }
		for i := range o.orders {
			from[digit(&o.orders[i])]++
		}
		sum := uint32(0)
		for i, n := range from {
			from[i], sum = sum, sum+n
		}
		for i := range o.orders {
			at := &from[digit(&o.orders[i])]
			o.spare[*at] = o.orders[i]
			*at++
		}
		o.orders, o.spare = o.spare, o.orders
	}
	// By now only those of one time can be out of order.
	slices.SortFunc(o.orders, func(a, b shelved) int {
		return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.sequence, b.sequence))
	})
}
