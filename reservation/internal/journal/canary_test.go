//go:build !mutant_ack && !mutant_directory && !mutant_ignored && !mutant_retried && !mutant_chain && !mutant_segment && !mutant_scrub && !mutant_scan && !mutant_unverified && !mutant_recycle && !mutant_fatal && !mutant_hoard

package journal_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of the log's deliberate
// bugs and runs the tests that are there for it. They must fail, and for the
// reason they give. The builds carry tags this file is not part of.
func TestMutantsAreCaught(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("builds the package once for every bug")
	}
	for _, m := range []struct{ mutant, pkg, test, says string }{
		{"mutant_ack", ".", "TestCrash", `acknowledged to \d+, recovered to|no whole frame, but a later one`},
		{"mutant_directory", ".", "TestCrash", `acknowledged to \d+, recovered to`},
		// Whichever comes first: the loss itself, or that it is told by the watermark.
		{"mutant_ignored", ".", "TestCrash", `acknowledged to \d+, recovered to|no whole frame, but the watermark says that there was one`},
		{"mutant_retried", ".", "TestEveryIOFails", `I/O \d+ of \d+ failed`},
		{"mutant_chain", ".", "TestFramesOfTwoHistories", `two histories were taken for one: "abcdE"`},
		{"mutant_segment", ".", "TestFramesOfAnotherLife", `a frame of another life was taken`},
		{"mutant_scrub", ".", "TestTornTailIsScrubbed", `a frame that was given up came back: "abcde"`},
		{"mutant_scrub", ".", "TestCrash", `seed \d+`},
		{"mutant_fatal", ".", "TestRefusedCalls", `journal: stopped: .*; want a refusal`},
		{"mutant_fatal", "../commit", "TestQueueWithoutHandles", `journal: stopped: look who owns the directory`},
		{"mutant_hoard", ".", "TestHistoryGivesWay", `is refused while there is history from 1 on`},
		{"mutant_scan", ".", "TestLaterFramesAreLookedFor", `the log was cut silently`},
		{"mutant_unverified", ".", "TestSnapshotIsVerified", `a snapshot with byte \d+ wrong on the disk is believed`},
		{"mutant_recycle", ".", "TestTrimPoint", `a snapshot that is damaged has no other`},
	} {
		t.Run(m.mutant+"/"+m.test, func(t *testing.T) {
			scaletest.Caught(t, m.test, m.says, "-timeout", "60s", "-tags", m.mutant, m.pkg)
		})
	}
}
