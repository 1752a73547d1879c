package hours_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"pgregory.net/rapid"
)

// A modelRule is a rule as it was drawn, before there was a text: the model
// never reads the text that is written from it.
type modelRule struct {
	text      string
	adds, off bool
	days      []func(time.Time) bool // all have to hold
	spans     [][2]int
}

func (r modelRule) names(d time.Time) bool {
	for _, holds := range r.days {
		if !holds(d) {
			return false
		}
	}
	return true
}

func modelText(rules []modelRule) string {
	var b strings.Builder
	for i, r := range rules {
		if i > 0 {
			b.WriteString(map[bool]string{true: ", ", false: "; "}[r.adds])
		}
		b.WriteString(r.text)
	}
	return b.String()
}

const modelWeek = "SuMoTuWeThFrSa"

func ninthHoliday(year int, month time.Month, day int) bool { return (year+int(month)+day)%9 == 0 }

func drawWeekdays(t *rapid.T) (string, func(time.Time) bool) {
	a, b := rapid.IntRange(0, 6).Draw(t, "from"), rapid.IntRange(0, 6).Draw(t, "to")
	from, to := modelWeek[2*a:2*a+2], modelWeek[2*b:2*b+2]
	inRange := func(d time.Time) bool {
		for i := a; ; i = (i + 1) % 7 {
			if int(d.Weekday()) == i {
				return true
			}
			if i == b {
				return false
			}
		}
	}
	isHoliday := func(d time.Time) bool { return ninthHoliday(d.Year(), d.Month(), d.Day()) }
	switch rapid.IntRange(0, 5).Draw(t, "kind of weekdays") {
	case 0:
		return "PH", isHoliday
	case 1:
		return "PH " + from + "-" + to, func(d time.Time) bool { return isHoliday(d) && inRange(d) }
	case 2:
		return from + "-" + to + ",PH", func(d time.Time) bool { return isHoliday(d) || inRange(d) }
	case 3:
		n := rapid.IntRange(1, 5).Draw(t, "nth")
		return fmt.Sprintf("%s[%d]", from, n), func(d time.Time) bool { return int(d.Weekday()) == a && modelNth(d, -1) == n }
	case 4:
		n := rapid.IntRange(1, 5).Draw(t, "nth last")
		return fmt.Sprintf("%s,%s[-%d]", to, from, n), func(d time.Time) bool {
			return int(d.Weekday()) == b || int(d.Weekday()) == a && modelNth(d, 1) == n
		}
	}
	return from + "-" + to, inRange
}

// modelNth counts the same weekdays of the month from d on in one direction.
func modelNth(d time.Time, direction int) (n int) {
	for e := d; e.Month() == d.Month(); e = e.AddDate(0, 0, 7*direction) {
		n++
	}
	return n
}

func drawDates(t *rapid.T) (string, func(time.Time) bool) {
	drawDay := func(name string) (string, int) {
		month, day := rapid.IntRange(1, 12).Draw(t, name+" month"), rapid.IntRange(1, 28).Draw(t, name+" day")
		return fmt.Sprintf("%s %d", time.Month(month).String()[:3], day), 100*month + day
	}
	fromText, from := drawDay("from")
	toText, to := drawDay("to")
	between := func(d time.Time, from, to int) bool {
		today := 100*int(d.Month()) + d.Day()
		if from > to {
			return today >= from || today <= to
		}
		return today >= from && today <= to
	}
	switch rapid.IntRange(0, 6).Draw(t, "kind of dates") {
	case 0:
		return fromText + "," + toText, func(d time.Time) bool { return between(d, from, from) || between(d, to, to) }
	case 1:
		fromMonth, toMonth := time.Month(from / 100).String()[:3], time.Month(to / 100).String()[:3]
		return fromMonth + "-" + toMonth, func(d time.Time) bool { return between(d, from/100*100, to/100*100+31) }
	case 2:
		n := rapid.IntRange(-80, 80).Draw(t, "days from Easter")
		text := fmt.Sprintf("easter %+d days", n)
		if n == 0 {
			text = "easter"
		}
		return text, func(d time.Time) bool { return d.Equal(easterSunday(d.Year()).AddDate(0, 0, n)) }
	case 3:
		a := rapid.IntRange(1, 53).Draw(t, "week")
		b := rapid.IntRange(a, 53).Draw(t, "to week")
		text := fmt.Sprintf("week %d-%d", a, b)
		if a == b {
			text = fmt.Sprintf("week %d", a)
		}
		return text, func(d time.Time) bool {
			// A week belongs to the year of its Thursday.
			thursday := d.AddDate(0, 0, 3-(int(d.Weekday())+6)%7)
			week := (thursday.YearDay()-1)/7 + 1
			return week >= a && week <= b
		}
	case 4:
		year := rapid.IntRange(2019, 2025).Draw(t, "year")
		return fmt.Sprintf("%d-%d", year, year+2), func(d time.Time) bool { return d.Year() >= year && d.Year() <= year+2 }
	case 5:
		year := rapid.IntRange(2019, 2025).Draw(t, "year")
		first := time.Date(year, time.Month(from/100), from%100, 0, 0, 0, 0, time.UTC)
		last := time.Date(year, time.Month(to/100), to%100, 0, 0, 0, 0, time.UTC)
		if last.Before(first) {
			last = last.AddDate(1, 0, 0)
		}
		return fmt.Sprintf("%d %s-%s", year, fromText, toText), func(d time.Time) bool { return !d.Before(first) && !d.After(last) }
	}
	return fromText + "-" + toText, func(d time.Time) bool { return between(d, from, to) }
}

