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
			Test: "TestIndexAgainstMap", Says: `is not found|between`},
		scaletest.Mutant{Name: "what has run past the last slot stays behind", Edits: scaletest.Replace("index.go",
			"	for at := x.origin; slots[at] != 0; at = (at + 1) & mask {", "	for at := x.origin; false; at = (at + 1) & mask {"),
			Test: "TestIndexAgainstMap", Says: `is not found|between`},
		scaletest.Mutant{Name: "what has run past the last home of a range is not in it", Edits: scaletest.Replace("index.go",
			"(n <= last-t.Home(low) || t.Slots[at] != 0)", "n <= last-t.Home(low)"),
			Test: "TestIndexAgainstMap", Says: `between \d+ and \d+ are`},
		scaletest.Mutant{Name: "what has not moved yet is in no range", Edits: scaletest.Replace("index.go",
			"	for _, t := range [2]*Table{&x.current, &x.old} {", "	for _, t := range [1]*Table{&x.current} {"),
			Test: "TestIndexAgainstMap", Says: `between \d+ and \d+ are`},
	)
}
