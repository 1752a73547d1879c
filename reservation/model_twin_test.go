package reservation

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// Sizes of the world that the twin plays in.
const (
	twinSKUs  = 4
	twinSlots = 8
	twinParts = 8 // of an order, at most
)

// A ledgerTwin is the ledger as a few slices: no cells, no records, no locks, and
// whatever can be added up is added up when somebody asks.
type ledgerTwin struct {
	remindBefore int64
	slots        []twinSlot // by slot
	skus         []string   // by handle
	onHand       [twinSKUs][twinSlots]int64
	safety       map[SafetyLevel]int64 // by scope, Units 0
	orders       []*twinOrder          // parts of orders by number, see partAt, nil: unknown
	shelf        []*twinOrder          // live ones, in the order in which they came to their location
	moves        []*Movement           // by number
	transfers    []*twinOrder
	changes      []*twinChange
	notes        map[string]string
	recent       []state.ShelfChange
	since        int64 // from when on recent is complete
}

type twinSlot struct {
	name     string
	gone     bool
	numbered bool
}

type twinOrder struct {
	number      int
	id          string
	part, from  int
	fingerprint uint64
	state       State
	slot, to    uint32
	form        Form
	store       uint32
	parcel      [2]string
	origin      uint32
	distance    float64
	promise     int64
	parts       int
	rejects     int
	note        string
	born        int64
	deadline    int64
	pickup      int64
	reminded    bool
	order       string
	owner       string
	channel     string
	code        string
	lines       []twinLine
	sent        *Movement // of a transfer
}

type twinLine struct {
	sku                                                                              uint32
	quantity                                                                         int64
	held, confirmed, collected, returned, missing, lapsed, canceled, short, rerouted int64
}

type twinChange struct {
	print uint64
	state State
}

// partAt is the number of a part in the list of all: that of an order is the number of
// its first one.
func partAt(order, part int) int { return order*twinParts + max(part, 1) - 1 }

// orderOf is the number of the order of a part.
func orderOf(number int) int { return number / twinParts }

// partsOf is the parts of an order, ascending.
func (w *ledgerTwin) partsOf(order int) (all []*twinOrder) {
	lengthen(&w.orders, partAt(order+1, 1))
	for _, o := range w.orders[partAt(order, 1):partAt(order+1, 1)] {
		if o != nil {
			all = append(all, o)
		}
	}
	return all
}

func newLedgerTwin(remindBefore int64) *ledgerTwin {
	return &ledgerTwin{remindBefore: remindBefore, safety: map[SafetyLevel]int64{}}
}

// clone is a twin that goes on by itself.
func (w *ledgerTwin) clone() *ledgerTwin {
	c := *w
	c.slots, c.skus = slices.Clone(w.slots), slices.Clone(w.skus)
	c.safety, c.notes = maps.Clone(w.safety), maps.Clone(w.notes)
	anew := map[*twinOrder]*twinOrder{nil: nil}
	copied := func(all []*twinOrder) []*twinOrder {
		out := make([]*twinOrder, len(all))
		for i, o := range all {
			if _, ok := anew[o]; !ok {
				n := *o
				n.lines = slices.Clone(o.lines)
				anew[o] = &n
			}
			out[i] = anew[o]
		}
		return out
	}
	c.orders, c.shelf, c.transfers = copied(w.orders), copied(w.shelf), copied(w.transfers)
	c.moves, c.changes, c.recent = slices.Clone(w.moves), slices.Clone(w.changes), slices.Clone(w.recent)
	return &c
}

func (o *twinOrder) line(sku uint32) *twinLine {
	for i := range o.lines {
		if o.lines[i].sku == sku {
			return &o.lines[i]
		}
	}
	return &twinLine{}
}

// open tells whether anything is held or confirmed.
func (o *twinOrder) open() bool {
	return slices.ContainsFunc(o.lines, func(l twinLine) bool { return l.held+l.confirmed > 0 })
}

