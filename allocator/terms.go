package allocator

import (
	"fmt"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// Terms are what a location does for orders, and when. The zero value is
// everything, at any hour, at once. They count for new orders; what is reserved
// stays reserved.
type Terms struct {
	Offline  bool            `json:"offline,omitempty"`  // takes no new orders
	Groups   []string        `json:"groups,omitempty"`   // for rules, and for Order.Groups
	Priority int             `json:"priority,omitempty"` // for rules: lower is better
	Forms    []sourcing.Form `json:"forms,omitempty"`    // it serves; empty: all, but see Order.Kinds for who collects
	Payments []string        `json:"payments,omitempty"` // it accepts; empty: all
	Channels []string        `json:"channels,omitempty"` // that may use it; empty: all

	// Owner is the legal owner of the goods there, for rules: what a franchisee owns
	// is not the chain's to send (sourcing.OwnedBy). As long as an ID at most. Empty:
	// the chain.
	Owner string `json:"owner,omitempty"`
	// Hours are the opening hours, in the OpenStreetMap form that hours.Parse
	// reads. Empty: always open.
	Hours string `json:"hours,omitempty"`
	// Zone is the IANA name of the time zone the hours are in. Empty: UTC.
	Zone string `json:"zone,omitempty"`
	// Prep is the opening time from an order to its being ready.
	Prep time.Duration `json:"prep,omitempty"`
	// CutOff is a time of day, after local midnight: orders that come later are
	// prepared from the next day on. 0: none.
	CutOff time.Duration `json:"cutoff,omitempty"`
	// Transfer is how long goods take from here to another store, Delivery to a
	// customer's door, once they are ready.
	Transfer time.Duration `json:"transfer,omitempty"`
	Delivery time.Duration `json:"delivery,omitempty"`
}

// maxZone is longer than the names of all time zones are.
const maxZone = 64

// maxLead bounds Prep, Transfer and Delivery.
const maxLead = 366 * 24 * time.Hour

// clone is a copy that shares nothing; nil of nil.
func (t *Terms) clone() *Terms {
	if t == nil {
		return nil
	}
	c := *t
	c.Groups, c.Forms = slices.Clone(t.Groups), slices.Clone(t.Forms)
	c.Payments, c.Channels = slices.Clone(t.Payments), slices.Clone(t.Channels)
	return &c
}

// checkTermsOf validates the terms of a location.
func (a *Allocator) checkTermsOf(l *Location, field func(string) string) error {
	t := l.Terms
	if t == nil {
		return nil
	}
	for _, list := range [...]struct {
		name string
		n    int
	}{{"Forms", len(t.Forms)}, {"Groups", len(t.Groups)}, {"Payments", len(t.Payments)}, {"Channels", len(t.Channels)}} {
		if err := a.checkListed(field("Terms."+list.name), list.n); err != nil {
			return err
		}
	}
	for i, f := range t.Forms {
		if !f.Valid() {
			return &InvalidError{Field: fmt.Sprintf("%s[%d]", field("Terms.Forms"), i), Value: uint8(f), Why: "is not a form of fulfilment"}
		}
	}
	for _, list := range [...]struct {
		name  string
		texts []string
	}{{"Groups", t.Groups}, {"Payments", t.Payments}, {"Channels", t.Channels}} {
		if err := a.checkTexts(field("Terms."+list.name), list.texts); err != nil {
			return err
		}
	}
	if err := a.checkText(field("Terms.Owner"), t.Owner); err != nil {
		return err
	}
	for _, lead := range [...]struct {
		name      string
		is, limit time.Duration
	}{{"Prep", t.Prep, maxLead}, {"CutOff", t.CutOff, 24 * time.Hour}, {"Transfer", t.Transfer, maxLead}, {"Delivery", t.Delivery, maxLead}} {
		if lead.is < 0 || lead.is > lead.limit {
			return &InvalidError{Field: field("Terms." + lead.name), Value: lead.is, Why: fmt.Sprintf("must be 0 to %v", lead.limit)}
		}
	}
	if err := a.checkText(field("Terms.Zone"), t.Zone); err != nil {
		return err
	}
	if _, err := time.LoadLocation(t.Zone); err != nil {
		why := err.Error()
		if len(t.Zone) > maxZone { // it is in the words
			why = "unknown time zone"
		}
		return &InvalidError{Field: field("Terms.Zone"), Value: t.Zone, Why: why}
	}
	if _, err := topology.ParseHours(t.Hours); err != nil {
		return &InvalidError{Field: field("Terms.Hours"), Value: t.Hours, Why: err.Error()}
	}
	return nil
}
