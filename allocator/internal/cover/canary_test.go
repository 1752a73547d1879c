//go:build !mutant_cover

package cover

import (
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
	scaletest.Caught(t, "TestEnumeration", `by the tree: cost \d+, bound \d+, want \d+`, "-short", "-tags", "mutant_cover")
}
