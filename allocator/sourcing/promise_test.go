package sourcing

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

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

// instant reads a time with its offset.
func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05 -0700", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// promises are a site in Warsaw (+1, +2 from the last Sunday of March), open
// on weekdays from 9 to 17, an order, and the promise.
var promises = []struct {
	name   string
	zone   string
	hours  string
	prep   time.Duration
	cutOff time.Duration
	change func(*Candidate)
	now    string
	want   string
	reason Reason
}{
	{name: "at once", now: "2026-03-02 10:00:00 +0100", want: "2026-03-02 10:00:00 +0100"},
	{name: "before opening", now: "2026-03-02 08:00:00 +0100", prep: time.Hour, want: "2026-03-02 10:00:00 +0100"},
	{name: "prep over night", now: "2026-03-02 16:30:00 +0100", prep: time.Hour, want: "2026-03-03 09:30:00 +0100"},
	{name: "ready when it closes", now: "2026-03-02 16:00:00 +0100", prep: time.Hour, want: "2026-03-03 09:00:00 +0100"},
	{name: "sent when it closes", now: "2026-03-02 16:00:00 +0100", prep: time.Hour, want: "2026-03-02 17:00:00 +0100",
		change: func(c *Candidate) { c.Request.Form = Ship }},
	{name: "over a weekend", now: "2026-03-06 16:30:00 +0100", prep: time.Hour, want: "2026-03-09 09:30:00 +0100"},
	{name: "over the weekend of the change", now: "2026-03-27 16:30:00 +0100", prep: time.Hour, want: "2026-03-30 09:30:00 +0200"},
	{name: "work in the night that is short", hours: "24/7", now: "2026-03-29 01:30:00 +0100", prep: time.Hour, want: "2026-03-29 03:30:00 +0200"},
	{name: "work in the night that is long", hours: "24/7", now: "2026-10-25 02:30:00 +0200", prep: time.Hour, want: "2026-10-25 02:30:00 +0100"},

	{name: "at the cut-off", now: "2026-03-02 15:00:00 +0100", cutOff: 15 * time.Hour, want: "2026-03-02 15:00:00 +0100"},
	{name: "after the cut-off", now: "2026-03-02 15:00:01 +0100", cutOff: 15 * time.Hour, want: "2026-03-03 09:00:00 +0100"},
	{name: "a nanosecond after the cut-off", now: "2026-03-02 15:00:00 +0100", cutOff: 15 * time.Hour, want: "2026-03-03 09:00:00 +0100",
		change: func(c *Candidate) { c.Request.Now = c.Request.Now.Add(1) }},
	{name: "no work at all", now: "2026-03-02 10:00:00 +0100", prep: -time.Hour, want: "2026-03-02 10:00:00 +0100"},
	{name: "after it, when it never sleeps", hours: "24/7", now: "2026-03-02 15:00:01 +0100", cutOff: 15 * time.Hour, want: "2026-03-03 00:00:00 +0100"},
	{name: "clock before the cut-off on the short day", now: "2026-03-29 15:00:00 +0200", hours: "24/7", cutOff: 15 * time.Hour, want: "2026-03-29 15:00:00 +0200"},
	{name: "clock after the cut-off on the short day", now: "2026-03-29 15:00:01 +0200", hours: "24/7", cutOff: 15 * time.Hour, want: "2026-03-30 00:00:00 +0200"},
	{name: "clock before the cut-off on the long day", now: "2026-10-25 15:00:00 +0100", hours: "24/7", cutOff: 15 * time.Hour, want: "2026-10-25 15:00:00 +0100"},
	{name: "clock after the cut-off on the long day", now: "2026-10-25 15:00:01 +0100", hours: "24/7", cutOff: 15 * time.Hour, want: "2026-10-26 00:00:00 +0100"},
	{name: "a midnight that is skipped", zone: "America/Sao_Paulo", hours: "24/7", now: "2018-11-03 20:00:00 -0300", cutOff: time.Hour, want: "2018-11-04 01:00:00 -0200"},
	{name: "a midnight that comes twice", zone: "America/Havana", hours: "24/7", now: "2025-11-01 20:00:00 -0400", cutOff: time.Hour, want: "2025-11-02 00:00:00 -0400"},
	{name: "and in the east", zone: "Asia/Amman", hours: "24/7", now: "2021-10-28 20:00:00 +0300", cutOff: time.Hour, want: "2021-10-29 00:00:00 +0300"},
	{name: "a day that is skipped", zone: "Pacific/Apia", hours: "24/7", now: "2011-12-29 20:00:00 -1000", cutOff: time.Hour, want: "2011-12-31 00:00:00 +1400"},
	{name: "New Year", zone: "Pacific/Apia", hours: "24/7", now: "2025-12-31 20:00:00 +1300", cutOff: time.Hour, want: "2026-01-01 00:00:00 +1300"},

	{name: "sent", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, want: "2026-03-04 11:00:00 +0100",
		change: func(c *Candidate) { c.Request.Form, c.Site.Delivery = Ship, 48*time.Hour }},
	{name: "brought", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, want: "2026-03-02 14:00:00 +0100",
		change: func(c *Candidate) { bring(c, "Mo-Fr 09:00-17:00", 3*time.Hour) }},
	{name: "brought when the store is closed", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, want: "2026-03-03 09:00:00 +0100",
		change: func(c *Candidate) { bring(c, "Mo-Fr 09:00-17:00", 6*time.Hour) }},
	{name: "brought by night to a store that is open", now: "2026-03-06 16:00:00 +0100", prep: time.Hour, want: "2026-03-07 01:00:00 +0100",
		change: func(c *Candidate) { bring(c, "24/7", 8*time.Hour) }},
	{name: "not brought: it is there", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, want: "2026-03-02 11:00:00 +0100",
		change: func(c *Candidate) {
			c.Request.Form, c.Request.At, c.Site.Transfer = ShipToStore, c.Site, 9*time.Hour
		}},
	{name: "brought nowhere", now: "2026-03-02 10:00:00 +0100", reason: NoSuchForm,
		change: func(c *Candidate) { c.Request.Form = ShipToStore }},
	{name: "never open", hours: "off", now: "2026-03-02 10:00:00 +0100", reason: Closed},
	{name: "the store never open", now: "2026-03-02 10:00:00 +0100", reason: Closed,
		change: func(c *Candidate) { bring(c, "off", 0) }},

	{name: "just in time", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, want: "2026-03-02 11:00:00 +0100",
		change: func(c *Candidate) { c.Request.NeededBy = c.Request.Now.Add(time.Hour) }},
	{name: "just too late", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, reason: Late,
		change: func(c *Candidate) { c.Request.NeededBy = c.Request.Now.Add(time.Hour - 1) }},
	{name: "in the window", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, want: "2026-03-02 14:00:00 +0100",
		change: func(c *Candidate) { c.Request.Window = c.Request.Now.Add(4 * time.Hour) }},
	{name: "just before the window", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, want: "2026-03-02 11:00:00 +0100",
		change: func(c *Candidate) { c.Request.Window = c.Request.Now.Add(time.Hour) }},
	{name: "after the window begins", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, reason: Late,
		change: func(c *Candidate) { c.Request.Window = c.Request.Now.Add(time.Hour - 1) }},
	{name: "the window too late", now: "2026-03-02 10:00:00 +0100", prep: time.Hour, reason: Late,
		change: func(c *Candidate) {
			c.Request.Window, c.Request.NeededBy = c.Request.Now.Add(4*time.Hour), c.Request.Now.Add(3*time.Hour)
		}},
}

