package topology

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unique"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// Terms are what a location does for orders, and when: those of the door, in the form
// in which the journal keeps them.
type Terms struct {
	Offline  bool            `json:"offline,omitempty"`
	Groups   []string        `json:"groups,omitempty"`
	Priority int             `json:"priority,omitempty"`
	Forms    []sourcing.Form `json:"forms,omitempty"`
	Payments []string        `json:"payments,omitempty"`
	Channels []string        `json:"channels,omitempty"`
	Owner    string          `json:"owner,omitempty"`
	Hours    string          `json:"hours,omitempty"`
	Zone     string          `json:"zone,omitempty"`
	Prep     time.Duration   `json:"prep,omitempty"`
	CutOff   time.Duration   `json:"cutoff,omitempty"`
	Transfer time.Duration   `json:"transfer,omitempty"`
	Delivery time.Duration   `json:"delivery,omitempty"`
}

// limits tells the terms that can rule an order out whatever it asks for.
func (t *Terms) limits() bool {
	return t != nil && (t.Offline || len(t.Forms) > 0 || len(t.Payments) > 0 || len(t.Channels) > 0)
}

// Timed tells the terms by which a promise is made.
func (t *Terms) Timed() bool {
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

// ParseHours reads opening hours; nil for none.
func ParseHours(text string) (*hours.Schedule, error) {
	if text == "" {
		return nil, nil
	}
	return hours.Parse(text)
}

// site is a location with terms as the rules see it; nil for one without. It notes which
// others are alike.
func (l *Locations) site(p *Place) (*sourcing.Site, error) {
	t := p.Terms
	if t == nil {
		return nil, nil
	}
	s := plainSite(p)
	s.Offline, s.Groups, s.Priority, s.Owner = t.Offline, slices.Clone(t.Groups), t.Priority, t.Owner
	s.Forms, s.Payments, s.Channels = slices.Clone(t.Forms), slices.Clone(t.Payments), slices.Clone(t.Channels)
	s.Index()
	s.Prep, s.CutOff, s.Transfer, s.Delivery = t.Prep, t.CutOff, t.Transfer, t.Delivery
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	s.Calendar.Zone = zone
	if s.Calendar.Schedule, err = ParseHours(t.Hours); err != nil {
		return nil, err
	}
	if s.Calendar.Holiday = l.holidays(p.ID); s.Calendar.Holiday == nil || !s.Calendar.Schedule.Holidays() {
		p.alike = t.alike()
	}
	return &s, nil
}

// alike is the same for terms that say the same of orders and of when.
func (t *Terms) alike() unique.Handle[string] {
	same := *t
	same.Groups, same.Priority, same.Owner = nil, 0, ""
	return unique.Make(string(same.appendTo(nil)))
}

// holidays is the function of the host's as the calendars ask it; nil for none.
func (l *Locations) holidays(location string) func(year int, month time.Month, day int) bool {
	ask := l.options.Holidays
	if ask == nil {
		return nil
	}
	return func(year int, month time.Month, day int) (is bool) {
		told := false
		if l.gate.Host("Options.Holidays", func() { told = ask(location, year, month, day) }) {
			is = told
		}
		return is
	}
}

// plainSite is a location without terms as the rules see it.
func plainSite(p *Place) sourcing.Site {
	s := sourcing.Site{ID: p.ID, Kind: uint8(p.Kind), Point: p.Point, Area: p.Area}
	s.Calendar.Zone = time.UTC
	return s
}
