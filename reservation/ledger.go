package reservation

import (
	"fmt"
	"iter"
	"math"
	"sync"

	"github.com/clickcollect/clickcollect/reservation/internal/stock"
)

const (
	// MaxQuantity is the largest number of units on hand in one place, and of one
	// line: 2^31 − 1.
	MaxQuantity = stock.MaxQuantity
	// NoNumber is the number of a slot that a table does not hold.
	NoNumber = stock.None
	// Everywhere stands for all slots in SafetyLevel.
	Everywhere = math.MaxUint32
	// EverySKU stands for all SKUs in SafetyLevel.
	EverySKU = math.MaxUint32
	// Done is what Claim.Reserve returns when the units are held and the record
	// is written.
	Done = -1
	// Known is what Claim.Reserve returns when the ID was there before; nothing
	// changed.
	Known = -2
)

// Limits of a ledger; each is a refusal when reached, never growth.
type Limits struct {
	SKUs      int // different SKUs
	Locations int // locations there ever were
	Remember  int // ended reservations, and movements, of which a repeat gets the same answer
}

// Line is a SKU, as its handle, and a number of units of it, 1 to MaxQuantity.
type Line = stock.Line

// Table is the stock of all SKUs under one numbering of the locations. A search
// reads one table from start to end.
type Table = stock.Table

// Filter restricts a search to some location numbers.
type Filter = stock.Filter

// Ledger keeps what is on hand and what is reserved, of every SKU at every
// location, and one record for each reservation and movement under the ID its
// caller chose.
//
// SKUs and locations have handles, given once: a location's is its slot. Its
// number, the place in the numbering of a Table, changes with Renumber.
//
// It is safe for concurrent use. Reserve and Cancel take no lock on stock; the
// movements and collections of one location are serialised among themselves.
type Ledger struct {
	stock  *stock.Stock
	book   *book
	skus   *names
	slots  *names
	safety safetyLevels
	floors [floors]floor
	gone   sync.Map  // slots of removed locations
	deltas sync.Pool // of *[]delta, for Move
}

// floors is how many locks the locations share for movements and collections.
const floors = 256

// floor serialises the movements of the locations that share it. The pad keeps
// neighbours' locks off its cache line.
type floor struct {
	sync.Mutex
	_ [56]byte
}

// New returns an empty ledger.
func New(limits Limits) *Ledger {
	l := &Ledger{
		book:  newBook(limits.Remember),
		skus:  newNames(limits.SKUs),
		slots: newNames(limits.Locations),
	}
	l.stock = stock.New(limits.SKUs, l.safety.of)
	return l
}

// SKU is the handle of a SKU that was received or counted before.
func (l *Ledger) SKU(name string) (handle uint32, ok bool) { return l.skus.find(name) }

// SKUName is the name behind a handle.
func (l *Ledger) SKUName(handle uint32) string { return l.skus.name(handle) }

// Slot is the handle of a location, removed ones excepted.
func (l *Ledger) Slot(name string) (slot uint32, ok bool) {
	slot, ok = l.slots.find(name)
	if ok && l.isGone(slot) {
		return 0, false
	}
	return slot, ok
}

// SlotName is the name of a location, a removed one's included.
func (l *Ledger) SlotName(slot uint32) string { return l.slots.name(slot) }

// AddSlot gives a location a handle, a new one if its name was removed before.
// The location takes part in searches after Join or Renumber.
func (l *Ledger) AddSlot(name string) (slot uint32, err error) {
	l.slots.adding.Lock()
	defer l.slots.adding.Unlock()
	if slot, ok := l.slots.find(name); ok && !l.isGone(slot) {
		return slot, nil
	}
	slot, err = l.slots.add(name)
	if err != nil {
		return 0, fmt.Errorf("reservation: adding location %q: %d locations: %w", name, l.slots.limit, err)
	}
	return slot, nil
}

func (l *Ledger) isGone(slot uint32) bool {
	_, gone := l.gone.Load(slot)
	return gone
}

// Slots is one more than the highest slot there ever was.
func (l *Ledger) Slots() int { return l.slots.len() }

// SKUs is how many SKUs there are.
func (l *Ledger) SKUs() int { return l.skus.len() }

// Table is the one new searches should read.
func (l *Ledger) Table() *Table { return l.stock.Table() }

