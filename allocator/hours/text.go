package hours

import (
	"fmt"
	"strings"
	"time"
)

// String writes the schedule in a canonical form: Parse reads it back as an
// equal schedule. A nil schedule is 24/7.
func (s *Schedule) String() string {
	if s == nil {
		return "24/7"
	}
	var b strings.Builder
	for i := range s.rules {
		r := &s.rules[i]
		switch {
		case i > 0 && r.additional:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("; ")
		}
		b.WriteString(r.String())
	}
	return b.String()
}

// String writes the rule without what separates it from others.
func (r *rule) String() string {
	var parts []string
	add := func(part string) {
		if part != "" {
			parts = append(parts, part)
		}
	}
	add(list(r.years, func(s steps) string { return s.text("%04d", maxYear) }))
	add(list(r.dates, dateRange.String))
	if r.weeks != nil {
		add("week " + list(r.weeks, func(s steps) string { return s.text("%02d", 0) }))
	}
	add(r.days.String())
	if always := len(r.spans) == 1 && r.spans[0] == (span{0, minutesPerDay}); always && len(parts) == 0 {
		add("24/7")
	} else {
		add(list(r.spans, span.String))
	}
	if r.off {
		add("off")
	}
	add(r.comment)
	return strings.Join(parts, " ")
}

// list writes the items with commas between them.
func list[T any](items []T, text func(T) string) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = text(item)
	}
	return strings.Join(texts, ",")
}

// text writes the steps; a range up to end is open.
func (s steps) text(format string, end int) string {
	from := fmt.Sprintf(format, s.from)
	switch {
	case s.to == end && s.step == 1 && s.from < end:
		return from + "+"
	case s.to == s.from:
		return from
	case s.step == 1:
		return from + "-" + fmt.Sprintf(format, s.to)
	}
	return from + "-" + fmt.Sprintf(format, s.to) + fmt.Sprintf("/%d", s.step)
}

func (r dateRange) String() string {
	begin, end := r.from, r.to
	if begin.year = 0; begin == end {
		return r.from.String()
	}
	return r.from.String() + "-" + r.to.String()
}

func (d date) String() string {
	text := ""
	if d.year != 0 {
		text = fmt.Sprintf("%04d ", d.year)
	}
	switch {
	case d.month == 0 && d.shift == 0:
		return text + "easter"
	case d.month == 0 && (d.shift == 1 || d.shift == -1):
		return text + fmt.Sprintf("easter %+d day", d.shift)
	case d.month == 0:
		return text + fmt.Sprintf("easter %+d days", d.shift)
	case d.day == 0:
		return text + monthName(d.month)
	}
	return text + fmt.Sprintf("%s %02d", monthName(d.month), d.day)
}

func (s span) String() string {
	to := s.to
	if to != minutesPerDay && to-minutesPerDay <= s.from {
		to %= minutesPerDay
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.from/60, s.from%60, to/60, to%60)
}

func (w weekdays) String() string {
	var names []string
	week := [7]time.Weekday{1, 2, 3, 4, 5, 6, 0}
	for i := 0; i < len(week); i++ {
		mask := w.mask[week[i]]
		last := i
		for mask == everyWeek && last+1 < len(week) && w.mask[week[last+1]] == everyWeek {
			last++
		}
		switch {
		case mask == 0:
		case mask != everyWeek:
			names = append(names, weekdayName(week[i])+"["+numbers(mask)+"]")
		case last > i+1:
			names = append(names, weekdayName(week[i])+"-"+weekdayName(week[last]))
			i = last
		default:
			names = append(names, weekdayName(week[i]))
		}
	}
	text := strings.Join(names, ",")
	switch {
	case w.both:
		return "PH " + text
	case w.holiday && w.named:
		return text + ",PH"
	case w.holiday:
		return "PH"
	}
	return text
}

// numbers writes which of a month's weekdays a mask means.
func numbers(mask uint16) string {
	var texts []string
	for bit := range 10 {
		switch {
		case mask&(1<<bit) == 0:
		case bit < 5:
			texts = append(texts, fmt.Sprint(bit+1))
		default:
			texts = append(texts, fmt.Sprint(4-bit))
		}
	}
	return strings.Join(texts, ",")
}
