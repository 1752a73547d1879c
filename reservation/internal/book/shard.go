package book

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/internal/book/index"
	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/life"
)

const shardBytes = unsafe.Sizeof(shard{})

// The methods of this file are called with the shard's lock held.

func (s *shard) record(ref uint32) record { return record(s.slab.At(ref)) }

func (s *shard) extra(ref uint32) extra { return extra(s.side.At(ref)) }

// aliasID is the ID of a record in place, valid as long as the record is.
func aliasID(r record) string {
	id := r.id()
	return unsafe.String(unsafe.SliceData(id), len(id))
}

// read copies an entry.
func (s *shard) read(ref uint32, into *Entry) {
	r := s.record(ref)
	r.read(into)
	if x := r.extra(); x != 0 {
		s.extra(x).read(into)
	}
}

// grow lets the index begin to grow into empty slots.
func (s *shard) grow(slots []uint64) {
	s.index.Begin(slots)
	s.hint.set(s.index.Newest())
}

// search looks an ID up. It returns the reference of its record, or 0 and the
// slot, valid until the next change, where its entry belongs.
func (s *shard) search(tag uint32, kind Kind, id string, part uint8) (t *index.Table, at int, ref uint32) {
	t = s.index.TableFor(tag)
	mask := len(t.Slots) - 1
	for at = t.Home(tag); ; at = (at + 1) & mask {
		slot := t.Slots[at]
		if slot == 0 {
			return t, at, 0
		}
		if index.Tag(slot) == tag && s.record(index.Ref(slot)).is(kind, id, part) {
			return t, at, index.Ref(slot)
		}
	}
}

// Remembered tells the entries that are forgotten after a while.
func Remembered(kind Kind, state life.State) bool {
	return kind == KindMovement || kind == KindChange || state.Ended()
}

// insert puts an entry into the empty slot that search gave. Of an order of several
// parts, regroup comes after it, as after rewrite.
func (b *Book) insert(s *shard, t *index.Table, at int, tag uint32, kind Kind, id string, e *Entry) {
	ref := s.slab.Take(recordBytes(len(id), len(e.Lines)))
	if !b.loose {
		s.hint.room.Store(s.slab.Next())
	}
	s.record(ref).write(kind, id, e)
	s.index.Put(t, at, index.Slot(tag, ref))
	b.writeExtra(s, ref, e)
	switch {
	case Remembered(kind, e.State):
		if kind == KindOrder && e.several() {
			s.waiting++ // see regroup
			return
		}
		b.remember(s, kind, ref, e.Deadline)
	case kind == KindOrder:
		s.live.Add(1)
		if b.loose {
			return
		}
		s.record(ref).setNumber(b.shelves.add(e.Location, place{s.number, ref}))
		if due := b.due(e); due != wheel.Never {
			b.arm(s, ref, due)
		}
	}
}

// withdraw takes an entry out of the list of the remembered, or from its shelf
// and its timer.
func (b *Book) withdraw(s *shard, ref uint32) {
	r := s.record(ref)
	switch {
	case r.has(flagQueued):
		s.unlink(&s.ended[r.kind()-1], r)
	case r.waits():
		s.waiting--
	case r.kind() == KindOrder:
		s.live.Add(-1)
		if b.loose {
			return
		}
		if r.has(flagArmed) {
			s.read(ref, &s.scratch)
			b.disarm(s, r, b.due(&s.scratch))
		}
		b.shelves.remove(r.location(), place{s.number, ref}, r.number())
		b.shelves.note(r.location(), r)
	}
}

// changeAt applies a rule to the entry that was just read from ref, and due by
// due. fired: its timer has just been taken, because that time has come.
func (b *Book) changeAt(s *shard, ref uint32, id string, e *Entry, r Rule, due int64, fired bool) (t commit.Ticket, err error) {
	state, location := e.State, e.Location
	if among, ok := r.(Among); ok {
		tellParts(b, s, id, e, among)
	}
	record, err := r.Apply(id, e)
	if err == nil {
		err = e.Fits(id)
	}
	if err != nil {
		return t, err
	}
	if record != nil && b.Sink != nil {
		if t, err = b.Sink.Append(record); err != nil {
			return t, err
		}
		e.Sequence = t.Sequence
	}
	b.rewrite(s, ref, e, was{state, location, due}, fired, record != nil)
	if e.several() && s.record(ref).kind() == KindOrder {
		b.regroup(s, string(s.record(ref).id()))
	}
	return t, nil
}

