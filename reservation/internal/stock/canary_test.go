//go:build !interleave && !mutant_keep && !mutant_rollback && !mutant_summary

package stock

import (
	"os/exec"
	"regexp"
	"strings"
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
			out := runMutant(t, m.mutant, m.test)
			if !strings.Contains(out, "--- FAIL: "+m.test) {
				t.Fatalf("the tests did not fail:\n%s", out)
			}
			if !regexp.MustCompile(m.says).MatchString(out) {
				t.Fatalf("the tests failed without saying %q:\n%s", m.says, out)
			}
		})
	}
}

// runMutant returns what go test prints. A build that fails has no test in it,
// which the caller sees.
func runMutant(t *testing.T, mutant, test string) string {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal("no go command to build the mutants with: ", err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "test", "-count=1", "-vet=off", "-tags", "interleave "+mutant, "-run", "^"+test+"$", ".")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("%s passes %s:\n%s", mutant, test, out)
	}
	return string(out)
}
