package book

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// ruleFunc is a rule that is a function.
type ruleFunc func(id string, e *Entry) ([]byte, error)

func (f ruleFunc) Apply(id string, e *Entry) ([]byte, error) { return f(id, e) }

var errSink = errors.New("the sink is full")

// countingSink numbers records; it refuses them while full.
type countingSink struct {
	last uint64
	full bool
}

func (s *countingSink) Append([]byte) (commit.Ticket, error) {
	if s.full {
		return commit.Ticket{}, errSink
	}
	s.last++
	return commit.Ticket{Sequence: s.last}, nil
}

func (s *countingSink) AppendAll(records ...[]byte) (commit.Ticket, error) {
	if s.full {
		return commit.Ticket{}, errSink
	}
	s.last += uint64(len(records))
	return commit.Ticket{Sequence: s.last}, nil
}

// twinID is an order, or a part of one, or another ID in its name space.
type twinID struct {
	kind Kind
	Name
}

// twinEntry is an entry, when it came to its shelf, and whether its time came
// and the rule left it.
type twinEntry struct {
	Entry
	came  int
	spent bool
}

// twin is the book without speed: a map, slices, and a list of the remembered
// per shard, for which it asks the book, because the shard decides who is
// forgotten when.
type twin struct {
	b       *Book
	entries map[twinID]*twinEntry
	lists   map[*shard]*[kinds][]Name
	keep    int
	came    int
}

func newTwin(b *Book, remember int) *twin {
	return &twin{b: b, entries: map[twinID]*twinEntry{}, lists: map[*shard]*[kinds][]Name{},
		keep: rememberedPerShard(remember, len(b.shards))}
}

func cloneEntry(e *Entry) Entry {
	c := *e
	c.Lines = slices.Clone(e.Lines)
	return c
}

func (w *twin) list(kind Kind, n Name) *[]Name {
	s, _ := w.b.shardOf(kind, n.ID)
	if w.lists[s] == nil {
		w.lists[s] = new([kinds][]Name)
	}
	return &w.lists[s][kind]
}

func (w *twin) forgetOldest(kind Kind, q *[]Name) {
	delete(w.entries, twinID{kind, (*q)[0]})
	*q = (*q)[1:]
}

func (w *twin) outdated(kind Kind, q []Name, now int64) bool {
	return w.b.RememberFor > 0 && len(q) > 0 && now-w.entries[twinID{kind, q[0]}].Deadline >= w.b.RememberFor
}

func (w *twin) remember(kind Kind, n Name, now int64) {
	q := w.list(kind, n)
	*q = append(*q, n)
	for len(*q) > w.keep {
		w.forgetOldest(kind, q)
	}
	for range 2 {
		if w.outdated(kind, *q, now) {
			w.forgetOldest(kind, q)
		}
	}
}

// forgetOutdated is what DueIn does to a shard besides the rule.
func (w *twin) forgetOutdated(s *shard, now int64) {
	if lists := w.lists[s]; lists != nil {
		for kind := range kinds {
			for w.outdated(kind, lists[kind], now) {
				w.forgetOldest(kind, &lists[kind])
			}
		}
	}
}

func (w *twin) put(kind Kind, n Name, e *Entry) {
	w.came++
	w.entries[twinID{kind, n}] = &twinEntry{Entry: cloneEntry(e), came: w.came}
	if Remembered(kind, e.State) && (kind != KindOrder || !e.several()) {
		w.remember(kind, n, e.Deadline)
	}
}

// group is the parts of an order that are remembered together, ascending.
func (w *twin) group(id string) (names []Name) {
	for key, e := range w.entries {
		if key.kind == KindOrder && key.ID == id && e.several() {
			names = append(names, key.Name)
		}
	}
	slices.SortFunc(names, Name.Compare)
	return names
}

// regroup has the parts of an order remembered, if all have ended, and keeps them if one
// has not.
func (w *twin) regroup(id string) {
	group := w.group(id)
	live := slices.ContainsFunc(group, func(n Name) bool { return !w.entries[twinID{KindOrder, n}].State.Ended() })
	for _, n := range group {
		q := w.list(KindOrder, n)
		switch e := w.entries[twinID{KindOrder, n}]; {
		case e == nil: // forgotten for one before
		case live:
			*q = slices.DeleteFunc(slices.Clone(*q), func(o Name) bool { return o == n })
		case !slices.Contains(*q, n):
			w.remember(KindOrder, n, e.Deadline)
		}
	}
}

// regrouped is regroup after a change of an entry, if it is one of several parts.
func (w *twin) regrouped(kind Kind, n Name, e *Entry) {
	if kind == KindOrder && e.several() {
		w.regroup(n.ID)
	}
}

