package state_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// part is what a part of an order should be.
type part struct {
	at    uint32
	in    life.State
	units life.Line // of tea
}

// outcome is what there should be after records: the parts of order o, by number, and
// the units on hand and available by location.
type outcome struct {
	parts        [3]part
	onHand, free [3]int64
}

// line is a line of a record: units of tea, and those on hand after it.
func line(units, onHand int64) history.Line { return history.Line{Units: units, OnHand: onHand} }

// ofAll is a record of all three parts of order o, whose lines are of each of them.
func ofAll(kind history.Kind, r history.Record, lines ...history.Line) history.Record {
	r.Kind, r.ID, r.Lines = kind, "o", lines
	for i := range uint32(3) {
		r.Shares = append(r.Shares, history.Share{Part: uint8(i + 1), Slot: i, Lines: len(lines) / 3})
	}
	return r
}

// threeParts begins with 10 of tea at each location, order o of 2 there, 3 there and 1
// there, and two customers' own orders of 1, whose IDs look like those of its parts.
func threeParts() (records []history.Record) {
	for slot := range uint32(3) {
		records = append(records, history.Record{Kind: history.Moved, Cause: history.Received, ID: fmt.Sprint("m", slot), Slot: slot, Lines: []history.Line{line(10, 10)}})
	}
	for i, units := range []int64{2, 3, 1} {
		records = append(records, history.Record{Kind: history.Held, ID: "o", Fingerprint: 5, Slot: uint32(i), Deadline: 100 + int64(i), Parts: 3, Part: uint8(i + 1), Lines: []history.Line{line(units, 0)}})
	}
	for _, id := range []string{"o/2", "o/3"} {
		records = append(records, history.Record{Kind: history.Held, ID: id, Fingerprint: 5, Deadline: 100, Lines: []history.Line{line(1, 0)}})
	}
	return records
}

// confirmAll confirms all parts.
func confirmAll() history.Record {
	return ofAll(history.Confirmed, history.Record{}, line(2, 0), line(3, 0), line(1, 0))
}

// outcomes are the last records of a life of order o, and what there is then.
func outcomes() map[string]struct {
	records []history.Record
	want    outcome
} {
	units := func(of func(units uint32) life.Line) (lines [3]life.Line) {
		for i, n := range []uint32{2, 3, 1} {
			lines[i] = of(n)
			lines[i].Quantity = n
		}
		return lines
	}
	all := func(in life.State, lines [3]life.Line) (parts [3]part) {
		for i := range parts {
			parts[i] = part{uint32(i), in, lines[i]}
		}
		return parts
	}
	held := units(func(n uint32) life.Line { return life.Line{Held: n} })
	firm := units(func(n uint32) life.Line { return life.Line{Confirmed: n} })
	sold := units(func(n uint32) life.Line { return life.Line{Collected: n} })
	none := units(func(uint32) life.Line { return life.Line{} })
	back := units(func(n uint32) life.Line { return life.Line{Collected: n, Returned: n} })
	there, open, free := [3]int64{10, 10, 10}, [3]int64{6, 7, 9}, [3]int64{8, 10, 10}
	collect := ofAll(history.Collected, history.Record{Change: "till", Fingerprint: 8}, line(2, 8), line(3, 7), line(1, 9))
	dispatch := ofAll(history.Dispatched, history.Record{To: 2}, line(2, 8), line(3, 7))
	dispatch.Shares = dispatch.Shares[:2] // the third is there
	dispatch.Shares[0].Lines, dispatch.Shares[1].Lines = 1, 1
	arrive := ofAll(history.Arrived, history.Record{}, line(2, 12), line(2, 14))
	arrive.Shares = []history.Share{{Part: 1, Slot: 2, Lines: 1}, {Part: 2, Slot: 2, Lines: 1}}
	on := all(life.Confirmed, firm)
	on[0].in, on[1].in = life.InTransit, life.InTransit
	came := all(life.Confirmed, firm)
	came[0].at, came[1].at, came[0].in, came[1].in = 2, 2, life.Accepted, life.Accepted
	came[1].units = life.Line{Quantity: 3, Confirmed: 2, Missing: 1}
	one := all(life.Confirmed, firm)
	one[1] = part{1, life.Canceled, none[1]}
	returned := ofAll(history.Returned, history.Record{Change: "back", Cause: history.Restocked}, line(2, 12), line(3, 15), line(1, 16))
	for i := range returned.Shares {
		returned.Shares[i].Slot = 2
	}
	returned.Lines[0].OnHand, returned.Lines[1].OnHand, returned.Lines[2].OnHand = 11, 14, 15 // of 9 there
	return map[string]struct {
		records []history.Record
		want    outcome
	}{
		"held":       {nil, outcome{all(life.Held, held), there, open}},
		"extended":   {[]history.Record{ofAll(history.Extended, history.Record{Deadline: 900})}, outcome{all(life.Held, held), there, open}},
		"confirmed":  {[]history.Record{confirmAll()}, outcome{all(life.Confirmed, firm), there, open}},
		"accepted":   {[]history.Record{confirmAll(), ofAll(history.Accepted, history.Record{})}, outcome{all(life.Accepted, firm), there, open}},
		"ready":      {[]history.Record{confirmAll(), ofAll(history.Ready, history.Record{Deadline: 500, Code: "c"})}, outcome{all(life.Ready, firm), there, open}},
		"collected":  {[]history.Record{confirmAll(), collect}, outcome{all(life.Collected, sold), [3]int64{8, 7, 9}, open}},
		"canceled":   {[]history.Record{ofAll(history.Canceled, history.Record{}, line(2, 0), line(3, 0), line(1, 0))}, outcome{all(life.Canceled, none), there, free}},
		"expired":    {[]history.Record{ofAll(history.Expired, history.Record{}, line(2, 0), line(3, 0), line(1, 0))}, outcome{all(life.Expired, units(func(n uint32) life.Line { return life.Line{Lapsed: n} })), there, free}},
		"sent":       {[]history.Record{confirmAll(), dispatch}, outcome{on, [3]int64{8, 7, 10}, [3]int64{6, 7, 9}}},
		"arrived":    {[]history.Record{confirmAll(), dispatch, arrive}, outcome{came, [3]int64{8, 7, 14}, [3]int64{6, 7, 9}}},
		"one of all": {[]history.Record{confirmAll(), {Kind: history.Canceled, ID: "o", Part: 2, Slot: 1, Lines: []history.Line{line(3, 0)}}}, outcome{one, there, [3]int64{6, 10, 9}}},
		"returned":   {[]history.Record{confirmAll(), collect, returned}, outcome{all(life.Returned, back), [3]int64{8, 7, 15}, [3]int64{6, 7, 15}}},
	}
}

