package calendar

import "time"

// Period is the span of time over which the work of a location is counted, by the
// clock of its time zone. The numbers are stored: in the names of periods, and with
// each capacity.
type Period uint8

// The periods.
const (
	Day         Period = iota // from midnight to midnight, 23 to 25 hours
	Hour                      // from full hour to full hour
	HalfHour                  // likewise
	QuarterHour               //
)

// At is the period of the local clock that a time falls in: from begin on, before
// end. Periods follow each other without a gap, and none goes on where the clock is
// changed, but for days. Without a zone the clock is UTC.
func (per Period) At(at time.Time, zone *time.Location) (begin, end time.Time) {
	if zone == nil {
		zone = time.UTC
	}
	local := at.In(zone)
	if per == Day {
		return dayAt(local)
	}
	step := int64(60 * 60)
	switch per {
	case HalfHour:
		step /= 2
	case QuarterHour:
		step /= 4
	}
	_, offset := local.Zone()
	seconds := local.Unix()
	first := seconds - floorMod(seconds+int64(offset), step)
	last := first + step
	since, until := local.ZoneBounds()
	if !since.IsZero() {
		first = max(first, since.Unix())
	}
	if !until.IsZero() {
		last = min(last, until.Unix())
	}
	return time.Unix(first, 0).UTC(), time.Unix(last, 0).UTC()
}

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }

// dayAt is the day of the local clock that a time falls in.
func dayAt(local time.Time) (begin, end time.Time) {
	year, month, day := local.Date()
	begin = midnight(year, month, day, local.Location())
	end = midnight(year, month, day+1, local.Location())
	// A clock that is set back over midnight has some of a day twice; then the day
	// begins, or ends, where it is set back.
	since, until := local.ZoneBounds()
	if begin.After(local) {
		begin = since
	}
	if !end.After(local) {
		end = until
	}
	return begin.UTC(), end.UTC()
}

// midnight is the first instant of a local day, or of the next one that there is:
// where the clock jumps over midnight, or over a day, the instant of the jump,
// for which time.Date may answer with one before it.
func midnight(year int, month time.Month, day int, zone *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	want := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	y, m, d := t.Date()
	if is := time.Date(y, m, d, 0, 0, 0, 0, time.UTC); is.Before(want) {
		_, t = t.ZoneBounds()
	}
	return t
}
