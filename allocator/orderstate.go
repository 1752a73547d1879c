package allocator

import "github.com/clickcollect/clickcollect/reservation/life"

// OrderState says how far an order has come, of which each part has a State of its own:
// whether all of it is ready, or some. It is worked out from the parts, under the lock
// under which they change, and told by the event with which it becomes another one. In
// JSON it is its name, such as "partly ready".
type OrderState = life.OrderState

// The states of an order. Parts whose units are in other parts by now do not count, nor
// does a customer's place in a pickup window. Of an order that has ended it is the first
// of the ends here that one of its parts has.
const (
	OrderHeld             = life.OrderHeld             // some of it is only held
	OrderConfirmed        = life.OrderConfirmed        // promised, and no location has begun with it
	OrderInProgress       = life.OrderInProgress       // some of it is accepted, in transit or packed
	OrderPartlyReady      = life.OrderPartlyReady      // some of it waits for the customer, some does not yet
	OrderReady            = life.OrderReady            // all that is open of it waits for the customer
	OrderPartlyShipped    = life.OrderPartlyShipped    // some of it is on its way to the customer, some is not yet
	OrderShipped          = life.OrderShipped          // all that is open of it is on its way to the customer
	OrderPartlyCollected  = life.OrderPartlyCollected  // the customer has some of it, and some is open
	OrderPartlyDelivered  = life.OrderPartlyDelivered  // the same, and what he has was delivered
	OrderCollected        = life.OrderCollected        // ended: the customer came for at least one unit
	OrderDelivered        = life.OrderDelivered        // ended: the customer got all he got by parcel
	OrderReturned         = life.OrderReturned         // ended: all that the customer got came back
	OrderReturnedToSender = life.OrderReturnedToSender // ended: the customer got nothing, and a parcel came back
	OrderLost             = life.OrderLost             // ended: the customer got nothing, and a parcel is lost
	OrderNoShow           = life.OrderNoShow           // ended: the customer did not come
	OrderCanceled         = life.OrderCanceled         // ended: canceled, and the customer got nothing
	OrderExpired          = life.OrderExpired          // ended: the deadline of the hold has passed
)