func (o *twinOrder) sum(of func(twinLine) int64) (n int64) {
	for _, l := range o.lines {
		n += of(l)
	}
	return n
}

// held and short add up the reservations whose goods lie at a location.
func (w *ledgerTwin) held(sku, slot uint32) (held, short int64) {
	for _, o := range w.shelf {
		if o.slot != slot || o.state.OnRoad() {
			continue
		}
		for i := range o.lines {
			if l := &o.lines[i]; l.sku == sku {
				held += l.held + l.confirmed
				short += l.short
			}
		}
	}
	return held, short
}

func (w *ledgerTwin) safetyAt(sku, slot uint32) int64 {
	if len(w.safety) == 0 {
		return 0
	}
	if units, ok := w.safety[SafetyLevel{SKU: sku, Slot: slot}]; ok {
		return units
	}
	return max(w.safety[SafetyLevel{SKU: sku, Slot: Everywhere}], w.safety[SafetyLevel{SKU: EverySKU, Slot: slot}],
		w.safety[SafetyLevel{SKU: EverySKU, Slot: Everywhere}])
}

func (w *ledgerTwin) level(sku, slot uint32) Availability {
	a := Availability{OnHand: w.onHand[sku][slot], Safety: w.safetyAt(sku, slot)}
	a.Held, _ = w.held(sku, slot)
	a.Available = a.OnHand - a.Held - a.Safety
	return a
}

func (w *ledgerTwin) missing(sku, slot uint32) (missing, known int64) {
	held, known := w.held(sku, slot)
	return max(0, held-w.onHand[sku][slot]), known
}

// takeAway makes reservations short: the youngest ones first, those with
// confirmed units after all others.
func (w *ledgerTwin) takeAway(sku, slot uint32) {
	missing, known := w.missing(sku, slot)
	missing -= known
	for _, confirmed := range []bool{false, true} {
		for _, o := range slices.Backward(w.byAge()) {
			if missing <= 0 {
				return
			}
			l := o.line(sku)
			units := min(missing, l.held+l.confirmed-l.short)
			if o.slot != slot || o.state.OnRoad() || units <= 0 || (l.confirmed > 0) != confirmed {
				continue
			}
			l.short += units
			missing -= units
		}
	}
}

// byAge is the live orders, the oldest first.
func (w *ledgerTwin) byAge() []*twinOrder {
	return slices.SortedFunc(slices.Values(w.shelf), func(a, b *twinOrder) int {
		return cmp.Or(cmp.Compare(a.born, b.born), cmp.Compare(a.id, b.id), cmp.Compare(a.part, b.part))
	})
}

// bring takes the marks off again: of the oldest ones first, those with confirmed
// units before all others.
func (w *ledgerTwin) bring(sku, slot uint32) {
	missing, known := w.missing(sku, slot)
	spare := known - missing
	for _, confirmed := range []bool{true, false} {
		for _, o := range w.byAge() {
			l := o.line(sku)
			if o.slot != slot || spare <= 0 || (l.confirmed > 0) != confirmed {
				continue
			}
			units := min(spare, l.short)
			l.short -= units
			spare -= units
		}
	}
}

// shift changes the units on hand.
func (w *ledgerTwin) shift(now int64, sku, slot uint32, units int64) {
	if units != 0 {
		w.onHand[sku][slot] += units
		w.recent = append(w.recent, state.ShelfChange{Time: now, SKU: sku, Slot: slot, Units: units})
	}
}

func (w *ledgerTwin) here(slot uint32) bool { return !w.slots[slot].gone && w.slots[slot].numbered }

// reserve returns Done, Known, or 0 when a line is short.
func (w *ledgerTwin) reserve(number int, h *Hold, lines []Line) int {
	for _, line := range lines {
		if !w.here(h.Slot) || w.level(line.SKU, h.Slot).Available-line.Quantity < line.Keep {
			return 0
		}
	}
	if w.orders[number] != nil {
		return Known
	}
	w.orders[number] = w.hold(number, h, lines)
	return Done
}

