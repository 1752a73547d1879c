package gate

import (
	"log/slog"
	"math/bits"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Functions of the host's may panic, block, and call back into the engine. Each is
// called by way of a guard: a panic is caught, counted in Stats.HostPanics and told
// to Options.Logger, and the engine goes on with a stated answer in its place. None
// is called under a lock, or by a call that counts as a change, so one that blocks
// holds up its own call alone, and one that calls back never waits for itself.
//
//	Options.Clock     called before a call counts; a panic: time stands still
//	Options.Holidays  called while an order is planned; a panic: no holiday
//	Options.Logger    called by a goroutine of its own (see logbook)
//	sourcing.Rules    called while an order is planned, guarded by the package
//	loops over walks  run while the call is not counted (see Call.Yield); a panic goes to the caller

// retry is how long a goroutine rests after a panic.
const retry = time.Second

// panics counts what was caught, and tells the logger. Safe for concurrent use.
type panics struct {
	host, own atomic.Uint64
	logger    *slog.Logger
}

// ofHost notes a panic of a function of the host's. Every one is counted, and the
// first, second, fourth, eighth is logged: a function of an order's path that
// always panics must not drown the log.
func (p *panics) ofHost(function string, value any) {
	if n := p.host.Add(1); bits.OnesCount64(n) == 1 {
		p.logger.Error("a function of the host's panicked", "function", function, "value", value, "panics", n)
	}
}

// ofOurs notes a panic in a goroutine of the engine's own.
func (p *panics) ofOurs(goroutine string, value any) {
	n := p.own.Add(1)
	p.logger.Error("a goroutine of the engine panicked and begins anew", "goroutine", goroutine, "value", value,
		"panics", n, "stack", string(debug.Stack()))
}

// Panics is how many panics were caught of functions of the host's, and in the
// engine's own goroutines.
func (g *Gate) Panics() (host, own uint64) { return g.panics.host.Load(), g.panics.own.Load() }

// Host calls a function of the host's that has that name there. False: it panicked,
// which was counted and told.
func (g *Gate) Host(function string, call func()) (ok bool) {
	lock.Enter(lock.Host) // nothing is held
	lock.Leave(lock.Host)
	defer func() {
		if value := recover(); value != nil {
			ok = false
			g.panics.ofHost(function, value)
		}
	}()
	call()
	return true
}

// Keep starts a goroutine of the engine, which Close waits for. step does what
// there is to do and returns how long it may rest; wake, which may be nil, ends a
// rest early. A step that panics, or that ends its goroutine, is not the end of it:
// it begins anew after a rest.
func (g *Gate) Keep(name string, wake <-chan struct{}, step func() time.Duration) {
	g.background.Go(func() { g.keepStepping(name, wake, step) })
}

func (g *Gate) keepStepping(name string, wake <-chan struct{}, step func() time.Duration) {
	returned := false
	defer func() {
		if !returned { // runtime.Goexit, in a function of the host's
			g.Keep(name, wake, step)
		}
	}()
	timer := time.NewTimer(retry)
	defer timer.Stop()
	for g.life.Err() == nil {
		timer.Reset(g.stepGuarded(name, step))
		select {
		case <-g.life.Done():
		case <-wake:
		case <-timer.C:
		}
	}
	returned = true
}

// stepGuarded is a step whose panic is told and followed by a rest.
func (g *Gate) stepGuarded(name string, step func() time.Duration) (rest time.Duration) {
	defer func() {
		if value := recover(); value != nil {
			rest = retry
			g.panics.ofOurs(name, value)
		}
	}()
	return step()
}
