package lock

import "testing"

// Every rank has a name of its own, in the order of the list.
func TestRankNames(t *testing.T) {
	seen := map[string]bool{}
	for r := Rules; r < ranks; r++ {
		name := r.String()
		if name == "" || seen[name] {
			t.Errorf("rank %d is called %q", uint8(r), name)
		}
		seen[name] = true
	}
	if got := Memory.String(); got != "memory" {
		t.Errorf("the last one is called %q", got)
	}
	if got := Rank(200).String(); got != "Rank(200)" {
		t.Error(got)
	}
}
