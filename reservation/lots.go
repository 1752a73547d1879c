package reservation

import "github.com/clickcollect/clickcollect/reservation/internal/state"

import (
	"slices"
	"strings"
)

// lotMark comes between a SKU and a lot in the name of the sub-SKU that is the
// units of the SKU in that lot.
const lotMark = state.ClassMark + "l"

// LotName is the name of the SKU whose units are those of a SKU in a lot. Movements
// of the SKU itself speak of these too, see Move. Where units leave without a lot
// being named, those of the lot whose name comes first go first, so a name begins
// with the day of expiry.
func LotName(sku, lot string) string { return sku + lotMark + lot }

// LotOf takes a name of LotName's apart; false if it is another one.
func LotOf(name string) (sku, lot string, ok bool) {
	sku, lot, ok = strings.Cut(name, lotMark)
	return sku, lot, ok && sku != "" && !strings.Contains(sku, state.ClassMark)
}

// isPart reports whether the rest of a name, behind that of its base, is that of a
// sub-SKU whose units movements of the base speak of.
func isPart(rest string) bool {
	return strings.HasPrefix(rest, quotaMark) || strings.HasPrefix(rest, lotMark)
}

// inOrder sorts the parts of a SKU as units leave them: lots by name.
func (l *Ledger) inOrder(parts []uint32) {
	isLot := func(sub uint32) bool { _, _, ok := LotOf(l.SKUName(sub)); return ok }
	if len(parts) > 1 && slices.ContainsFunc(parts, isLot) {
		slices.SortFunc(parts, func(a, b uint32) int { return strings.Compare(l.SKUName(a), l.SKUName(b)) })
	}
}

// withOwn adds to a movement of lots, without units, those cells of the SKUs
// themselves that are not there: what is kept back of a SKU as safety stock is
// kept back from its own cell.
func (l *Ledger) withOwn(m *Movement, deltas []delta) []delta {
	var named map[string]bool // what deltas there are, once there is a lot
	for i := range deltas {
		base, _, lot := LotOf(deltas[i].name)
		if lot && named == nil {
			named = make(map[string]bool, len(deltas))
			for j := range deltas {
				named[deltas[j].name] = true
			}
		}
		if !lot || named[base] {
			continue
		}
		named[base] = true
		if own := l.deltaOf(base, m.Slot); !own.there {
			deltas = append(deltas, own)
		}
	}
	return deltas
}

// isLotOfKnown tells the names of lots that never came, of SKUs that are known.
func (l *Ledger) isLotOfKnown(name string) bool {
	base, _, lot := LotOf(name)
	if lot {
		_, lot = l.state.SKUs.Find(base)
	}
	return lot
}

// goodsName is a name as refusals tell it: of a lot, the SKU it is of.
func goodsName(name string) string {
	if base, _, lot := LotOf(name); lot {
		return base
	}
	return name
}
