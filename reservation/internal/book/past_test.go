package book

import (
	"strings"
	"testing"
)

// An entry of an earlier version may come from a reservation with a longer ID than
// one may have now: it is there after a restart, and a note that does not fit behind
// the ID is refused.
func TestTailsOfOtherLimits(t *testing.T) {
	for _, c := range []struct {
		cause, note int
		fits        bool
	}{{61_413, 4096, true}, {MaxRefBytes, MaxNoteBytes, true}, {61_413, 4097, false}, {0, MaxIDBytes - originCause, true}} {
		e := Entry{Cause: strings.Repeat("x", c.cause), Note: strings.Repeat("n", c.note)}
		if fits := NoteFits(e.Cause, e.Note); fits != c.fits {
			t.Errorf("%+v fits: %t", c, fits)
		}
		if !c.fits {
			continue
		}
		past := make([]byte, e.pastBytes())
		e.putPast(past)
		var got Entry
		if !got.Recall(0, string(past)) || got.Cause != e.Cause || got.Note != e.Note || len(past) > MaxIDBytes {
			t.Errorf("%+v: got %d bytes", c, len(past))
		}
	}
}