// Join gives a slot the next number of the current numbering and calls publish
// with it; false when the numbering is full and Renumber is due.
func (l *Ledger) Join(slot uint32, publish func(number uint32)) bool {
	return l.stock.Join(slot, publish)
}

// Renumber lays all rows anew so that number i is slot order[i], with room for
// spare more locations. Reservations and movements go on meanwhile; publish is
// called when the new table is complete, and must switch searches to it.
func (l *Ledger) Renumber(order []uint32, spare int, publish func(*Table)) {
	l.stock.Renumber(order, l.Slots(), spare, publish)
}

// Remove takes a location out of the ledger if nothing is there, and calls
// unpublish when that is settled. Its name may be added again, as a new slot.
// Otherwise *LocationInUseError, and nothing changed.
func (l *Ledger) Remove(slot uint32, unpublish func()) error {
	f := l.floor(slot)
	f.Lock()
	defer f.Unlock()
	use := &LocationInUseError{Location: l.SlotName(slot)}
	l.stock.SKUs(slot, func(sku uint32) bool {
		a := l.level(sku, slot)
		if a.OnHand != 0 || a.Held != 0 {
			use.SKUs++
			use.OnHand += a.OnHand
			use.Held += a.Held
		}
		return true
	})
	if use.SKUs > 0 {
		return fmt.Errorf("reservation: removing a location: %w", use)
	}
	l.gone.Store(slot, struct{}{})
	unpublish()
	return nil
}

func (l *Ledger) floor(slot uint32) *floor { return &l.floors[slot%floors] }

// Availability is a SKU's units at one location, at one instant:
// Available = OnHand − Held − Safety, and may be below zero.
type Availability struct {
	OnHand    int64 // physically there, held or not
	Held      int64 // taken by reservations, not yet collected
	Safety    int64 // units never sold online
	Available int64 // what an order can still take
}

// Available reads a SKU's units at a location. A SKU that was never there has
// none.
func (l *Ledger) Available(sku, slot uint32) Availability {
	f := l.floor(slot)
	f.Lock()
	defer f.Unlock()
	return l.level(sku, slot)
}

// level reads under the location's floor: on hand and safety stand still, so
// the one load of what is available decides.
func (l *Ledger) level(sku, slot uint32) Availability {
	v, ok := l.stock.Level(sku, slot)
	safety := l.safety.read(sku, slot)
	if !ok { // no cell; whether there is one is the row's affair
		return Availability{Safety: safety, Available: -safety}
	}
	return Availability{OnHand: v.OnHand, Held: v.OnHand - safety - v.Available, Safety: safety, Available: v.Available}
}

// Entry is a copy of a reservation's record.
type Entry struct {
	Slot        uint32
	State       State
	Distance    float64 // meters, as given when it was made
	Fingerprint uint64  // of its content, as given when it was made
	Lines       []EntryLine
}

// EntryLine is one line of a reservation; canceled units are
// Quantity − Held − Collected.
type EntryLine struct {
	SKU                       uint32
	Quantity, Held, Collected int64
}

func (e *entry) export(into *Entry) {
	into.Slot, into.State, into.Distance, into.Fingerprint = e.location, e.state, e.distance, e.fingerprint
	into.Lines = into.Lines[:0]
	for _, line := range e.lines {
		into.Lines = append(into.Lines, EntryLine{line.sku, int64(line.quantity), int64(line.held), int64(line.collected)})
	}
}

// Find copies the reservation with that ID into *into, reusing its lines.
func (l *Ledger) Find(id string, into *Entry) bool {
	var e entry
	if !l.book.find(kindOrder, id, &e) {
		return false
	}
	e.export(into)
	return true
}

// All walks every reservation that is held or remembered. It sees each that is
// there from start to end once; the entry is good until the next.
func (l *Ledger) All() iter.Seq2[string, *Entry] {
	return func(yield func(string, *Entry) bool) {
		var out Entry
		for id, e := range l.book.all() {
			e.export(&out)
			if !yield(id, &out) {
				return
			}
		}
	}
}

// Cancel puts held units back on the shelf: all of them, or the given lines,
// ascending by SKU and each SKU once. The units are available to the next
// reservation when it returns.
func (l *Ledger) Cancel(id string, lines []Line) (State, error) {
	var room [8]entryLine
	slot, state, taken, outcome := l.book.resolve(id, Canceled, entryLines(lines, make([]entryLine, 0, 8)), room[:0])
	if outcome != resolved {
		return state, l.refusal("canceling", id, slot, state, lines, outcome)
	}
	for _, line := range taken {
		l.stock.Change(line.sku, slot, int64(line.quantity))
	}
	return state, nil
}