// sameMovement compares the contents of two movements.
func (w *ledgerTwin) sameMovement(a, b *Movement) bool {
	sorted := func(m *Movement) []MovementLine {
		return slices.SortedFunc(slices.Values(m.Lines), func(a, b MovementLine) int { return cmp.Compare(a.SKU, b.SKU) })
	}
	return a.Cause == b.Cause && w.slots[a.Slot].name == w.slots[b.Slot].name && w.slots[a.To].name == w.slots[b.To].name &&
		a.AsOf == b.AsOf && a.Available == b.Available && a.Ref == b.Ref && slices.Equal(sorted(a), sorted(b))
}

// repeated answers a movement whose ID is known.
func (w *ledgerTwin) repeated(known, m *Movement) error {
	if w.sameMovement(known, m) {
		return nil
	}
	return ErrConflict
}

func (w *ledgerTwin) handle(name string) (uint32, bool) {
	at := slices.Index(w.skus, name)
	return uint32(at), at >= 0
}

// move is any movement but the end of a transfer.
func (w *ledgerTwin) move(number int, m *Movement) error {
	sent, known := m.Cause == history.Sent, (*Movement)(nil)
	switch {
	case !sent:
		known = w.moves[number]
	case w.transfers[number] != nil:
		known = w.transfers[number].sent
	}
	switch {
	case known != nil && w.sameMovement(known, m): // whether or not there still is such a location
		return nil
	case !w.here(m.Slot), sent && w.slots[m.To].gone:
		return ErrUnknownLocation
	case known != nil:
		return ErrConflict
	case m.Cause == history.Adjusted && slices.ContainsFunc(m.Lines, func(l MovementLine) bool { return l.Units == 0 }):
		return ErrInvalid
	}
	units, err := w.signed(m)
	if err != nil {
		return err
	}
	for i, line := range m.Lines {
		if sku, ok := w.handle(line.SKU); ok && units[i] < 0 {
			a := w.level(sku, m.Slot)
			if (sent || m.Available) && a.Available < -units[i] {
				err = ErrShortage
			} else if a.Available+units[i] < -1<<31 {
				err = cmp.Or(err, ErrOverflow)
			}
		}
	}
	if err != nil {
		return err
	}
	copied := *m
	copied.Lines = slices.Clone(m.Lines)
	o := &twinOrder{number: number, state: InTransit, slot: m.Slot, to: m.To, sent: &copied}
	for i, line := range m.Lines {
		sku, ok := w.handle(line.SKU)
		if !ok {
			sku = uint32(len(w.skus))
			w.skus = append(w.skus, line.SKU)
		}
		w.shift(m.Now, sku, m.Slot, units[i])
		if units[i] < 0 {
			w.takeAway(sku, m.Slot)
		} else {
			w.bring(sku, m.Slot)
		}
		o.lines = append(o.lines, twinLine{sku: sku, quantity: -units[i], confirmed: -units[i]})
	}
	if sent {
		slices.SortFunc(o.lines, func(a, b twinLine) int { return cmp.Compare(a.sku, b.sku) })
		w.transfers[number] = o
	} else {
		w.moves[number] = &copied
	}
	return nil
}

// signed is by how much each line changes the units on hand.
func (w *ledgerTwin) signed(m *Movement) (signed []int64, err error) {
	var short, over error
	for _, line := range m.Lines {
		units, there := line.Units, int64(0)
		sku, known := w.handle(line.SKU)
		if known {
			there = w.onHand[sku][m.Slot]
		}
		switch m.Cause {
		case history.Counted:
			if m.AsOf != 0 && known {
				if m.AsOf < w.since {
					return nil, ErrTooOld
				}
				for _, c := range w.recent {
					if c.SKU == sku && c.Slot == m.Slot && c.Time > m.AsOf {
						units += c.Units
					}
				}
			}
			units = max(0, units) - there
		case history.Sold, history.Damaged, history.Sent:
			units = -units
		}
		switch {
		case !known && (units < 0 || m.Cause == history.Sold):
			return nil, ErrUnknownSKU
		case there+units < 0:
			short = ErrShortage
		case there+units > MaxQuantity:
			over = ErrOverflow
		}
		signed = append(signed, units)
	}
	return signed, cmp.Or(short, over)
}

