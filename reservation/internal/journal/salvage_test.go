package journal_test

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// TestSalvageCarriesOnFromSnapshot damages a log behind and before what a
// snapshot covers: the part that carries on from it is what is worth having.
func TestSalvageCarriesOnFromSnapshot(t *testing.T) {
	d := faultdisk.New(1)
	l := mustOpen(t, d, smallSegments)
	put(t, l, strings.Repeat("abcdefghij", 10))
	snapshot, err := journal.WriteSnapshot(d, l.Identity(), 40, func(w io.Writer) (uint64, error) {
		_, err := io.WriteString(w, "the state at 40 to 50")
		return 50, err
	})
	must(t, err)
	must(t, l.Close())
	first := "00000000000000000001.segment"
	must(t, d.Flip(first, (3*blockBytes+50)*8))
	to := faultdisk.New(2)
	report, err := journal.Salvage(d, to, smallSegments)
	must(t, err)
	if report.From != 4 || report.To != 100 || len(report.Damage) != 1 || report.Damage[0].From != 3 || report.Damage[0].To != 3 ||
		len(report.Left) != 1 || report.Left[0] != [2]uint64{1, 2} || len(report.Others) != 1 || report.Others[0] != snapshot.Name {
		t.Errorf("the report is %+v", report)
	}
	l = mustOpen(t, to, smallSegments)
	if got := contents(t, l); l.First() != 4 || got != strings.Repeat("abcdefghij", 10)[3:] {
		t.Errorf("from %d on it holds %q", l.First(), got)
	}
	f, err := journal.OpenSnapshot(to, l.Identity(), snapshot)
	must(t, err)
	if b, err := io.ReadAll(f); err != nil || string(b) != "the state at 40 to 50" {
		t.Errorf("the snapshot says %q, %v", b, err)
	}
	must(t, f.Close())
	put(t, l, "and on")
	must(t, l.Close())

	// Without a whole snapshot it is the beginning that counts.
	must(t, d.Flip(snapshot.Name, 5000*8))
	to = faultdisk.New(3)
	if report, err = journal.Salvage(d, to, smallSegments); err != nil || report.From != 1 || report.To != 2 {
		t.Errorf("the report is %+v, %v", report, err)
	}
	if _, err := journal.Salvage(d, to, smallSegments); !errors.Is(err, fs.ErrExist) {
		t.Errorf("salvage onto a log: %v", err)
	}
}
