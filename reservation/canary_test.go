//go:build !mutant_early && !mutant_twice && !mutant_clock && !mutant_apart && !mutant_grace && !mutant_short && !mutant_gap && !mutant_only && !mutant_cut && !interleave

package reservation

import (
	"cmp"
	"path"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and
// runs the test that is there for it, here or, where that is named, in another one.
// It must fail, and for the reason it gives.
// The builds carry tags this file is not part of.
func TestMutantsAreCaught(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("builds the package once for every bug")
	}
	for _, m := range []struct{ mutant, test, says string }{
		{"mutant_early", "TestNoPrefixOversells", `oversold: SKU \d at \d: \d+ reserved, \d+ on hand`},
		{"mutant_twice", "TestLedgerAgainstATwin", `SKU \d at \d: got .* want`},
		{"mutant_clock", "TestSimulation", `SKU \d at \d: got .* want`},
		{"mutant_apart", "TestSimulation", `"change\d+" .*: error: got`},
		{"mutant_grace", "TestSnapshotWaitsForChanges", `the snapshot and the journal after it have \d+ on hand, there are \d+`},
		{"mutant_short", "TestLedgerAgainstATwin", `line: got .*Short:0 .*, want .*Short:[1-9]`},
		{"mutant_gap", "TestObserverSeesOneClaim", `the order is at \d, where its unit is not taken`},
		{"mutant_only", "TestOlderSnapshotIsKept", `the newest snapshot is damaged: .*`},
		{"mutant_soon", "../allocator/TestHoldsOfTwoMilliseconds", `o\d+ is expired, want held`},
		{"mutant_due", "TestEachDeadlineInItsMillisecond", `at 5000: {Expired:1 .* 0 held`},
		{"mutant_cut", "TestSimulation", `an order has not all its parts|parts of the order before it are missing|has its units without a record|its units are nowhere`},
	} {
		t.Run(m.mutant, func(t *testing.T) {
			t.Parallel()
			pkg, test := path.Split(m.test)
			scaletest.Caught(t, test, m.says, "-tags", "interleave "+m.mutant, cmp.Or(pkg, "."))
		})
	}
}
