package index_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "a removal cuts off what lies behind it", Edits: scaletest.Replace("index.go",
			"if (next-t.Home(Tag(slot)))&mask >= (next-at)&mask {", "if false {"),
			Test: "TestIndexAgainstMap", Says: `is not found`},
		scaletest.Mutant{Name: "what has run past the last slot stays behind", Edits: scaletest.Replace("index.go",
			"	for at := x.origin; slots[at] != 0; at = (at + 1) & mask {", "	for at := x.origin; false; at = (at + 1) & mask {"),
			Test: "TestIndexAgainstMap", Says: `is not found`},
	)
}