// Collect hands held units over to the customer: all of them, or the given
// lines, ascending by SKU and each SKU once. They leave the units on hand.
// *ShortageError when a till sale or a count took them away before.
func (l *Ledger) Collect(id string, lines []Line) (State, error) {
	var room [8]entryLine
	var e entry
	e.lines = room[:0]
	f, ok := l.lockFloorOf(id, &e)
	if !ok {
		return 0, l.refusal("collecting", id, 0, 0, lines, notFound)
	}
	defer f.Unlock()
	if e.state != Held {
		return e.state, l.refusal("collecting", id, e.location, e.state, lines, alreadyEnded)
	}
	want := entryLines(lines, make([]entryLine, 0, 8))
	if lines == nil {
		for _, line := range e.lines {
			want = append(want, entryLine{sku: line.sku, quantity: line.held})
		}
	}
	for _, line := range want {
		if there := l.stock.OnHand(line.sku, e.location); there < int64(line.quantity) {
			return e.state, fmt.Errorf("reservation: collecting %q: %w", id, &ShortageError{
				SKU: l.SKUName(line.sku), Location: l.SlotName(e.location), Wanted: int64(line.quantity), Available: there})
		}
	}
	if lines == nil {
		want = nil
	}
	slot, state, taken, outcome := l.book.resolve(id, Collected, want, room[:0])
	if outcome != resolved {
		return state, l.refusal("collecting", id, slot, state, lines, outcome)
	}
	for _, line := range taken {
		l.stock.AddOnHand(line.sku, slot, -int64(line.quantity))
	}
	return state, nil
}

// lockFloorOf locks the floor of a reservation's location and reads its record
// under it, so that what it holds can only shrink while the floor is locked.
// False: there is no such reservation, and nothing is locked.
func (l *Ledger) lockFloorOf(id string, into *entry) (*floor, bool) {
	for l.book.find(kindOrder, id, into) {
		f := l.floor(into.location)
		f.Lock()
		if l.book.find(kindOrder, id, into) && l.floor(into.location) == f {
			return f, true
		}
		f.Unlock()
	}
	return nil, false
}

func entryLines(lines []Line, into []entryLine) []entryLine {
	if lines == nil {
		return nil
	}
	for _, line := range lines {
		into = append(into, entryLine{sku: line.SKU, quantity: uint32(line.Quantity)})
	}
	return into
}

// refusal words the outcome of a resolve that did nothing.
func (l *Ledger) refusal(what, id string, slot uint32, state State, lines []Line, outcome resolveOutcome) error {
	switch outcome {
	case alreadyEnded:
		return fmt.Errorf("reservation: %s: %w", what, &EndedError{ID: id, State: state})
	case notHeld:
		return fmt.Errorf("reservation: %s %q: %w", what, id, l.notHeld(id, slot, lines))
	default:
		return fmt.Errorf("reservation: %s %q: %w", what, id, ErrNotFound)
	}
}

// notHeld finds the line that asks for more than the reservation still holds.
func (l *Ledger) notHeld(id string, slot uint32, lines []Line) error {
	var e entry
	l.book.find(kindOrder, id, &e)
	for _, line := range lines {
		held := int64(0)
		for _, have := range e.lines {
			if have.sku == line.SKU {
				held = int64(have.held)
			}
		}
		if held < line.Quantity {
			return &ShortageError{SKU: l.SKUName(line.SKU), Location: l.SlotName(slot), Wanted: line.Quantity, Available: held}
		}
	}
	return ErrShortage
}

// Numbers of the ledger, for statistics and tests.
type Numbers struct {
	SKUs, Cells          int
	Held, Remembered     int   // reservations with units held; ended ones and movements
	HotBytes, StockBytes int64 // rows: what searches and claims read; all of it
	BookBytes            int64 // records and their index
}

// Numbers adds up the ledger's size. It walks every SKU.
func (l *Ledger) Numbers() Numbers {
	m := l.stock.Memory()
	held, remembered := l.book.len()
	return Numbers{SKUs: m.SKUs, Cells: m.Cells, Held: held, Remembered: remembered,
		HotBytes: m.HotBytes, StockBytes: m.AllBytes, BookBytes: l.book.memory()}
}
