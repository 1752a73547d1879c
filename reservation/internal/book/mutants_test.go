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
		scaletest.Mutant{Name: "an order that moves stays on its shelf", Edits: scaletest.Replace("shard.go",
			"if e.State.Ended() || before.location != e.Location {", "if e.State.Ended() {"),
			Test: "TestBookAgainstAMap", Says: `at \d are \[`},
		scaletest.Mutant{Name: "a hold that was extended comes at its former time", Edits: scaletest.Replace("shard.go",
			"before.due != dueNow || !armed &&", "!armed &&"),
			Test: "TestBookAgainstAMap", Says: `were given, due are|is due at \d+, and its shard at`},
		scaletest.Mutant{Name: "a pick list is not told what has changed", Edits: scaletest.Replace("shard.go",
			"		b.shelves.note(before.location, rec)\n", ""),
			Test: "TestBookAgainstAMap", Says: `the pick list of \d`},
		scaletest.Mutant{Name: "a rule that refuses leaves what it has changed", Edits: scaletest.Replace("shard.go",
			"	if err != nil {\n		return t, err\n	}\n	if record != nil && b.Sink != nil {", "	if err != nil {\n		s.record(ref).rewrite(e)\n		return t, err\n	}\n	if record != nil && b.Sink != nil {"),
			Test: "TestBookAgainstAMap", Says: `\{1 .*\} is`},
	)
}