func drawRule(t *rapid.T) (r modelRule) {
	var parts []string
	r.adds = rapid.Bool().Draw(t, "adds")
	hasDates := rapid.IntRange(0, 2).Draw(t, "dates") == 0
	if hasDates {
		text, holds := drawDates(t)
		parts, r.days = append(parts, text), append(r.days, holds)
	}
	if !hasDates || rapid.Bool().Draw(t, "weekdays") {
		text, holds := drawWeekdays(t)
		parts, r.days = append(parts, text), append(r.days, holds)
	}
	r.off = rapid.IntRange(0, 2).Draw(t, "off") == 0
	least := 1
	if r.off {
		least = 0
	}
	var spans []string
	for range rapid.IntRange(least, 2).Draw(t, "spans") {
		from := rapid.IntRange(0, 1439).Draw(t, "begins")
		to := rapid.IntRange(from+1, 2880).Draw(t, "ends")
		r.spans = append(r.spans, [2]int{from, to})
		if to > 1440 && to-1440 <= from && rapid.Bool().Draw(t, "past midnight") {
			to -= 1440
		}
		spans = append(spans, fmt.Sprintf("%d:%02d-%02d:%02d", from/60, from%60, to/60, to%60))
	}
	if len(spans) > 0 {
		parts = append(parts, strings.Join(spans, ","))
	}
	if r.off {
		parts = append(parts, "off")
	}
	r.text = strings.Join(parts, " ")
	return r
}

// paintModel applies the rules one after the other, each to all days, and says
// for each minute of the days from first on (in UTC) whether it is open. What
// each day gives is kept apart until the end.
func paintModel(rules []modelRule, first time.Time, days int) []bool {
	const margin = 3
	given := make([][2880]bool, days+2*margin)
	for _, r := range rules {
		for i := range given {
			switch {
			case !r.names(first.AddDate(0, 0, i-margin)):
			case r.off && r.spans != nil:
				for minute := range 4 * 1440 {
					if !within(r.spans, minute-1440) {
						continue
					}
					for j := max(i-1, 0); j <= min(i+1, len(given)-1); j++ {
						if m := minute + (i-1-j)*1440; m >= 0 && m < 2880 {
							given[j][m] = false
						}
					}
				}
			case r.off:
				given[i] = [2880]bool{}
			default:
				for m := range given[i] {
					given[i][m] = within(r.spans, m) || r.adds && given[i][m]
				}
			}
		}
	}
	open := make([]bool, days*1440)
	for m := range open {
		i := m/1440 + margin
		open[m] = given[i][m%1440] || given[i-1][m%1440+1440]
	}
	return open
}

func within(spans [][2]int, minute int) bool {
	for _, s := range spans {
		if minute >= s[0] && minute < s[1] {
			return true
		}
	}
	return false
}

// againstModel compares all four questions with the painted minutes.
func againstModel(c hours.Calendar, open []bool, first time.Time) error {
	end := first.Add(time.Duration(len(open)) * time.Minute)
	var sum time.Duration
	var nextOpen, nextClose time.Time
	for m, want := range open {
		now := first.Add(time.Duration(m) * time.Minute)
		if c.Open(now) != want {
			return fmt.Errorf("at %v the model says %v", now, want)
		}
		if !now.Before(nextClose) {
			var ok bool
			if nextOpen, nextClose, ok = c.Next(now); !ok {
				nextOpen, nextClose = end, end
			}
		}
		if inside := !now.Before(nextOpen) && now.Before(nextClose); inside != want {
			return fmt.Errorf("at %v the model says %v, but the next span is %v to %v", now, want, nextOpen, nextClose)
		}
		if want {
			sum += time.Minute
			if m%97 == 0 {
				if done, ok := c.Add(first, sum); !ok || !done.Equal(now.Add(time.Minute)) {
					return fmt.Errorf("after %v of work it is %v, want %v", sum, done, now.Add(time.Minute))
				}
			}
		}
	}
	if got := c.Between(first, end); got != sum {
		return fmt.Errorf("open for %v, want %v", got, sum)
	}
	return nil
}

