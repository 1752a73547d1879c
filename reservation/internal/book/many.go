package book

import (
	"cmp"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// addition is an order that is to be put under an ID that is not there.
type Addition struct {
	Hash  uint64
	ID    string
	Entry *Entry
}

// mover is a rule that takes something out of one entry and completes another one
// with it. The records are of the new entry, then one of the old one.
type Mover interface {
	Move(id string, e, part *Entry) (records [][]byte, err error)
}

// heldShards is the shards that a call has locked, ascending, and the sizes of the
// tables that they want.
type heldShards struct {
	room   [8]uint32
	shards []uint32
	twice  []int
}

// lockAll locks the shards of some hashes, in ascending order.
func (b *Book) lockAll(h *heldShards, hashes func(yield func(uint64) bool)) {
	h.shards = h.room[:0]
	for hash := range hashes {
		h.shards = append(h.shards, uint32(hash>>b.shift))
	}
	slices.Sort(h.shards)
	h.shards = slices.Compact(h.shards)
	for _, i := range h.shards {
		b.shards[i].mu.Lock(lock.Shard)
	}
}

// unlockAll gives up all locks, and then brings the tables that are wanted.
func (b *Book) unlockAll(h *heldShards) {
	for _, i := range h.shards {
		b.shards[i].mu.Unlock()
	}
	for i, twice := range h.twice {
		b.shards[h.shards[i]].growLater(twice)
	}
}

// insertOne puts an order into its shard, which is locked with others.
func (b *Book) insertOne(h *heldShards, a *Addition) {
	s, tag := b.shardAt(a.Hash)
	table, at, _ := s.search(tag, KindOrder, a.ID)
	b.insert(s, table, at, tag, KindOrder, a.ID, a.Entry)
	if twice := b.growIfUrgent(s); twice != 0 {
		if h.twice == nil {
			h.twice = make([]int, len(h.shards))
		}
		at, _ := slices.BinarySearch(h.shards, s.number)
		h.twice[at] = twice
	}
}

// AddAll puts the orders of several IDs into the book, all or none, with a record
// for each, or no records. If one of the IDs is there, nothing changes, there is
// the index of the first such, and found receives what is there; otherwise there
// is −1. No two of the IDs are the same. An error is the sink's, or *InvalidError as
// of add, and nothing has changed.
func (b *Book) AddAll(adds []Addition, records [][]byte, found *Entry) (t commit.Ticket, there int, err error) {
	var h heldShards
	b.lockAll(&h, func(yield func(uint64) bool) {
		for i := range adds {
			if !yield(adds[i].Hash) {
				return
			}
		}
	})
	defer b.unlockAll(&h)
	for i := range adds {
		s, tag := b.shardAt(adds[i].Hash)
		if _, _, ref := s.search(tag, KindOrder, adds[i].ID); ref != 0 {
			s.read(ref, found)
			return t, i, nil
		}
	}
	for i := range adds {
		if err := adds[i].Entry.Fits(adds[i].ID); err != nil {
			return t, -1, err
		}
	}
	if records != nil && b.Sink != nil {
		if t, err = b.Sink.AppendAll(records...); err != nil {
			return t, -1, err
		}
		for i := range adds {
			adds[i].Entry.Sequence = t.Sequence - uint64(len(adds)-1-i)
		}
	}
	for i := range adds {
		b.insertOne(&h, &adds[i])
	}
	return t, -1, nil
}

// Move changes the order under an ID by a rule that makes another one, all of it
// or nothing. e is filled as in change. If the other one's ID is there, nothing
// changes, and found receives what is there. ErrNotFound if the first is not;
// otherwise an error is the rule's or the sink's, and nothing has changed.
func (b *Book) Move(id string, e *Entry, part *Addition, m Mover, found *Entry) (t commit.Ticket, added bool, err error) {
	hash := b.Hash(KindOrder, id)
	var h heldShards
	b.lockAll(&h, func(yield func(uint64) bool) { _ = yield(hash) && yield(part.Hash) })
	defer b.unlockAll(&h)
	s, tag := b.shardAt(hash)
	_, _, ref := s.search(tag, KindOrder, id)
	if ref == 0 {
		return t, false, ErrNotFound
	}
	to, toTag := b.shardAt(part.Hash)
	if _, _, ref := to.search(toTag, KindOrder, part.ID); ref != 0 {
		to.read(ref, found)
		return t, false, nil
	}
	s.read(ref, e)
	before := was{e.State, e.Location, b.due(e)}
	records, err := m.Move(id, e, part.Entry)
	if err == nil {
		err = cmp.Or(e.Fits(id), part.Entry.Fits(part.ID))
	}
	if err != nil {
		return t, false, err
	}
	if records != nil && b.Sink != nil {
		if t, err = b.Sink.AppendAll(records...); err != nil {
			return t, false, err
		}
		e.Sequence, part.Entry.Sequence = t.Sequence, t.Sequence-1
	}
	b.rewrite(s, ref, e, before, false, records != nil)
	b.insertOne(&h, part)
	return t, true, nil
}
