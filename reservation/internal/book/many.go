package book

import (
	"cmp"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// FindPart copies what is there under a name and reports whether there is anything.
func (b *Book) FindPart(n Name, into *Entry) bool { return b.find(KindOrder, n, into) }

// ChangePart is Change for an order or a part of it.
func (b *Book) ChangePart(n Name, e *Entry, r Rule) (t commit.Ticket, err error) {
	return b.change(KindOrder, n, e, r)
}

// FindAll copies all parts of an order that are live or remembered, ascending by
// number, as they are at one instant. The entries of *room are reused.
func (b *Book) FindAll(id string, room []Member) []Member {
	s, _ := b.shardOf(KindOrder, id)
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	return b.members(s, id, room)
}

// ChangeAll applies a rule to all parts of an order: all that the rule changes, in one
// record and at one instant, or nothing. *room is filled with what is there, and holds
// the outcome. ErrNotFound if there is nothing; otherwise an error is the rule's or the
// sink's, or *TooLongError, and nothing has changed.
func (b *Book) ChangeAll(id string, room *[]Member, r AllRule) (t commit.Ticket, err error) {
	s, _ := b.shardOf(KindOrder, id)
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	*room = b.members(s, id, *room)
	if len(*room) == 0 {
		return t, ErrNotFound
	}
	return b.changeMembers(s, id, *room, r, 0)
}

// Mover is a rule that takes something out of one entry and completes another one
// with it. The records are of the new entry, then one of the old one.
type Mover interface {
	Move(id string, e, part *Entry) (records [][]byte, err error)
}

// AddAll puts the parts of an order into the book, all or none, with a record for each,
// or no records. If one of them is there, nothing changes, there is the index of the
// first such, and found receives what is there; otherwise there is −1. No two have the
// same number. An error is the sink's, or *TooLongError, and nothing has changed.
func (b *Book) AddAll(id string, parts []*Entry, records [][]byte, found *Entry) (t commit.Ticket, there int, err error) {
	s, tag := b.shardOf(KindOrder, id)
	twice := 0
	defer func() { s.growLater(twice) }()
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	for i, e := range parts {
		if _, _, ref := s.search(b.partTag(tag, e.Part), KindOrder, id, e.Part); ref != 0 {
			s.read(ref, found)
			return t, i, nil
		}
	}
	for _, e := range parts {
		if err := e.Fits(id); err != nil {
			return t, -1, err
		}
	}
	if records != nil && b.Sink != nil {
		if t, err = b.Sink.AppendAll(records...); err != nil {
			return t, -1, err
		}
		for i, e := range parts {
			e.Sequence = t.Sequence - uint64(len(parts)-1-i)
		}
	}
	for _, e := range parts {
		table, at, _ := s.search(b.partTag(tag, e.Part), KindOrder, id, e.Part)
		b.insert(s, table, at, b.partTag(tag, e.Part), KindOrder, id, e)
		if n := s.growIfUrgent(b.loose); n != 0 {
			twice = n
		}
	}
	b.regroup(s, id)
	return t, -1, nil
}

// Move changes an order, or a part of it, by a rule that makes another part of the same
// order, all of it or nothing. e is filled as in Change; part has its number. If a part
// of that number is there, nothing changes, and found receives what is there.
// ErrNotFound if the first is not; otherwise an error is the rule's or the sink's, and
// nothing has changed.
func (b *Book) Move(n Name, e, part *Entry, m Mover, found *Entry) (t commit.Ticket, added bool, err error) {
	s, tag := b.shardOf(KindOrder, n.ID)
	twice := 0
	defer func() { s.growLater(twice) }()
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	_, _, ref := s.search(b.partTag(tag, n.Part), KindOrder, n.ID, n.Part)
	if ref == 0 {
		return t, false, ErrNotFound
	}
	if _, _, ref := s.search(b.partTag(tag, part.Part), KindOrder, n.ID, part.Part); ref != 0 {
		s.read(ref, found)
		return t, false, nil
	}
	s.read(ref, e)
	before := was{e.State, e.Location, b.due(e)}
	if among, ok := m.(Among); ok {
		tellParts(b, s, n.ID, e, among)
	}
	records, err := m.Move(n.ID, e, part)
	if err == nil {
		err = cmp.Or(e.Fits(n.ID), part.Fits(n.ID))
	}
	if err != nil {
		return t, false, err
	}
	if records != nil && b.Sink != nil {
		if t, err = b.Sink.AppendAll(records...); err != nil {
			return t, false, err
		}
		e.Sequence, part.Sequence = t.Sequence, t.Sequence-1
	}
	b.rewrite(s, ref, e, before, false, records != nil)
	tag = b.partTag(tag, part.Part)
	table, at, _ := s.search(tag, KindOrder, n.ID, part.Part)
	b.insert(s, table, at, tag, KindOrder, n.ID, part)
	twice = s.growIfUrgent(b.loose)
	b.regroup(s, n.ID)
	return t, true, nil
}
