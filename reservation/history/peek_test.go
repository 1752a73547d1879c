package history

import "testing"

// Peek agrees with Decode on every record of the golden file, and survives
// every cut.
func TestPeek(t *testing.T) {
	for _, r := range samples() {
		b := r.Append(nil)
		if k, id := Peek(b); k != r.Kind || id != r.ID {
			t.Errorf("%v %q, want %v %q", k, id, r.Kind, r.ID)
		}
		for cut := range b {
			if k, id := Peek(b[:cut]); cut > 0 && k != r.Kind || id != "" && id != r.ID {
				t.Errorf("cut at %d: %v %q", cut, k, id)
			}
		}
	}
}
