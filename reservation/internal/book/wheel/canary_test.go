package wheel_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "a count of dead timers grows and nobody sweeps", Edits: scaletest.Replace("wheel.go",
			"k.dead > k.count/2 && !t.Moving() {", "k.dead > k.count*2 && !t.Moving() {"),
			Test: "TestDeadAreSwept", Says: `are dead, and nobody sweeps`},
		scaletest.Mutant{Name: "a time that is past is thought to be the wheel's", Edits: scaletest.Replace("wheel.go",
			"		t.late, t.behind = due, true\n", "		t.late, t.behind = due, false\n"),
			Test: "TestEarlierTime", Says: `the next is at 1000, want 700`},
		scaletest.Mutant{Name: "a timer loses the time that its bits do not say", Edits: scaletest.Replace("wheel.go",
			"return m.level*digitBits > timeBits }", "return false }"),
			Test: "TestWheelAgainstMap", Says: `a timer of \d+ says \d+|are due, want`},
	)
}
