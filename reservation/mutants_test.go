package reservation

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsOfAnOrder is TestMutantsAreCaught for what is told of an order as a whole.
func TestMutantsOfAnOrder(t *testing.T) {
	type edits = []scaletest.Edit
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "what an order has become is worked out from the part that changes", Edits: edits{
			{File: "order.go", Old: "e == nil || m.Part != e.Part {", New: "e == nil {"}},
			Test: "TestOrderStateIsTold", Says: `told`},
		scaletest.Mutant{Name: "a new part of an order is not looked at for its state", Edits: edits{
			{File: "order.go", Old: "{e, another} {", New: "{e} {"}},
			Test: "TestOrderStateOfAReroute", Says: `told`},
		scaletest.Mutant{Name: "every record says what the order is", Edits: edits{
			{File: "order.go", Old: "	if state == before {", New: "	if state == 0 {"}},
			Test: "TestOrderStateIsTold", Says: `told`},
		scaletest.Mutant{Name: "a part that is elsewhere counts for the order", Edits: edits{
			{File: "life/order.go", Old: "	case s == Rerouted || o.goods && !goods:", New: "	case o.goods && !goods:"}},
			Test: "TestOrderStates", Says: `is "`, Flags: []string{"./life"}},
	)
}

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
			{File: "do.go", Old: "	t, err := l.state.Book.ChangePart(s.change.name(), &s.entry, s)\n	if err != nil {\n		return t, err\n	}\n	l.state.Show(s.effects)\n	if l.shorts.any() {\n		l.coverFreed(s.effects, s.change.Now)", New: `	t, err := l.state.Book.ChangePart(s.change.name(), &s.entry, s)
	if err != nil {
		if errors.Is(err, ErrEnded) {
			for _, line := range s.entry.Lines {
				l.state.Stock.Change(line.SKU, s.entry.Location, int64(line.Quantity))
			}
		}
		return t, err
	}
	l.state.Show(s.effects)
	if l.shorts.any() {
		l.coverFreed(s.effects, s.change.Now)`}},
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
		scaletest.Mutant{Name: "what is sent to the customer is made ready for pickup", Edits: edits{
			{File: "life/rules.go", Old: "Says: SaysPickup,\n		Never: forParcel, InStore: true},", New: "Says: SaysPickup,\n		InStore: true},"}},
			Test: "TestLedgerAgainstATwin", Says: `want not for goods of that form`, Flags: yields()},
		scaletest.Mutant{Name: "goods that are brought to a store go to another one", Edits: edits{
			{File: "life/rules.go", Old: ", ToStore: true},", New: "},"}},
			Test: "TestFormDecides", Says: `no error, want "allocator: dispatch`, Flags: yields("../allocator")},
		scaletest.Mutant{Name: "goods that are brought to a store are handed over elsewhere", Edits: edits{
			{File: "life/rules.go", Old: "Says: SaysOnHand, Never: forParcel, InStore: true},", New: "Says: SaysOnHand, Never: forParcel},"}},
			Test: "TestFormDecides", Says: `no error, want "allocator: collect`, Flags: yields("../allocator")},
		scaletest.Mutant{Name: "a parcel that a carrier has is canceled", Edits: edits{
			{File: "life/rules.go", Old: "	Cancel: {From: shelved,", New: "	Cancel: {From: shelved | 1<<Shipped,"}},
			Test: "TestLedgerAgainstATwin", Says: `reservation canceled .*want reservation is in another state`, Flags: yields()},
		scaletest.Mutant{Name: "the number of a parcel is not in its record", Edits: edits{
			{File: "change.go", Old: "		r.Carrier, r.Tracking = c.Owner, c.Code\n", New: "		r.Carrier = c.Owner\n"}},
			Test: "TestSimulation", Says: `parcel: got`, Flags: yields()},
		scaletest.Mutant{Name: "records that belong together lie in frames of their own", Edits: edits{
			{File: "internal/commit/queue.go", Old: "	for _, record := range records {\n		q.put(b, record)", New: "	for i, record := range records {\n		if i > 0 {\n			b = q.seal()\n		}\n		q.put(b, record)"}},
			Test: "TestSimulation", Says: `an order has not all its parts|parts of the order before it are missing|has its units without a record|its units are nowhere`, Flags: yields()},
	)
	scaletest.Mutants(t, wholeMutants()...)
}

