package sourcing

import (
	"cmp"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
)

// maxPeriods is how many full periods a promise may be pushed over: a year of
// days. An order that finds no room in all of them is refused as Full.
const maxPeriods = 366

// Promise works out the earliest time at which lines of an order can be ready,
// and keeps Start, Room and Ready in the candidate; with a reason, the times are
// zero. Times are UTC.
//
//  1. An order after the cut-off of the local clock counts from the start of
//     the next local day.
//  2. Work begins when the site is open and its period has room; a full period
//     pushes it to the end of the period, at most 366 times, then: Full.
//  3. Prep runs in opening time only.
//  4. Collect: ready when the site is open. ShipToStore: Transfer later by the
//     wall clock, when the chosen store is open; at the chosen store itself, as
//     Collect. Ship: Delivery later.
//  5. With a window, ready must not be after its start, and the promise is the
//     start of the window. A promise after NeededBy is Late, also if it is full
//     periods that make it late.
//
// A site, or a chosen store, that does not open any more within 400 days is
// Closed. Of several reasons it is the first in the order of the numbers.
func (c *Candidate) Promise(lines int) (time.Time, Reason) {
	c.Start, c.Ready, c.Room = time.Time{}, time.Time{}, -1
	first, reason := c.first()
	if reason != 0 {
		return time.Time{}, reason
	}
	start, reason := c.withRoom(first, lines)
	if reason == Full {
		start = first // late even so?
	}
	if reason == 0 || reason == Full {
		ready, other := c.finish(start)
		if reason = cmp.Or(other, reason); reason == 0 {
			c.Start, c.Ready = start, ready
		}
	}
	return c.Ready, reason
}

// first is when the work could begin if there is room: after the cut-off, in
// opening time.
func (c *Candidate) first() (time.Time, Reason) {
	s := c.Site
	start := c.Request.Now.Round(0).UTC()
	if s.CutOff > 0 {
		start = afterCutOff(start, s.Calendar.Zone, s.CutOff)
	}
	start, ok := opens(&s.Calendar, start)
	if !ok {
		return start, Closed
	}
	return start, 0
}

// withRoom is when the work can begin: from a time on at which the site is open,
// in the first period with room.
func (c *Candidate) withRoom(start time.Time, lines int) (time.Time, Reason) {
	r := c.Request
	if r.Room == nil {
		return start, 0
	}
	for range maxPeriods {
		left, ends := r.Room(c.Site, start, lines)
		if left != 0 {
			c.Room = max(-1, left)
			return start, 0
		}
		if !ends.After(start) {
			break // a period that does not end has no next one
		}
		var ok bool
		if start, ok = opens(&c.Site.Calendar, ends.Round(0).UTC()); !ok {
			break
		}
		if c.late(start) {
			return start, Late // nothing is ready before it is begun
		}
	}
	return start, Full
}

// finish is when work that begins at a time is ready for the customer.
func (c *Candidate) finish(start time.Time) (time.Time, Reason) {
	r, s := c.Request, c.Site
	ready, ok := work(&s.Calendar, start, s.Prep)
	switch {
	case !ok:
	case r.Form == Ship:
		ready = ready.Add(s.Delivery)
	case r.Form == ShipToStore && r.At == nil:
		return time.Time{}, NoSuchForm
	case r.Form == ShipToStore && !c.chosen():
		ready, ok = opens(&r.At.Calendar, ready.Add(s.Transfer))
	default:
		ready, ok = opens(&s.Calendar, ready)
	}
	switch {
	case !ok:
		return time.Time{}, Closed
	case c.late(ready):
		return time.Time{}, Late
	case r.Window.IsZero():
		return ready, 0
	case c.late(r.Window): // the window is after NeededBy
		return time.Time{}, Late
	}
	return r.Window.Round(0).UTC(), 0
}

// late reports whether what is ready at a time is ready too late.
func (c *Candidate) late(ready time.Time) bool {
	r := c.Request
	return !r.NeededBy.IsZero() && ready.After(r.NeededBy) || !r.Window.IsZero() && ready.After(r.Window)
}

// afterCutOff is the time an order counts from: now, or the first instant of the
// next local day if the local clock shows more than the cut-off. It is the
// clock that counts, not the hours since midnight, which differ on the days on
// which the clock is changed.
func afterCutOff(now time.Time, zone *time.Location, cutOff time.Duration) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	local := now.In(zone)
	hour, minute, second := local.Clock()
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(local.Nanosecond())
	if clock <= cutOff {
		return now
	}
	return nextDay(local).UTC()
}

// nextDay is the first instant with a later local date. Where the clock jumps
// over midnight, or a zone over a whole day, time.Date may answer with an
// instant of the day before; then the jump is where the next day begins. Where
// the clock is set back over midnight, the first of the two midnights counts.
func nextDay(local time.Time) time.Time {
	year, month, day := local.Date()
	next := time.Date(year, month, day+1, 0, 0, 0, 0, local.Location())
	if !laterDate(next, local) {
		_, next = next.ZoneBounds()
		return next
	}
	if since, _ := next.ZoneBounds(); !since.IsZero() {
		_, before := since.Add(-1).Zone()
		_, after := next.Zone()
		first := next.Add(time.Duration(after-before) * time.Second)
		if first.Before(since) && laterDate(first, local) {
			return first
		}
	}
	return next
}

// laterDate reports whether the local date of a is after that of b.
func laterDate(a, b time.Time) bool {
	if a.Year() != b.Year() {
		return a.Year() > b.Year()
	}
	return a.YearDay() > b.YearDay()
}

// opens is the first instant at or after a time at which a calendar is open;
// false: there is none.
func opens(c *hours.Calendar, at time.Time) (time.Time, bool) {
	if c.Open(at) {
		return at, true
	}
	open, _, ok := c.Next(at)
	return open.UTC(), ok
}

// work is the instant at which so much opening time has passed since a time.
func work(c *hours.Calendar, from time.Time, d time.Duration) (time.Time, bool) {
	at, ok := c.Add(from, max(0, d))
	return at.UTC(), ok
}
