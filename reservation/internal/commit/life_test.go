package commit_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/log"
)

func contains(err error, text string) bool { return strings.Contains(err.Error(), text) }

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// A quota is a log's disk: frames to go before it is full.
type quota struct{ frames atomic.Int64 }

func (s *quota) take(uint64, int) error {
	if s.frames.Add(-1) < 0 {
		s.frames.Store(0)
		return fmt.Errorf("%w: %w", log.ErrNoSpace, syscall.ENOSPC)
	}
	return nil
}

// TestQueueNoSpace fills the disk under the committer: new writes are refused,
// what has begun is queued, and all of it is in the log when there is space.
func TestQueueNoSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := tame(), new(quota)
		l.before = s.take
		q := newQueue(t, l, commit.Options{FrameBytes: 300})
		s.frames.Store(3)
		var done sync.WaitGroup
		var waited atomic.Int64
		for range 40 {
			ticket := write(t, q, 1)
			done.Go(func() {
				if err := q.Wait(t.Context(), ticket); err != nil {
					t.Error("wait: ", err)
				}
				waited.Add(1)
			})
			synctest.Wait()
		}
		if waited.Load() == 40 || q.Durable() == 40 {
			t.Fatal("a record is acknowledged that found no space")
		}
		if err := q.Admit(t.Context()); !errors.Is(err, log.ErrNoSpace) {
			t.Fatalf("admit on a full disk: got %v, want ErrNoSpace", err)
		}
		if err := q.Err(); err != nil {
			t.Fatal("a full disk has stopped the queue: ", err)
		}
		pass(time.Hour)
		s.frames.Store(1 << 30)
		done.Wait()
		if err := q.Admit(t.Context()); err != nil {
			t.Fatal("admit with space again: ", err)
		}
		if next := checkNumbered(t, q.Follow(t.Context(), 1, false), 1); next != 41 {
			t.Fatalf("the log ends before record %d, want 41", next)
		}
	})
}

// TestQueueNoSpaceManual is TestQueueNoSpace by hand.
func TestQueueNoSpaceManual(t *testing.T) {
	l, s := tame(), new(quota)
	l.before = s.take
	q := newQueue(t, l, commit.Options{Manual: true, FrameBytes: 300})
	for round := range 20 {
		last := write(t, q, 20)
		s.frames.Store(1)
		if err := q.Step(); !errors.Is(err, log.ErrNoSpace) {
			t.Fatalf("step on a full disk: got %v, want ErrNoSpace", err)
		}
		if err := q.Admit(t.Context()); !errors.Is(err, log.ErrNoSpace) {
			t.Fatalf("admit on a full disk: got %v, want ErrNoSpace", err)
		}
		if q.Durable() >= last.Sequence {
			t.Fatal("a record is acknowledged that found no space")
		}
		s.frames.Store(1 << 30)
		if err := errors.Join(q.Step(), q.Admit(t.Context()), q.Wait(t.Context(), last)); err != nil {
			t.Fatalf("round %d, with space again: %v", round, err)
		}
	}
	if next := checkNumbered(t, q.Follow(t.Context(), 1, false), 1); next != 401 {
		t.Fatalf("the log ends before record %d, want 401", next)
	}
}

// TestQueueCloseWhenFull gives up what found no space, and says so.
func TestQueueCloseWhenFull(t *testing.T) {
	for _, manual := range []bool{true, false} {
		t.Run(fmt.Sprintf("manual=%v", manual), func(t *testing.T) {
			l, s := tame(), new(quota)
			l.before = s.take
			q := newQueue(t, l, commit.Options{Manual: manual})
			last := write(t, q, 3)
			if err := q.Close(); !errors.Is(err, log.ErrJournal) || !errors.Is(err, log.ErrNoSpace) {
				t.Errorf("close: got %v, want ErrJournal for ErrNoSpace", err)
			}
			if err := q.Wait(t.Context(), last); !errors.Is(err, log.ErrJournal) {
				t.Errorf("wait: got %v, want ErrJournal", err)
			}
		})
	}
}

