package hours

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Understand reads opening hours as shops write them, "Mon–Fri 9am to 5pm, Sat 10-14,
// Sun closed", and says what it has understood in the notation that [Parse] reads: show
// it to whoever wrote the text, and keep that. What Parse reads already comes back as it
// is, without blanks around it.
//
// Days may be written out or short, in English, German or Polish; as "daily",
// "weekdays", "weekend" or "holidays"; and as ranges and lists. Times may have a colon, a
// point or an h, or none of them, and am or pm; "noon", "midnight", "24 hours" and "24/7"
// are read. Ranges may have any dash, "to" or "until". A text of days alone says that it
// is open all day.
//
// It does not guess: "9-5" could end in the afternoon or be a night, "8-10pm" could begin
// in the morning, and both are refused. The error is a *SyntaxError.
func Understand(text string) (canonical string, err error) {
	if _, err := Parse(text); err == nil {
		return strings.TrimSpace(text), nil
	}
	u := understanding{text: text}
	if len(text) > maxText {
		return "", u.fail(maxText, "the text is longer than 4096 bytes")
	}
	if err := u.tokens(); err != nil {
		return "", err
	}
	if err := u.rules(); err != nil {
		return "", err
	}
	canonical = strings.Join(u.out, "; ")
	if _, err := Parse(canonical); err != nil {
		return "", u.fail(0, fmt.Sprintf("it seems to say %q, which is refused", canonical))
	}
	return canonical, nil
}

// understanding is a text being read.
type understanding struct {
	text string
	all  []token
	at   int
	out  []string // rules
}

// A token is a word or a sign.
type token struct {
	kind   tokenKind
	offset int
	days   string // of a day or a set of days
	number int    // of a time: minutes since midnight; of a day: its number from Monday
	bare   bool   // a time of hours alone, at most 12, with neither am nor pm
	half   byte   // 'a' or 'p' of a time that says so
}

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenDay              // a weekday
	tokenSet              // days by one word, holidays among them
	tokenTime             // a time of day
	tokenDash             // from one to the other
	tokenAnd              // and another
	tokenRule             // the next rule begins
	tokenColon            // between days and times
	tokenClosed           //
	tokenAllDay           // around the clock
)

func (u *understanding) fail(offset int, why string) error {
	return &SyntaxError{Text: u.text, Offset: offset, Why: why}
}

// dayNames are the names of the days in English and German, which may be cut off after
// two letters; dayWords are those that are read as they are.
var (
	dayNames = [7][2]string{
		{"monday", "montag"}, {"tuesday", "dienstag"}, {"wednesday", "mittwoch"}, {"thursday", "donnerstag"},
		{"friday", "freitag"}, {"saturday", "samstag"}, {"sunday", "sonntag"},
	}
	dayWords = map[string]int{
		"weds": 2, "mondays": 0, "tuesdays": 1, "wednesdays": 2, "thursdays": 3, "fridays": 4, "saturdays": 5, "sundays": 6,
		"poniedziałek": 0, "pon": 0, "pn": 0, "wtorek": 1, "wt": 1, "środa": 2, "śr": 2, "czwartek": 3, "czw": 3, "cz": 3,
		"piątek": 4, "pt": 4, "sobota": 5, "sob": 5, "niedziela": 6, "niedz": 6, "ndz": 6, "nd": 6,
	}
)

