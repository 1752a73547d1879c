//go:build !mutant_cover

package cover

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantIsCaught builds the package with its deliberate bug, a dominance
// that does not look at prices. The comparison with all assignments must fail,
// and for that reason. The build carries a tag this file is not part of.
func TestMutantIsCaught(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("builds the package once more")
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal("no go command to build the mutant with: ", err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "test", "-count=1", "-vet=off", "-short", "-tags", "mutant_cover", "-run", "^TestEnumeration$", ".")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("the mutant passes:\n%s", out)
	}
	if !regexp.MustCompile(`--- FAIL: TestEnumeration(?s:.*)by the tree: cost \d+, bound \d+, want \d+`).Match(out) {
		t.Fatalf("the test failed for another reason:\n%s", out)
	}
}
