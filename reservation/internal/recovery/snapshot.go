package recovery

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// A snapshot is a stream of items: a length as uvarint, a tag, and what the tag
// says.
//
//	tag  1  time         varint: engine time, milliseconds
//	     2  record       a history.Record: SKUAdded, LocationSet, LocationRemoved, SafetySet, NoteSet
//	     3  shelf        uvarint SKU, uvarint cells, for each: uvarint slot above the last, uvarint units on hand
//	     4  entry        kind, flags, then the entry's fields; see putEntry
//	     5  end          nothing follows; without it the snapshot is not whole
const (
	itemTime   = 1
	itemRecord = 2
	itemShelf  = 3
	itemEntry  = 4
	itemEnd    = 5
)

// WriteSnapshot writes a state down while changes go on. What it writes is no single
// instant: an entry or a shelf may be ahead of the record at which the snapshot begins.
// Each says by how much: an entry has the sequence number of its last change, and
// records say in full what is on hand after them, so replaying from the beginning on
// lets nothing count twice. The caller sees to it that every change which has its
// number by then has shown its effects.
func WriteSnapshot(ctx context.Context, to io.Writer, s *state.State) error {
	w := &snapshotWriter{to: bufio.NewWriterSize(to, 1<<16), ctx: ctx}
	w.all(s)
	return errors.Join(w.err, w.to.Flush())
}

// snapshotWriter writes items; after the first error it writes nothing more.
type snapshotWriter struct {
	to   *bufio.Writer
	ctx  context.Context
	item []byte
	head []byte
	n    uint64
	err  error
}

func (w *snapshotWriter) put(tag byte, item []byte) {
	if w.n++; w.n%1024 == 0 && w.err == nil {
		w.err = w.ctx.Err()
	}
	if w.err != nil {
		return
	}
	w.head = append(binary.AppendUvarint(w.head[:0], uint64(len(item)+1)), tag)
	if _, w.err = w.to.Write(w.head); w.err == nil {
		_, w.err = w.to.Write(item)
	}
}

func (w *snapshotWriter) record(r *history.Record) {
	w.item = r.Append(w.item[:0])
	w.put(itemRecord, w.item)
}

// all writes everything. The order matters: names before what uses them, so that
// whatever the walk meets has its name in front.
func (w *snapshotWriter) all(s *state.State) {
	w.put(itemTime, binary.AppendVarint(nil, s.Time()))
	w.safety(s)
	if s.Digests.Drawn() {
		w.record(&history.Record{Kind: history.NoteSet, Name: state.KeyNote, Place: s.Digests.Bytes()})
	}
	for _, note := range s.Notes.With("") {
		w.record(&history.Record{Kind: history.NoteSet, Name: note.Key, Place: note.Value})
	}
	w.shelves(s)
	s.Book.Dump(func(kind book.Kind, id string, e *book.Entry) bool {
		w.item = putEntry(w.item[:0], kind, id, e)
		w.put(itemEntry, w.item)
		return w.err == nil
	})
	w.names(s)
	w.put(itemEnd, nil)
}

// names writes every SKU and location there is now: after everything that may
// name one.
func (w *snapshotWriter) names(s *state.State) {
	for sku := range uint32(s.SKUs.Len()) {
		w.record(&history.Record{Kind: history.SKUAdded, SKU: sku, Name: s.SKUs.Name(sku)})
	}
	for slot := range uint32(s.Slots.Len()) {
		w.record(&history.Record{Kind: history.LocationSet, Slot: slot, Name: s.Slots.Name(slot), Place: s.Places.Note(slot)})
		if s.IsGone(slot) {
			w.record(&history.Record{Kind: history.LocationRemoved, Slot: slot})
		}
	}
}

func (w *snapshotWriter) safety(s *state.State) {
	s.Safety.All(func(v state.SafetyLevel) {
		w.record(&history.Record{Kind: history.SafetySet, SKU: v.SKU, Slot: v.Slot, Lines: []history.Line{{Units: v.Units}}})
	})
}

// shelves writes the units on hand, SKU by SKU.
func (w *snapshotWriter) shelves(s *state.State) {
	var cells []byte
	for sku := range uint32(s.SKUs.Len()) {
		n := uint64(0)
		cells = cells[:0]
		resource := s.Classes.Resource(sku)
		s.Stock.Slots(sku, func(slot uint32) bool {
			units := s.Stock.OnHand(sku, slot)
			if units == 0 && resource {
				return true
			}
			cells = binary.AppendUvarint(cells, uint64(slot))
			cells = binary.AppendUvarint(cells, uint64(units))
			n++
			return true
		})
		if n == 0 {
			continue
		}
		w.item = binary.AppendUvarint(w.item[:0], uint64(sku))
		w.item = binary.AppendUvarint(w.item, n)
		w.item = append(w.item, cells...)
		w.put(itemShelf, w.item)
	}
}

// putEntry appends an entry: kind, state, flags, then numbers and texts; each
// line's buckets only when the flags say so. Flag 1 is that the customer was
// reminded, 2 that there are texts, 4 that each line ends with what was rerouted, 8
// that it is one of several parts of its order: then its number comes after the flags.
// The two bits above are the form. Former versions had other names for parts, see
// state.FormerName.
func putEntry(b []byte, kind book.Kind, id string, e *book.Entry) []byte {
	var flags byte
	if e.Reminded {
		flags |= 1
	}
	past := e.Past()
	if e.Refs != (book.Refs{}) || len(past) > 0 {
		flags |= 2
	}
	rerouted := life.Total(e.Lines, life.ReroutedUnits) > 0
	if rerouted {
		flags |= 4
	}
	if kind == book.KindOrder && (e.Parts > 1 || e.Part > 1) {
		flags |= 8
	}
	flags |= byte(e.Form) << entryForm
	b = append(b, byte(kind), byte(e.State), flags)
	if flags&8 != 0 {
		b = append(b, max(e.Part, 1))
	}
	b = appendText(b, id)
	b = binary.LittleEndian.AppendUint64(b, e.Fingerprint)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.Distance))
	b = binary.AppendUvarint(b, e.Sequence)
	b = binary.AppendVarint(b, e.Deadline)
	b = binary.AppendVarint(b, e.KeptPickup())
	b = binary.AppendUvarint(b, uint64(e.Location))
	b = binary.AppendUvarint(b, uint64(e.To))
	if flags&2 != 0 {
		for _, text := range e.Refs.All() {
			b = appendText(b, text)
		}
		b = appendText(b, string(past))
	}
	b = binary.AppendUvarint(b, uint64(len(e.Lines)))
	for i := range e.Lines {
		for _, v := range numbers(&e.Lines[i]) {
			b = binary.AppendUvarint(b, uint64(v))
		}
		if rerouted {
			b = binary.AppendUvarint(b, uint64(e.Lines[i].Rerouted))
		}
	}
	return b
}

func numbers(l *life.Line) [9]uint32 {
	return [9]uint32{l.SKU, l.Quantity, l.Held, l.Confirmed, l.Collected, l.Returned, l.Missing, l.Lapsed, l.Short}
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}
