package reservation

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// SafetyLevel is units never sold online: of one SKU at one location, of one SKU
// everywhere, or of every SKU at one location.
type SafetyLevel = state.SafetyLevel

// SetSafety sets one level and changes what is available wherever it applies.
// It may push available units below zero; units already held stay held. It
// holds up the movements of all locations while it runs, claims never.
// ErrOverflow: available would pass below −2^31 somewhere; nothing changed.
func (l *Ledger) SetSafety(v SafetyLevel, now int64) (t Ticket, err error) {
	for i := range l.state.Floors {
		l.state.Floors[i].Lock(lock.Floor)
		defer l.state.Floors[i].Unlock()
	}
	l.state.Stock.Locked(func() {
		var cells []levelChange
		note := func(sku, slot uint32) bool {
			cells = append(cells, levelChange{sku, slot, l.state.Safety.At(sku, slot)})
			return true
		}
		switch {
		case v.SKU == EverySKU && v.Slot == Everywhere:
			for sku := range uint32(l.state.SKUs.Len()) {
				l.state.Stock.Slots(sku, func(slot uint32) bool { return note(sku, slot) })
			}
		case v.SKU == EverySKU:
			l.state.Stock.SKUs(v.Slot, func(sku uint32) bool { return note(sku, v.Slot) })
		case v.Slot == Everywhere:
			l.state.Stock.Slots(v.SKU, func(slot uint32) bool { return note(v.SKU, slot) })
		default:
			note(v.SKU, v.Slot)
		}
		l.state.Safety.Mu.Lock(lock.Safety)
		before := l.state.Safety.LevelOf(v)
		l.state.Safety.Put(v)
		l.state.Safety.Mu.Unlock()
		undo := func(done []levelChange) {
			for _, back := range done {
				if l.state.Stock.Has(back.sku, back.slot) {
					l.state.Stock.ChangeLocked(back.sku, back.slot, l.state.Safety.At(back.sku, back.slot)-back.was)
				}
			}
			l.state.Safety.Mu.Lock(lock.Safety)
			l.state.Safety.Restore(v, before)
			l.state.Safety.Mu.Unlock()
		}
		for i, c := range cells {
			by := c.was - l.state.Safety.At(c.sku, c.slot)
			if by == 0 || !l.state.Stock.Has(c.sku, c.slot) || l.state.Stock.ChangeLocked(c.sku, c.slot, by) {
				continue
			}
			undo(cells[:i])
			err = fmt.Errorf("reservation: safety stock of %d units of SKU %s at %s: %w", v.Units, shown(l.SKUName(c.sku)), shown(l.SlotName(c.slot)), ErrOverflow)
			return
		}
		if t, err = l.recordSafety(v, now); err != nil {
			undo(cells)
			err = fmt.Errorf("reservation: safety stock: %w", err)
		}
	})
	return t, err
}

// levelChange is a cell whose level may change, and the level it had.
type levelChange struct {
	sku, slot uint32
	was       int64
}

// recordSafety writes a level down once it is in force. It comes after the units
// it frees, unlike a receipt: safety stock is no bound that P1 rests on.
func (l *Ledger) recordSafety(v SafetyLevel, now int64) (Ticket, error) {
	return l.append(&history.Record{Kind: history.SafetySet, Time: now, SKU: v.SKU, Slot: v.Slot, Lines: []history.Line{{Units: v.Units}}})
}
