package book

import (
	"cmp"
	"iter"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/internal/book/index"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// All walks every order, live and ended, or with a name only what comes behind that.
// An order that is there during the whole walk comes exactly once, as it is at that
// moment; one that is added or forgotten meanwhile may come or not. Their order follows
// from their names and the key of the book alone, see Keyed: a walk goes on behind the
// last name of another one whatever happened in between, and whether or not there still
// is such a name. The entry and its lines are valid until the next step; the ID is the
// caller's. No lock is held while the caller's code runs; a shard's is held for some
// slots of its table at a time, and then for each entry. It needs memory for a stretch
// of some hundred references, and looks at each shard once in a stretch.
func (b *Book) All(after ...Name) iter.Seq2[string, *Entry] {
	return func(yield func(string, *Entry) bool) {
		w := walk{book: b}
		if len(after) > 0 {
			w.after = after[0]
			w.behind = b.partTag(uint32(b.Hash(KindOrder, w.after.ID)), w.after.Part)
			w.from = uint64(w.behind)
		}
		for w.from < allTags {
			w.gather()
			if !w.give(yield) {
				return
			}
		}
	}
}

const (
	allTags = 1 << 32
	stretch = 512 // entries that a stretch of tags is to have
)

// walk is where a walk stands: in the order of tags, and of names where they are equal.
// The shard is no part of it, since there may be more of them after a restart.
type walk struct {
	book   *Book
	from   uint64 // the tag at which the next stretch begins
	after  Name   // what it goes on behind, and its tag
	behind uint32
	slots  []uint64
	found  []foundAt
	same   []sameTag
	entry  Entry
}

// foundAt is where an entry with a tag lay when its stretch was gathered.
type foundAt struct {
	tag uint32
	place
}

// sameTag is one of several with the same tag.
type sameTag struct {
	name Name
	at   foundAt
}

// gather finds the next stretch.
func (w *walk) gather() {
	b := w.book
	live, kept := b.Counts()
	to := min(w.from+max(stretch*allTags/uint64(max(live+kept, stretch)), 1), allTags)
	w.found = w.found[:0]
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock(lock.Shard)
		w.slots = s.index.Between(uint32(w.from), uint32(to-1), w.slots[:0])
		s.mu.Unlock()
		for _, slot := range w.slots {
			w.found = append(w.found, foundAt{index.Tag(slot), place{uint32(i), index.Ref(slot)}})
		}
	}
	slices.SortFunc(w.found, func(x, y foundAt) int { return cmp.Compare(x.tag, y.tag) })
	w.from = to
}

// give hands the stretch on; false: that is enough.
func (w *walk) give(yield func(string, *Entry) bool) bool {
	for rest := w.found; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].tag == rest[0].tag {
			n++
		}
		if n > 1 {
			w.byName(rest[:n])
		}
		for _, at := range rest[:n] {
			if id, ok := w.read(at); ok && !yield(id, &w.entry) {
				return false
			}
		}
		rest = rest[n:]
	}
	return true
}

// byName sorts what has one tag by name.
func (w *walk) byName(all []foundAt) {
	w.same = w.same[:0]
	for _, at := range all {
		id, _ := w.read(at)
		w.same = append(w.same, sameTag{Name{id, w.entry.Part}, at})
	}
	slices.SortFunc(w.same, func(x, y sameTag) int { return x.name.Compare(y.name) })
	for i := range w.same {
		all[i] = w.same[i].at
	}
}

// read copies what lies at a place, if it is an order of that tag to which the walk has
// not come yet. What lay there may be forgotten, and something else be there now.
func (w *walk) read(at foundAt) (id string, ok bool) {
	b, s := w.book, &w.book.shards[at.shard]
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	if !s.slab.Present(at.ref) {
		return "", false
	}
	r := s.record(at.ref)
	if r.kind() != KindOrder || b.partTag(uint32(b.Hash(KindOrder, aliasID(r))), r.part()) != at.tag {
		return "", false
	}
	n := Name{aliasID(r), r.part()}
	if w.after.ID != "" && at.tag == w.behind && n.Compare(w.after) <= 0 {
		return "", false
	}
	s.read(at.ref, &w.entry)
	return string(r.id()), true
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