// deliver ends a transfer, or a part of it.
func (w *ledgerTwin) deliver(number, transfer int, m *Movement) error {
	o := w.transfers[transfer]
	if o == nil {
		return ErrNotFound
	}
	here := *m
	here.Slot, here.Lines = o.to, slices.Clone(m.Lines)
	if known := w.moves[number]; known != nil {
		return w.repeated(known, &here)
	}
	give := map[uint32]int64{}
	for _, line := range m.Lines {
		sku, ok := w.handle(line.SKU)
		if !ok {
			return ErrUnknownSKU
		}
		give[sku] = line.Units
	}
	if o.state.Ended() {
		return ErrEnded
	}
	if m.Lines == nil {
		for _, l := range o.lines {
			give[l.sku] = l.confirmed
		}
	}
	for _, sku := range slices.Sorted(maps.Keys(give)) {
		if o.line(sku).confirmed < give[sku] {
			return ErrShortage
		}
		if m.Cause == history.Delivered && w.onHand[sku][o.to]+give[sku] > MaxQuantity {
			return ErrOverflow
		}
	}
	for sku, units := range give {
		l := o.line(sku)
		l.confirmed -= units
		if m.Cause == history.Lost {
			l.missing += units
			continue
		}
		l.collected += units
		w.shift(m.Now, sku, o.to, units)
		w.bring(sku, o.to)
	}
	if !o.open() {
		o.state, o.deadline = Canceled, m.Now
		if o.sum(func(l twinLine) int64 { return l.collected }) > 0 {
			o.state = Collected
		}
	}
	w.moves[number] = &here
	return nil
}

// setSafety sets a level unless that pushes what is available somewhere too far.
func (w *ledgerTwin) setSafety(v SafetyLevel) error {
	scope := SafetyLevel{SKU: v.SKU, Slot: v.Slot}
	var was [twinSKUs][twinSlots]int64
	w.cells(func(sku, slot uint32) { was[sku][slot] = w.safetyAt(sku, slot) })
	before, there := w.safety[scope]
	w.safety[scope] = v.Units
	var err error
	w.cells(func(sku, slot uint32) {
		if a := w.level(sku, slot); a.Safety != was[sku][slot] && a.Available < -1<<31 {
			err = ErrOverflow
		}
	})
	switch {
	case err != nil && there:
		w.safety[scope] = before
	case err != nil:
		delete(w.safety, scope)
	}
	return err
}

func (w *ledgerTwin) cells(each func(sku, slot uint32)) {
	for sku := range w.skus {
		for slot := range w.slots {
			each(uint32(sku), uint32(slot))
		}
	}
}

// remove takes a location out.
func (w *ledgerTwin) remove(slot uint32) error {
	for sku := range w.skus {
		if a := w.level(uint32(sku), slot); a.OnHand != 0 || a.Held != 0 {
			return ErrInUse
		}
	}
	for _, list := range [][]*twinOrder{w.shelf, w.transfers} {
		for _, o := range list {
			if o != nil && o.state == InTransit && o.to == slot {
				return ErrInUse
			}
		}
	}
	w.slots[slot].gone = true
	return nil
}

// facts are what the twin's errors are compared by.
var facts = []error{ErrInvalid, ErrUnknownLocation, ErrUnknownSKU, ErrConflict, ErrNotFound, ErrEnded, ErrState, ErrForm, ErrOwner,
	ErrShortage, ErrOverflow, ErrTooOld, ErrFull, ErrInUse}

// fact is the fact an error stands for.
func fact(err error) error {
	for _, f := range facts {
		if errors.Is(err, f) {
			return f
		}
	}
	return err
}
