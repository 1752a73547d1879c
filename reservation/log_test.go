package reservation

import (
	"errors"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/log"
	"github.com/clickcollect/clickcollect/reservation/log/logtest"
)

// onLog opens a ledger on a store, with one location.
func onLog(t *testing.T, store *logtest.Store, dir string) *Ledger {
	t.Helper()
	l, err := Open(Options{SKUs: 100, Locations: 10, Remember: 1000, Log: store.Open("a"), Dir: dir})
	mustDo(t, err)
	slot, known := l.Slot("l")
	if !known {
		slot, _, err = l.AddSlot("l", nil, 1)
		mustDo(t, err)
	}
	l.Renumber([]uint32{slot}, 4, func(*Table) {})
	mustDo(t, l.Fill())
	return l
}

// TestLedgerOnALog opens a ledger on the same log again and again, with a snapshot of
// it in a directory, or without: what was done is there and a repeat gets the same
// answer. With a directory the log is trimmed, without one it never is.
func TestLedgerOnALog(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		store := new(logtest.Store)
		l := onLog(t, store, dir)
		tea := received(t, l, "r", 0, "tea", 1000)
		for life := range 5 {
			for i := range 20 {
				if how, _ := reserve(l, string(rune('a'+life))+string(rune('a'+i)), 7, 0, units(tea, 1)); how != Done {
					t.Fatalf("reserve: %d", how)
				}
			}
			_, err := end(l, history.Canceled, string(rune('a'+life))+"a")
			mustDo(t, err, l.Snapshot(t.Context(), 1))
			want := l.Available(tea, 0)
			mustDo(t, l.Close())
			l = onLog(t, store, dir)
			if got := l.Available(tea, 0); got != want || got.Held != int64(19*(life+1)) {
				t.Fatalf("after %d restarts: %+v, want %+v", life+1, got, want)
			}
			if how, found := reserve(l, "ab", 7, 0, units(tea, 1)); how != Known || found.State != Held {
				t.Fatalf("a repeat: %d, %+v", how, found)
			}
			if r := l.Recovered(); dir != "" && (r.Snapshot == 0 || r.Records > 1) || dir == "" && r.Snapshot != 0 {
				t.Errorf("recovered %+v", r)
			}
			report, err := l.Audit(t.Context(), nil)
			if err != nil || len(report.Differences) > 0 || report.Cells == 0 {
				t.Errorf("audit: %+v, %v", report, err)
			}
		}
		first := uint64(1)
		for number := range l.History(t.Context(), l.Journal().First, false) {
			first = number
			break
		}
		if trimmed := first > 1; trimmed != (dir != "") || l.Journal().First != first {
			t.Errorf("with the directory %q the log begins at record %d, the figures say %d", dir, first, l.Journal().First)
		}
		if dir != "" {
			mustDo(t, l.Close())
			if _, err := Open(Options{SKUs: 100, Locations: 10, Log: strange{new(logtest.Store).Open("a")}, Dir: dir}); !errors.Is(err, ErrForeign) {
				t.Errorf("another log's snapshots: %v, want ErrForeign", err)
			}
			var lost *log.LostError
			_, err := Open(Options{SKUs: 100, Locations: 10, Log: new(logtest.Store).Open("a"), Dir: dir})
			if !errors.Is(err, ErrLogLost) || !errors.As(err, &lost) || lost.From != 1 || lost.To == 0 {
				t.Errorf("a log that went back: %v, want ErrLogLost", err)
			}
			continue
		}
		mustDo(t, l.Close())
	}
}

// A strange log has another identity.
type strange struct{ *logtest.Handle }

func (strange) Identity() [16]byte { return [16]byte{1} }

// TestLongestRecordOfALog refuses what the log's payload does not take, before anything
// is changed.
func TestLongestRecordOfALog(t *testing.T) {
	l := onLog(t, new(logtest.Store), "")
	_, err := l.SetNotes(1, Note{Key: "a", Value: make([]byte, log.PayloadBytes)})
	if !errors.Is(err, ErrTooLarge) || !errors.Is(err, ErrInvalid) {
		t.Errorf("a note of a whole payload: %v, want ErrTooLarge", err)
	}
	_, err = l.SetNotes(1, Note{Key: "a", Value: make([]byte, log.PayloadBytes-2*fixedBytes)})
	mustDo(t, err, l.Settled(t.Context()), l.Close())
}

// TestPlacesOfALedger refuses options that do not say where a ledger lies.
func TestPlacesOfALedger(t *testing.T) {
	l := new(logtest.Store).Open("a")
	for what, o := range map[string]Options{"nowhere": {}, "no identity": {Log: struct{ log.Log }{l}, Dir: t.TempDir()}, "written": {Log: l, Written: true}} {
		if _, err := Open(o); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", what, err)
		}
	}
	mustDo(t, l.Close()) // it was not taken
}
