package gate

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs; the test
// that is there for it must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "a pause does not wait for changes",
			Edits: scaletest.Replace("pause.go", "for g.counters.changing() {", "for false {"),
			Test:  "TestPause", Says: "the pause did not wait for a change"},
		scaletest.Mutant{Name: "close does not wait for who is merely in flight",
			Edits: scaletest.Replace("counters.go", " || c.stripes[i].inFlight.Load() > 0", ""),
			Test:  "TestCloseWaitsForCalls", Says: "Close did not wait"},
		scaletest.Mutant{Name: "a change resumes in a pause",
			Edits: scaletest.Replace("call.go", "if g.bits.Load()&paused == 0 {", "if true {"),
			Test:  "TestAside", Says: "resumed at"},
		scaletest.Mutant{Name: "memory of a call that panicked is used again",
			Edits: scaletest.Replace("call.go", "		c.uncount()\n		c.Pass = nil\n", "		c.Leave()\n"),
			Test:  "TestPanicCountsOut", Says: "memory of a call that panicked was used again"},
		scaletest.Mutant{Name: "a step back of the clock counts",
			Edits: scaletest.Replace("clock.go", "max(step, 0)) + max(step, 0)", "max(step, 0)) + step"),
			Test:  "TestCustomClock", Says: "began at"},
	)
}
