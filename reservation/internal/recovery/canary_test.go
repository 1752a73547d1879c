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
		scaletest.Mutant{Name: "what a former version wrote of parts is not read in order", Edits: scaletest.Replace("replay.go",
			"			root = state.Root(id)\n", "			root = id\n"),
			Test: "TestFormerJournal", Says: `workers: .* is \{|more units than|not found`},
		scaletest.Mutant{Name: "what looks like a part of an order that is split is one", Edits: scaletest.Replace("../state/apply.go",
			"p.found.Fingerprint == r.Fingerprint && ", ""),
			Test: "TestFormerJournal", Says: `"q/2"`},
		scaletest.Mutant{Name: "a part that a reroute made is an order in a former snapshot", Edits: scaletest.Replace("snapshot_read.go",
			`case cause != "":`, `case cause == "-":`),
			Test: "TestFormerJournal", Says: `a snapshot .* is \{`},
		scaletest.Mutant{Name: "a part that was made with the first is an order in a former snapshot", Edits: scaletest.Replace("snapshot_read.go",
			"	r.formerParts()\n", ""),
			Test: "TestFormerJournal", Says: `a snapshot .* is \{`},
		scaletest.Mutant{Name: "an order that is split is a part of what is forgotten", Edits: scaletest.Replace("snapshot_read.go",
			"is = first.Fingerprint != e.Fingerprint", "is = true"),
			Test: "TestFormerSnapshotOfForgotten", Says: `"y/3"|"y"`},
		scaletest.Mutant{Name: "an order of other content is a part", Edits: scaletest.Replace("snapshot_read.go",
			"is = first.Fingerprint == e.Fingerprint && first.Parts >= n", "is = first.Parts >= n"),
			Test: "TestFormerJournal", Says: `a snapshot .*"q/2"|a snapshot .*"q"`},
		scaletest.Mutant{Name: "a snapshot that has parts by number says nothing of the records behind it", Edits: scaletest.Replace("snapshot_read.go",
			"		r.state.Numbered(0)\n", ""),
			Test: "TestSnapshotAhead", Says: `the snapshots differ|more units than`},
		scaletest.Mutant{Name: "a snapshot has no numbers of parts", Edits: scaletest.Replace("snapshot.go",
			"		b = append(b, max(e.Part, 1))\n", "		b = append(b, 1)\n"),
			Test: "TestRecovery", Says: `the snapshots differ|not found`},
	)
}
