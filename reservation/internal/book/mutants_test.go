package book

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "a walk goes by the shard first", Edits: scaletest.Replace("walk.go",
			"	slices.SortFunc(w.found, func(x, y foundAt) int { return cmp.Compare(x.tag, y.tag) })\n", ""),
			Test: "TestOrderOfAll", Says: `in another order`},
		scaletest.Mutant{Name: "a walk that goes on begins with the one it has given", Edits: scaletest.Replace("walk.go",
			"n.Compare(w.after) <= 0", "n.Compare(w.after) < 0"),
			Test: "TestOrderOfAll", Says: `a walk that goes on`},
		scaletest.Mutant{Name: "of one tag they come as they lie", Edits: scaletest.Replace("walk.go",
			"		if n > 1 {", "		if n > len(rest) {"),
			Test: "TestBookModelOneHash", Says: `come \[`},
		scaletest.Mutant{Name: "what lies where an order was is given in its place", Edits: scaletest.Replace("walk.go",
			"aliasID(r))), r.part()) != at.tag {", "aliasID(r))), r.part()) != at.tag && false {"),
			Test: "TestWalkMeetsAnother", Says: `came twice|out of turn`},
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
			Test: "TestBookAgainstAMap", Says: `were given, due are|is due at \d+, and its shard at`, Flags: []string{"-rapid.checks=2000"}},
		scaletest.Mutant{Name: "a pick list is not told what has changed", Edits: scaletest.Replace("shard.go",
			"		b.shelves.note(before.location, rec)\n", ""),
			Test: "TestBookAgainstAMap", Says: `the pick list of \d`},
		scaletest.Mutant{Name: "a rule that refuses leaves what it has changed", Edits: scaletest.Replace("shard.go",
			"		err = e.Fits(id)\n	}\n	if err != nil {\n		return t, err\n	}\n	if record != nil && b.Sink != nil {", "		err = e.Fits(id)\n	}\n	if err != nil {\n		s.record(ref).rewrite(e)\n		return t, err\n	}\n	if record != nil && b.Sink != nil {"),
			Test: "TestBookAgainstAMap", Says: `\{1 .*\} is`},
		scaletest.Mutant{Name: "any part of an order is the one that is looked for", Edits: scaletest.Replace("record.go",
			"r.kind() == kind && r.part() == part && ", "r.kind() == kind && "),
			Test: "TestBookModelOneHash", Says: `rapid. failed`},
		scaletest.Mutant{Name: "a part without texts is in no view", Edits: scaletest.Replace("extra.go",
			" && e.To == 0 && e.Part == 0 {", " && e.To == 0 {"),
			Test: "TestBookModel", Says: `named\(2|all of|len = |dump gave`},
		scaletest.Mutant{Name: "parts of another ID of the same hash are the order's", Edits: scaletest.Replace("shard.go",
			"r.part() > 1 && r.is(KindOrder, id, r.part())", "r.part() > 1"),
			Test: "TestBookModelOneHash", Says: `all of|was given|dump gave|named\(2`},
		scaletest.Mutant{Name: "a rule that refuses leaves the parts that it has changed", Edits: scaletest.Replace("shard.go",
			"			err = all[i].Fits(id)\n		}\n	}\n	if err != nil {", "			err = all[i].Fits(id)\n		}\n	}\n	if err != nil && all[0].Changed {\n		b.rewrite(s, all[0].ref, &all[0].Entry, all[0].before, false, false)\n	}\n	if err != nil {"),
			Test: "TestBookModel", Says: `rapid. failed`},
		scaletest.Mutant{Name: "the parts of an order change one after the other", Edits: []scaletest.Edit{
			{File: "shard.go", Old: "m.ref == fired, record != nil)\n", New: "m.ref == fired, record != nil)\n			s.mu.Unlock()\n			runtime.Gosched()\n			s.mu.Lock(lock.Shard)\n"},
			{File: "shard.go", Old: "	\"cmp\"\n", New: "	\"cmp\"\n	\"runtime\"\n"},
			{File: "shard.go", Old: "reservation/life\"\n", New: "reservation/life\"\n	\"github.com/clickcollect/clickcollect/reservation/lock\"\n"}},
			Test: "TestChangeAllHammer", Says: `part \d is`},
		scaletest.Mutant{Name: "a part is remembered by itself", Edits: scaletest.Replace("shard.go",
			"	live := slices.ContainsFunc(refs, func", "	live := false && slices.ContainsFunc(refs, func"),
			Test: "TestBookModel", Says: `want|len =|named\(2`},
		scaletest.Mutant{Name: "each part of an order is given alone when it is due", Edits: scaletest.Replace("timer.go",
			"ok && e.several() {", "ok && !e.several() {"),
			Test: "TestDueTogether", Says: `given were`},
		scaletest.Mutant{Name: "a part that is due while another one is changed does not come again", Edits: scaletest.Replace("shard.go",
			"m.ref == fired, record != nil)\n", "m.ref == fired, m.Changed && record != nil)\n"),
			Test: "TestDueOneAfterTheOther", Says: `parts \[0\] were ended`},
		scaletest.Mutant{Name: "in the place of a part that is due the order that has its ID is given", Edits: scaletest.Replace("timer.go",
			"return m.ref == ref })", "return m.ref == ref || true })"),
			Test: "TestDueAloneOfAForgottenOrder", Says: `were given, want`},
	)
}
