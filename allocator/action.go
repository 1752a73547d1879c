package allocator

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// Action is what a Change does. The zero value is none.
type Action uint8

// The actions: each is the method of that name.
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
	}
	return history.Canceled
}

// takesLines tells the actions that may be about a part of a reservation.
func (d Action) takesLines() bool { return d != DoAccept && d != DoDispatch && d != DoReady }
