package book

import (
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Add is AddHashed for tests, which have no hash.
func (b *Book) Add(kind Kind, id string, e *Entry, record []byte, found *Entry) (commit.Ticket, bool, error) {
	return b.AddHashed(b.Hash(kind, id), kind, id, e, record, found)
}

// Load is LoadHashed for them.
func (b *Book) Load(kind Kind, id string, e *Entry) { b.LoadHashed(b.Hash(kind, id), kind, id, e) }

// DropPart is Drop for an order or a part of it.
func (b *Book) DropPart(n Name) { b.drop(KindOrder, n) }

func (b *Book) drop(kind Kind, n Name) {
	s, tag := b.shardOf(kind, n.ID)
	tag = b.partTag(tag, n.Part)
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	if _, _, ref := s.search(tag, kind, n.ID, n.Part); ref != 0 {
		b.withdraw(s, ref)
		b.forget(s, tag, ref)
		if kind == KindOrder {
			b.regroup(s, n.ID)
		}
	}
}
