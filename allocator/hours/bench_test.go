package hours_test

import (
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
)

const (
	usualText = "Mo-Sa 07:00-21:00; Su,PH off"
	longText  = "Mo-Fr 07:00-12:00,13:00-20:00; Sa 08:00-14:00; Dec 24,31 08:00-13:00; Sa[1] 08:00-18:00; easter -1 day 08:00-16:00; PH off"
)

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"usual": usualText, "long": longText} {
		b.Run("text="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := hours.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// forCalendars measures f at three moments: while it is open, in the night
// before a Sunday, and on the day of a clock change.
func forCalendars(b *testing.B, f func(c hours.Calendar, now time.Time)) {
	berlin := zone(b, "Europe/Berlin")
	for name, text := range map[string]string{"usual": usualText, "long": longText} {
		c := hours.Calendar{Schedule: parse(b, text), Zone: berlin, Holiday: mayDay}
		for when, now := range map[string]time.Time{
			"open":   at(b, "2024-05-02 10:00"),
			"closed": at(b, "2024-05-04 20:00"),
			"change": at(b, "2024-10-27 03:00"),
		} {
			b.Run("text="+name+"/at="+when, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f(c, now)
				}
			})
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	forCalendars(b, func(c hours.Calendar, now time.Time) { c.Open(now) })
}

func BenchmarkNext(b *testing.B) {
	forCalendars(b, func(c hours.Calendar, now time.Time) { c.Next(now) })
}

// BenchmarkAdd adds two hours of preparation.
func BenchmarkAdd(b *testing.B) {
	forCalendars(b, func(c hours.Calendar, now time.Time) { c.Add(now, 2*time.Hour) })
}

// BenchmarkNextNever asks a place that never opens: the worst case.
func BenchmarkNextNever(b *testing.B) {
	c := hours.Calendar{Schedule: parse(b, "off"), Zone: zone(b, "Europe/Berlin")}
	now := at(b, "2024-05-02 10:00")
	b.ReportAllocs()
	for b.Loop() {
		c.Next(now)
	}
}