// Member is a part of an order while a rule changes them together.
type Member struct {
	Entry
	Changed bool // set by the rule
	ref     uint32
	before  was
}

// AllRule is a Rule for all parts of an order at once. They are those that are live or
// remembered, ascending by number. It sets Changed of those that it changes, and the
// record is of all of these.
type AllRule interface {
	ApplyAll(id string, parts []Member) (record []byte, err error)
}

// Among is a Rule of orders, or a Mover, that is told all parts of the order of which it
// changes one, as they are before it; none of an order that has one part.
type Among interface{ Parts() (room *[]Member) }

// tellParts tells a rule that wants to know it the parts of an order. It is called with
// the shard's lock held.
func tellParts(b *Book, s *shard, id string, e *Entry, r Among) {
	room := r.Parts()
	if *room = (*room)[:0]; e.several() {
		*room = b.members(s, id, *room)
	}
}

// members reads all parts of an order into room. It is called with the shard's lock
// held.
func (b *Book) members(s *shard, id string, room []Member) []Member {
	room = room[:0]
	refs := b.partRefs(s, id)
	if _, _, ref := s.search(uint32(b.Hash(KindOrder, id)), KindOrder, id, 0); ref != 0 && !s.several(s.record(ref)) {
		refs = []uint32{ref}
	}
	for _, ref := range refs {
		if len(room) == cap(room) {
			room = slices.Grow(room, 1)
		}
		room = room[:len(room)+1]
		m := &room[len(room)-1]
		s.read(ref, &m.Entry)
		m.Changed, m.ref, m.before = false, ref, was{m.State, m.Location, b.due(&m.Entry)}
	}
	return room
}

// changeMembers applies a rule to the parts of an order, which were just read. fired is
// the one whose timer has just been taken; 0: none. With a record it has a timer again if
// it is still due, whether the record is of it or of others. It is called with the
// shard's lock held.
func (b *Book) changeMembers(s *shard, id string, all []Member, r AllRule, fired uint32) (t commit.Ticket, err error) {
	record, err := r.ApplyAll(id, all)
	for i := range all {
		if err == nil && all[i].Changed {
			err = all[i].Fits(id)
		}
	}
	if err != nil {
		return t, err
	}
	if record != nil && b.Sink != nil {
		if t, err = b.Sink.Append(record); err != nil {
			return t, err
		}
	}
	for i := range all {
		m := &all[i]
		if record != nil && m.Changed && b.Sink != nil {
			m.Sequence = t.Sequence
		}
		if m.Changed || m.ref == fired {
			b.rewrite(s, m.ref, &m.Entry, m.before, m.ref == fired, record != nil)
		}
	}
	b.regroup(s, id)
	return t, nil
}

// was is what an entry was before a change.
type was struct {
	state    life.State
	location uint32
	due      int64
}

// rewrite brings the record at ref, and the lists it is in, up to date with an
// entry that was changed. fired as in changeAt; recorded: the change is in the
// journal.
func (b *Book) rewrite(s *shard, ref uint32, e *Entry, before was, fired, recorded bool) {
	rec := s.record(ref)
	kind := rec.kind()
	rec.rewrite(e)
	b.writeExtra(s, ref, e)
	if kind == KindOrder && !before.state.Ended() && !b.loose {
		if fired {
			rec.setFlag(flagArmed, false)
		}
		dueNow := b.due(e)
		if armed := rec.has(flagArmed); before.due != dueNow || !armed && (!fired || recorded) {
			if armed {
				b.disarm(s, rec, before.due)
			}
			if dueNow != wheel.Never {
				b.arm(s, ref, dueNow)
			}
		}
		if e.State.Ended() || before.location != e.Location {
			b.shelves.remove(before.location, place{s.number, ref}, rec.number())
			if !e.State.Ended() {
				rec.setNumber(b.shelves.add(e.Location, place{s.number, ref}))
			}
		}
		b.shelves.note(before.location, rec)
	}
	if Remembered(kind, e.State) && !rec.has(flagQueued) {
		if kind == KindOrder && !before.state.Ended() {
			s.live.Add(-1)
		}
		switch {
		case kind != KindOrder || !e.several():
			b.remember(s, kind, ref, e.Deadline)
		case !before.state.Ended():
			s.waiting++ // see regroup
		}
	}
}

