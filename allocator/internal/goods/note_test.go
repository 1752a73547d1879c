package goods

import (
	"slices"
	"strings"
	"testing"
)

// TestDamagedNotes reads notes that no version has written.
func TestDamagedNotes(t *testing.T) {
	for _, c := range []struct{ value, parts, life string }{
		{"", "malformed: corrupt", "malformed: corrupt"},
		{"\x01", "malformed", "malformed"},
		{"\x02\x00", "newer", "newer"},
		{"\x01\x03te", "malformed", "malformed"},
		{"\x01\x03tea", "malformed", "malformed"},
		{"\x01\x03tea\x00", "malformed", "malformed"},
		{"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "malformed", "malformed"},
	} {
		_, err := takeParts([]byte(c.value))
		if err == nil || !strings.Contains(err.Error(), c.parts[:5]) {
			t.Errorf("parts of %q: %v", c.value, err)
		}
		if _, err = takeLife([]byte(c.value)); err == nil || !strings.Contains(err.Error(), c.life[:5]) {
			t.Errorf("life of %q: %v", c.value, err)
		}
	}
	parts := []Part{{"tea", 2}, {"", 1}, {"cup", 1 << 30}}
	if got, err := takeParts(appendParts(parts)); err != nil || !slices.Equal(got, parts) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := takeLife(appendLife(MaxLife)); err != nil || got != MaxLife {
		t.Errorf("got %v, %v", got, err)
	}
}
