package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/audit"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/recovery"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// shop is a live state, and the log of what made it so.
type shop struct {
	*state.State
	log   log.Log
	queue *commit.Queue
	room  state.Room
	t     *testing.T
}

func empty() *state.State {
	s := new(state.State)
	s.Fill(book.Fixed(100, 4), 10, 10)
	return s
}

// say records what happens, and lets it happen.
func (s *shop) say(records ...history.Record) {
	s.t.Helper()
	for i := range records {
		r := &records[i]
		r.Time = int64(s.queue.Last()) + 1
		t, err := s.queue.Append(r.Append(nil))
		if err := errors.Join(err, s.queue.Step(), s.Apply(&s.room, t.Sequence, r)); err != nil {
			s.t.Fatal(err)
		}
	}
}

func lines(sku uint32, units, onHand int64) []history.Line {
	return []history.Line{{SKU: sku, Units: units, OnHand: onHand}}
}

// open is a shop with two SKUs at two locations, a note and a few reservations.
func open(t *testing.T) *shop {
	s := &shop{State: empty(), log: log.OpenMemory(1 << 20), t: t}
	s.queue = commit.New(s.log, commit.Options{Manual: true})
	for i, name := range []string{"a", "b"} {
		s.say(history.Record{Kind: history.LocationSet, Slot: uint32(i), Name: name})
	}
	s.Stock.Renumber([]uint32{0, 1}, 2, 8, func(*stock.Table) {})
	s.say(history.Record{Kind: history.SKUAdded, SKU: 0, Name: "tea"}, history.Record{Kind: history.SKUAdded, SKU: 1, Name: "cup"},
		history.Record{Kind: history.NoteSet, Name: "rule", Place: []byte("near")})
	for slot := range uint32(2) {
		s.say(history.Record{Kind: history.Moved, Cause: history.Received, ID: fmt.Sprint("GR-", slot), Slot: slot, Lines: []history.Line{{SKU: 0, Units: 9, OnHand: 9}, {SKU: 1, Units: 5, OnHand: 5}}})
	}
	s.say(history.Record{Kind: history.Held, ID: "o1", Deadline: 99, Lines: lines(0, 2, 0)},
		history.Record{Kind: history.Held, ID: "o2", Slot: 1, Deadline: 99, Lines: lines(1, 1, 0)},
		history.Record{Kind: history.Held, ID: "o3", Deadline: 99, Lines: lines(0, 1, 0)},
		history.Record{Kind: history.Canceled, ID: "o3", Lines: lines(0, 1, 0)},
		history.Record{Kind: history.Held, ID: "p", Deadline: 99, Parts: 2, Part: 1, Lines: lines(0, 1, 0)},
		history.Record{Kind: history.Held, ID: "p", Slot: 1, Deadline: 99, Parts: 2, Part: 2, Lines: lines(0, 1, 0)},
		history.Record{Kind: history.Held, ID: "p/2", Slot: 1, Deadline: 99, Lines: lines(0, 1, 0)},
		history.Record{Kind: history.Confirmed, ID: "p", Shares: []history.Share{{Part: 1, Lines: 1}, {Part: 2, Slot: 1, Lines: 1}},
			Lines: append(lines(0, 1, 0), lines(0, 1, 0)...)})
	return s
}

// compare audits the shop: the shadow has read all but the last records of the log.
func (s *shop) compare(last uint64, pause func()) (audit.Report, error) {
	shadow := empty()
	shadow.Recover()
	shadow.Book.Loosen()
	p := recovery.NewReplay(shadow, 0, 0)
	for record, err := range s.queue.Follow(s.t.Context(), 1, false) {
		if err != nil {
			s.t.Fatal(err)
		}
		if record.Sequence > s.queue.Last()-last {
			break
		}
		if _, err := p.Next(record.Sequence, record.Data); err != nil {
			s.t.Fatal(err)
		}
	}
	shadow.Book.Settle(1, shadow.Time())
	resumed := 0
	report, err := audit.Compare(s.t.Context(), s.State, s.queue, shadow, p, 2, func() func() { pause(); return func() { resumed++ } })
	if resumed != 1 && err == nil {
		s.t.Errorf("changes were let go on %d times", resumed)
	}
	return report, err
}

// found is the differences of a report, a line each.
func found(r audit.Report) string {
	var all []string
	for _, d := range r.Differences {
		if d.Part > 0 {
			d.ID = fmt.Sprint(d.ID, " part ", d.Part)
		}
		all = append(all, fmt.Sprintf("%s %s %s %s %d %d", d.SKU, d.Location, d.ID, d.What, d.Live, d.Recomputed))
	}
	return strings.Join(all, "\n")
}

// TestCompareFindsNothing in a state that is as its log says, whatever comes while it
// looks, and counts what it looked at.
func TestCompareFindsNothing(t *testing.T) {
	s := open(t)
	before := s.queue.Last()
	report, err := s.compare(3, func() {
		s.say(history.Record{Kind: history.LocationSet, Slot: 2, Name: "c"})
		s.Stock.Join(2, func(uint32) {})
		s.say(history.Record{Kind: history.Moved, Cause: history.Received, ID: "GR-2", Slot: 2, Lines: lines(0, 7, 7)},
			history.Record{Kind: history.Held, ID: "o4", Slot: 2, Lines: lines(0, 3, 0)},
			history.Record{Kind: history.SafetySet, SKU: 0, Slot: state.Everywhere, Lines: lines(0, 2, 0)})
	})
	if err != nil || found(report) != "" {
		t.Errorf("%s, %v", found(report), err)
	}
	last := before + 4
	if report.Sequence != last || report.Records != last || report.Cells != 4 || report.Reservations != 6 {
		t.Errorf("looked at %+v, the log ends at %d", report, last)
	}
}

