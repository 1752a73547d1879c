package reservation

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// The text of an error has of a caller's text the beginning; the fields have all of it.
func TestErrorTextsAreShort(t *testing.T) {
	long, runes := strings.Repeat("x", 1<<20), "x"+strings.Repeat("é", 1<<19)
	owner := struct{ Token, Channel string }{long, runes}
	for _, err := range []error{
		&InvalidError{Field: "ID", Value: long, Why: "is too long"}, &InvalidError{Field: "To", Value: owner, Why: "is too long"},
		&ShortageError{SKU: long, Location: runes}, &EndedError{ID: long}, &StateError{ID: runes}, &LocationInUseError{Location: long}, &InvariantError{What: "it", ID: runes},
	} {
		if text := err.Error(); len(text) > 1000 || !strings.Contains(text, "… (") || !utf8.ValidString(text) {
			t.Errorf("%T: %d bytes: %.500s", err, len(text), text)
		}
	}
	if e := (&EndedError{ID: long}); e.ID != long {
		t.Error("the field is cut too")
	}
}
