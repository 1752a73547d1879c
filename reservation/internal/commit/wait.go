package commit

import (
	"context"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// A commit that takes longer than alarmFirst, or eight times as long as the one
// before it but at most alarmMost, makes the callers watch their ctx.
const (
	alarmFirst = 5 * time.Millisecond
	alarmMost  = 100 * time.Millisecond
)

// Wait returns nil once the record of t is durable (or taken by the log, with
// Written), at once for the zero Ticket. ErrJournal, or the end of ctx: it may
// or may not be in the log, and the end of ctx does not take it back. ErrFenced: it
// is not in the log. A wait may go on for 100 ms after ctx has ended.
//
// That is because a caller that waits for two channels at a time costs a third
// more than one that waits for one, which a wait of one commit is not worth:
// 745 ns of processor time for a record of 256 callers with a ctx that can end,
// and 548 so; 613 and 455 with 1,000 callers. So they wait for their batch
// alone, and are told to watch their ctx too when a commit takes its time.
func (q *Queue) Wait(ctx context.Context, t Ticket) error {
	b := t.batch
	if b == nil || q.durable.Load() >= t.Sequence {
		return nil
	}
	if ctx.Done() == nil {
		<-b.done
		return b.err
	}
	if ctx.Err() == nil {
		<-b.watch
	}
	return b.wait(ctx, t.Sequence)
}

// wait watches the batch and ctx. If both have ended, the answer is worth more
// than the reason to stop.
func (b *batch) wait(ctx context.Context, sequence uint64) error {
	select {
	case <-b.done:
		return b.err
	default:
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
	}
	select {
	case <-b.done:
		return b.err
	default:
		return fmt.Errorf("journal: wait for record %d: %w", sequence, context.Cause(ctx))
	}
}

// answer lets the callers of a batch go on.
func (b *batch) answer(err error) {
	b.err = err
	close(b.done)
	b.watchContexts()
}

// watchContexts makes the callers of a batch watch their ctx too.
func (b *batch) watchContexts() {
	if b.watched.CompareAndSwap(false, true) {
		close(b.watch)
	}
}

// setAlarm makes watchContexts run unless a commit that begins now is over
// soon.
func (q *Queue) setAlarm() {
	if q.alarm != nil {
		last := time.Duration(q.meter.last.Load())
		q.alarm.Reset(min(max(8*last, alarmFirst), alarmMost))
	}
}

// watchContexts makes all callers watch their ctx, until a commit is over.
func (q *Queue) watchContexts() {
	q.mu.Lock(lock.Queue)
	q.slow = true
	waiting := append([]*batch{q.open}, q.sealed...)
	if q.inFlight != nil {
		waiting = append(waiting, q.inFlight)
	}
	q.mu.Unlock()
	for _, b := range waiting {
		b.watchContexts()
	}
}

// WaitFor is Wait for a record known by its number alone, and ends with ctx at
// once. A number that nobody has yet is waited for.
func (q *Queue) WaitFor(ctx context.Context, sequence uint64) error {
	for q.durable.Load() < sequence {
		b, err := q.holding(sequence)
		if err == nil && b != nil {
			err = b.wait(ctx, sequence)
		}
		if err != nil && q.durable.Load() < sequence {
			return err
		}
	}
	return nil
}

// holding returns the batch of a sequence number, or the open one for a number
// to come; nil when the record has just become durable.
func (q *Queue) holding(sequence uint64) (*batch, error) {
	q.mu.Lock(lock.Queue)
	defer q.mu.Unlock()
	switch {
	case q.durable.Load() >= sequence:
		return nil, nil
	case sequence >= q.open.first:
		return q.open, q.unanswering()
	}
	for _, b := range append(q.sealed[:len(q.sealed):len(q.sealed)], q.inFlight) {
		if b != nil && sequence >= b.first && sequence < b.first+uint64(b.count) {
			return b, nil
		}
	}
	return nil, q.stopped
}

// unanswering is why the open batch will never be committed, nil if it may be.
// The caller holds the mutex.
func (q *Queue) unanswering() error {
	if q.closing && q.open.count > 0 && !isFinal(q.stopped) {
		return nil // Close still commits it
	}
	return q.stopped
}