// waits tells the parts that have ended while others of their order are live: they are
// in no list, so that they are not forgotten before these.
func (r record) waits() bool {
	return r.kind() == KindOrder && !r.has(flagQueued) && r.state().Ended()
}

// several tells the records of an order of several parts.
func (s *shard) several(r record) bool {
	if r.part() > 1 {
		return true
	}
	x := r.extra()
	if x == 0 {
		return false
	}
	text := s.extra(x).past()
	return len(text) >= originCause && text[originParts] > 1
}

// partRefs is where the parts of an order lie, ascending by number. A first one that
// knows of no others is another order of that ID, made when the first of these had been
// forgotten.
func (b *Book) partRefs(s *shard, id string) (refs []uint32) {
	hash := b.Hash(KindOrder, id)
	if _, _, ref := s.search(uint32(hash), KindOrder, id, 0); ref != 0 && s.several(s.record(ref)) {
		refs = append(refs, ref)
	}
	for _, p := range b.views[ByWhole].places(hashID(&b.key, viewKind(ByWhole), id) & b.used) {
		if p.shard != s.number { // another ID of the same hash
			continue
		}
		if r := s.record(p.ref); r.part() > 1 && r.is(KindOrder, id, r.part()) {
			refs = append(refs, p.ref)
		}
	}
	slices.SortFunc(refs, func(x, y uint32) int { return cmp.Compare(s.record(x).part(), s.record(y).part()) })
	return refs
}

// regroup has the parts of an order that have ended remembered, when all have, and keeps
// them while one is live. It comes after each change of one of them.
func (b *Book) regroup(s *shard, id string) {
	refs := b.partRefs(s, id)
	live := slices.ContainsFunc(refs, func(ref uint32) bool { return !s.record(ref).state().Ended() })
	for _, ref := range refs {
		switch r := s.record(ref); {
		case live && r.has(flagQueued):
			s.unlink(&s.ended[KindOrder-1], r)
			r.setFlag(flagQueued, false)
			s.waiting++
		case !live && r.waits():
			s.waiting--
			b.remember(s, KindOrder, ref, r.deadline())
		}
	}
}

// remember puts a record at the end of its list and forgets the oldest ones
// beyond the bound, and up to two that have been there for too long.
func (b *Book) remember(s *shard, kind Kind, ref uint32, now int64) {
	q := &s.ended[kind-1]
	r := s.record(ref)
	r.setFlag(flagQueued, true)
	r.setOlder(q.newest)
	r.setNewer(0)
	if q.newest != 0 {
		s.record(q.newest).setNewer(ref)
	} else {
		q.oldest = ref
		if due := b.forgetTime(now); due < s.next.Load() {
			s.next.Store(due)
		}
	}
	q.newest = ref
	q.count++
	s.kept.Add(1)
	for q.count > q.keep {
		b.forgetOldest(s, q)
	}
	for range 2 {
		if !b.outdated(s, q, now) {
			return
		}
		b.forgetOldest(s, q)
	}
}

// outdated reports whether the oldest of a list has been there for too long.
func (b *Book) outdated(s *shard, q *queue, now int64) bool {
	return b.RememberFor > 0 && q.oldest != 0 && now-s.record(q.oldest).deadline() >= b.RememberFor
}

// forgetSome forgets some of what has been remembered for too long and reports
// whether there may be more.
func (b *Book) forgetSome(s *shard, now int64) (more bool) {
	if b.RememberFor <= 0 {
		return false
	}
	left := dueSteps / 4
	for i := range s.ended {
		for q := &s.ended[i]; b.outdated(s, q, now); left-- {
			if left == 0 {
				return true
			}
			b.forgetOldest(s, q)
		}
	}
	return false
}

func (b *Book) forgetOldest(s *shard, q *queue) {
	ref := q.oldest
	r := s.record(ref)
	s.unlink(q, r)
	b.forget(s, b.partTag(uint32(hashID(&b.key, r.kind(), r.id())&b.used), r.part()), ref)
}

// unlink takes a record out of its list.
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
	s.kept.Add(-1)
}

// forget removes an entry that is in no list and frees its memory.
func (b *Book) forget(s *shard, tag, ref uint32) {
	s.index.Take(index.Slot(tag, ref))
	r := s.record(ref)
	b.freeExtra(s, r)
	size := r.size()
	r.markFree()
	s.slab.Give(ref, size)
}
