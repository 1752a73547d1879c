package reservation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// quotaMark comes between a SKU and a channel in the name of the sub-SKU that is
// what is set aside of the SKU for the channel.
const quotaMark = state.ClassMark + "q"

// QuotaName is the name of the SKU whose units are those of a SKU that are set
// aside for a channel. Movements of the SKU itself speak of these too, see Move.
func QuotaName(sku, channel string) string { return sku + quotaMark + channel }

// QuotaOf takes a name of QuotaName's apart; false if it is another one.
func QuotaOf(name string) (sku, channel string, ok bool) {
	sku, channel, ok = strings.Cut(name, quotaMark)
	return sku, channel, ok && sku != "" && !strings.Contains(sku, state.ClassMark)
}

// Quota finds the sub-SKU that is set aside of a SKU for a channel. It takes no
// lock and no memory.
func (l *Ledger) Quota(sku uint32, channel string) (handle uint32, ok bool) {
	subs := l.Subs(sku)
	if len(subs) == 0 {
		return 0, false
	}
	base := len(l.SKUName(sku))
	for _, sub := range subs {
		rest, is := strings.CutPrefix(l.SKUName(sub)[base:], quotaMark)
		if is && rest == channel {
			return sub, true
		}
	}
	return 0, false
}

// AvailableAll is Available for all cells of a SKU at a location, its own first
// and then those of its sub-SKUs, at an instant at which no goods move there.
// They are appended to into.
func (l *Ledger) AvailableAll(sku, slot uint32, into []Availability) []Availability {
	f := l.state.Floor(slot)
	f.Lock(lock.Floor)
	defer f.Unlock()
	into = append(into, l.level(sku, slot))
	for _, sub := range l.Subs(sku) { // a new one waits for the floor
		into = append(into, l.level(sub, slot))
	}
	return into
}

// quotasAt is the quotas and the lots of a SKU that have a cell at a location, in
// the order in which units leave them; nil for nearly every SKU.
func (l *Ledger) quotasAt(sku, slot uint32) (all []uint32) {
	base := 0
	for i, sub := range l.Subs(sku) {
		if i == 0 {
			base = len(l.SKUName(sku))
		}
		if isPart(l.SKUName(sub)[base:]) && l.state.Stock.Has(sub, slot) {
			all = append(all, sub)
		}
	}
	l.inOrder(all)
	return all
}

// addQuotas adds to the units of a SKU on hand, and to those that came since a
// time, what its quotas have.
func (l *Ledger) addQuotas(quotas []uint32, m *Movement, changed map[uint32]int64, there, since *int64) {
	for _, sub := range quotas {
		*there += l.state.Stock.OnHand(sub, m.Slot)
		*since += changed[sub]
	}
}

// spreadTries bounds how often a movement looks again for available units when
// orders have taken them since it looked. Each time somebody else has got some.
const spreadTries = 1 << 12

// spread divides the lines of a movement whose SKUs have quotas among the cells
// of each, and takes what leaves. Units leave where they are available, first
// where they are for everybody; then from under reservations, there first too.
// Units that come go to where the floor has taken too many, then to where they
// are for everybody. deltas are replaced by those of the cells. The floor is
// locked.
//
// Linearizes at: the claim of all available units that leave; what it could not
// get was not available then.
func (l *Ledger) spread(m *Movement, deltas []delta) (out []delta, settle, undo func(), err error) {
	var p stock.Picks
	for try := 0; ; try++ {
		out = out[:0]
		var picks []stock.Pick
		for i := range deltas {
			d := &deltas[i]
			if len(d.quotas) == 0 {
				out = append(out, *d)
				continue
			}
			from := len(out)
			out = l.cellsOf(d, m.Slot, out)
			if d.units >= 0 {
				l.bring(out[from:], m.Slot, d.units)
				continue
			}
			left := -d.units
			if try < spreadTries {
				left = takeFree(out[from:], left)
			}
			for j := from; j < len(out); j++ {
				if n := -out[j].units; n > 0 {
					picks = append(picks, stock.Pick{SKU: out[j].sku, Slot: m.Slot, Quantity: n})
				}
			}
			takeHeld(out[from:], left)
		}
		slices.SortFunc(picks, func(a, b stock.Pick) int { return cmp.Compare(a.SKU, b.SKU) })
		if p.Take(l.state.Stock, picks) < 0 {
			break
		}
	}
	out = slices.DeleteFunc(out, func(d delta) bool { return d.part && d.units == 0 && d.held == 0 })
	if err := changeHeld(out); err != nil {
		p.Undo()
		return out, nil, nil, err
	}
	return out, p.Settle, func() { undoHeld(out); p.Undo() }, nil
}

