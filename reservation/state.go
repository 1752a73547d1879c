package reservation

import "github.com/clickcollect/clickcollect/reservation/life"

// State says how far a reservation has come, see package life. It ends once, in one of
// those that say so; a Collected or a Delivered one can still become Returned, and one
// whose units were not found, or got lost, Rerouted. The zero value is no state.
type State = life.State

// Form is how the goods of a reservation reach the customer, see package life. The zero
// value is that nobody has said.
type Form = life.Form

// The states of a reservation, and its forms.
const (
	Held      = life.Held      // taken for the customer until a deadline
	Confirmed = life.Confirmed // promised, without a deadline
	Accepted  = life.Accepted  // the location has said that it will prepare it
	InTransit = life.InTransit // on its way from another location
	Ready     = life.Ready     // waits for the customer until the pickup deadline
	Collected = life.Collected // ended: at least one unit was collected
	Canceled  = life.Canceled  // ended: put back, and nothing was collected
	Expired   = life.Expired   // ended: the deadline of the hold has passed
	NoShow    = life.NoShow    // ended: the pickup deadline has passed
	Returned  = life.Returned  // ended: collected, and all of it came back
	Rerouted  = life.Rerouted  // ended: its units are in other reservations of the order

	Packed           = life.Packed           // in a parcel, which waits at the location for its carrier
	Shipped          = life.Shipped          // on its way to the customer
	Delivered        = life.Delivered        // ended: the customer has got it
	Lost             = life.Lost             // ended: the carrier has lost it
	ReturnedToSender = life.ReturnedToSender // ended: it came back undelivered

	Unsaid  = life.Unsaid  // nobody has said: it lives as any of the others may
	Fetched = life.Fetched // collected where the goods are
	Brought = life.Brought // collected at a chosen store, to which the goods are brought
	Sent    = life.Sent    // sent to the customer's address
)

// entryLine is one SKU of an order or a transfer.
type entryLine = life.Line