func bring(c *Candidate, open string, transfer time.Duration) {
	calendar := c.Site.Calendar
	calendar.Schedule, _ = hours.Parse(open) // TestPromise parses the same first
	c.Request.Form, c.Request.At = ShipToStore, &Site{ID: "chosen", Calendar: calendar}
	c.Site.Transfer = transfer
}

func TestPromise(t *testing.T) {
	for _, open := range []string{"Mo-Fr 09:00-17:00", "24/7", "off"} {
		schedule(t, open)
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			if p.zone == "" {
				p.zone = "Europe/Warsaw"
			}
			if p.hours == "" {
				p.hours = "Mo-Fr 09:00-17:00"
			}
			c := &Candidate{
				Site: &Site{ID: "x", Calendar: hours.Calendar{Schedule: schedule(t, p.hours), Zone: zone(t, p.zone)},
					Prep: p.prep, CutOff: p.cutOff},
				Request: &Request{Now: instant(t, p.now)},
				Ready:   monday, Start: monday,
			}
			if p.change != nil {
				p.change(c)
			}
			got, reason := c.Promise(1)
			var want time.Time
			if p.reason == 0 {
				want = instant(t, p.want)
			}
			if !got.Equal(want) || reason != p.reason || c.Ready != got {
				t.Errorf("got %v, %v, kept %v, want %v, %v", got.In(zone(t, p.zone)), reason, c.Ready, want, p.reason)
			}
			if reason == 0 && (got.Location() != time.UTC || c.Start.Location() != time.UTC || c.Room != -1) {
				t.Errorf("not in UTC, or room %d", c.Room)
			}
		})
	}
}

