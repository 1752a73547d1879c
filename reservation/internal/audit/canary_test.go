package audit_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "what came while it looked is not read before it counts", Edits: scaletest.Replace("compare.go",
			"	defer resume()\n	if err := a.follow(); err != nil {\n		return err\n	}\n", "	defer resume()\n"),
			Test: "TestCompareFindsNothing", Says: `o\d is there|looked at`},
		scaletest.Mutant{Name: "what was recorded last is not compared", Edits: scaletest.Replace("compare.go",
			"	case live.Sequence != shadow.Sequence:\n		return \"sequence\"\n", ""),
			Test: "TestCompareFindsWhatIsTamperedWith", Says: `want "  o2 sequence`},
		scaletest.Mutant{Name: "a shadow that lacks a note is no difference", Edits: scaletest.Replace("compare.go",
			"again, ok := shadow[key]; !ok || ", "again, ok := shadow[key]; ok && "),
			Test: "TestCompareFindsWhatIsTamperedWith", Says: `want "  more note`},
		scaletest.Mutant{Name: "only the first part of an order is compared", Edits: scaletest.Replace("compare.go",
			"n := (book.Name{ID: id, Part: e.Part}); a.entry", "n := (book.Name{ID: id, Part: e.Part * 0}); a.entry"),
			Test: "TestCompareFindsWhatIsTamperedWith", Says: `want "  p part 2`},
		scaletest.Mutant{Name: "a difference does not say of which part it is", Edits: scaletest.Replace("compare.go",
			"Part: int(n.Part), What: what}", "What: what}"),
			Test: "TestCompareFindsWhatIsTamperedWith", Says: `want "  p part 2`},
	)
}
