package hours_test

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// A realText is one of the distinct values in testdata, and at how many stores
// it stands.
type realText struct {
	text   string
	stores int
}

func realTexts(t testing.TB) []realText {
	t.Helper()
	f, err := os.Open("testdata/lidl_de_opening_hours.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]realText, 0, len(rows))
	for _, row := range rows[1:] {
		stores, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, realText{row[0], stores})
	}
	return texts
}

// refused are the real texts that Parse refuses: at which byte, and why.
var refused = map[string]struct {
	offset int
	why    string
}{
	`Mo-Sa 08:00-21:00 || "Sonntags während der Bäderregelungszeit 12:00-18:00 Uhr"`: {18, "fallback rules are not supported"},
	"Mo-Sa 08:00-20:00; Su, PH, SH closed":                                           {27, "school holidays are not supported"},
	"Mo-Sa 21:00":                                                                    {6, "a point in time is not a span"},
	"Occasional":                                                                     {0, "unknown word, or known but not in this place"},
	"dauerhaft geschlossen":                                                          {0, "unknown word, or known but not in this place"},
}

// TestParseReal reads every real text: all but those in refused, which is to
// be less than two of a hundred stores.
func TestParseReal(t *testing.T) {
	texts := realTexts(t)
	stores, read := 0, 0
	for _, r := range texts {
		stores += r.stores
		s, err := hours.Parse(r.text)
		want, isRefused := refused[r.text]
		var syntax *hours.SyntaxError
		switch {
		case err == nil && isRefused:
			t.Errorf("%q is read as %q", r.text, s)
		case err == nil:
			read += r.stores
		case !isRefused || !errors.As(err, &syntax):
			t.Error(err)
		case syntax.Text != r.text || syntax.Offset != want.offset || syntax.Why != want.why:
			t.Errorf("want byte %d, %s; got %v", want.offset, want.why, err)
		}
	}
	t.Logf("%d of %d distinct texts, %d of %d stores (%.2f %%) are read",
		len(texts)-len(refused), len(texts), read, stores, 100*float64(read)/float64(stores))
	if len(texts) != 179 || stores != 2653 || 100*read < 98*stores {
		t.Errorf("%d texts, %d of %d stores", len(texts), read, stores)
	}
}

// A twin says of one text what is open, in the dumbest way that fits the real
// texts: it takes each rule apart with a few expressions and paints the
// minutes of the day. It knows nothing of the parser, and fails the test on
// what it does not know itself.
type twin []twinRule

type twinRule struct {
	adds, off bool
	days      func(time.Time) bool
	times     [][2]int
}

var (
	twinAddition = regexp.MustCompile(`(?i)(\d\d:\d\d|off|closed)\s*,\s*(mo|tu|we|th|fr|sa|su|ph)`)
	twinDate     = regexp.MustCompile(`^(?:(20\d\d) )?(Jan|Feb|Mar|Jun|Sep|Oct|Dec)(?: (\d\d))?(?:-(Feb|Sep|Oct)?(?: ?(\d\d))?)?:?`)
	twinTimes    = regexp.MustCompile(`(?i)(?:(?:\d+:\d\d ?- ?\d+:\d\d,?)+|off|closed)$`)
	twinTime     = regexp.MustCompile(`(\d+):(\d\d) ?- ?(\d+):(\d\d)`)
)

func newTwin(t *testing.T, text string) (rules twin) {
	for _, part := range strings.Split(text, ";") {
		part = twinAddition.ReplaceAllString(part, "$1&$2")
		for i, one := range strings.Split(part, "&") {
			one = strings.TrimSpace(one)
			if one == "" {
				continue
			}
			rules = append(rules, newTwinRule(t, one))
			rules[len(rules)-1].adds = i > 0
		}
	}
	return rules
}

func newTwinRule(t *testing.T, text string) twinRule {
	days, times := text, twinTimes.FindString(text)
	days = strings.TrimSuffix(days, times)
	date := twinDate.FindStringSubmatch(days)
	if date != nil {
		days = strings.TrimPrefix(days, date[0])
	}
	r := twinRule{off: strings.EqualFold(times, "off") || strings.EqualFold(times, "closed")}
	for _, clock := range twinTime.FindAllStringSubmatch(times, -1) {
		var n [5]int
		for i := 1; i < 5; i++ {
			n[i], _ = strconv.Atoi(clock[i])
		}
		r.times = append(r.times, [2]int{60*n[1] + n[2], 60*n[3] + n[4]})
	}
	if r.off == (len(r.times) > 0) {
		t.Fatalf("the twin finds no times in %q", text)
	}
	onWeekday, onDate := twinWeekdays(t, days), twinDates(t, date)
	r.days = func(d time.Time) bool { return onWeekday(d) && onDate(d) }
	return r
}

