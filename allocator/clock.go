package allocator

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Engine time is whole milliseconds since 1970, UTC. It begins with the wall
// clock when the engine is opened and goes on with the monotonic one, so that a
// clock that is set, in either direction, neither ends a hold early nor revives
// one.

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

	// custom is Options.Clock. Its steps forward count, steps back do not.
	custom func() time.Time
	mu     sync.Mutex
	last   time.Time     // the latest reading of custom
	passed time.Duration // the sum of its steps forward

	logger *slog.Logger
	warned atomic.Bool
}

// wallStep is by how much the wall clock may leave the monotonic one before that
// is logged.
const wallStep = 2 * time.Second

// newClock starts engine time where the last recorded time and the wall clock
// say: never before what is recorded, and not further behind it than gap, so
// that a wall clock that is far ahead ends no more holds than such a pause would
// have. last is 0 when nothing was recorded.
func newClock(last int64, gap time.Duration, custom func() time.Time, logger *slog.Logger) *clock {
	c := &clock{custom: custom, logger: logger}
	if custom != nil {
		c.opened = custom()
		c.last = c.opened
	} else {
		c.opened = time.Now()
	}
	c.start = max(c.opened.UnixMilli(), 1)
	if last == 0 {
		return c
	}
	wall := c.start
	c.start = max(last, min(wall, last+gap.Milliseconds()))
	if off := time.Duration(wall-c.start) * time.Millisecond; off.Abs() > wallStep {
		c.warned.Store(true)
		logger.Warn("wall clock does not follow the journal; engine time goes on from the journal",
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

// advance adds the step that the custom clock has made.
func (c *clock) advance() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.custom()
	if step := at.Sub(c.last); step > 0 {
		c.passed += step
	}
	c.last = at
	return c.passed
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
