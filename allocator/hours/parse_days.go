package hours

import (
	"strings"
	"time"
)

const (
	weekdayNames = "sumotuwethfrsa" // in the order of time.Weekday
	monthNames   = "janfebmaraprmayjunjulaugsepoctnovdec"
)

// index finds a word among names of equal length; -1 if it is none of them.
func index(names, word string, length int) int {
	for i := 0; len(word) == length && i < len(names); i += length {
		if names[i:i+length] == word {
			return i / length
		}
	}
	return -1
}

// atYear reports whether a year is next, not a time.
func (p *parser) atYear() bool { return p.digits() == 4 && p.peek(4) != ':' }

// atDate reports whether the word of a date is next.
func (p *parser) atDate() bool {
	w := p.word()
	return w == "easter" || index(monthNames, w, 3) >= 0
}

// years reads a list of years, if one is next. One year before a month belongs
// to the date.
func (p *parser) years(r *rule) error {
	if !p.atYear() {
		return nil
	}
	begin := p.pos
	p.pos += 4
	if p.space(); p.atDate() {
		p.pos = begin
		return nil
	}
	p.pos = begin
	for {
		s, err := p.steps(1, maxYear, "a year", true)
		if err != nil {
			return err
		}
		r.years = append(r.years, s)
		comma := p.pos
		if !p.eat(',') {
			return nil
		}
		if p.space(); !p.atYear() {
			return p.fail(comma, "after the comma want a year")
		}
	}
}

// weeks reads "week" and a list of ISO weeks, if that is next.
func (p *parser) weeks(r *rule) error {
	if p.word() != "week" {
		return nil
	}
	p.pos += len("week")
	for {
		p.space()
		s, err := p.steps(1, 53, "a week", false)
		if err != nil {
			return err
		}
		r.weeks = append(r.weeks, s)
		if !p.eat(',') {
			return nil
		}
	}
}

// steps reads n, n-m or n-m/step; with open also n+.
func (p *parser) steps(low, high int, what string, open bool) (s steps, err error) {
	s.step = 1
	if s.from, err = p.number(low, high, what); err != nil {
		return s, err
	}
	s.to = s.from
	if open && p.peek(0) == '+' && s.from < high {
		p.pos++
		s.to = high
		return s, nil
	}
	if !p.eat('-') {
		return s, nil
	}
	p.space()
	at := p.pos
	if s.to, err = p.number(low, high, what); err != nil {
		return s, err
	}
	if s.to <= s.from {
		return s, p.fail(at, "the range ends before it begins, or where it begins")
	}
	if p.peek(0) == '/' {
		p.pos++
		s.step, err = p.number(1, high, "a step")
	}
	return s, err
}

// dates reads a list of dates and ranges of dates, if a date is next. A year
// holds for the dates after it too.
func (p *parser) dates(r *rule) error {
	if !p.atYear() && !p.atDate() {
		return nil
	}
	previous := date{}
	for {
		dates, err := p.dateRange(previous)
		if err != nil {
			return err
		}
		r.dates = append(r.dates, dates)
		previous = dates.to
		if previous.year = max(dates.from.year, dates.to.year); dates.to.year == 0 && previous.year != 0 && dates.wraps() {
			previous.year++
		}
		comma := p.pos
		if !p.eat(',') {
			return nil
		}
		p.space()
		if !p.atYear() && !p.atDate() && !p.atDay() {
			return p.fail(comma, "after the comma want a date")
		}
	}
}

// atDay reports whether the number of a day is next, not a time.
func (p *parser) atDay() bool {
	n := p.digits()
	return (n == 1 || n == 2) && !p.atTime()
}

func (p *parser) dateRange(previous date) (r dateRange, err error) {
	begin := p.pos
	if r.from, err = p.date(previous); err != nil {
		return r, err
	}
	r.to = r.from
	r.to.year = 0
	dash := p.pos
	if !p.eat('-') {
		return r, p.exists(r, begin)
	}
	p.space()
	if !p.atYear() && !p.atDate() && !p.atDay() {
		return r, p.fail(dash, "after the dash want a date")
	}
	bare := date{month: r.from.month, day: r.from.day}
	if r.to, err = p.date(bare); err != nil {
		return r, err
	}
	return r, p.exists(r, begin)
}

// date reads a date. A day alone is of the month of the previous date, and a
// date without a year is of the previous year if there is one.
func (p *parser) date(previous date) (d date, err error) {
	if p.atYear() {
		if d.year, err = p.number(1, maxYear, "a year"); err != nil {
			return d, err
		}
		if p.space(); !p.atDate() {
			return d, p.fail(p.pos, "after the year want a month or easter")
		}
	} else {
		d.year = previous.year
	}
	if p.word() == "easter" {
		p.pos += len("easter")
		d.shift, err = p.shift()
		return d, err
	}
	if m := index(monthNames, p.word(), 3); m >= 0 {
		p.pos += 3
		d.month = time.Month(m + 1)
		begin := p.pos
		if p.space(); !p.atDay() {
			p.pos = begin
			return d, nil
		}
	} else if d.month = previous.month; d.month == 0 || previous.day == 0 {
		return d, p.fail(p.pos, "a day without a month")
	}
	d.day, err = p.number(1, daysIn(2000, d.month), "a day of the month")
	return d, err
}

