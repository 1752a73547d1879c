package recovery_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "a snapshot counts as exact where it begins", Edits: scaletest.Replace("replay.go",
			"w := &Replay{state: p.state, room: state.Room{Part: state.Entry, Exact: p.room.Exact}}", "w := &Replay{state: p.state, room: state.Room{Part: state.Entry}}"),
			Test: "TestSnapshotAhead", Says: `not found`},
		scaletest.Mutant{Name: "remembered entries come as they lie in the snapshot", Edits: scaletest.Replace("snapshot_read.go",
			"cmp.Compare(a.sequence, b.sequence)", "cmp.Compare(b.sequence, a.sequence)"),
			Test: "TestNewestAreRemembered", Says: `is forgotten`},
		scaletest.Mutant{Name: "the units of a reservation are available after recovery", Edits: scaletest.Replace("layout.go",
			"-int64(line.units)", "0*int64(line.units)"),
			Test: "TestRecovery", Says: `{OnHand:474 Available:474} of tea at a`},
	)
}
