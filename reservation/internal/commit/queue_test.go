package commit_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// A tamedLog is a log that a test holds by the ear: before is called before an
// append goes to the log inside, after when it is there and the queue does not
// know yet. An error of either is the append's.
type tamedLog struct {
	log.Log
	before, after func(first uint64, count int) error
	syncs         func() error
	headRoom      func() (int, error)
}

func (l *tamedLog) Append(expected uint64, count int, payload []byte) error {
	if l.before != nil {
		if err := l.before(expected, count); err != nil {
			return err
		}
	}
	if err := l.Log.Append(expected, count, payload); err != nil || l.after == nil {
		return err
	}
	return l.after(expected, count)
}

func (l *tamedLog) Sync() error {
	if l.syncs != nil {
		return l.syncs()
	}
	return l.Log.Sync()
}

func (l *tamedLog) HeadRoom() (int, error) {
	if l.headRoom != nil {
		return l.headRoom()
	}
	return 2, nil
}

func tame() *tamedLog { return &tamedLog{Log: log.OpenMemory(1 << 30)} }

// newQueue is NewQueue. At the end of the test the queue is closed and has left
// no goroutine behind.
func newQueue(t *testing.T, l log.Log, o commit.Options) *commit.Queue {
	t.Helper()
	others := goleak.IgnoreCurrent()
	q := commit.New(l, o)
	t.Cleanup(func() {
		if err := q.Close(); err != nil && !errors.Is(err, log.ErrJournal) {
			t.Error("close: ", err)
		}
		goleak.VerifyNone(t, others)
	})
	return q
}

// write appends records that say their number, and returns the last ticket.
func write(t testing.TB, q *commit.Queue, records int) (last commit.Ticket) {
	t.Helper()
	for range records {
		var err error
		if last, err = q.Append(numbered(q.Last() + 1)); err != nil {
			t.Fatal("append: ", err)
		}
	}
	return last
}

// writeDurably is write and waits for the last.
func writeDurably(t testing.TB, q *commit.Queue, records int) {
	t.Helper()
	if err := q.Wait(t.Context(), write(t, q, records)); err != nil {
		t.Fatal("wait: ", err)
	}
}

// numbered is a record that says its number, and is as long as that asks for.
func numbered(sequence uint64) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, sequence), make([]byte, sequence%200)...)
}

// checkNumbered walks what Follow yields and compares it with numbered, from a
// number on. It returns the number after the last.
func checkNumbered(t testing.TB, records iter.Seq2[commit.Record, error], from uint64) uint64 {
	t.Helper()
	for r, err := range records {
		if err != nil {
			t.Fatal("follow: ", err)
		}
		if want := numbered(from); r.Sequence != from || !slices.Equal(r.Data, want) {
			t.Fatalf("follow yields record %d, %x, want %d, %x", r.Sequence, r.Data, from, want)
		}
		from++
	}
	return from
}

// TestQueueOrder lets many callers append, some of whom wait. The numbers are
// dense, each caller's rise in the order of its calls, and each record is in
// the log under its ticket's number.
func TestQueueOrder(t *testing.T) {
	const callers, each = 16, 500
	q := newQueue(t, log.OpenMemory(1<<30), commit.Options{FrameBytes: 512})
	given := make([]uint64, callers*each) // the number of each record
	var done sync.WaitGroup
	for caller := range callers {
		done.Go(func() {
			draw := rand.New(rand.NewPCG(1, uint64(caller)))
			last := uint64(0)
			for i := range each {
				mark := uint64(caller*each + i)
				ticket, err := q.Append(binary.LittleEndian.AppendUint64(make([]byte, 0, 64), mark))
				if err != nil || ticket.Sequence <= last {
					t.Errorf("append: sequence %d after %d, error %v", ticket.Sequence, last, err)
					return
				}
				last = ticket.Sequence
				given[mark] = last
				switch draw.IntN(4) {
				case 0:
					err = q.Wait(t.Context(), ticket)
				case 1:
					err = q.Wait(context.Background(), ticket)
				case 2:
					err = q.WaitFor(t.Context(), ticket.Sequence)
				default:
					continue
				}
				if err != nil || q.Durable() < last {
					t.Errorf("wait for %d: durable is %d, error %v", last, q.Durable(), err)
					return
				}
			}
		})
	}
	done.Wait()
	if err := q.WaitFor(t.Context(), callers*each); err != nil {
		t.Fatal(err)
	}
	next := uint64(1)
	for r, err := range q.Follow(t.Context(), 1, false) {
		if err != nil || r.Sequence != next {
			t.Fatalf("follow: record %d, want %d, error %v", r.Sequence, next, err)
		}
		if mark := binary.LittleEndian.Uint64(r.Data); given[mark] != next {
			t.Fatalf("record %d is the one that was given number %d", next, given[mark])
		}
		next++
	}
	if next != callers*each+1 {
		t.Fatalf("follow ends before record %d, want %d", next, callers*each+1)
	}
}

// TestQueueAcknowledgesDurable looks from inside the log: while an append runs,
// none of its records may be called durable.
func TestQueueAcknowledgesDurable(t *testing.T) {
	l := tame()
	var q *commit.Queue
	ready := make(chan struct{})
	early := func(first uint64, _ int) error {
		<-ready
		if durable := q.Durable(); durable >= first {
			t.Errorf("record %d is acknowledged and not in the log", durable)
		}
		return nil
	}
	l.before, l.after = early, early
	q = newQueue(t, l, commit.Options{})
	close(ready)
	for range 20 {
		writeDurably(t, q, 50)
	}
}