// TestCompareFindsWhatIsTamperedWith, in the counters, the book, the notes and the bits.
func TestCompareFindsWhatIsTamperedWith(t *testing.T) {
	for want, tamper := range map[string]func(s *shop){
		"tea a  held 2 3":         func(s *shop) { s.Stock.Change(0, 0, 1) },
		"cup b  on hand 4 5":      func(s *shop) { s.Stock.AddOnHand(1, 1, -1) },
		"tea b  safety stock 7 0": func(s *shop) { s.Safety.Put(state.SafetyLevel{SKU: 0, Slot: 1, Units: 7}) },
		"  o1 is there 0 0":       func(s *shop) { s.Book.Drop(book.KindOrder, "o1") },
		"  o2 state 0 0":          func(s *shop) { s.tamper("o2", func(e *book.Entry) { e.State = life.Ready }) },
		"  o2 deadline 0 0":       func(s *shop) { s.tamper("o2", func(e *book.Entry) { e.Since++ }) },
		"  o2 sequence 0 0":       func(s *shop) { s.tamper("o2", func(e *book.Entry) { e.Sequence++ }) },
		"  o2 content 0 0":        func(s *shop) { s.tamper("o2", func(e *book.Entry) { e.Note = "x" }) },
		"  o1 lines 0 0":          func(s *shop) { s.tamper("o1", func(e *book.Entry) { e.Lines[0].Held, e.Lines[0].Confirmed = 1, 1 }) },
		"  p part 3 is there 0 0": func(s *shop) {
			s.Book.AddHashed(s.Book.Hash(book.KindOrder, "p"), book.KindOrder, "p", &book.Entry{Part: 3, Parts: 3, State: life.Held}, nil, nil)
		},
		"  p is there 0 0":   func(s *shop) { s.Book.Drop(book.KindOrder, "p") },
		"  p/2 is there 0 0": func(s *shop) { s.Book.Drop(book.KindOrder, "p/2") },
		"  p part 2 content 0 0": func(s *shop) {
			s.tamperWith(book.Name{ID: "p", Part: 2}, func(e *book.Entry) { e.From = 1 })
		},
		"  rule note 0 0": func(s *shop) { s.Notes.Put("rule", []byte("far")) },
		"  more note 0 0": func(s *shop) { s.Notes.Put("more", []byte("x")) },
	} {
		s := open(t)
		tamper(s)
		report, err := s.compare(0, func() {})
		if err != nil || !strings.Contains(found(report), want) {
			t.Errorf("found %q, %v, want %q", found(report), err, want)
		}
	}
	s := open(t)
	s.Book.Drop(book.KindOrder, "o3")
	if report, err := s.compare(0, func() {}); err != nil || found(report) != "" {
		t.Errorf("an ended one that is forgotten is no difference: %q, %v", found(report), err)
	}
}

// tamper changes an entry behind the journal's back.
func (s *shop) tamper(id string, how func(*book.Entry)) { s.tamperWith(book.Name{ID: id}, how) }

func (s *shop) tamperWith(n book.Name, how func(*book.Entry)) {
	var e book.Entry
	if _, err := s.Book.ChangePart(n, &e, tampering(how)); err != nil {
		s.t.Fatal(err)
	}
}

type tampering func(*book.Entry)

func (t tampering) Apply(_ string, e *book.Entry) ([]byte, error) {
	t(e)
	return nil, nil
}

// TestCompareGoesByTheLog: an end of the context, and a record that contradicts the
// others, are errors.
func TestCompareGoesByTheLog(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	shadow := empty()
	shadow.Recover()
	if _, err := audit.Compare(ctx, s.State, s.queue, shadow, recovery.NewReplay(shadow, 0, 0), 1, func() func() { return func() {} }); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	_, err := s.compare(0, func() {
		r := history.Record{Kind: history.Canceled, ID: "o1", Lines: lines(0, 3, 0)}
		if _, err := s.queue.Append(r.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if err := s.queue.Step(); err != nil {
			t.Fatal(err)
		}
	})
	if unsound := (*state.UnsoundError)(nil); !errors.As(err, &unsound) || unsound.ID != "o1" {
		t.Errorf("a record that contradicts the others: %v", err)
	}
}

// TestAlone compares the counters with the reservations.
func TestAlone(t *testing.T) {
	s := open(t)
	if report := audit.Alone(s.State); found(report) != "" || report.Cells != 4 || report.Reservations != 6 {
		t.Errorf("%+v", report)
	}
	s.Stock.Change(0, 0, -1)
	s.Stock.AddOnHand(1, 0, -9)
	s.Stock.Change(1, 0, -9)
	if got, want := found(audit.Alone(s.State)), "tea a  held 4 3\ncup a  on hand -4 0"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}
