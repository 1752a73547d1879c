package book

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "a hold ends a millisecond early when another one of its shard is due", Edits: []scaletest.Edit{
			{File: "timer.go", Old: "	s := &b.shards[shard]\n	for more := true;", New: "	s := &b.shards[shard]\n	now++\n	for more := true;"}},
			Test: "TestTimersAgainstMap", Says: `hold-\d+ came at \d+, due at \d+`},
		scaletest.Mutant{Name: "the timers are not told the time while nothing is due", Edits: []scaletest.Edit{
			{File: "timer.go", Old: "if now-b.looked.Load() < lookEvery {", New: "if true {"}},
			Test: "TestOpenTellsTheTime", Says: `\d+ timers were moved and \d+ records read`, Flags: []string{"../.."}},
	)
}
