package reservation

import "iter"

// SlotsOf walks the slots at which a SKU has a cell, in no order, those whose
// units are all gone included.
func (l *Ledger) SlotsOf(sku uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) { l.state.Stock.Slots(sku, yield) }
}
