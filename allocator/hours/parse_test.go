package hours

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestString reads texts, compares what they are written as, and reads that
// again.
func TestString(t *testing.T) {
	tests := []struct{ text, want string }{
		{"24/7", "24/7"},
		{"00:00-24:00", "24/7"},
		{"0:00-00:00", "24/7"},
		{"24/7 closed", "24/7 off"},
		{"Off", "off"},
		{" mo-fr\t8:00 - 12:00 , 13:00-18:00 ;; ", ""},
		{" mo-fr\t8:00 - 12:00 , 13:00-18:00 ; ", "Mo-Fr 08:00-12:00,13:00-18:00"},
		{"Mo-Fr: 08:00-12:00", "Mo-Fr 08:00-12:00"},
		{"Sa-Mo 10:00-11:00", "Mo,Sa,Su 10:00-11:00"},
		{"Mo,Tu,We,Fr 10:00-11:00", "Mo-We,Fr 10:00-11:00"},
		{"Su-Sa off", "Mo-Su off"},
		{"Sa,PH,Su off", "Sa,Su,PH off"},
		{"PH Mo-Fr,Su[1] off", "PH Mo-Fr,Su[1] off"},
		{"Sa[1, 3-4,-1] 10:00-11:00", "Sa[1,3,4,-1] 10:00-11:00"},
		{"Sa[1],Sa 10:00-11:00", "Sa 10:00-11:00"},
		{"Mo 12:00-14:00,08:00-13:00,14:00-15:00", "Mo 08:00-15:00"},
		{"Mo 22:00-02:00", "Mo 22:00-02:00"},
		{"Mo 22:00-26:00", "Mo 22:00-02:00"},
		{"Mo 22:00-22:00", "Mo 22:00-22:00"},
		{"Mo 10:00-40:00", "Mo 10:00-40:00"},
		{"Mo 10:00-48:00", "Mo 10:00-48:00"},
		{"Mo 10:00-24:00", "Mo 10:00-24:00"},
		{"Mo 10:00-00:00", "Mo 10:00-24:00"},
		{"Dec 24,31 off", "Dec 24,Dec 31 off"},
		{"Dec 24-26,31: off", "Dec 24-Dec 26,Dec 31 off"},
		{"Dec 24-Jan 2 off", "Dec 24-Jan 02 off"},
		{"Jun-Aug,Oct off", "Jun-Aug,Oct off"},
		{"2023 Jun 11-Sep 06 off", "2023 Jun 11-Sep 06 off"},
		{"2023 Dec 24-Jan 2, Jan 6 off", "2023 Dec 24-Jan 02,2024 Jan 06 off"},
		{"2023 Dec 24-2024 Jan 2, 6 off", "2023 Dec 24-2024 Jan 02,2024 Jan 06 off"},
		{"Jun 1, 2024 Jul 3 off", "Jun 01,2024 Jul 03 off"},
		{"2023,2025 Jun off", "2023,2025 Jun off"},
		{"2023-2027/2,2030+ Mo off", "2023-2027/2,2030+ Mo off"},
		{"9999 off", "9999 off"},
		{"2024 week 1-9/2, 20 Mo: 08:00-09:00", "2024 week 01-09/2,20 Mo 08:00-09:00"},
		{"easter-1 day,easter + 2 days off", "easter -1 day,easter +2 days off"},
		{"easter-Dec 31 off", "easter-Dec 31 off"},
		{"2024 easter -2 days-easter +1 day off", "2024 easter -2 days-easter +1 day off"},
		{`Mo 08:00-09:00 "ring, please"; Tu off "never on; Tuesday", We off`, `Mo 08:00-09:00 "ring, please"; Tu off "never on; Tuesday", We off`},
		{"Mo 08:00-09:00, Tu,PH 09:00-10:00, week 3 off", "Mo 08:00-09:00, Tu,PH 09:00-10:00, week 03 off"},
	}
	for _, test := range tests {
		s, err := Parse(test.text)
		if err != nil {
			if test.want != "" {
				t.Error(err)
			}
			continue
		}
		if got := s.String(); got != test.want {
			t.Errorf("%q is written as %q, want %q", test.text, got, test.want)
		}
		roundTrip(t, s)
	}
}

// roundTrip demands that what a schedule is written as is read as an equal one.
func roundTrip(t *testing.T, s *Schedule) {
	t.Helper()
	again, err := Parse(s.String())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, again) {
		t.Fatalf("%q is read as %+v, but was written from %+v", s.String(), again, s)
	}
}

