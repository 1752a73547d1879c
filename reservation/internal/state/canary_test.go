package state_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "what arrives is booked in where it came from", Edits: scaletest.Replace("transition.go",
			"if rule.Lock == life.FloorAhead || rule.Lock == life.FloorNamed {", "if rule.Lock == life.FloorNamed {"),
			Test: "TestAdvance", Says: `what does not arrive is missing: .*Slot:0 `},
		scaletest.Mutant{Name: "a resource moves as goods do", Edits: scaletest.Replace("transition.go",
			"		if k.Resource(line.SKU) {\n			move = &rule.Resource\n		}\n", ""),
			Test: "TestAdvance", Says: `sent off, it is where it was, and the place is used up`},
		scaletest.Mutant{Name: "a resource is counted on a shelf", Edits: scaletest.Replace("transition.go",
			"if e.OnHand != 0 && !s.Classes.Resource(e.SKU) {", "if e.OnHand != 0 {"),
			Test: "TestEffects", Says: `1 units of SKU 2 came since`},
		scaletest.Mutant{Name: "many changes of one location push out another's", Edits: scaletest.Replace("floor.go",
			"	if n <= recentKept {\n", "	if true {\n"),
			Test: "TestCountOfManyLinesLeavesOthersAlone", Says: `a count at L256: .*too long ago`, Flags: []string{"../../../allocator"}},
		scaletest.Mutant{Name: "a level that is not recorded stays in force", Edits: scaletest.Replace("safety.go",
			"s.shiftBack(cells[:done])", "s.shiftBack(cells[:min(done, 0)])"),
			Test: "TestSetSafety", Says: `not recorded: \[2 2 9 10\] are available`},
		scaletest.Mutant{Name: "what a snapshot has of a record is applied again", Edits: scaletest.Replace("apply.go",
			"	if p.sequence <= e.Sequence {\n		return nil, nil\n	}\n", ""),
			Test: "TestApply", Says: `broken|more units than the reservation has|has ended|twice, laid out`},
		scaletest.Mutant{Name: "what a reservation holds after a step is available", Edits: scaletest.Replace("apply.go",
			"		p.hold(e, -1)\n	}\n	e.Sequence", "	}\n	e.Sequence"),
			Test: "TestApply", Says: `whole, laid out true: \d+ available at \d`},
		scaletest.Mutant{Name: "who brings in entries brings in the shelf too", Edits: scaletest.Replace("apply.go",
			"if p.Part != Entry && movesShelf(", "if movesShelf("),
			Test: "TestApply", Says: `the shelves first: \d+ on hand`},
		scaletest.Mutant{Name: "what a snapshot has of one part of a record is applied again", Edits: scaletest.Replace("apply.go",
			"	if p.sequence <= e.Sequence {\n		return nil, nil\n	}\n", ""),
			Test: "TestApplyOverSomePartsAhead", Says: `from \d+ with \d+ ahead`},
		scaletest.Mutant{Name: "goods of all parts are on the shelf of one location", Edits: scaletest.Replace("apply.go",
			"p.shelve(s.Slot, ", "p.shelve(p.r.Slot, "),
			Test: "TestApplyShares", Says: `on hand at \d`},
		scaletest.Mutant{Name: "all parts arrive where the record is", Edits: scaletest.Replace("apply.go",
			"			p.step.Slot = p.slotOf(n.Part)\n", "			_ = p.slotOf(n.Part)\n"),
			Test: "TestApplyShares", Says: `arrived.*part \d is`},
		scaletest.Mutant{Name: "each part of a record has its first lines", Edits: scaletest.Replace("apply.go",
			"Part: partOf(s.Part)}, lines[:s.Lines])", "Part: partOf(s.Part)}, r.Lines[:s.Lines])"),
			Test: "TestApplyShares", Says: `part \d is|more units than|record \d`},
		scaletest.Mutant{Name: "the first part of an order has a number", Edits: scaletest.Replace("apply.go",
			"	if number == 1 {\n		return 0\n	}\n", ""),
			Test: "TestApplyShares", Says: `part 1 is|record \d`},
		scaletest.Mutant{Name: "an ID that looks like that of a part always is", Edits: scaletest.Replace("apply.go",
			"n > 0 && !p.state.IsNumbered(p.sequence) && ", "n > 0 && "),
			Test: "TestOwnOrderThatLooksLikeAPart", Says: `snapshot true`},
		scaletest.Mutant{Name: "a record that knows parts by number says nothing of those behind it", Edits: scaletest.Replace("apply.go",
			"		s.Numbered(sequence)\n", ""),
			Test: "TestOwnOrderThatLooksLikeAPart", Says: `snapshot false`},
	)
}
