package hours_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no zones

	"github.com/clickcollect/clickcollect/allocator/hours"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestClockChanges reads off the real length of spans over the days on which
// the wall clock jumps. Instants are in UTC.
func TestClockChanges(t *testing.T) {
	const berlin, newYork, lordHowe, apia, havana = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana"
	tests := []struct{ zone, text, at, open, close string }{
		// Berlin, 2024-03-31: 02:00 +1 becomes 03:00 +2 at 01:00 UTC.
		{berlin, "00:00-10:00", "2024-03-30 23:30", "2024-03-30 23:00", "2024-03-31 08:00"},
		{berlin, "02:30-05:00", "2024-03-31 00:00", "2024-03-31 01:00", "2024-03-31 03:00"},
		{berlin, "22:00-02:30", "2024-03-30 22:00", "2024-03-30 21:00", "2024-03-31 01:00"},
		{berlin, "02:10-02:50", "2024-03-30 22:00", "2024-04-01 00:10", "2024-04-01 00:50"},
		{berlin, "07:00-20:00", "2024-03-30 22:00", "2024-03-31 05:00", "2024-03-31 18:00"},
		// Berlin, 2024-10-27: 03:00 +2 becomes 02:00 +1 at 01:00 UTC.
		{berlin, "00:00-10:00", "2024-10-27 00:30", "2024-10-26 22:00", "2024-10-27 09:00"},
		{berlin, "02:30-05:00", "2024-10-27 00:00", "2024-10-27 00:30", "2024-10-27 04:00"},
		{berlin, "22:00-02:30", "2024-10-27 01:15", "2024-10-26 20:00", "2024-10-27 01:30"},
		{berlin, "22:00-02:00", "2024-10-26 21:00", "2024-10-26 20:00", "2024-10-27 00:00"},
		{berlin, "22:00-03:00", "2024-10-26 21:00", "2024-10-26 20:00", "2024-10-27 02:00"},
		{berlin, "03:00-05:00", "2024-10-26 21:00", "2024-10-27 02:00", "2024-10-27 04:00"},
		{berlin, "02:10-02:20", "2024-10-27 00:00", "2024-10-27 00:10", "2024-10-27 01:20"},
		{berlin, "07:00-20:00", "2024-10-27 03:00", "2024-10-27 06:00", "2024-10-27 19:00"},
		// New York, 2024-03-10: 02:00 -5 becomes 03:00 -4 at 07:00 UTC.
		{newYork, "00:00-10:00", "2024-03-10 06:00", "2024-03-10 05:00", "2024-03-10 14:00"},
		{newYork, "02:30-05:00", "2024-03-10 06:00", "2024-03-10 07:00", "2024-03-10 09:00"},
		{newYork, "22:00-02:30", "2024-03-10 06:59", "2024-03-10 03:00", "2024-03-10 07:00"},
		// New York, 2024-11-03: 02:00 -4 becomes 01:00 -5 at 06:00 UTC.
		{newYork, "00:00-10:00", "2024-11-03 06:00", "2024-11-03 04:00", "2024-11-03 15:00"},
		{newYork, "01:30-05:00", "2024-11-03 05:00", "2024-11-03 05:30", "2024-11-03 10:00"},
		{newYork, "22:00-01:30", "2024-11-03 06:00", "2024-11-03 02:00", "2024-11-03 06:30"},
		// Lord Howe, 2024-10-06: 02:00 +10:30 becomes 02:30 +11 at 15:30 UTC.
		{lordHowe, "00:00-10:00", "2024-10-05 14:00", "2024-10-05 13:30", "2024-10-05 23:00"},
		{lordHowe, "02:15-05:00", "2024-10-05 14:00", "2024-10-05 15:30", "2024-10-05 18:00"},
		{lordHowe, "22:00-02:15", "2024-10-05 14:00", "2024-10-05 11:30", "2024-10-05 15:30"},
		// Lord Howe, 2024-04-07: 02:00 +11 becomes 01:30 +10:30 at 15:00 UTC.
		{lordHowe, "00:00-10:00", "2024-04-06 14:00", "2024-04-06 13:00", "2024-04-06 23:30"},
		{lordHowe, "01:45-05:00", "2024-04-06 14:00", "2024-04-06 14:45", "2024-04-06 18:30"},
		{lordHowe, "22:00-01:45", "2024-04-06 15:10", "2024-04-06 11:00", "2024-04-06 15:15"},
		// Apia, 2011-12-30 does not exist: 24:00 of the 29th, -10, is 00:00 of
		// the 31st, +14, at 10:00 UTC.
		{apia, "08:00-20:00", "2011-12-30 06:00", "2011-12-30 18:00", "2011-12-31 06:00"},
		{apia, "Dec 30 08:00-20:00", "2011-12-01 00:00", "2012-12-29 18:00", "2012-12-30 06:00"},
		{apia, "Fr 08:00-20:00", "2011-12-24 12:00", "2012-01-05 18:00", "2012-01-06 06:00"},
		{apia, "Dec 29 22:00-26:00", "2011-12-30 09:00", "2011-12-30 08:00", "2011-12-30 10:00"},
		{apia, "Dec 30 22:00-26:00", "2011-12-30 09:00", "2011-12-30 10:00", "2011-12-30 12:00"},
		{apia, "Dec 29 22:00-24:00; Dec 31 00:00-01:00", "2011-12-30 09:00", "2011-12-30 08:00", "2011-12-30 11:00"},
		// Havana, 2024-03-10: 00:00 becomes 01:00 at 05:00 UTC.
		{havana, "00:00-10:00", "2024-03-10 04:00", "2024-03-10 05:00", "2024-03-10 14:00"},
		// Havana, 2024-11-03: 01:00 becomes 00:00 at 05:00 UTC.
		{havana, "00:00-10:00", "2024-11-03 04:30", "2024-11-03 04:00", "2024-11-03 15:00"},
		{havana, "10:00-24:00", "2024-11-03 04:30", "2024-11-03 15:00", "2024-11-04 05:00"},
		// It shows 00:00 again, but nothing before it.
		{havana, "23:00-24:00", "2024-11-03 03:30", "2024-11-03 03:00", "2024-11-03 04:00"},
	}
	for _, test := range tests {
		c := hours.Calendar{Schedule: parse(t, test.text), Zone: zone(t, test.zone)}
		open, closed, ok := c.Next(at(t, test.at))
		if !ok || !open.Equal(at(t, test.open)) || !closed.Equal(at(t, test.close)) {
			t.Errorf("%s, %s at %s: got %v to %v (%v), want %s to %s", test.zone, test.text, test.at, open.UTC(), closed.UTC(), ok, test.open, test.close)
			continue
		}
		length := closed.Sub(open)
		if c.Open(open.Add(-1)) || !c.Open(open) || !c.Open(closed.Add(-1)) || c.Open(closed) {
			t.Errorf("%s, %s: Open differs from Next", test.zone, test.text)
		}
		if done, ok := c.Add(open, length); !ok || !done.Equal(closed) || c.Between(open, closed) != length {
			t.Errorf("%s, %s: Add gives %v after %v", test.zone, test.text, done, length)
		}
	}
}
