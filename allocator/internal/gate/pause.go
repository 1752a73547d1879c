package gate

import (
	"context"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// pauses holds changes up for a moment, so that an audit can compare what would
// not stand still otherwise. Reads go on.
type pauses struct {
	one     lock.Mutex // one pause at a time: it is held until the pause ends
	quiet   chan struct{}
	resumed atomic.Pointer[chan struct{}] // closed when the pause ends
	epoch   atomic.Uint64                 // how many pauses there were: see Gate.Epoch
}

// Pause returns when no change is under way, and lets none begin before resume is
// called. It must not be called by a call that counts as a change. No function of
// the host's runs between the two.
func (g *Gate) Pause() (resume func()) {
	p := &g.pauses
	p.one.Lock(lock.Pause)
	over := make(chan struct{})
	p.resumed.Store(&over)
	g.bits.Or(paused)
	for g.counters.changing() {
		<-p.quiet
	}
	p.epoch.Add(1)
	return func() {
		g.bits.And(^uint32(paused))
		close(over)
		p.one.Unlock()
	}
}

// Paused reports whether a pause is on, or waits for changes under way to end.
func (g *Gate) Paused() bool { return g.bits.Load()&paused != 0 }

// Epoch counts the pauses. A change that stood aside while there was one may have
// read settings that are not in force any more.
func (g *Gate) Epoch() uint64 { return g.pauses.epoch.Load() }

// pass waits until a change may begin. ErrClosed, or the error of ctx: it may not.
func (g *Gate) pass(ctx context.Context) error {
	bits := g.bits.Load()
	switch {
	case bits&closed != 0:
		return ErrClosed
	case bits&paused == 0:
		return nil
	}
	select {
	case <-*g.pauses.resumed.Load():
		return nil
	case <-g.life.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitResumed returns when no pause is on, or when there is a new one.
func (g *Gate) awaitResumed() {
	if g.bits.Load()&paused != 0 {
		<-*g.pauses.resumed.Load()
	}
}
