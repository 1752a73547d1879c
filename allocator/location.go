package allocator

import (
	"context"
	"fmt"
	"iter"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/geo"
)

// Kind is what sort of place a location is.
type Kind uint8

// The kinds of location.
const (
	Store       Kind = iota // a shop
	Warehouse               // holds stock, no customers
	PickupPoint             // hands over, run by somebody else
	Locker                  // a locker hub
	kinds
)

// String is the kind in words.
func (k Kind) String() string {
	switch k {
	case Store:
		return "store"
	case Warehouse:
		return "warehouse"
	case PickupPoint:
		return "pickup point"
	case Locker:
		return "locker"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Location is a place that holds stock.
type Location struct {
	ID    string    `json:"id"`
	Kind  Kind      `json:"kind"`
	Point geo.Point `json:"point"`          // must be given: the zero Point is none
	Area  *geo.Area `json:"area,omitempty"` // customers it serves; nil: everybody. At a named location it does not count

	NoReturns bool `json:"no_returns,omitempty"` // goods are not brought back here

	// Terms are what the location does for orders, and when. nil: everything, at
	// any hour, at once.
	Terms *Terms `json:"terms,omitempty"`
}

// SetLocations adds locations, and changes those whose ID is there already. All
// are checked first: on a refusal nothing was changed. Adding many at once costs
// one build of the index; one by one they wait in a short list that every
// search looks through, and the index is built anew now and then inside this
// call. Moving a location to another point builds it anew too. Orders go on
// meanwhile.
//
// Errors: *InvalidError, also for a location without a Point; ErrFull, ErrNoSpace.
// ErrJournal, or the end of ctx: which of them last is unknown.
func (a *Allocator) SetLocations(ctx context.Context, locations ...Location) error {
	c, err := a.gate.Admit(ctx)
	if err != nil {
		return fmt.Errorf("allocator: set locations: %w", err)
	}
	defer c.End()
	err = a.setLocations(locations, c.Now())
	if waited := c.Settle(ctx); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: set locations: %w", err)
	}
	return nil
}

func (a *Allocator) setLocations(locations []Location, now int64) error {
	if err := a.checkLocations(locations); err != nil {
		return err
	}
	places := make([]topology.Place, len(locations))
	for i := range locations {
		places[i] = locations[i].place()
		places[i].Terms = (*topology.Terms)(locations[i].Terms.clone()) // the caller may go on with his
	}
	return a.locations.Set(places, now)
}

// place is a location as the catalogue has it. It shares the terms.
func (l *Location) place() topology.Place {
	return topology.Place{ID: l.ID, Kind: topology.Kind(l.Kind), Point: l.Point, Area: l.Area, NoReturns: l.NoReturns,
		Terms: (*topology.Terms)(l.Terms)}
}

// locationOf is a place of the catalogue as the door shows it. It shares nothing.
func locationOf(p *topology.Place) Location {
	return Location{ID: p.ID, Kind: Kind(p.Kind), Point: p.Point, Area: p.Area, NoReturns: p.NoReturns, Terms: (*Terms)(p.Terms).clone()}
}

// bytesOf is kinds as a note keeps them, and kindsIn reads them back.
func bytesOf(list []Kind) (b []byte) {
	for _, k := range list {
		b = append(b, byte(k))
	}
	return b
}

func kindsIn(b []byte) (list []Kind) {
	for _, k := range b {
		list = append(list, Kind(k))
	}
	return list
}

func (a *Allocator) checkLocations(locations []Location) error {
	if err := a.checkBatch("locations", len(locations)); err != nil {
		return err
	}
	seen := make(map[string]bool, len(locations))
	for i := range locations {
		l := &locations[i]
		field := func(name string) string { return fmt.Sprintf("locations[%d].%s", i, name) }
		if err := a.checkLocation(field("ID"), l.ID); err != nil {
			return err
		}
		if seen[l.ID] {
			return &InvalidError{Field: field("ID"), Value: l.ID, Why: "is in the list twice"}
		}
		seen[l.ID] = true
		if l.Kind >= kinds {
			return &InvalidError{Field: field("Kind"), Value: uint8(l.Kind), Why: "is not a kind of location"}
		}
		if err := checkPoint(field("Point"), l.Point); err != nil {
			return fmt.Errorf("location %s: %w", quoted(l.ID), err)
		}
		if l.Area != nil && len(l.Area.Rings()) == 0 {
			return fmt.Errorf("location %s: %w", quoted(l.ID), &InvalidError{Field: field("Area"), Value: 0, Why: "must have an outer ring, as geo.NewArea sees to"})
		}
		if err := a.checkTermsOf(l, field); err != nil {
			return fmt.Errorf("location %s: %w", quoted(l.ID), err)
		}
		if err := a.checkVertices(field("Area"), l.Area); err != nil {
			return fmt.Errorf("location %s: %w", quoted(l.ID), err)
		}
		if l.Area != nil || l.Terms != nil { // else it says little
			p := l.place()
			if err := a.locations.Check(&p); err != nil {
				return fmt.Errorf("location %s: %w", quoted(l.ID), err)
			}
		}
	}
	return nil
}

// RemoveLocation takes a location out, if nothing is on hand, nothing is held
// there and nothing is on its way there: otherwise *LocationInUseError says what
// is, and nothing was changed. Count it down to zero and end its reservations
// first.
func (a *Allocator) RemoveLocation(ctx context.Context, id string) error {
	c, err := a.gate.Begin(ctx)
	if err != nil {
		return fmt.Errorf("allocator: remove location: %w", err)
	}
	defer c.End()
	t, err := a.locations.Remove(id, c.Now())
	if waited := c.Wait(ctx, t); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: remove location: %w", err)
	}
	return nil
}

// Locations walks the locations in the order in which they were first set.
func (a *Allocator) Locations() iter.Seq[Location] {
	return func(yield func(Location) bool) {
		t := a.locations.Load()
		for i := range t.Slots() {
			p := t.Place(i)
			if p.Gone() {
				continue
			}
			if !yield(locationOf(p)) {
				return
			}
		}
	}
}