// remembered counts what is in the lists.
func (w *twin) remembered() (n int) {
	for _, lists := range w.lists {
		for kind := range kinds {
			n += len(lists[kind])
		}
	}
	return n
}

func (w *twin) drop(kind Kind, n Name) {
	key := twinID{kind, n}
	if e := w.entries[key]; e != nil {
		delete(w.entries, key)
		if Remembered(kind, e.State) { // or waits for others
			q := w.list(kind, n)
			*q = slices.DeleteFunc(slices.Clone(*q), func(o Name) bool { return o == n })
		}
	}
}

// change replaces what is there by what a rule made of it. fired: because its
// time had come, and without a record.
func (w *twin) change(kind Kind, n Name, e *Entry, fired bool) {
	there := w.entries[twinID{kind, n}]
	was := there.Entry
	there.Entry = cloneEntry(e)
	if w.due(&was) != w.due(e) {
		there.spent = false
	} else {
		there.spent = fired
	}
	if was.Location != e.Location {
		w.came++
		there.came = w.came
	}
	if !Remembered(kind, was.State) && Remembered(kind, e.State) && (kind != KindOrder || !e.several()) {
		w.remember(kind, n, e.Deadline)
	}
}

func (w *twin) due(e *Entry) int64 {
	due := int64(math.MaxInt64)
	switch {
	case e.State.Ended():
		return due
	case e.State == life.Ready && e.Reminded:
		due = e.Pickup
	case e.State == life.Ready:
		due = e.Pickup - w.b.RemindBefore
	}
	if slices.ContainsFunc(e.Lines, func(l entryLine) bool { return l.Held > 0 }) {
		due = min(due, e.Deadline)
	}
	return due
}

// dueNames returns the orders of a shard for which DueIn must call the rule.
func (w *twin) dueNames(s *shard, now int64) (names []Name) {
	for key, e := range w.entries {
		if home, _ := w.b.shardOf(key.kind, key.ID); home == s && key.kind == KindOrder && !e.spent && w.due(&e.Entry) <= now {
			names = append(names, key.Name)
		}
	}
	return names
}

func (w *twin) at(location uint32) (names []Name) {
	for key, e := range w.entries {
		if key.kind == KindOrder && !e.State.Ended() && e.Location == location {
			names = append(names, key.Name)
		}
	}
	slices.SortFunc(names, func(a, b Name) int {
		return cmp.Compare(w.entries[twinID{KindOrder, b}].came, w.entries[twinID{KindOrder, a}].came)
	})
	return names
}

func (w *twin) named(v View, key string) (names []Name) {
	for k, e := range w.entries {
		if k.kind == KindOrder && key != "" && [...]string{e.Refs.Order, e.Refs.Customer, partOf(k.Name)}[v] == key {
			names = append(names, k.Name)
		}
	}
	slices.SortFunc(names, Name.Compare)
	return names
}

// partOf is the order that a name is a later part of.
func partOf(n Name) string {
	if n.Part == 0 {
		return ""
	}
	return n.ID
}

// all returns the parts of an order that are there, ascending by number: the first one
// alone, if it is the only one.
func (w *twin) all(id string) (parts []Entry) {
	if e := w.entries[twinID{KindOrder, Name{ID: id}}]; e != nil && e.Parts < 2 {
		return []Entry{e.Entry}
	}
	for key, e := range w.entries {
		if key.kind == KindOrder && key.ID == id {
			parts = append(parts, e.Entry)
		}
	}
	slices.SortFunc(parts, func(x, y Entry) int { return cmp.Compare(x.Part, y.Part) })
	return parts
}

func sameEntry(a, b *Entry) bool {
	x, y := *a, *b
	x.Lines, y.Lines = nil, nil
	bits := math.Float64bits(a.Distance) == math.Float64bits(b.Distance)
	x.Distance, y.Distance = 0, 0
	for _, e := range []*Entry{&x, &y} {
		// A pickup deadline at the instant it was made, where nobody has a place to be
		// ready by, is kept as none when it is ready no longer.
		if e.State != life.Ready && e.Pickup == e.Since {
			e.Pickup = 0
		}
	}
	return bits && x.Fingerprint == y.Fingerprint && x.Sequence == y.Sequence && x.Deadline == y.Deadline && x.Pickup == y.Pickup &&
		x.Location == y.Location && x.To == y.To && x.State == y.State && x.Form == y.Form && x.Reminded == y.Reminded && x.Refs == y.Refs &&
		x.Since == y.Since && x.Promise == y.Promise && x.Origin == y.Origin && x.Rejects == y.Rejects && x.Parts == y.Parts && x.Part == y.Part && x.From == y.From && x.Note == y.Note && x.Parcel == y.Parcel &&
		slices.Equal(a.Lines, b.Lines)
}
