package commit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// spareSegments is how many prepared segments are kept for the ends of
// reservations when no more can be prepared.
const spareSegments = 1

// The bits of Queue.gate.
const (
	gateBacklog = 1 << iota // more is queued than may be
	gateFull                // the log's head-room is gone, or it has refused a batch
	gateStopped
)

// Admit is called before a write begins, holding no locks. It waits while more
// than BacklogBytes are queued. ErrNoSpace, ErrUnavailable: what head-room the log
// has is kept for what ends reservations; try again when there is space, or when
// the system has files to give. ErrJournal,
// ErrFenced, ErrClosed: the queue has stopped. Nothing was written in any of these cases,
// nor when ctx ends.
func (q *Queue) Admit(ctx context.Context) error {
	if q.gate.Load() == 0 {
		return nil
	}
	for looks := 0; ; looks++ {
		relief, err := q.admit(looks)
		if relief == nil {
			return err
		}
		select {
		case <-relief:
		case <-ctx.Done():
			return fmt.Errorf("journal: admit: %w", context.Cause(ctx))
		}
	}
}

// admit looks behind the gate. A channel that is not nil says to come back when
// it is closed.
func (q *Queue) admit(looks int) (relief chan struct{}, err error) {
	full := q.headRoomGone()
	if errors.Is(full, errPreparing) {
		if looks < preparingLooks && !q.o.Manual {
			return soon(), nil
		}
		full = nil
	}
	q.mu.Lock(lock.Queue)
	defer q.mu.Unlock()
	switch {
	case q.stopped != nil:
		return nil, q.stopped
	case full != nil:
		return nil, fmt.Errorf("journal: admit: %w", full)
	case q.refused != nil:
		return nil, fmt.Errorf("journal: admit: %w", q.refused)
	}
	q.gate.And(^uint32(gateFull))
	if q.queued <= q.o.BacklogBytes {
		q.gate.And(^uint32(gateBacklog))
		return nil, nil
	}
	if q.relief == nil {
		q.relief = make(chan struct{})
	}
	return q.relief, nil
}

// relieve makes those who wait in Admit look again. The caller holds the mutex.
func (q *Queue) relieve() {
	if q.relief != nil {
		close(q.relief)
		q.relief = nil
	}
}

// errPreparing: no segment is prepared, and whether one can be is not known yet. A
// write that were admitted now could find the disk full when it is recorded, and
// would have to wait for space.
var errPreparing = errors.New("preparing a segment")

// preparingLooks is how many moments Admit waits for a segment, before it admits
// all the same.
const preparingLooks = 250

// soon is closed after a moment.
func soon() chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(time.Millisecond, func() { close(c) })
	return c
}

// headRoomGone is ErrNoSpace or ErrUnavailable with its cause when the log can
// prepare no more segments and is down to the spare ones, and errPreparing when it may have none
// in a moment.
func (q *Queue) headRoomGone() error {
	if q.bounded == nil {
		return nil
	}
	segments, err := q.bounded.HeadRoom()
	switch {
	case segments == 0 && err == nil:
		return errPreparing
	case err == nil || segments > spareSegments:
		return nil
	case log.Refused(err):
		return err
	}
	return fmt.Errorf("%w: %w", log.ErrUnavailable, err)
}

// setFull makes Admit look at the log's head-room from now on.
func (q *Queue) setFull(cause error) {
	if q.gate.Or(gateFull)&gateFull == 0 && !errors.Is(cause, errPreparing) {
		q.o.Logger.Error("journal: new reservations are refused", "cause", cause)
	}
}
