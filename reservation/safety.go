package reservation

import (
	"fmt"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// SafetyLevel is units never sold online: of one SKU at one location, of one SKU
// everywhere, or of every SKU at one location.
type SafetyLevel struct {
	SKU, Slot uint32
	Units     int64 // 0 to MaxQuantity
}

// safetyLevels is the safety stock that was set. The level of a pair decides;
// without one, the larger of the SKU's and the location's. Sub-SKUs and resources
// have none: that of a SKU is kept back from its own cell.
//
// Invariant: a cell's available units are reduced by exactly of(sku, slot) at
// every moment outside Ledger.SetSafety. Written under every floor, the
// structural lock and mu; read under any of them.
type safetyLevels struct {
	mu         lock.RWMutex
	apart      func(sku uint32) bool // has no safety stock
	set        atomic.Bool           // anything was ever set: false spares cell creation a look-up
	everything int64
	bySKU      map[uint32]int64
	bySlot     map[uint32]int64
	byPair     map[uint64]int64
}

func pair(sku, slot uint32) uint64 { return uint64(sku)<<32 | uint64(slot) }

func (s *safetyLevels) of(sku, slot uint32) int64 {
	if !s.set.Load() {
		return 0
	}
	s.mu.RLock(lock.Safety)
	defer s.mu.RUnlock()
	return s.at(sku, slot)
}

func (s *safetyLevels) at(sku, slot uint32) int64 {
	if !s.set.Load() || s.apart(sku) {
		return 0
	}
	if units, ok := s.byPair[pair(sku, slot)]; ok {
		return units
	}
	return max(s.bySKU[sku], s.bySlot[slot], s.everything)
}

// read is of for holders of a floor, which no change can pass.
func (s *safetyLevels) read(sku, slot uint32) int64 { return s.at(sku, slot) }

func (s *safetyLevels) put(v SafetyLevel) {
	if s.bySKU == nil {
		s.bySKU, s.bySlot, s.byPair = map[uint32]int64{}, map[uint32]int64{}, map[uint64]int64{}
	}
	s.set.Store(true)
	switch {
	case v.SKU == EverySKU && v.Slot == Everywhere:
		s.everything = v.Units
	case v.SKU == EverySKU:
		s.bySlot[v.Slot] = v.Units
	case v.Slot == Everywhere:
		s.bySKU[v.SKU] = v.Units
	default:
		s.byPair[pair(v.SKU, v.Slot)] = v.Units
	}
}

// SetSafety sets one level and changes what is available wherever it applies.
// It may push available units below zero; units already held stay held. It
// holds up the movements of all locations while it runs, claims never.
// ErrOverflow: available would pass below −2^31 somewhere; nothing changed.
func (l *Ledger) SetSafety(v SafetyLevel, now int64) (t Ticket, err error) {
	for i := range l.floors {
		l.floors[i].Lock(lock.Floor)
		defer l.floors[i].Unlock()
	}
	l.stock.Locked(func() {
		var cells []levelChange
		note := func(sku, slot uint32) bool {
			cells = append(cells, levelChange{sku, slot, l.safety.at(sku, slot)})
			return true
		}
		switch {
		case v.SKU == EverySKU && v.Slot == Everywhere:
			for sku := range uint32(l.skus.len()) {
				l.stock.Slots(sku, func(slot uint32) bool { return note(sku, slot) })
			}
		case v.SKU == EverySKU:
			l.stock.SKUs(v.Slot, func(sku uint32) bool { return note(sku, v.Slot) })
		case v.Slot == Everywhere:
			l.stock.Slots(v.SKU, func(slot uint32) bool { return note(v.SKU, slot) })
		default:
			note(v.SKU, v.Slot)
		}
		l.safety.mu.Lock(lock.Safety)
		before := l.safety.levelOf(v)
		l.safety.put(v)
		l.safety.mu.Unlock()
		undo := func(done []levelChange) {
			for _, back := range done {
				if l.stock.Has(back.sku, back.slot) {
					l.stock.ChangeLocked(back.sku, back.slot, l.safety.at(back.sku, back.slot)-back.was)
				}
			}
			l.safety.mu.Lock(lock.Safety)
			l.safety.restore(v, before)
			l.safety.mu.Unlock()
		}
		for i, c := range cells {
			by := c.was - l.safety.at(c.sku, c.slot)
			if by == 0 || !l.stock.Has(c.sku, c.slot) || l.stock.ChangeLocked(c.sku, c.slot, by) {
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

// levelOf is the level set for exactly v's scope, or nil.
func (s *safetyLevels) levelOf(v SafetyLevel) *int64 {
	var units int64
	ok := true
	switch {
	case v.SKU == EverySKU && v.Slot == Everywhere:
		units = s.everything
	case v.SKU == EverySKU:
		units, ok = s.bySlot[v.Slot]
	case v.Slot == Everywhere:
		units, ok = s.bySKU[v.SKU]
	default:
		units, ok = s.byPair[pair(v.SKU, v.Slot)]
	}
	if !ok {
		return nil
	}
	return &units
}

func (s *safetyLevels) restore(v SafetyLevel, before *int64) {
	if before != nil {
		v.Units = *before
		s.put(v)
		return
	}
	switch {
	case v.SKU == EverySKU:
		delete(s.bySlot, v.Slot)
	case v.Slot == Everywhere:
		delete(s.bySKU, v.SKU)
	default:
		delete(s.byPair, pair(v.SKU, v.Slot))
	}
}
