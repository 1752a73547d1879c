package allocator

import (
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
)

// The times that callers may give: those that are whole milliseconds of engine time
// other than 0, which is none, up to the last one of a year of four digits.
var firstTime, lastTime = time.UnixMilli(1), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)

const inYears = "must be in the years 1970 to 9999"

// inTime reports whether a caller may give a time; the zero time stands for none.
func inTime(t time.Time) bool { return t.IsZero() || !t.Before(firstTime) && !t.After(lastTime) }

// checkTime refuses a time that is out of range. It would be kept as another one.
func checkTime(field string, t time.Time) error {
	if inTime(t) {
		return nil
	}
	return &InvalidError{Field: field, Value: t.String(), Why: inYears}
}

// millis is a time as engine time; the zero time is 0.
func millis(t time.Time) int64 { return gate.Millis(t) }

// fromMillis is engine time as it is told to callers; 0 is the zero time.
func fromMillis(ms int64) time.Time { return gate.FromMillis(ms) }
