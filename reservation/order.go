package reservation

import (
	"slices"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// stateOf is the state of an order of some parts, of which one is to be as e is, and to
// which another one comes; nil: none does.
func stateOf(k *state.Classes, e, another *book.Entry, parts []book.Member) life.OrderState {
	var o life.Order
	for _, part := range [...]*book.Entry{e, another} {
		if part != nil {
			o.Add(part.State, life.Total(part.Lines, life.HeldUnits), life.Total(part.Lines, life.CollectedUnits), hasGoods(k, part))
		}
	}
	for i := range parts {
		if m := &parts[i].Entry; e == nil || m.Part != e.Part {
			o.Add(m.State, life.Total(m.Lines, life.HeldUnits), life.Total(m.Lines, life.CollectedUnits), hasGoods(k, m))
		}
	}
	return o.State()
}

// become is what a record tells of the order's state: the one that it has become, or
// nothing if it is what it was.
func become(before, state life.OrderState) life.OrderState {
	if state == before {
		return 0
	}
	return state
}

// hasGoods tells the parts that have goods: one that has none is the customer's place in
// a pickup window.
func hasGoods(k *state.Classes, e *book.Entry) bool {
	return slices.ContainsFunc(e.Lines, func(l entryLine) bool { return !k.Resource(l.SKU) })
}
