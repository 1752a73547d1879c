package gate

import (
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Engine time is whole milliseconds since 1970, UTC. It begins with the wall
// clock when the engine is opened and goes on with the monotonic one, so that a
// clock that is set, in either direction, neither ends a hold early nor revives
// one.

// Millis is a time as engine time; the zero time is 0.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis is engine time as it is told to callers; 0 is the zero time.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// clock is where engine time comes from. Safe for concurrent use.
//
// Invariant: what now returns never gets less, and is at least begun.
type clock struct {
	begun int64 // engine time at which the engine was opened

	// opened is when that was. Its monotonic part drives the clock if custom is
	// nil.
	opened time.Time

	// custom is Options.Clock. Its steps forward count, steps back do not. It is
	// called without the lock, so readings may come in another order than they were
	// made in; readings counts those that have begun.
	custom   func() time.Time
	readings atomic.Uint64
	mu       lock.Mutex
	last     time.Time     // the latest reading that was taken in
	upTo     uint64        // readings that had begun by then
	passed   time.Duration // the sum of the steps forward
	panics   *panics

	logger *slog.Logger
	warned atomic.Bool
}

// wallStep is by how much the wall clock may leave the monotonic one before that
// is logged.
const wallStep = 2 * time.Second

// Now is engine time. It reads one clock once, which may be a function of the host's:
// nothing is held, and the caller does not count as a change.
func (g *Gate) Now() int64 { return g.clock.now() }

// WatchClock logs, once, that the wall clock was set while the engine runs.
func (g *Gate) WatchClock() { g.clock.watch() }

// start starts engine time where the last recorded time and the wall clock
// say: never before what is recorded, and not further behind it than gap, so
// that a wall clock that is far ahead ends no more holds than such a pause would
// have. last is 0 when nothing was recorded. A custom clock that panics is the wall
// clock at that moment.
func (c *clock) start(last int64, o *Options, p *panics) {
	c.custom, c.logger, c.panics, c.opened = o.Clock, o.Logger, p, time.Now()
	if c.custom != nil {
		if at, ok := c.read(); ok {
			c.opened = at
		}
		c.last = c.opened
	}
	c.begun = max(c.opened.UnixMilli(), 1)
	if last == 0 {
		return
	}
	wall := c.begun
	c.begun = max(last, min(wall, last+o.MaxClockGap.Milliseconds()))
	if off := time.Duration(wall-c.begun) * time.Millisecond; off.Abs() > wallStep {
		c.warned.Store(true)
		c.logger.Warn("wall clock does not follow the journal; engine time goes on from the journal",
			"recorded", FromMillis(last), "wall", FromMillis(wall), "engine", FromMillis(c.begun))
	}
}

// now is engine time. It reads one clock once.
func (c *clock) now() int64 {
	if c.custom != nil {
		return c.begun + c.advance().Milliseconds()
	}
	return c.begun + time.Since(c.opened).Milliseconds()
}

// advance adds the step that the custom clock has made. A reading that is earlier
// than the latest one is a step back, after which the next reading counts from
// there; but not if the two may have been made in the other order, because it had
// begun when the latest one was taken in. Then it says nothing.
func (c *clock) advance() time.Duration {
	begun := c.readings.Add(1)
	at, ok := c.read()
	c.mu.Lock(lock.Clock)
	defer c.mu.Unlock()
	step := at.Sub(c.last)
	if !ok || step < 0 && begun <= c.upTo {
		return c.passed
	}
	c.passed = min(c.passed, math.MaxInt64-max(step, 0)) + max(step, 0)
	c.last, c.upTo = at, c.readings.Load()
	return c.passed
}

// read asks the custom clock; false: it panicked.
func (c *clock) read() (at time.Time, ok bool) {
	lock.Enter(lock.Host) // nothing is held
	lock.Leave(lock.Host)
	defer func() {
		if value := recover(); value != nil {
			ok = false
			c.panics.ofHost("Options.Clock", value)
		}
	}()
	return c.custom(), true
}

// watch logs, once, that the wall clock was set while the engine runs.
func (c *clock) watch() {
	if c.custom != nil || c.warned.Load() {
		return
	}
	at := time.Now()
	step := at.Round(0).Sub(c.opened.Round(0)) - at.Sub(c.opened)
	if step.Abs() > wallStep && c.warned.CompareAndSwap(false, true) {
		c.logger.Warn("wall clock was set; engine time goes on without the step", "step", step)
	}
}
