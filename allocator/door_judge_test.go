package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/allocator"
)

// doorMethods are the methods of the requests that are drawn.
var doorMethods = map[string]string{"change": "Change", "return": "Return", "receive": "Receive", "count": "Count", "sell": "Sell", "adjust": "Adjust",
	"damage": "WriteOff", "send": "Send", "deliver": "Deliver", "lose": "Lose", "quota": "SetQuota", "borrow": "Borrow", "back": "GiveBack",
	"windows": "SetWindows", "capacities": "SetCapacity", "protections": "SetProtection", "bundles": "SetBundles", "shelf lives": "SetShelfLife",
	"safety": "SetSafetyStock", "locations": "SetLocations", "confirm": "Confirm", "arrive": "Arrive", "short pick": "ShortPick", "collect": "Collect",
	"cancel": "Cancel", "remove": "RemoveLocation", "accept": "Accept", "dispatch": "Dispatch", "ready": "Ready", "reassign": "Reassign",
	"extend": "Extend", "reject": "Reject", "reroute": "Reroute", "evacuate": "RerouteFrom"}

// What the methods document, besides the end of ctx and ErrClosed. A full disk and
// a failed journal do not happen here.
var (
	doorOfOrder = []error{allocator.ErrInvalid, allocator.ErrOverflow, allocator.ErrUnknownLocation, allocator.ErrUnknownSKU, allocator.ErrConflict, allocator.ErrNoLocation}
	doorOfLife  = []error{allocator.ErrInvalid, allocator.ErrOverflow, allocator.ErrUnknownLocation, allocator.ErrUnknownSKU, allocator.ErrNotFound,
		allocator.ErrEnded, allocator.ErrState, allocator.ErrForm, allocator.ErrShortage}
	doorOfMove = []error{allocator.ErrInvalid, allocator.ErrUnknownLocation, allocator.ErrConflict, allocator.ErrOverflow, allocator.ErrFull}
	doorOfSet  = []error{allocator.ErrInvalid, allocator.ErrUnknownLocation, allocator.ErrUnknownSKU}
	doorOfFeed = []error{allocator.ErrTrimmed}
)

func doorWith(some []error, more ...error) []error { return append(slices.Clone(some), more...) }

// doorErrors are the errors that each method may answer here.
var doorErrors = map[string][]error{
	"Allocate": doorOfOrder, "AllocateAll": doorOfOrder, "Quote": doorOfOrder, "Candidates": doorOfOrder, "Explain": doorOfOrder, "Compare": doorOfOrder,
	"Nearby": doorOfOrder, "NearbyAll": doorOfOrder,
	"Confirm": doorOfLife, "Accept": doorOfLife, "Dispatch": doorOfLife, "Ready": doorOfLife, "ShortPick": doorOfLife, "Collect": doorOfLife, "Cancel": doorOfLife,
	"Extend": doorOfLife, "Reassign": doorWith(doorOfLife, allocator.ErrOwner), "Arrive": doorOfLife,
	"Reject": doorWith(doorOfLife, allocator.ErrNoLocation), "Reroute": doorWith(doorOfLife, allocator.ErrNoLocation),
	"Change":      doorWith(doorOfLife, allocator.ErrConflict),
	"Return":      doorWith(doorOfLife, allocator.ErrConflict, allocator.ErrReturns),
	"RerouteFrom": {allocator.ErrUnknownLocation},
	"Receive":     doorOfMove,
	"Count":       doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrTooOld), "Sell": doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage),
	"Adjust": doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage), "WriteOff": doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage),
	"Send":     doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage),
	"Deliver":  doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage, allocator.ErrNotFound, allocator.ErrEnded),
	"Lose":     doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage, allocator.ErrNotFound, allocator.ErrEnded),
	"SetQuota": doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage), "Borrow": doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage),
	"GiveBack":   doorWith(doorOfMove, allocator.ErrUnknownSKU, allocator.ErrShortage),
	"SetWindows": {allocator.ErrInvalid, allocator.ErrUnknownLocation, allocator.ErrFull}, "SetCapacity": {allocator.ErrInvalid, allocator.ErrUnknownLocation},
	"SetProtection": doorOfSet, "SetBundles": {allocator.ErrInvalid, allocator.ErrOverflow}, "SetShelfLife": {allocator.ErrInvalid},
	"SetSafetyStock": doorWith(doorOfSet, allocator.ErrOverflow), "SetLocations": {allocator.ErrInvalid, allocator.ErrFull},
	"RemoveLocation": {allocator.ErrInvalid, allocator.ErrUnknownLocation, allocator.ErrInUse},
	"SetRules":       {allocator.ErrInvalid}, "SetShadow": {allocator.ErrInvalid},
	"Lookup": {allocator.ErrNotFound}, "LookupTransfer": {allocator.ErrNotFound},
	"Available": {allocator.ErrUnknownLocation, allocator.ErrUnknownSKU}, "Stock": {allocator.ErrUnknownLocation, allocator.ErrUnknownSKU}, "Orders": {allocator.ErrUnknownLocation},
	"List":   {allocator.ErrInvalid, allocator.ErrUnknownLocation},
	"Events": doorOfFeed, "History": doorOfFeed, "Export": {allocator.ErrTrimmed, errHostileWriter},
	"Expire": nil, "Audit": nil, "Snapshot": nil, "Close": nil, "Stats": nil, "Sizes": nil, "Shadow": nil, "Locations": nil, "Capacities": nil, "Protections": nil,
	"Quotas": nil, "Loans": nil, "Bundles": nil, "ShelfLives": nil, "Windows": nil, "Lots": nil,
}