// words are all other words that are understood. What is "" says nothing.
var words = map[string]token{
	"daily": {kind: tokenSet, days: "Mo-Su"}, "everyday": {kind: tokenSet, days: "Mo-Su"}, "täglich": {kind: tokenSet, days: "Mo-Su"}, "codziennie": {kind: tokenSet, days: "Mo-Su"},
	"weekday": {kind: tokenSet, days: "Mo-Fr"}, "weekdays": {kind: tokenSet, days: "Mo-Fr"}, "werktags": {kind: tokenSet, days: "Mo-Sa"},
	"weekend": {kind: tokenSet, days: "Sa-Su"}, "weekends": {kind: tokenSet, days: "Sa-Su"},
	"ph": {kind: tokenSet, days: "PH"}, "holiday": {kind: tokenSet, days: "PH"}, "holidays": {kind: tokenSet, days: "PH"}, "feiertage": {kind: tokenSet, days: "PH"}, "feiertags": {kind: tokenSet, days: "PH"}, "święta": {kind: tokenSet, days: "PH"},
	"to": {kind: tokenDash}, "till": {kind: tokenDash}, "til": {kind: tokenDash}, "until": {kind: tokenDash}, "through": {kind: tokenDash}, "thru": {kind: tokenDash}, "bis": {kind: tokenDash},
	"and": {kind: tokenAnd}, "und": {kind: tokenAnd}, "oraz": {kind: tokenAnd}, "i": {kind: tokenAnd},
	"closed": {kind: tokenClosed}, "off": {kind: tokenClosed}, "geschlossen": {kind: tokenClosed}, "zu": {kind: tokenClosed}, "nieczynne": {kind: tokenClosed}, "zamknięte": {kind: tokenClosed},
	"noon": {kind: tokenTime, number: 12 * 60}, "midday": {kind: tokenTime, number: 12 * 60}, "midnight": {kind: tokenTime, number: 0},
	"nonstop": {kind: tokenAllDay}, "always": {kind: tokenAllDay},
	"open": {}, "opening": {}, "hours": {}, "hour": {}, "hrs": {}, "from": {}, "von": {}, "od": {}, "between": {}, "on": {}, "at": {}, "uhr": {}, "public": {}, "bank": {}, "every": {}, "day": {}, "days": {}, "the": {},
}

// tokens takes the text apart.
func (u *understanding) tokens() error {
	for i := 0; i < len(u.text); {
		r, size := utf8.DecodeRuneInString(u.text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return u.fail(i, "the text is not valid UTF-8")
		case r >= '0' && r <= '9':
			n, err := u.number(i)
			if err != nil {
				return err
			}
			i = n
			continue
		case unicode.IsLetter(r):
			n, err := u.word(i)
			if err != nil {
				return err
			}
			i = n
			continue
		case strings.ContainsRune("-–—‒―‑−~", r):
			u.add(token{kind: tokenDash, offset: i})
		case strings.ContainsRune(",&+/", r):
			u.add(token{kind: tokenAnd, offset: i})
		case strings.ContainsRune(";|", r):
			u.add(token{kind: tokenRule, offset: i})
		case r == ':':
			u.add(token{kind: tokenColon, offset: i})
		case unicode.IsSpace(r), strings.ContainsRune(".()'’", r):
		default:
			return u.fail(i, fmt.Sprintf("%q is not understood", r))
		}
		i += size
	}
	u.all = append(u.all, token{kind: tokenEnd, offset: len(u.text)})
	return nil
}

func (u *understanding) add(t token) { u.all = append(u.all, t) }

// word reads a word and returns the offset behind it.
func (u *understanding) word(i int) (next int, err error) {
	next = u.wordEnd(i)
	name := strings.ToLower(u.text[i:next])
	if t, ok := words[name]; ok {
		if t.kind != tokenEnd {
			t.offset = i
			u.add(t)
		}
		return next, nil
	}
	day, ok := dayWords[name]
	for d := 0; d < len(dayNames) && !ok; d++ {
		for _, full := range dayNames[d] {
			if len(name) >= 2 && strings.HasPrefix(full, name) {
				day, ok = d, true
			}
		}
	}
	if ok {
		u.add(token{kind: tokenDay, offset: i, number: day})
		return next, nil
	}
	return 0, u.fail(i, fmt.Sprintf("%q is not understood", u.text[i:next]))
}

// number reads a time of day, or that it is open around the clock, and returns the
// offset behind it.
func (u *understanding) number(i int) (next int, err error) {
	c, next, err := u.dial(i)
	if err != nil {
		return 0, err
	}
	rest := strings.ToLower(u.text[next:])
	tail := strings.TrimLeft(rest, " ")
	blanks := len(rest) - len(tail)
	if c.hour == 24 && !c.minutes {
		if strings.HasPrefix(rest, "/7") {
			u.add(token{kind: tokenAllDay, offset: i})
			return next + len("/7"), nil
		}
		if c.h || slices.ContainsFunc([]string{"h", "std", "godz"}, func(hours string) bool { return strings.HasPrefix(tail, hours) }) {
			u.add(token{kind: tokenAllDay, offset: i})
			return u.wordEnd(next + blanks), nil
		}
	}
	half := byte(0)
	if n := halfOf(tail); n > 0 {
		half = tail[0]
		next += blanks + n
	}
	t, why := c.time(half)
	if why != "" {
		return 0, u.fail(i, why)
	}
	t.offset = i
	u.add(t)
	return next, nil
}

