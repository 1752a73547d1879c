package reservation

import (
	"errors"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// do makes a change that must succeed.
func do(t *testing.T, l *Ledger, c Change) State {
	t.Helper()
	state, _, err := l.Do(&c)
	mustDo(t, err)
	return state
}

// line is the first line of a reservation.
func line(t *testing.T, l *Ledger, id string) EntryLine {
	t.Helper()
	var e Entry
	if !l.Find(id, &e) {
		t.Fatalf("%q is not there", id)
	}
	return e.Lines[0]
}

// onDisk opens the ledger of a disk and lays it out. frame bounds the journal's
// frames.
func onDisk(t *testing.T, disk journal.Disk, frame int) *Ledger {
	t.Helper()
	l, err := Open(Options{SKUs: 8, Locations: 8, Remember: 1 << 10, SegmentBytes: 64 << 10, disk: disk, manual: true, book: smallBook, frame: frame})
	mustDo(t, err)
	order := make([]uint32, max(2, l.Slots()))
	for i := range order {
		order[i] = uint32(i)
		if i >= l.Slots() {
			_, _, err := l.AddSlot(string(rune('a'+i)), nil, 1)
			mustDo(t, err)
		}
	}
	l.Renumber(order, 0, func(*Table) {})
	mustDo(t, l.Fill())
	return l
}

// A movement that is refused because units that leave would push what is
// available out of range made the SKUs of its other lines all the same.
func TestRefusedMovementMakesNoSKU(t *testing.T) {
	l := floorOf(t, 1, 1, roomy)
	tea := received(t, l, "r", 0, "tea", 9)
	reserve(l, "o", 1, 0, units(tea, 9))
	mustDo(t, setSafety(l, SafetyLevel{SKU: tea, Slot: 0, Units: MaxQuantity}))
	err := moved(l, &Movement{ID: "m", Cause: history.Counted, Slot: 0, Lines: []MovementLine{{"tea", 0}, {"hat", 0}}})
	if !errors.Is(err, ErrOverflow) {
		t.Errorf("got %v", err)
	}
	if _, ok := l.SKU("hat"); ok {
		t.Error("the refused movement made a SKU")
	}
	level(t, l, tea, 0, 9, 9, MaxQuantity)
}

// A till sale where a reservation comes from made it short although its goods had
// left for another location.
func TestGoodsOnTheRoadAreNotShort(t *testing.T) {
	l := floorOf(t, 2, 1, roomy)
	tea := received(t, l, "r", 0, "tea", 4)
	for _, id := range []string{"stays", "leaves"} {
		reserve(l, id, 1, 0, units(tea, 2))
		do(t, l, Change{Verb: history.Confirmed, ID: id})
	}
	do(t, l, Change{Verb: history.Dispatched, ID: "leaves", Slot: 1})
	mustDo(t, moved(l, &Movement{ID: "s", Cause: history.Sold, Slot: 0, Lines: []MovementLine{{"tea", 1}}}))
	if a, b := line(t, l, "leaves").Short, line(t, l, "stays").Short; a != 0 || b != 1 {
		t.Errorf("short: %d of what is on the road, %d of what is here", a, b)
	}
}

// When the confirmed units of a ready reservation were collected and others of it
// are still held, its pickup deadline came again and again.
func TestPickupDeadlineOfWhatIsOnlyHeld(t *testing.T) {
	l := floorOf(t, 1, 1, roomy)
	tea := received(t, l, "r", 0, "tea", 2)
	reserve(l, "o", 1, 0, units(tea, 2))
	do(t, l, Change{Verb: history.Extended, ID: "o", Deadline: 1000})
	do(t, l, Change{Verb: history.Confirmed, ID: "o", Lines: []Line{units(tea, 1)}})
	do(t, l, Change{Verb: history.Ready, ID: "o", Deadline: 100})
	if state := do(t, l, Change{Verb: history.Collected, ID: "o", Lines: []Line{units(tea, 1)}}); state != Held {
		t.Errorf("with only held units left: %v", state)
	}
	if due, err := l.Expire(500); err != nil || due != (Due{}) {
		t.Errorf("at the pickup deadline: %+v %v", due, err)
	}
	if due, err := l.Expire(1000); err != nil || due != (Due{Expired: 1, Earliest: 1000}) {
		t.Errorf("at the deadline: %+v %v", due, err)
	}
	level(t, l, tea, 0, 1, 0, 0)
}

// A hold and a pickup that were due at the same moment: the second of them never
// came.
func TestTwoDeadlinesAtOnce(t *testing.T) {
	l := floorOf(t, 1, 1, roomy)
	tea := received(t, l, "r", 0, "tea", 2)
	for _, pickup := range []int64{100, 50, 150} {
		reserve(l, "o", 1, 0, units(tea, 2))
		do(t, l, Change{Verb: history.Extended, ID: "o", Deadline: 100})
		do(t, l, Change{Verb: history.Confirmed, ID: "o", Lines: []Line{units(tea, 1)}})
		do(t, l, Change{Verb: history.Ready, ID: "o", Deadline: pickup})
		if due, err := l.Expire(200); err != nil || due.Expired != 1 || due.NoShows != 1 {
			t.Errorf("pickup until %d: %+v %v", pickup, due, err)
		}
		level(t, l, tea, 0, 2, 0, 0)
		l.state.Book.Drop(book.KindOrder, "o")
	}
}

// Goods that came in by a reservation were not checked against the largest
// quantity, and a return was refused for units that nobody brought back.
func TestArrivalsAndReturnsBeyondRange(t *testing.T) {
	l := floorOf(t, 2, 1, roomy)
	tea := received(t, l, "r", 0, "tea", 5)
	received(t, l, "full", 1, "tea", MaxQuantity-1)
	reserve(l, "o", 1, 0, units(tea, 2))
	do(t, l, Change{Verb: history.Confirmed, ID: "o"})
	do(t, l, Change{Verb: history.Dispatched, ID: "o", Slot: 1})
	if _, _, err := l.Do(&Change{Verb: history.Arrived, ID: "o"}); !errors.Is(err, ErrOverflow) {
		t.Errorf("two units where there is room for one: %v", err)
	}
	do(t, l, Change{Verb: history.Arrived, ID: "o", Lines: []Line{units(tea, 1)}})
	level(t, l, tea, 1, MaxQuantity, 1, 0)
	reserve(l, "p", 1, 0, units(tea, 2))
	do(t, l, Change{Verb: history.Collected, ID: "p"})
	do(t, l, Change{Verb: history.Collected, ID: "o"})
	back := Change{Verb: history.Returned, ID: "p", ID2: "b", Slot: 1, Cause: history.Restocked}
	if _, _, err := l.Do(&back); !errors.Is(err, ErrOverflow) {
		t.Errorf("two units back where there is room for one: %v", err)
	}
	back.Lines = []Line{units(tea, 1)}
	do(t, l, back)
	level(t, l, tea, 1, MaxQuantity, 0, 0)
}

// A reservation of which nothing arrived was there in full after a restart.
func TestArrivalOfNothingIsRecovered(t *testing.T) {
	disk := faultdisk.New(1)
	l := onDisk(t, disk, 0)
	tea := received(t, l, "r", 0, "tea", 2)
	reserve(l, "o", 1, 0, units(tea, 2))
	do(t, l, Change{Verb: history.Confirmed, ID: "o"})
	do(t, l, Change{Verb: history.Dispatched, ID: "o", Slot: 1})
	if state := do(t, l, Change{Verb: history.Arrived, ID: "o", Lines: []Line{}}); state != Canceled {
		t.Fatal(state)
	}
	mustDo(t, l.queue.Step(), l.Close())
	l = onDisk(t, disk, 0)
	if got := line(t, l, "o"); got.Missing != 2 || got.Confirmed != 0 {
		t.Errorf("after the restart: %+v", got)
	}
	level(t, l, tea, 0, 0, 0, 0)
}

// A hold that could not be recorded as expired gave its units back all the same.
func TestExpiryThatIsNotRecorded(t *testing.T) {
	disk := faultdisk.New(1)
	l := onDisk(t, disk, 0)
	tea := received(t, l, "r", 0, "tea", 2)
	reserve(l, "o", 1, 0, units(tea, 2))
	disk.Crash()
	if err := l.queue.Step(); !errors.Is(err, ErrJournal) {
		t.Fatal(err)
	}
	if due, err := l.Expire(1000); !errors.Is(err, ErrJournal) || due != (Due{}) {
		t.Errorf("expired: %+v %v", due, err)
	}
	level(t, l, tea, 0, 2, 2, 0)
}

// When the power went between the record of a count and that of the shortage it
// caused, nobody ever heard of the shortage; and of what covered it likewise.
func TestShortageIsMadeUpForAfterACrash(t *testing.T) {
	for _, lost := range []string{"shortage", "cover"} {
		disk := faultdisk.New(1)
		l := onDisk(t, disk, 1)
		tea := received(t, l, "r", 0, "tea", 2)
		reserve(l, "o", 1, 0, units(tea, 2))
		do(t, l, Change{Verb: history.Confirmed, ID: "o"})
		short := int64(1)
		if lost == "cover" {
			mustDo(t, moved(l, &Movement{ID: "s", Cause: history.Sold, Slot: 0, Lines: []MovementLine{{"tea", 1}}}))
			short = 0
		}
		mustDo(t, l.queue.Step())
		whole := l.queue.Last()
		cause := map[string]history.Cause{"shortage": history.Sold, "cover": history.Received}[lost]
		mustDo(t, moved(l, &Movement{ID: "m", Cause: cause, Slot: 0, Lines: []MovementLine{{"tea", 1}}}))
		if l.queue.Last() != whole+2 {
			t.Fatalf("%d records, want two", l.queue.Last()-whole)
		}
		disk.SetPlan(faultdisk.Plan{Crash: 3}) // a write and a sync for each
		if err := l.queue.Step(); !errors.Is(err, ErrJournal) || l.queue.Durable() != whole+1 {
			t.Fatalf("%v, durable up to %d, want %d", err, l.queue.Durable(), whole+1)
		}
		for range 20 { // the second record may have survived
			image := disk.Crash()
			l = onDisk(t, image, 1)
			if found := line(t, l, "o").Short; found != short {
				t.Fatalf("after a crash without the %s: %d units short, want %d", lost, found, short)
			}
		}
	}
}
