package reservation

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// A witness replays the journal by itself, on a twin, and checks every record
// against the ones before it: that the numbers have no gap, that a record only
// moves units that are there, that what it says is on hand is what they add up
// to, that no ID comes twice, and that nothing but the shop floor makes a cell
// have more reservations than goods.
type witness struct {
	w    *ledgerTwin
	at   uint64
	r    history.Record
	seen map[uint64]string // IDs that were answered with a record number, until it is read
	more Name              // the order read last, and how many of its parts are still to come
	open Name              // a part that has units of another one, until the record of that
}

func newWitness(remindBefore int64) *witness {
	return &witness{w: newLedgerTwin(remindBefore), seen: map[uint64]string{}}
}

// number is what stands behind the letters of an ID.
func number(id string) int {
	n, err := strconv.Atoi(strings.TrimLeft(id, "abcdefghijklmnopqrstuvwxyz"))
	if err != nil {
		return 1 << 30
	}
	return n
}

// roomFor makes a list long enough and returns the place of a number in it.
func roomFor[T any](list *[]*T, n int) **T {
	lengthen(list, n+1)
	return &(*list)[n]
}

func lengthen[T any](list *[]*T, n int) {
	for len(*list) < n {
		*list = append(*list, nil)
	}
}

// read takes in the records of a log that it does not know yet.
func (x *witness) read(log log.Log) error {
	if log.Last() <= x.at {
		return nil
	}
	for frame, err := range log.Read(x.at + 1) {
		if err != nil {
			return fmt.Errorf("reading record %d: %w", x.at+1, err)
		}
		sequence := frame.First
		for data, err := range commit.Records(frame.Payload) {
			if err == nil && sequence > x.at {
				err = x.take(sequence, data)
			}
			if err != nil {
				return fmt.Errorf("record %d (%v %q): %w", sequence, x.r.Kind, x.r.ID, err)
			}
			sequence++
		}
	}
	if x.more.Part > 0 || x.open.ID != "" {
		return fmt.Errorf("the log ends at record %d: an order has not all its parts (%v more, %v)", x.at, x.more, x.open)
	}
	if x.at != log.Last() {
		return fmt.Errorf("the log ends at %d, its records at %d", log.Last(), x.at)
	}
	return nil
}

// take checks one record and brings it in.
func (x *witness) take(sequence uint64, data []byte) error {
	r, w := &x.r, x.w
	if err := r.Decode(data); err != nil {
		return err
	}
	if sequence != x.at+1 {
		return fmt.Errorf("comes after record %d", x.at)
	}
	x.at = sequence
	if id, ok := x.seen[sequence]; ok && id != r.ID {
		return fmt.Errorf("%q was told to be this record", id)
	}
	delete(x.seen, sequence)
	if err := x.together(); err != nil {
		return err
	}
	slots := []uint32{r.To}
	for _, n := range x.names() {
		slots = append(slots, n.slot)
		if o := *roomFor(&w.orders, n.number); o != nil && r.Kind != history.Moved {
			slots = append(slots, o.slot)
		}
	}
	before := map[[2]uint32]int64{}
	each := func(do func(sku, slot uint32)) {
		for _, slot := range slots {
			if uint64(slot) < uint64(len(w.slots)) {
				for sku := range w.skus {
					do(uint32(sku), slot)
				}
			}
		}
	}
	each(func(sku, slot uint32) { before[[2]uint32{sku, slot}], _ = w.missing(sku, slot) })
	if err := x.bring(); err != nil {
		return err
	}
	var err error
	each(func(sku, slot uint32) {
		missing, _ := w.missing(sku, slot)
		if missing > before[[2]uint32{sku, slot}] && !takesFromShelf(r) {
			err = fmt.Errorf("oversold: %d units of SKU %d at %d too many are reserved", missing, sku, slot)
		}
	})
	return err
}

// share is a part that a record is about.
type share struct {
	number int // in the twin's list
	slot   uint32
	lines  []history.Line
}

