//go:build !mutant_early && !mutant_twice && !mutant_clock && !mutant_apart && !mutant_grace && !mutant_short && !mutant_gap && !mutant_only && !mutant_cut && !interleave

package reservation

import (
	"cmp"
	"os/exec"
	"path"
	"regexp"
	"strings"
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
			out := runMutant(t, m.mutant, cmp.Or(pkg, "."), test)
			if !strings.Contains(out, "--- FAIL: "+test) {
				t.Fatalf("the test did not fail:\n%s", out)
			}
			if !regexp.MustCompile(m.says).MatchString(out) {
				t.Fatalf("the test failed without saying %q:\n%s", m.says, out)
			}
		})
	}
}

// runMutant returns what go test prints. A build that fails has no test in it,
// which the caller sees.
func runMutant(t *testing.T, mutant, pkg, test string) string {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal("no go command to build the mutants with: ", err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "test", "-count=1", "-vet=off", "-tags", "interleave "+mutant, "-run", "^"+test+"$", pkg)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("%s passes %s:\n%s", mutant, test, out)
	}
	return string(out)
}
