package hours_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
)

// parse reads a text that has to be understood.
func parse(t testing.TB, text string) *hours.Schedule {
	t.Helper()
	s, err := hours.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at reads "2006-01-02 15:04" as UTC.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

// 2024-05-01 is a Wednesday and, here, a public holiday.
func mayDay(_ int, month time.Month, day int) bool { return month == time.May && day == 1 }

func TestOpen(t *testing.T) {
	tests := []struct{ text, open, closed string }{
		{"24/7", "2024-05-01 00:00", ""},
		{"off", "", "2024-05-01 12:00"},
		{"Mo-Fr 08:00-12:00,13:00-18:00", "2024-05-02 11:59", "2024-05-02 12:00"},
		{"Mo-Fr 08:00-12:00,13:00-18:00", "2024-05-02 13:00", "2024-05-02 12:59"},
		{"Sa-Mo 10:00-11:00", "2024-05-06 10:30", "2024-05-07 10:30"},
		{"Th 22:00-02:00", "2024-05-03 01:59", "2024-05-03 02:00"},
		{"Th 22:00-26:00", "2024-05-03 01:59", "2024-05-02 01:00"},
		{"Th 10:00-48:00", "2024-05-03 23:59", "2024-05-04 00:00"},
		{"Th 08:00-08:00", "2024-05-03 07:59", "2024-05-03 08:00"},
		// A later rule replaces the day, a rule after a comma adds to it.
		{"Mo-Sa 08:00-20:00; Th 10:00-12:00", "2024-05-02 11:00", "2024-05-02 13:00"},
		{"Mo-Sa 08:00-12:00, Th 11:00-14:00", "2024-05-02 13:00", "2024-05-02 14:00"},
		{"Mo-Fr 08:00-20:00, Th 19:00-21:00, Fr off", "2024-05-02 20:30", "2024-05-03 10:00"},
		{"Mo-Fr 08:00-20:00; Th 12:00-13:00 off", "2024-05-02 13:00", "2024-05-02 12:30"},
		// Off for a whole day is for the spans that begin on it; off with
		// times is for the wall clock.
		{"Th 22:00-04:00; Fr off", "2024-05-03 03:00", "2024-05-03 04:00"},
		{"Th 22:00-04:00; Fr 01:00-02:00 off", "2024-05-03 02:00", "2024-05-03 01:00"},
		{"We-Th 00:00-24:00; We 22:00-02:00 off", "2024-05-02 02:00", "2024-05-02 01:59"},
		// Holidays.
		{"Mo-Sa 08:00-20:00; PH off", "2024-05-02 12:00", "2024-05-01 12:00"},
		{"Mo-Sa 08:00-20:00; Su,PH 10:00-12:00", "2024-05-01 11:00", "2024-05-01 13:00"},
		{"PH 10:00-16:00", "2024-05-01 10:00", "2024-05-02 10:00"},
		{"Mo-Sa 08:00-20:00; PH We off", "2024-05-02 12:00", "2024-05-01 12:00"},
		{"Mo-Sa 08:00-20:00; PH Su off", "2024-05-01 12:00", "2024-05-05 12:00"},
		{"PH off; Mo-Sa 08:00-20:00", "2024-05-01 12:00", "2024-05-05 12:00"},
		{"Tu 22:00-03:00; PH off", "2024-05-01 02:00", "2024-05-01 03:00"},
		// Dates.
		{"Dec 24 08:00-14:00", "2024-12-24 13:59", "2024-12-25 13:00"},
		{"Dec 24,31 08:00-14:00", "2024-12-31 13:59", "2024-12-30 13:00"},
		{"Dec 24-26 08:00-14:00", "2024-12-26 13:59", "2024-12-27 13:00"},
		{"Dec 24-Jan 02 08:00-14:00", "2025-01-02 13:59", "2025-01-03 13:00"},
		{"Dec 24-Jan 02 08:00-14:00", "2024-12-24 13:59", "2024-12-23 13:00"},
		{"Nov-Feb 08:00-14:00", "2024-02-29 13:00", "2024-03-01 13:00"},
		{"Feb 29 08:00-14:00", "2024-02-29 13:00", "2025-02-28 13:00"},
		{"Feb 29 08:00-14:00", "2024-02-29 13:00", "2025-03-01 13:00"},
		{"Feb 15-29 08:00-14:00", "2025-02-28 13:00", "2025-03-01 13:00"},
		{"Jun-Aug Mo-Fr 08:00-14:00", "2024-06-03 13:00", "2024-06-02 13:00"},
		{"2024 Jun 08:00-14:00", "2024-06-30 13:00", "2025-06-30 13:00"},
		{"2023 Dec 24-Jan 02 08:00-14:00", "2024-01-02 13:00", "2025-01-02 13:00"},
		{"2023 Dec 24-2025 Jan 02 08:00-14:00", "2024-06-02 13:00", "2025-01-03 13:00"},
		{"2024-2026/2 08:00-14:00", "2026-06-02 13:00", "2025-06-02 13:00"},
		{"2025+ Mo-Su 08:00-14:00", "2026-06-02 13:00", "2024-06-02 13:00"},
		{"easter 08:00-14:00", "2024-03-31 13:00", "2024-04-01 13:00"},
		{"easter -2 days,easter +1 day 08:00-14:00", "2025-04-21 13:00", "2025-04-20 13:00"},
		{"easter -2 days - easter +1 day 08:00-14:00", "2025-04-20 13:00", "2025-04-22 13:00"},
		{"easter +39 days 08:00-14:00", "2024-05-09 13:00", "2024-05-08 13:00"},
		{"Jan 10-easter 08:00-14:00", "2024-03-31 13:00", "2024-04-01 13:00"},
		// Weeks and numbered weekdays. 2020 had a week 53 into 2021.
		{"week 53 08:00-14:00", "2021-01-03 13:00", "2021-01-04 13:00"},
		{"week 02-10/2 Mo 08:00-14:00", "2024-01-22 13:00", "2024-01-15 13:00"},
		{"Sa[1] 08:00-14:00", "2024-06-01 13:00", "2024-06-08 13:00"},
		{"Sa[2,4] 08:00-14:00", "2024-06-22 13:00", "2024-06-29 13:00"},
		{"Sa[-1] 08:00-14:00", "2024-06-29 13:00", "2024-06-22 13:00"},
		{"Oct Su[-1] 08:00-14:00", "2024-10-27 13:00", "2024-11-24 13:00"},
		{"Sa[5] 08:00-14:00", "2024-06-29 13:00", "2024-07-27 13:00"},
	}
	for _, test := range tests {
		c := hours.Calendar{Schedule: parse(t, test.text), Holiday: mayDay}
		if test.open != "" && !c.Open(at(t, test.open)) {
			t.Errorf("%s: closed at %s", test.text, test.open)
		}
		if test.closed != "" && c.Open(at(t, test.closed)) {
			t.Errorf("%s: open at %s", test.text, test.closed)
		}
	}
}

func TestNext(t *testing.T) {
	tests := []struct{ text, at, open, close string }{
		{"Mo-Sa 08:00-20:00", "2024-05-02 07:00", "2024-05-02 08:00", "2024-05-02 20:00"},
		{"Mo-Sa 08:00-20:00", "2024-05-02 08:00", "2024-05-02 08:00", "2024-05-02 20:00"},
		{"Mo-Sa 08:00-20:00", "2024-05-02 19:59", "2024-05-02 08:00", "2024-05-02 20:00"},
		{"Mo-Sa 08:00-20:00", "2024-05-02 20:00", "2024-05-03 08:00", "2024-05-03 20:00"},
		{"Mo-Sa 08:00-20:00", "2024-05-04 20:00", "2024-05-06 08:00", "2024-05-06 20:00"},
		{"Mo-Fr 08:00-12:00,13:00-18:00", "2024-05-02 12:30", "2024-05-02 13:00", "2024-05-02 18:00"},
		// Spans that touch or overlap are one, however many days.
		{"Fr 22:00-26:00; Sa 02:00-05:00", "2024-05-04 03:00", "2024-05-03 22:00", "2024-05-04 05:00"},
		{"Fr 00:00-24:03; Sa 00:00-00:01 off; Sa 00:00-00:01", "2024-05-04 00:00", "2024-05-03 00:00", "2024-05-04 00:03"},
		{"Fr 22:00-26:00; Sa 00:00-01:00 off; Sa 00:30-00:45,03:00-04:00", "2024-05-04 00:00", "2024-05-04 00:30", "2024-05-04 00:45"},
		{"Fr 22:00-26:00; Sa 00:00-01:00 off; Sa 00:30-00:45,03:00-04:00", "2024-05-04 00:45", "2024-05-04 01:00", "2024-05-04 02:00"},
		{"Fr 22:00-26:00; Sa 00:00-01:00 off; Sa 00:30-00:45,03:00-04:00", "2024-05-04 02:00", "2024-05-04 03:00", "2024-05-04 04:00"},
		{"Mo-Fr 00:00-24:00", "2024-05-02 12:00", "2024-04-29 00:00", "2024-05-04 00:00"},
		{"Mo-Fr 00:00-24:00", "2024-05-05 12:00", "2024-05-06 00:00", "2024-05-11 00:00"},
		{"Jun 00:00-24:00", "2024-06-29 12:00", "2024-06-01 00:00", "2024-07-01 00:00"},
		{"2024 00:00-24:00", "2024-12-30 12:00", "2024-01-01 00:00", "2025-01-01 00:00"},
		{"2024+ 00:00-24:00", "2025-12-30 12:00", "2024-11-25 12:00", "2027-02-03 12:00"},
		{"24/7", "2024-05-02 12:00", "2023-03-29 12:00", "2025-06-06 12:00"},
		{"2026 Jun 06 08:00-09:00", "2025-05-02 08:30", "2026-06-06 08:00", "2026-06-06 08:30"},
		{"2026 Jun 06 08:00-09:00", "2025-05-02 08:00", "", ""},
		{"2026 Jun 06 08:00-09:00", "2026-06-06 09:00", "", ""},
		{"off", "2024-05-02 12:00", "", ""},
	}
	for _, test := range tests {
		c := hours.Calendar{Schedule: parse(t, test.text)}
		open, closed, ok := c.Next(at(t, test.at))
		got := fmt.Sprint(ok)
		want := fmt.Sprint(test.open != "")
		if ok {
			got = open.Format("2006-01-02 15:04 ") + closed.Format("2006-01-02 15:04")
			want = test.open + " " + test.close
		}
		if got != want {
			t.Errorf("%s at %s: got %s, want %s", test.text, test.at, got, want)
		}
	}
}

func TestAdd(t *testing.T) {
	tests := []struct {
		text, at string
		work     time.Duration
		done     string
	}{
		{"Mo-Sa 08:00-20:00", "2024-05-02 10:00", 90 * time.Minute, "2024-05-02 11:30"},
		{"Mo-Sa 08:00-20:00", "2024-05-02 06:00", 90 * time.Minute, "2024-05-02 09:30"},
		{"Mo-Sa 08:00-20:00", "2024-05-02 19:00", time.Hour, "2024-05-02 20:00"},
		{"Mo-Sa 08:00-20:00", "2024-05-02 19:00", 90 * time.Minute, "2024-05-03 08:30"},
		{"Mo-Sa 08:00-20:00", "2024-05-04 19:00", 14 * time.Hour, "2024-05-07 09:00"},
		{"Mo-Sa 08:00-20:00", "2024-05-04 21:00", 0, "2024-05-04 21:00"},
		{"Mo-Sa 08:00-20:00", "2024-05-04 19:00", -time.Minute, ""},
		{"24/7", "2024-05-04 21:00", 5 * time.Hour, "2024-05-05 02:00"},
		{"24/7", "2024-05-04 21:00", -1, ""},
		{"Mo-Su 00:00-24:00; Jan 1 off", "2024-05-04 21:00", 365 * 24 * time.Hour, "2025-05-05 21:00"},
		{"Mo-Su 10:00-34:00", "2024-05-04 21:00", 2000 * 24 * time.Hour, "2029-10-25 21:00"},
		{"Mo-Su 10:00-48:00", "2024-05-04 21:00", 2000 * 24 * time.Hour, "2029-10-25 21:00"},
		{"2024 May 5-7 10:00-11:00", "2024-05-04 21:00", 3 * time.Hour, "2024-05-07 11:00"},
		{"2024 May 5-7 10:00-11:00", "2024-05-04 21:00", 3*time.Hour + 1, ""},
		{"Mo-Sa 08:00-20:00", "2024-05-04 19:00", math.MaxInt64, ""},
		{"off", "2024-05-04 19:00", 1, ""},
	}
	for _, test := range tests {
		c := hours.Calendar{Schedule: parse(t, test.text)}
		begin := at(t, test.at)
		done, ok := c.Add(begin, test.work)
		switch {
		case ok != (test.done != ""):
			t.Errorf("%s at %s, add %v: got %v %v", test.text, test.at, test.work, done, ok)
		case ok && !done.Equal(at(t, test.done)):
			t.Errorf("%s at %s, add %v: got %v, want %s", test.text, test.at, test.work, done, test.done)
		case ok && c.Between(begin, done) != test.work:
			t.Errorf("%s at %s, add %v: between is %v", test.text, test.at, test.work, c.Between(begin, done))
		case ok && c.Between(done, begin) != -test.work:
			t.Errorf("%s at %s, add %v: backwards is %v", test.text, test.at, test.work, c.Between(done, begin))
		}
	}
	c := hours.Calendar{Schedule: parse(t, "Mo-Sa 08:00-20:00")}
	begin := at(t, "2024-05-02 19:59").Add(59*time.Second + 999)
	if done, _ := c.Add(begin, time.Second); !done.Equal(at(t, "2024-05-03 08:00").Add(999)) {
		t.Errorf("nanoseconds are lost: %v", done)
	}
}

func TestAlwaysOpen(t *testing.T) {
	now := at(t, "2024-05-04 21:00")
	for _, c := range []hours.Calendar{{}, {Schedule: parse(t, "00:00-24:00")}, {Schedule: parse(t, "Mo-Su,PH 00:00-24:00")}} {
		if !c.Open(now) || c.Between(now, now.Add(time.Hour)) != time.Hour {
			t.Errorf("%v is not always open", c.Schedule)
		}
		open, closed, ok := c.Next(now)
		if !ok || now.Sub(open) != 400*24*time.Hour || closed.Sub(now) != 400*24*time.Hour {
			t.Errorf("%v: the next span is %v to %v, %v", c.Schedule, open, closed, ok)
		}
	}
	if got := (*hours.Schedule)(nil).String(); got != "24/7" {
		t.Errorf("a nil schedule is written as %q", got)
	}
}

func TestCalendarAllocatesNothing(t *testing.T) {
	zone := zone(t, "Europe/Berlin")
	c := hours.Calendar{Schedule: parse(t, "Mo-Sa 07:00-21:00; Su,PH off"), Zone: zone, Holiday: mayDay}
	for _, now := range []time.Time{at(t, "2024-05-04 21:00"), at(t, "2024-10-27 02:00")} {
		if n := testing.AllocsPerRun(100, func() {
			c.Open(now)
			c.Next(now)
			c.Add(now, 20*time.Hour)
			c.Between(now, now.Add(100*time.Hour))
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
