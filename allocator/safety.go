package allocator

import (
	"context"
	"fmt"

	"github.com/clickcollect/clickcollect/reservation"
)

// SafetyStock is units never sold online: of one SKU at one location, of a SKU
// at every location (Location empty), of every SKU at one location (SKU empty),
// or of everything everywhere (both empty). The level of the pair decides;
// without one, the largest of the wider ones that apply.
type SafetyStock struct {
	SKU      string `json:"sku,omitempty"`
	Location string `json:"location,omitempty"`
	Units    int64  `json:"units"` // 0 to 2^31 − 1; 0 for a pair overrides the wider levels
}

// SetSafetyStock sets levels, one after the other. What is available changes at
// once wherever they apply, and may fall below zero; what is held stays held.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrUnknownSKU: nothing was changed.
// ErrOverflow: the levels before the one it names stand. ErrNoSpace. ErrJournal, or
// the end of ctx: which of them last is unknown; repeat the call.
func (a *Allocator) SetSafetyStock(ctx context.Context, levels ...SafetyStock) error {
	c, err := a.gate.Admit(ctx)
	if err != nil {
		return fmt.Errorf("allocator: set safety stock: %w", err)
	}
	defer c.End()
	t, err := a.setSafety(levels, c.Now())
	if waited := c.Wait(ctx, t); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: set safety stock: %w", err)
	}
	return nil
}

func (a *Allocator) setSafety(levels []SafetyStock, now int64) (last reservation.Ticket, err error) {
	if err := a.checkBatch("levels", len(levels)); err != nil {
		return last, err
	}
	out := make([]reservation.SafetyLevel, len(levels))
	for i, v := range levels {
		to := &out[i]
		*to = reservation.SafetyLevel{SKU: reservation.EverySKU, Slot: reservation.Everywhere, Units: v.Units}
		if v.Units < 0 || v.Units > reservation.MaxQuantity {
			return last, &InvalidError{Field: fmt.Sprintf("levels[%d].Units", i), Value: v.Units, Why: "must be 0 to 2147483647"}
		}
		known := true
		if v.SKU != "" {
			if err := a.checkSKU(fmt.Sprintf("levels[%d].SKU", i), v.SKU); err != nil {
				return last, err
			}
			if to.SKU, known = a.goodsSKU(v.SKU); !known {
				return last, fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(v.SKU))
			}
		}
		if v.Location != "" {
			if err := a.checkLocation(fmt.Sprintf("levels[%d].Location", i), v.Location); err != nil {
				return last, err
			}
			if to.Slot, known = a.ledger.Slot(v.Location); !known {
				return last, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(v.Location))
			}
		}
	}
	for _, v := range out {
		t, err := a.ledger.SetSafety(v, now)
		if err != nil {
			return last, err
		}
		last = t
	}
	return last, nil
}
