package hours

import (
	"math"
	"time"
)

// horizonDays bounds how far a call looks for the next open time, and back for
// the beginning of the one it is in.
const horizonDays = 400

const (
	horizon     = horizonDays * secondsPerDay
	maxDuration = time.Duration(math.MaxInt64)
)

// A Calendar is a schedule at a place: with the place's time zone and its
// public holidays. The zero Calendar is always open, in UTC.
//
// Its methods change nothing and never allocate. They may be called at the same
// time if Holiday may.
type Calendar struct {
	// Schedule is what Parse gave; nil: always open.
	Schedule *Schedule
	// Zone is where the wall clock hangs; nil: UTC.
	Zone *time.Location
	// Holiday reports whether the date is a public holiday. It has to answer
	// the same for the same date, and it is asked only if the schedule names
	// public holidays. Nil: there are none.
	Holiday func(year int, month time.Month, day int) bool
}

// Open reports whether it is open at t. The instant of opening is open, the
// instant of closing is not.
func (c Calendar) Open(t time.Time) bool {
	if c.always() {
		return true
	}
	now := t.Unix()
	k := newClock(c.Zone, now)
	if !k.calm(now, 4) {
		begin, end, ok := c.spanAt(&k, now, now)
		return ok && begin <= now && now < end
	}
	wall := k.wall(now)
	today := day(floorDiv(wall, secondsPerDay))
	minute := int16((wall - int64(today)*secondsPerDay) / 60)
	var spans daySpans
	c.Schedule.spansOf(today, c.Holiday, &spans)
	if spans.has(minute) {
		return true
	}
	if !c.Schedule.overnight {
		return false
	}
	c.Schedule.spansOf(today-1, c.Holiday, &spans)
	return spans.has(minute + minutesPerDay)
}

func (d *daySpans) has(minute int16) bool {
	for _, s := range d.list[:d.n] {
		if minute >= s.from && minute < s.to {
			return true
		}
	}
	return false
}

func (c Calendar) always() bool { return c.Schedule == nil || c.Schedule.always }

// Next finds the span of open time that t is in, or else the next one: it is
// open from open on, and no longer at close. Spans that touch, as at midnight,
// are one. What lies more than 400 times 24 hours from t is not looked at: a
// span that reaches further is cut there, and ok is false if none begins until
// then. Both instants are in the calendar's zone.
func (c Calendar) Next(t time.Time) (open, close time.Time, ok bool) {
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	now := t.Unix()
	begin, end := now-horizon, now+horizon
	if !c.always() {
		k := newClock(zone, now)
		if begin, end, ok = c.spanAt(&k, now, now+horizon-1); !ok {
			return time.Time{}, time.Time{}, false
		}
		begin, end = max(begin, now-horizon), min(end, now+horizon)
	}
	return time.Unix(begin, 0).In(zone), time.Unix(end, 0).In(zone), true
}

// spanAt finds the first span that ends after the instant now and begins no
// later than last. It is whole as far as the horizon reaches.
func (c Calendar) spanAt(k *clock, now, last int64) (begin, end int64, ok bool) {
	today, back := lookBack(k, now)
	for {
		w := walk{calendar: &c, clock: k, day: today - back, past: math.MinInt64}
		for {
			if begin, end, ok = w.next(last); !ok || end > now {
				break
			}
		}
		// Nothing that begins before the first day of the walk ends after the
		// midnight which follows that day.
		if !ok || begin > now || back > horizonDays || begin > k.leaves(int64(today-back+1)*secondsPerDay) {
			return begin, end, ok
		}
		back *= 4
	}
}

// lookBack gives the date of the instant, and how many days before it begins
// all that ends after the instant. A wall clock that jumps shows other dates for
// a while.
func lookBack(k *clock, now int64) (today, back day) {
	today = day(floorDiv(k.wall(now), secondsPerDay))
	if k.calm(now, 4) {
		return today, 1
	}
	return today, 3
}

