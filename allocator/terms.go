package allocator

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
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

// limits tells the terms that can rule an order out whatever it asks for.
func (t *Terms) limits() bool {
	return t != nil && (t.Offline || len(t.Forms) > 0 || len(t.Payments) > 0 || len(t.Channels) > 0)
}

// timed tells the terms by which a promise is made.
func (t *Terms) timed() bool {
	return t != nil && (t.Hours != "" || t.Zone != "" || t.Prep != 0 || t.CutOff != 0 || t.Transfer != 0 || t.Delivery != 0)
}

// appendTo adds the terms behind their length.
func (t *Terms) appendTo(b []byte) []byte {
	text, err := json.Marshal(t)
	if err != nil { // strings, numbers and flags always marshal
		text = []byte("{}")
	}
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// takeFrom reads what appendTo wrote and returns the bytes behind it.
func (t *Terms) takeFrom(b []byte) ([]byte, error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return b, errors.New("cut off")
	}
	b = b[n:]
	return b[size:], json.Unmarshal(b[:size], t)
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
	if _, err := parseHours(t.Hours); err != nil {
		return &InvalidError{Field: field("Terms.Hours"), Value: t.Hours, Why: err.Error()}
	}
	return nil
}

// parseHours reads opening hours; nil for none.
func parseHours(text string) (*hours.Schedule, error) {
	if text == "" {
		return nil, nil
	}
	return hours.Parse(text)
}

// site is a location with terms as the rules see it; nil for one without.
func (a *Allocator) site(l *Location) (*sourcing.Site, error) {
	t := l.Terms
	if t == nil {
		return nil, nil
	}
	s := plainSite(l)
	s.Offline, s.Groups, s.Priority = t.Offline, slices.Clone(t.Groups), t.Priority
	s.Forms, s.Payments, s.Channels = slices.Clone(t.Forms), slices.Clone(t.Payments), slices.Clone(t.Channels)
	s.Index()
	s.Prep, s.CutOff, s.Transfer, s.Delivery = t.Prep, t.CutOff, t.Transfer, t.Delivery
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	s.Calendar.Zone = zone
	if s.Calendar.Schedule, err = parseHours(t.Hours); err != nil {
		return nil, err
	}
	s.Calendar.Holiday = a.holidays(l.ID)
	return &s, nil
}

// holidays is Options.Holidays as the calendars ask it; nil for none.
func (a *Allocator) holidays(location string) func(year int, month time.Month, day int) bool {
	ask := a.options.Holidays
	if ask == nil {
		return nil
	}
	return func(year int, month time.Month, day int) (is bool) {
		told := false
		if a.gate.Host("Options.Holidays", func() { told = ask(location, year, month, day) }) {
			is = told
		}
		return is
	}
}

// plainSite is a location without terms as the rules see it.
func plainSite(l *Location) sourcing.Site {
	s := sourcing.Site{ID: l.ID, Kind: uint8(l.Kind), Point: l.Point, Area: l.Area}
	s.Calendar.Zone = time.UTC
	return s
}

// sites are all locations as the rules see them, made when an order first asks
// for them: orders that name no terms, where no location has any, never do.
type sites struct {
	once  sync.Once
	plain []sourcing.Site // by slot, of those without terms
}

// siteOf is the location at a slot as the rules see it.
func (t *topology) siteOf(slot uint32) *sourcing.Site {
	if s := t.places[slot].site; s != nil {
		return s
	}
	t.sites.once.Do(func() {
		t.sites.plain = make([]sourcing.Site, len(t.places))
		for i := range t.places {
			if p := &t.places[i]; p.site == nil {
				t.sites.plain[i] = plainSite(&p.Location)
			}
		}
	})
	return &t.sites.plain[slot]
}
