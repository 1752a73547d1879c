package sourcing

import (
	"fmt"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/geo"
)

// Form is how goods reach the customer.
type Form uint8

// The forms. The zero value is Collect.
const (
	Collect     Form = iota // collected where the goods are
	ShipToStore             // collected at a chosen store; what it lacks is brought there
	Ship                    // sent to the customer's address
	forms
)

// Valid reports whether there is such a form.
func (f Form) Valid() bool { return f < forms }

// Site is what the rules know of a location. It is immutable while it is in use
// and may then be read by any number of goroutines.
type Site struct {
	ID       string
	Kind     uint8 // the door's kind of location, below 8
	Point    geo.Point
	Unplaced bool      // it has no coordinates: Point means nothing
	Area     *geo.Area // customers it serves; nil: everybody
	Offline  bool      // takes no new orders
	Groups   []string
	Owner    string   // of the goods there; empty: the chain
	Priority int      // lower is better
	Forms    []Form   // it serves: customers collect here, it sends to stores, it sends to addresses; empty: all
	Payments []string // it accepts; empty: all
	Channels []string // that may use it; empty: all, an order without a channel included

	Calendar hours.Calendar // when it works; without a schedule, always
	Prep     time.Duration  // opening time from the order to ready
	CutOff   time.Duration  // of the local clock: later orders count as of the next local day; 0: none
	Transfer time.Duration  // from ready here to there at another store, day and night
	Delivery time.Duration  // from ready here to the customer's door, day and night

	lists *siteLists // nil before Index
}

// String is the form in words.
func (f Form) String() string {
	switch f {
	case Collect:
		return "collect"
	case ShipToStore:
		return "ship to store"
	case Ship:
		return "ship"
	}
	return fmt.Sprintf("Form(%d)", uint8(f))
}

// MarshalText is the form in words.
func (f Form) MarshalText() ([]byte, error) {
	if !f.Valid() {
		return nil, fmt.Errorf("sourcing: no such form: %d", uint8(f))
	}
	return []byte(f.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (f *Form) UnmarshalText(text []byte) error {
	for k := range forms {
		if k.String() == string(text) {
			*f = k
			return nil
		}
	}
	return fmt.Errorf("sourcing: no such form: %q", text)
}

// Serves reports whether the site serves a form.
func (s *Site) Serves(f Form) bool { return len(s.Forms) == 0 || slices.Contains(s.Forms, f) }

// Request is what an order asks of the sites, the same for all of them. It is
// not changed while the order is being decided.
type Request struct {
	Now      time.Time
	Near     geo.Point
	HasPoint bool  // Near means something
	Form     Form  // of the lines that are being sourced
	Kinds    uint8 // a bit for each kind of site allowed; 0: any that serves the form, see CollectAt
	// CollectAt has a bit for each kind of site at which customers collect by
	// default: at others only if Kinds allows their kind, or if their Forms say so.
	// It does not count for what is sent or brought. 0: they collect anywhere.
	CollectAt uint8
	Within    geo.Meters // limit of Candidate.Distance; 0: any distance
	Payment   string     // empty: not asked
	Channel   string
	Groups    []string // the location must be in one of them; empty: any
	Prefer    []string // site IDs, the best first
	Exclude   []string
	NeededBy  time.Time // zero: not asked
	Window    time.Time // the start of the pickup window; zero: none
	At        *Site     // the chosen store; nil: none

	// Room tells how many more orders of that many lines a site can process in
	// the period that a time falls in, below 0: not limited, and when that
	// period ends. nil: never limited.
	Room func(s *Site, at time.Time, lines int) (left int64, ends time.Time)
	// Lines is how many lines the order has.
	Lines int

	lists *requestLists // nil before Index
}

// Allows reports whether the request is for sites of this one's kind, and whether
// customers collect there if that is what it asks for.
func (r *Request) Allows(s *Site) bool {
	if r.Kinds != 0 {
		return r.Kinds>>s.Kind&1 != 0
	}
	return r.Form != Collect || r.collects(s)
}

// collects reports whether customers collect at a site of that kind.
func (r *Request) collects(s *Site) bool {
	return r.CollectAt == 0 || (r.CollectAt|r.Kinds)>>s.Kind&1 != 0 || slices.Contains(s.Forms, Collect)
}

// Candidate is a site measured for a request. Rules read it and change nothing.
// Its methods are for one goroutine at a time.
type Candidate struct {
	Site     *Site
	Request  *Request
	Number   uint32     // the door's own handle of the site
	Distance geo.Meters // from the customer; of a transfer, from the chosen store
	Start    time.Time  // when the work begins; the capacity it takes is of the period of this time
	Ready    time.Time  // when the goods can be ready for the customer; zero: not worked out
	Cost     int64      // of all lines from here, in the smallest unit of money
	Left     int64      // the fewest units of any line's SKU left after the order
	Room     int64      // orders it can still process in the period; below 0: not limited
}
