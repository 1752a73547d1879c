package hours

import (
	"math"
	"time"
)

// A clock translates between instants (seconds since 1970 in UTC) and wall
// seconds: what the wall clock of a zone shows, read as if it were UTC. It
// remembers the zone's last used period between two changes; not safe for
// concurrent use, and cheap enough to be made for each call.
type clock struct {
	zone   *time.Location
	offset int64
	// The offset holds for instants from <= t < to.
	from, to int64
}

// changeReach is further than any offset, and than any jump of a wall clock: an
// instant further than that from a change is not touched by it.
const changeReach = 2 * secondsPerDay

func newClock(zone *time.Location, near int64) clock {
	if zone == nil {
		zone = time.UTC
	}
	c := clock{zone: zone}
	c.lookUp(near)
	return c
}

func (c *clock) lookUp(instant int64) {
	t := time.Unix(instant, 0).In(c.zone)
	_, offset := t.Zone()
	c.offset, c.from, c.to = int64(offset), math.MinInt64, math.MaxInt64
	begin, end := t.ZoneBounds()
	if !begin.IsZero() {
		c.from = begin.Unix()
	}
	if !end.IsZero() {
		c.to = end.Unix()
	}
}

// calm reports whether the wall clock runs on without a change for days around
// the instant.
func (c *clock) calm(instant, days int64) bool {
	reach := days * secondsPerDay
	return (c.from == math.MinInt64 || instant-reach >= c.from) && (c.to == math.MaxInt64 || instant+reach < c.to)
}

// wall gives what the wall clock shows at the instant.
func (c *clock) wall(instant int64) int64 {
	if instant < c.from || instant >= c.to {
		c.lookUp(instant)
	}
	return instant + c.offset
}

// reaches is the first instant at which the wall clock shows the given time or
// a later one: the first of two, and the change itself if a change skips it.
func (c *clock) reaches(wall int64) int64 {
	if guess, ok := c.plain(wall); ok {
		return guess
	}
	for c.lookUp(wall - changeReach); c.to != math.MaxInt64 && wall >= c.to+c.offset; {
		c.lookUp(c.to)
	}
	return max(c.from, wall-c.offset)
}

// leaves is the instant from which on the wall clock always shows the given
// time or a later one: the last of two, and the change itself if a change skips
// it.
func (c *clock) leaves(wall int64) int64 {
	if guess, ok := c.plain(wall); ok {
		return guess
	}
	for c.lookUp(wall + changeReach); c.from != math.MinInt64 && wall <= c.from+c.offset; {
		c.lookUp(c.from - 1)
	}
	return min(c.to, wall-c.offset)
}

// plain answers for wall times far from any change.
func (c *clock) plain(wall int64) (instant int64, ok bool) {
	guess := wall - c.offset
	if !c.calm(guess, 2) {
		c.lookUp(guess)
		guess = wall - c.offset
	}
	return guess, c.calm(guess, 2)
}