// A dial is a time as it is written, before it is known whether it is am or pm.
type dial struct {
	hour, minute int
	minutes      bool // it says them
	h            bool // it is written with an h behind the hours
}

// dial reads digits, and minutes behind a colon, a point or an h.
func (u *understanding) dial(i int) (c dial, next int, err error) {
	next = u.digits(i)
	c.hour = u.value(i, next)
	switch n := next - i; {
	case n > 4:
		return c, 0, u.fail(i, "a number this long is no time of day")
	case n > 2:
		c.hour, c.minute, c.minutes = c.hour/100, c.hour%100, true
	case next < len(u.text) && strings.ContainsRune(":.hH", rune(u.text[next])):
		switch end := u.digits(next + 1); {
		case end == next+3:
			c.minute, c.minutes, next = u.value(next+1, end), true, end
		case u.text[next]|0x20 == 'h' && (end > next+1 || !beginsWord(u.text[next+1:])):
			c.h = true
			next++
		}
	}
	return c, next, nil
}

// digits is the offset behind the digits at i.
func (u *understanding) digits(i int) int {
	for i < len(u.text) && u.text[i] >= '0' && u.text[i] <= '9' {
		i++
	}
	return i
}

// value is the number that digits make, of the first few of them.
func (u *understanding) value(from, to int) (n int) {
	for _, digit := range []byte(u.text[from:min(to, from+5)]) {
		n = 10*n + int(digit-'0')
	}
	return n
}

// wordEnd is the offset behind the letters at i.
func (u *understanding) wordEnd(i int) int {
	for i < len(u.text) && beginsWord(u.text[i:]) {
		_, size := utf8.DecodeRuneInString(u.text[i:])
		i += size
	}
	return i
}

// time is the time that a dial shows, in a half of the day if that is said. why says
// that no clock shows it.
func (c *dial) time(half byte) (t token, why string) {
	t = token{kind: tokenTime, half: half, number: 60*c.hour + c.minute}
	switch {
	case c.minute > 59 || c.hour > 24 || c.hour == 24 && c.minute > 0:
		return t, "no clock shows this"
	case half != 0 && (c.hour < 1 || c.hour > 12):
		return t, "hours before am and pm are 1 to 12"
	case half == 'a':
		t.number = 60*(c.hour%12) + c.minute
	case half == 'p':
		t.number = 60*(c.hour%12+12) + c.minute
	default:
		t.bare = !c.minutes && c.hour >= 1 && c.hour <= 12
	}
	return t, ""
}

// halfOf is how long the am or pm is that a text begins with, 0 for none.
func halfOf(tail string) int {
	for _, form := range []string{"a.m.", "p.m.", "a.m", "p.m", "am", "pm", "a", "p"} {
		if strings.HasPrefix(tail, form) && !beginsWord(tail[len(form):]) {
			return len(form)
		}
	}
	return 0
}

func beginsWord(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsLetter(r)
}

func (u *understanding) next() *token { return &u.all[u.at] }

// take moves on if the next token is of a kind.
func (u *understanding) take(kind tokenKind) (t token, ok bool) {
	if t = u.all[u.at]; t.kind != kind {
		return t, false
	}
	u.at++
	return t, true
}

// rules reads all rules.
func (u *understanding) rules() error {
	for {
		for u.skip(tokenRule, tokenAnd) {
		}
		if u.next().kind == tokenEnd {
			break
		}
		if err := u.rule(); err != nil {
			return err
		}
	}
	if len(u.out) == 0 {
		return u.fail(0, "it says nothing about when it is open")
	}
	return nil
}

func (u *understanding) skip(kinds ...tokenKind) bool {
	if !slices.Contains(kinds, u.next().kind) {
		return false
	}
	u.at++
	return true
}

