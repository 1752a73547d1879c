package journal_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// The deliberate bugs.
var (
	// An append returns before its sync.
	unsynced = scaletest.Replace("filelog.go", "	if synced {\n		if err := syncFile", "	if false {\n		if err := syncFile")
	// Names are not synced.
	nameless = scaletest.Replace("block.go", "	if err := d.Sync(); err != nil {", "	if err := error(nil); err != nil {")
	// The error of a sync is ignored.
	ignored = scaletest.Replace("block.go", "error { return f.Sync() }", "error { f.Sync(); return nil }")
	// A failed sync is tried again.
	retried = scaletest.Replace("block.go", "error { return f.Sync() }", "error {\n	if err := f.Sync(); err == nil {\n		return nil\n	}\n	return f.Sync()\n}")
	// A frame is taken whatever frame came before it.
	unchained = scaletest.Replace("segment.go", "case h.previous != w.chain:", "case false:")
	// A frame of an earlier life of the segment is taken.
	relived = scaletest.Replace("segment.go", "if h.segment != w.id {", "if false {")
	// What lies behind a torn end is left there.
	unscrubbed = append(scaletest.Replace("recover.go", "for _, r := range t.rubbish {", "for _, r := range t.rubbish[:0] {"),
		scaletest.Replace("recover.go", "copyRange(f, s.file, 0, s.end)", "copyRange(f, s.file, 0, s.size)")...)
	// Nothing is looked for behind the first bad frame.
	unscanned = scaletest.Replace("recover.go", "	if found {\n		return t, s.damaged", "	if false {\n		return t, s.damaged")
	// A snapshot is believed without being read again.
	unverified = scaletest.Replace("snapshot.go", "	if err := syncFile(f); err != nil {\n		return draft, s, err", "	if err := syncFile(f); err != nil || true {\n		return draft, s, err")
	// Segments are dropped before the snapshot is durable.
	hasty = scaletest.Replace("snapshot.go", "	if len(snapshots) < 2 {\n		return 1", "	if len(snapshots) > 0 {\n		return snapshots[0].To + 1\n	}\n	if len(snapshots) < 2 {\n		return 1")
	// What is refused before anything was written stops the log.
	fatal = scaletest.Replace("filelog.go", "err := typed(cause); log.Refused(err) {", "err := typed(cause); log.Refused(err) && false {")
	// Nothing is kept ready for what reservations owe.
	spent = scaletest.Replace("options.go", "return o.Owed() * blockSize", "return 0")
	// No more is kept ready than one segment holds, however short it is.
	narrow = scaletest.Replace("spares.go", "return max(p.most, leastOwed) - 2*blockSize", "return p.most - 2*blockSize")
	// Of what was kept ready for what is owed, a few files outlive a restart.
	forgets = scaletest.Replace("spares.go", "owed = p.mostOwed()\n", "owed = 0\n")
	// Writes are admitted however far behind what is owed the preparer is.
	hurries = scaletest.Replace("spares.go", "p.err == nil && p.room(0) < p.owed/2", "false")
	// History for readers is not given up for want of space.
	hoards = scaletest.Replace("filelog_tend.go", "ok := len(l.segments) > 1 && l.segments[0].next <= l.spared", "ok := false")
)

// TestMutantsAreCaught builds the package with each of the log's deliberate
// bugs and runs the tests that are there for it. They must fail, and for the
// reason they give.
func TestMutantsAreCaught(t *testing.T) {
	mutant := func(name string, edits []scaletest.Edit, test, says string, pkg ...string) scaletest.Mutant {
		return scaletest.Mutant{Name: name, Edits: edits, Test: test, Says: says, Flags: append([]string{"-timeout", "60s"}, pkg...)}
	}
	scaletest.Mutants(t,
		mutant("unsynced", unsynced, "TestCrash", `acknowledged to \d+, recovered to|no whole frame, but a later one`),
		mutant("nameless", nameless, "TestCrash", `acknowledged to \d+, recovered to`),
		// Whichever comes first: the loss itself, or that it is told by the watermark.
		mutant("ignored", ignored, "TestCrash", `acknowledged to \d+, recovered to|no whole frame, but the watermark says that there was one`),
		mutant("retried", retried, "TestEveryIOFails", `I/O \d+ of \d+ failed`),
		mutant("unchained", unchained, "TestFramesOfTwoHistories", `two histories were taken for one: "abcdE"`),
		mutant("relived", relived, "TestFramesOfAnotherLife", `a frame of another life was taken`),
		mutant("unscrubbed", unscrubbed, "TestTornTailIsScrubbed", `a frame that was given up came back: "abcde"`),
		mutant("unscrubbed", unscrubbed, "TestCrash", `seed \d+`),
		mutant("fatal", fatal, "TestRefusedCalls", `journal: stopped: .*; want a refusal`),
		mutant("fatal", fatal, "TestQueueWithoutHandles", `journal: stopped: look who owns the directory`, "../commit"),
		mutant("hoards", hoards, "TestHistoryGivesWay", `is refused while there is history from 1 on`),
		mutant("spent", spent, "TestOwedFramesHaveRoom", `no space`),
		mutant("spent", spent, "TestEndsFitOnFullDisk", `the end of number \d+ found no room`, "../.."),
		mutant("narrow", narrow, "TestEndsFitOnFullDisk", `the end of number \d+ found no room`, "../.."),
		mutant("forgets", forgets, "TestOwedOutlivesRestart", `files are ready after a restart`),
		mutant("hurries", hurries, "TestHeadRoomWaitsForWhatIsOwed", `head-room of`),
		mutant("unscanned", unscanned, "TestLaterFramesAreLookedFor", `the log was cut silently`),
		mutant("unverified", unverified, "TestSnapshotIsVerified", `a snapshot with byte \d+ wrong on the disk is believed`),
		mutant("hasty", hasty, "TestTrimPoint", `a snapshot that is damaged has no other`),
	)
}