// A refusal is a text that is not read, and what is said of it.
type refusal struct {
	text   string
	offset int
	why    string
}

const noWord = "unknown word, or known but not in this place"

// refusedTimes are refused for their times, words and weekdays.
func refusedTimes() []refusal {
	return []refusal{
		{"", 0, "want times, off or closed"},
		{";", 0, "want times, off or closed"},
		{"Mo-Fr", 5, "want times, off or closed"},
		{"Mo-Fr 08:00-12:00;; PH off", 18, "want times, off or closed"},
		{"Mo-Fr 08:00-12:00,", 18, "want times, off or closed"},
		{"Mo-Fr 08:00-12:00 Sa 10:00-12:00", 18, noWord},
		{"Mo-Fr open", 6, "the state open is not supported"},
		{"Mo-Fr 08:00-12:00 open", 18, "the state open is not supported"},
		{"Mo-Fr 08:00-12:00 unknown", 18, "the state unknown is not supported"},
		{`Mo-Fr "by the bell"`, 6, "a comment in the place of times says nothing that can be kept to"},
		{`Mo-Fr 08:00-12:00 "by Appointment"`, 18, "open by appointment only is not supported"},
		{`Mo-Fr 08:00-12:00 "nach Vereinbarung"`, 18, "open by appointment only is not supported"},
		{`Mo-Fr 08:00-12:00 "no end`, 18, "the comment has no end"},
		{`Mo-Fr 08:00-12:00 || Sa 10:00-12:00`, 18, "fallback rules are not supported"},
		{"Mo-Fr 08:00+", 11, "an open end is not supported"},
		{"Mo-Fr 08:00-12:00+", 17, "an open end or a moved day is not supported"},
		{"Mo-Fr 08:00-12:00/30", 17, "intervals are not supported"},
		{"Mo-Fr 08:00", 6, "a point in time is not a span"},
		{"Mo-Fr 08:00-12:00,13:00", 18, "a point in time is not a span"},
		{"Mo-Fr 08:00-", 12, "want the time at which the span ends"},
		{"Mo-Fr 08:00-12", 12, "want the time at which the span ends"},
		{"Mo-Fr 08:00-sunset", 12, "times of the sun are not supported"},
		{"Mo-Fr sunrise-20:00", 6, "times of the sun are not supported"},
		{"Mo-Fr (sunrise-01:00)-20:00", 6, "times of the sun are not supported"},
		{"Mo-Fr 24:00-25:00", 6, "want an hour from 0 to 23"},
		{"Mo-Fr 08:60-25:00", 9, "want minutes from 0 to 59"},
		{"Mo-Fr 08:0-25:00", 9, "want two digits of minutes"},
		{"Mo-Fr 08:00-48:01", 12, "later than 48:00"},
		{"Mo-Fr 08:00-49:00", 12, "want an hour from 0 to 48"},
		{"Mo-Fr 8-12", 6, "want times, off or closed"},
		{"Mo-Fr 08.00-12.00", 6, "want times, off or closed"},
		{"Mo–Fr 08:00-12:00", 0, noWord},
		{"Mon-Fri 08:00-12:00", 0, noWord},
		{"Mo-Fr,08:00-12:00", 6, "want a weekday or PH"},
		{"Mo-08:00", 3, "after the dash want a weekday"},
		{"Mo-Fr[1] 08:00-12:00", 5, "a range of weekdays cannot be numbered"},
		{"Mo[6] 08:00-12:00", 3, "want a number of the weekday in its month from 1 to 5"},
		{"Mo[1 08:00-12:00", 4, "want ] or a comma"},
		{"Mo[1] +1 day 08:00-12:00", 6, "want times, off or closed"},
	}
}