// TestQueueHeadRoom refuses new writes before the log is full, so that what
// ends reservations still gets in.
func TestQueueHeadRoom(t *testing.T) {
	l := tame()
	segments, cause := 2, error(nil)
	l.headRoom = func() (int, error) { return segments, cause }
	q := newQueue(t, l, commit.Options{Manual: true})
	step := func(n int, err error, want error) {
		t.Helper()
		segments, cause = n, err
		write(t, q, 1)
		if err := q.Step(); err != nil {
			t.Fatal("step: ", err)
		}
		if err := q.Admit(t.Context()); !errors.Is(err, want) {
			t.Errorf("admit with %d segments, which cannot be more for %v: got %v, want %v", n, cause, err, want)
		}
	}
	step(2, nil, nil)
	step(0, nil, nil) // the next ones are being prepared
	step(2, log.ErrNoSpace, nil)
	step(1, log.ErrNoSpace, log.ErrNoSpace)
	step(0, log.ErrNoSpace, log.ErrNoSpace)
	step(1, syscall.EIO, log.ErrUnavailable)
	segments, cause = 2, nil
	if err := q.Admit(t.Context()); err != nil {
		t.Error("admit with segments again: ", err)
	}
}

// TestQueueBacklog makes new writes wait while too much is queued.
func TestQueueBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, tame(), commit.Options{Manual: true, BacklogBytes: 1000})
		if err := q.Admit(t.Context()); err != nil {
			t.Fatal(err)
		}
		write(t, q, 60)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := q.Admit(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("admit: got %v, want context.Canceled", err)
		}
		var admitted atomic.Int64
		for range 5 {
			go func() {
				if err := q.Admit(t.Context()); err != nil {
					t.Error("admit: ", err)
				}
				admitted.Add(1)
			}()
			synctest.Wait()
		}
		if admitted.Load() != 0 {
			t.Error("admitted with 60 records in a backlog of 1,000 bytes")
		}
		if err := q.Step(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if admitted.Load() != 5 {
			t.Errorf("%d of 5 were admitted when the backlog was gone", admitted.Load())
		}
	})
}

// TestQueueDelay commits together what comes within the delay.
func TestQueueDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = 5 * time.Millisecond
		q := newQueue(t, tame(), commit.Options{Delay: delay, FrameBytes: 4096})
		for range 10 {
			begun := time.Now()
			first := write(t, q, 1)
			pass(delay / 2)
			second := write(t, q, 1)
			if err := errors.Join(q.Wait(t.Context(), first), q.Wait(t.Context(), second)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took != delay {
				t.Fatalf("a commit with a delay of %v began after %v", delay, took)
			}
		}
		if n := q.Numbers(); n.Commits != 10 || n.Records != 20 {
			t.Errorf("numbers: %+v, want 10 commits of 20 records", n)
		}
		begun := time.Now()
		writeDurably(t, q, 200)
		if took := time.Since(begun); took > delay {
			t.Errorf("whole frames waited %v", took)
		}
	})
}

// TestQueueWritten syncs every SyncEvery, and stops when a sync fails.
func TestQueueWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := tame()
		var syncs atomic.Int64
		var fails atomic.Bool
		l.syncs = func() error {
			syncs.Add(1)
			if fails.Load() {
				return syscall.EIO
			}
			return nil
		}
		q := newQueue(t, l, commit.Options{Written: true, SyncEvery: time.Second})
		for range 50 {
			writeDurably(t, q, 1)
			pass(100 * time.Millisecond)
		}
		synctest.Wait()
		if n := syncs.Load(); n < 4 || n > 6 {
			t.Errorf("%d syncs in 5 s, want one a second", n)
		}
		fails.Store(true)
		pass(2 * time.Second)
		if err := q.Err(); !errors.Is(err, log.ErrJournal) || !errors.Is(err, syscall.EIO) {
			t.Errorf("after a sync that failed: got %v, want ErrJournal", err)
		}
		failed := syncs.Load()
		pass(10 * time.Second)
		if syncs.Load() != failed {
			t.Error("a sync was tried again after it failed")
		}
	})
}

// TestQueueWaitEndsWhileSlow ends waits while the log takes its time, those
// that had begun before and those that begin meanwhile.
func TestQueueWaitEndsWhileSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := tame()
		l.before = func(uint64, int) error { pass(time.Hour); return nil }
		q := newQueue(t, l, commit.Options{FrameBytes: 100})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		var done sync.WaitGroup
		wait := func() {
			ticket := write(t, q, 1)
			done.Go(func() {
				if err := q.Wait(ctx, ticket); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("wait: got %v, want the end of ctx", err)
				}
			})
		}
		for range 10 {
			wait()
		}
		pass(500 * time.Millisecond)
		for range 10 {
			wait()
		}
		done.Wait()
		if took := time.Since(begun); took != time.Second {
			t.Errorf("the waits ended after %v, want 1s", took)
		}
		if err := q.WaitFor(t.Context(), q.Last()); err != nil {
			t.Error("wait without an end: ", err)
		}
	})
}

