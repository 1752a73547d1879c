package reservation

import (
	"cmp"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// addition is an order that is to be put under an ID that is not there.
type addition struct {
	hash uint64
	id   string
	e    *entry
}

// mover is a rule that takes something out of one entry and completes another one
// with it. The records are of the new entry, then one of the old one.
type mover interface {
	move(id string, e, part *entry) (records [][]byte, err error)
}

// heldShards is the shards that a call has locked, ascending, and the sizes of the
// tables that they want.
type heldShards struct {
	room   [8]uint32
	shards []uint32
	twice  []int
}

// lockAll locks the shards of some hashes, in ascending order.
func (b *book) lockAll(h *heldShards, hashes func(yield func(uint64) bool)) {
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
func (b *book) unlockAll(h *heldShards) {
	for _, i := range h.shards {
		b.shards[i].mu.Unlock()
	}
	for i, twice := range h.twice {
		b.shards[h.shards[i]].growLater(twice)
	}
}

// insertOne puts an order into its shard, which is locked with others.
func (b *book) insertOne(h *heldShards, a *addition) {
	s, tag := b.shardAt(a.hash)
	table, at, _ := s.search(tag, kindOrder, a.id)
	b.insert(s, table, at, tag, kindOrder, a.id, a.e)
	if twice := b.growIfUrgent(s); twice != 0 {
		if h.twice == nil {
			h.twice = make([]int, len(h.shards))
		}
		at, _ := slices.BinarySearch(h.shards, s.number)
		h.twice[at] = twice
	}
}

// addAll puts the orders of several IDs into the book, all or none, with a record
// for each, or no records. If one of the IDs is there, nothing changes, there is
// the index of the first such, and found receives what is there; otherwise there
// is −1. No two of the IDs are the same. An error is the sink's, or *InvalidError as
// of add, and nothing has changed.
func (b *book) addAll(adds []addition, records [][]byte, found *entry) (t journal.Ticket, there int, err error) {
	var h heldShards
	b.lockAll(&h, func(yield func(uint64) bool) {
		for i := range adds {
			if !yield(adds[i].hash) {
				return
			}
		}
	})
	defer b.unlockAll(&h)
	for i := range adds {
		s, tag := b.shardAt(adds[i].hash)
		if _, _, ref := s.search(tag, kindOrder, adds[i].id); ref != 0 {
			s.read(ref, found)
			return t, i, nil
		}
	}
	for i := range adds {
		if err := fits(adds[i].id, adds[i].e); err != nil {
			return t, -1, err
		}
	}
	if records != nil && b.sink != nil {
		if t, err = b.sink.AppendAll(records...); err != nil {
			return t, -1, err
		}
		for i := range adds {
			adds[i].e.sequence = t.Sequence - uint64(len(adds)-1-i)
		}
	}
	for i := range adds {
		b.insertOne(&h, &adds[i])
	}
	return t, -1, nil
}

// move changes the order under an ID by a rule that makes another one, all of it
// or nothing. e is filled as in change. If the other one's ID is there, nothing
// changes, and found receives what is there. ErrNotFound if the first is not;
// otherwise an error is the rule's or the sink's, and nothing has changed.
func (b *book) move(id string, e *entry, part *addition, m mover, found *entry) (t journal.Ticket, added bool, err error) {
	hash := b.hash(kindOrder, id)
	var h heldShards
	b.lockAll(&h, func(yield func(uint64) bool) { _ = yield(hash) && yield(part.hash) })
	defer b.unlockAll(&h)
	s, tag := b.shardAt(hash)
	_, _, ref := s.search(tag, kindOrder, id)
	if ref == 0 {
		return t, false, ErrNotFound
	}
	to, toTag := b.shardAt(part.hash)
	if _, _, ref := to.search(toTag, kindOrder, part.id); ref != 0 {
		to.read(ref, found)
		return t, false, nil
	}
	s.read(ref, e)
	before := was{e.state, e.location, b.due(e)}
	records, err := m.move(id, e, part.e)
	if err == nil {
		err = cmp.Or(fits(id, e), fits(part.id, part.e))
	}
	if err != nil {
		return t, false, err
	}
	if records != nil && b.sink != nil {
		if t, err = b.sink.AppendAll(records...); err != nil {
			return t, false, err
		}
		e.sequence, part.e.sequence = t.Sequence, t.Sequence-1
	}
	b.rewrite(s, ref, e, before, false, records != nil)
	b.insertOne(&h, part)
	return t, true, nil
}
