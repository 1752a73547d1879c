package hours

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxText  = 4096 // bytes
	maxRules = 64
)

// A SyntaxError is a text that Parse does not understand, or understands but
// cannot keep to. Nothing is guessed from the rest of such a text: whether the
// place is open is unknown.
type SyntaxError struct {
	Text   string // what was parsed
	Offset int    // in bytes: where in Text stands what is refused
	Why    string
}

// Error says what is refused, where, and why.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("hours: cannot read %s at byte %d: %s", around(e.Text, e.Offset), e.Offset, e.Why)
}

// around is what stands at an offset of a text and on both sides of it, quoted.
func around(text string, offset int) string {
	const each = 64 // bytes
	from, to := max(0, offset-each), min(len(text), offset+each)
	for from > 0 && from < len(text) && !utf8.RuneStart(text[from]) && from > offset-each-utf8.UTFMax {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) && to < offset+each+utf8.UTFMax {
		to++
	}
	quoted := strconv.Quote(text[from:to])
	if from > 0 {
		quoted = "…" + quoted
	}
	if to < len(text) {
		quoted += "…"
	}
	return quoted
}

// Parse reads opening hours in the subset of the OpenStreetMap notation that
// the package comment states. The error is a *SyntaxError.
func Parse(text string) (*Schedule, error) {
	p := parser{text: text}
	if len(text) > maxText {
		return nil, p.fail(maxText, "the text is longer than 4096 bytes")
	}
	s := &Schedule{}
	if err := p.rules(s); err != nil {
		return nil, err
	}
	if mostSpans(s.rules) > maxSpans {
		return nil, p.fail(0, "one day could have more than 32 spans")
	}
	for _, r := range s.rules {
		for _, sp := range r.spans {
			s.overnight = s.overnight || sp.to > minutesPerDay
		}
	}
	s.always = len(s.rules) == 1 && s.rules[0].isAlways()
	return s, nil
}

// mostSpans is no less than what spansOf can have to hold.
func mostSpans(rules []rule) int {
	base, more := 0, 0
	for _, r := range rules {
		switch {
		case r.off:
			more += 3 * len(r.spans) // a cut makes two of one, on three days
		case r.additional:
			more += len(r.spans)
		default:
			base = max(base, len(r.spans))
		}
	}
	return base + more
}

// isAlways reports whether the rule alone leaves no minute of any week closed.
func (r *rule) isAlways() bool {
	if r.off || r.years != nil || r.dates != nil || r.weeks != nil || r.days.both || r.days.holiday && !r.days.named {
		return false
	}
	for _, mask := range r.days.mask {
		if r.days.named && mask&everyWeek == 0 {
			return false
		}
	}
	return len(r.spans) == 1 && r.spans[0].from == 0 && r.spans[0].to >= minutesPerDay
}

// A parser reads a text from left to right; pos is the next byte.
type parser struct {
	text string
	pos  int
}

func (p *parser) fail(at int, why string) error { return &SyntaxError{p.text, at, why} }

// space skips blanks.
func (p *parser) space() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

// peek is the byte that is n further, 0 at the end.
func (p *parser) peek(n int) byte {
	if p.pos+n < len(p.text) {
		return p.text[p.pos+n]
	}
	return 0
}

// eat skips blanks and then the byte, if it is there; else it skips nothing.
func (p *parser) eat(b byte) bool {
	begin := p.pos
	if p.space(); p.peek(0) == b {
		p.pos++
		return true
	}
	p.pos = begin
	return false
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= 0x80 }

// word is the run of letters at pos, in lower case; it skips nothing.
func (p *parser) word() string {
	end := p.pos
	for end < len(p.text) && isLetter(p.text[end]) {
		end++
	}
	return strings.ToLower(p.text[p.pos:end])
}

// digits is how many digits stand at pos.
func (p *parser) digits() int {
	n := 0
	for isDigit(p.peek(n)) {
		n++
	}
	return n
}

// number reads a number of at most four digits, from low to high.
func (p *parser) number(low, high int, what string) (int, error) {
	n, count := 0, p.digits()
	for i := range min(count, 5) {
		n = 10*n + int(p.peek(i)-'0')
	}
	if count == 0 || count > 4 || n < low || n > high {
		return 0, p.fail(p.pos, fmt.Sprintf("want %s from %d to %d", what, low, high))
	}
	p.pos += count
	return n, nil
}

// rules reads the whole text.
func (p *parser) rules(s *Schedule) error {
	additional := false
	for {
		p.space()
		if len(s.rules) == maxRules {
			return p.fail(p.pos, "more than 64 rules")
		}
		begin := p.pos
		r := rule{additional: additional}
		if err := p.rule(&r); err != nil {
			return err
		}
		if additional && r.years == nil && r.dates == nil && r.weeks == nil && !r.days.named && !r.days.holiday {
			return p.fail(begin, "after a comma a rule has to name its days")
		}
		s.rules = append(s.rules, r)
		p.space()
		switch {
		case p.pos == len(p.text):
			return nil
		case p.peek(0) == ';':
			p.pos++
			if p.space(); p.pos == len(p.text) {
				return nil
			}
			additional = false
		case p.peek(0) == ',':
			p.pos++
			additional = true
		default:
			return p.unread()
		}
	}
}

// unread is the error for what stands where a rule could have ended.
func (p *parser) unread() error {
	switch b := p.peek(0); {
	case b == '|':
		return p.fail(p.pos, "fallback rules are not supported")
	case b == '+':
		return p.fail(p.pos, "an open end or a moved day is not supported")
	case b == '/':
		return p.fail(p.pos, "intervals are not supported")
	case isLetter(b):
		return p.unknownWord()
	}
	return p.fail(p.pos, "want the end of the rule")
}

