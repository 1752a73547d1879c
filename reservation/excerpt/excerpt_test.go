package excerpt

import (
	"strings"
	"testing"
)

// A text that is long is cut, and no rune in the middle; its length is behind it.
func TestQuote(t *testing.T) {
	long, runes := strings.Repeat("x", 1<<20), "x"+strings.Repeat("é", 1<<19)
	for text, want := range map[string]string{
		"":                          `""`,
		"tea\x00\xff":               `"tea\x00\xff"`,
		long[:Most]:                 `"` + long[:Most] + `"`,
		long[:Most+1]:               `"` + long[:Most] + `"… (129 bytes)`,
		long:                        `"` + long[:Most] + `"… (1048576 bytes)`,
		runes:                       `"` + runes[:Most-1] + `"… (1048577 bytes)`,
		strings.Repeat("\xbf", 500): `"` + strings.Repeat(`\xbf`, Most) + `"… (500 bytes)`,
	} {
		if got := Quote(text); got != want {
			t.Errorf("of %d bytes: got %.200s, want %.200s", len(text), got, want)
		}
	}
	if got, want := Cut(long), long[:2*Most]+"… (1048576 bytes)"; got != want {
		t.Errorf("got %.400s", got)
	}
	if got := Cut(long[:2*Most]); got != long[:2*Most] {
		t.Errorf("got %.400s", got)
	}
}
