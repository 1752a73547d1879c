package allocator

import (
	"context"
	"fmt"
	"iter"

	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// State is where a reservation is in its life.
type State = reservation.State

// The states of a reservation. It ends once: when no unit is held any more it is
// Collected if any unit was, else Canceled.
const (
	Held      = reservation.Held
	Collected = reservation.Collected
	Canceled  = reservation.Canceled
)

// Reservation is what became of an order.
type Reservation struct {
	ID       string
	Location string
	Distance geo.Meters
	State    State
	Lines    []ReservedLine
}

// ReservedLine is one SKU of a reservation: Quantity = Held + Collected +
// Canceled.
type ReservedLine struct {
	SKU                       string
	Quantity                  int64 // as ordered, summed over the order's lines of the SKU
	Held, Collected, Canceled int64
}

// Lookup returns the reservation with the order's ID, live or remembered.
// ErrNotFound: there is none.
func (a *Allocator) Lookup(id string) (Reservation, error) {
	s, err := a.enter()
	if err != nil {
		return Reservation{}, fmt.Errorf("allocator: look up %q: %w", id, err)
	}
	defer a.leave(s)
	if !a.ledger.Find(id, &s.found) {
		return Reservation{}, fmt.Errorf("allocator: look up %q: %w", id, ErrNotFound)
	}
	e := &s.found
	r := Reservation{ID: id, Location: a.ledger.SlotName(e.Slot), Distance: geo.Meters(e.Distance), State: e.State}
	r.Lines = make([]ReservedLine, len(e.Lines))
	for i, line := range e.Lines {
		r.Lines[i] = ReservedLine{SKU: a.ledger.SKUName(line.SKU), Quantity: line.Quantity, Held: line.Held,
			Collected: line.Collected, Canceled: line.Quantity - line.Held - line.Collected}
	}
	return r, nil
}

// Collect hands goods over to the customer: all that is still held of the
// reservation, or the given lines of it. They leave the units on hand.
//
// Errors: *InvalidError; ErrUnknownSKU; ErrNotFound; *EndedError; *ShortageError
// (more than is held, or a till sale or a count took the goods away before).
// Nothing was changed.
func (a *Allocator) Collect(ctx context.Context, id string, lines ...Line) error {
	return a.end(ctx, "collect", id, lines, a.ledger.Collect, func(s *stripe) { s.collected.Add(1) })
}

// Cancel puts goods back on the shelf: all that is still held of the
// reservation, or the given lines of it. They are available to the next order
// when it returns. Errors as with Collect.
func (a *Allocator) Cancel(ctx context.Context, id string, lines ...Line) error {
	return a.end(ctx, "cancel", id, lines, a.ledger.Cancel, func(s *stripe) { s.canceled.Add(1) })
}

func (a *Allocator) end(ctx context.Context, what, id string, lines []Line, verb func(string, []reservation.Line) (State, error), count func(*stripe)) error {
	s, err := a.begin(ctx)
	if err != nil {
		return fmt.Errorf("allocator: %s %q: %w", what, id, err)
	}
	defer a.leave(s)
	var some []reservation.Line
	if len(lines) > 0 {
		if err := a.checkLineCount(len(lines)); err != nil {
			return fmt.Errorf("allocator: %s %q: %w", what, id, err)
		}
		if some, err = a.resolve(s, lines); err != nil {
			return fmt.Errorf("allocator: %s %q: %w", what, id, err)
		}
	}
	state, err := verb(id, some)
	if err != nil {
		return fmt.Errorf("allocator: %w", err)
	}
	if state != Held {
		count(s.stripe)
	}
	return nil
}

// Availability is a SKU's units at one location at one instant. Available =
// OnHand − Held − Safety; it may be below zero after a count or a till sale.
type Availability = reservation.Availability

// Available reads a SKU's units at a location; a SKU that was never there has
// none. Errors: ErrUnknownLocation, ErrUnknownSKU.
func (a *Allocator) Available(sku, location string) (Availability, error) {
	s, err := a.enter()
	if err != nil {
		return Availability{}, fmt.Errorf("allocator: available: %w", err)
	}
	defer a.leave(s)
	slot, ok := a.ledger.Slot(location)
	if !ok {
		return Availability{}, fmt.Errorf("allocator: available: %w: %q", ErrUnknownLocation, location)
	}
	handle, ok := a.ledger.SKU(sku)
	if !ok {
		return Availability{}, fmt.Errorf("allocator: available: %w: %q", ErrUnknownSKU, sku)
	}
	return a.ledger.Available(handle, slot), nil
}

// Query asks which locations can fill some lines.
type Query struct {
	Near        geo.Point
	Lines       []Line
	MaxDistance geo.Meters // 0: Options.MaxDistance
	Kinds       []Kind     // empty: any
}

// Candidate is a location that could fill every line of a query when it was
// looked at.
type Candidate struct {
	Location  string
	Kind      Kind
	Distance  geo.Meters
	Available []int64 // units of each line's SKU, in the query's order; the caller's to keep
}

// Nearby walks the locations that can fill every line, nearest first: what a
// product page shows. Nothing is held; Allocate decides. The walk may be broken
// off and begun again; each begins anew.
//
// Errors: *InvalidError, ErrOverflow, ErrUnknownSKU, ErrClosed.
func (a *Allocator) Nearby(q Query) (iter.Seq[Candidate], error) {
	s, err := a.enter()
	if err != nil {
		return nil, fmt.Errorf("allocator: nearby: %w", err)
	}
	defer a.leave(s)
	if _, err := a.check(s, q.Near, true, q.Lines, q.MaxDistance, q.Kinds); err != nil {
		return nil, fmt.Errorf("allocator: nearby: %w", err)
	}
	return func(yield func(Candidate) bool) {
		s, err := a.enter()
		if err != nil {
			return
		}
		defer a.leave(s)
		a.walk(s, q, yield)
	}, nil
}

func (a *Allocator) walk(s *scratch, q Query, yield func(Candidate) bool) {
	w, err := a.check(s, q.Near, true, q.Lines, q.MaxDistance, q.Kinds)
	if err != nil {
		return
	}
	t := a.topology.Load()
	defer s.claim.Reset()
	if s.claim.Start(a.ledger, t.table, w.lines, t.filter(w.set)) >= 0 {
		return
	}
	a.searchFor(s, t, q.Near, w.within, true)
	for {
		number, distance, ok := s.search.Next()
		if !ok {
			return
		}
		p := &t.places[t.spots[number].slot]
		if p.Area != nil && !p.Area.Contains(q.Near) {
			continue
		}
		levels, enough := s.claim.Levels(number, s.levels[:0])
		s.levels = levels
		if !enough {
			continue
		}
		c := Candidate{Location: p.ID, Kind: p.Kind, Distance: distance, Available: make([]int64, len(q.Lines))}
		for i := range q.Lines {
			handle, _ := a.ledger.SKU(q.Lines[i].SKU)
			for j := range w.lines {
				if w.lines[j].SKU == handle {
					c.Available[i] = levels[j]
				}
			}
		}
		if !yield(c) {
			return
		}
	}
}

// Stats is the engine in numbers. Counters count since Open; they are read one
// by one while calls go on.
type Stats struct {
	Locations  int // there now
	SKUs       int // received or counted ever
	Cells      int // (SKU, location) pairs with a counter
	Held       int // reservations with units still held
	Remembered int // ended reservations and movements kept for repeats

	Allocated uint64 // orders held
	Repeated  uint64 // orders answered from the book
	Refused   uint64 // orders no location could fill
	Collected uint64 // reservations ended by Collect
	Canceled  uint64 // reservations ended by Cancel
	LostRaces uint64 // locations an order came to and found short, for whatever reason

	StockBytes       int64 // counters, bits and units on hand
	ReservationBytes int64 // records and their index
}

// Stats adds up the engine's numbers. It walks every SKU: call it now and then.
// After Close it still answers.
func (a *Allocator) Stats() Stats {
	n := a.ledger.Numbers()
	t := a.topology.Load()
	s := Stats{Locations: t.live, SKUs: n.SKUs, Cells: n.Cells, Held: n.Held, Remembered: n.Remembered,
		StockBytes: n.StockBytes, ReservationBytes: n.BookBytes}
	for i := range a.stripes {
		st := &a.stripes[i]
		s.Allocated += st.allocated.Load()
		s.Repeated += st.repeated.Load()
		s.Refused += st.refused.Load()
		s.Collected += st.collected.Load()
		s.Canceled += st.canceled.Load()
		s.LostRaces += st.lostRaces.Load()
	}
	return s
}
