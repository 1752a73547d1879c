package life

import "fmt"

// State says how far a reservation has come. It ends once, in one of those that say so;
// a Collected or a Delivered one can still become Returned, and one whose units were
// not found, or got lost, Rerouted. The zero value is no state.
type State uint8

// The states of a reservation. Their numbers are stored: new ones are added at
// the end.
const (
	Held             State = iota + 1 // taken for the customer until a deadline
	Confirmed                         // promised, without a deadline
	Accepted                          // the location has said that it will prepare it
	InTransit                         // on its way from another location
	Ready                             // waits for the customer until the pickup deadline
	Collected                         // ended: at least one unit was collected
	Canceled                          // ended: put back, and nothing was collected
	Expired                           // ended: the deadline of the hold has passed
	NoShow                            // ended: the pickup deadline has passed
	Returned                          // ended: collected, and all of it came back
	Rerouted                          // ended: its units are in other reservations of the order
	Packed                            // in a parcel, which waits at the location for its carrier
	Shipped                           // on its way to the customer
	Delivered                         // ended: the customer has got it
	Lost                              // ended: the carrier has lost it
	ReturnedToSender                  // ended: it came back undelivered

	states = iota + 1 // one more than the last state
)

// Ended reports whether nothing is held or confirmed any more.
func (s State) Ended() bool { return ended.Has(s) }

// OnRoad reports whether its goods are on no shelf, and at no location.
func (s State) OnRoad() bool { return onRoad.Has(s) }

var stateNames = [states]string{
	Held: "held", Confirmed: "confirmed", Accepted: "accepted", InTransit: "in transit", Ready: "ready",
	Collected: "collected", Canceled: "canceled", Expired: "expired", NoShow: "no-show", Returned: "returned", Rerouted: "rerouted",
	Packed: "packed", Shipped: "shipped", Delivered: "delivered", Lost: "lost", ReturnedToSender: "returned to sender",
}

// String returns the name of the state in lower case.
func (s State) String() string {
	if s == 0 || s >= states {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateNames[s]
}

// MarshalText is the name of the state; none is no text.
func (s State) MarshalText() ([]byte, error) {
	if s >= states {
		return nil, fmt.Errorf("life: no such state: %d", uint8(s))
	}
	return []byte(stateNames[s]), nil
}

// UnmarshalText reads what MarshalText writes.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("life: %q is no state", text)
}

// States is a set of states.
type States uint32

// Live is the states in which units are held or confirmed.
const Live = live

const (
	live   = States(1<<Held | 1<<Confirmed | 1<<Accepted | 1<<InTransit | 1<<Ready | 1<<Packed | 1<<Shipped)
	ended  = States(1<<Collected | 1<<Canceled | 1<<Expired | 1<<NoShow | 1<<Returned | 1<<Rerouted | 1<<Delivered | 1<<Lost | 1<<ReturnedToSender)
	onRoad = States(1<<InTransit | 1<<Shipped)
	always = live | ended
)

// Has reports whether a state is in the set.
func (s States) Has(one State) bool { return s>>one&1 != 0 }

// SetOf is the set of some states; a number that is no state is left out.
func SetOf(some ...State) (set States) {
	for _, s := range some {
		set |= 1 << s & always
	}
	return set
}