// unknownWord is the error for a word that cannot stand where it does.
func (p *parser) unknownWord() error {
	switch w := p.word(); w {
	case "sh":
		return p.fail(p.pos, "school holidays are not supported")
	case "open", "unknown":
		return p.fail(p.pos, "the state "+w+" is not supported")
	case "sunrise", "sunset", "dawn", "dusk":
		return p.fail(p.pos, "times of the sun are not supported")
	case "off", "closed":
		return p.fail(p.pos, "the rule is off already or names no days")
	}
	return p.fail(p.pos, "unknown word, or known but not in this place")
}

// rule reads one rule up to what separates it from the next.
func (p *parser) rule(r *rule) error {
	if strings.HasPrefix(p.text[p.pos:], "24/7") {
		p.pos += len("24/7")
		r.spans = []span{{0, minutesPerDay}}
	} else if err := p.selectors(r); err != nil {
		return err
	}
	p.space()
	if w := p.word(); w == "off" || w == "closed" {
		p.pos += len(w)
		r.off = true
	} else if len(r.spans) == 0 {
		return p.noTimes(r)
	}
	p.space()
	if p.peek(0) == '"' {
		return p.comment(r)
	}
	return nil
}

// noTimes is the error for a rule that says neither times nor off.
func (p *parser) noTimes(r *rule) error {
	switch b := p.peek(0); {
	case isLetter(b):
		return p.unknownWord()
	case b == '"':
		return p.fail(p.pos, "a comment in the place of times says nothing that can be kept to")
	case b == '(':
		return p.fail(p.pos, "times of the sun are not supported")
	}
	return p.fail(p.pos, "want times, off or closed")
}

// comment reads a quoted text. What it says is not understood, so it may only
// stand after times or off, and must not talk of appointments.
func (p *parser) comment(r *rule) error {
	end := strings.IndexByte(p.text[p.pos+1:], '"')
	if end < 0 {
		return p.fail(p.pos, "the comment has no end")
	}
	r.comment = p.text[p.pos : p.pos+end+2]
	if !utf8.ValidString(r.comment) { // whoever keeps it as JSON would keep another one
		return p.fail(p.pos, "the comment is not valid UTF-8")
	}
	said := strings.ToLower(r.comment)
	for _, condition := range []string{"appointment", "vereinbarung"} {
		if at := strings.Index(said, condition); at >= 0 && !r.off {
			return p.fail(p.pos, "open by appointment only is not supported")
		}
	}
	p.pos += len(r.comment)
	return nil
}

// selectors reads what names days, and then the times.
func (p *parser) selectors(r *rule) error {
	for _, read := range []func(*rule) error{p.years, p.dates, p.weeks} {
		if err := read(r); err != nil {
			return err
		}
		p.space()
	}
	if r.years != nil || r.dates != nil || r.weeks != nil {
		p.eat(':')
		p.space()
	}
	if err := p.weekdays(&r.days); err != nil {
		return err
	}
	if r.days.named || r.days.holiday {
		p.eat(':')
		p.space()
	}
	return p.times(r)
}

// times reads a list of spans, if a time is next.
func (p *parser) times(r *rule) error {
	for p.space(); p.atTime(); p.space() {
		if len(r.spans) == maxSpans {
			return p.fail(p.pos, "more than 32 spans")
		}
		s, err := p.span()
		if err != nil {
			return err
		}
		r.spans = append(r.spans, s)
		comma := p.pos
		if !p.eat(',') {
			break
		}
		if p.space(); !p.atTime() {
			p.pos = comma
			break
		}
	}
	r.spans = united(r.spans)
	return nil
}

// united sorts the spans and joins those that touch.
func united(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return int(a.from) - int(b.from) })
	out := spans[:0]
	for _, s := range spans {
		if last := len(out) - 1; last >= 0 && s.from <= out[last].to {
			out[last].to = max(out[last].to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// atTime reports whether hours, a colon and minutes are next.
func (p *parser) atTime() bool {
	n := p.digits()
	return (n == 1 || n == 2) && p.peek(n) == ':' && isDigit(p.peek(n+1))
}

func (p *parser) span() (span, error) {
	begin := p.pos
	from, err := p.time(23)
	if err != nil {
		return span{}, err
	}
	if !p.eat('-') {
		if p.space(); p.peek(0) == '+' {
			return span{}, p.fail(p.pos, "an open end is not supported")
		}
		return span{}, p.fail(begin, "a point in time is not a span")
	}
	if p.space(); !p.atTime() {
		if isLetter(p.peek(0)) {
			return span{}, p.unknownWord()
		}
		return span{}, p.fail(p.pos, "want the time at which the span ends")
	}
	at := p.pos
	to, err := p.time(48)
	if err != nil {
		return span{}, err
	}
	if to > maxMinute {
		return span{}, p.fail(at, "later than 48:00")
	}
	if to <= from {
		to += minutesPerDay
	}
	return span{int16(from), int16(to)}, nil
}

// time reads minutes since midnight.
func (p *parser) time(maxHour int) (int, error) {
	hour, err := p.number(0, maxHour, "an hour")
	if err != nil {
		return 0, err
	}
	p.pos++ // the colon, as atTime saw
	if p.digits() != 2 {
		return 0, p.fail(p.pos, "want two digits of minutes")
	}
	minute, err := p.number(0, 59, "minutes")
	return 60*hour + minute, err
}