// twinDates reads what twinDate found: year, month, day, month, day.
func twinDates(t *testing.T, m []string) func(time.Time) bool {
	if m == nil {
		return func(time.Time) bool { return true }
	}
	monthDay := func(month, day string) int {
		parsed, err := time.Parse("Jan", month)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(day)
		return 100*int(parsed.Month()) + n
	}
	year, _ := strconv.Atoi(m[1])
	from, to := monthDay(m[2], m[3]), monthDay(m[2], m[3])
	if m[4]+m[5] != "" {
		to = monthDay(cmp.Or(m[4], m[2]), m[5])
	}
	if to%100 == 0 {
		to += 31
	}
	return func(d time.Time) bool {
		today := 100*int(d.Month()) + d.Day()
		return (year == 0 || year == d.Year()) && today >= from && today <= to
	}
}

func twinWeekdays(t *testing.T, text string) func(time.Time) bool {
	names := strings.ToLower(strings.ReplaceAll(text, " ", ""))
	if names == "" {
		return func(time.Time) bool { return true }
	}
	if names == "phsu" {
		return func(d time.Time) bool { return d.Weekday() == time.Sunday && german(d) }
	}
	const week = "mo tu we th fr sa su"
	var found [7]bool
	var holidays, easter bool
	for name := range strings.SplitSeq(names, ",") {
		from, to, isRange := strings.Cut(name, "-")
		if !isRange {
			to = from
		}
		first, last := strings.Index(week, from), strings.Index(week, to)
		switch {
		case name == "ph":
			holidays = true
		case name == "easter-2days", name == "easter", name == "easter+1day":
			easter = true // all three stand in the one text that names it
		case len(from) != 2 || len(to) != 2 || first < 0 || last < first:
			t.Fatalf("the twin cannot read %q", text)
		default:
			for i := first / 3; i <= last/3; i++ {
				found[(i+1)%7] = true
			}
		}
	}
	return func(d time.Time) bool {
		offset := int(d.Sub(easterSunday(d.Year())).Hours() / 24)
		return found[d.Weekday()] || holidays && german(d) || easter && slices.Contains([]int{-2, 0, 1}, offset)
	}
}

// easterSunday is Gauss's rule as corrected by Lichtenberg, so that it is not
// the algorithm under test.
func easterSunday(year int) time.Time {
	k := year / 100
	m := 15 + (3*k+3)/4 - (8*k+13)/25
	s := 2 - (3*k+3)/4
	a := year % 19
	d := (19*a + m) % 30
	r := (d + a/11) / 29
	og := 21 + d - r
	sz := 7 - (year+year/4+s)%7
	oe := 7 - (og-sz)%7
	return time.Date(year, time.March, og+oe, 0, 0, 0, 0, time.UTC)
}

// german reports the holidays of all German states.
func german(d time.Time) bool {
	switch d.Format("01-02") {
	case "01-01", "05-01", "10-03", "12-25", "12-26":
		return true
	}
	offset := int(time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, time.UTC).Sub(easterSunday(d.Year())).Hours() / 24)
	return slices.Contains([]int{-2, 1, 39, 50}, offset)
}

// day paints the minutes of one day.
func (rules twin) day(d time.Time) (minutes [24 * 60]bool) {
	for _, r := range rules {
		if !r.days(d) {
			continue
		}
		if !r.adds || r.off {
			minutes = [24 * 60]bool{}
		}
		for _, times := range r.times {
			for m := times[0]; m < times[1]; m++ {
				minutes[m] = true
			}
		}
	}
	return minutes
}

// A trial holds a calendar against the twins of all texts that are read as its
// schedule.
type trial struct {
	hours.Calendar
	texts        []string
	twins        []twin
	minutes      [24 * 60]bool
	open, closed time.Time
	err          error
}

