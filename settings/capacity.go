package settings

import (
	"fmt"
	"time"
)

// Window is a pickup window: a span of time in which so many customers can come
// to a location. An order names it by its start, so a location has one window
// from each start on.
type Window struct {
	Location string
	Start    time.Time     // in whole seconds
	Length   time.Duration // in whole minutes, 1 minute to 7 days
	Places   int64         // orders at most, 0 to 100,000; 0: none any more
}

// WindowState is a window and what there is left of it.
type WindowState struct {
	Window
	// Taken is the places that orders have, or had until they were collected. It is
	// above Places after these were lowered.
	Taken int64
	// Free is the places an order can still take: Places − Taken, at least 0.
	Free int64
}

// Period is the span of time over which the work of a location is counted, by
// the clock of its time zone. Where the clock is changed, an hour or a part of
// one ends, and the next one begins; a day is 23 or 25 hours long.
type Period uint8

// The periods. The zero value is Day.
const (
	Day         Period = iota // from midnight to midnight
	Hour                      // from full hour to full hour
	HalfHour                  // likewise
	QuarterHour               //
	periods
)

// Valid reports whether there is such a period.
func (p Period) Valid() bool { return p < periods }

// String is the period in words.
func (p Period) String() string {
	switch p {
	case Day:
		return "day"
	case Hour:
		return "hour"
	case HalfHour:
		return "half hour"
	case QuarterHour:
		return "quarter of an hour"
	}
	return fmt.Sprintf("Period(%d)", uint8(p))
}

// Capacity is how much a location can process in each period. An order counts in
// the period in which the work on it begins; each of its parts counts as an order
// at the part's location.
type Capacity struct {
	Location string
	Per      Period
	Orders   int64 // at most, 0 to 100,000; 0: not limited
	Lines    int64 // of orders, at most, 0 to 1,000,000,000; 0: not limited
}