// cellsOf appends a delta without units for each cell of a SKU with quotas.
func (l *Ledger) cellsOf(d *delta, slot uint32, out []delta) []delta {
	own := delta{name: d.name, sku: d.sku, cell: d.cell, there: d.there, spread: true}
	out = append(out, own)
	for _, sub := range d.quotas {
		cell, ok := l.state.Stock.Cell(sub, slot)
		if ok {
			out = append(out, delta{name: l.SKUName(sub), sku: sub, cell: cell, there: true, spread: true, part: true})
		}
	}
	return out
}

// bring divides units that come among cells: first where more are held than are on
// hand.
func (l *Ledger) bring(cells []delta, slot uint32, units int64) {
	for i := range cells {
		if c := &cells[i]; c.there {
			n := min(units, l.deficit(c.sku, slot))
			c.units, units = n, units-n
		}
	}
	cells[0].units += units
}

// takeFree divides units that leave among cells that have them available, and
// returns how many are left over.
func takeFree(cells []delta, units int64) (left int64) {
	for i := range cells {
		if c := &cells[i]; c.there && units > 0 {
			n := min(units, max(c.cell.Available(), 0))
			c.units, units = -n, units-n
		}
	}
	return units
}

// takeHeld divides units that leave all the same among cells that have them on
// hand. There are as many: check has seen to that.
func takeHeld(cells []delta, units int64) {
	for i := range cells {
		if c := &cells[i]; c.there && units > 0 {
			n := min(units, c.cell.OnHand()+c.units)
			c.held, units = n, units-n
		}
	}
}

// changeHeld makes what leaves without having been claimed unavailable, and adds
// it to what leaves.
func changeHeld(deltas []delta) error {
	for i := range deltas {
		d := &deltas[i]
		if !d.spread && d.units < 0 {
			d.held = -d.units
		}
		if d.held > 0 && !d.cell.Change(-d.held) {
			undoHeld(deltas[:i])
			return fmt.Errorf("SKU %s: %w", shown(d.name), ErrOverflow)
		}
	}
	for i := range deltas {
		if d := &deltas[i]; d.spread {
			d.units -= d.held
		}
	}
	return nil
}

func undoHeld(deltas []delta) {
	for i := range deltas {
		if d := &deltas[i]; d.held > 0 {
			d.cell.Change(d.held)
		}
	}
}

// setAside turns the lines of a movement that sets quotas into deltas, and takes
// what leaves: quotas get what they lack from the SKUs they are parts of, and give
// back what they have too much. Nothing that is held moves. The floor is locked.
//
// Linearizes at: the claim of what moves, or, when nothing does, the load of the
// quota's available units.
func (l *Ledger) setAside(m *Movement) (out []delta, settle, undo func(), err error) {
	var p stock.Picks
	for {
		out = out[:0]
		for _, line := range m.Lines {
			base, sub := state.BaseName(line.SKU)
			if !sub {
				return nil, nil, nil, &InvalidError{Field: "Lines", Value: line.SKU, Why: "is no quota"}
			}
			quota, from := l.deltaOf(line.SKU, m.Slot), l.deltaOf(base, m.Slot)
			free := int64(0)
			if quota.there {
				free = quota.cell.Available()
			}
			quota.units, from.units = line.Units-free, free-line.Units
			if !from.there && from.units < 0 {
				return nil, nil, nil, l.tooFew(base, m.Slot, -from.units)
			}
			out = append(out, quota, from)
		}
		var picks []stock.Pick
		for _, d := range out {
			if d.units < 0 {
				picks = append(picks, stock.Pick{SKU: d.sku, Slot: m.Slot, Quantity: -d.units})
			}
		}
		slices.SortFunc(picks, func(a, b stock.Pick) int { return cmp.Compare(a.SKU, b.SKU) })
		short := p.Take(l.state.Stock, picks)
		if short < 0 {
			return out, p.Settle, p.Undo, nil
		}
		if pick := picks[short]; l.Base(pick.SKU) == pick.SKU { // else an order took some of the quota: look again
			return nil, nil, nil, l.tooFew(l.SKUName(pick.SKU), m.Slot, pick.Quantity)
		}
	}
}

// deltaOf is a delta without units for a SKU at a location.
func (l *Ledger) deltaOf(name string, slot uint32) delta {
	d := delta{name: name}
	if sku, ok := l.state.SKUs.Find(name); ok {
		d.sku = sku
		d.cell, d.there = l.state.Stock.Cell(sku, slot)
	}
	return d
}

// tooFew is the refusal to take more of a SKU than is available.
func (l *Ledger) tooFew(name string, slot uint32, wanted int64) error {
	e := &ShortageError{SKU: name, Location: l.SlotName(slot), Wanted: wanted}
	if sku, ok := l.state.SKUs.Find(name); ok {
		e.Available = max(l.level(sku, slot).Available, 0)
	}
	return e
}
