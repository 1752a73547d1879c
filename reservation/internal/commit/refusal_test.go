package commit_test

import (
	"errors"
	"math"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// TestQueueWithoutHandles takes all file handles away for half a second while
// callers write: new writes are refused, what has begun is written when there are
// handles again, and the queue goes on.
func TestQueueWithoutHandles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := faultdisk.New(1)
		l := mustOpen(t, d, journal.FileOptions{SegmentBytes: 64 << 10})
		q := newQueue(t, l, commit.Options{})
		write(t, q, 1)
		synctest.Wait()
		d.SetPlan(faultdisk.Plan{Refuse: faultdisk.Refusal{From: 1, Until: math.MaxUint64, Why: syscall.EMFILE}})
		var tickets []commit.Ticket
		for range 60 {
			tickets = append(tickets, write(t, q, 1))
			pass(time.Millisecond)
			synctest.Wait()
		}
		if err := q.Admit(t.Context()); !errors.Is(err, log.ErrUnavailable) || !errors.Is(err, syscall.EMFILE) {
			t.Errorf("admit without file handles: %v; want ErrUnavailable", err)
		}
		pass(500 * time.Millisecond)
		if err := q.Err(); err != nil {
			t.Fatal("the queue has stopped: ", err)
		}
		if q.Durable() == q.Last() {
			t.Fatal("the test changes no segment")
		}
		d.SetPlan(faultdisk.Plan{})
		for _, ticket := range tickets {
			if err := q.Wait(t.Context(), ticket); err != nil {
				t.Fatal("wait: ", err)
			}
		}
		pass(time.Second)
		if err := q.Admit(t.Context()); err != nil {
			t.Error("admit with file handles again: ", err)
		}
		if n := l.Numbers(); n.Watermark != n.Last {
			t.Errorf("the watermark is at %d of %d", n.Watermark, n.Last)
		}
		if err := q.Close(); err != nil {
			t.Error("close: ", err)
		}
	})
}

// TestTooLarge refuses what no frame takes, before it is queued, and goes on.
func TestTooLarge(t *testing.T) {
	l := mustOpen(t, faultdisk.New(1), smallSegments)
	q := newQueue(t, l, commit.Options{Manual: true, FrameBytes: 1 << 30})
	giant := make([]byte, 260<<20)
	for what, try := range map[string]func() (commit.Ticket, error){
		"a record of 260 MiB":     func() (commit.Ticket, error) { return q.Append(giant) },
		"one byte more than fits": func() (commit.Ticket, error) { return q.Append(giant[:commit.MaxRecordBytes+1]) },
		"many that belong together": func() (commit.Ticket, error) {
			return q.AppendAll(giant[:130<<20], giant[:130<<20])
		},
	} {
		if _, err := try(); !errors.Is(err, log.ErrTooLarge) || errors.Is(err, log.ErrJournal) {
			t.Fatalf("%s is queued: got %v, want ErrTooLarge", what, err)
		}
	}
	if err := l.Append(1, 1, giant); !errors.Is(err, log.ErrTooLarge) {
		t.Errorf("a frame of 260 MiB: %v; want ErrTooLarge", err)
	}
	write(t, q, 1)
	if err := q.Step(); err != nil || q.Durable() != 1 {
		t.Errorf("the queue goes on to %d, %v", q.Durable(), err)
	}
}
