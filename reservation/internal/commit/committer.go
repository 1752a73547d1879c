package commit

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// retryFirst and retryMost bound the pause between two tries of a batch that
// found no space.
const (
	retryFirst = time.Millisecond
	retryMost  = 100 * time.Millisecond
)

// run is the committer. It goes on until Close, also when the queue has
// stopped.
func (q *Queue) run() {
	defer close(q.wakes)
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	for synced := time.Now(); ; {
		q.gather(timer)
		b, over := q.take()
		switch {
		case b != nil:
			q.commitUntilDone(b, timer)
		case over:
			return
		default:
			q.pause(timer, q.untilSync(synced))
		}
		if q.o.Written && q.untilSync(synced) <= 0 {
			q.syncWritten()
			synced = time.Now()
		}
	}
}

// untilSync is how long the committer may sleep.
func (q *Queue) untilSync(synced time.Time) time.Duration {
	if !q.o.Written {
		return math.MaxInt64
	}
	return q.o.SyncEvery - time.Since(synced)
}

// pause sleeps until a nudge, at most d. A nudge may have been meant for an
// earlier pause.
func (q *Queue) pause(timer *time.Timer, d time.Duration) {
	if d == math.MaxInt64 {
		<-q.kick
		return
	}
	timer.Reset(d)
	select {
	case <-q.kick:
	case <-timer.C:
	}
}

// take makes the next batch the one in flight and returns it. Without one it
// returns nil, and the next append nudges. over: nor will there be one, because the
// queue is being closed. Both are said of one moment: had the queue been found empty
// first, and closing a moment later, what was appended in between would be left.
func (q *Queue) take() (b *batch, over bool) {
	q.mu.Lock(lock.Queue)
	defer q.mu.Unlock()
	switch {
	case isFinal(q.stopped):
		return nil, q.closing
	case len(q.sealed) > 0:
		q.inFlight = q.sealed[0]
		q.sealed[0] = nil
		q.sealed = q.sealed[1:]
	case q.open.count > 0:
		q.inFlight = q.open
		q.open = q.newBatch()
	default:
		q.wakeAt = q.last + 1
		return nil, q.closing
	}
	return q.inFlight, false
}

func (q *Queue) isClosing() bool {
	q.mu.Lock(lock.Queue)
	defer q.mu.Unlock()
	return q.closing
}

// commitUntilDone commits a batch, again and again while the log refuses it. A
// queue that is being closed tries once more and gives up.
func (q *Queue) commitUntilDone(b *batch, timer *time.Timer) {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		last := q.isClosing()
		err := q.commit(b)
		if !log.Refused(err) {
			return
		}
		if last {
			q.stop(err)
			return
		}
		q.pause(timer, wait)
	}
}

// commit hands a batch to the log and answers its callers. A refusal: the
// batch is still in flight. Any other error has stopped the queue.
func (q *Queue) commit(b *batch) error {
	begun := time.Now()
	q.meter.begin(begun)
	q.setAlarm()
	err := q.log.Append(b.first, b.count, b.payload)
	took := time.Since(begun)
	q.meter.end(took)
	switch {
	case err == nil:
		if took > slowCommit {
			q.o.Logger.Warn("journal: a commit was slow", "sequence", b.first, "took", took)
		}
		q.committed(b)
		if full := q.headRoomGone(); full != nil {
			q.setFull(full)
		}
	case log.Refused(err):
		q.mu.Lock(lock.Queue)
		q.refused = err
		q.mu.Unlock()
		q.setFull(err)
	default:
		q.stop(err)
	}
	return err
}

// committed answers the callers of a batch that is in the log.
func (q *Queue) committed(b *batch) {
	if q.alarm != nil {
		q.alarm.Stop()
	}
	q.meter.add(b)
	q.durable.Store(b.first + uint64(b.count) - 1)
	q.mu.Lock(lock.Queue)
	q.inFlight, q.refused, q.slow = nil, nil, false
	q.queued -= len(b.payload)
	q.tell()
	if cap(b.payload) <= 2*q.o.FrameBytes && len(q.spare) < maxSpare {
		q.spare = append(q.spare, b.payload[:0])
	}
	b.payload = nil
	if q.queued <= q.o.BacklogBytes {
		q.relieve()
	}
	q.mu.Unlock()
	if q.o.Manual {
		b.answer(nil)
		return
	}
	q.crowd.woken = b.count
	q.wakes <- b
}