// refusedDates are refused for their dates, or for their size.
func refusedDates() []refusal {
	many := func(n int, one string) string { return strings.Repeat(one+";", n-1) + one }
	return []refusal{
		{"PH +1 day off", 3, "want times, off or closed"},
		{"SH off", 0, "school holidays are not supported"},
		{"Su,SH off", 3, "school holidays are not supported"},
		{"Su PH off", 3, noWord},
		{"PH Su,PH off", 6, "want a weekday"},
		{"off off", 4, "the rule is off already or names no days"},
		{`off "closed", 10:00-12:00`, 14, "after a comma a rule has to name its days"},
		{"Feb 30 off", 4, "want a day of the month from 1 to 29"},
		{"Jun 31 off", 4, "want a day of the month from 1 to 30"},
		{"2023 Feb 29 off", 0, "that year has no 29 February"},
		{"2024 Feb 28-2023 Mar 1 off", 0, "the range ends before it begins"},
		{"Dec 24-2024 Mar 1 off", 0, "the range has a year at its end only"},
		{"Dec 24-Su off", 6, "after the dash want a date"},
		{"Dec 24,Su off", 6, "after the comma want a date"},
		{"Dec-24 off", 4, "a day without a month"},
		{"easter,24 off", 7, "a day without a month"},
		{"easter +2 off", 10, "want days"},
		{"easter +81 days off", 8, "want days from 1 to 80"},
		{"easter +1 day-easter -1 day off", 0, "the range ends before it begins"},
		{"easter-Apr 24 off", 0, "in some years Easter is too late for this range"},
		{"Mar 23-easter off", 0, "in some years Easter is too early for this range"},
		{"2024-2023 off", 5, "the range ends before it begins, or where it begins"},
		{"2024-2024 Jun off", 5, "the range ends before it begins, or where it begins"},
		{"0000 off", 0, "want a year from 1 to 9999"},
		{"9999+ Jun off", 4, "want times, off or closed"},
		{"2024,Jun off", 4, "after the comma want a year"},
		{"Jun 1,2024 off", 11, "after the year want a month or easter"},
		{"week 54 off", 5, "want a week from 1 to 53"},
		{"week 50-02 off", 8, "the range ends before it begins, or where it begins"},
		{"Mo-Fr 24/7", 6, "want times, off or closed"},
		{"24/7 8", 5, "want the end of the rule"},
		{"\x00", 0, "want times, off or closed"},
		{"Mo \xff", 3, noWord},
		{"Mo off \"\u017c\xc5\"", 7, "the comment is not valid UTF-8"},
		{many(65, "Mo off"), 64 * 7, "more than 64 rules"},
		{"Mo " + strings.Repeat("08:00-09:00,", 32) + "08:00-09:00", 3 + 32*12, "more than 32 spans"},
		{many(11, "Mo 08:00-09:00 off"), 0, "one day could have more than 32 spans"},
		{strings.Repeat(" ", 4097), 4096, "the text is longer than 4096 bytes"},
	}
}

// TestSyntaxError holds each refusal to its place and its reason.
func TestSyntaxError(t *testing.T) {
	tests := append(refusedTimes(), refusedDates()...)
	for _, test := range tests {
		s, err := Parse(test.text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q is read as %q", test.text, s)
			continue
		}
		if s != nil || *syntax != (SyntaxError{test.text, test.offset, test.why}) {
			t.Errorf("want byte %d, %s; got %v", test.offset, test.why, err)
		}
	}
	_, err := Parse("Mo sunrise")
	if want := `hours: cannot read "Mo sunrise" at byte 3: times of the sun are not supported`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestRoundTripCanary makes sure that the comparison of roundTrip sees a
// difference of one minute.
func TestRoundTripCanary(t *testing.T) {
	a, errA := Parse("Mo 08:00-12:00")
	b, errB := Parse("Mo 08:00-12:01")
	if errA != nil || errB != nil || reflect.DeepEqual(a, b) {
		t.Error("the canary lives")
	}
}

// The error of a long text shows what stands about the place.
func TestLongTextsAreShownInPart(t *testing.T) {
	text := strings.Repeat("Mo 08:00-09:00; ", 60)
	for _, c := range []struct{ text, want string }{
		{"Mo 25:00", `hours: cannot read "Mo 25:00" at byte`},
		{text + "Xx", `hours: cannot read …"` + text[:64] + `Xx" at byte 960`},
		{"Xx " + text, `hours: cannot read "Xx ` + text[:61] + `"… at byte 0`},
		{strings.Repeat("é", 1000), `hours: cannot read "` + strings.Repeat("é", 32) + `"… at byte 0`},
		{strings.Repeat("x", 1<<20), `hours: cannot read …"` + strings.Repeat("x", 128) + `"… at byte 4096`},
	} {
		if _, err := Parse(c.text); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %.400v\nwant %s", err, c.want)
		}
	}
}