// TestRoom: a full period pushes the work on, and what is found is kept.
func TestRoom(t *testing.T) {
	hour := func(at time.Time) time.Time { return at.Truncate(time.Hour).Add(time.Hour) }
	fullUntil := func(end time.Time, left int64) func(*Site, time.Time, int) (int64, time.Time) {
		return func(_ *Site, at time.Time, lines int) (int64, time.Time) {
			if at.Before(end) || lines > 5 {
				return 0, hour(at)
			}
			return left, hour(at)
		}
	}
	open := hours.Calendar{Schedule: schedule(t, "Mo-Fr 09:00-17:00")}
	half := monday.Add(30 * time.Minute)
	for _, test := range []struct {
		name         string
		room         func(*Site, time.Time, int) (int64, time.Time)
		lines        int
		start, ready time.Time
		left         int64
		reason       Reason
	}{
		{"not full", fullUntil(monday, 3), 1, half, half.Add(time.Hour), 3, 0},
		{"not limited", fullUntil(monday, -9), 1, half, half.Add(time.Hour), -1, 0},
		{"full this hour", fullUntil(monday.Add(time.Hour), 2), 1, monday.Add(time.Hour), monday.Add(2 * time.Hour), 2, 0},
		{"full today", fullUntil(monday.Add(7*time.Hour), 1), 1, monday.Add(23 * time.Hour), monday.Add(24 * time.Hour), 1, 0},
		{"late today", fullUntil(monday.Add(6*time.Hour+1), 1), 1, monday.Add(23 * time.Hour), monday.Add(24 * time.Hour), 1, 0},
		{"never so many lines", fullUntil(monday, 3), 6, time.Time{}, time.Time{}, -1, Full},
		{"a period without an end", func(*Site, time.Time, int) (int64, time.Time) { return 0, time.Time{} }, 1, time.Time{}, time.Time{}, -1, Full},
	} {
		c := &Candidate{Site: &Site{Calendar: open, Prep: time.Hour}, Request: &Request{Now: half, Room: test.room}}
		got, reason := c.Promise(test.lines)
		if !got.Equal(test.ready) || !c.Start.Equal(test.start) || reason != test.reason || c.Room != test.left {
			t.Errorf("%s: got %v from %v, room %d, %v", test.name, got, c.Start, c.Room, reason)
		}
		c.Request.NeededBy = half.Add(90 * time.Minute) // until 12:00
		got, reason = c.Promise(test.lines)
		want := test.reason
		if test.ready.After(c.Request.NeededBy) || test.name == "never so many lines" {
			want = Late // it is full periods that make it late
		}
		if reason != want || want == 0 && !got.Equal(test.ready) {
			t.Errorf("%s, needed by noon: got %v, %v, want %v", test.name, got, reason, want)
		}
		c.Request.NeededBy = half.Add(59 * time.Minute)
		if _, reason = c.Promise(test.lines); reason != Late {
			t.Errorf("%s, needed before it can be ready: %v", test.name, reason)
		}
	}
	var asked int
	c := &Candidate{Site: new(Site), Request: &Request{Now: half, Room: func(_ *Site, at time.Time, _ int) (int64, time.Time) {
		asked++
		return 0, at.Add(time.Nanosecond)
	}}}
	if _, reason := c.Promise(1); reason != Full || asked != 366 {
		t.Errorf("%v after %d periods", reason, asked)
	}
}

