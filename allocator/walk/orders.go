package walk

import (
	"iter"
	"time"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// Filter says which reservations a walk gives: those that meet all of it. The zero
// Filter lets every one pass, ended ones as long as they are remembered.
type Filter struct {
	States   []life.State `json:"states,omitempty"`   // in one of these; empty: in any
	Location string       `json:"location,omitempty"` // the goods are, or were, there
	Order    string       `json:"order,omitempty"`    // with this order reference
	Customer string       `json:"customer,omitempty"` // with this customer reference
	SKU      string       `json:"sku,omitempty"`      // with a line of it; of a bundle: of what is in it

	MadeFrom   time.Time `json:"made_from,omitzero"`   // made then or later, in engine time; zero: whenever
	MadeBefore time.Time `json:"made_before,omitzero"` // made earlier than that

	// ChangedAfter passes what an event above this number has changed, 0 everything:
	// what was new after another walk's Sequence.
	ChangedAfter uint64 `json:"changed_after,omitempty"`
}

// OrderSource is who has the reservations, R.
type OrderSource[R any] interface {
	Orders(f Filter) Walk[R]
	Loads() iter.Seq2[string, int]
}

// Orders is the reservations of an engine; each part of an order is one of its own.
type Orders[R any] struct{ of OrderSource[R] }

// NewOrders is the reservations of a source.
func NewOrders[R any](of OrderSource[R]) Orders[R] { return Orders[R]{of} }

// Walk enumerates the reservations that a filter passes. A page costs a look at what it
// gives and what the filter leaves out on the way, 65,536 reservations at most; with an
// order or a customer reference it costs as much as there are of that.
func (o Orders[R]) Walk(f Filter) Walk[R] { return o.of.Orders(f) }

// Loads walks the IDs of the locations, in the order in which they were first set, with
// how many reservations each has that have not ended; those under way to another one
// count where they were sent from. It takes the lock of one location at a time.
func (o Orders[R]) Loads() iter.Seq2[string, int] { return o.of.Loads() }
