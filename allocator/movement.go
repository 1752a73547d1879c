package allocator

import (
	"context"
	"fmt"

	"github.com/clickcollect/clickcollect/reservation"
)

// Line is a SKU and a quantity in the SKU's smallest unit (piece, gram,
// millimeter). Lines of one call that name the same SKU are summed.
type Line struct {
	SKU      string
	Quantity int64
}

// Receipt is goods that arrived at a location; quantities from 1.
type Receipt struct {
	ID       string // chosen by the caller; the same receipt again does nothing
	Location string
	Lines    []Line
}

// Count is what was counted at a location: its quantities are the units on hand
// now, 0 included. SKUs it does not name stay as they are.
type Count struct {
	ID       string
	Location string
	Lines    []Line
}

// Sale is goods sold at a location's till; quantities from 1. They leave the
// units on hand even if a reservation holds them: what is available may fall
// below zero, and such a reservation cannot be collected in full.
type Sale struct {
	ID       string
	Location string
	Lines    []Line
}

// Adjustment corrects the units on hand by signed quantities other than 0.
type Adjustment struct {
	ID       string
	Location string
	Lines    []Line
}

// Receive books goods in, all lines of a receipt or none. Receipts are all
// checked first, then booked in order; when one is refused, the ones before it
// stand, and the whole call can be repeated: a receipt booked before does
// nothing the second time.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrConflict, ErrOverflow (more than
// 2^31 − 1 on hand), ErrFull.
func (a *Allocator) Receive(ctx context.Context, receipts ...Receipt) error {
	return move(ctx, a, reservation.Received, receipts)
}

// Count sets the units on hand to what was counted, all lines of a count or
// none, in the manner of Receive. Units held by reservations stay held: what is
// available may fall below zero.
func (a *Allocator) Count(ctx context.Context, counts ...Count) error {
	return move(ctx, a, reservation.Counted, counts)
}

// Sell books till sales out, all lines of a sale or none, in the manner of
// Receive. *ShortageError: a line is more than is on hand; count the shelf.
func (a *Allocator) Sell(ctx context.Context, sales ...Sale) error {
	return move(ctx, a, reservation.Sold, sales)
}

// Adjust books corrections, all lines of one or none, in the manner of Receive.
// *ShortageError: a line takes away more than is on hand.
func (a *Allocator) Adjust(ctx context.Context, adjustments ...Adjustment) error {
	return move(ctx, a, reservation.Adjusted, adjustments)
}

// goods is what the four kinds of movement have in common.
type goods struct {
	ID       string
	Location string
	Lines    []Line
}

func move[M ~struct {
	ID       string
	Location string
	Lines    []Line
}](ctx context.Context, a *Allocator, cause reservation.Cause, given []M) error {
	s, err := a.begin(ctx)
	if err != nil {
		return fmt.Errorf("allocator: %v: %w", cause, err)
	}
	defer a.leave(s)
	movements := make([]reservation.Movement, len(given))
	for i := range given {
		if err := a.movement(goods(given[i]), cause, &movements[i]); err != nil {
			return fmt.Errorf("allocator: %v %q: %w", cause, goods(given[i]).ID, err)
		}
	}
	if len(movements) > 1 {
		if err := a.ledger.Prepare(movements); err != nil {
			return fmt.Errorf("allocator: %v: %w", cause, err)
		}
	}
	for i := range movements {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("allocator: %v: %d of %d booked: %w", cause, i, len(movements), err)
		}
		if err := a.ledger.Move(&movements[i]); err != nil {
			return fmt.Errorf("allocator: %w", err)
		}
	}
	return nil
}

// checkUnits says what is wrong with a line's quantity; by cause, it may be
// negative or 0.
func checkUnits(cause reservation.Cause, units int64) (why string) {
	switch {
	case cause == reservation.Adjusted && units == 0:
		return "must not be 0"
	case cause == reservation.Counted && units < 0:
		return "must be 0 or more"
	case cause != reservation.Adjusted && cause != reservation.Counted && units < 1:
		return "must be 1 or more"
	}
	return ""
}

