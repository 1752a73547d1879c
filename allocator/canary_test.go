package allocator

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// The deliberate bugs.
var (
	// A planned order that loses a claim does not look again.
	givesUp = append(scaletest.Replace("internal/plan/choose.go", "			p.Saw(c, f, sourcing.Full, \"\")\n			return true\n		}\n	}\n", "			p.Saw(c, f, sourcing.Full, \"\")\n			return true\n		}\n		break\n	}\n"),
		scaletest.Replace("internal/plan/gather.go", "		if !yield(&p.Choice) {\n			return false\n		}\n", "		return yield(&p.Choice)\n")...)
	// Only what is near is gathered for a split.
	hides = scaletest.Replace("internal/plan/gather.go", "if !filled || len(p.Missing) > 0 {", "if false {")
	// A list of an order may have any length.
	noLimit = scaletest.Replace("limits.go", "func (a *Allocator) checkLists(o *Order) error {\n", "func (a *Allocator) checkLists(o *Order) error {\n	if true {\n		return nil\n	}\n")
	// Terms that are too long to be kept are cut.
	cut = scaletest.Replace("internal/notes/terms.go", "		err = t.Long(len(note), most)\n", "		t.Exclude, t.Instead, t.Groups = nil, nil, nil\n		note, err = json.Marshal(&t)\n")
	// The parts of a split but the first take no capacity.
	oneCapacity = scaletest.Replace("internal/orders/parts.go", "		part.Lines = Joined(append(part.Lines, room...))", "		if i > 0 {\n			room = nil\n		}\n		part.Lines = Joined(append(part.Lines, room...))")
	// A call that was made before is judged by what is set now.
	judged = append(scaletest.Replace("repeat.go", "if !a.ledger.Find(o.ID, &s.found) || !a.isOf(s, o, &s.found) {\n		return Allocation{}, false", "if true {\n		return Allocation{}, false"),
		append(scaletest.Replace("repeat.go", "!ok || !inTime(g.AsOf) {", "!ok || !inTime(g.AsOf) || true {"), scaletest.Replace("quota.go", "		if !booked {\n			return last, err", "		if true || booked {\n			return last, err")...)...)
	// What is collected is held where no customer is let in.
	letIn = scaletest.Replace("internal/topology/catalogue.go", "if c.Anywhere(set, form) {", "if set == 0 || c.Anywhere(set, form) {")
	// A movement of many lines is booked in parts.
	inParts = scaletest.Replace("movement.go", "		movements = append(movements, m)\n", "		for most := a.options.MaxLines; len(m.Lines) > most; m.Lines = m.Lines[most:] {\n			part := m\n			part.ID, part.Lines = fmt.Sprint(m.ID, len(m.Lines)), m.Lines[:most]\n			movements = append(movements, part)\n		}\n		movements = append(movements, m)\n")
	// What is near is shown without a look at the shelf, by the soft filters, of any kind, or
	// all at once.
	shelfless  = scaletest.Replace("internal/plan/measure.go", "	return p.fills(c, f)\n", "	return 0, \"\"\n")
	softNear   = scaletest.Replace("internal/plan/explain.go", "	p.soft = 0\n", "")
	anyKind    = scaletest.Replace("internal/plan/explain.go", " || !r.Allows(face.Site) {", " {")
	promises   = scaletest.Replace("internal/plan/explain.go", "	return l.told(l.Catalogue.Slot(c.Number), c.Request.Form, c.Ready)\n", "	return c.Ready\n")
	bundleless = scaletest.Replace("bundles.go", "if parts, is := a.goods.PartsOf(sku); is {", "if parts, is := a.goods.PartsOf(sku); is && false {")
	// Goods are told as ruled out by whatever rule, or belong to the chain whoever owns them.
	anyRule = scaletest.Replace("sourcing/filters.go", "Reason: OtherOwner, ", "")
	ownsAll = scaletest.Replace("internal/topology/terms.go", "t.Offline, slices.Clone(t.Groups), t.Priority, t.Owner\n", "t.Offline, slices.Clone(t.Groups), t.Priority, \"\"\n")
	// A refusal of the hot path knows nothing of what is kept for others.
	unkept = scaletest.Replace("explain.go", "	view.Levels = e.protection\n", "")
	// The number from which the events are to be applied is that of the page, not of the walk.
	lateSequence = scaletest.Replace("walk.go", "		return p, refused\n	}\n	return p, nil\n}\n", "		return p, refused\n	}\n	p.sequence = w.ledger.Journal().Last\n	return p, nil\n}\n")
	// An event leaves out what is on hand in lots and quotas when goods leave.
	noMarks = scaletest.Replace("feed.go", "if to := &e.Lines[at]; shelf && to.OnHand == nil {", "if to := &e.Lines[at]; shelf && to.OnHand == nil && line.Units > 0 {")
	// An event tells only the sum of the units in lots and quotas.
	noApart = scaletest.Replace("feed.go", "if part || a.ledger.Subs(base) != nil {", "if false {")
	// A cursor is taken from anybody.
	anyCursor = scaletest.Replace("walk.go", "if !bytes.Equal(sum, binary.LittleEndian.AppendUint64(nil, w.sum(&p))) {", "if !bytes.Equal(sum, sum) {")
	// Texts need not be valid UTF-8.
	anyBytes = scaletest.Replace("valid.go", "case !utf8.ValidString(text):", "case !utf8.ValidString(text) && false:")
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and
// runs the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	mutant := func(name string, edits []scaletest.Edit, test, says string) scaletest.Mutant {
		return scaletest.Mutant{Name: name, Edits: edits, Test: test, Says: says, Flags: []string{"-short", "-timeout", "60s"}}
	}
	scaletest.Together(t,
		mutant("any cursor", anyCursor, "TestCursorOfAnother", `(damaged|another \w+): <nil>`),
		mutant("no limit", noLimit, "TestListsHaveLimits", `Prefer: 257 entries are taken`),
		mutant("cut", cut, "TestTermsAreKeptOrRefused", `L1 is not licensed`),
		mutant("in parts", inParts, "TestMovementsOfManyLines", `count: \d+ records`),
		mutant("any bytes", anyBytes, "TestTextsComeBack", `comes back as`),
		mutant("promises", promises, "TestNearbyIsWhatAllocateDoes", `Nearby says that the first is`),
	)
	scaletest.Together(t,
		mutant("one capacity", oneCapacity, "TestEveryPartTakesCapacity", `L1 has room for an order more than it can process`),
		mutant("let in", letIn, "TestWhereCustomersCollect", `held at the depot`),
		mutant("bundleless", bundleless, "TestNearbyAll", `want <nil> L0 \[3\]`),
		mutant("any rule", anyRule, "TestForeignGoodsAreNotSent", `by rule`),
		mutant("unkept", unkept, "TestProtectionIsTold", `hot: the refusal says`),
		mutant("no apart", noApart, "TestWalkAndEventsAreTheEngine", `want`),
	)
	scaletest.Together(t,
		mutant("hides", hides, "TestNearShopsHideNoDepot", `72 shops: 1 parts`),
		mutant("hides", hides, "TestSplitOfOneLineIsFilledIfItCanBe", `cups from at most \d+ locations, which have`),
		mutant("owns all", ownsAll, "TestForeignGoodsAreNotSent", `sent: from "Nowak"`),
		mutant("soft near", softNear, "TestNearbyIsNotRanked", `want \[L0 L1 L2\]`),
		mutant("late sequence", lateSequence, "TestWalkAndEventsAreTheEngine", `want|is not there`),
	)
	scaletest.Together(t,
		mutant("shelfless", shelfless, "TestNearbyIsWhatAllocateDoes", `Nearby says that the first is`),
		mutant("no marks", noMarks, "TestWalkAndEventsAreTheEngine", `want`),
	)
	scaletest.Together(t,
		mutant("gives up", givesUp, "TestLostClaimIsNoRefusal", `no location can fill the order`),
		mutant("any kind", anyKind, "TestNearbyIsWhatAllocateDoes", `which is of another kind`),
	)
	scaletest.Mutants(t,
		mutant("judged", judged, "TestRepeatAnswersAlike", `unknown location: "L2"`),
		mutant("judged", judged, "TestRepeatUnderShorterLimits", `invalid Prefer 300: are more than the 256`),
		mutant("judged", judged, "TestMovementsRepeated", `received "r": unknown location: "L1"`),
		mutant("judged", judged, "TestDoor", `a repeat of order .* is refused`),
	)
}