// names is the parts that the record is about.
func (x *witness) names() (all []share) {
	r := &x.r
	if r.Kind == history.Moved || r.Kind != history.Held && r.Kind.Verb(0, false, false) == 0 {
		return []share{{number: 0, slot: r.Slot}}
	}
	order, lines := number(r.ID), r.Lines
	for _, s := range r.Shares {
		all = append(all, share{partAt(order, int(s.Part)), s.Slot, lines[:s.Lines]})
		lines = lines[s.Lines:]
	}
	if len(r.Shares) == 0 {
		all = append(all, share{partAt(order, int(r.Part)), r.Slot, lines})
	}
	return all
}

// together checks that the records of one call follow each other: the parts of an
// order, and a reroute with what it makes.
func (x *witness) together() error {
	r := &x.r
	part := Name{ID: r.ID, Part: r.Part}
	switch {
	case x.open.ID != "" && r.Kind == history.Rerouted && r.ID == x.open.ID && r.Other == x.open.Part:
		x.open = Name{}
	case x.open.ID != "" && (r.Kind != history.Confirmed || part != x.open):
		return fmt.Errorf("%v has its units without a record of whose they were", x.open)
	case x.open.ID != "":
	case r.Kind == history.Rerouted && r.Other != 0:
		return fmt.Errorf("its units are nowhere")
	case x.more.Part > 0 && (r.Kind != history.Held || r.ID != x.more.ID):
		return fmt.Errorf("%d parts of the order before it are missing", x.more.Part)
	case x.more.Part > 0:
		x.more.Part--
	case r.Kind == history.Held && r.Other != 0:
		x.open = Name{ID: strings.Clone(r.ID), Part: r.Part}
	case r.Kind == history.Held && r.Parts > 1:
		x.more = Name{ID: strings.Clone(r.ID), Part: r.Parts - 1}
	}
	return nil
}

// takesFromShelf tells the records of what the shop floor does.
func takesFromShelf(r *history.Record) bool {
	return r.Kind == history.Moved && (r.Cause == history.Sold || r.Cause == history.Counted || r.Cause == history.Adjusted || r.Cause == history.Damaged)
}

func (x *witness) bring() error {
	r, w := &x.r, x.w
	switch r.Kind {
	case history.SKUAdded:
		if uint64(r.SKU) != uint64(len(w.skus)) || slices.Contains(w.skus, r.Name) {
			return fmt.Errorf("SKU %d is not new", r.SKU)
		}
		w.skus = append(w.skus, strings.Clone(r.Name))
	case history.LocationSet:
		if uint64(r.Slot) == uint64(len(w.slots)) {
			w.slots = append(w.slots, twinSlot{name: strings.Clone(r.Name)})
		} else if uint64(r.Slot) > uint64(len(w.slots)) || w.slots[r.Slot].name != r.Name || w.slots[r.Slot].gone {
			return fmt.Errorf("location %d is another one", r.Slot)
		}
	case history.LocationRemoved:
		return w.remove(r.Slot)
	case history.SafetySet:
		w.safety[SafetyLevel{SKU: r.SKU, Slot: r.Slot}] = r.Lines[0].Units
	case history.NoteSet:
		if r.Name != state.KeyNote {
			w.setNote(strings.Clone(r.Name), r.Place)
		}
	case history.Opened:
	case history.Held:
		return x.held()
	case history.Moved:
		return x.moved()
	default:
		return x.changed()
	}
	return nil
}