// Add finds the first instant by which the given open time has passed since t:
// when work that begins at t and is done only while it is open is done. It is t
// itself for no work. ok is false if work is negative, if it stays closed for
// more than 400 times 24 hours, or if the work is not done within 292 years.
// The instant is in the calendar's zone.
func (c Calendar) Add(t time.Time, work time.Duration) (done time.Time, ok bool) {
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone).Round(0)
	if work <= 0 || c.always() {
		return t.Add(max(work, 0)), work >= 0
	}
	limit := t.Add(maxDuration).Unix()
	k := newClock(zone, t.Unix())
	w := c.walkFrom(&k, t.Unix())
	for at := t.Unix(); at < limit; {
		begin, end, ok := w.next(min(at+horizon, limit))
		if !ok {
			return time.Time{}, false
		}
		if end <= t.Unix() {
			continue
		}
		from := time.Unix(begin, 0)
		if from.Before(t) {
			from = t
		}
		if left := time.Unix(end, 0).Sub(from); work > left {
			work -= left
			at = end
			continue
		}
		return from.Add(work).In(zone), true
	}
	return time.Time{}, false
}

// Between gives how long it is open from a to b; negative if b is before a.
// Only the first 292 years are counted.
func (c Calendar) Between(a, b time.Time) time.Duration {
	if b.Before(a) {
		return -c.Between(b, a)
	}
	if c.always() {
		return b.Round(0).Sub(a.Round(0))
	}
	if limit := a.Add(maxDuration); b.After(limit) {
		b = limit
	}
	k := newClock(c.Zone, a.Unix())
	w := c.walkFrom(&k, a.Unix())
	var sum time.Duration
	for {
		begin, end, ok := w.next(b.Unix())
		if !ok {
			return sum
		}
		from, to := time.Unix(begin, 0), time.Unix(end, 0)
		if from.Before(a) {
			from = a
		}
		if to.After(b) {
			to = b
		}
		if to.After(from) {
			sum += to.Sub(from)
		}
	}
}

// walkFrom begins a walk that misses no span which ends after the instant.
func (c *Calendar) walkFrom(k *clock, now int64) walk {
	today, back := lookBack(k, now)
	return walk{calendar: c, clock: k, day: today - back, past: math.MinInt64}
}

// A walk goes through the open time in ascending order, from the day it is
// given on.
type walk struct {
	calendar *Calendar
	clock    *clock
	day      day      // whose spans are read next
	spans    daySpans // of day-1, and what a cut has left of the night before it
	i        int      // the next of spans
	past     int64    // what came before this instant was given already
}

// read goes on to the next day. What begins past midnight, because an off rule
// has cut it from what began before, is carried over: the day may have spans
// that begin earlier.
func (w *walk) read() {
	schedule, holiday := w.calendar.Schedule, w.calendar.Holiday
	if w.i == w.spans.n {
		schedule.spansOf(w.day, holiday, &w.spans)
	} else {
		carried := w.spans
		schedule.spansOf(w.day, holiday, &w.spans)
		for _, s := range carried.list[w.i:carried.n] {
			w.spans.add(span{s.from - minutesPerDay, s.to - minutesPerDay})
		}
	}
	w.i = 0
	w.day++
}

// next gives the next span as two instants. Spans that touch or overlap are
// united, within the horizon. ok is false once all that follows begins after
// last.
//
// The instants at which a wall clock reaches and leaves a time ascend with the
// time, so spans in the order of the wall clock are in the order of time.
func (w *walk) next(last int64) (begin, end int64, ok bool) {
	for {
		for w.i == w.spans.n || w.spans.list[w.i].from >= minutesPerDay {
			midnight := int64(w.day) * secondsPerDay
			reached := w.clock.reaches(midnight)
			if ok && (reached > end || end > last+horizon) || !ok && reached > last {
				w.past = max(w.past, end)
				return begin, end, ok
			}
			w.read()
		}
		s := w.spans.list[w.i]
		midnight := int64(w.day-1) * secondsPerDay
		from, to := w.clock.reaches(midnight+int64(s.from)*60), w.clock.leaves(midnight+int64(s.to)*60)
		switch {
		case from >= to || to <= w.past: // a change skips it whole, or it was given
		case !ok:
			if from > last {
				return 0, 0, false
			}
			begin, end, ok = max(from, w.past), to, true
		case from > end:
			w.past = end
			return begin, end, true
		default:
			end = max(end, to)
		}
		w.i++
	}
}
