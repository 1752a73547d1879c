package topology

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantIsCaught builds the package with a deliberate bug: what is collected is
// held where no customer is let in.
func TestMutantIsCaught(t *testing.T) {
	scaletest.Mutants(t, scaletest.Mutant{Name: "every location lets customers in",
		Edits: []scaletest.Edit{{File: "catalogue.go", Old: "if c.Anywhere(set, form) {", New: "if set == 0 || c.Anywhere(set, form) {"}},
		Test:  "TestWhereCustomersCollect", Says: "a depot passes", Flags: []string{"-short"}})
}
