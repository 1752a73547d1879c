package recovery

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// maxItemBytes bounds one item of a snapshot: a SKU at 16 million locations, or
// an entry of a million lines.
const maxItemBytes = 1 << 28

// ReadSnapshot brings a snapshot into an empty state that no one else uses yet, with so
// many workers. The bytes have been checked against their checksums before they come
// here; what it refuses is content that no version writes.
func ReadSnapshot(from io.Reader, s *state.State, workers int) error {
	r := &snapshotReader{from: from, state: s}
	return r.read(workers)
}

// snapshotReader is a snapshot that is being read.
type snapshotReader struct {
	from   io.Reader
	state  *state.State
	window []byte // what was read and not yet taken begins at next
	next   int
	room   state.Room
	record history.Record
	shared *sharing // of entries
	ended  []endedEntry
	kept   []byte // the items of ended
	whole  bool
	former []*[]string // by worker: what may be parts, by the names of former versions
}

// endedEntry is an entry that is only remembered; they are put in oldest first.
type endedEntry struct {
	sequence uint64
	hash     uint64
	rooted   bool // as of an item
	from, to int  // in kept
}

// snapshotWindow is how much of a snapshot is read at a time.
const snapshotWindow = 1 << 18

func (r *snapshotReader) read(workers int) error {
	r.shared = newSharing(r.state.Book, workers, func() func(it *item, data []byte) error {
		var e book.Entry
		former := new([]string)
		r.former = append(r.former, former)
		return func(it *item, data []byte) error {
			kind, id, cause, err := takeEntry(data, &e)
			if err == nil && r.load(it, kind, id, cause, &e) {
				*former = append(*former, strings.Clone(id))
			}
			return err
		}
	})
	defer r.shared.all.Wait()
	for !r.whole {
		item, err := r.item()
		if err != nil {
			return err
		}
		if err := r.one(item[0], item[1:]); err != nil {
			return err
		}
	}
	slices.SortStableFunc(r.ended, func(a, b endedEntry) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, e := range r.ended {
		if err := r.share(e.hash, e.rooted, r.kept[e.from:e.to]); err != nil {
			return err
		}
	}
	if err := r.shared.finish(); err != nil {
		return err
	}
	r.formerParts()
	return r.checkNames()
}

// item takes the next item, which is valid until the next call.
func (r *snapshotReader) item() ([]byte, error) {
	for want := binary.MaxVarintLen64; ; {
		rest := r.window[r.next:]
		size, n := binary.Uvarint(rest)
		if n > 0 && size <= uint64(len(rest)-n) && size > 0 {
			r.next += n + int(size)
			return rest[n : n+int(size)], nil
		}
		switch {
		case n < 0 || n > 0 && (size == 0 || size > maxItemBytes):
			return nil, malformed("the length of an item")
		case n > 0:
			want = n + int(size)
		}
		if err := r.fill(want); err != nil {
			return nil, err
		}
	}
}

// fill reads more, after making room for an item of that many bytes.
func (r *snapshotReader) fill(want int) error {
	left := copy(r.window, r.window[r.next:])
	r.window, r.next = slices.Grow(r.window[:left], max(snapshotWindow, want)-left), 0
	for range 100 { // as many as bufio allows a reader that reads nothing
		n, err := r.from.Read(r.window[left:cap(r.window)])
		r.window = r.window[:left+n]
		switch {
		case n > 0:
			return nil
		case err == io.EOF:
			return malformed("an item that ends early")
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

func malformed(what string) error {
	return fmt.Errorf("malformed: %s: %w", what, log.ErrCorrupt)
}

func (r *snapshotReader) one(tag byte, item []byte) error {
	switch tag {
	case itemTime:
		now, n := binary.Varint(item)
		if n <= 0 {
			return malformed("the time")
		}
		r.state.Reach(now)
	case itemRecord:
		if err := r.record.Decode(item); err != nil {
			return err
		}
		switch r.record.Kind {
		case history.SKUAdded, history.LocationSet, history.LocationRemoved, history.NoteSet, history.SafetySet:
			return known(r.state.Apply(&r.room, 0, &r.record))
		}
		return malformed("a record that is no name")
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

// oneEntry shares out a live entry and keeps an ended one for the end.
func (r *snapshotReader) oneEntry(item []byte) error {
	f := fields{item: item}
	head := f.bytes(entryHead)
	if !f.bad && head[2]&8 != 0 {
		f.bytes(1)
		r.state.Numbered(0)
	}
	id := f.text()
	f.bytes(16)
	sequence := f.number()
	if f.bad {
		return malformed("an entry")
	}
	kind, in := book.Kind(head[0]), life.State(head[1])
	hash, rooted := r.state.Book.Hash(kind, id), false
	if kind == book.KindOrder && head[2]&8 == 0 {
		_, n := state.FormerName(id)
		rooted = n > 0
	}
	if !book.Remembered(kind, in) {
		return r.share(hash, rooted, item)
	}
	from := len(r.kept)
	r.kept = append(r.kept, item...)
	r.ended = append(r.ended, endedEntry{sequence: sequence, hash: hash, rooted: rooted, from: from, to: len(r.kept)})
	return nil
}

// load puts an entry into the book. It reports what may be a part, by the name of a
// former version: that is known when all entries are there.
func (r *snapshotReader) load(it *item, kind book.Kind, id, cause string, e *book.Entry) (former bool) {
	hash := it.hash
	if it.rooted {
		switch order, n := state.FormerName(id); {
		case cause != "": // a reroute made it
			id, e.Part, e.From = order, n, state.FormerFrom(order, cause)
			hash = r.state.Book.Hash(kind, id)
		case e.Parts > 1 && e.Parts >= n:
			former = true
		}
	}
	r.state.Book.LoadHashed(hash, kind, id, e)
	return former
}

// formerParts gives what former versions have made as the second or a later part of an
// order its number: it was made with the first part, of the same content. If that has
// been forgotten, it is a part unless it has a second part of its own.
func (r *snapshotReader) formerParts() {
	b := r.state.Book
	var all []string
	for _, former := range r.former {
		all = append(all, *former...)
	}
	slices.SortFunc(all, func(x, y string) int { return cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(x, y)) })
	for _, id := range all { // the longest first: what may be a part of a part
		var e, first book.Entry
		order, n := state.FormerName(id)
		if !b.Find(book.KindOrder, id, &e) {
			continue
		}
		is := true
		if b.Find(book.KindOrder, order, &first) {
			is = first.Fingerprint == e.Fingerprint && first.Parts >= n
		} else if b.FindPart(book.Name{ID: id, Part: 2}, &first) {
			is = first.Fingerprint != e.Fingerprint
		}
		if is {
			b.Drop(book.KindOrder, id)
			e.Part = n
			b.LoadHashed(b.Hash(book.KindOrder, order), book.KindOrder, order, &e)
		}
	}
}

// share leaves an entry to the workers.
func (r *snapshotReader) share(hash uint64, rooted bool, entry []byte) error {
	b := r.shared.filling
	from := len(b.bytes)
	b.bytes = append(b.bytes, entry...)
	b.items = append(b.items, item{hash: hash, rooted: rooted, from: from, to: len(b.bytes)})
	if b.full() {
		return r.shared.handOut()
	}
	return nil
}

func (r *snapshotReader) shelf(item []byte) error {
	in := fields{item: item}
	sku, n := in.number(), in.number()
	for range n {
		slot, units := in.number(), in.number()
		if in.bad {
			break
		}
		if slot > math.MaxUint32 || units > stock.MaxQuantity || sku > maxHandle {
			return malformed("a shelf")
		}
		r.state.SetOnHand(uint32(sku), uint32(slot), int64(units))
	}
	if !in.whole() {
		return malformed("a shelf")
	}
	return nil
}

const maxHandle = 1 << 28

// checkNames sees that nothing names a SKU or a location that is not there.
func (r *snapshotReader) checkNames() error {
	if r.state.Shelved() > r.state.SKUs.Len() {
		return malformed("a shelf of an unknown SKU")
	}
	return nil
}

// fields reads the parts of an item; bad sticks.
type fields struct {
	item []byte
	at   int
	bad  bool
}

// whole reports whether everything was read, and nothing else.
func (f *fields) whole() bool { return !f.bad && f.at == len(f.item) }

func (f *fields) fail() {
	f.bad, f.item, f.at = true, nil, 0
}

func (f *fields) number() uint64 {
	if f.at < len(f.item) && f.item[f.at] < 0x80 { // as most are
		f.at++
		return uint64(f.item[f.at-1])
	}
	return f.longNumber()
}

func (f *fields) longNumber() uint64 {
	v, n := binary.Uvarint(f.item[f.at:])
	if n <= 0 {
		f.fail()
		return 0
	}
	f.at += n
	return v
}

func (f *fields) signed() int64 {
	v := f.number()
	return int64(v>>1) ^ -int64(v&1)
}

func (f *fields) bytes(n uint64) []byte {
	if uint64(len(f.item)-f.at) < n {
		f.fail()
		return nil
	}
	b := f.item[f.at : f.at+int(n)]
	f.at += int(n)
	return b
}

// text is a part of the item.
func (f *fields) text() string {
	b := f.bytes(f.number())
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (f *fields) word() uint64 {
	b := f.bytes(8)
	if f.bad {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// entryHead is how many bytes an entry has before its ID: kind, state and flags.
const entryHead = 3

// entryForm is where in the flags the form begins, which has two bits.
const entryForm = 4

// takeEntry reads what putEntry wrote, and former versions; cause is as of
// book.Entry.Recall. The texts are parts of the item.
func takeEntry(item []byte, e *book.Entry) (kind book.Kind, id, cause string, err error) {
	f := fields{item: item}
	head := f.bytes(entryHead)
	if f.bad {
		return 0, "", "", malformed("an entry")
	}
	kind = book.Kind(head[0])
	e.State, e.Reminded, e.Refs, e.Lines = life.State(head[1]), head[2]&1 != 0, book.Refs{}, e.Lines[:0]
	e.Part, e.Form = 0, life.Form(head[2]>>entryForm&3)
	if head[2]&8 != 0 {
		if number := f.bytes(1); !f.bad && number[0] > 1 {
			e.Part = number[0]
		}
	}
	id = f.text()
	e.Fingerprint, e.Distance = f.word(), math.Float64frombits(f.word())
	e.Sequence, e.Deadline = f.number(), f.signed()
	pickup, past := f.signed(), ""
	e.Location, e.To = uint32(f.number()), uint32(f.number())
	if head[2]&2 != 0 {
		e.Refs = book.Refs{Order: f.text(), Customer: f.text(), Owner: f.text(), Channel: f.text(), Code: f.text()}
		past = f.text()
	}
	cause, formed := e.Recall(pickup, past)
	n := f.number()
	for range n {
		if f.bad {
			break
		}
		e.Lines = append(e.Lines, f.line())
		if head[2]&4 != 0 {
			e.Lines[len(e.Lines)-1].Rerouted = uint32(f.number())
		}
	}
	if !f.whole() || !formed || kind == 0 || kind > book.KindChange || kind == book.KindOrder && !e.Sound() || e.Fits(id) != nil {
		return 0, "", "", malformed("an entry")
	}
	return kind, id, cause, nil
}

// line reads a line of an entry, mostly of a SKU and a quantity and seven small
// numbers.
func (f *fields) line() life.Line {
	l := life.Line{SKU: uint32(f.number()), Quantity: uint32(f.number())}
	const most = 0x80808080808080
	if len(f.item)-f.at >= 8 {
		if v := binary.LittleEndian.Uint64(f.item[f.at:]); v&most == 0 {
			f.at += 7
			l.Held, l.Confirmed, l.Collected, l.Returned = uint32(v&0xff), uint32(v>>8&0xff), uint32(v>>16&0xff), uint32(v>>24&0xff)
			l.Missing, l.Lapsed, l.Short = uint32(v>>32&0xff), uint32(v>>40&0xff), uint32(v>>48&0xff)
			return l
		}
	}
	for _, to := range [...]*uint32{&l.Held, &l.Confirmed, &l.Collected, &l.Returned, &l.Missing, &l.Lapsed, &l.Short} {
		*to = uint32(f.number())
	}
	return l
}
