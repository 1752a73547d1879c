package recovery_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/recovery"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// empty is a state that is to be recovered.
func empty() *state.State { return remembering(1000, 8) }

// remembering is an empty state whose book has so many shards and remembers so many.
func remembering(remember, shards int) *state.State {
	s := new(state.State)
	s.Fill(book.Fixed(remember, shards), 100, 100)
	s.Recover()
	s.Book.Loosen()
	return s
}

// tale is what is recovered: a little of everything that a record can say.
func tale() (records []history.Record) {
	now := int64(1000)
	say := func(r history.Record) {
		now++
		r.Time = now
		records = append(records, r)
	}
	lines := func(units ...int64) (all []history.Line) {
		for i := 0; i < len(units); i += 3 {
			all = append(all, history.Line{SKU: uint32(units[i]), Units: units[i+1], OnHand: units[i+2]})
		}
		return all
	}
	key := state.Key{Words: &state.Words{1, 2, 3}, Since: 7}
	say(history.Record{Kind: history.NoteSet, Name: state.KeyNote, Place: key.Bytes()})
	say(history.Record{Kind: history.NoteSet, Name: "rule", Place: []byte("near")})
	for sku, name := range []string{"tea", "cup", state.ClassMark + "window"} {
		say(history.Record{Kind: history.SKUAdded, SKU: uint32(sku), Name: name})
	}
	for slot, name := range []string{"a", "b", "gone"} {
		say(history.Record{Kind: history.LocationSet, Slot: uint32(slot), Name: name, Place: []byte("at " + name)})
	}
	say(history.Record{Kind: history.LocationRemoved, Slot: 2})
	say(history.Record{Kind: history.SafetySet, SKU: 1, Slot: state.Everywhere, Lines: lines(0, 3, 0)})
	for slot := range uint32(2) {
		say(history.Record{Kind: history.Moved, Cause: history.Received, ID: fmt.Sprint("GR-", slot), Slot: slot, Fingerprint: 5, Lines: lines(0, 500, 500, 1, 300, 300, 2, 900, 900)})
	}
	say(history.Record{Kind: history.Moved, Cause: history.Sent, ID: "T", Slot: 0, To: 1, Lines: lines(0, -10, 490)})
	say(history.Record{Kind: history.Moved, Cause: history.Delivered, ID: "D", Ref: "T", Slot: 1, Lines: lines(0, 4, 504)})
	for part := range uint32(2) {
		say(history.Record{Kind: history.Held, ID: "P", Fingerprint: 3, Slot: part, Deadline: 1 << 40, Customer: "c", Parts: 2, Part: uint8(part + 1), Lines: lines(0, 1, 0)})
	}
	say(history.Record{Kind: history.Held, ID: "P/2", Fingerprint: 3, Slot: 1, Deadline: 1 << 40, Lines: lines(0, 1, 0)})
	say(history.Record{Kind: history.Confirmed, ID: "P", Shares: []history.Share{{Part: 1, Slot: 0, Lines: 1}, {Part: 2, Slot: 1, Lines: 1}}, Lines: lines(0, 1, 0, 0, 1, 0)})
	say(history.Record{Kind: history.Canceled, ID: "P/2", Lines: lines(0, 1, 0)})
	tea := int64(490)
	for i := range 40 {
		id := fmt.Sprint("SO-", i)
		say(history.Record{Kind: history.Held, ID: id, Fingerprint: uint64(i), Distance: float64(i), Deadline: 1 << 40, Order: id, Customer: "c", Parts: uint8(i % 3), Place: []byte("note"), Lines: lines(0, 2, 0, 1, 1, 0, 2, int64(i%2+1), 0)[:2+i%2]})
		switch i % 5 {
		case 1:
			say(history.Record{Kind: history.Canceled, ID: id, Change: "C-" + id, Fingerprint: 8, Lines: lines(0, 1, 0)})
		case 2:
			say(history.Record{Kind: history.Confirmed, ID: id, Lines: lines(0, 2, 0, 1, 1, 0)})
			say(history.Record{Kind: history.Ready, ID: id, Deadline: 1 << 41, Code: "1234"})
		case 3:
			tea -= 2
			say(history.Record{Kind: history.Collected, ID: id, Slot: 0, Lines: lines(0, 2, tea, 1, 1, 300-int64(i/5)-1)})
		case 4:
			say(history.Record{Kind: history.Rerouted, ID: id, To: 1, Ref: "elsewhere", Parts: 2, Lines: lines(0, 1, 0)})
		}
	}
	return records
}

