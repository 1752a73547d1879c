package cover

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantIsCaught builds the package with a deliberate bug. The comparison with
// all assignments must fail, and for that reason.
func TestMutantIsCaught(t *testing.T) {
	scaletest.Mutants(t, scaletest.Mutant{Name: "a candidate dominates another without a look at prices",
		Edits: scaletest.Replace("keep.go", "if s.priced[i] || s.priced[j] {", "if false {"),
		Test:  "TestEnumeration", Says: `by the tree: cost \d+, bound \d+, want \d+`, Flags: []string{"-short"}})
}