// movement checks one movement and translates it for the ledger.
func (a *Allocator) movement(g goods, cause reservation.Cause, into *reservation.Movement) error {
	if err := a.checkID("ID", g.ID); err != nil {
		return err
	}
	if err := a.checkLineCount(len(g.Lines)); err != nil {
		return err
	}
	*into = reservation.Movement{ID: g.ID, Cause: cause, Lines: make([]reservation.MovementLine, 0, len(g.Lines))}
	var at map[string]int // where a SKU is, once they do not ascend any more
	for i, line := range g.Lines {
		if line.SKU == "" || len(line.SKU) > a.options.MaxIDBytes {
			return a.checkID(fmt.Sprintf("Lines[%d].SKU", i), line.SKU)
		}
		if why := checkUnits(cause, line.Quantity); why != "" {
			return &InvalidError{Field: fmt.Sprintf("Lines[%d].Quantity", i), Value: line.Quantity, Why: why}
		}
		j, twice := len(into.Lines), false
		if at == nil && j > 0 && line.SKU <= into.Lines[j-1].SKU {
			at = make(map[string]int, len(g.Lines))
			for k := range into.Lines {
				at[into.Lines[k].SKU] = k
			}
		}
		if at != nil {
			if k, known := at[line.SKU]; known {
				j, twice = k, true
			} else {
				at[line.SKU] = j
			}
		}
		if !twice {
			into.Lines = append(into.Lines, reservation.MovementLine{SKU: line.SKU})
		} else if cause == reservation.Counted {
			return &InvalidError{Field: fmt.Sprintf("Lines[%d].SKU", i), Value: line.SKU, Why: "is counted twice"}
		}
		sum, fits := addUnits(into.Lines[j].Units, line.Quantity)
		if !fits {
			return fmt.Errorf("%d units of SKU %q in Lines[%d]: %w", line.Quantity, line.SKU, i, ErrOverflow)
		}
		into.Lines[j].Units = sum
	}
	slot, ok := a.ledger.Slot(g.Location)
	if !ok {
		return fmt.Errorf("%w: %q", ErrUnknownLocation, g.Location)
	}
	into.Slot = slot
	return nil
}

// addUnits adds two quantities; false when either or the sum is out of range.
func addUnits(a, b int64) (sum int64, fits bool) {
	const most = reservation.MaxQuantity
	if b > most || b < -most {
		return 0, false
	}
	sum = a + b
	return sum, sum <= most && sum >= -most
}

func (a *Allocator) checkLineCount(n int) error {
	switch {
	case n == 0:
		return &InvalidError{Field: "Lines", Value: n, Why: "must have at least one line"}
	case n > a.options.MaxLines:
		return &InvalidError{Field: "Lines", Value: n, Why: fmt.Sprintf("has more lines than the %d of Options.MaxLines", a.options.MaxLines)}
	}
	return nil
}

// SafetyStock is units never sold online: of one SKU at one location, of a SKU
// at every location (Location empty), of every SKU at one location (SKU empty),
// or of everything everywhere (both empty). The level of the pair decides;
// without one, the largest of the wider ones that apply.
type SafetyStock struct {
	SKU      string
	Location string
	Units    int64 // 0 to 2^31 − 1; 0 for a pair overrides the wider levels
}

// SetSafetyStock sets levels, one after the other. What is available changes at
// once wherever they apply, and may fall below zero; what is held stays held.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrUnknownSKU: nothing was changed.
// ErrOverflow: the levels before the one it names stand.
func (a *Allocator) SetSafetyStock(ctx context.Context, levels ...SafetyStock) error {
	s, err := a.begin(ctx)
	if err != nil {
		return fmt.Errorf("allocator: set safety stock: %w", err)
	}
	defer a.leave(s)
	out := make([]reservation.SafetyLevel, len(levels))
	for i, v := range levels {
		to := &out[i]
		*to = reservation.SafetyLevel{SKU: reservation.EverySKU, Slot: reservation.Everywhere, Units: v.Units}
		if v.Units < 0 || v.Units > reservation.MaxQuantity {
			return fmt.Errorf("allocator: set safety stock: %w", &InvalidError{
				Field: fmt.Sprintf("levels[%d].Units", i), Value: v.Units, Why: "must be 0 to 2147483647"})
		}
		known := true
		if v.SKU != "" {
			if to.SKU, known = a.ledger.SKU(v.SKU); !known {
				return fmt.Errorf("allocator: set safety stock: %w: %q", ErrUnknownSKU, v.SKU)
			}
		}
		if v.Location != "" {
			if to.Slot, known = a.ledger.Slot(v.Location); !known {
				return fmt.Errorf("allocator: set safety stock: %w: %q", ErrUnknownLocation, v.Location)
			}
		}
	}
	for _, v := range out {
		if err := a.ledger.SetSafety(v); err != nil {
			return fmt.Errorf("allocator: %w", err)
		}
	}
	return nil
}
