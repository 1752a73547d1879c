package allocator

import "testing"

// TestLotsComeBack brings collected units of lots back, where they were and
// elsewhere, and passes a reservation of them on to another location.
func TestLotsComeBack(t *testing.T) {
	a, _ := lotWorld(t, Options{})
	ctx := t.Context()
	received(t, a, "L0", "milk", 3, lotDay("A", 2))
	received(t, a, "L0", "milk", 3, lotDay("B", 5))
	received(t, a, "L1", "milk", 4, lotDay("C", 5))
	allocated(t, a, ordered("o", Line{"milk", 4}), "L0")
	must(t, a.Collect(ctx, "o"))
	shelf(t, a, "L0", "milk", 2, 0, 0)
	must(t, a.Return(ctx, Return{ID: "r1", Reservation: "o", Location: "L0", Lines: []Line{{"milk", 2}}}))
	must(t, a.Return(ctx, Return{ID: "r2", Reservation: "o", Location: "L1"}))
	state(t, a, "o", Returned)
	shelf(t, a, "L0", "milk", 4, 0, 0)
	shelf(t, a, "L1", "milk", 6, 0, 0)

	allocated(t, a, ordered("p", Line{"milk", 4}), "L0")
	must(t, a.Confirm(ctx, "p"))
	got, err := a.Reject(ctx, "p")
	must(t, err)
	if got.Location != "L1" {
		t.Errorf("rerouted to %q", got.Location)
	}
	shelf(t, a, "L0", "milk", 4, 0, 0)
	shelf(t, a, "L1", "milk", 6, 4, 0)

	// A till sale takes what is free, also of lots, before anybody gets short.
	must(t, a.Sell(ctx, Sale{ID: "s", Location: "L1", Lines: []Line{{"milk", 2}}}))
	if short := a.Stats().Short; short != 0 {
		t.Errorf("%d short", short)
	}
	must(t, a.Sell(ctx, Sale{ID: "t", Location: "L1", Lines: []Line{{"milk", 1}}, Lots: map[string]Lot{"milk": lotDay("C", 5)}}))
	if r := state(t, a, "p", Confirmed); r.Lines[0].Short != 1 || a.Stats().Short != 1 {
		t.Errorf("lines %+v", r.Lines)
	}
}