// TestQueueDegraded says so while a commit is slow, and after it.
func TestQueueDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := tame()
		var slow atomic.Int64
		l.before = func(uint64, int) error { pass(time.Duration(slow.Load())); return nil }
		q := newQueue(t, l, commit.Options{})
		writeDurably(t, q, 1)
		if q.Numbers().Degraded {
			t.Error("a quick log is called degraded")
		}
		slow.Store(int64(3 * time.Second))
		last := write(t, q, 1)
		pass(2 * time.Second)
		if !q.Numbers().Degraded {
			t.Error("a commit that has taken 2 s is not called degraded")
		}
		if err := q.Wait(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		if n := q.Numbers(); !n.Degraded || n.LastCommit != 3*time.Second || n.Slowest != 3*time.Second {
			t.Errorf("numbers after a commit of 3 s: %+v", n)
		}
		slow.Store(0)
		writeDurably(t, q, 1)
		if n := q.Numbers(); n.Degraded || n.Slowest != 3*time.Second {
			t.Errorf("numbers after a quick commit: %+v", n)
		}
	})
}

// TestQueueGathers lets callers write and wait in turn: most of them are in
// every commit, and those that stay away hold nobody up for long.
func TestQueueGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers, rounds = 50, 100
		l := tame()
		l.before = func(uint64, int) error { pass(100 * time.Microsecond); return nil }
		q := newQueue(t, l, commit.Options{})
		begun := time.Now()
		var done sync.WaitGroup
		for range callers {
			done.Go(func() {
				for range rounds {
					ticket, err := q.Append([]byte("record"))
					if err == nil {
						err = q.Wait(t.Context(), ticket)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		done.Wait()
		if n := q.Numbers(); n.Commits > rounds+2 {
			t.Errorf("%d commits for %d rounds of %d callers", n.Commits, rounds, callers)
		}
		if took := time.Since(begun); took > 11*time.Millisecond {
			t.Errorf("%d rounds took %v, with commits of 100 µs", rounds, took)
		}
	})
}

// TestQueueCloseDuringTraffic closes while callers write: each of them either
// has its record in the log or hears ErrClosed before it has a number.
func TestQueueCloseDuringTraffic(t *testing.T) {
	for seed := range 30 {
		l := &heldLog{tamedLog: tame()}
		q := newQueue(t, l, commit.Options{FrameBytes: 256})
		var done sync.WaitGroup
		var given atomic.Uint64
		for caller := range 8 {
			done.Go(func() {
				for n := 0; ; n++ {
					if caller == 0 && n == 20*seed {
						go q.Close()
					}
					ticket, err := q.Append(make([]byte, n%50))
					if errors.Is(err, log.ErrClosed) {
						return
					}
					given.Add(1)
					if err == nil && n%3 == 0 {
						err = q.Wait(context.Background(), ticket)
					}
					if err != nil {
						t.Error("before the close: ", err)
						return
					}
				}
			})
		}
		done.Wait()
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if last := q.Last(); last != given.Load() || q.Durable() != last || l.last() != last {
			t.Fatalf("%d records were given, %d are durable, %d are in the log", given.Load(), q.Durable(), l.last())
		}
		for name, err := range map[string]error{"admit": q.Admit(t.Context()), "err": q.Err(), "wait for": q.WaitFor(t.Context(), 1<<40)} {
			if !errors.Is(err, log.ErrClosed) {
				t.Errorf("%s after Close: got %v, want ErrClosed", name, err)
			}
		}
	}
}

// A heldLog remembers, closed, where it ended.
type heldLog struct {
	*tamedLog
	ends []uint64
}

func (l *heldLog) Close() error {
	l.ends = append(l.ends, l.Last())
	return l.tamedLog.Close()
}

func (l *heldLog) last() uint64 {
	if len(l.ends) != 1 {
		return 0
	}
	return slices.Max(l.ends)
}

// What is appended before a close is in the log when that returns, however soon the
// close comes after it: the committer finds nothing to do and sees that it is to end
// at one moment, not at two.
func TestQueueCloseRightAfterAppend(t *testing.T) {
	rounds := 3_000
	if scaletest.Full() {
		rounds = 30_000
	}
	for round := range rounds {
		l := &heldLog{tamedLog: tame()}
		q := newQueue(t, l, commit.Options{})
		for range round % 8 {
			runtime.Gosched()
		}
		if _, err := q.Append([]byte("r")); err != nil {
			t.Fatal(err)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if l.last() != 1 || q.Durable() != 1 {
			t.Fatalf("round %d: the record is not in the log: %d, durable %d", round, l.last(), q.Durable())
		}
	}
}
