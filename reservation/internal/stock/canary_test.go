package stock

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// The deliberate bugs. None of them has the quick take, which would hide them.
var (
	slowly = scaletest.Edit{File: "claim.go", Old: "if r.wide || q > narrowEscrow {", New: "if true {"}

	// looksFirst looks for what a line keeps before its units are taken, not with them.
	looksFirst = []scaletest.Edit{slowly, {File: "claim.go", Old: `		return q, done
	}
	var p pause
`, New: `		return q, done
	}
	if !c.has(q, keep) {
		return 0, short
	}
	keep = 0
	var p pause
`}}
	// rollsBack takes without escrow and gives back on failure.
	rollsBack = []scaletest.Edit{slowly, {File: "claim.go", Old: "case w.reachable()-q >= keep:", New: "case false:"}}
	// hides clears a summary bit without looking again.
	hides = []scaletest.Edit{slowly,
		{File: "bits.go", Old: "if free && r.sum1[word>>6].Load()&bit != 0 {\n\t\treturn\n\t}\n", New: `if free || true {
		r.sum1[word>>6].Or(bit)
		interleave()
		r.sum2[word>>12].Or(1 << (word >> 6 & 63))
		return
	}
`},
		{File: "bits.go", Old: "\tr.lockSums()\n\tdefer r.sumLatch.Store(false)\n\tif r.anyIn", New: "\tif r.anyIn"},
	}
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and
// runs the tests that are there for it. They must fail, and for the reason they
// give.
func TestMutantsAreCaught(t *testing.T) {
	mutant := func(name string, edits []scaletest.Edit, test, says string) scaletest.Mutant {
		return scaletest.Mutant{Name: name, Edits: edits, Test: test, Says: says, Flags: []string{"-tags", "interleave"}}
	}
	scaletest.Mutants(t,
		mutant("in the order of numbers", scaletest.Replace("memory.go", "		slices.Sort(found[start:])\n", ""), "TestSlotsFrom", `are \d+ slots`),
		mutant("no tail", scaletest.Replace("memory.go", "number != None && r.find(number) >= 0 {\n			found", "number != None && r.find(number) >= 0 && (r.shape == dense || r.findTail(number) < 0) {\n			found"), "TestSlotsFrom", `are \d+ slots`),
		mutant("keep", looksFirst, "TestKeepIsLeft", `\d+ claims took the one unit above what is kept`),
		mutant("keep", looksFirst, "TestChannelsKeepTheirs", `\d+ available, and everybody keeps \d+`),
		mutant("keep", looksFirst, "TestLinearizable", `history \d+ is not linearizable`),
		mutant("rollback", rollsBack, "TestLinearizable", `history \d+ is not linearizable`),
		mutant("rollback", rollsBack, "TestNobodyIsRefusedForAnothersUndo", `was refused, and nobody else ever got the unit`),
		mutant("rollback", rollsBack, "TestClaimsThatCrossEnd", `and nobody ever kept a unit`),
		mutant("summary", hides, "TestStockIsNeverHidden", `stock hidden: \d+ of \d+ searches missed a unit that was there`),
		mutant("summary", hides, "TestStockIsNotHiddenForGood", `stock hidden for good in game \d+`),
	)
}
