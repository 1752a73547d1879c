package state

import (
	"errors"
	"math"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

const (
	// Everywhere stands for all slots in SafetyLevel.
	Everywhere = math.MaxUint32
	// EverySKU stands for all SKUs in SafetyLevel.
	EverySKU = math.MaxUint32
)

// SafetyLevel is units never sold online: of one SKU at one location, of one SKU
// everywhere, or of every SKU at one location.
type SafetyLevel struct {
	SKU, Slot uint32
	Units     int64 // 0 to MaxQuantity
}

// Levels is the safety stock that was set. The level of a pair decides;
// without one, the larger of the SKU's and the location's. Sub-SKUs and resources
// have none: that of a SKU is kept back from its own cell.
//
// Invariant: a cell's available units are reduced by exactly Of(sku, slot) at
// every moment outside State.SetSafety. Written under every floor, the
// structural lock and Mu; read under any of them.
type Levels struct {
	Mu         lock.RWMutex
	apart      func(sku uint32) bool // has no safety stock
	set        atomic.Bool           // anything was ever set: false spares cell creation a look-up
	everything int64
	bySKU      map[uint32]int64
	bySlot     map[uint32]int64
	byPair     map[uint64]int64
}

// Pair is a cell as one number.
func Pair(sku, slot uint32) uint64 { return uint64(sku)<<32 | uint64(slot) }

// Of is the level at a cell.
func (s *Levels) Of(sku, slot uint32) int64 {
	if !s.set.Load() {
		return 0
	}
	s.Mu.RLock(lock.Safety)
	defer s.Mu.RUnlock()
	return s.At(sku, slot)
}

// At is Of for holders of Mu, of every floor, or of the structural lock.
func (s *Levels) At(sku, slot uint32) int64 {
	if !s.set.Load() || s.apart(sku) {
		return 0
	}
	if units, ok := s.byPair[Pair(sku, slot)]; ok {
		return units
	}
	return max(s.bySKU[sku], s.bySlot[slot], s.everything)
}

// Read is Of for holders of a floor, which no change can pass.
func (s *Levels) Read(sku, slot uint32) int64 { return s.At(sku, slot) }

// Put sets a level, for the one who has all those locks, or whom nobody else meets.
func (s *Levels) Put(v SafetyLevel) {
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
		s.byPair[Pair(v.SKU, v.Slot)] = v.Units
	}
}

// LevelOf is the level set for exactly v's scope, or nil.
func (s *Levels) LevelOf(v SafetyLevel) *int64 {
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
		units, ok = s.byPair[Pair(v.SKU, v.Slot)]
	}
	if !ok {
		return nil
	}
	return &units
}

// Restore takes a Put back; before is what LevelOf said then.
func (s *Levels) Restore(v SafetyLevel, before *int64) {
	if before != nil {
		v.Units = *before
		s.Put(v)
		return
	}
	switch {
	case v.SKU == EverySKU:
		delete(s.bySlot, v.Slot)
	case v.Slot == Everywhere:
		delete(s.bySKU, v.SKU)
	default:
		delete(s.byPair, Pair(v.SKU, v.Slot))
	}
}

// All walks the levels that were set, in no order but for the first, which is that of
// everything.
func (s *Levels) All(each func(v SafetyLevel)) {
	s.Mu.RLock(lock.Safety)
	defer s.Mu.RUnlock()
	each(SafetyLevel{SKU: EverySKU, Slot: Everywhere, Units: s.everything})
	for sku, units := range s.bySKU {
		each(SafetyLevel{SKU: sku, Slot: Everywhere, Units: units})
	}
	for slot, units := range s.bySlot {
		each(SafetyLevel{SKU: EverySKU, Slot: slot, Units: units})
	}
	for key, units := range s.byPair {
		each(SafetyLevel{SKU: uint32(key >> 32), Slot: uint32(key), Units: units})
	}
}

// ErrOverflow: the units would pass the largest quantity, 2^31 − 1, or push what is
// available below −2^31.
var ErrOverflow = errors.New("quantity out of range")

// LevelError says at which cell a safety stock is too high. It is ErrOverflow.
type LevelError struct{ SKU, Slot uint32 }

// Error says what the matter is; where, whoever knows the names.
func (e *LevelError) Error() string { return ErrOverflow.Error() }

// Is makes errors.Is(err, ErrOverflow) true.
func (e *LevelError) Is(target error) bool { return target == ErrOverflow }

// SetSafety sets one level and changes what is available wherever it applies, under
// every floor and the structural lock of the stock. record is called once the level is
// in force, before the locks are given up; its error takes all of it back, and is the
// answer. Before the stock is laid out it only notes the level, and nobody else may
// look. *LevelError: nothing changed.
func (s *State) SetSafety(v SafetyLevel, record func() error) (err error) {
	if !s.LaidOut() {
		before := s.Safety.LevelOf(v)
		s.Safety.Put(v)
		if err = record(); err != nil {
			s.Safety.Restore(v, before)
		}
		return err
	}
	for i := range s.Floors {
		s.Floors[i].Lock(lock.Floor)
		defer s.Floors[i].Unlock()
	}
	s.Stock.Locked(func() {
		cells := s.cellsOf(v)
		s.Safety.Mu.Lock(lock.Safety)
		before := s.Safety.LevelOf(v)
		s.Safety.Put(v)
		s.Safety.Mu.Unlock()
		done := 0
		if done, err = s.shift(cells); err == nil {
			err = record()
		}
		if err != nil {
			s.shiftBack(cells[:done])
			s.Safety.Mu.Lock(lock.Safety)
			s.Safety.Restore(v, before)
			s.Safety.Mu.Unlock()
		}
	})
	return err
}

// levelChange is a cell whose level may change, and the level it had.
type levelChange struct {
	sku, slot uint32
	was       int64
}

// cellsOf lists the cells to which a level may apply, whether they are there or not.
func (s *State) cellsOf(v SafetyLevel) (cells []levelChange) {
	note := func(sku, slot uint32) bool {
		cells = append(cells, levelChange{sku, slot, s.Safety.At(sku, slot)})
		return true
	}
	switch {
	case v.SKU == EverySKU && v.Slot == Everywhere:
		for sku := range uint32(s.SKUs.Len()) {
			s.Stock.Slots(sku, func(slot uint32) bool { return note(sku, slot) })
		}
	case v.SKU == EverySKU:
		s.Stock.SKUs(v.Slot, func(sku uint32) bool { return note(sku, v.Slot) })
	case v.Slot == Everywhere:
		s.Stock.Slots(v.SKU, func(slot uint32) bool { return note(v.SKU, slot) })
	default:
		note(v.SKU, v.Slot)
	}
	return cells
}

// shift changes what is available by what the level of each cell is now other than it
// was. done is how many of them it has passed.
func (s *State) shift(cells []levelChange) (done int, err error) {
	for i, c := range cells {
		by := c.was - s.Safety.At(c.sku, c.slot)
		if by != 0 && s.Stock.Has(c.sku, c.slot) && !s.Stock.ChangeLocked(c.sku, c.slot, by) {
			return i, &LevelError{SKU: c.sku, Slot: c.slot}
		}
	}
	return len(cells), nil
}

// shiftBack takes back what shift did, while the new level is in force.
func (s *State) shiftBack(cells []levelChange) {
	for _, c := range cells {
		if s.Stock.Has(c.sku, c.slot) {
			s.Stock.ChangeLocked(c.sku, c.slot, s.Safety.At(c.sku, c.slot)-c.was)
		}
	}
}