// shift reads "+n days" or "-n days", if it is next.
func (p *parser) shift() (int, error) {
	begin := p.pos
	sign := 0
	if p.eat('+') {
		sign = 1
	} else if p.eat('-') {
		sign = -1
	}
	if p.space(); sign == 0 || sign < 0 && p.digits() == 0 || p.atYear() {
		p.pos = begin // the dash of a range, or neither
		return 0, nil
	}
	n, err := p.number(1, maxEasterShift, "days")
	if err != nil {
		return 0, err
	}
	p.space()
	w := p.word()
	if w != "day" && w != "days" {
		return 0, p.fail(p.pos, "want days")
	}
	p.pos += len(w)
	return sign * n, nil
}

// exists refuses dates that no year has, and ranges that are empty in some
// year. Of leap years (2000) and others (2001) it asks those that leave less
// room.
func (p *parser) exists(r dateRange, begin int) error {
	leapDay := func(d date) bool { return d.month == time.February && d.day == 29 }
	switch {
	case r.from.year == 0 && r.to.year != 0:
		return p.fail(begin, "the range has a year at its end only")
	case r.from.year != 0:
		end := r.to.year
		if end == 0 {
			end = r.from.year
			if r.wraps() {
				end++
			}
		}
		if leapDay(r.from) && daysIn(r.from.year, time.February) < 29 || leapDay(r.to) && daysIn(end, time.February) < 29 {
			return p.fail(begin, "that year has no 29 February")
		}
		if r.to.last(end) < r.from.first(r.from.year) {
			return p.fail(begin, "the range ends before it begins")
		}
	case r.from.month == 0 && r.to.month == 0:
		if r.to.shift < r.from.shift {
			return p.fail(begin, "the range ends before it begins")
		}
	case r.from.month == 0: // Easter is between 22 March and 25 April
		if dayOf(2000, time.April, 25)+day(r.from.shift) > r.to.last(2000) {
			return p.fail(begin, "in some years Easter is too late for this range")
		}
	case r.to.month == 0:
		if dayOf(2001, time.March, 22)+day(r.to.shift) < r.from.first(2001) {
			return p.fail(begin, "in some years Easter is too early for this range")
		}
	}
	return nil
}

// weekdays reads weekdays and holidays, if one is next.
func (p *parser) weekdays(w *weekdays) error {
	for {
		begin := p.pos
		switch word := p.word(); {
		case word == "ph":
			p.pos += len(word)
			w.holiday = true
		case index(weekdayNames, word, 2) >= 0:
			if err := p.weekdayRange(w); err != nil {
				return err
			}
		case word == "sh":
			return p.unknownWord()
		case !w.holiday && !w.named:
			return nil
		default:
			return p.fail(begin, "want a weekday or PH")
		}
		p.space()
		if w.holiday && !w.named && index(weekdayNames, p.word(), 2) >= 0 {
			w.both = true
			return p.onlyWeekdays(w)
		}
		if !p.eat(',') {
			return nil
		}
		p.space()
	}
}

// onlyWeekdays reads the weekdays to which holidays are narrowed.
func (p *parser) onlyWeekdays(w *weekdays) error {
	for {
		if index(weekdayNames, p.word(), 2) < 0 {
			return p.fail(p.pos, "want a weekday")
		}
		if err := p.weekdayRange(w); err != nil || !p.eat(',') {
			return err
		}
		p.space()
	}
}

// weekdayRange reads Mo, Mo-Fr or Mo[1,3,-1].
func (p *parser) weekdayRange(w *weekdays) error {
	from := index(weekdayNames, p.word(), 2)
	p.pos += 2
	w.named = true
	if p.eat('[') {
		return p.numbered(&w.mask[from])
	}
	to := from
	if p.eat('-') {
		p.space()
		if to = index(weekdayNames, p.word(), 2); to < 0 {
			return p.fail(p.pos, "after the dash want a weekday")
		}
		p.pos += 2
		if p.peek(0) == '[' {
			return p.fail(p.pos, "a range of weekdays cannot be numbered")
		}
	}
	for i := from; ; i = (i + 1) % 7 {
		w.mask[i] = everyWeek
		if i == to {
			return nil
		}
	}
}

// numbered reads which of a month's weekdays are meant, after the bracket.
func (p *parser) numbered(mask *uint16) error {
	for {
		p.space()
		minus := p.eat('-')
		from, err := p.number(1, 5, "a number of the weekday in its month")
		if err != nil {
			return err
		}
		to := from
		if !minus && p.eat('-') {
			p.space()
			if to, err = p.number(from, 5, "a number of the weekday in its month"); err != nil {
				return err
			}
		}
		for i := from; i <= to; i++ {
			bit := i - 1
			if minus {
				bit += 5
			}
			if *mask != everyWeek {
				*mask |= 1 << bit
			}
		}
		if p.eat(']') {
			return nil
		}
		if !p.eat(',') {
			return p.fail(p.pos, "want ] or a comma")
		}
	}
}

// weekdayName and monthName write names as the notation does.
func weekdayName(d time.Weekday) string { return title(weekdayNames[2*d : 2*d+2]) }

func monthName(m time.Month) string { return title(monthNames[3*m-3 : 3*m]) }

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
