package reservation

import (
	"errors"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// setSafety is SetSafety for those who need no ticket.
func setSafety(l *Ledger, v SafetyLevel) error {
	_, err := l.SetSafety(v, 0)
	return err
}

func TestSafetyLevels(t *testing.T) {
	l := floorOf(t, 3, 4, roomy)
	tea := received(t, l, "r1", 0, "tea", 10)
	received(t, l, "r2", 1, "tea", 10)
	cup := received(t, l, "r3", 0, "cup", 10)
	set := func(sku, slot uint32, units int64) {
		t.Helper()
		mustDo(t, setSafety(l, SafetyLevel{SKU: sku, Slot: slot, Units: units}))
	}
	set(EverySKU, 0, 3)
	set(tea, Everywhere, 2)
	level(t, l, tea, 0, 10, 0, 3)
	level(t, l, tea, 1, 10, 0, 2)
	level(t, l, cup, 0, 10, 0, 3)
	level(t, l, cup, 1, 0, 0, 0)
	set(EverySKU, Everywhere, 4)
	level(t, l, tea, 1, 10, 0, 4)
	level(t, l, cup, 2, 0, 0, 4) // it has no cell, and the level all the same
	set(tea, 1, 1)
	level(t, l, tea, 1, 10, 0, 1)
	if how, _ := reserve(l, "o", 1, 1, units(tea, 10)); how != 0 {
		t.Errorf("the safety stock was sold: %v", how)
	}
	if how, _ := reserve(l, "o", 1, 1, units(tea, 9)); how != Done {
		t.Errorf("what is above the safety stock was not: %v", how)
	}
	set(tea, 1, 20)
	level(t, l, tea, 1, 10, 9, 20)
	slot, _, err := l.AddSlot("late", nil, 0)
	mustDo(t, err)
	l.Join(slot, func(uint32) {})
	received(t, l, "r4", slot, "tea", 5)
	level(t, l, tea, slot, 5, 0, 4)
	l.Renumber([]uint32{slot, 2, 1, 0}, 0, func(*Table) {})
	level(t, l, tea, slot, 5, 0, 4)
	level(t, l, tea, 1, 10, 9, 20)
	set(EverySKU, Everywhere, 0)
	level(t, l, tea, slot, 5, 0, 2)
	level(t, l, cup, 2, 0, 0, 0)
}

// A level that does not fit one cell changes none, and is not kept.
func TestSafetyBeyondRangeIsUndone(t *testing.T) {
	l := floorOf(t, 2, 1, roomy)
	tea, cup := received(t, l, "r1", 0, "tea", 1), received(t, l, "r2", 0, "cup", 2)
	reserve(l, "o", 1, 0, units(cup, 2))
	mustDo(t, moved(l, &Movement{ID: "c", Cause: history.Counted, Slot: 0, Lines: []MovementLine{{"cup", 0}}}))
	mustDo(t, setSafety(l, SafetyLevel{SKU: EverySKU, Slot: 0, Units: 1}))
	for _, v := range []SafetyLevel{{SKU: EverySKU, Slot: Everywhere, Units: MaxQuantity}, {SKU: EverySKU, Slot: 0, Units: MaxQuantity}, {SKU: cup, Slot: Everywhere, Units: MaxQuantity}, {SKU: cup, Slot: 0, Units: MaxQuantity}} {
		if err := setSafety(l, v); !errors.Is(err, ErrOverflow) {
			t.Errorf("%+v: %v", v, err)
		}
		level(t, l, tea, 0, 1, 0, 1)
		level(t, l, tea, 1, 0, 0, 0)
		level(t, l, cup, 0, 0, 2, 1)
		level(t, l, cup, 1, 0, 0, 0)
	}
	mustDo(t, setSafety(l, SafetyLevel{SKU: cup, Slot: 0, Units: MaxQuantity - 1}))
	level(t, l, cup, 0, 0, 2, MaxQuantity-1)
}
