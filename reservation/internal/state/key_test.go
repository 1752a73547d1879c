package state_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// The key as it is kept: in a note, whose record is in the journal and in snapshots.
func TestKeyGolden(t *testing.T) {
	fixed := state.Words{0x0123456789abcdef, 0xfedcba9876543210, 0x0f1e2d3c4b5a6978}
	d := state.Key{Words: &fixed, Since: 1_767_225_600_123}
	const note = "017ba8da769b010000" + "efcdab8967452301" + "1032547698badcfe" + "78695a4b3c2d1e0f"
	const record = "1b" + "808024" + "7ba8da769b01" + "08" + "0064696765737473" + "21" + note
	if got := hex.EncodeToString(d.Bytes()); got != note {
		t.Errorf("the note is\n%s, want\n%s", got, note)
	}
	r := history.Record{Kind: history.NoteSet, Time: d.Since, Name: state.KeyNote, Place: d.Bytes()}
	if got := hex.EncodeToString(r.Append(nil)); got != record {
		t.Errorf("the record is\n%s, want\n%s", got, record)
	}
	back, err := state.ReadKey(d.Bytes())
	if err != nil || *back.Words != fixed || back.Since != d.Since {
		t.Errorf("read back as %v, %v: %v", back.Words, back.Since, err)
	}
	for name, b := range map[string][]byte{"short": d.Bytes()[:20], "empty": {}, "long": append(d.Bytes(), 0), "version 0": append([]byte{0}, d.Bytes()[1:]...)} {
		if _, err := state.ReadKey(b); !errors.Is(err, state.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := state.ReadKey(append([]byte{2}, d.Bytes()[1:]...)); !errors.Is(err, state.ErrNewerKey) {
		t.Errorf("a newer version: %v", err)
	}
}
