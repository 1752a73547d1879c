package reservation

// Resource reports whether a SKU stands for something that a location has besides
// goods, and that goes with a reservation: its name begins with a zero byte.
func (l *Ledger) Resource(sku uint32) bool { return l.state.Classes.Resource(sku) }

// Base is the SKU of which a sub-SKU is a part, named before the zero byte in its
// name; any other SKU is its own base.
func (l *Ledger) Base(sku uint32) uint32 { return l.state.Classes.Base(sku) }

// Subs is the sub-SKUs of a SKU, ascending; nil when it has none, as most. It
// must not be changed.
func (l *Ledger) Subs(sku uint32) []uint32 {
	return l.state.Classes.Subs(sku)
}
