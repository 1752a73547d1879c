package calendar

import (
	"testing"
	"time"
)

func zoned(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestPeriodAt(t *testing.T) {
	for _, c := range []struct{ zone, at, begin, end string }{
		{"UTC", "2031-03-03T08:30:00Z", "2031-03-03T00:00:00Z", "2031-03-04T00:00:00Z"},
		{"Europe/Warsaw", "2031-03-03T23:30:00Z", "2031-03-03T23:00:00Z", "2031-03-04T23:00:00Z"},
		{"Europe/Warsaw", "2031-03-30T12:00:00Z", "2031-03-29T23:00:00Z", "2031-03-30T22:00:00Z"},    // 23 hours
		{"Europe/Warsaw", "2031-10-26T12:00:00Z", "2031-10-25T22:00:00Z", "2031-10-26T23:00:00Z"},    // 25 hours
		{"Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},     // midnight is skipped
		{"Africa/Cairo", "2026-04-23T21:59:00Z", "2026-04-22T22:00:00Z", "2026-04-23T22:00:00Z"},     //
		{"Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},     // the day before the skipped one
		{"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},     //
		{"Asia/Kathmandu", "2031-03-03T18:20:00Z", "2031-03-03T18:15:00Z", "2031-03-04T18:15:00Z"},   // 5:45 ahead
		{"America/New_York", "2031-03-03T04:59:59Z", "2031-03-02T05:00:00Z", "2031-03-03T05:00:00Z"}, //
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		begin, end := Day.At(at, zoned(t, c.zone))
		if b, e := begin.Format(time.RFC3339), end.Format(time.RFC3339); b != c.begin || e != c.end {
			t.Errorf("%s at %s: %s to %s, want %s to %s", c.zone, c.at, b, e, c.begin, c.end)
		}
	}
}

// TestPeriodsFollow walks two years of periods in zones whose clocks change by an
// hour, by half of one, and at midnight: each begins where the last one ended, and
// every instant of it finds it.
func TestPeriodsFollow(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Warsaw", "Australia/Lord_Howe", "Africa/Cairo", "America/New_York", "Asia/Kathmandu"} {
		zone := zoned(t, name)
		for _, per := range []Period{Day, Hour, HalfHour, QuarterHour} {
			begin, end := per.At(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), zone)
			for range 800 * 4 {
				if !begin.Before(end) || end.Sub(begin) > 25*time.Hour {
					t.Fatalf("%s, %v: from %v to %v", name, per, begin, end)
				}
				if b, e := per.At(end.Add(-1), zone); !b.Equal(begin) || !e.Equal(end) {
					t.Fatalf("%s, %v: the last instant of %v to %v is in %v to %v", name, per, begin, end, b, e)
				}
				next, after := per.At(end, zone)
				if !next.Equal(end) {
					t.Fatalf("%s, %v: %v is followed by %v", name, per, end, next)
				}
				begin, end = next, after
			}
		}
	}
}
