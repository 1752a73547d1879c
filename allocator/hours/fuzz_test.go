package hours

import (
	"encoding/csv"
	"os"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no zones
)

// FuzzParse demands of any text that Parse does not panic, that what it reads
// is written so that it is read again as the same, and that Open, Next, Add and
// Between agree about it at any time in some zones.
func FuzzParse(f *testing.F) {
	file, err := os.Open("testdata/lidl_de_opening_hours.csv")
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		f.Fatal(err)
	}
	for i, row := range rows[1:] {
		f.Add(row[0], int64(1_700_000_000+i*100_000), uint8(i))
	}
	for i, text := range []string{
		"24/7", "Mo-Su 00:00-24:00", "Mo-Su 10:00-34:00", "We 22:00-48:00; Th 01:00-02:00 off",
		`2023 Dec 24-Jan 02,05 week 01-53/2 Sa[1,-1],PH 10:00-26:00 "x", easter -2 days-easter off`,
		"Dec 29-31 00:00-24:00", "PH Mo-Fr 02:30-02:45", "00:00-02:15,02:45-24:00",
	} {
		for _, at := range []int64{1_711_846_800, 1_729_990_800, 1_325_239_200} {
			f.Add(text, at, uint8(i))
		}
	}
	var zones []*time.Location
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana"} {
		z, err := time.LoadLocation(name)
		if err != nil {
			f.Fatal(err)
		}
		zones = append(zones, z)
	}
	f.Fuzz(func(t *testing.T, text string, at int64, pick uint8) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		roundTrip(t, s)
		c := Calendar{Schedule: s, Zone: zones[int(pick)%len(zones)]}
		c.Holiday = func(year int, month time.Month, day int) bool { return (year+int(month)+day)%9 == 0 }
		// Between the years 1 and 9999.
		const first, last = -62_000_000_000, 253_000_000_000
		if at < first || at > last {
			at = first + at&(1<<37)
		}
		agree(t, c, time.Unix(at, 0))
	})
}

// agree holds the methods of a calendar against each other around one instant.
func agree(t *testing.T, c Calendar, now time.Time) {
	t.Helper()
	open, closed, ok := c.Next(now)
	if isOpen := c.Open(now); isOpen != (ok && !open.After(now)) {
		t.Fatalf("%v at %v: open is %v, but the next span %v to %v, %v", c.Schedule, now, isOpen, open, closed, ok)
	}
	if !ok {
		if got := c.Between(now, now.Add(horizon*time.Second)); got != 0 {
			t.Fatalf("%v at %v: nothing comes next, but it is open for %v", c.Schedule, now, got)
		}
		return
	}
	if !closed.After(now) || !open.Before(closed) {
		t.Fatalf("%v at %v: the next span is %v to %v", c.Schedule, now, open, closed)
	}
	from := open
	if from.Before(now) {
		from = now
	}
	whole := closed.Sub(now) < horizon*time.Second
	isCut := now.Sub(open) == horizon*time.Second
	if !isCut && c.Open(open.Add(-1)) || !c.Open(from) || !c.Open(closed.Add(-1)) || whole && c.Open(closed) {
		t.Fatalf("%v at %v: Open differs from the next span %v to %v", c.Schedule, now, open, closed)
	}
	length := closed.Sub(from)
	if got := c.Between(now, closed); got != length {
		t.Fatalf("%v at %v: between it and %v are %v, want %v", c.Schedule, now, closed, got, length)
	}
	for _, work := range []time.Duration{1, length / 3, length} {
		if done, ok := c.Add(now, work); !ok || !done.Equal(from.Add(work)) {
			t.Fatalf("%v at %v: add %v gives %v, %v", c.Schedule, now, work, done, ok)
		}
	}
	more := length + time.Hour
	if done, ok := c.Add(now, more); ok && c.Between(now, done) != more {
		t.Fatalf("%v at %v: add %v gives %v, between are %v", c.Schedule, now, more, done, c.Between(now, done))
	}
}
