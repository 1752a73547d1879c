package commit_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// The deliberate bugs.
var (
	// A record is called durable before the log has it.
	early = scaletest.Replace("committer.go", "	begun := time.Now()\n	q.meter.begin(begun)", "	q.durable.Store(b.first + uint64(b.count) - 1)\n	begun := time.Now()\n	q.meter.begin(begun)")
	// A batch that found no space is taken for written.
	full = scaletest.Replace("committer.go", "	switch {\n	case err == nil:\n		if took", "	if log.Refused(err) {\n		err = nil\n	}\n	switch {\n	case err == nil:\n		if took")
	// Readers see records before they are acknowledged.
	shows = scaletest.Replace("follow.go", "uint64 { return q.durable.Load() }", "uint64 { return q.log.Last() }")
	// The size of a record is not looked at before it is queued.
	anySize = append(scaletest.Replace("queue.go", "if len(record) > q.MaxRecordBytes() {", "if false {"), scaletest.Replace("queue.go", "if size > q.most {", "if false {")...)
	// Records that belong together lie in frames of their own.
	apart = scaletest.Replace("queue.go", "	for _, record := range records {\n		q.put(b, record)", "	for i, record := range records {\n		if i > 0 {\n			b = q.seal()\n		}\n		q.put(b, record)")
	// What another writer keeps out is said to be of unknown outcome.
	unfenced = scaletest.Replace("committer.go", "if !isFinal(cause) {", "if true {")
)

// TestMutantsAreCaught builds the package with each deliberate bug of the queue and
// runs the tests that are there for it. They must fail, and for the reason they give.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "early", Edits: early, Test: "TestQueueAcknowledgesDurable", Says: `record \d+ is acknowledged and not in the log`},
		scaletest.Mutant{Name: "early", Edits: early, Test: "TestQueueSurvivesCrashes", Says: `the log ends at \d+, acknowledged were \d+`},
		scaletest.Mutant{Name: "full", Edits: full, Test: "TestQueueNoSpace", Says: `a record is acknowledged that found no space`},
		scaletest.Mutant{Name: "full", Edits: full, Test: "TestQueueNoSpaceManual", Says: `step on a full disk: got <nil>`},
		scaletest.Mutant{Name: "shows", Edits: shows, Test: "TestFollowShowsTheAcknowledged", Says: `follow shows record \d+ of the append`},
		scaletest.Mutant{Name: "apart", Edits: apart, Test: "TestAppendAllIsOneFrame", Says: `a group is cut|is due`},
		scaletest.Mutant{Name: "apart", Edits: apart, Test: "TestAppendAllSurvivesCrashes", Says: `a group is cut|is due`},
		scaletest.Mutant{Name: "any size", Edits: anySize, Test: "TestTooLarge", Says: `is queued: got <nil>, want ErrTooLarge`},
		scaletest.Mutant{Name: "unfenced", Edits: unfenced, Test: "TestQueueFenced", Says: `want ErrFenced and not ErrJournal`},
	)
}
