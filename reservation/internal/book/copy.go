package book

import "github.com/clickcollect/clickcollect/reservation/lock"

// entryAt copies the entry at an outdated reference, if there is one now. It
// takes the lock itself.
func (s *shard) entryAt(ref uint32, into *Entry) (kind Kind, id string, ok bool) {
	return s.entryUnless(ref, into, false)
}

// entryUnless is entryAt, but with leave it does not copy the ID of what is
// remembered.
func (s *shard) entryUnless(ref uint32, into *Entry, leave bool) (kind Kind, id string, ok bool) {
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	if !s.slab.Present(ref) {
		return 0, "", false
	}
	r := s.record(ref)
	if kind = r.kind(); kind == 0 {
		return 0, "", false
	}
	s.read(ref, into)
	if leave && r.has(flagQueued) {
		return kind, "", true
	}
	return kind, string(r.id()), true
}

// shelved copies the order at an outdated reference if it is still on the shelf
// of that location under that number. It takes the lock itself.
func (s *shard) shelved(ref, location, number, mask uint32, into *Entry) (id string, ok bool) {
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	if !s.slab.Present(ref) {
		return "", false
	}
	r := s.record(ref)
	if r.kind() != KindOrder || r.state().Ended() || r.location() != location || r.number()&mask != number {
		return "", false
	}
	s.read(ref, into)
	return string(r.id()), true
}

// references returns where the entries of a shard lie, in the order of memory.
func (s *shard) references(order *refSorter) []uint32 {
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	return order.of(s)
}