// snapshot is the bytes of a state.
func snapshot(t testing.TB, s *state.State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := recovery.WriteSnapshot(t.Context(), &b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// logOf is a log of records, a few to a frame.
func logOf(t testing.TB, records []history.Record) log.Log {
	t.Helper()
	l := log.OpenMemory(1 << 20)
	q := commit.New(l, commit.Options{Manual: true, FrameBytes: 300})
	for i := range records {
		if _, err := q.Append(records[i].Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	for l.Last() < uint64(len(records)) {
		if err := q.Step(); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// applied is a state after records, one after the other.
func applied(t testing.TB, records []history.Record) *state.State {
	t.Helper()
	return into(t, empty(), records)
}

func into(t testing.TB, s *state.State, records []history.Record) *state.State {
	t.Helper()
	p := recovery.NewReplay(s, 0, 0)
	for i := range records {
		if _, err := p.Next(uint64(i+1), records[i].Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if p.Sequence() != uint64(len(records)) || p.Records() != uint64(len(records)) {
		t.Fatalf("at %d after %d records", p.Sequence(), p.Records())
	}
	s.Book.Settle(1, s.Time())
	return s
}

// numbered is the same with the locations numbered and the stock laid out.
func numbered(t testing.TB, s *state.State, workers int) recovery.Found {
	t.Helper()
	s.Stock.Renumber([]uint32{0, 1}, 3, 0, func(*stock.Table) {})
	found, err := recovery.LayOut(s, workers)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// same compares two states by what is available and by what a snapshot of them says.
func same(t testing.TB, when string, got, want *state.State) {
	t.Helper()
	for sku := range uint32(3) {
		for slot := range uint32(2) {
			is, _ := got.Stock.Level(sku, slot)
			if be, _ := want.Stock.Level(sku, slot); is != be {
				t.Errorf("%s: SKU %d at %d: %+v, want %+v", when, sku, slot, is, be)
			}
		}
	}
	if !slices.EqualFunc(items(t, got), items(t, want), bytes.Equal) {
		t.Errorf("%s: the snapshots differ", when)
	}
}

// items is what a snapshot of a state says, in an order of its own: in memory, entries lie
// as they came.
func items(t testing.TB, s *state.State) (all [][]byte) {
	for b := snapshot(t, s); len(b) > 0; {
		size, n := binary.Uvarint(b)
		all = append(all, b[n:n+int(size)])
		b = b[n+int(size):]
	}
	slices.SortFunc(all, bytes.Compare)
	return all
}

// TestRecovery recovers a state from its records, from a snapshot, and from a snapshot
// with the records after each, with none, one and several workers: it is always the
// same.
func TestRecovery(t *testing.T) {
	records := tale()
	l := logOf(t, records)
	want := applied(t, records)
	numbered(t, want, recovery.ByHand)
	if level, _ := want.Stock.Level(0, 0); level != (stock.Level{OnHand: 474, Available: 425}) {
		t.Fatalf("%+v of tea at a, want 474 and 425", level)
	}
	for _, workers := range []int{recovery.ByHand, 1, 3} {
		for from := range len(records) + 1 {
			if from%7 != 0 && from != len(records) {
				continue
			}
			s, p := empty(), (*recovery.Replay)(nil)
			before := applied(t, records[:from])
			numbered(t, before, 1)
			if from > 0 {
				if err := recovery.ReadSnapshot(bytes.NewReader(snapshot(t, before)), s, workers); err != nil {
					t.Fatal(err)
				}
			}
			p = recovery.NewReplay(s, uint64(from), uint64(from))
			if err := p.Rest(l, workers); err != nil {
				t.Fatal(err)
			}
			if p.Records() != uint64(len(records)-from) {
				t.Errorf("%d records were read after %d", p.Records(), from)
			}
			s.Book.Settle(max(workers, 1), s.Time())
			numbered(t, s, workers)
			same(t, fmt.Sprintf("from %d with %d workers", from, workers), s, want)
		}
	}
}

// TestSnapshotAhead reads a snapshot that is ahead of the record at which it begins, as
// one is that was written while changes went on. What has ended by then is forgotten.
func TestSnapshotAhead(t *testing.T) {
	records := tale()
	l := logOf(t, records)
	want := into(t, remembering(0, 8), records)
	numbered(t, want, 1)
	ahead := snapshot(t, want)
	for from := range len(records) {
		s := remembering(0, 8)
		if err := recovery.ReadSnapshot(bytes.NewReader(ahead), s, 2); err != nil {
			t.Fatal(err)
		}
		if err := recovery.NewReplay(s, uint64(from), uint64(len(records))).Rest(l, 2); err != nil {
			t.Fatal(err)
		}
		s.Book.Settle(1, s.Time())
		numbered(t, s, 2)
		same(t, fmt.Sprint("from ", from), s, want)
	}
}

// TestNewestAreRemembered: a book that has no room for all that a snapshot remembers has
// the last of each kind.
func TestNewestAreRemembered(t *testing.T) {
	records := tale()
	all := applied(t, records)
	numbered(t, all, 1)
	s := remembering(1, 1)
	if err := recovery.ReadSnapshot(bytes.NewReader(snapshot(t, all)), s, 2); err != nil {
		t.Fatal(err)
	}
	s.Book.Settle(1, s.Time())
	var e book.Entry
	for _, last := range []struct {
		kind book.Kind
		id   string
	}{{book.KindMovement, "D"}, {book.KindOrder, "SO-38"}, {book.KindChange, "C-SO-36"}} {
		if !s.Book.Find(last.kind, last.id, &e) {
			t.Errorf("%s is forgotten", last.id)
		}
	}
	if s.Book.Find(book.KindMovement, "GR-0", &e) || s.Book.Find(book.KindOrder, "SO-8", &e) {
		t.Error("more than one of a kind is remembered")
	}
}

// TestLayOutFindsWhatIsGone: who is short, and the cells that lack goods.
func TestLayOutFindsWhatIsGone(t *testing.T) {
	records := append(tale(),
		history.Record{Kind: history.Moved, Cause: history.Counted, ID: "count", Slot: 0, Lines: []history.Line{{SKU: 1, Units: -292}}},
		history.Record{Kind: history.Shorted, ID: "SO-0", Slot: 0, Lines: []history.Line{{SKU: 1, Units: 1}}})
	found := numbered(t, applied(t, records), 2)
	if len(found.Shorts) != 1 || found.Shorts[0] != (recovery.Short{Sequence: uint64(len(records)), SKU: 1, Slot: 0, Name: book.Name{ID: "SO-0"}}) {
		t.Errorf("short are %+v", found.Shorts)
	}
	if len(found.Lacking) != 1 || found.Lacking[0] != state.Pair(1, 0) {
		t.Errorf("lacking are %x", found.Lacking)
	}
}

// TestDamagedSnapshot: one that ends early, says too much or is empty is damaged; one
// that could not be read is not.
func TestDamagedSnapshot(t *testing.T) {
	s := applied(t, tale())
	numbered(t, s, 1)
	whole := snapshot(t, s)
	for n := range whole {
		if n%13 != 0 {
			continue
		}
		if err := recovery.ReadSnapshot(bytes.NewReader(whole[:n]), empty(), 2); !errors.Is(err, log.ErrCorrupt) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	for name, item := range map[string][]byte{"an unknown tag": {1, 9}, "a shelf of no SKU": {4, 3, 99, 1, 0}, "no time": {1, 1}, "a record that is no name": append([]byte{10, 2}, (&history.Record{Kind: history.Opened}).Append(nil)...)[:2+9]} {
		if err := recovery.ReadSnapshot(bytes.NewReader(append(item, whole...)), empty(), recovery.ByHand); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	cause := errors.New("the disk is gone")
	if err := recovery.ReadSnapshot(iotest.ErrReader(cause), empty(), 1); !errors.Is(err, cause) || errors.Is(err, log.ErrCorrupt) {
		t.Errorf("not read: %v", err)
	}
	if err := recovery.ReadSnapshot(io.MultiReader(), empty(), 1); !errors.Is(err, log.ErrCorrupt) {
		t.Errorf("an empty one: %v", err)
	}
}

// TestUnsoundRecord: the worker's refusal comes out, with its record.
func TestUnsoundRecord(t *testing.T) {
	records := append(tale(), history.Record{Kind: history.Canceled, ID: "SO-0", Lines: []history.Line{{SKU: 0, Units: 3}}})
	for _, workers := range []int{recovery.ByHand, 3} {
		err := recovery.NewReplay(empty(), 0, 0).Rest(logOf(t, records), workers)
		var unsound *state.UnsoundError
		if !errors.As(err, &unsound) || unsound.Sequence != uint64(len(records)) || unsound.ID != "SO-0" {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
}
