package scaletest

import (
	"os"
	"strings"
	"testing"
)

// seven is what TestSeven asks for, and what TestMutantIsLaidOver breaks.
func seven() int { return 7 }

// TestSeven fails with the bug of TestMutantIsLaidOver.
func TestSeven(t *testing.T) {
	if n := seven(); n != 7 {
		t.Errorf("seven is %d", n)
	}
}

// TestMutantIsLaidOver is the canary of Mutants: a bug is seen by its test, and one
// whose text is not there, or more than once, is refused.
func TestMutantIsLaidOver(t *testing.T) {
	file, old := "mutants_test.go", "func seven() int { return "+"7 }"
	Mutants(t, Mutant{Name: "six", Edits: []Edit{{file, old, "func seven() int { return 6 }"}}, Test: "TestSeven", Says: "seven is 6"})
	for _, text := range []string{"no" + "where", "seven"} {
		m := Mutant{Edits: []Edit{{file, text, ""}}}
		if _, err := m.overlay(t.TempDir()); err == nil || !strings.Contains(err.Error(), "want once") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if before, err := os.ReadFile(file); err != nil || !strings.Contains(string(before), old) {
		t.Error("the file itself was changed")
	}
}
