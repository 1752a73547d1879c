package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

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

// TestQueueNumbersAreWhatIsQueued looks at each step of a queue that commits by hand:
// what is appended, what is committed, what is lost, and the end.
func TestQueueNumbersAreWhatIsQueued(t *testing.T) {
	l := tame()
	q := newQueue(t, l, journal.QueueOptions{Manual: true})
	check := func(when string, queued int, durable uint64, stopped error) {
		t.Helper()
		n := q.Numbers()
		if n.Last != q.Last() || n.Durable != durable || n.Durable != q.Durable() || n.BacklogBytes != queued || !errors.Is(n.Err, stopped) || (n.Err == nil) != (stopped == nil) {
			t.Errorf("%s: %+v; want %d queued, %d durable, %v", when, n, queued, durable, stopped)
		}
	}
	check("first", 0, 0, nil)
	if _, err := q.Append([]byte("four")); err != nil {
		t.Fatal(err)
	}
	if _, err := q.AppendAll([]byte("five!"), []byte("sixsix")); err != nil {
		t.Fatal(err)
	}
	check("queued", 5+6+7, 0, nil) // each record behind a byte that says how long it is
	must(t, q.Step())
	check("committed", 0, 3, nil)
	if n := q.Numbers(); n.Took.Count != n.Commits {
		t.Errorf("%d commits, %d timed", n.Commits, n.Took.Count)
	}
	l.before = func(uint64, int) error { return syscall.EIO }
	if _, err := q.Append([]byte("lost")); err != nil {
		t.Fatal(err)
	}
	_ = q.Step() // the error is in the figures
	check("failed", 0, 3, journal.ErrJournal)

	calm := newQueue(t, tame(), journal.QueueOptions{Manual: true})
	must(t, calm.Close())
	if n := calm.Numbers(); !errors.Is(n.Err, journal.ErrClosed) {
		t.Errorf("closed: %+v", n)
	}
}

// TestQueueTimesCommits counts each commit in the bucket of how long it took.
func TestQueueTimesCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := tame()
		takes := time.Duration(0)
		l.before = func(uint64, int) error { pass(takes); return nil }
		q := newQueue(t, l, journal.QueueOptions{Manual: true})
		for _, takes = range []time.Duration{time.Millisecond, 5 * time.Millisecond, 5 * time.Millisecond, time.Second} {
			write(t, q, 3)
			must(t, q.Step())
		}
		h := q.Numbers().Took
		if h.Count != 4 || h.Sum != 1011*time.Millisecond || len(h.Buckets) != 3 || h.Buckets[1].Count != 2 || h.Buckets[1].UpTo != 5*time.Millisecond {
			t.Errorf("%+v", h)
		}
	})
}
