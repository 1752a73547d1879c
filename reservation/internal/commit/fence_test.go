package commit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/log"
	"github.com/clickcollect/clickcollect/reservation/log/logtest"
)

// TestQueueFenced lets another writer own the log while records are queued. What was
// durable before stays so; the batch that the log refuses and all behind it are told
// that nothing was written, and nothing is in the log behind the fence.
func TestQueueFenced(t *testing.T) {
	for _, manual := range []bool{true, false} {
		t.Run(fmt.Sprintf("manual=%v", manual), func(t *testing.T) {
			store := new(logtest.Store)
			l := &tamedLog{Log: store.Open("a")}
			q := commit.New(l, commit.Options{Manual: manual, FrameBytes: 256})
			durable := write(t, q, 10)
			if manual {
				must(t, q.Step())
			}
			must(t, q.Wait(t.Context(), durable))
			taken := make(chan struct{})
			var other *logtest.Handle
			l.before = func(uint64, int) error { // the committer is held until all is queued
				<-taken
				return nil
			}
			var tickets []commit.Ticket
			for range 40 {
				tickets = append(tickets, write(t, q, 1))
			}
			other = store.Open("b")
			must(t, other.Append(11, 1, []byte{1, 'b'}))
			close(taken)
			if manual {
				checkFenced(t, "step", q.Step())
			}
			for _, ticket := range tickets {
				checkFenced(t, "wait", q.Wait(t.Context(), ticket))
				checkFenced(t, "wait for", q.WaitFor(context.Background(), ticket.Sequence))
			}
			must(t, q.Wait(t.Context(), durable))
			_, err := q.Append([]byte("late"))
			checkFenced(t, "append", err)
			checkFenced(t, "admit", q.Admit(t.Context()))
			checkFenced(t, "err", q.Err())
			checkFenced(t, "numbers", q.Numbers().Err)
			if next := checkNumbered(t, q.Follow(t.Context(), 1, false), 1); next != 11 {
				t.Errorf("follow ends before record %d, want 11", next)
			}
			checkFenced(t, "close", q.Close())
			if other.Last() != 11 {
				t.Errorf("the log ends at %d, its owner wrote to 11", other.Last())
			}
		})
	}
}

// checkFenced sees that an error says who owns the log, and nothing of an unknown
// outcome.
func checkFenced(t *testing.T, what string, err error) {
	t.Helper()
	var fenced *log.FencedError
	if !errors.Is(err, log.ErrFenced) || errors.Is(err, log.ErrJournal) || !errors.As(err, &fenced) || fenced.Owner != "b" || fenced.By <= fenced.Epoch {
		t.Errorf("%s: got %v, want ErrFenced and not ErrJournal", what, err)
	}
}
