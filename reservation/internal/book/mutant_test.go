//go:build !mutant_soon && !mutant_wheel && !interleave

package book

import (
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
			scaletest.Caught(t, m.test, m.says, "-tags", m.mutant, m.pkg)
		})
	}
}
