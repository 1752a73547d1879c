package reservation

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
)

// ruleFunc is a rule that is a function.
type ruleFunc func(id string, e *entry) ([]byte, error)

func (f ruleFunc) apply(id string, e *entry) ([]byte, error) { return f(id, e) }

var errSink = errors.New("the sink is full")

// countingSink numbers records; it refuses them while full.
type countingSink struct {
	last uint64
	full bool
}

func (s *countingSink) Append([]byte) (journal.Ticket, error) {
	if s.full {
		return journal.Ticket{}, errSink
	}
	s.last++
	return journal.Ticket{Sequence: s.last}, nil
}

func (s *countingSink) AppendAll(records ...[]byte) (journal.Ticket, error) {
	if s.full {
		return journal.Ticket{}, errSink
	}
	s.last += uint64(len(records))
	return journal.Ticket{Sequence: s.last}, nil
}

// twinID is an ID in its name space.
type twinID struct {
	kind entryKind
	id   string
}

// twinEntry is an entry, when it came to its shelf, and whether its time came
// and the rule left it.
type twinEntry struct {
	entry
	came  int
	spent bool
}

// twin is the book without speed: a map, slices, and a list of the remembered
// per shard, for which it asks the book, because the shard decides who is
// forgotten when.
type twin struct {
	b       *book
	entries map[twinID]*twinEntry
	lists   map[*shard]*[kinds][]string
	keep    int
	came    int
}

func newTwin(b *book, remember int) *twin {
	return &twin{b: b, entries: map[twinID]*twinEntry{}, lists: map[*shard]*[kinds][]string{},
		keep: rememberedPerShard(remember, len(b.shards))}
}

func cloneEntry(e *entry) entry {
	c := *e
	c.lines = slices.Clone(e.lines)
	return c
}

func (w *twin) list(kind entryKind, id string) *[]string {
	s, _ := w.b.shardOf(kind, id)
	if w.lists[s] == nil {
		w.lists[s] = new([kinds][]string)
	}
	return &w.lists[s][kind]
}

func (w *twin) forgetOldest(kind entryKind, q *[]string) {
	delete(w.entries, twinID{kind, (*q)[0]})
	*q = (*q)[1:]
}

func (w *twin) outdated(kind entryKind, q []string, now int64) bool {
	return w.b.rememberFor > 0 && len(q) > 0 && now-w.entries[twinID{kind, q[0]}].deadline >= w.b.rememberFor
}

func (w *twin) remember(kind entryKind, id string, now int64) {
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

// forgetOutdated is what dueIn does to a shard besides the rule.
func (w *twin) forgetOutdated(s *shard, now int64) {
	if lists := w.lists[s]; lists != nil {
		for kind := range kinds {
			for w.outdated(kind, lists[kind], now) {
				w.forgetOldest(kind, &lists[kind])
			}
		}
	}
}

func (w *twin) put(kind entryKind, id string, e *entry) {
	w.came++
	w.entries[twinID{kind, id}] = &twinEntry{entry: cloneEntry(e), came: w.came}
	if remembered(kind, e.state) {
		w.remember(kind, id, e.deadline)
	}
}

func (w *twin) drop(kind entryKind, id string) {
	key := twinID{kind, id}
	if e := w.entries[key]; e != nil {
		delete(w.entries, key)
		if remembered(kind, e.state) {
			q := w.list(kind, id)
			*q = slices.DeleteFunc(slices.Clone(*q), func(s string) bool { return s == id })
		}
	}
}

// change replaces what is there by what a rule made of it. fired: because its
// time had come, and without a record.
func (w *twin) change(kind entryKind, id string, e *entry, fired bool) {
	there := w.entries[twinID{kind, id}]
	was := there.entry
	there.entry = cloneEntry(e)
	if w.due(&was) != w.due(e) {
		there.spent = false
	} else {
		there.spent = fired
	}
	if was.location != e.location {
		w.came++
		there.came = w.came
	}
	if !remembered(kind, was.state) && remembered(kind, e.state) {
		w.remember(kind, id, e.deadline)
	}
}

func (w *twin) due(e *entry) int64 {
	due := int64(math.MaxInt64)
	switch {
	case e.state.Ended():
		return due
	case e.state == Ready && e.reminded:
		due = e.pickup
	case e.state == Ready:
		due = e.pickup - w.b.remindBefore
	}
	if slices.ContainsFunc(e.lines, func(l entryLine) bool { return l.Held > 0 }) {
		due = min(due, e.deadline)
	}
	return due
}

// dueIDs returns the orders of a shard for which dueIn must call the rule.
func (w *twin) dueIDs(s *shard, now int64) (ids []string) {
	for key, e := range w.entries {
		if home, _ := w.b.shardOf(key.kind, key.id); home == s && key.kind == kindOrder && !e.spent && w.due(&e.entry) <= now {
			ids = append(ids, key.id)
		}
	}
	return ids
}

func (w *twin) at(location uint32) (ids []string) {
	for key, e := range w.entries {
		if key.kind == kindOrder && !e.state.Ended() && e.location == location {
			ids = append(ids, key.id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Compare(w.entries[twinID{kindOrder, b}].came, w.entries[twinID{kindOrder, a}].came)
	})
	return ids
}

func (w *twin) named(v view, key string) (ids []string) {
	for k, e := range w.entries {
		if k.kind == kindOrder && key != "" && [...]string{e.refs.order, e.refs.customer, partOf(k.id, &e.entry)}[v] == key {
			ids = append(ids, k.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// partOf is the order that an entry is a later part of.
func partOf(id string, e *entry) string {
	if e.parts < 2 && e.cause == "" {
		return ""
	}
	for n := 2; n <= 255; n++ {
		if order, ok := strings.CutSuffix(id, fmt.Sprint("/", n)); ok {
			return order
		}
	}
	return ""
}

func sameEntry(a, b *entry) bool {
	x, y := *a, *b
	x.lines, y.lines = nil, nil
	bits := math.Float64bits(a.distance) == math.Float64bits(b.distance)
	x.distance, y.distance = 0, 0
	return bits && x.fingerprint == y.fingerprint && x.sequence == y.sequence && x.deadline == y.deadline && x.pickup == y.pickup &&
		x.location == y.location && x.to == y.to && x.state == y.state && x.reminded == y.reminded && x.refs == y.refs &&
		x.since == y.since && x.promise == y.promise && x.origin == y.origin && x.rejects == y.rejects && x.parts == y.parts && x.cause == y.cause && x.note == y.note &&
		slices.Equal(a.lines, b.lines)
}
