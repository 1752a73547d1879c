package reservation

import (
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// SafetyLevel is units never sold online: of one SKU at one location, of one SKU
// everywhere, or of every SKU at one location.
type SafetyLevel = state.SafetyLevel

// SetSafety sets one level and changes what is available wherever it applies.
// It may push available units below zero; units already held stay held. It
// holds up the movements of all locations while it runs, claims never.
// ErrOverflow: available would pass below −2^31 somewhere; nothing changed.
//
// The level is written down once it is in force. That comes after the units it frees,
// unlike a receipt: safety stock is no bound that P1 rests on.
func (l *Ledger) SetSafety(v SafetyLevel, now int64) (t Ticket, err error) {
	err = l.state.SetSafety(v, func() (err error) {
		t, err = l.append(&history.Record{Kind: history.SafetySet, Time: now, SKU: v.SKU, Slot: v.Slot, Lines: []history.Line{{Units: v.Units}}})
		return err
	})
	var over *state.LevelError
	switch {
	case errors.As(err, &over):
		err = fmt.Errorf("reservation: safety stock of %d units of SKU %s at %s: %w", v.Units, shown(l.SKUName(over.SKU)), shown(l.SlotName(over.Slot)), ErrOverflow)
	case err != nil:
		err = fmt.Errorf("reservation: safety stock: %w", err)
	}
	return t, err
}
