package allocator

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

// The times that callers may give: those that are whole milliseconds of engine time
// other than 0, which is none, up to the last one of a year of four digits.
var firstTime, lastTime = time.UnixMilli(1), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)

const inYears = "must be in the years 1970 to 9999"

// inTime reports whether a caller may give a time; the zero time stands for none.
func inTime(t time.Time) bool { return t.IsZero() || !t.Before(firstTime) && !t.After(lastTime) }

// checkTime refuses a time that is out of range. It would be kept as another one.
func checkTime(field string, t time.Time) error {
	if inTime(t) {
		return nil
	}
	return &InvalidError{Field: field, Value: t.String(), Why: inYears}
}

// millis is a time as engine time; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is engine time as it is told to callers; 0 is the zero time.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// clock is where engine time comes from. Safe for concurrent use.
//
// Invariant: what now returns never gets less, and is at least start.
type clock struct {
	start int64 // engine time at which the engine was opened

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

// newClock starts engine time where the last recorded time and the wall clock
// say: never before what is recorded, and not further behind it than gap, so
// that a wall clock that is far ahead ends no more holds than such a pause would
// have. last is 0 when nothing was recorded. A custom clock that panics is the wall
// clock at that moment.
func newClock(last int64, o *Options, p *panics) *clock {
	c := &clock{custom: o.Clock, logger: o.Logger, panics: p, opened: time.Now()}
	if c.custom != nil {
		if at, ok := c.read(); ok {
			c.opened = at
		}
		c.last = c.opened
	}
	c.start = max(c.opened.UnixMilli(), 1)
	if last == 0 {
		return c
	}
	wall := c.start
	c.start = max(last, min(wall, last+o.MaxClockGap.Milliseconds()))
	if off := time.Duration(wall-c.start) * time.Millisecond; off.Abs() > wallStep {
		c.warned.Store(true)
		c.logger.Warn("wall clock does not follow the journal; engine time goes on from the journal",
			"recorded", fromMillis(last), "wall", fromMillis(wall), "engine", fromMillis(c.start))
	}
	return c
}

// now is engine time. It reads one clock once.
func (c *clock) now() int64 {
	if c.custom != nil {
		return c.start + c.advance().Milliseconds()
	}
	return c.start + time.Since(c.opened).Milliseconds()
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