// difference says what is not as it should be.
func (o *outcome) difference(s *state.State) string {
	for i, want := range o.parts {
		n := book.Name{ID: "o", Part: uint8(i + 1)}
		if i == 0 {
			n.Part = 0
		}
		var e book.Entry
		if !s.Book.FindPart(n, &e) || e.Location != want.at || e.State != want.in || len(e.Lines) != 1 || e.Lines[0] != want.units {
			return fmt.Sprintf("part %d is %+v, want %+v", i+1, e, want)
		}
	}
	for slot := range uint32(3) {
		if got := s.OnHand(0, slot); got != o.onHand[slot] {
			return fmt.Sprintf("%d on hand at %d, want %d", got, slot, o.onHand[slot])
		}
		if level, _ := s.Stock.Level(0, slot); s.LaidOut() && level.Available != o.free[slot] {
			return fmt.Sprintf("%d available at %d, want %d", level.Available, slot, o.free[slot])
		}
	}
	for _, id := range []string{"o/2", "o/3"} {
		var e book.Entry
		if !s.Book.Find(book.KindOrder, id, &e) || e.State != life.Held {
			return fmt.Sprintf("the customer's own %s is %+v", id, e)
		}
	}
	return ""
}

// TestApplyShares applies records of several parts of an order at once, to a state that
// is laid out and to one that is not, whole and shared out, and twice.
func TestApplyShares(t *testing.T) {
	for name, c := range outcomes() {
		records := slices.Concat(threeParts(), c.records)
		for i := range records {
			records[i].Time = int64(i + 1)
		}
		look := func(how string, s *state.State) {
			if fault := c.want.difference(s); fault != "" {
				t.Errorf("%s, %s: %s", name, how, fault)
			}
		}
		for _, laidOut := range []bool{false, true} {
			s := empty(laidOut)
			apply(t, s, records, new(state.Room))
			look(fmt.Sprint("laid out ", laidOut), s)
			apply(t, s, records, &state.Room{Exact: uint64(len(records))})
			look(fmt.Sprint("twice, laid out ", laidOut), s)
		}
		s := empty(false)
		apply(t, s, records, &state.Room{Part: state.Shelf})
		apply(t, s, records, &state.Room{Part: state.Entry})
		look("shared out", s)
	}
}

