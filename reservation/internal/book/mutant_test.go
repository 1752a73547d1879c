//go:build !mutant_soon && !mutant_wheel && !interleave

package book

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("builds the package once for every bug")
	}
	for _, m := range []struct{ mutant, pkg, test, says string }{
		{"mutant_soon", ".", "TestTimersAgainstMap", `hold-\d+ came at \d+, due at \d+`},
		{"mutant_wheel", "../..", "TestOpenTellsTheTime", `\d+ timers were moved and \d+ records read`},
	} {
		t.Run(m.mutant, func(t *testing.T) {
			t.Parallel()
			tool, err := exec.LookPath("go")
			if err != nil {
				t.Fatal("no go command to build the mutants with: ", err)
			}
			cmd := exec.CommandContext(t.Context(), tool, "test", "-count=1", "-vet=off", "-tags", m.mutant, "-run", "^"+m.test+"$", m.pkg)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: "+m.test) || !regexp.MustCompile(m.says).Match(out) {
				t.Fatalf("the test did not fail with %q: %v\n%s", m.says, err, out)
			}
		})
	}
}
