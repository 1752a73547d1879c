package book

import (
	"cmp"
	"iter"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

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

// All walks every order, live and ended, in no particular order. An order that
// is there during the whole walk comes exactly once, as it is at that moment;
// one that is added or forgotten meanwhile may come or not. The entry and its
// lines are valid until the next step; the ID is the caller's. No lock is held
// while the caller's code runs.
func (b *Book) All() iter.Seq2[string, *Entry] {
	return func(yield func(string, *Entry) bool) {
		var order refSorter
		var e Entry
		for i := range b.shards {
			refs := b.shards[i].references(&order)
			for _, ref := range refs {
				kind, id, ok := b.shards[i].entryAt(ref, &e)
				if ok && kind == KindOrder && !yield(id, &e) {
					return
				}
			}
		}
	}
}

// past is a remembered entry in a dump.
type past struct {
	ended    int64
	sequence uint64
	place
}

// Dump walks everything, in an order that load can take: what is live, then what
// is remembered, the longest ended first. An entry that is there during the whole
// walk comes exactly once, as it was at some moment of the walk; one that is added
// or forgotten meanwhile may come or not. It needs 24 bytes for each remembered
// entry. No lock is held while each runs, which returns false to stop; the entry
// is valid until then, the ID is the caller's.
func (b *Book) Dump(each func(kind Kind, id string, e *Entry) bool) {
	var order refSorter
	var gone []past
	var e Entry
	for i := range b.shards {
		refs := b.shards[i].references(&order)
		for _, ref := range refs {
			kind, id, ok := b.shards[i].entryUnless(ref, &e, true)
			switch {
			case !ok:
			case Remembered(kind, e.State):
				gone = append(gone, past{e.Deadline, e.Sequence, place{uint32(i), ref}})
			case !each(kind, id, &e):
				return
			}
		}
	}
	slices.SortFunc(gone, func(a, b past) int {
		return cmp.Or(cmp.Compare(a.ended, b.ended), cmp.Compare(a.sequence, b.sequence))
	})
	for _, p := range gone {
		kind, id, ok := b.shards[p.shard].entryAt(p.ref, &e)
		if ok && Remembered(kind, e.State) && !each(kind, id, &e) {
			return
		}
	}
}
