package plan_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the room with each of its deliberate bugs; the comparison
// with a plain list must fail, and for that reason.
func TestMutantsAreCaught(t *testing.T) {
	mutant := func(name, file, text, instead, test, says string) scaletest.Mutant {
		return scaletest.Mutant{Name: name, Edits: scaletest.Replace(file, text, instead), Test: test, Says: says}
	}
	scaletest.Mutants(t,
		mutant("what is lost does not come again", "choose.go", "if again, _ := p.stillRoom(c); !again {", "if again, _ := p.stillRoom(c); !again || true {", "TestChoicesAgainstAList", "no choice, and location"),
		mutant("cool-downs do not count", "measure.go", "	return l.Cooling.Cooling(g.SKU, slot, l.Now)\n", "	return false\n", "TestChoicesAgainstAList", "chosen"),
		mutant("the worst by the keys is taken", "choose.go", "p.Rules.CompareKeys(c, best) < 0", "p.Rules.CompareKeys(c, best) > 0", "TestRanksAgainstASort", `number \d+ is`),
		mutant("what is preferred comes again", "choose.go", "		fill[i].Request = nil // done with\n", "", "TestRanksAgainstASort", `number \d+ is`),
		mutant("others are named in any order", "choose.go", "p.Requests[f].Near, w.listed, 0)", "geo.Point{}, w.listed, 0)", "TestRanksAgainstASort", "said {"),
		mutant("the chosen store is like the others", "measure.go", "face.Slot == p.At || ", "", "TestRanksAgainstASort", "seed"),
		mutant("who is excluded is like the others", "measure.go", " && c.Unwanted() != 0 {", " && false {", "TestRanksAgainstASort", "seed"),
		mutant("who has no room is like the others", "measure.go", "		if left == 0 {\n", "		if left == 0 && is.reason != 0 {\n", "TestRanksAgainstASort", "seed"),
		mutant("what was like it for another order", "measure.go", "if is.plan == plan {", "if is.plan != 0 {", "TestRanksAgainstASort", "seed"),
		mutant("a split may have any number of parts", "assign.go", "Most: a.Most, Budget", "Most: 64, Budget", "TestSplitsAgainstEnumeration", "want 9223372036854775807 parcels"),
	)
}
