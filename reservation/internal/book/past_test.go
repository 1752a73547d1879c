package book

import (
	"encoding/binary"
	"strings"
	"testing"
)

// An entry of a former version has the ID of the reservation that its units come from,
// which may be longer than one may be now: it is read, with the note behind it, and what
// does not have that form is not.
func TestTailsOfFormerVersions(t *testing.T) {
	for _, c := range []struct{ cause, note int }{{61_413, 4096}, {2, 0}, {0, MaxNoteBytes}, {49_125, MaxNoteBytes}} {
		e := Entry{Parts: 2, Rejects: 3, Note: strings.Repeat("n", c.note)}
		past := string(e.Past())
		cause := strings.Repeat("x", c.cause)
		tail := past[:originBytes] + string(binary.BigEndian.AppendUint16(nil, uint16(c.cause))) + cause + e.Note
		var got Entry
		if from, ok := got.Recall(0, tail); !ok || from != cause || got.Note != e.Note || got.Parts != 2 || got.Rejects != 3 || got.From != 0 {
			t.Errorf("%+v: got %d bytes, %t, %+v", c, len(from), ok, got)
		}
		if _, ok := got.Recall(0, tail[:originCause+c.cause-1]); ok {
			t.Errorf("%+v: a tail that ends early is read", c)
		}
	}
	if !NoteFits(strings.Repeat("n", MaxIDBytes-originCause-2*MaxParcelBytes)) || NoteFits(strings.Repeat("n", MaxIDBytes-originCause-2*MaxParcelBytes+1)) {
		t.Error("the longest note is another one")
	}
}

// The tail of an entry comes back as it was.
func TestTails(t *testing.T) {
	for _, e := range []Entry{{}, {Promise: 5}, {Since: 7, Pickup: 9}, {Origin: 3}, {Rejects: 1}, {Parts: 3}, {From: 255}, {Note: "n", Origin: 2, Parts: 2, From: 1}} {
		var got Entry
		if cause, ok := got.Recall(e.KeptPickup(), string(e.Past())); !ok || cause != "" || !sameEntry(&got, &e) {
			t.Errorf("%+v came back as %+v, from %q, %t", e, got, cause, ok)
		}
	}
}
