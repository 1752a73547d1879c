package journal_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// differing says how the figures that are read without a lock differ from those that
// are counted under it; "" if they do not.
func differing(files, counted journal.FileNumbers) string {
	want := journal.FileNumbers{Segments: counted.Segments, Prepared: counted.Prepared, Bytes: counted.Bytes, First: counted.First}
	if files == want {
		return ""
	}
	return fmt.Sprintf("read %+v, counted %+v", files, want)
}

// TestFilesAreWhatIsCounted does to a log what changes its files, and compares.
func TestFilesAreWhatIsCounted(t *testing.T) {
	for seed := range uint64(8) {
		d, random := faultdisk.New(seed), rand.New(rand.NewPCG(seed, 1))
		l := mustOpen(t, d, smallSegments)
		check := func(did string) {
			t.Helper()
			if fault := differing(l.Files(), l.Numbers()); fault != "" {
				t.Fatalf("seed %d, after %s: %s", seed, did, fault)
			}
		}
		check("the first opening")
		for range 60 {
			switch random.IntN(6) {
			default:
				put(t, l, strings.Repeat("abcdefghijklm", random.IntN(20)+1))
				check("appends")
			case 3:
				must(t, l.Trim(l.Last()-min(l.Last(), uint64(random.IntN(100)))))
				check("a trim")
			case 4:
				l.FreeSpace()
				check("giving space back")
			case 5:
				must(t, l.Append(l.Last()+1, 1, make([]byte, random.IntN(300_000)+1)))
				check("a giant")
			}
			if random.IntN(10) == 0 {
				must(t, l.Close())
				check("the end")
				d = d.Crash()
				l = mustOpen(t, d, smallSegments)
				check("a restart")
			}
		}
		// The canary: figures that nobody brought up to date are noticed.
		old := l.Files()
		put(t, l, strings.Repeat("a", 200))
		if differing(old, l.Numbers()) == "" {
			t.Error("the canary lives")
		}
		must(t, l.Close())
	}
}