// wholeMutants are bugs of changes of whole orders.
func wholeMutants() []scaletest.Mutant {
	type edits = []scaletest.Edit
	partByPart := edits{{File: "do.go", Old: "		t, err = s.runAll()\n", New: `		err = &EndedError{State: Canceled}
		for _, m := range s.ledger.state.Book.FindAll(s.change.ID, nil) {
			if s.change.Part = max(m.Part, 1); !s.concerns(&m.Entry) {
				continue
			}
			if t, err = s.runOne(); err != nil {
				break
			}
		}
		s.change.Part = 0
`}}
	firstDue := edits{{File: "expire.go", Old: "		if due == 0 || verb != 0 && (due != verb || verb != life.Expire) {\n", New: "		if due == 0 || verb != 0 {\n"}}
	return []scaletest.Mutant{
		{Name: "a change of an order is a record for each part", Edits: partByPart,
			Test: "TestNoPrefixOversells", Says: `the order is half changed: part \d of \d is`, Flags: yields()},
		{Name: "the same, as its callers see it", Edits: partByPart,
			Test: "TestLivesAreLinearizable", Says: `a second record`, Flags: yields()},
		{Name: "the parts of an order expire one after the other", Edits: firstDue,
			Test: "TestNoPrefixOversells", Says: `the order is half changed: part \d of \d is`, Flags: yields()},
		{Name: "the same, as a confirmation meets it", Edits: firstDue,
			Test: "TestLivesAreLinearizable", Says: `order \d+ has no order in which its answers are right`, Flags: yields()},
		{Name: "a part that is not concerned is refused, and the order with it", Edits: edits{
			{File: "whole.go", Old: "	case life.Accept:\n		return hasGoods(s.ledger.state.Classes, e) && e.State < Accepted\n", New: ""}},
			Test: "TestLedgerAgainstATwin", Says: `order accepted .*: error: got`, Flags: yields()},
		{Name: "a change of an order locks no floors", Edits: edits{
			{File: "whole.go", Old: "	unlock := s.lockAll()\n", New: "	unlock := s.lockAll()\n		unlock()\n		unlock = func() {}\n"}},
			Test: "TestWholeHammer", Says: `says that \d+ are on hand, they add up to \d+`, Flags: yields()},
		{Name: "the ID of a change is looked for among those of orders", Edits: edits{
			{File: "do.go", Old: "		if l.state.Book.Find(book.KindChange, c.ID2, &found) {", New: "		if l.state.Book.Find(book.KindOrder, c.ID2, &found) {"}},
			Test: "TestNoOrderTouchesAnother", Says: `of part \d of ".*": (<nil>|.*ID already used)`, Flags: yields()},
		{Name: "what a former version called a part is made once more under its order", Edits: edits{
			{File: "internal/state/apply.go", Old: "	p.entry.Part = n\n", New: ""}},
			Test: "TestFormerParts", Says: `a reservation made twice`, Flags: yields()},
		{Name: "parts that come back to one place are counted one by one", Edits: edits{
			{File: "change.go", Old: "		for _, before := range s.effects[:from+i] {\n", New: "		for _, before := range s.effects[:min(i, 0)] {\n"}},
			Test: "TestWholeOverflow", Says: `an overflow passes`, Flags: yields()},
		{Name: "of a record of several parts only the first is replayed", Edits: edits{
			{File: "internal/state/apply.go", Old: "	for i := range r.Shares {\n		s := &r.Shares[i]\n", New: "	for i := range r.Shares[:1] {\n		s := &r.Shares[i]\n"}},
			Test: "TestWholeOrders", Says: `after a restart .* was .*, is`, Flags: yields()},
	}
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
