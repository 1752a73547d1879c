//go:build !interleave && !mutant_keep && !mutant_rollback && !mutant_summary

package stock

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and
// runs the tests that are there for it. They must fail, and for the reason they
// give. The builds carry tags this file is not part of.
func TestMutantsAreCaught(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("builds the package once for every bug")
	}
	for _, m := range []struct{ mutant, test, says string }{
		{"mutant_keep", "TestKeepIsLeft", `\d+ claims took the one unit above what is kept`},
		{"mutant_keep", "TestChannelsKeepTheirs", `\d+ available, and everybody keeps \d+`},
		{"mutant_keep", "TestLinearizable", `history \d+ is not linearizable`},
		{"mutant_rollback", "TestLinearizable", `history \d+ is not linearizable`},
		{"mutant_rollback", "TestNobodyIsRefusedForAnothersUndo", `was refused, and nobody else ever got the unit`},
		{"mutant_rollback", "TestClaimsThatCrossEnd", `and nobody ever kept a unit`},
		{"mutant_summary", "TestStockIsNeverHidden", `stock hidden: \d+ of \d+ searches missed a unit that was there`},
		{"mutant_summary", "TestStockIsNotHiddenForGood", `stock hidden for good in game \d+`},
	} {
		t.Run(m.mutant+"/"+m.test, func(t *testing.T) {
			scaletest.Caught(t, m.test, m.says, "-tags", "interleave "+m.mutant)
		})
	}
}
