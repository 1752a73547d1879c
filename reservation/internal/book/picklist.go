package book

import (
	"cmp"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/tidwall/btree"
)

// Pick is a place in the pick list of a location. What was promised comes first, by
// Time; then what has a deadline, of the pickup or else of the hold, by Time; then
// the rest. Equal ones go by ID and part.
type Pick struct {
	Class uint8 // 0: promised; 1: with a deadline; 2: the rest
	Time  int64 // milliseconds of engine time; 0 of the rest
	Name
	state life.State
}

// Compare is below zero if p comes before o.
func (p *Pick) Compare(o *Pick) int {
	return cmp.Or(cmp.Compare(p.Class, o.Class), cmp.Compare(p.Time, o.Time), p.Name.Compare(o.Name))
}

// pickOf is the place of a live entry.
func pickOf(id string, e *Entry) Pick {
	p := Pick{Name: Name{id, e.Part}, state: e.State}
	switch {
	case e.Promise != 0:
		p.Class, p.Time = 0, e.Promise
	case e.State == life.Ready:
		p.Class, p.Time = 1, e.Pickup
	case e.State == life.Held:
		p.Class, p.Time = 1, e.Deadline
	default:
		p.Class = 2
	}
	return p
}

// PickList appends the first places of a location's pick list to all, up to limit
// of those that come after *after, unless that is nil, and whose state is one of some;
// without some, in any.
// last is the number of a record: what is listed, and what is left out because it
// has changed, is known to last if that record does.
//
// The list of a location is laid out when it is asked for the first time, which
// costs a look at each live reservation there, and then kept up by whoever asks,
// for what has come and changed since. So a page costs its length, and what nobody
// lists costs nothing.
//
// Linearizes at: no one instant. What is live at the location from the beginning of
// the call to its end and keeps its place is in the list.
func (b *Book) PickList(all []Pick, slot uint32, after *Pick, some []life.State, limit int) (picks []Pick, last uint64) {
	f := b.shelves.of(slot)
	if f == nil {
		return all, 0
	}
	v := f.pickList()
	v.mu.Lock(lock.Picks)
	for !v.update(b, f, slot) {
		v.mu.Unlock()
		v = f.pickList()
		v.mu.Lock(lock.Picks)
	}
	defer v.mu.Unlock()
	states, from := life.Live, Pick{}
	if len(some) > 0 {
		states = life.SetOf(some...)
	}
	if after != nil {
		from = *after
	}
	v.tree.Ascend(from, func(p Pick) bool {
		if limit <= 0 {
			return false
		}
		if states.Has(p.state) && (after == nil || p.Compare(after) > 0) {
			all = append(all, p)
			limit--
		}
		return true
	})
	return all, v.last
}

// pickList is the live orders of a location in the order of the pick list, as they
// were when it was brought up to date. Orders that come are found by their number on
// the shelf, since numbers ascend; of those that change, or leave, whoever changes
// them notes the ID. So a claim does nothing for it.
//
// The mutex is taken outside those of shards and shelves; missed is under the
// shelf's. Safe for concurrent use.
type pickList struct {
	mu     lock.Mutex
	tree   *btree.BTreeG[Pick]
	places map[Name]Pick
	known  bool         // everything up to seen is in it
	seen   uint32       // the number that the next order to come had then
	size   atomic.Int64 // of places
	last   uint64       // the latest record of what was looked at
	slots  []uint64     // to reuse
	entry  Entry        // to reuse

	missed []Name // what has changed since; under the shelf's lock
}

// Notes of changes that nobody asks for are kept up to so many, and twice as many
// as there are live orders. Then the list is dropped, and laid out anew when it is
// asked for again.
const missedLeast = 1024

// pickList returns the list of the shelf's location, an empty one if it has none.
func (f *shelf) pickList() *pickList {
	if v := f.picks.Load(); v != nil {
		return v
	}
	before := func(a, b Pick) bool { return a.Compare(&b) < 0 }
	v := &pickList{tree: btree.NewBTreeGOptions(before, btree.Options{NoLocks: true}), places: make(map[Name]Pick)}
	if f.picks.CompareAndSwap(nil, v) {
		return v
	}
	return f.pickList()
}

// note tells the location's pick list, if it has one, that an order has changed or
// left. It comes under the lock of the order's shard, in the same section as the
// change: whoever reads the order before that finds the note afterwards.
func (s *shelves) note(location uint32, r record) {
	f := s.of(location)
	if f == nil || f.picks.Load() == nil {
		return
	}
	f.mu.Lock(lock.List)
	defer f.mu.Unlock()
	v := f.picks.Load()
	switch {
	case v == nil:
	case len(v.missed) >= missedLeast+2*(f.count()-int(f.dead)):
		f.picks.Store(nil)
	default:
		v.missed = append(v.missed, Name{string(r.id()), r.part()})
	}
}

// update brings the list up to date; false if it has been dropped, so that nobody
// notes anything for it any more.
func (v *pickList) update(b *Book, f *shelf, location uint32) bool {
	f.mu.Lock(lock.List)
	if f.picks.Load() != v {
		f.mu.Unlock()
		return false
	}
	missed, next, mask := v.missed, f.next, b.shelves.mask()
	v.missed = nil
	came := uint64(next - v.seen)
	v.slots = v.slots[:0]
	for i := f.count() - 1; i >= 0; i-- {
		slot := *f.slot(i)
		if v.known && came <= mask/2 && (uint64(next)-slot)&mask > came {
			break // it and those before it have been seen
		}
		if slot>>32 != 0 {
			v.slots = append(v.slots, slot)
		}
	}
	f.mu.Unlock()
	for _, slot := range v.slots {
		p := b.shelves.placeOf(slot)
		if id, ok := b.shards[p.shard].shelved(p.ref, location, uint32(slot)&uint32(mask), uint32(mask), &v.entry); ok {
			v.put(id)
		}
	}
	v.seen, v.known = next, true
	for _, n := range missed {
		there := b.find(KindOrder, n, &v.entry)
		if there && !v.entry.State.Ended() && v.entry.Location == location {
			v.put(n.ID)
			continue
		}
		if there {
			v.last = max(v.last, v.entry.Sequence)
		}
		v.drop(n)
	}
	v.entry.Refs = Refs{}
	if cap(v.slots) > shelfChunk {
		v.slots = nil // of the first time, when all were new
	}
	v.size.Store(int64(len(v.places)))
	return true
}

// put places v.entry anew.
func (v *pickList) put(id string) {
	p := pickOf(id, &v.entry)
	v.last = max(v.last, v.entry.Sequence)
	old, ok := v.places[p.Name]
	if ok && old == p {
		return
	}
	if ok {
		v.tree.Delete(old)
	}
	v.places[p.Name] = p
	v.tree.Set(p)
}

func (v *pickList) drop(n Name) {
	if old, ok := v.places[n]; ok {
		v.tree.Delete(old)
		delete(v.places, n)
	}
}

// bytes is about what the list takes: a place in the tree, one in the map, the ID; and
// the notes. The shelf's lock is held.
func (v *pickList) bytes() int64 {
	if v == nil {
		return 0
	}
	const each = 48 + 24 + 48 + 24
	return each*v.size.Load() + 48*int64(cap(v.missed))
}
