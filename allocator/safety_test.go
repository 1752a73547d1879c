package allocator

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation"
)

func TestSafetyStock(t *testing.T) {
	a := street(t, 3, Options{})
	ctx := t.Context()
	set := func(sku, location string, units int64) {
		t.Helper()
		must(t, a.SetSafetyStock(ctx, SafetyStock{SKU: sku, Location: location, Units: units}))
	}
	for i := range 2 {
		stocked(t, a, fmt.Sprintf("L%d", i), "tea", 10)
		stocked(t, a, fmt.Sprintf("L%d", i), "cup", 10)
	}
	set("", "L0", 4)
	shelf(t, a, "L0", "tea", 10, 0, 4)
	shelf(t, a, "L1", "tea", 10, 0, 0)
	set("tea", "", 6)
	shelf(t, a, "L0", "tea", 10, 0, 6)
	shelf(t, a, "L1", "tea", 10, 0, 6)
	shelf(t, a, "L0", "cup", 10, 0, 4)
	set("", "", 5)
	shelf(t, a, "L0", "cup", 10, 0, 5)
	shelf(t, a, "L1", "cup", 10, 0, 5)
	shelf(t, a, "L1", "tea", 10, 0, 6)
	shelf(t, a, "L2", "tea", 0, 0, 6) // never there: the level holds all the same
	set("tea", "L1", 0)
	shelf(t, a, "L1", "tea", 10, 0, 0)
	set("tea", "L0", 9)
	shelf(t, a, "L0", "tea", 10, 0, 9)

	allocated(t, a, ordered("o", Line{"tea", 2}), "L1")
	allocated(t, a, ordered("p", Line{"tea", 1}), "L0")
	_, err := a.Allocate(ctx, Order{ID: "q", At: "L0", Lines: []Line{{"tea", 1}}})
	as[*NoLocationError](t, err)
	set("tea", "L0", 10) // while a unit is held
	shelf(t, a, "L0", "tea", 10, 1, 10)
	must(t, a.Collect(ctx, "p"))
	shelf(t, a, "L0", "tea", 9, 0, 10)
	set("tea", "L0", 3)
	allocated(t, a, Order{ID: "q", At: "L0", Lines: []Line{{"tea", 6}}}, "L0")

	// What arrives later finds the levels set.
	must(t, a.SetLocations(ctx, Location{ID: "late", Point: streetPoint(0)}))
	stocked(t, a, "late", "tea", 7)
	shelf(t, a, "late", "tea", 7, 0, 6)
	stocked(t, a, "L0", "new", 7)
	shelf(t, a, "L0", "new", 7, 0, 5)
	set("", "", 0)
	shelf(t, a, "L0", "new", 7, 0, 4)
	set("", "L0", 0)
	shelf(t, a, "L0", "new", 7, 0, 0)
	shelf(t, a, "late", "tea", 7, 0, 6)
}

func TestSafetyStockFaults(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 10)
	stocked(t, a, "L0", "cup", 10)
	good := SafetyStock{SKU: "tea", Units: 3}
	set := func(v SafetyStock) error { return a.SetSafetyStock(t.Context(), good, v) }
	refused(t, set(SafetyStock{Units: -1}), ErrInvalid, `allocator: set safety stock: invalid levels[1].Units -1: must be 0 to 2147483647`)
	refused(t, set(SafetyStock{Units: tooMuch}), ErrInvalid, `allocator: set safety stock: invalid levels[1].Units 2147483648: must be 0 to 2147483647`)
	refused(t, set(SafetyStock{SKU: "tee"}), ErrUnknownSKU, `allocator: set safety stock: unknown SKU: "tee"`)
	refused(t, set(SafetyStock{Location: "L7"}), ErrUnknownLocation, `allocator: set safety stock: unknown location: "L7"`)
	shelf(t, a, "L0", "tea", 10, 0, 0)

	// Ten held units and none on hand: the largest level would pass the range
	// of what is available, at the second SKU of the two.
	allocated(t, a, ordered("o", Line{"cup", 10}), "L0")
	must(t, a.Count(t.Context(), Count{ID: "c", Location: "L0", Lines: []Line{{"cup", 0}}}))
	err := set(SafetyStock{Units: reservation.MaxQuantity})
	refused(t, err, ErrOverflow, `allocator: set safety stock: reservation: safety stock of 2147483647 units of SKU "cup" at "L0": quantity out of range`)
	shelf(t, a, "L0", "tea", 10, 0, 3) // the first level stands
	shelf(t, a, "L0", "cup", 0, 10, 0)
	stocked(t, a, "L1", "new", 1)
	shelf(t, a, "L1", "new", 1, 0, 0)
	for _, v := range []SafetyStock{{Location: "L0", Units: tooMuch - 1}, {SKU: "cup", Units: tooMuch - 1}, {SKU: "cup", Location: "L0", Units: tooMuch - 1}} {
		if err := a.SetSafetyStock(t.Context(), v); err == nil {
			t.Errorf("%+v was accepted", v)
		}
		shelf(t, a, "L0", "tea", 10, 0, 3)
		shelf(t, a, "L0", "cup", 0, 10, 0)
		shelf(t, a, "L1", "cup", 0, 0, 0)
	}
	must(t, a.Cancel(t.Context(), "o"))
	must(t, a.SetSafetyStock(t.Context(), SafetyStock{Units: reservation.MaxQuantity}))
	shelf(t, a, "L0", "cup", 0, 0, reservation.MaxQuantity)
	must(t, a.SetSafetyStock(t.Context(), SafetyStock{Units: 0}))
	shelf(t, a, "L0", "cup", 0, 0, 0)
}

// A location that joins gets the safety stock whatever shape a SKU's row has:
// with most locations stocked, every location has a cell.
func TestSafetyStockOfALocationThatJoins(t *testing.T) {
	const n = 400
	a := street(t, n, Options{})
	var goods []Receipt
	for i := range n {
		goods = append(goods, Receipt{ID: fmt.Sprint(i), Location: fmt.Sprintf("L%d", i), Lines: []Line{{"everywhere", 9}}})
	}
	must(t, a.Receive(t.Context(), goods[:n-1]...))
	must(t, a.SetSafetyStock(t.Context(), SafetyStock{Units: 2}))
	stocked(t, a, "L0", "rare", 9)
	for i := range 3 {
		id := fmt.Sprintf("new%d", i)
		must(t, a.SetLocations(t.Context(), Location{ID: id, Point: streetPoint(i)}))
		shelf(t, a, id, "everywhere", 0, 0, 2)
		shelf(t, a, id, "rare", 0, 0, 2)
		stocked(t, a, id, "everywhere", 5)
		shelf(t, a, id, "everywhere", 5, 0, 2)
	}
	shelf(t, a, fmt.Sprintf("L%d", n-1), "everywhere", 0, 0, 2)
}
