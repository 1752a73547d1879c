package hours

import (
	"slices"
	"time"
)

const (
	minutesPerDay  = 24 * 60
	secondsPerDay  = minutesPerDay * 60
	maxMinute      = 2 * minutesPerDay // a span ends at 48:00 at the latest
	maxYear        = 9999
	maxEasterShift = 80 // days; keeps every date relative to Easter inside its year

	// everyWeek marks a weekday that is named without a number: bits 0 to 4 of
	// its mask are the first to the fifth of a month, bits 5 to 9 the last to
	// the fifth last.
	everyWeek uint16 = 1 << 15
)

// A Schedule is a parsed text: for each day of any year the times that are
// open. It knows no time zone and no holidays; a [Calendar] adds them. A nil
// Schedule is always open.
//
// A Schedule never changes: all its methods may be called at the same time.
type Schedule struct {
	rules []rule
	// overnight: some span goes past midnight, so that the day before has to be
	// looked at.
	overnight bool
	// always: open at every instant, whatever the calendar.
	always bool
}

// Holidays reports whether public holidays make a difference: whether the text names
// them.
func (s *Schedule) Holidays() bool {
	return s != nil && slices.ContainsFunc(s.rules, func(r rule) bool { return r.days.holiday })
}

// A rule is what stands between two separators. What is empty lets every day
// through; a day has to pass all that is not.
type rule struct {
	additional bool // stands after a comma: adds to the rules before it
	off        bool
	years      []steps
	dates      []dateRange
	weeks      []steps
	days       weekdays
	spans      []span // ascending, disjoint, not touching; none: off all day
	comment    string // with its quotes, empty for none
}

// steps are the numbers from, from+step, ... up to and including to.
type steps struct{ from, to, step int }

func (s steps) has(n int) bool { return n >= s.from && n <= s.to && (n-s.from)%s.step == 0 }

func anyHas(list []steps, n int) bool {
	for _, s := range list {
		if s.has(n) {
			return true
		}
	}
	return false
}

// weekdays are the days a rule names by weekday or as holidays.
type weekdays struct {
	mask    [7]uint16 // by time.Weekday: see everyWeek
	named   bool      // some weekday is named
	holiday bool      // PH is named
	both    bool      // only holidays that fall on one of the weekdays
}

// A span is minutes since midnight of its day: from <= m < to, where
// 0 <= from < 1440, from < to <= 2880.
type span struct{ from, to int16 }

// A date is a day or month of a year: month 0 is Easter Sunday moved by shift
// days, day 0 the whole month, year 0 every year.
type date struct {
	year  int
	month time.Month
	day   int
	shift int
}

// A dateRange holds the days from the first day of from to the last of to. It
// goes past the end of the year if to is before from.
type dateRange struct{ from, to date }

// day counts days of the proleptic Gregorian calendar since 1970-01-01.
type day int64

func dayOf(year int, month time.Month, dayOfMonth int) day {
	return day(floorDiv(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix(), secondsPerDay))
}

