//go:build !mutant_queue_ack && !mutant_queue_full && !mutant_queue_show && !mutant_cut && !mutant_queue_size && !mutant_unverified && !mutant_recycle

package journal_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestQueueMutantsAreCaught builds the package with each deliberate bug of the
// queue and of the snapshots, and runs the tests that are there for it. They
// must fail, and for the reason they give.
func TestQueueMutantsAreCaught(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("builds the package once for every bug")
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal("no go command to build the mutants with: ", err)
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
		{"mutant_unverified", "TestSnapshotIsVerified", `a snapshot with byte \d+ wrong on the disk is believed`},
		{"mutant_recycle", "TestTrimPoint", `a snapshot that is damaged has no other`},
	} {
		t.Run(m.mutant+"/"+m.test, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), tool, "test", "-count=1", "-vet=off", "-tags", m.mutant, "-run", "^"+m.test+"$", ".")
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Fatalf("%s passes %s:\n%s", m.mutant, m.test, out)
			case !strings.Contains(string(out), "--- FAIL: "+m.test):
				t.Fatalf("the tests did not fail:\n%s", out)
			case !regexp.MustCompile(m.says).Match(out):
				t.Fatalf("the tests failed without saying %q:\n%s", m.says, out)
			}
		})
	}
}
