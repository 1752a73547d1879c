package allocator

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// Period is the span of time over which the work of a location is counted, by
// the clock of its time zone. Where the clock is changed, an hour or a part of
// one ends, and the next one begins; a day is 23 or 25 hours long.
type Period uint8

// The periods. The zero value is Day.
const (
	Day         Period = iota // from midnight to midnight
	Hour                      // from full hour to full hour
	HalfHour                  // likewise
	QuarterHour               //
	periods
)

// Valid reports whether there is such a period.
func (p Period) Valid() bool { return p < periods }

// String is the period in words.
func (p Period) String() string {
	switch p {
	case Day:
		return "day"
	case Hour:
		return "hour"
	case HalfHour:
		return "half hour"
	case QuarterHour:
		return "quarter of an hour"
	}
	return fmt.Sprintf("Period(%d)", uint8(p))
}

// Capacity is how much a location can process in each period. An order counts in
// the period in which the work on it begins; each of its parts counts as an order
// at the part's location.
type Capacity struct {
	Location string `json:"location"`
	Per      Period `json:"per"`
	Orders   int64  `json:"orders,omitempty"` // at most, 0 to 100,000; 0: not limited
	Lines    int64  `json:"lines,omitempty"`  // of orders, at most, 0 to 1,000,000,000; 0: not limited
}

// SetCapacity sets how much locations can process in a period, all of the list or
// nothing; one with neither Orders nor Lines is not limited any more. Every order
// that begins after it returns keeps to it. What is taken of a period stays
// taken, also if it is more than the new capacity; then nothing is added until
// enough has been given back. A period knows the orders, or lines, that came while
// they were limited. While any location has a capacity, all orders are planned,
// which costs some microseconds each.
//
// An order counts in the period of its location in which the work on it begins:
// when it came, or, after the cut-off or outside the opening hours, when these
// let it begin; of a full one, in the next. Each part of an order counts as one
// order where its goods are. It counts until it is canceled, expires, is not
// collected, or is rerouted; collected and dispatched goods go on to count. An
// order with more lines than a period has is not served there.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrNoSpace, ErrClosed: nothing was
// changed. ErrJournal, or the end of ctx: whether it lasts is unknown; repeat it.
func (a *Allocator) SetCapacity(ctx context.Context, capacities ...Capacity) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return fmt.Errorf("allocator: set capacity: %w", err)
	}
	defer c.End()
	t, err := a.setCapacity(ctx, c.Now(), capacities)
	if waited := c.Wait(ctx, t); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: set capacity: %w", err)
	}
	return nil
}

// setCapacity is SetCapacity up to the ticket that is to be waited for.
func (a *Allocator) setCapacity(ctx context.Context, now int64, capacities []Capacity) (t reservation.Ticket, err error) {
	list, err := a.checkCapacities(capacities)
	if err != nil || len(list) == 0 {
		return t, err
	}
	change, err := a.calendar.SetCapacities(list)
	if err != nil {
		return t, err
	}
	defer change.End()
	return a.writeSettings(ctx, now, change)
}

// checkCapacities validates a list of capacities and finds their locations.
func (a *Allocator) checkCapacities(capacities []Capacity) ([]calendar.SlotCapacity, error) {
	if err := a.checkBatch("capacities", len(capacities)); err != nil {
		return nil, err
	}
	list := make([]calendar.SlotCapacity, len(capacities))
	seen := make(map[string]bool, len(capacities))
	for i, v := range capacities {
		invalid := func(field string, value any, why string) error {
			return &InvalidError{Field: fmt.Sprintf("capacities[%d].%s", i, field), Value: value, Why: why}
		}
		if err := a.checkLocation(fmt.Sprintf("capacities[%d].Location", i), v.Location); err != nil {
			return nil, err
		}
		switch {
		case seen[v.Location]:
			return nil, invalid("Location", v.Location, "is in the list twice")
		case !v.Per.Valid():
			return nil, invalid("Per", uint8(v.Per), "is not a period")
		case v.Orders < 0 || v.Orders > calendar.MaxPlaces:
			return nil, invalid("Orders", v.Orders, fmt.Sprintf("must be 0 to %d", calendar.MaxPlaces))
		case v.Lines < 0 || v.Lines > calendar.MaxLines:
			return nil, invalid("Lines", v.Lines, fmt.Sprintf("must be 0 to %d", calendar.MaxLines))
		}
		slot, ok := a.ledger.Slot(v.Location)
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(v.Location))
		}
		list[i] = calendar.SlotCapacity{Slot: slot, Capacity: calendar.Capacity{Per: calendar.Period(v.Per), Orders: v.Orders, Lines: v.Lines}}
		seen[v.Location] = true
	}
	return list, nil
}

// Capacities walks the capacities that were set, by location ID. A location that
// is removed keeps its own for when it comes back.
func (a *Allocator) Capacities() iter.Seq[Capacity] {
	return func(yield func(Capacity) bool) {
		for location, is := range a.calendar.Capacities() {
			if !yield(Capacity{Location: location, Per: Period(is.Per), Orders: is.Orders, Lines: is.Lines}) {
				return
			}
		}
	}
}

// capacityFor tells the rules what each location can process; nil: no location is
// limited.
func (a *Allocator) capacityFor() func(s *sourcing.Site, at time.Time, lines int) (left int64, ends time.Time) {
	if !a.calendar.Limited() {
		return nil
	}
	return a.capacityLeft
}

// capacityLeft is how many more orders of so many lines a location can process in the
// period of a time, and the end of that; below 0: as many as come.
func (a *Allocator) capacityLeft(s *sourcing.Site, at time.Time, lines int) (left int64, ends time.Time) {
	slot, ok := a.ledger.Slot(s.ID)
	if !ok { // it was removed meanwhile, which the claim finds out
		return -1, time.Time{}
	}
	return a.calendar.Left(slot, at, s.Calendar.Zone, lines)
}