func (d day) midnight() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func daysIn(year int, month time.Month) int {
	switch month {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// easter gives Easter Sunday of the Gregorian calendar as month and day. It is
// the anonymous algorithm that Nature published in 1876 (Meeus, Astronomical
// Algorithms, chapter 8); year is 1 or later.
func easter(year int) (time.Month, int) {
	golden, century, rest := year%19, year/100, year%100
	leaps, afterLeap := century/4, century%4
	moonShift := (century - (century+8)/25 + 1) / 3
	epact := (19*golden + century - leaps - moonShift + 15) % 30
	weekday := (32 + 2*afterLeap + 2*(rest/4) - epact - rest%4) % 7
	late := (golden + 11*epact + 22*weekday) / 451
	n := epact + weekday - 7*late + 114
	return time.Month(n / 31), n%31 + 1
}

// first is the first day of the date in the given year. A 29 February that the
// year lacks begins on 1 March.
func (d date) first(year int) day {
	switch {
	case d.month == 0:
		month, sunday := easter(year)
		return dayOf(year, month, sunday) + day(d.shift)
	case d.day == 0:
		return dayOf(year, d.month, 1)
	}
	return dayOf(year, d.month, d.day)
}

// last is the last day of the date in the given year. A 29 February that the
// year lacks ends on 28 February.
func (d date) last(year int) day {
	if d.month == 0 {
		return d.first(year)
	}
	end := daysIn(year, d.month)
	if d.day != 0 {
		end = min(end, d.day)
	}
	return dayOf(year, d.month, end)
}

// wraps reports whether to lies in the year after from. Ranges that Easter
// begins or ends never do.
func (r dateRange) wraps() bool {
	if r.from.month == 0 || r.to.month == 0 || r.from.month < r.to.month {
		return false
	}
	return r.from.month > r.to.month || r.from.day > r.to.day && r.to.day != 0
}

// has reports whether the range holds the day d, which lies in the given year.
func (r dateRange) has(d day, year int) bool {
	wraps := 0
	if r.wraps() {
		wraps = 1
	}
	if r.from.year != 0 {
		end := r.to.year
		if end == 0 {
			end = r.from.year + wraps
		}
		return year >= r.from.year && year <= end && d >= r.from.first(r.from.year) && d <= r.to.last(end)
	}
	for begin := year - wraps; begin <= year; begin++ {
		if d >= r.from.first(begin) && d <= r.to.last(begin+wraps) {
			return true
		}
	}
	return false
}

// A calendarDay is a day with what rules ask of it: its date and whether it is a
// holiday are found out once, and only if somebody asks.
type calendarDay struct {
	day        day
	weekday    time.Weekday
	dated      bool
	year       int
	month      time.Month
	dayOfMonth int
	asked      bool
	holiday    bool
}

func newCalendarDay(d day) calendarDay {
	const epoch = day(time.Thursday)
	weekday := (d + epoch) % 7
	if weekday < 0 {
		weekday += 7
	}
	return calendarDay{day: d, weekday: time.Weekday(weekday)}
}

func (c *calendarDay) date() {
	if !c.dated {
		c.year, c.month, c.dayOfMonth = c.day.midnight().Date()
		c.dated = true
	}
}

func (c *calendarDay) isHoliday(holiday func(int, time.Month, int) bool) bool {
	if !c.asked && holiday != nil {
		c.date()
		c.holiday = holiday(c.year, c.month, c.dayOfMonth)
	}
	c.asked = true
	return c.holiday
}

// names reports whether the rule applies to the day.
func (r *rule) names(c *calendarDay, holiday func(int, time.Month, int) bool) bool {
	if r.years != nil {
		if c.date(); !anyHas(r.years, c.year) {
			return false
		}
	}
	if r.dates != nil && !r.hasDate(c) {
		return false
	}
	if r.weeks != nil {
		if _, week := c.day.midnight().ISOWeek(); !anyHas(r.weeks, week) {
			return false
		}
	}
	switch w := &r.days; {
	case w.both:
		return w.hasWeekday(c) && c.isHoliday(holiday)
	case w.named && w.hasWeekday(c):
		return true
	case w.holiday:
		return c.isHoliday(holiday)
	default:
		return !w.named
	}
}

func (r *rule) hasDate(c *calendarDay) bool {
	c.date()
	for _, dates := range r.dates {
		if c.year >= 1 && dates.has(c.day, c.year) {
			return true
		}
	}
	return false
}

func (w *weekdays) hasWeekday(c *calendarDay) bool {
	mask := w.mask[c.weekday]
	if mask == 0 || mask == everyWeek {
		return mask != 0
	}
	c.date()
	nth := (c.dayOfMonth - 1) / 7
	fromEnd := (daysIn(c.year, c.month) - c.dayOfMonth) / 7
	return mask&(everyWeek|1<<nth|1<<(5+fromEnd)) != 0
}

// maxSpans bounds the spans of one day; Parse refuses what could have more.
const maxSpans = 32

// A daySpans is what one day's rules leave open: the spans that begin on it,
// ascending, disjoint, not touching. There is room for those of the night
// before too.
type daySpans struct {
	n    int
	list [2 * maxSpans]span
}

func (d *daySpans) set(spans []span) { d.n = copy(d.list[:], spans) }

// add unites the day with the span.
func (d *daySpans) add(s span) {
	i := 0
	for i < d.n && d.list[i].to < s.from {
		i++
	}
	j := i
	for ; j < d.n && d.list[j].from <= s.to; j++ {
		s.from, s.to = min(s.from, d.list[j].from), max(s.to, d.list[j].to)
	}
	d.splice(i, j, s)
}

// cut takes the minutes of the span away; it may begin before the day.
func (d *daySpans) cut(s span) {
	for i := 0; i < d.n; i++ {
		old := d.list[i]
		switch {
		case s.to <= old.from || s.from >= old.to:
		case s.from <= old.from && s.to >= old.to:
			d.splice(i, i+1)
			i--
		case s.from <= old.from:
			d.list[i].from = s.to
		case s.to >= old.to:
			d.list[i].to = s.from
		default:
			d.splice(i, i+1, span{old.from, s.from}, span{s.to, old.to})
			i++
		}
	}
}

// splice puts the spans in the place of those from i to j.
func (d *daySpans) splice(i, j int, by ...span) {
	copy(d.list[i+len(by):], d.list[j:d.n])
	copy(d.list[i:], by)
	d.n += len(by) - (j - i)
}

// spansOf finds the spans that begin on the day.
func (s *Schedule) spansOf(d day, holiday func(int, time.Month, int) bool, out *daySpans) {
	out.n = 0
	today := newCalendarDay(d)
	for i := range s.rules {
		r := &s.rules[i]
		switch {
		case r.off && len(r.spans) > 0:
			s.cutClock(r, &today, holiday, out)
		case !r.names(&today, holiday):
		case r.off:
			out.n = 0
		case r.additional:
			for _, add := range r.spans {
				out.add(add)
			}
		default:
			out.set(r.spans)
		}
	}
}

// cutClock takes the times of an off rule away. They are times of the clock:
// what the day before or after has off is off for a span of today too if the
// two meet.
func (s *Schedule) cutClock(r *rule, today *calendarDay, holiday func(int, time.Month, int) bool, out *daySpans) {
	for near := day(-1); near <= 1 && out.n > 0; near++ {
		c := *today
		if near != 0 {
			c = newCalendarDay(today.day + near)
		}
		if !r.names(&c, holiday) {
			continue
		}
		for _, off := range r.spans {
			shift := int16(near) * minutesPerDay
			out.cut(span{off.from + shift, off.to + shift})
		}
	}
}