// TestModel draws schedules of all kinds of rules, spans past midnight and
// additions and off times that meet them, and compares twelve days with the
// model.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(drawRule), 1, 4).Draw(t, "rules")
		rules[0].adds = false
		text := modelText(rules)
		s, err := hours.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		first := time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 6*365).Draw(t, "day"))
		c := hours.Calendar{Schedule: s, Holiday: ninthHoliday}
		if err := againstModel(c, paintModel(rules, first, 12), first); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

// TestModelCanary makes sure that the comparison sees a place that opens an
// hour later, and one whose off time misses one minute of the night before.
func TestModelCanary(t *testing.T) {
	always := []func(time.Time) bool{func(time.Time) bool { return true }}
	saturday := []func(time.Time) bool{func(d time.Time) bool { return d.Weekday() == time.Saturday }}
	night := modelRule{days: always, spans: [][2]int{{1320, 1680}}}
	first := time.Date(2024, time.May, 1, 0, 0, 0, 0, time.UTC)
	for wrong, rules := range map[string][]modelRule{
		"23:00-04:00": {night},
		"22:00-04:00": {night, {off: true, days: saturday, spans: [][2]int{{60, 61}}}},
	} {
		c := hours.Calendar{Schedule: parse(t, wrong)}
		if againstModel(c, paintModel(rules, first, 12), first) == nil {
			t.Errorf("the canary lives: %s", wrong)
		}
	}
}

// TestWallClockModel compares random spans with a model of the wall clock that
// looks at each minute of nine days around a change: a span is open from the
// first minute that shows its begin or a later time to the last that shows a
// time before its end.
func TestWallClockModel(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 2024))
	for _, change := range []struct{ zone, at string }{
		{"Europe/Berlin", "2024-03-31 01:00"}, {"Europe/Berlin", "2024-10-27 01:00"},
		{"America/New_York", "2024-03-10 07:00"}, {"America/New_York", "2024-11-03 06:00"},
		{"Australia/Lord_Howe", "2024-10-05 15:30"}, {"Australia/Lord_Howe", "2024-04-06 15:00"},
		{"America/Havana", "2024-03-10 05:00"}, {"America/Havana", "2024-11-03 05:00"},
		{"Pacific/Apia", "2011-12-30 10:00"}, {"Pacific/Kwajalein", "1993-08-21 12:00"},
		{"Pacific/Kwajalein", "1969-09-30 13:00"},
	} {
		place := zone(t, change.zone)
		const half = 4*1440 + 720
		begin := at(t, change.at).Add(-half * time.Minute)
		var wall [2 * half]int64 // in minutes, read as UTC
		for m := range wall {
			_, offset := begin.Add(time.Duration(m) * time.Minute).In(place).Zone()
			wall[m] = begin.Unix()/60 + int64(m) + int64(offset/60)
		}
		draws := 12
		if !scaletest.Full() {
			draws = 2
		}
		for range draws {
			from := random.IntN(1440)
			to := from + 1 + random.IntN(1440)
			text := fmt.Sprintf("%02d:%02d-%02d:%02d", from/60, from%60, to/60, to%60)
			open := paintWall(wall[:], from, to)
			c := hours.Calendar{Schedule: parse(t, text), Zone: place}
			// The first and last days lack what happens outside.
			const edge = 2 * 1440
			if err := againstModel(c, open[edge:len(open)-edge], begin.Add(edge*time.Minute)); err != nil {
				t.Errorf("%s, %s: %v", change.zone, text, err)
			}
		}
	}
}

// paintWall opens a span on each day that the wall clock shows or passes.
func paintWall(wall []int64, from, to int) []bool {
	open := make([]bool, len(wall))
	for day := wall[0]/1440 - 2; day <= wall[len(wall)-1]/1440+1; day++ {
		first, last := len(wall), -1
		for m, shown := range wall {
			if first == len(wall) && shown >= day*1440+int64(from) {
				first = m
			}
			if shown < day*1440+int64(to) {
				last = m
			}
		}
		for m := first; m <= last; m++ {
			open[m] = true
		}
	}
	return open
}
