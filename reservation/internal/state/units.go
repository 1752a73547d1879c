package state

import "github.com/clickcollect/clickcollect/reservation/lock"

// Units is a SKU's units at one location, at one instant: Available = OnHand − Held −
// Safety.
type Units struct {
	OnHand    int64 // physically there, held or not
	Held      int64 // taken by reservations, not yet collected
	Safety    int64 // units never sold online
	Available int64 // what an order can still take; may be below zero
}

// Units reads a SKU's units at a location, whose floor it locks. A SKU that was never
// there has none.
func (s *State) Units(sku, slot uint32) Units {
	f := s.Floor(slot)
	f.Lock(lock.Floor)
	defer f.Unlock()
	return s.UnitsLocked(sku, slot)
}

// UnitsLocked is Units for holders of the location's floor: on hand and safety stand
// still, so the one load of what is available decides.
func (s *State) UnitsLocked(sku, slot uint32) Units {
	v, ok := s.Stock.Level(sku, slot)
	safety := s.Safety.Read(sku, slot)
	if !ok { // no cell; whether there is one is the row's affair
		return Units{Safety: safety, Available: -safety}
	}
	return Units{OnHand: v.OnHand, Held: v.OnHand - safety - v.Available, Safety: safety, Available: v.Available}
}