func TestQueueZeroTicket(t *testing.T) {
	q := newQueue(t, tame(), commit.Options{Manual: true})
	write(t, q, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := errors.Join(q.Wait(ctx, commit.Ticket{}), q.WaitFor(ctx, 0)); err != nil {
		t.Error("a write without a record waits: ", err)
	}
}

// TestQueueWaitEnds ends the wait, not the write.
func TestQueueWaitEnds(t *testing.T) {
	q := newQueue(t, tame(), commit.Options{Manual: true})
	ticket := write(t, q, 3)
	why := errors.New("the customer left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := q.Wait(ctx, ticket); !errors.Is(err, why) {
		t.Errorf("wait: got %v, want the cause", err)
	}
	if err := q.WaitFor(ctx, ticket.Sequence+10); !errors.Is(err, why) {
		t.Errorf("wait for a record to come: got %v, want the cause", err)
	}
	if err := q.Step(); err != nil {
		t.Fatal(err)
	}
	if err := q.Wait(ctx, ticket); err != nil {
		t.Errorf("wait for a durable record: %v", err)
	}
}

// TestQueueWaitForOneToCome waits for a number that nobody has yet.
func TestQueueWaitForOneToCome(t *testing.T) {
	q := newQueue(t, tame(), commit.Options{FrameBytes: 64})
	for range 50 {
		told := make(chan error, 1)
		last := q.Last()
		go func() { told <- q.WaitFor(t.Context(), last+20) }()
		write(t, q, 30)
		if err := <-told; err != nil || q.Durable() < last+20 {
			t.Fatalf("wait for %d: durable is %d, error %v", last+20, q.Durable(), err)
		}
	}
}

// TestQueueFrames cuts batches into frames: no more than FrameBytes, but for a
// record that is larger.
func TestQueueFrames(t *testing.T) {
	const most = 1000
	l := tame()
	q := newQueue(t, l, commit.Options{Manual: true, FrameBytes: most})
	draw := rand.New(rand.NewPCG(2, 0))
	sizes := make([]int, 400)
	for i := range sizes {
		if sizes[i] = draw.IntN(300); draw.IntN(20) == 0 {
			sizes[i] = draw.IntN(5000)
		}
		if _, err := q.Append(make([]byte, sizes[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Step(); err != nil {
		t.Fatal(err)
	}
	for f, err := range l.Read(1) {
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Payload) > most && f.Count > 1 {
			t.Errorf("a frame of %d records has %d bytes, more than %d", f.Count, len(f.Payload), most)
		}
		for r, err := range commit.Records(f.Payload) {
			if err != nil || len(r) != sizes[0] {
				t.Fatalf("a record of %d bytes, want %d, error %v", len(r), sizes[0], err)
			}
			sizes = sizes[1:]
		}
	}
	if len(sizes) != 0 {
		t.Errorf("%d records are missing", len(sizes))
	}
	if n := q.Numbers(); n.Records != 400 || n.Commits < 10 || n.BacklogBytes != 0 {
		t.Errorf("numbers: %+v", n)
	}
}

// TestQueueFailStop lets the log fail: everybody hears the first cause, nothing
// more is written, and what is durable can be read.
func TestQueueFailStop(t *testing.T) {
	for _, manual := range []bool{true, false} {
		t.Run(fmt.Sprintf("manual=%v", manual), func(t *testing.T) {
			l := tame()
			q := newQueue(t, l, commit.Options{Manual: manual, FrameBytes: 256})
			last := write(t, q, 10)
			if manual {
				if err := q.Step(); err != nil {
					t.Fatal(err)
				}
			}
			if err := q.Wait(t.Context(), last); err != nil {
				t.Fatal(err)
			}
			appends := 0
			l.before = func(uint64, int) error {
				appends++
				return fmt.Errorf("try %d: %w", appends, syscall.EIO)
			}
			waits := make([]commit.Ticket, 0, 40)
			for range cap(waits) {
				ticket, err := q.Append(numbered(q.Last() + 1))
				if errors.Is(err, log.ErrJournal) {
					break // the committer was quick
				}
				waits = append(waits, ticket)
			}
			if manual {
				checkStopped(t, "step", q.Step())
			}
			for _, ticket := range waits {
				checkStopped(t, "wait", q.Wait(t.Context(), ticket))
				checkStopped(t, "wait for", q.WaitFor(t.Context(), ticket.Sequence))
			}
			_, err := q.Append([]byte("late"))
			checkStopped(t, "append", err)
			checkStopped(t, "admit", q.Admit(t.Context()))
			checkStopped(t, "err", q.Err())
			checkStopped(t, "wait for one to come", q.WaitFor(t.Context(), 10_000))
			if next := checkNumbered(t, q.Follow(t.Context(), 1, false), 1); next != 11 {
				t.Errorf("follow ends before record %d, want 11", next)
			}
			for r, err := range q.Follow(t.Context(), 10, true) {
				if r.Sequence != 10 {
					checkStopped(t, "live follow", err)
				}
			}
			checkStopped(t, "close", q.Close())
			checkStopped(t, "second close", q.Close())
			if appends != 1 {
				t.Errorf("the log was tried %d times after it failed", appends-1)
			}
		})
	}
}

func checkStopped(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, log.ErrJournal) || !errors.Is(err, syscall.EIO) || !contains(err, "try 1") {
		t.Errorf("%s: got %v, want ErrJournal with the first cause", what, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// smallSegments is a log in files in which segments change often, without
// goroutines.
var smallSegments = journal.FileOptions{SegmentBytes: 64 << 10, Manual: true}

func mustOpen(t testing.TB, d journal.Disk, o journal.FileOptions) *journal.FileLog {
	t.Helper()
	l, err := journal.OpenFile(d, o)
	must(t, err)
	return l
}
