// Package excerpt is how the texts of errors show what a caller gave: not all of it.
// What is refused may be of any length, and errors end up in logs. It is pure, and
// safe for concurrent use.
package excerpt

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Most is how many bytes of a text are shown.
const Most = 128

// Quote is a text of a caller's, such as an ID, in quotes as strconv has them; of one
// that is longer than Most the beginning, and how long it is.
func Quote(text string) string {
	if len(text) <= Most {
		return strconv.Quote(text)
	}
	return fmt.Sprintf("%q… (%d bytes)", head(text, Most), len(text))
}

// Cut is a text that has others in it, of which only the beginning is shown if it is
// longer than twice Most.
func Cut(text string) string {
	if len(text) <= 2*Most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", head(text, 2*Most), len(text))
}

// head is the beginning of a text that is longer, at most so many bytes: it cuts no
// rune of valid UTF-8.
func head(text string, most int) string {
	for at := most; at > most-utf8.UTFMax; at-- {
		if utf8.RuneStart(text[at]) {
			return text[:at]
		}
	}
	return text[:most]
}
