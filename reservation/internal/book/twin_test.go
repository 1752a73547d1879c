package book

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

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

// twinID is an ID in its name space.
type twinID struct {
	kind Kind
	id   string
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
	lists   map[*shard]*[kinds][]string
	keep    int
	came    int
}

func newTwin(b *Book, remember int) *twin {
	return &twin{b: b, entries: map[twinID]*twinEntry{}, lists: map[*shard]*[kinds][]string{},
		keep: rememberedPerShard(remember, len(b.shards))}
}

func cloneEntry(e *Entry) Entry {
	c := *e
	c.Lines = slices.Clone(e.Lines)
	return c
}

func (w *twin) list(kind Kind, id string) *[]string {
	s, _ := w.b.shardOf(kind, id)
	if w.lists[s] == nil {
		w.lists[s] = new([kinds][]string)
	}
	return &w.lists[s][kind]
}

func (w *twin) forgetOldest(kind Kind, q *[]string) {
	delete(w.entries, twinID{kind, (*q)[0]})
	*q = (*q)[1:]
}

func (w *twin) outdated(kind Kind, q []string, now int64) bool {
	return w.b.RememberFor > 0 && len(q) > 0 && now-w.entries[twinID{kind, q[0]}].Deadline >= w.b.RememberFor
}

func (w *twin) remember(kind Kind, id string, now int64) {
	q := w.list(kind, id)
	*q = append(*q, id)
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

func (w *twin) put(kind Kind, id string, e *Entry) {
	w.came++
	w.entries[twinID{kind, id}] = &twinEntry{Entry: cloneEntry(e), came: w.came}
	if Remembered(kind, e.State) {
		w.remember(kind, id, e.Deadline)
	}
}

func (w *twin) drop(kind Kind, id string) {
	key := twinID{kind, id}
	if e := w.entries[key]; e != nil {
		delete(w.entries, key)
		if Remembered(kind, e.State) {
			q := w.list(kind, id)
			*q = slices.DeleteFunc(slices.Clone(*q), func(s string) bool { return s == id })
		}
	}
}

// change replaces what is there by what a rule made of it. fired: because its
// time had come, and without a record.
func (w *twin) change(kind Kind, id string, e *Entry, fired bool) {
	there := w.entries[twinID{kind, id}]
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
	if !Remembered(kind, was.State) && Remembered(kind, e.State) {
		w.remember(kind, id, e.Deadline)
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

// dueIDs returns the orders of a shard for which DueIn must call the rule.
func (w *twin) dueIDs(s *shard, now int64) (ids []string) {
	for key, e := range w.entries {
		if home, _ := w.b.shardOf(key.kind, key.id); home == s && key.kind == KindOrder && !e.spent && w.due(&e.Entry) <= now {
			ids = append(ids, key.id)
		}
	}
	return ids
}

func (w *twin) at(location uint32) (ids []string) {
	for key, e := range w.entries {
		if key.kind == KindOrder && !e.State.Ended() && e.Location == location {
			ids = append(ids, key.id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Compare(w.entries[twinID{KindOrder, b}].came, w.entries[twinID{KindOrder, a}].came)
	})
	return ids
}

func (w *twin) named(v View, key string) (ids []string) {
	for k, e := range w.entries {
		if k.kind == KindOrder && key != "" && [...]string{e.Refs.Order, e.Refs.Customer, partOf(k.id, &e.Entry)}[v] == key {
			ids = append(ids, k.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// partOf is the order that an entry is a later part of.
func partOf(id string, e *Entry) string {
	if e.Parts < 2 && e.Cause == "" {
		return ""
	}
	for n := 2; n <= 255; n++ {
		if order, ok := strings.CutSuffix(id, fmt.Sprint("/", n)); ok {
			return order
		}
	}
	return ""
}

func sameEntry(a, b *Entry) bool {
	x, y := *a, *b
	x.Lines, y.Lines = nil, nil
	bits := math.Float64bits(a.Distance) == math.Float64bits(b.Distance)
	x.Distance, y.Distance = 0, 0
	return bits && x.Fingerprint == y.Fingerprint && x.Sequence == y.Sequence && x.Deadline == y.Deadline && x.Pickup == y.Pickup &&
		x.Location == y.Location && x.To == y.To && x.State == y.State && x.Reminded == y.Reminded && x.Refs == y.Refs &&
		x.Since == y.Since && x.Promise == y.Promise && x.Origin == y.Origin && x.Rejects == y.Rejects && x.Parts == y.Parts && x.Cause == y.Cause && x.Note == y.Note &&
		slices.Equal(a.Lines, b.Lines)
}
