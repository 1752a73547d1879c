package reservation

import (
	"bytes"
	"fmt"
	"iter"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Note is something the caller keeps with the ledger, under a key of his.
type Note = state.Note

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
	n := &l.state.Notes
	n.Mu.Lock(lock.Notes)
	defer n.Mu.Unlock()
	if l.queue != nil {
		if t, err = l.queue.AppendAll(records...); err != nil {
			return t, fmt.Errorf("reservation: notes: %w", err)
		}
		n.Changed = t.Sequence
	}
	for i := range set {
		n.Put(strings.Clone(set[i].Key), bytes.Clone(set[i].Value))
	}
	return t, nil
}

// Note is the value under a key, nil if there is none. It must not be changed.
func (l *Ledger) Note(key string) []byte {
	return l.state.Notes.Value(key)
}

// Notes walks the notes whose keys begin with a prefix, ascending by key, as they
// are when the walk begins. The values must not be changed.
func (l *Ledger) Notes(prefix string) iter.Seq[Note] {
	return func(yield func(Note) bool) {
		for _, note := range l.state.Notes.With(prefix) {
			if !yield(note) {
				return
			}
		}
	}
}
