package reservation

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// maxItemBytes bounds one item of a snapshot: a SKU at 16 million locations, or
// an entry of a million lines.
const maxItemBytes = 1 << 28

// snapshotReader brings a snapshot into a ledger no one else uses yet. The bytes
// have been checked against their checksums before they come here; what it
// refuses is content that no version writes.
type snapshotReader struct {
	from   io.Reader
	ledger *Ledger
	item   []byte
	record history.Record
	entry  entry
	ended  []endedEntry
	whole  bool
	failed error // of from
}

// endedEntry is an entry that is only remembered; they are put in oldest first.
type endedEntry struct {
	sequence uint64
	item     []byte
}

func (r *snapshotReader) read() error {
	in := bufio.NewReaderSize(r, 1<<18)
	for !r.whole {
		size, err := binary.ReadUvarint(in)
		if err != nil || size == 0 || size > maxItemBytes {
			return r.unreadable("the length of an item")
		}
		r.item = slices.Grow(r.item[:0], int(size))[:size]
		if _, err := io.ReadFull(in, r.item); err != nil {
			return r.unreadable("an item that ends early")
		}
		if err := r.one(r.item[0], r.item[1:]); err != nil {
			return err
		}
	}
	slices.SortStableFunc(r.ended, func(a, b endedEntry) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, e := range r.ended {
		kind, id, err := takeEntry(e.item, &r.entry)
		if err != nil {
			return err
		}
		r.ledger.book.load(kind, id, &r.entry)
	}
	return r.checkNames()
}

// unreadable is what is wrong when the content ends early or makes no sense: the
// disk, if it has failed, else the content.
func (r *snapshotReader) unreadable(what string) error {
	if r.failed != nil {
		return r.failed
	}
	return malformed(what)
}

// Read is from's, and keeps its error.
func (r *snapshotReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && err != io.EOF {
		r.failed = err
	}
	return n, err
}

func malformed(what string) error {
	return fmt.Errorf("malformed: %s: %w", what, ErrCorrupt)
}

func (r *snapshotReader) one(tag byte, item []byte) error {
	l := r.ledger
	switch tag {
	case itemTime:
		now, n := binary.Varint(item)
		if n <= 0 {
			return malformed("the time")
		}
		l.time.Store(now)
	case itemRecord:
		if err := r.record.Decode(item); err != nil {
			return err
		}
		p := replay{ledger: l, record: r.record}
		switch r.record.Kind {
		case history.SKUAdded:
			return p.name(l.skus, r.record.SKU, nil)
		case history.LocationSet:
			return p.name(l.slots, r.record.Slot, r.record.Place)
		case history.LocationRemoved:
			l.gone.Store(r.record.Slot, struct{}{})
		case history.SafetySet:
			l.safety.put(SafetyLevel{SKU: r.record.SKU, Slot: r.record.Slot, Units: r.record.Lines[0].Units})
		default:
			return malformed("a record that is no name")
		}
	case itemShelf:
		return r.shelf(item)
	case itemEntry:
		return r.oneEntry(item)
	case itemEnd:
		r.whole = true
	default:
		return malformed("an unknown item")
	}
	return nil
}

// oneEntry puts a live entry into the book and keeps an ended one for the end.
func (r *snapshotReader) oneEntry(item []byte) error {
	kind, id, err := takeEntry(item, &r.entry)
	if err != nil {
		return err
	}
	if r.entry.state.Ended() || kind == kindMovement || kind == kindChange {
		r.ended = append(r.ended, endedEntry{sequence: r.entry.sequence, item: slices.Clone(item)})
		return nil
	}
	r.ledger.book.load(kind, id, &r.entry)
	return nil
}

func (r *snapshotReader) shelf(item []byte) error {
	in := fields{rest: item}
	sku, n := in.number(), in.number()
	for range n {
		slot, units := in.number(), in.number()
		if in.bad {
			break
		}
		if slot > math.MaxUint32 || units > MaxQuantity || sku > maxHandle {
			return malformed("a shelf")
		}
		r.ledger.shelves.set(uint32(sku), uint32(slot), int64(units))
	}
	if in.bad || len(in.rest) != 0 {
		return malformed("a shelf")
	}
	return nil
}

const maxHandle = 1 << 28

// checkNames sees that nothing names a SKU or a location that is not there.
func (r *snapshotReader) checkNames() error {
	l := r.ledger
	if len(l.shelves.skus) > l.skus.len() {
		return malformed("a shelf of an unknown SKU")
	}
	return nil
}

// fields reads the parts of an item; bad sticks.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) number() uint64 {
	v, n := binary.Uvarint(f.rest)
	if n <= 0 {
		f.bad, f.rest = true, nil
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

func (f *fields) signed() int64 {
	v := f.number()
	return int64(v>>1) ^ -int64(v&1)
}

func (f *fields) bytes(n uint64) []byte {
	if uint64(len(f.rest)) < n {
		f.bad, f.rest = true, nil
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) text() string { return string(f.bytes(f.number())) }

func (f *fields) word() uint64 {
	b := f.bytes(8)
	if f.bad {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// takeEntry reads what putEntry wrote.
func takeEntry(item []byte, e *entry) (kind entryKind, id string, err error) {
	f := fields{rest: item}
	head := f.bytes(3)
	if f.bad {
		return 0, "", malformed("an entry")
	}
	kind = entryKind(head[0])
	*e = entry{state: State(head[1]), reminded: head[2]&1 != 0, lines: e.lines[:0]}
	id = f.text()
	e.fingerprint, e.distance = f.word(), math.Float64frombits(f.word())
	e.sequence, e.deadline, e.pickup = f.number(), f.signed(), f.signed()
	e.location, e.to = uint32(f.number()), uint32(f.number())
	if head[2]&2 != 0 {
		e.refs = refs{order: f.text(), customer: f.text(), owner: f.text(), channel: f.text(), code: f.text(), ref: f.text()}
	}
	n := f.number()
	for range n {
		var v [9]uint32
		for i := range v {
			v[i] = uint32(f.number())
		}
		if f.bad {
			break
		}
		e.lines = append(e.lines, entryLine{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]})
	}
	if f.bad || len(f.rest) != 0 || kind == 0 || kind > kindChange || kind == kindOrder && !e.sound() {
		return 0, "", malformed("an entry")
	}
	return kind, id, nil
}