func (x *witness) held() error {
	r, w := &x.r, x.w
	n := partAt(number(r.ID), int(r.Part))
	at := roomFor(&w.orders, n)
	if *at != nil {
		return fmt.Errorf("held twice")
	}
	var lines []Line
	for _, l := range r.Lines {
		lines = append(lines, Line{SKU: l.SKU, Quantity: l.Units})
	}
	*at = w.hold(n, &Hold{ID: strings.Clone(r.ID), Fingerprint: r.Fingerprint, Slot: r.Slot, Distance: r.Distance, Now: r.Time, Deadline: r.Deadline,
		Promise: r.Promise, Order: strings.Clone(r.Order), Owner: strings.Clone(r.Owner), Channel: strings.Clone(r.Channel),
		Note: bytes.Clone(r.Place), Parts: r.Parts, Part: r.Part, From: r.Other, Form: r.Form, Store: r.Store}, lines)
	return nil
}

// moved brings in a movement.
func (x *witness) moved() error {
	r, w := &x.r, x.w
	at := roomFor(&w.moves, number(r.ID))
	var sent *twinOrder
	switch r.Cause {
	case history.Sent:
		sent = &twinOrder{number: number(r.ID), state: InTransit, slot: r.Slot, to: r.To, sent: &Movement{}}
		at := roomFor(&w.transfers, sent.number)
		if *at != nil {
			return fmt.Errorf("sent twice")
		}
		*at = sent
	case history.Delivered, history.Lost:
		if sent = *roomFor(&w.transfers, number(r.Ref)); sent == nil {
			return fmt.Errorf("no transfer %q", r.Ref)
		}
		fallthrough
	default:
		if *at != nil {
			return fmt.Errorf("moved twice")
		}
		*at = &Movement{}
	}
	for _, l := range r.Lines {
		switch r.Cause {
		case history.Sent:
			sent.lines = append(sent.lines, twinLine{sku: l.SKU, quantity: -l.Units, confirmed: -l.Units})
		case history.Delivered:
			sent.line(l.SKU).confirmed -= l.Units
			sent.line(l.SKU).collected += l.Units
		case history.Lost:
			sent.line(l.SKU).confirmed -= l.Units
			sent.line(l.SKU).missing += l.Units
		}
		if r.Cause != history.Lost {
			w.shift(r.Time, l.SKU, r.Slot, l.Units)
		}
		if got := w.onHand[l.SKU][r.Slot]; got != l.OnHand || got < 0 {
			return fmt.Errorf("says %d on hand of SKU %d, there are %d", l.OnHand, l.SKU, got)
		}
		if sent != nil && sent.line(l.SKU).confirmed < 0 {
			return fmt.Errorf("more arrived than was sent")
		}
	}
	if sent != nil && !sent.open() {
		sent.state = Canceled
		if sent.sum(func(l twinLine) int64 { return l.collected }) > 0 {
			sent.state = Collected
		}
	}
	return nil
}

// changed brings in a change of an order: of one part, or of several at once.
func (x *witness) changed() error {
	r, w := &x.r, x.w
	last := 0
	for i, s := range x.names() {
		if i > 0 && s.number <= last {
			return fmt.Errorf("its parts do not ascend")
		}
		last = s.number
		if err := x.changedPart(&s); err != nil {
			return fmt.Errorf("part %d: %w", s.number%twinParts+1, err)
		}
	}
	if r.Change != "" {
		at := roomFor(&w.changes, number(r.Change))
		if *at != nil {
			return fmt.Errorf("change %q twice", r.Change)
		}
		*at = &twinChange{print: r.Fingerprint, state: w.orders[last].state}
	}
	return nil
}

