package recovery_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/recovery"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// kept is what a test knows of an order or a part of one.
type kept struct {
	in    life.State
	from  uint8 // the number of the part that its units come from
	parts uint8
	units string // held, confirmed and rerouted
}

// former is what a former version records, in which each part but the first of an order
// had an ID of its own.
type former struct{ records []history.Record }

func (w *former) say(r history.Record, units ...int64) {
	r.Time = int64(len(w.records) + 1)
	for _, n := range units {
		r.Lines = append(r.Lines, history.Line{Units: n})
	}
	w.records = append(w.records, r)
}

func (w *former) hold(id string, print uint64, parts uint8, ref string, units int64) {
	w.say(history.Record{Kind: history.Held, ID: id, Fingerprint: print, Slot: uint32(len(w.records) % 2), Deadline: 1 << 40, Parts: parts, Ref: ref, Customer: "c"}, units)
}

func (w *former) confirm(id string, units int64) {
	w.say(history.Record{Kind: history.Confirmed, ID: id}, units)
}

func (w *former) cancel(id string, units int64) {
	w.say(history.Record{Kind: history.Canceled, ID: id, Change: fmt.Sprint("c", len(w.records)), Fingerprint: 1}, units)
}

func (w *former) reroute(id, to string, parts uint8, units int64) {
	w.say(history.Record{Kind: history.Rerouted, ID: id, Cause: history.ByStore, Slot: 0, To: 1, Ref: to, Parts: parts}, units)
}

// formerTale is what a former version wrote, and what there is after it.
func formerTale() (records []history.Record, want map[book.Name]kept) {
	w := new(former)
	w.say(history.Record{Kind: history.SKUAdded, Name: "tea"})
	for slot, name := range []string{"a", "b", "gone"} {
		w.say(history.Record{Kind: history.LocationSet, Slot: uint32(slot), Name: name})
	}
	for slot := range uint32(2) {
		w.say(history.Record{Kind: history.Moved, Cause: history.Received, ID: fmt.Sprint("m", slot), Slot: slot, Lines: []history.Line{{Units: 100, OnHand: 100}}})
	}
	w.hold("o", 5, 2, "", 2) // two parts, and a customer's own order that looks like a third
	w.hold("o/2", 5, 2, "", 3)
	w.hold("o/3", 5, 0, "", 1)
	w.confirm("o/2", 3)
	w.cancel("o/2", 1)
	w.confirm("o/3", 1)

	w.hold("x", 6, 0, "", 4) // a part that a reroute made, and another one that a reroute of that one made
	w.hold("x/2", 6, 2, "x", 2)
	w.reroute("x", "x/2", 2, 2)
	w.hold("x/3", 6, 3, "x/2", 1)
	w.reroute("x/2", "x/3", 3, 1)
	w.confirm("x/3", 1)

	w.hold("y/2", 7, 0, "", 1) // customers' own orders, one of which is split, and another rerouted
	w.hold("y/3", 7, 2, "", 1)
	w.hold("y/3/2", 7, 2, "", 2)
	w.confirm("y/3/2", 2)
	w.hold("y/4", 7, 0, "", 2)
	w.hold("y/4/2", 7, 2, "y/4", 1)
	w.reroute("y/4", "y/4/2", 2, 1)

	w.hold("w", 3, 0, "", 1) // an order, beside which one that looks like its part is split
	w.hold("w/2", 4, 2, "", 1)
	w.hold("w/2/2", 4, 2, "", 2)
	w.cancel("w/2", 1)

	w.hold("q", 11, 0, "", 3) // one whose second part has the third number, and one that is split has the second
	w.hold("q/3", 11, 3, "q", 1)
	w.reroute("q", "q/3", 3, 1)
	w.hold("q/2", 12, 2, "", 1)
	w.hold("q/2/2", 12, 2, "", 2)

	w.hold("v", 2, 0, "", 1) // two orders of the same content
	w.hold("v/2", 2, 0, "", 1)
	w.confirm("v/2", 1)

	w.hold("z", 8, 3, "", 1) // all parts but one have ended
	w.hold("z/2", 8, 3, "", 1)
	w.hold("z/3", 8, 3, "", 1)
	w.cancel("z/2", 1)
	w.cancel("z", 1)

	return w.records, map[book.Name]kept{
		{ID: "o"}: {life.Held, 0, 2, "2 0 0"}, {ID: "o", Part: 2}: {life.Confirmed, 0, 2, "0 2 0"}, {ID: "o/3"}: {life.Confirmed, 0, 0, "0 1 0"},
		{ID: "x"}: {life.Held, 0, 2, "2 0 2"}, {ID: "x", Part: 2}: {life.Held, 1, 3, "1 0 1"}, {ID: "x", Part: 3}: {life.Confirmed, 2, 3, "0 1 0"},
		{ID: "y/2"}: {life.Held, 0, 0, "1 0 0"}, {ID: "y/3"}: {life.Held, 0, 2, "1 0 0"}, {ID: "y/3", Part: 2}: {life.Confirmed, 0, 2, "0 2 0"},
		{ID: "y/4"}: {life.Held, 0, 2, "1 0 1"}, {ID: "y/4", Part: 2}: {life.Held, 1, 2, "1 0 0"},
		{ID: "w"}: {life.Held, 0, 0, "1 0 0"}, {ID: "w/2"}: {life.Canceled, 0, 2, "0 0 0"}, {ID: "w/2", Part: 2}: {life.Held, 0, 2, "2 0 0"},
		{ID: "q"}: {life.Held, 0, 3, "2 0 1"}, {ID: "q", Part: 3}: {life.Held, 1, 3, "1 0 0"},
		{ID: "q/2"}: {life.Held, 0, 2, "1 0 0"}, {ID: "q/2", Part: 2}: {life.Held, 0, 2, "2 0 0"},
		{ID: "v"}: {life.Held, 0, 0, "1 0 0"}, {ID: "v/2"}: {life.Confirmed, 0, 0, "0 1 0"},
		{ID: "z"}: {life.Canceled, 0, 3, "0 0 0"}, {ID: "z", Part: 2}: {life.Canceled, 0, 3, "0 0 0"}, {ID: "z", Part: 3}: {life.Held, 0, 3, "1 0 0"},
	}
}

