package allocator

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// pauses holds changes up for a moment, so that an audit can compare what would
// not stand still otherwise. Reads go on.
type pauses struct {
	one     lock.Mutex // one pause at a time
	quiet   chan struct{}
	resumed atomic.Pointer[chan struct{}] // closed when the pause ends
	// epoch counts the pauses. A change that stood aside while there was one (see
	// aside) may have read settings that are not in force any more.
	epoch atomic.Uint64
}

// pause returns when no change is under way, and lets none begin before resume is
// called. It must not be called by a call that counts as a change. No function of
// the host's runs between the two.
func (a *Allocator) pause() (resume func()) {
	p := &a.pauses
	p.one.Lock(lock.Pause)
	over := make(chan struct{})
	p.resumed.Store(&over)
	a.gate.Or(gatePaused)
	for a.changing() {
		<-p.quiet
	}
	p.epoch.Add(1)
	return func() {
		a.gate.And(^uint32(gatePaused))
		close(over)
		p.one.Unlock()
	}
}

func (a *Allocator) changing() bool {
	for i := range a.stripes {
		if a.stripes[i].changing.Load() > 0 {
			return true
		}
	}
	return false
}

// pass waits until a change may begin. ErrClosed, or the error of ctx: it may not.
func (a *Allocator) pass(ctx context.Context) error {
	gate := a.gate.Load()
	switch {
	case gate&gateClosed != 0:
		return ErrClosed
	case gate&gatePaused == 0:
		return nil
	}
	select {
	case <-*a.pauses.resumed.Load():
		return nil
	case <-a.life.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitResumed returns when no pause is on, or when there is a new one.
func (a *Allocator) awaitResumed() {
	if a.gate.Load()&gatePaused != 0 {
		<-*a.pauses.resumed.Load()
	}
}

// whileOpen is a context that also ends, with ErrClosed as its cause, when the
// engine is closed. For calls that may last; stop must be called.
func (a *Allocator) whileOpen(ctx context.Context) (bound context.Context, stop func()) {
	bound, cancel := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(a.life, func() { cancel(ErrClosed) })
	return bound, func() {
		unlink()
		cancel(context.Canceled)
	}
}

// ended is the error of a call under such a context, worded as the cause of its
// end.
func ended(bound context.Context, err error) error {
	if err != nil && bound.Err() != nil && errors.Is(err, bound.Err()) {
		return context.Cause(bound)
	}
	return err
}