// minutely is a twin of Promise that walks through time minute by minute, and
// knows nothing but whether it is open then.
func minutely(c *Candidate) (time.Time, Reason) {
	const far = 20 * 24 * 60
	r, s, at := c.Request, c.Site, c.Request.Now
	local := at.In(s.Calendar.Zone)
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	for day := local.Format(time.DateOnly); s.CutOff > 0 && clock > s.CutOff && at.In(s.Calendar.Zone).Format(time.DateOnly) <= day; {
		at = at.Add(time.Minute)
	}
	until := func(ok func() bool) bool {
		for range far {
			if ok() {
				return true
			}
			at = at.Add(time.Minute)
		}
		return false
	}
	started := until(func() bool {
		left, _ := r.Room(s, at, 1)
		return s.Calendar.Open(at) && left != 0
	})
	if !started {
		return time.Time{}, Closed
	}
	worked := time.Duration(0)
	if !until(func() bool {
		if worked == s.Prep {
			return true
		}
		if s.Calendar.Open(at) {
			worked += time.Minute
		}
		return false
	}) {
		return time.Time{}, Closed
	}
	calendar := s.Calendar
	switch r.Form {
	case ShipToStore:
		at = at.Add(s.Transfer)
		calendar = r.At.Calendar
	case Ship:
		at = at.Add(s.Delivery)
		calendar = hours.Calendar{}
	}
	if !until(func() bool { return calendar.Open(at) }) {
		return time.Time{}, Closed
	}
	return at, 0
}

// TestTwinCanary: the twin sees a promise that forgets the cut-off.
func TestTwinCanary(t *testing.T) {
	site := Site{Calendar: hours.Calendar{Zone: time.UTC}, CutOff: time.Hour}
	r := &Request{Now: monday, Form: Ship, Room: func(*Site, time.Time, int) (int64, time.Time) { return 1, monday }}
	want, _ := minutely(&Candidate{Site: &site, Request: r})
	forgetful := site
	forgetful.CutOff = 0
	if got, _ := (&Candidate{Site: &forgetful, Request: r}).Promise(1); got.Equal(want) {
		t.Error("the canary lives")
	}
}

// TestPromiseTwin compares promises with the minute-by-minute twin, around the
// nights on which clocks change.
func TestPromiseTwin(t *testing.T) {
	type change struct {
		zone *time.Location
		at   time.Time
	}
	var changes []change
	for _, c := range [][2]string{
		{"Europe/Warsaw", "2026-03-29"}, {"Europe/Warsaw", "2026-10-25"}, {"America/Sao_Paulo", "2018-11-04"},
		{"America/Havana", "2025-11-02"}, {"America/Havana", "2025-03-09"}, {"Pacific/Apia", "2011-12-31"}, {"Asia/Amman", "2021-10-29"},
		{"Australia/Lord_Howe", "2026-04-05"}, {"Australia/Lord_Howe", "2026-10-04"}, {"UTC", "2026-02-28"},
	} {
		at, err := time.ParseInLocation(time.DateOnly, c[1], zone(t, c[0]))
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, change{zone(t, c[0]), at})
	}
	var schedules []*hours.Schedule
	for _, text := range []string{"24/7", "Mo-Fr 09:00-17:00", "Mo-Su 22:00-03:00", "Mo-Su 00:00-02:30,05:00-08:00", "off"} {
		schedules = append(schedules, schedule(t, text))
	}
	rapid.Check(t, func(t *rapid.T) {
		around := rapid.SampledFrom(changes).Draw(t, "change")
		minutes := func(name string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Minute
		}
		calendar := func(name string) hours.Calendar {
			return hours.Calendar{Zone: around.zone, Schedule: rapid.SampledFrom(schedules).Draw(t, name)}
		}
		now := around.at.Add(minutes("now", 4*24*60) - 48*time.Hour).Truncate(time.Minute)
		full := minutes("full", 600)
		length := minutes("period", 58) + 2*time.Minute // at most 300 full ones
		c := &Candidate{
			Site: &Site{ID: "x", Calendar: calendar("hours"), Prep: minutes("prep", 600), CutOff: minutes("cut-off", 24*60),
				Transfer: minutes("transfer", 3000), Delivery: minutes("delivery", 3000)},
			Request: &Request{Now: now, Form: Form(rapid.IntRange(0, 2).Draw(t, "form")), At: &Site{ID: "y", Calendar: calendar("store's hours")},
				Room: func(_ *Site, at time.Time, _ int) (int64, time.Time) {
					end := now.Add((at.Sub(now)/length + 1) * length)
					if end.Sub(now) <= full {
						return 0, end
					}
					return 1, end
				}},
		}
		got, reason := c.Promise(1)
		want, wanted := minutely(c)
		if !got.Equal(want) || reason != wanted {
			t.Fatalf("got %v, %v, want %v, %v", got.In(around.zone), reason, want.In(around.zone), wanted)
		}
	})
}
