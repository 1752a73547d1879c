// Package hours reads opening hours as OpenStreetMap writes them and counts in
// open time: is it open, when does it open or close, at which instant have two
// hours of open time passed.
//
// [Parse] turns a text into a [Schedule]; [Understand] turns what shops write into
// such a text. A [Calendar] is a schedule with a time zone and holidays, and answers.
// The package reads no clock and loads no zone.
//
// # What is read
//
// The grammar is a part of that at
// https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification. Blanks
// may stand around separators, commas and dashes, case does not matter, and the
// times of a day may be written 8:00.
//
//	text     = rule { ( ";" | "," ) rule } [ ";" ]
//	rule     = ( "24/7" | [ wide [ ":" ] ] [ days [ ":" ] ] [ times ] )
//	           [ "off" | "closed" ] [ comment ]
//	wide     = [ years ] [ dates ] [ "week" weeks ]
//	years    = year { "," year }        year = YYYY | YYYY "+" | YYYY "-" YYYY [ "/" step ]
//	weeks    = week { "," week }        week = 01..53 [ "-" 01..53 [ "/" step ] ]
//	dates    = range { "," range }      range = date [ "-" date ]
//	date     = [ YYYY ] ( month [ 01..31 ] | 01..31 | "easter" [ ( "+" | "-" ) n ( "day" | "days" ) ] )
//	days     = day { "," day } | "PH" weekdays
//	day      = weekday [ "-" weekday ] | weekday "[" nth { "," nth } "]" | "PH"
//	nth      = 1..5 [ "-" 1..5 ] | "-" 1..5
//	times    = span { "," span }        span = HH:MM "-" HH:MM
//	comment  = a text in double quotes, in valid UTF-8
//
// A rule has times, or off, or both. Months and weekdays are written with
// three and two English letters, Jan and Mo. "PH" are public holidays;
// "PH Mo-Fr" those that fall on one of the weekdays, "Mo-Fr,PH" the weekdays and
// the holidays. A day without a month is of the month before it (Dec 24,31), and
// a year holds for all dates after it. Weeks are those of ISO 8601, n is at
// most 80.
//
// Limits: 4096 bytes, 64 rules, and 32 spans that could fall on one day.
//
// # What it means
//
// A span belongs to the day on which it begins. It ends on the next day if its
// end is not later than its begin, or is written as 24:00 to 48:00. The rules
// are applied in their order to each day that passes all that they name:
//
//   - a rule with times after ";" replaces what earlier rules gave the day;
//   - a rule with times after "," adds to it;
//   - off takes away all spans that begin on the day, and leaves the end of the
//     night before;
//   - off with times takes away these times of the wall clock, also from the
//     spans of the night before and the day after.
//
// A weekday is that weekday on a holiday too. So "Mo-Sa 07:00-21:00; PH off" is
// closed on holidays, but "PH off; Mo-Sa 07:00-21:00" is open on those that are
// no Sunday, as the specification has it.
//
// What a comment says is not understood: a rule with times and a comment is open
// at these times. Comments that speak of appointments are refused.
//
// # What is refused
//
// Whatever else there is, with a [SyntaxError] that says where and why: among it
// fallback rules (||), the states open and unknown, school holidays, times of
// the sun, open ends (20:00+), single points in time, intervals, moved holidays
// and weekdays (PH +1 day), ranges between numbered weekdays, rules that name
// days but no times, and free text. A text that is refused says nothing about
// when it is open; it is not closed.
//
// # Wall clocks that jump
//
// Times are times of the wall clock in the calendar's zone. A span is open from
// the first instant at which the clock shows its begin or anything later, up to
// the last before which the clock shows anything earlier than its end. So where
// a change skips 02:30, it opens or closes at the change. Where 02:30 comes
// twice, it opens at the first and closes at the second. A closing time to which
// the clock is set back exactly, as 02:00 if 03:00 becomes 02:00, is over the
// first time. A span or a day that a change skips whole does not exist. Lengths
// are always real: 00:00-10:00 is nine hours long in the night in which clocks
// go forward.
//
// # Why
//
// Why no table of open minutes: rules may name any year, and two integers per
// span are less than a cache line for a usual day. A question looks at the days
// it needs and no others, allocates nothing, and keeps nothing between calls, so
// a schedule can be shared by any number of locations. Why the horizon of 400
// days: a place that never opens has to be told from one that opens next
// Christmas, in a few microseconds.
package hours