// doorUnclosed are the methods that answer after Close, or have no error to say it.
var doorUnclosed = []string{"Lookup", "LookupTransfer", "Available", "Stats", "Sizes", "Close", "SetRules", "SetShadow", "Shadow", "Locations", "Capacities",
	"Protections", "Quotas", "Loans", "Bundles", "ShelfLives", "Windows", "Lots"}

// doorJudge says what is wrong with what a method answered: closed tells that Close
// had returned when it was called.
func doorJudge(name string, err error, closed, recorded bool) string {
	allowed, known := doorErrors[name]
	switch {
	case !known:
		return "its errors are not in doorErrors"
	case err == nil && closed && !slices.Contains(doorUnclosed, name):
		return "it answers after Close"
	case err == nil || errors.Is(err, allocator.ErrClosed) || errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, allocator.ErrNoFeed) && !recorded && (name == "Events" || name == "History" || name == "Export"):
		return ""
	case !strings.HasPrefix(err.Error(), "allocator: "):
		return fmt.Sprintf("the error does not say whose it is: %v", err)
	case closed:
		return fmt.Sprintf("after Close: %v", err)
	}
	for _, fact := range allowed {
		if errors.Is(err, fact) {
			return doorTyped(err)
		}
	}
	return fmt.Sprintf("not an error that it documents: %v (%T)", err, err)
}

// doorTyped says which data an error lacks.
func doorTyped(err error) string {
	has := func(fact error, typed any) bool { return !errors.Is(err, fact) || errors.As(err, typed) }
	switch {
	case !has(allocator.ErrInvalid, new(*allocator.InvalidError)), !has(allocator.ErrEnded, new(*allocator.EndedError)),
		!has(allocator.ErrState, new(*allocator.StateError)), !has(allocator.ErrForm, new(*allocator.FormError)), !has(allocator.ErrShortage, new(*allocator.ShortageError)),
		!has(allocator.ErrInUse, new(*allocator.LocationInUseError)), !has(allocator.ErrNoLocation, new(*allocator.NoLocationError)),
		!has(allocator.ErrTrimmed, new(*allocator.TrimmedError)):
		return fmt.Sprintf("the error has no data: %v (%T)", err, err)
	}
	return ""
}

// doorFirstOf is the first of several answers that is not as it may be, or else the
// first that is an error, or nil.
func doorFirstOf(name string, errs []error, recorded bool) error {
	var first error
	for _, err := range errs {
		if err != nil && doorJudge(name, err, false, recorded) != "" {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}
