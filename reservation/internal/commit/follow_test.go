package commit_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// TestFollow begins at every record, within frames too.
func TestFollow(t *testing.T) {
	q := newQueue(t, tame(), commit.Options{Manual: true, FrameBytes: 600})
	write(t, q, 300)
	if next := checkNumbered(t, q.Follow(t.Context(), 1, false), 1); next != 1 {
		t.Fatal("follow shows what is only queued")
	}
	if err := q.Step(); err != nil {
		t.Fatal(err)
	}
	for from := uint64(0); from <= 301; from++ {
		if next := checkNumbered(t, q.Follow(t.Context(), from, false), max(1, from)); next != 301 {
			t.Fatalf("follow from %d ends before record %d, want 301", from, next)
		}
	}
	for r := range q.Follow(t.Context(), 7, true) {
		if r.Sequence == 20 {
			break
		}
	}
}

// TestFollowShowsTheAcknowledged looks while the log has records of which the
// queue does not know yet that it has.
func TestFollowShowsTheAcknowledged(t *testing.T) {
	l := tame()
	var q *commit.Queue
	l.after = func(first uint64, count int) error {
		for r := range q.Follow(t.Context(), 1, false) {
			if r.Sequence >= first {
				t.Errorf("follow shows record %d of the append of records %d to %d", r.Sequence, first, first+uint64(count)-1)
				break
			}
		}
		return nil
	}
	q = newQueue(t, l, commit.Options{Manual: true, FrameBytes: 500})
	for range 20 {
		write(t, q, 10)
		if err := q.Step(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFollowLive reads along from several places while callers write, and ends
// with the queue.
func TestFollowLive(t *testing.T) {
	const records, readers = 5000, 4
	q := newQueue(t, tame(), commit.Options{FrameBytes: 2000})
	writeDurably(t, q, 100)
	var caughtUp, done sync.WaitGroup
	caughtUp.Add(readers)
	for reader := range readers {
		done.Go(func() {
			next := uint64(1 + 50*reader)
			for r, err := range q.Follow(t.Context(), next, true) {
				if err != nil {
					if !errors.Is(err, log.ErrClosed) || next != records+1 {
						t.Errorf("live follow ends before record %d: %v", next, err)
					}
					return
				}
				if r.Sequence != next || string(r.Data) != string(numbered(next)) {
					t.Errorf("live follow yields record %d, want %d", r.Sequence, next)
				}
				if next++; next == records+1 {
					caughtUp.Done()
				}
			}
			t.Error("live follow ended without a reason")
		})
	}
	for q.Last() < records {
		writeDurably(t, q, 10)
	}
	caughtUp.Wait()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	done.Wait()
}

// TestFollowEndsWithItsContext ends the wait for more, and a walk under way.
func TestFollowEndsWithItsContext(t *testing.T) {
	q := newQueue(t, tame(), commit.Options{FrameBytes: 100})
	writeDurably(t, q, 50)
	why := errors.New("enough")
	for _, live := range []bool{true, false} {
		for stop := range uint64(51) {
			ctx, cancel := context.WithCancelCause(t.Context())
			if stop == 0 {
				cancel(why)
			}
			var last error
			n := uint64(0)
			for r, err := range q.Follow(ctx, 1, live) {
				if last = err; err == nil {
					n = r.Sequence
				}
				if n == stop {
					cancel(why)
				}
			}
			if !errors.Is(last, why) && (live || n < 50) {
				t.Errorf("live %v, ctx ended at record %d: the walk ended at %d with %v", live, stop, n, last)
			}
			cancel(nil)
		}
	}
}

// TestFollowTrimmed tells a reader that comes too late where the log begins.
func TestFollowTrimmed(t *testing.T) {
	l := log.OpenMemory(20_000)
	q := newQueue(t, l, commit.Options{FrameBytes: 1000})
	writeDurably(t, q, 1000)
	var trimmed *log.TrimmedError
	for _, live := range []bool{true, false} {
		for r, err := range q.Follow(t.Context(), 1, live) {
			if !errors.As(err, &trimmed) || !errors.Is(err, log.ErrTrimmed) || trimmed.First != l.First() || trimmed.First < 100 {
				t.Fatalf("follow of what is gone: record %d, error %v, want a TrimmedError with %d", r.Sequence, err, l.First())
			}
		}
		if trimmed == nil {
			t.Fatal("follow of what is gone ends without a reason")
		}
	}
	if next := checkNumbered(t, q.Follow(t.Context(), trimmed.First, false), trimmed.First); next != 1001 {
		t.Fatalf("follow from the first there is ends before record %d, want 1001", next)
	}
}

// TestFollowSlowly reads a record and lets writers write a thousand more before
// it takes the next: a reader that held them up would wait for itself.
func TestFollowSlowly(t *testing.T) {
	for name, open := range map[string]func() log.Log{
		"memory": func() log.Log { return log.OpenMemory(1 << 30) },
		"files": func() log.Log {
			l, err := journal.OpenFile(faultdisk.New(1), journal.FileOptions{SegmentBytes: 64 << 10})
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(t, open(), commit.Options{})
			writeDurably(t, q, 1)
			next := uint64(1)
			for r, err := range q.Follow(t.Context(), 1, true) {
				if err != nil || r.Sequence != next {
					t.Fatalf("record %d, want %d, error %v", r.Sequence, next, err)
				}
				if next%10 == 1 {
					writeDurably(t, q, 1000)
				}
				if string(r.Data) != string(numbered(next)) {
					t.Fatalf("record %d changed in the reader's hand", next)
				}
				if next++; next > 200 {
					break
				}
			}
		})
	}
}

// TestQueueSurvivesCrashes commits by hand to a log on a disk that fails, and
// opens what is left: every acknowledged record is there, and what is there is
// a beginning of what was appended.
func TestQueueSurvivesCrashes(t *testing.T) {
	const seeds = 600
	crashes, failures := 0, 0
	for seed := range uint64(seeds) {
		draw := rand.New(rand.NewPCG(seed, 3))
		d := faultdisk.New(seed)
		d.Strict = seed%2 == 0
		acknowledged, appended := uint64(0), uint64(0)
		for life := range 4 {
			d.SetPlan(faultdisk.Plan{})
			l, err := journal.OpenFile(d, journal.FileOptions{SegmentBytes: 64 << 10, Manual: true})
			if err != nil {
				t.Fatalf("seed %d, life %d: %v", seed, life, err)
			}
			q := commit.New(l, commit.Options{Manual: true, FrameBytes: 4000})
			if last := q.Last(); last < acknowledged || last > appended {
				t.Fatalf("seed %d, life %d: the log ends at %d, acknowledged were %d, appended %d", seed, life, last, acknowledged, appended)
			}
			if next := checkNumbered(t, q.Follow(t.Context(), 1, false), 1); next != q.Last()+1 {
				t.Fatalf("seed %d, life %d: follow ends before %d, the log at %d", seed, life, next, q.Last())
			}
			plan := faultdisk.Plan{Crash: 1 + draw.Uint64N(60)}
			if draw.IntN(3) == 0 {
				plan.Fail[draw.IntN(len(plan.Fail))] = 1 + draw.Uint64N(20)
			}
			d.SetPlan(plan)
			for err == nil {
				last := write(t, q, draw.IntN(60))
				if err = q.Step(); err == nil {
					err = q.Wait(t.Context(), last)
				}
			}
			if errors.Is(err, faultdisk.ErrCrashed) {
				crashes++
			} else {
				failures++
			}
			acknowledged, appended = q.Durable(), q.Last()
			q.Close() // as well as it can
			if draw.IntN(4) == 0 {
				d = d.Kill()
			} else {
				d = d.Crash()
			}
		}
	}
	t.Logf("%d crashes, %d failures", crashes, failures)
	if crashes < seeds || failures < seeds/4 {
		t.Errorf("%d crashes and %d failures in %d seeds are too few", crashes, failures, seeds)
	}
}
