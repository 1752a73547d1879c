package reservation

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and
// runs the test that is there for it, here or, where that is named, in another one.
// It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	type edits = []scaletest.Edit
	due := scaletest.Edit{File: "expire.go", Old: "	d := life.Deadlines{", New: "	now++\n	d := life.Deadlines{"}
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "what a change frees is shown before its record has a number", Edits: edits{
			{File: "change.go", Old: "	return s.log(id, e), nil\n", New: "	record := s.log(id, e)\n	s.ledger.state.Show(s.effects)\n	s.effects = s.effects[:0]\n	return record, nil\n"}},
			Test: "TestNoPrefixOversells", Says: `oversold: SKU \d at \d: \d+ reserved, \d+ on hand`, Flags: yields()},
		scaletest.Mutant{Name: "a reservation that has ended gives its units back again", Edits: edits{
			{File: "do.go", Old: "	t, err := l.state.Book.Change(book.KindOrder, s.change.ID, &s.entry, s)\n	if err != nil {\n		return t, err\n	}\n	l.state.Show(s.effects)\n	if l.shorts.any() {", New: `	t, err := l.state.Book.Change(book.KindOrder, s.change.ID, &s.entry, s)
	if err != nil {
		if errors.Is(err, ErrEnded) {
			for _, line := range s.entry.Lines {
				l.state.Stock.Change(line.SKU, s.entry.Location, int64(line.Quantity))
			}
		}
		return t, err
	}
	l.state.Show(s.effects)
	if l.shorts.any() {`}},
			Test: "TestLedgerAgainstATwin", Says: `SKU \d at \d: got .* want`, Flags: yields()},
		scaletest.Mutant{Name: "recovery judges by the clock which holds have expired", Edits: edits{
			{File: "internal/book/live.go", Old: "		case s.partial(rec):\n", New: "		case rec.state() == life.Held && rec.deadline() <= r.Now:\n		case s.partial(rec):\n"},
			{File: "internal/book/live.go", Old: "	order refSorter\n", New: "	order refSorter\n	Now   int64\n"},
			{File: "internal/recovery/layout.go", Old: "	t.state.Book.LiveIn(", New: "	t.room.Now = t.state.Time()\n	t.state.Book.LiveIn("}},
			Test: "TestSimulation", Says: `SKU \d at \d: got .* want`, Flags: yields()},
		scaletest.Mutant{Name: "the ID of a change is not in the record of the change", Edits: edits{
			{File: "change.go", Old: "	for i := range s.given {\n		r.Lines = append(", New: "	r.Change = \"\"\n	for i := range s.given {\n		r.Lines = append("}},
			Test: "TestSimulation", Says: `"change\d+" .*: error: got`, Flags: yields()},
		scaletest.Mutant{Name: "a snapshot does not wait for changes that are under way", Edits: edits{
			{File: "snapshot.go", Old: "		l.grace()\n", New: ""}},
			Test: "TestSnapshotWaitsForChanges", Says: `the snapshot and the journal after it have \d+ on hand, there are \d+`, Flags: yields()},
		scaletest.Mutant{Name: "the snapshot before the newest is not kept", Edits: edits{
			{File: "snapshot.go", Old: "	const keep = 2 ", New: "	const keep = 1 "}},
			Test: "TestOlderSnapshotIsKept", Says: `the newest snapshot is damaged: .*`, Flags: yields()},
		scaletest.Mutant{Name: "nobody is told that the goods of a reservation are gone", Edits: edits{
			{File: "shortage.go", Old: "	if l.Resource(sku) {\n		return\n	}\n	marked := false\n", New: "	if sku == sku {\n		return\n	}\n	marked := false\n"}},
			Test: "TestLedgerAgainstATwin", Says: `line: got .*Short:0 .*, want .*Short:[1-9]`, Flags: yields()},
		scaletest.Mutant{Name: "a reroute frees the old units before it has the new ones", Edits: freesFirst(),
			Test: "TestObserverSeesOneClaim", Says: `the order is at \d, where its unit is not taken`, Flags: yields()},
		scaletest.Mutant{Name: "a hold ends a millisecond early when another one of its shard is due", Edits: edits{due,
			{File: "internal/book/timer.go", Old: "	s := &b.shards[shard]\n	for more := true;", New: "	s := &b.shards[shard]\n	now++\n	for more := true;"}},
			Test: "TestHoldsOfTwoMilliseconds", Says: `o\d+ is expired, want held`, Flags: yields("../allocator")},
		scaletest.Mutant{Name: "the same when that order itself has another thing due", Edits: edits{due},
			Test: "TestEachDeadlineInItsMillisecond", Says: `at 5000: {Expired:1 .* 0 held`, Flags: yields()},
		scaletest.Mutant{Name: "records that belong together lie in frames of their own", Edits: edits{
			{File: "internal/commit/queue.go", Old: "	for _, record := range records {\n		q.put(b, record)", New: "	for i, record := range records {\n		if i > 0 {\n			b = q.seal()\n		}\n		q.put(b, record)"}},
			Test: "TestSimulation", Says: `an order has not all its parts|parts of the order before it are missing|has its units without a record|its units are nowhere`, Flags: yields()},
	)
}

// yields are the flags of a build that yields between atomic steps, which has more of
// what happens rarely; behind them the package of the test, if it is another one.
func yields(pkg ...string) []string { return append([]string{"-tags", "interleave"}, pkg...) }

// freesFirst is the bug of a reroute: what it would free is shown before the new units
// are taken, and taken back when there are none.
func freesFirst() []scaletest.Edit {
	return []scaletest.Edit{
		{File: "reroute.go", Old: "	target book.Entry // the new part\n", New: "	target book.Entry // the new part\n	early  []state.Effect\n"},
		{File: "reroute.go", Old: "	x.p.pick([]Part{x.part})\n", New: "	x.early = x.frees()\n	l.state.Show(x.early)\n	x.p.pick([]Part{x.part})\n"},
		{File: "reroute.go", Old: "		return x.p.lines[short], nil\n", New: "		l.hide(x.early)\n		return x.p.lines[short], nil\n"},
		{File: "reroute.go", Old: "		p.picks.Undo()\n", New: "		p.picks.Undo()\n		l.hide(x.early)\n"},
		{File: "reroute.go", Old: "	l.state.Show(x.effects)\n	if l.shorts.any() {\n		l.coverFreed(x.effects, r.Now)\n", New: "	if l.shorts.any() {\n		l.coverFreed(x.effects, r.Now)\n"},
		{File: "reroute.go", Old: "// errThere: a reservation is already", New: `func (x *rerouting) frees() (all []state.Effect) {
	for _, g := range x.given {
		if !x.went.missing {
			all = append(all, state.Effect{SKU: g.SKU, Slot: x.entry.Location, Free: g.Quantity})
		}
	}
	return all
}

func (l *Ledger) hide(effects []state.Effect) {
	for _, f := range effects {
		l.state.Stock.Change(f.SKU, f.Slot, -f.Free)
	}
}

// errThere: a reservation is already`},
	}
}