// wake is the waker. It is not the committer, so that the next commit is on its
// way while the callers of the last one are woken.
func (q *Queue) wake() {
	for b := range q.wakes {
		b.answer(nil)
	}
}

// isFinal reports whether a queue that has stopped so writes nothing more; one that is
// being closed does.
func isFinal(stopped error) bool {
	return errors.Is(stopped, log.ErrJournal) || errors.Is(stopped, log.ErrFenced)
}

// stop ends the queue for good: all callers that wait, and all that come, get
// the first cause. Behind a fence nothing was written, neither of the batch that was
// refused nor of those that were queued behind it, so it is not ErrJournal.
func (q *Queue) stop(cause error) {
	if !isFinal(cause) {
		cause = fmt.Errorf("%w: %w", log.ErrJournal, cause)
	}
	q.mu.Lock(lock.Queue)
	if isFinal(q.stopped) {
		q.mu.Unlock()
		return
	}
	q.stopped = cause
	q.meter.told.stopped.Store(&cause)
	lost := append(q.sealed, q.open)
	if q.inFlight != nil {
		lost = append(lost, q.inFlight)
	}
	q.inFlight, q.sealed, q.queued, q.refused = nil, nil, 0, nil
	q.tell()
	q.open = q.newBatch()
	q.gate.Or(gateStopped)
	q.relieve()
	q.mu.Unlock()
	q.o.Logger.Error("journal: stopped; nothing more is written", "cause", cause)
	for _, b := range lost {
		b.answer(cause)
	}
}

// syncWritten makes durable what was acknowledged when written.
func (q *Queue) syncWritten() {
	if isFinal(q.Err()) {
		return
	}
	q.setAlarm()
	err := q.log.Sync()
	q.alarm.Stop()
	if err != nil {
		q.stop(err)
	}
}

// Step commits what is queued, in a Manual queue. ErrNoSpace, ErrUnavailable: it is still
// queued, and the next Step tries again. ErrJournal, ErrFenced: the queue has stopped.
func (q *Queue) Step() error {
	for {
		q.mu.Lock(lock.Queue)
		b, err := q.inFlight, q.stopped // one in flight found no space before
		q.mu.Unlock()
		if b == nil {
			b, _ = q.take()
		}
		if b == nil {
			return err
		}
		if err := q.commit(b); log.Refused(err) {
			return err
		}
	}
}

// Close commits what is queued, stops the goroutines and closes the log. All
// that wait are answered before it returns; Append then fails with ErrClosed,
// unless the queue had stopped before. It returns ErrJournal if something that
// was queued may not be in the log, ErrFenced if nothing more of it is. Another Close gives the same answer.
func (q *Queue) Close() error {
	q.closed.Do(func() { q.failed = q.close() })
	return q.failed
}

func (q *Queue) close() error {
	q.mu.Lock(lock.Queue)
	q.closing = true
	if q.stopped == nil {
		q.stopped = log.ErrClosed
		closed := q.stopped
		q.meter.told.stopped.Store(&closed)
	}
	q.gate.Or(gateStopped)
	q.relieve()
	q.mu.Unlock()
	if q.o.Manual {
		if err := q.Step(); log.Refused(err) {
			q.stop(err)
		}
	} else {
		q.nudge()
		q.ended.Wait()
	}
	if q.alarm != nil {
		q.alarm.Stop()
	}
	q.mu.Lock(lock.Queue)
	open, err := q.open, q.stopped
	q.open = q.newBatch()
	q.mu.Unlock()
	open.answer(err) // it is empty, but readers wait for what was to come
	if err := q.log.Close(); err != nil {
		return err
	}
	if isFinal(err) {
		return err
	}
	return nil
}
