//go:build !mutant_queue_ack && !mutant_queue_full && !mutant_queue_show && !mutant_cut && !mutant_queue_size && !mutant_queue_fence

package commit_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestQueueMutantsAreCaught builds the package with each deliberate bug of the
// queue and runs the tests that are there for it. They
// must fail, and for the reason they give.
func TestQueueMutantsAreCaught(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("builds the package once for every bug")
	}
	for _, m := range []struct{ mutant, test, says string }{
		{"mutant_queue_ack", "TestQueueAcknowledgesDurable", `record \d+ is acknowledged and not in the log`},
		{"mutant_queue_ack", "TestQueueSurvivesCrashes", `the log ends at \d+, acknowledged were \d+`},
		{"mutant_queue_full", "TestQueueNoSpace", `a record is acknowledged that found no space`},
		{"mutant_queue_full", "TestQueueNoSpaceManual", `step on a full disk: got <nil>`},
		{"mutant_queue_show", "TestFollowShowsTheAcknowledged", `follow shows record \d+ of the append`},
		{"mutant_cut", "TestAppendAllIsOneFrame", `a group is cut|is due`},
		{"mutant_cut", "TestAppendAllSurvivesCrashes", `a group is cut|is due`},
		{"mutant_queue_size", "TestTooLarge", `is queued: got <nil>, want ErrTooLarge`},
		{"mutant_queue_fence", "TestQueueFenced", `want ErrFenced and not ErrJournal`},
	} {
		t.Run(m.mutant+"/"+m.test, func(t *testing.T) {
			scaletest.Caught(t, m.test, m.says, "-tags", m.mutant)
		})
	}
}