// keptIn is what a state has of its orders.
func keptIn(s *state.State) map[book.Name]kept {
	all := map[book.Name]kept{}
	for id, e := range s.Book.All() {
		l := e.Lines[0]
		all[book.Name{ID: id, Part: e.Part}] = kept{e.State, e.From, e.Parts, fmt.Sprint(l.Held, l.Confirmed, l.Rerouted)}
	}
	return all
}

// compareKept compares the orders of a state with what they should be, and how they are
// found.
func compareKept(t *testing.T, when string, s *state.State, want map[book.Name]kept) {
	t.Helper()
	got := keptIn(s)
	for n, is := range want {
		if got[n] != is {
			t.Errorf("%s: %q is %+v, want %+v", when, n, got[n], is)
		}
	}
	for n, is := range got {
		if _, ok := want[n]; !ok {
			t.Errorf("%s: there is %q, %+v", when, n, is)
		}
	}
	var names []book.Name
	s.Book.Named(book.ByCustomer, "c", func(n book.Name) bool { names = append(names, n); return true })
	if sorted := slices.SortedFunc(maps.Keys(want), book.Name.Compare); !slices.Equal(names, sorted) {
		t.Errorf("%s: of the customer are %q, want %q", when, names, sorted)
	}
	for n := range want {
		if n.Part == 0 && want[n].parts > 1 {
			for _, m := range s.Book.FindAll(n.ID, nil) {
				if _, ok := want[book.Name{ID: n.ID, Part: m.Part}]; !ok {
					t.Errorf("%s: part %d of %q is found", when, m.Part, n.ID)
				}
			}
		}
	}
}

// formerSnapshot is a snapshot as a former version would have written it: a part has an ID
// of its own, and the ID of the reservation that its units come from.
func formerSnapshot(t *testing.T, whole []byte) (as []byte) {
	t.Helper()
	for len(whole) > 0 {
		size, n := binary.Uvarint(whole)
		item := whole[n : n+int(size)]
		whole = whole[n+int(size):]
		if item[0] == 4 {
			item = append([]byte{4}, formerEntry(item[1:])...)
		}
		as = append(binary.AppendUvarint(as, uint64(len(item))), item...)
	}
	return as
}

// formerEntry is one entry of it.
func formerEntry(e []byte) (former []byte) {
	if e[2]&8 == 0 {
		return e
	}
	number := func() uint64 {
		v, n := binary.Uvarint(e)
		e = e[n:]
		return v
	}
	text := func() string {
		n := number()
		v := string(e[:n])
		e = e[n:]
		return v
	}
	put := func(text string) { former = append(binary.AppendUvarint(former, uint64(len(text))), text...) }
	former = []byte{e[0], e[1], e[2] &^ 8}
	part := e[3]
	e = e[4:]
	id := text()
	name := func(part uint8) string {
		if part > 1 {
			return fmt.Sprint(id, "/", part)
		}
		return id
	}
	put(name(part))
	former, e = append(former, e[:16]...), e[16:]
	for range 5 { // sequence, deadline, pickup, location, to
		former = binary.AppendUvarint(former, number())
	}
	for range 5 {
		put(text())
	}
	past := text()
	const from, size, note = 22, 24, 26
	if past[from] != 0 {
		cause := name(past[from])
		past = past[:from] + "\x00\x00" + string(binary.BigEndian.AppendUint16(nil, uint16(len(cause)))) + cause + past[note:]
	}
	put(past)
	return append(former, e...)
}