// TestApplyOverSomePartsAhead applies the records of an order's life over a snapshot that
// has some parts as they became later, and the others as they were, or not at all.
func TestApplyOverSomePartsAhead(t *testing.T) {
	for name, c := range outcomes() {
		records := slices.Concat(threeParts(), c.records)
		for i := range records {
			records[i].Time = int64(i + 1)
		}
		after := empty(false)
		apply(t, after, records, new(state.Room))
		for ahead := range 1 << 3 {
			for from := range records {
				s := empty(false)
				apply(t, s, records[:from], new(state.Room))
				for i := range 3 {
					var e book.Entry
					n := book.Name{ID: "o"}
					if i > 0 {
						n.Part = uint8(i + 1)
					}
					if ahead>>i&1 == 1 && after.Book.FindPart(n, &e) {
						s.Book.LoadHashed(s.Book.Hash(book.KindOrder, "o"), book.KindOrder, "o", &e)
					}
				}
				room := &state.Room{Exact: uint64(len(records))}
				for i := from; i < len(records); i++ {
					if err := s.Apply(room, uint64(i+1), &records[i]); err != nil {
						t.Fatalf("%s, from %d with %b ahead: record %d: %v", name, from, ahead, i+1, err)
					}
				}
				if fault := c.want.difference(s); fault != "" {
					t.Fatalf("%s, from %d with %b ahead: %s", name, from, ahead, fault)
				}
			}
		}
	}
}

// A customer's own order has an ID that looks like that of a part of another order. It
// ended and was forgotten while a snapshot was written, which has the part. Its records
// are not about the part: who wrote the snapshot, or a record before, knows parts by
// numbers.
func TestOwnOrderThatLooksLikeAPart(t *testing.T) {
	records := append(threeParts(), confirmAll(),
		history.Record{Kind: history.Canceled, ID: "o/2", Lines: []history.Line{line(1, 0)}},
		history.Record{Kind: history.Returned, ID: "o/2", Change: "r", Cause: history.Restocked, Lines: []history.Line{line(1, 11)}})
	for _, snapshot := range []bool{false, true} {
		s := empty(false)
		apply(t, s, records[:len(records)-3], new(state.Room))
		if snapshot {
			read := empty(false)
			for id, e := range s.Book.All() {
				read.Book.LoadHashed(read.Book.Hash(book.KindOrder, id), book.KindOrder, id, e)
			}
			s = read
			s.Numbered(0)
		}
		s.Book.Drop(book.KindOrder, "o/2")
		room := &state.Room{Exact: uint64(len(records))}
		for i := len(records) - 3; i < len(records); i++ {
			if err := s.Apply(room, uint64(i+1), &records[i]); err != nil {
				t.Errorf("from a snapshot %t: %v", snapshot, err)
			}
		}
		var e book.Entry
		if !s.Book.FindPart(book.Name{ID: "o", Part: 2}, &e) || e.State != life.Confirmed || e.Lines[0].Confirmed != 3 {
			t.Errorf("from a snapshot %t: part 2 is %+v", snapshot, e)
		}
	}
}

// TestFormerNames takes IDs apart as former versions put them together.
func TestFormerNames(t *testing.T) {
	for id, want := range map[string]struct {
		order string
		n     uint8
		root  string
	}{
		"o": {"o", 0, "o"}, "": {"", 0, ""}, "o/2": {"o", 2, "o"}, "o/255": {"o", 255, "o"}, "o/256": {"o/256", 0, "o/256"},
		"o/1": {"o/1", 0, "o/1"}, "o/0": {"o/0", 0, "o/0"}, "o/02": {"o/02", 0, "o/02"}, "o/": {"o/", 0, "o/"}, "o/2x": {"o/2x", 0, "o/2x"},
		"o2": {"o2", 0, "o2"}, "2": {"2", 0, "2"}, "12345": {"12345", 0, "12345"}, "o/1234": {"o/1234", 0, "o/1234"}, "o/-2": {"o/-2", 0, "o/-2"},
		"o/2/3": {"o/2", 3, "o"}, "o/1/3": {"o/1", 3, "o/1"}, "/2": {"", 2, ""}, "//2": {"/", 2, "/"}, "o/2/": {"o/2/", 0, "o/2/"},
	} {
		if order, n := state.FormerName(id); order != want.order || n != want.n {
			t.Errorf("%q is part %d of %q, want %d of %q", id, n, order, want.n, want.order)
		}
		if root := state.Root(id); root != want.root {
			t.Errorf("the root of %q is %q, want %q", id, root, want.root)
		}
	}
	for id, want := range map[string]uint8{"o": 1, "o/2": 2, "o/17": 17, "p/2": 1, "o/1": 1, "o/2/2": 1} {
		if n := state.FormerFrom("o", id); n != want {
			t.Errorf("%q is part %d of o, want %d", id, n, want)
		}
	}
}