// rule reads days, and when it is open on them.
func (u *understanding) rule() error {
	days, err := u.days()
	if err != nil {
		return err
	}
	u.skip(tokenColon, tokenDash)
	begin := *u.next()
	if _, ok := u.take(tokenClosed); ok {
		if days == "" {
			return u.fail(begin.offset, "it does not say on which days it is closed")
		}
		u.out = append(u.out, days+" off")
		return nil
	}
	if _, ok := u.take(tokenAllDay); ok {
		u.out = append(u.out, strings.TrimSpace(days+" "+map[bool]string{true: "24/7", false: "00:00-24:00"}[days == ""]))
		return nil
	}
	times, err := u.times()
	switch {
	case err != nil:
		return err
	case len(times) > 0 && days == "" && len(u.out) > 0:
		return u.fail(begin.offset, "it does not say on which days it is open then")
	case len(times) > 0:
		u.out = append(u.out, strings.TrimSpace(days+" "+strings.Join(times, ",")))
	case days == "":
		return u.fail(begin.offset, "neither days nor times are understood here")
	case strings.Contains(days, "PH") || len(u.out) > 0 || begin.kind != tokenEnd:
		return u.fail(begin.offset, "it does not say when it is open on these days")
	default:
		u.out = append(u.out, days+" 00:00-24:00")
	}
	return nil
}

// days reads a list of days, "" for none.
func (u *understanding) days() (string, error) {
	short := [7]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}
	var list []string
	for {
		at := u.at
		if len(list) > 0 && !u.skip(tokenAnd) && u.next().kind != tokenDay {
			return strings.Join(list, ","), nil
		}
		if t, ok := u.take(tokenSet); ok {
			list = append(list, t.days)
			continue
		}
		t, ok := u.take(tokenDay)
		if !ok {
			u.at = at
			return strings.Join(list, ","), nil
		}
		item := short[t.number]
		if u.next().kind == tokenDash && u.all[u.at+1].kind == tokenDay {
			if to := u.all[u.at+1].number; to != t.number {
				item += "-" + short[to]
			} else {
				return "", u.fail(t.offset, "a range of days begins and ends with the same")
			}
			u.at += 2
		}
		list = append(list, item)
	}
}

// times reads a list of spans.
func (u *understanding) times() (list []string, err error) {
	for {
		at := u.at
		if len(list) > 0 && !u.skip(tokenAnd) && u.next().kind != tokenTime {
			return list, nil
		}
		from, ok := u.take(tokenTime)
		if !ok {
			u.at = at
			return list, nil
		}
		if !u.skip(tokenDash) {
			return nil, u.fail(from.offset, "a time without one until which it is open")
		}
		to, ok := u.take(tokenTime)
		if !ok {
			return nil, u.fail(u.next().offset, "here the time is missing until which it is open")
		}
		span, err := u.span(from, to)
		if err != nil {
			return nil, err
		}
		list = append(list, span)
	}
}

// span is from one time to another, if it can mean one thing only.
func (u *understanding) span(from, to token) (string, error) {
	const noon = 12 * 60
	switch {
	case to.half == 'p' && from.half == 0 && from.bare:
		// "9-5pm" begins in the morning, "1-5pm" does not; "8-10pm" may do either.
		later := from.number%noon + noon
		switch {
		case later >= to.number:
			from.number %= noon
		case from.number < 6*60 || from.number == noon:
			from.number = later
		default:
			return "", u.fail(from.offset, "this may be the morning or the evening: write am or pm")
		}
	case to.half == 'a' && from.half == 0 && from.bare:
		return "", u.fail(from.offset, "this may be the morning or the evening: write am or pm")
	case from.half != 0 && to.half == 0 && to.bare:
		return "", u.fail(to.offset, "this may be the morning or the evening: write am or pm")
	case from.half == 0 && to.half == 0 && to.bare && to.number <= from.number && from.number <= noon:
		return "", u.fail(to.offset, "this may be the afternoon or the next morning: write it by 24 hours, or with am or pm")
	}
	if to.number == 0 {
		to.number = 2 * noon
	}
	if from.number == to.number || from.number == 2*noon {
		return "", u.fail(from.offset, "it closes when it opens")
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", from.number/60, from.number%60, to.number/60, to.number%60), nil
}
