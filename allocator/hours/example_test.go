package hours_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
)

func ExampleParse() {
	schedule, err := hours.Parse("Mo-Fr 8:00-12:00, 13:00-18:00; Sa 08:00-14:00; Dec 24,31 08:00-12:00; Su,PH closed")
	fmt.Println(schedule, err)

	_, err = hours.Parse("Mo-Fr 08:00-sunset")
	var syntax *hours.SyntaxError
	fmt.Println(errors.As(err, &syntax), err)
	// Output:
	// Mo-Fr 08:00-12:00,13:00-18:00; Sa 08:00-14:00; Dec 24,Dec 31 08:00-12:00; Su,PH off <nil>
	// true hours: cannot read "Mo-Fr 08:00-sunset" at byte 12: times of the sun are not supported
}

func ExampleCalendar_Add() {
	schedule, err := hours.Parse("Mo-Sa 07:00-21:00; PH off")
	if err != nil {
		fmt.Println(err)
		return
	}
	calendar := hours.Calendar{
		Schedule: schedule,
		Zone:     time.FixedZone("CEST", 2*60*60),
		Holiday: func(_ int, month time.Month, day int) bool {
			return month == time.May && day == 1
		},
	}
	ordered := time.Date(2024, time.April, 30, 20, 15, 0, 0, calendar.Zone)
	ready, ok := calendar.Add(ordered, 2*time.Hour) // of which 45 minutes are left today
	fmt.Println(ready.Format(time.RFC1123), ok)
	// Output: Thu, 02 May 2024 08:15:00 CEST true
}

func ExampleCalendar_Next() {
	schedule, err := hours.Parse("Fr,Sa 22:00-03:00")
	if err != nil {
		fmt.Println(err)
		return
	}
	calendar := hours.Calendar{Schedule: schedule}
	open, closed, ok := calendar.Next(time.Date(2024, time.May, 1, 12, 0, 0, 0, time.UTC))
	fmt.Println(open.Format(time.DateTime), closed.Format(time.DateTime), ok)
	// Output: 2024-05-03 22:00:00 2024-05-04 03:00:00 true
}
