package allocator

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
//	loops over walks  run while the call is not counted (see call.yield); a panic goes to the caller

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

// holidays is Options.Holidays as the calendars ask it; nil for none.
func (a *Allocator) holidays(location string) func(year int, month time.Month, day int) bool {
	ask := a.options.Holidays
	if ask == nil {
		return nil
	}
	return func(year int, month time.Month, day int) (is bool) {
		lock.Enter(lock.Host) // nothing is held
		lock.Leave(lock.Host)
		defer func() {
			if value := recover(); value != nil {
				is = false
				a.panics.ofHost("Options.Holidays", value)
			}
		}()
		return ask(location, year, month, day)
	}
}

// keeper starts a goroutine of the engine, which Close waits for. step does what
// there is to do and returns how long it may rest; wake, which may be nil, ends a
// rest early. A step that panics, or that ends its goroutine, is not the end of it:
// it begins anew after a rest.
func (a *Allocator) keeper(name string, wake <-chan struct{}, step func() time.Duration) {
	a.background.Go(func() { a.keepStepping(name, wake, step) })
}

func (a *Allocator) keepStepping(name string, wake <-chan struct{}, step func() time.Duration) {
	returned := false
	defer func() {
		if !returned { // runtime.Goexit, in a function of the host's
			a.keeper(name, wake, step)
		}
	}()
	timer := time.NewTimer(expiryRest)
	defer timer.Stop()
	for a.life.Err() == nil {
		timer.Reset(a.stepGuarded(name, step))
		select {
		case <-a.life.Done():
		case <-wake:
		case <-timer.C:
		}
	}
	returned = true
}

// stepGuarded is a step whose panic is told and followed by a rest.
func (a *Allocator) stepGuarded(name string, step func() time.Duration) (rest time.Duration) {
	defer func() {
		if value := recover(); value != nil {
			rest = expiryRetry
			a.panics.ofOurs(name, value)
		}
	}()
	return step()
}
