package sourcing

import (
	"fmt"
	"slices"
)

// Reason is why a site does not serve an order. The zero value is no reason.
// The numbers are stable: they may be stored and sent.
type Reason uint8

// The reasons, in the order in which they are looked at, cheap ones first, but for
// OtherOwner, which came later and is looked at with ByRule: a site counts once, with
// the first that holds. [Rules.Check] and
// [Candidate.Promise] find those that need no stock; Short, Full of a window,
// Protected, TooOld, CoolingDown, RejectedTooOften, Outranked and Apart are
// found where the stock and the orders are.
const (
	TooFar           Reason = iota + 1 // farther than the order allows
	WrongKind                          // not of a kind the order allows, or customers do not collect at its kind, or the chosen store's
	OutsideArea                        // the customer is outside its service area
	Short                              // it has too little of some SKU
	Offline                            // it, or the chosen store, takes no new orders
	NotInChannel                       // the order's channel may not use it
	NoSuchForm                         // it does not serve this form
	NoSuchPayment                      // this form of payment is not accepted
	NotInGroup                         // in none of the groups the order names
	Excluded                           // the order excludes it
	Unplaced                           // it has no coordinates, or the order has none
	Closed                             // it does not open any more
	Late                               // it cannot be ready in time
	Full                               // the window or the period has no room
	Protected                          // it has enough, but keeps it for other channels
	TooOld                             // its lots expire too soon
	CoolingDown                        // it has just rejected this SKU
	RejectedTooOften                   // the order was rejected too often
	ByRule                             // a filter of the rules; its name is the detail
	Outranked                          // it could serve; another is better
	Apart                              // it has some of the lines, too few for a part
	OtherOwner                         // its goods belong to somebody else than a filter of the rules asks for; the filter's name is the detail
	reasons
)

func (r Reason) words() string {
	switch r {
	case TooFar:
		return "too far"
	case WrongKind:
		return "wrong kind"
	case OutsideArea:
		return "outside its service area"
	case Short:
		return "short"
	case Offline:
		return "offline"
	case NotInChannel:
		return "not for this channel"
	case NoSuchForm:
		return "does not serve this form"
	case NoSuchPayment:
		return "does not take this payment"
	case NotInGroup:
		return "not in the group"
	case Excluded:
		return "excluded"
	case Unplaced:
		return "no coordinates"
	case Closed:
		return "closed"
	case Late:
		return "too late"
	case Full:
		return "full"
	case Protected:
		return "kept for other channels"
	case TooOld:
		return "expires too soon"
	case CoolingDown:
		return "cooling down"
	case RejectedTooOften:
		return "rejected too often"
	case ByRule:
		return "by rule"
	case Outranked:
		return "outranked"
	case Apart:
		return "not worth a part"
	case OtherOwner:
		return "another owner's"
	}
	return ""
}

// String is the reason in words, which are as stable as the numbers.
func (r Reason) String() string {
	if w := r.words(); w != "" {
		return w
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// MarshalText is the reason in words; no reason is no text.
func (r Reason) MarshalText() ([]byte, error) {
	if r >= reasons {
		return nil, fmt.Errorf("sourcing: no such reason: %d", uint8(r))
	}
	return []byte(r.words()), nil
}

// UnmarshalText reads what MarshalText writes.
func (r *Reason) UnmarshalText(text []byte) error {
	for k := range reasons {
		if k.words() == string(text) {
			*r = k
			return nil
		}
	}
	return fmt.Errorf("sourcing: no such reason: %q", text)
}

// placed reports whether the candidate's distance means something. The chosen
// store needs none. What is brought is measured from the chosen store, all else
// from the customer.
func (c *Candidate) placed() bool {
	r := c.Request
	switch {
	case c.chosen():
		return true
	case c.Site.Unplaced:
		return false
	case r.Form == ShipToStore:
		return r.At != nil && !r.At.Unplaced
	}
	return r.HasPoint
}

// chosen reports whether the candidate is the chosen store itself.
func (c *Candidate) chosen() bool {
	at := c.Request.At
	return at != nil && (at == c.Site || at.ID == c.Site.ID)
}

// Static is the first reason against the candidate that needs neither stock nor
// a promise nor a rule, or 0. The string is the detail: with ShipToStore, the ID
// of the chosen store if that is what the reason holds against.
//
// The chosen store is measured too, but its area does not count: the customer
// comes. With ShipToStore the area of a source does not count either, and the
// payment is the chosen store's.
func (c *Candidate) Static() (Reason, string) {
	r, s := c.Request, c.Site
	placed := c.placed()
	if placed && r.Within > 0 && c.Distance > r.Within {
		return TooFar, ""
	}
	if !r.Allows(s) {
		return WrongKind, ""
	}
	if r.Form == ShipToStore && r.At != nil && !r.collects(r.At) {
		return WrongKind, r.At.ID
	}
	if s.Area != nil && r.Form != ShipToStore && r.HasPoint && !c.chosen() && !s.Area.Contains(r.Near) {
		return OutsideArea, ""
	}
	if r.Form == ShipToStore {
		return c.brought(placed)
	}
	if s.Offline {
		return Offline, ""
	}
	if !s.admits(r.Channel) {
		return NotInChannel, ""
	}
	if len(s.Forms) > 0 && !slices.Contains(s.Forms, r.Form) {
		return NoSuchForm, ""
	}
	if !s.accepts(r.Payment) {
		return NoSuchPayment, ""
	}
	return c.wanted(placed), ""
}

// Unwanted is what of Static depends on the name of the site and on its groups:
// NotInGroup, Excluded or 0.
func (c *Candidate) Unwanted() Reason {
	r, s := c.Request, c.Site
	if len(r.Groups) > 0 && !c.member() {
		return NotInGroup
	}
	if len(r.Exclude) > 0 && r.excludes(s.ID) {
		return Excluded
	}
	return 0
}

// wanted is the end of Static: what the order says of sites, and coordinates.
func (c *Candidate) wanted(placed bool) Reason {
	if reason := c.Unwanted(); reason != 0 {
		return reason
	}
	if !placed {
		return Unplaced
	}
	return 0
}

// brought is Static from Offline on for ShipToStore, where a source serves only
// if the chosen store does. The source sends to stores and the chosen store has
// customers who collect. Groups are of the sources.
func (c *Candidate) brought(placed bool) (Reason, string) {
	r, s, at := c.Request, c.Site, c.Request.At
	if at == nil {
		at = s
	}
	switch {
	case s.Offline:
		return Offline, ""
	case at.Offline:
		return Offline, at.ID
	case !s.admits(r.Channel):
		return NotInChannel, ""
	case !at.admits(r.Channel):
		return NotInChannel, at.ID
	case r.At == nil:
		return NoSuchForm, "no chosen store"
	case !c.chosen() && !s.Serves(ShipToStore):
		return NoSuchForm, ""
	case !at.Serves(Collect):
		return NoSuchForm, at.ID
	case !at.accepts(r.Payment):
		return NoSuchPayment, at.ID
	}
	return c.wanted(placed), ""
}
