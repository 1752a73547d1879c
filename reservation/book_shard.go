package reservation

import "unsafe"

const shardBytes = unsafe.Sizeof(shard{})

// The methods of this file are called with the shard's lock held.

func (s *shard) record(ref uint32) record { return record(s.slab.at(ref)) }

// grow lets the index begin to grow into empty slots.
func (s *shard) grow(slots []uint64) {
	s.index.begin(slots)
	s.hint.set(&s.index.current)
}

// search looks an ID up. It returns the reference of its record, or 0 and the
// slot, valid until the next change, where its entry belongs.
func (s *shard) search(tag uint32, kind entryKind, id string) (t *table, at int, ref uint32) {
	t = s.index.tableFor(tag)
	mask := len(t.slots) - 1
	for at = t.home(tag); ; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot == 0 {
			return t, at, 0
		}
		if slotTag(slot) == tag && s.record(slotRef(slot)).is(kind, id) {
			return t, at, slotRef(slot)
		}
	}
}

// remember puts a record at the end of its queue and forgets the oldest ones
// beyond the bound.
func (b *book) remember(s *shard, kind entryKind, ref uint32) {
	q := &s.ended[kind&1]
	r := s.record(ref)
	r.setOlder(q.newest)
	r.setNewer(0)
	if q.newest != 0 {
		s.record(q.newest).setNewer(ref)
	} else {
		q.oldest = ref
	}
	q.newest = ref
	q.count++
	for q.count > q.keep {
		oldest := q.oldest
		r := s.record(oldest)
		tag := uint32(hashID(&b.key, kind, r.id()) & b.used)
		s.unlink(q, r)
		s.forget(tag, oldest)
	}
}

// unlink takes a record out of its queue.
func (s *shard) unlink(q *queue, r record) {
	older, newer := r.older(), r.newer()
	if older != 0 {
		s.record(older).setNewer(newer)
	} else {
		q.oldest = newer
	}
	if newer != 0 {
		s.record(newer).setOlder(older)
	} else {
		q.newest = older
	}
	q.count--
}

// forget removes an entry that is in no queue and frees its memory.
func (s *shard) forget(tag, ref uint32) {
	s.index.take(slotOf(tag, ref))
	r := s.record(ref)
	size := r.size()
	r.markFree()
	s.slab.give(ref, size)
}

// order copies the order at an outdated reference, if there is one now. It
// takes the lock itself.
func (s *shard) order(ref uint32, into *entry) (id string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.slab.present(ref) {
		return "", false
	}
	r := s.record(ref)
	if r.kind() != kindOrder {
		return "", false
	}
	r.read(into)
	return string(r.id()), true
}
