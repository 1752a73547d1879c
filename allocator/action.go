package allocator

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// Action is what a Change does. The zero value is none.
type Action uint8

// The actions: each is the method of that name, but for the last five, which are of a
// parcel. DoPack notes that the goods of a confirmed reservation are in one, DoShip,
// also without a DoPack before it, that a carrier has it: they leave the units on hand,
// and it can be canceled no more. It ends by DoDeliver: the customer has it;
// DoReturnToSender: it came back undelivered, to Change.Location or to where it was
// sent from, and its goods go where Change.As says; or DoLose: the carrier has lost it,
// and Reroute finds other goods for what is Missing then. They are for what is shipped
// (sourcing.Ship), and for what is collected if its customer has it sent after all.
const (
	DoConfirm Action = iota + 1
	DoAccept
	DoDispatch
	DoArrive
	DoReady
	DoShortPick
	DoCollect
	DoCancel
	DoReject
	DoPack
	DoShip
	DoDeliver
	DoReturnToSender
	DoLose
	actions
)

// String is the action in lower case.
func (d Action) String() string {
	switch d {
	case DoConfirm:
		return "confirm"
	case DoAccept:
		return "accept"
	case DoDispatch:
		return "dispatch"
	case DoArrive:
		return "arrive"
	case DoReady:
		return "ready"
	case DoShortPick:
		return "short pick"
	case DoCollect:
		return "collect"
	case DoCancel:
		return "cancel"
	case DoReject:
		return "reject"
	case DoPack:
		return "pack"
	case DoShip:
		return "ship"
	case DoDeliver:
		return "deliver"
	case DoReturnToSender:
		return "return to sender"
	case DoLose:
		return "lose"
	}
	return fmt.Sprintf("Action(%d)", uint8(d))
}

// verb is the action as the ledger knows it.
func (d Action) verb() history.Kind {
	switch d {
	case DoConfirm:
		return history.Confirmed
	case DoAccept:
		return history.Accepted
	case DoDispatch:
		return history.Dispatched
	case DoArrive:
		return history.Arrived
	case DoReady:
		return history.Ready
	case DoShortPick:
		return history.ShortPicked
	case DoCollect:
		return history.Collected
	case DoReject:
		return history.Rejected
	case DoPack:
		return history.Packed
	case DoShip:
		return history.Shipped
	case DoDeliver:
		return history.ParcelDelivered
	case DoReturnToSender:
		return history.ReturnedToSender
	case DoLose:
		return history.ParcelLost
	}
	return history.Canceled
}

// takesLines tells the actions that may be about a part of a reservation.
func (d Action) takesLines() bool {
	return d != DoAccept && d != DoDispatch && d != DoReady && d < DoPack
}

// Parcel is what a carrier has of a reservation, each text at most 255 bytes.
type Parcel struct {
	Carrier  string `json:"carrier,omitempty"`  // who has it; may be empty
	Tracking string `json:"tracking,omitempty"` // the carrier's number of it; may be empty
}