func (x *witness) changedPart(s *share) error {
	r, w := &x.r, x.w
	o := *roomFor(&w.orders, s.number)
	if o == nil {
		return fmt.Errorf("no such reservation")
	}
	if r.Kind == history.Rerouted {
		return x.rerouted(o)
	}
	if o.state.Ended() && r.Kind != history.Returned && r.Kind != history.RerouteFailed {
		return fmt.Errorf("it has ended: %v", o.state)
	}
	c := &Change{Verb: r.Kind, Now: r.Time, Deadline: r.Deadline, Code: strings.Clone(r.Code), Owner: strings.Clone(r.Owner),
		Channel: strings.Clone(r.Channel), Slot: s.slot, Cause: r.Cause}
	switch r.Kind {
	case history.Shipped:
		c.Owner, c.Code = strings.Clone(r.Carrier), strings.Clone(r.Tracking)
	case history.Dispatched:
		c.Slot = r.To
	case history.Expired, history.NoShow:
		if due := map[history.Kind]int64{history.Expired: o.deadline, history.NoShow: o.pickup}[r.Kind]; r.Time < due {
			return fmt.Errorf("%d ms early", due-r.Time)
		}
	}
	give := make([]int64, len(o.lines))
	for _, l := range s.lines {
		at := slices.IndexFunc(o.lines, func(t twinLine) bool { return t.sku == l.SKU })
		if at < 0 || l.Units < 0 {
			return fmt.Errorf("no line of SKU %d", l.SKU)
		}
		line := &o.lines[at]
		switch r.Kind {
		case history.Shorted:
			line.short += l.Units
		case history.Covered:
			line.short -= l.Units
		case history.Ready:
		default:
			if l.Units > line.can(r.Kind) {
				return fmt.Errorf("%d units of SKU %d, there are %d", l.Units, l.SKU, line.can(r.Kind))
			}
			give[at] = l.Units
		}
		if line.short < 0 || line.short > line.held+line.confirmed {
			return fmt.Errorf("%d of %d units short", line.short, line.held+line.confirmed)
		}
	}
	if r.Kind != history.Shorted && r.Kind != history.Covered {
		w.advance(o, c, give)
	}
	switch {
	case (r.Kind == history.Returned || r.Kind == history.ReturnedToSender) && r.Cause != history.Restocked:
	case r.Kind == history.Shipped, r.Kind == history.ReturnedToSender, r.Kind == history.Collected, r.Kind == history.Dispatched, r.Kind == history.ShortPicked, r.Kind == history.Arrived, r.Kind == history.Returned:
		for _, l := range s.lines {
			if got := w.onHand[l.SKU][s.slot]; got != l.OnHand || got < 0 {
				return fmt.Errorf("says %d on hand of SKU %d, there are %d", l.OnHand, l.SKU, got)
			}
		}
	}
	return nil
}

// rerouted brings in that units of an order are elsewhere.
func (x *witness) rerouted(o *twinOrder) error {
	r, w := &x.r, x.w
	route := Reroute{ID: r.ID, Now: r.Time, Missing: r.Missing, To: Part{Hold: Hold{Slot: r.To, Distance: r.Distance, Promise: r.Promise,
		Note: bytes.Clone(r.Place), Parts: r.Parts, Part: r.Other, Form: r.Form, Store: r.Store}}}
	for _, l := range r.Lines {
		route.Lines = append(route.Lines, Line{SKU: l.SKU, Quantity: l.Units})
	}
	give, err := o.leaving(&route)
	switch {
	case err != nil:
		return err
	case o.slot != r.Slot:
		return fmt.Errorf("it is at %d, not at %d", o.slot, r.Slot)
	case o.state.Ended() && !r.Missing:
		return fmt.Errorf("it has ended: %v", o.state)
	case r.Other != 0:
		w.leave(o, give, &route)
		return nil
	}
	route.To.Lines = route.Lines
	if err := o.whole(give, route.To.Lines); err != nil {
		return err
	}
	w.relocate(o, &route)
	return nil
}

// twin is the state as of the last record that was read, for a game to go on
// with. What the records do not tell of the contents is taken from before.
func (x *witness) twin(before *ledgerTwin) *ledgerTwin {
	w := x.w.clone()
	for i := range before.moves {
		if at := roomFor(&w.moves, i); *at != nil {
			*at = before.moves[i]
		}
	}
	for i := range before.transfers {
		if at := roomFor(&w.transfers, i); *at != nil {
			(*at).sent = before.transfers[i].sent
		}
	}
	lengthen(&w.orders, len(before.orders))
	lengthen(&w.changes, len(before.changes))
	return w
}