// paint asks the twins for the day; they have to agree.
func (c *trial) paint(d time.Time) {
	c.minutes = c.twins[0].day(d)
	for i, other := range c.twins[1:] {
		if other.day(d) != c.minutes && c.err == nil {
			c.err = fmt.Errorf("%q is read as %q, but differs on %v", c.texts[i+1], c.texts[0], d)
		}
	}
}

// compare holds Open and the spans of Next against the twin at one minute.
func (c *trial) compare(now time.Time, minute int) error {
	want := c.minutes[minute]
	if got := c.Open(now); got != want {
		return fmt.Errorf("%q: at %v Open says %v", c.texts[0], now, got)
	}
	if !now.Before(c.closed) {
		var ok bool
		if c.open, c.closed, ok = c.Next(now); !ok {
			c.open, c.closed = now.AddDate(1, 0, 0), now.AddDate(1, 0, 0)
		}
	}
	if inside := !now.Before(c.open) && now.Before(c.closed); inside != want {
		return fmt.Errorf("%q: at %v the twin says %v, Next %v to %v", c.texts[0], now, want, c.open, c.closed)
	}
	return nil
}

// againstTwin walks two years minute by minute in the zone and leaves the first
// difference of each trial in err.
func againstTwin(trials []*trial, firstYear int, zone *time.Location) {
	begin := time.Date(firstYear, time.January, 1, 0, 0, 0, 0, zone)
	end := begin.AddDate(2, 0, 0)
	today, failed := 0, 0
	for now := begin; now.Before(end) && failed < len(trials); now = now.Add(time.Minute) {
		year, month, day := now.Date()
		hour, minute, _ := now.Clock()
		newDay := today != day
		today = day
		for _, c := range trials {
			if newDay {
				c.paint(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
			}
			if c.err == nil {
				if c.err = c.compare(now, 60*hour+minute); c.err != nil {
					failed++
				}
			}
		}
	}
}

var yearInText = regexp.MustCompile(`20\d\d`)

// TestRealAgainstTwin checks every real text that is read against its twin,
// minute by minute, over two years: from the year it names on, or 2024 and
// 2025. Without the full counts it checks each thirtieth.
func TestRealAgainstTwin(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	var holidays [3000][12][31]bool
	for d := time.Date(2010, time.January, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2030; d = d.AddDate(0, 0, 1) {
		holidays[d.Year()][d.Month()-1][d.Day()-1] = german(d)
	}
	holiday := func(year int, month time.Month, day int) bool { return holidays[year][month-1][day-1] }
	trials := make(map[string]*trial) // by the canonical text
	byYear := make(map[int][]*trial)
	checked := 0
	for i, r := range realTexts(t) {
		if _, isRefused := refused[r.text]; isRefused || !scaletest.Full() && i%30 != 0 {
			continue
		}
		s := parse(t, r.text)
		c := trials[s.String()]
		if c == nil {
			c = &trial{Calendar: hours.Calendar{Schedule: s, Zone: berlin, Holiday: holiday}}
			trials[s.String()] = c
			year, _ := strconv.Atoi(cmp.Or(yearInText.FindString(r.text), "2024"))
			byYear[year] = append(byYear[year], c)
		}
		c.texts, c.twins = append(c.texts, r.text), append(c.twins, newTwin(t, r.text))
		checked++
	}
	for year, list := range byYear {
		againstTwin(list, year, berlin)
		for _, c := range list {
			if c.err != nil {
				t.Error(c.err)
			}
		}
	}
	t.Logf("%d texts checked, read as %d schedules", checked, len(trials))
}

// TestTwinCanary makes sure that the comparison sees an error: a place that
// opens an hour later, one that is closed on one holiday in two years, and one
// that closes a minute early.
func TestTwinCanary(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	for right, wrong := range map[string]string{
		"Mo-Sa 07:00-21:00":         "Mo-Sa 08:00-21:00",
		"Mo-Su 07:00-20:00":         "Mo-Su 07:00-20:00; 2025 Dec 26 off",
		"Mo-Sa 07:00-20:00; Su off": "Mo-Sa 07:00-19:59; Su off",
	} {
		c := &trial{texts: []string{right}, twins: []twin{newTwin(t, right)}}
		c.Calendar = hours.Calendar{Schedule: parse(t, wrong), Zone: berlin}
		againstTwin([]*trial{c}, 2024, berlin)
		if c.err == nil {
			t.Errorf("the canary lives: %q passes for %q", wrong, right)
		}
	}
}