// TestFormerJournal reads what a former version has recorded, one by one and with some
// workers, and over a snapshot of the first records of it, or one that is ahead.
func TestFormerJournal(t *testing.T) {
	records, want := formerTale()
	l := logOf(t, records)
	whole := applied(t, records)
	compareKept(t, "one by one", whole, want)
	numbered(t, whole, 1)
	for _, workers := range []int{recovery.ByHand, 1, 4} {
		for from := range len(records) + 1 {
			before := applied(t, records[:from])
			numbered(t, before, 1)
			for name, snapshot := range map[string][]byte{"as it was": snapshot(t, before), "ahead": snapshot(t, whole)} {
				exact := uint64(from)
				if name == "ahead" {
					exact = uint64(len(records))
				}
				s := empty()
				if err := recovery.ReadSnapshot(bytes.NewReader(formerSnapshot(t, snapshot)), s, workers); err != nil {
					t.Fatal(err)
				}
				if err := recovery.NewReplay(s, uint64(from), exact).Rest(l, workers); err != nil {
					t.Fatalf("from %d, a snapshot %s, %d workers: %v", from, name, workers, err)
				}
				s.Book.Settle(max(workers, 1), s.Time())
				compareKept(t, fmt.Sprintf("from %d, a snapshot %s, %d workers", from, name, workers), s, want)
			}
		}
	}
}

// TestFormerSnapshotOfForgotten reads a former version's snapshot that has parts of orders
// of which the first has been forgotten.
func TestFormerSnapshotOfForgotten(t *testing.T) {
	records, want := formerTale()
	for _, workers := range []int{recovery.ByHand, 1, 4} {
		s := applied(t, records)
		numbered(t, s, 1)
		for _, id := range []string{"o", "x", "y/3", "w", "z"} {
			s.Book.Drop(book.KindOrder, id)
			delete(want, book.Name{ID: id})
		}
		read := empty()
		if err := recovery.ReadSnapshot(bytes.NewReader(formerSnapshot(t, snapshot(t, s))), read, workers); err != nil {
			t.Fatal(err)
		}
		read.Book.Settle(1, read.Time())
		compareKept(t, fmt.Sprint(workers, " workers"), read, want)
	}
}

// TestThisVersionAfterAFormerOne: what this version records after what a former one has
// is about the parts by number, also where a customer's own order has the ID that a part
// had.
func TestThisVersionAfterAFormerOne(t *testing.T) {
	records, want := formerTale()
	after := []history.Record{
		{Kind: history.Held, ID: "o/2", Fingerprint: 5, Slot: 1, Deadline: 1 << 40, Customer: "c", Lines: []history.Line{{Units: 1}}},
		{Kind: history.Confirmed, ID: "o", Part: 1, Lines: []history.Line{{Units: 2}}},
		{Kind: history.Canceled, ID: "o", Shares: []history.Share{{Part: 1, Lines: 1}, {Part: 2, Slot: 1, Lines: 1}}, Lines: []history.Line{{Units: 2}, {Units: 2}}},
		{Kind: history.Confirmed, ID: "o/2", Lines: []history.Line{{Units: 1}}},
		{Kind: history.Held, ID: "o/2", Fingerprint: 5, Parts: 2, Part: 2, Other: 1, Slot: 1, Deadline: 1 << 40, Customer: "c", Lines: []history.Line{{Units: 1}}},
		{Kind: history.Rerouted, ID: "o/2", Other: 2, Part: 1, Parts: 2, To: 1, Lines: []history.Line{{Units: 1}}},
	}
	for i := range after {
		after[i].Time = int64(len(records) + 1)
		records = append(records, after[i])
	}
	want[book.Name{ID: "o"}] = kept{life.Canceled, 0, 2, "0 0 0"}
	want[book.Name{ID: "o", Part: 2}] = kept{life.Canceled, 0, 2, "0 0 0"}
	want[book.Name{ID: "o/2"}] = kept{life.Rerouted, 0, 2, "0 0 1"}
	want[book.Name{ID: "o/2", Part: 2}] = kept{life.Held, 1, 2, "1 0 0"}
	compareKept(t, "one by one", applied(t, records), want)
	l := logOf(t, records)
	for _, workers := range []int{recovery.ByHand, 1, 4} {
		s := empty()
		if err := recovery.NewReplay(s, 0, 0).Rest(l, workers); err != nil {
			t.Fatal(err)
		}
		s.Book.Settle(1, s.Time())
		compareKept(t, fmt.Sprint(workers, " workers"), s, want)
		numbered(t, s, 1)
		again := empty()
		if err := recovery.ReadSnapshot(bytes.NewReader(snapshot(t, s)), again, workers); err != nil {
			t.Fatal(err)
		}
		again.Book.Settle(1, again.Time())
		compareKept(t, fmt.Sprint("a snapshot, ", workers, " workers"), again, want)
	}
}
