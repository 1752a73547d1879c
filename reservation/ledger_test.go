package reservation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// floorOf is a ledger with numbered locations "l0", "l1", … and room for more.
func floorOf(t testing.TB, locations, spare int, options Options) *Ledger {
	t.Helper()
	l := New(options)
	order := make([]uint32, locations)
	for i := range order {
		slot, _, err := l.AddSlot(fmt.Sprint("l", i), nil, 0)
		mustDo(t, err)
		order[i] = slot
	}
	l.Renumber(order, spare, func(*Table) {})
	return l
}

var roomy = Options{SKUs: 1 << 12, Locations: 1 << 10, Remember: 1 << 10}

func mustDo(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// received books goods in under an ID of its own.
func received(t testing.TB, l *Ledger, id string, slot uint32, sku string, units int64) uint32 {
	t.Helper()
	mustDo(t, moved(l, &Movement{ID: id, Cause: history.Received, Slot: slot, Lines: []MovementLine{{sku, units}}}))
	handle, ok := l.SKU(sku)
	if !ok {
		t.Fatalf("SKU %q has no handle", sku)
	}
	return handle
}

// move is Move for those who need no ticket.
func moved(l *Ledger, m *Movement) error {
	_, err := l.Move(m)
	return err
}

// remove is Remove for those who need no ticket.
func remove(l *Ledger, slot uint32, unpublish func()) error {
	_, err := l.Remove(slot, 0, unpublish)
	return err
}

// end cancels or collects, all that is left if no line is named.
func end(l *Ledger, verb history.Kind, id string, lines ...Line) (State, error) {
	state, _, err := l.Do(&Change{Verb: verb, ID: id, Lines: lines})
	return state, err
}

// units is a line.
func units(sku uint32, quantity int64) Line { return Line{SKU: sku, Quantity: quantity} }

// reserve claims lines at a location by its slot. how is Done, Known or a line.
func reserve(l *Ledger, id string, fingerprint uint64, slot uint32, lines ...Line) (how int, found Entry) {
	var c Claim
	t := l.Table()
	if !c.Bind(l, t, lines) {
		return 0, found
	}
	how = c.Reserve(t.Space.Number(slot), &Hold{ID: id, Fingerprint: fingerprint, Slot: slot, Deadline: 1}, &found)
	return how, found
}

// level checks a shelf.
func level(t testing.TB, l *Ledger, sku, slot uint32, onHand, held, safety int64) {
	t.Helper()
	want := Availability{OnHand: onHand, Held: held, Safety: safety, Available: onHand - held - safety}
	if got := l.Available(sku, slot); got != want {
		t.Fatalf("SKU %d at %d: got %+v, want %+v", sku, slot, got, want)
	}
}

func TestReserveAndEnd(t *testing.T) {
	l := floorOf(t, 2, 2, roomy)
	tea, cup := received(t, l, "r1", 1, "tea", 5), received(t, l, "r2", 1, "cup", 2)
	if how, _ := reserve(l, "o", 7, 1, units(tea, 3), units(cup, 2)); how != Done {
		t.Fatalf("reserve: %v", how)
	}
	level(t, l, tea, 1, 5, 3, 0)
	if how, found := reserve(l, "o", 8, 1, units(tea, 1)); how != Known || found.Fingerprint != 7 || found.Slot != 1 || len(found.Lines) != 2 {
		t.Errorf("again: %v %+v", how, found)
	}
	if how, _ := reserve(l, "p", 7, 1, units(tea, 1), units(cup, 1)); how != 1 {
		t.Errorf("a second one: %v", how)
	}
	level(t, l, tea, 1, 5, 3, 0)
	if state, err := end(l, history.Canceled, "o", units(cup, 1)); state != Held || err != nil {
		t.Errorf("cancel a line: %v %v", state, err)
	}
	_, err := end(l, history.Collected, "o", units(tea, 3), units(cup, 2))
	var short *ShortageError
	if !errors.As(err, &short) || *short != (ShortageError{SKU: "cup", Location: "l1", Wanted: 2, Available: 1}) {
		t.Errorf("collect too much: %v", err)
	}
	if state, err := end(l, history.Collected, "o"); state != Collected || err != nil {
		t.Errorf("collect: %v %v", state, err)
	}
	level(t, l, tea, 1, 2, 0, 0)
	level(t, l, cup, 1, 1, 0, 0)
	_, err = end(l, history.Canceled, "o")
	var ended *EndedError
	if !errors.As(err, &ended) || *ended != (EndedError{ID: "o", State: Collected}) {
		t.Errorf("cancel: %v", err)
	}
	if _, err := end(l, history.Canceled, "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("cancel of nothing: %v", err)
	}
	var e Entry
	if !l.Find("o", &e) || e.State != Collected || e.Lines[1] != (EntryLine{SKU: cup, Quantity: 2, Collected: 1}) {
		t.Errorf("found %+v", e)
	}
	if l.Find("p", &e) {
		t.Error("a refused reservation is in the book")
	}
}

// An ended reservation is told so, even where the shelf is empty.
func TestCollectAfterTheEndWithEmptyShelf(t *testing.T) {
	l := floorOf(t, 1, 1, roomy)
	tea := received(t, l, "r", 0, "tea", 1)
	reserve(l, "o", 1, 0, units(tea, 1))
	if _, err := end(l, history.Collected, "o"); err != nil {
		t.Fatal(err)
	}
	for _, lines := range [][]Line{nil, {units(tea, 1)}} {
		if _, err := end(l, history.Collected, "o", lines...); !errors.Is(err, ErrEnded) || errors.Is(err, ErrShortage) {
			t.Errorf("collect %v: %v", lines, err)
		}
	}
}

func TestAllWalksReservations(t *testing.T) {
	l := floorOf(t, 1, 1, roomy)
	tea := received(t, l, "not an order", 0, "tea", 100)
	want := map[string]State{}
	for i := range 50 {
		id := fmt.Sprint("o", i)
		reserve(l, id, 1, 0, units(tea, 1))
		want[id] = Held
		if i%3 == 0 {
			_, err := end(l, history.Canceled, id)
			mustDo(t, err)
			want[id] = Canceled
		}
	}
	got := map[string]State{}
	for id, e := range l.All() {
		got[id] = e.State
	}
	if !maps.Equal(got, want) {
		t.Errorf("walked %v", got)
	}
	for range l.All() {
		break
	}
	if n := l.Numbers(); n.SKUs != 1 || n.Held != 33 || n.Remembered != 18 || n.HotBytes <= 0 || n.StockBytes <= n.HotBytes || n.BookBytes <= 0 {
		t.Errorf("numbers %+v", n)
	}
}

func TestSlotsAndLimits(t *testing.T) {
	l := floorOf(t, 2, 0, Options{SKUs: 1, Locations: 3, Remember: 10})
	if again, _, err := l.AddSlot("l1", nil, 0); again != 1 || err != nil {
		t.Errorf("added again: %d %v", again, err)
	}
	mustDo(t, remove(l, 1, func() {}))
	if _, ok := l.Slot("l1"); ok || l.SlotName(1) != "l1" {
		t.Error("the removed location is still there, or its name is not")
	}
	anew, _, err := l.AddSlot("l1", nil, 0)
	if anew != 2 || err != nil {
		t.Errorf("added anew: %d %v", anew, err)
	}
	if l.Join(anew, func(uint32) {}) {
		t.Error("a full numbering took one more")
	}
	move := Movement{ID: "m", Cause: history.Received, Slot: anew, Lines: []MovementLine{{"tea", 1}}}
	if err := moved(l, &move); !errors.Is(err, ErrUnknownLocation) {
		t.Errorf("goods for a location without a number: %v", err)
	}
	move.Slot = 1
	if err := moved(l, &move); !errors.Is(err, ErrUnknownLocation) {
		t.Errorf("goods for a removed location: %v", err)
	}
	if _, _, err := l.AddSlot("l3", nil, 0); !errors.Is(err, ErrFull) || err.Error() != `reservation: adding location "l3": 3 locations: limit reached` {
		t.Errorf("a fourth location: %v", err)
	}
	l.Renumber([]uint32{2, 0}, 0, func(*Table) {})
	received(t, l, "r", 2, "tea", 1)
	err = moved(l, &Movement{ID: "s", Cause: history.Received, Slot: 0, Lines: []MovementLine{{"cup", 1}}})
	if !errors.Is(err, ErrFull) || l.SKUs() != 1 || l.Slots() != 3 {
		t.Errorf("a second SKU: %v", err)
	}
}

func TestRemoveWhileInUse(t *testing.T) {
	l := floorOf(t, 1, 1, roomy)
	tea := received(t, l, "r", 0, "tea", 2)
	reserve(l, "o", 1, 0, units(tea, 1))
	var use *LocationInUseError
	err := remove(l, 0, func() { t.Error("unpublished") })
	if !errors.As(err, &use) || *use != (LocationInUseError{Location: "l0", SKUs: 1, OnHand: 2, Held: 1}) {
		t.Errorf("got %v", err)
	}
	mustDo(t, moved(l, &Movement{ID: "c", Cause: history.Counted, Slot: 0, Lines: []MovementLine{{"tea", 0}}}))
	if err := remove(l, 0, func() {}); !errors.As(err, &use) || *use != (LocationInUseError{Location: "l0", SKUs: 1, Held: 1}) {
		t.Errorf("got %v", err)
	}
	_, err = end(l, history.Canceled, "o")
	mustDo(t, err, remove(l, 0, func() {}))
}

// A shelf whose row is just being laid anew shows what is on it: the units on
// hand and those available move one after the other.
func TestAvailableWhileRowsMove(t *testing.T) {
	l := floorOf(t, 2, 0, roomy)
	tea := received(t, l, "r0", 0, "tea", 5)
	received(t, l, "r1", 1, "tea", 5)
	reserve(l, "o0", 1, 0, units(tea, 2))
	reserve(l, "o1", 1, 1, units(tea, 2))
	var done atomic.Bool
	var readers sync.WaitGroup
	for slot := range uint32(2) {
		readers.Go(func() {
			want := Availability{OnHand: 5, Held: 2, Available: 3}
			for !done.Load() {
				if got := l.Available(tea, slot); got != want {
					t.Errorf("got %+v, want %+v", got, want)
					return
				}
			}
		})
	}
	order := []uint32{0, 1}
	rounds := 60_000
	if !scaletest.Full() {
		rounds = 5000
	}
	for range rounds {
		slices.Reverse(order)
		l.Renumber(order, 0, func(*Table) {})
	}
	done.Store(true)
	readers.Wait()
}

// Collections, cancellations and till sales at once leave on hand what came in
// less what went.
func TestEndsAndMovementsConserve(t *testing.T) {
	const callers, orders = 4, 300
	l := floorOf(t, 1, 1, Options{SKUs: 8, Locations: 8, Remember: 1 << 16})
	tea := received(t, l, "r", 0, "tea", callers*orders)
	var collected, sold atomic.Int64
	var all sync.WaitGroup
	for g := range callers {
		all.Go(func() {
			for i := range orders {
				id := fmt.Sprintf("%d/%d", g, i)
				reserve(l, id, 1, 0, units(tea, 1))
				switch i % 3 {
				case 0:
					if _, err := end(l, history.Collected, id); err == nil {
						collected.Add(1)
					}
				case 1:
					if _, err := end(l, history.Canceled, id, units(tea, 1)); err != nil {
						t.Error(err)
					}
				default:
					if moved(l, &Movement{ID: id, Cause: history.Sold, Slot: 0, Lines: []MovementLine{{"tea", 1}}}) == nil {
						sold.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	held := int64(0)
	for _, e := range l.All() {
		for _, line := range e.Lines {
			held += line.Held
		}
	}
	level(t, l, tea, 0, callers*orders-collected.Load()-sold.Load(), held, 0)
}
