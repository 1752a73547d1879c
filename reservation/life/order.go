package life

import "fmt"

// OrderState says how far an order has come, of which each part has a State of its own.
// It is worked out from the parts: see Order. The zero value is no state.
type OrderState uint8

// The states of an order. Their numbers are stored: new ones are added at the end.
const (
	OrderHeld             OrderState = iota + 1 // some of it is only held
	OrderConfirmed                              // promised, and no location has begun with it
	OrderInProgress                             // accepted, on its way to a store, or packed: some of it
	OrderPartlyReady                            // some of it waits for the customer, some does not yet
	OrderReady                                  // all that is open of it waits for the customer
	OrderPartlyShipped                          // some of it is on its way to the customer, some is not yet
	OrderShipped                                // all that is open of it is on its way to the customer
	OrderPartlyCollected                        // the customer has some of it, and some is open
	OrderPartlyDelivered                        // the same, and what he has was delivered
	OrderCollected                              // ended: the customer came for at least one unit
	OrderDelivered                              // ended: the customer got all he got by parcel
	OrderReturned                               // ended: all that the customer got came back
	OrderReturnedToSender                       // ended: the customer got nothing, and a parcel came back undelivered
	OrderLost                                   // ended: the customer got nothing, and a carrier has lost a parcel
	OrderNoShow                                 // ended: the customer did not come
	OrderCanceled                               // ended: canceled, and the customer got nothing
	OrderExpired                                // ended: the deadline of the hold has passed

	orderStates = iota + 1 // one more than the last state
)

var orderStateNames = [orderStates]string{
	OrderHeld: "held", OrderConfirmed: "confirmed", OrderInProgress: "in progress", OrderPartlyReady: "partly ready", OrderReady: "ready",
	OrderPartlyShipped: "partly shipped", OrderShipped: "shipped", OrderPartlyCollected: "partly collected", OrderPartlyDelivered: "partly delivered",
	OrderCollected: "collected", OrderDelivered: "delivered", OrderReturned: "returned", OrderReturnedToSender: "returned to sender", OrderLost: "lost",
	OrderNoShow: "no-show", OrderCanceled: "canceled", OrderExpired: "expired",
}

// Valid reports whether there is such a state.
func (s OrderState) Valid() bool { return s > 0 && s < orderStates }

// Ended reports whether nothing of the order is held or confirmed any more.
func (s OrderState) Ended() bool { return s >= OrderCollected && s < orderStates }

// String returns the name of the state in lower case; empty for none.
func (s OrderState) String() string {
	switch {
	case s == 0:
		return ""
	case !s.Valid():
		return fmt.Sprintf("OrderState(%d)", uint8(s))
	}
	return orderStateNames[s]
}

// MarshalText is String.
func (s OrderState) MarshalText() ([]byte, error) {
	if s >= orderStates {
		return nil, fmt.Errorf("life: no such state of an order: %d", uint8(s))
	}
	return []byte(orderStateNames[s]), nil
}

// UnmarshalText reads what MarshalText has written; empty is no state.
func (s *OrderState) UnmarshalText(text []byte) error {
	for i, name := range orderStateNames {
		if name == string(text) {
			*s = OrderState(i)
			return nil
		}
	}
	return fmt.Errorf("life: %q is no state of an order", text)
}

// Order works out the state of an order: Add each of its parts, in any order. The zero
// value has none.
type Order struct {
	goods                             bool // there was a part that has any
	open, held, begun, ready, shipped int  // parts that are open, and of them those
	got, gotByParcel                  int  // parts of which the customer has some
	end                               OrderState
}

// Add adds a part with so many units that are held, and that were collected. goods: it
// has any; a part without is a place in a pickup window, which says nothing of the order
// while there is a part with goods.
func (o *Order) Add(s State, held, collected int64, goods bool) {
	switch {
	case s == Rerouted || o.goods && !goods:
		return // its units are in other parts
	case goods && !o.goods:
		*o = Order{goods: true}
	}
	if collected > 0 && s != Returned {
		o.got++
		if s == Delivered {
			o.gotByParcel++
		}
	}
	if s.Ended() {
		if end := endOf[s]; o.end == 0 || end < o.end {
			o.end = end
		}
		return
	}
	o.open++
	if held > 0 || s == Held {
		o.held++
	}
	switch s {
	case Ready:
		o.ready++
	case Shipped:
		o.shipped++
	case Accepted, InTransit, Packed:
		o.begun++
	}
}

// State is the state of an order of the parts that were added; 0 without any that counts.
func (o *Order) State() OrderState {
	switch {
	case o.open == 0:
		return o.end
	case o.got > 0 && o.got == o.gotByParcel:
		return OrderPartlyDelivered
	case o.got > 0:
		return OrderPartlyCollected
	case o.shipped == o.open:
		return OrderShipped
	case o.shipped > 0:
		return OrderPartlyShipped
	case o.ready == o.open:
		return OrderReady
	case o.ready > 0:
		return OrderPartlyReady
	case o.held > 0:
		return OrderHeld
	case o.begun > 0:
		return OrderInProgress
	}
	return OrderConfirmed
}

// endOf is what the end of a part is for the order. Of an order whose parts ended
// differently it is the first of them in the order of the states.
var endOf = [states]OrderState{
	Expired: OrderExpired, Canceled: OrderCanceled, NoShow: OrderNoShow, Lost: OrderLost, ReturnedToSender: OrderReturnedToSender,
	Returned: OrderReturned, Delivered: OrderDelivered, Collected: OrderCollected,
}
