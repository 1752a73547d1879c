package reservation

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Note is something the caller keeps with the ledger, under a key of his.
type Note struct {
	Key   string // not empty
	Value []byte // empty: there is none
}

// notes is what the caller keeps with the ledger. A change holds the lock from
// before its record until it can be read, so whoever reads under the lock sees all
// that had a sequence number by then. Safe for concurrent use.
type notes struct {
	mu      lock.RWMutex
	values  map[string][]byte // never changed in place
	changed uint64            // the record of the latest change
}

// put sets one note under the lock.
func (n *notes) put(key string, value []byte) {
	if len(value) == 0 {
		delete(n.values, key)
		return
	}
	if n.values == nil {
		n.values = map[string][]byte{}
	}
	n.values[key] = value
}

// SetNotes sets some notes, all or none, also across a crash; an empty value
// removes one. Of two with the same key the later counts.
//
// Errors: ErrInvalid, also as ErrTooLarge for more than maxRecordBytes together;
// ErrJournal. Nothing was changed.
func (l *Ledger) SetNotes(now int64, set ...Note) (t Ticket, err error) {
	if err := checkNotes(set, longest(l.queue)); err != nil {
		return t, fmt.Errorf("reservation: notes: %w", err)
	}
	records := make([][]byte, 0, len(set))
	for i := range set {
		r := history.Record{Kind: history.NoteSet, Time: now, Name: set[i].Key, Place: set[i].Value}
		records = append(records, r.Append(nil))
	}
	n := &l.notes
	n.mu.Lock(lock.Notes)
	defer n.mu.Unlock()
	if l.queue != nil {
		if t, err = l.queue.AppendAll(records...); err != nil {
			return t, fmt.Errorf("reservation: notes: %w", err)
		}
		n.changed = t.Sequence
	}
	for i := range set {
		n.put(strings.Clone(set[i].Key), bytes.Clone(set[i].Value))
	}
	return t, nil
}

// Note is the value under a key, nil if there is none. It must not be changed.
func (l *Ledger) Note(key string) []byte {
	l.notes.mu.RLock(lock.Notes)
	defer l.notes.mu.RUnlock()
	return l.notes.values[key]
}

// Notes walks the notes whose keys begin with a prefix, ascending by key, as they
// are when the walk begins. The values must not be changed.
func (l *Ledger) Notes(prefix string) iter.Seq[Note] {
	return func(yield func(Note) bool) {
		for _, note := range l.notes.with(prefix) {
			if !yield(note) {
				return
			}
		}
	}
}

func (n *notes) with(prefix string) (all []Note) {
	n.mu.RLock(lock.Notes)
	defer n.mu.RUnlock()
	for key, value := range n.values {
		if strings.HasPrefix(key, prefix) {
			all = append(all, Note{Key: key, Value: value})
		}
	}
	slices.SortFunc(all, func(a, b Note) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// copied is the notes as they are, and the record of their latest change.
func (n *notes) copied() (values map[string][]byte, changed uint64) {
	n.mu.RLock(lock.Notes)
	defer n.mu.RUnlock()
	return maps.Clone(n.values), n.changed
}
