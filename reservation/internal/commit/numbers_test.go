package commit_test

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// TestQueueNumbersAreWhatIsQueued looks at each step of a queue that commits by hand:
// what is appended, what is committed, what is lost, and the end.
func TestQueueNumbersAreWhatIsQueued(t *testing.T) {
	l := tame()
	q := newQueue(t, l, commit.Options{Manual: true})
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
	check("failed", 0, 3, log.ErrJournal)

	calm := newQueue(t, tame(), commit.Options{Manual: true})
	must(t, calm.Close())
	if n := calm.Numbers(); !errors.Is(n.Err, log.ErrClosed) {
		t.Errorf("closed: %+v", n)
	}
}

// TestQueueTimesCommits counts each commit in the bucket of how long it took.
func TestQueueTimesCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := tame()
		takes := time.Duration(0)
		l.before = func(uint64, int) error { pass(takes); return nil }
		q := newQueue(t, l, commit.Options{Manual: true})
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
