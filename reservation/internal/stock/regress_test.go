package stock

import "testing"

// TestLevelWhileACellIsHalfMoved stops a move between its two steps: the units
// on hand have gone to the next row, the cell has not. Level must read each of
// them where it is.
func TestLevelWhileACellIsHalfMoved(t *testing.T) {
	s := newWorld(1, 10, 0)
	s.Ensure(0, 3)
	s.Change(0, 3, 7)
	s.AddOnHand(0, 3, 9)
	old := s.Table().row(0)
	next := newRow(old.space, 0, []uint32{3}, true, 0)
	old.next.Store(next)
	next.onHand[0].Store(9)
	old.onHand[0].Store(movedOnHand)

	got, ok := s.Level(0, 3)
	if want := (Level{OnHand: 9, Available: 7}); !ok || got != want {
		t.Fatalf("Level = %+v, %v; want %+v, true", got, ok, want)
	}
}

// TestUndoOfALineWithoutEscrow gives back a line too large to be escrowed.
func TestUndoOfALineWithoutEscrow(t *testing.T) {
	s := newWorld(1, 10, 0)
	s.Ensure(0, 3)
	s.Change(0, 3, MaxQuantity)
	var q Query
	if !q.Bind(s, s.Table(), []Line{{SKU: 0, Quantity: MaxQuantity}}) || q.Take(3) != -1 {
		t.Fatal("the whole cell could not be taken")
	}
	if got := s.Table().Reachable(0, 3); got != 0 {
		t.Fatalf("reachable = %d, want 0", got)
	}
	q.Undo()
	if got := s.Table().Reachable(0, 3); got != MaxQuantity {
		t.Fatalf("reachable = %d, want %d", got, int64(MaxQuantity))
	}
	checkBits(t, s)
}

// TestChangeRange walks both ends of a cell's range: what does not fit is
// refused and changes nothing.
func TestChangeRange(t *testing.T) {
	s := newWorld(1, 10, 0)
	s.Ensure(0, 3)
	for _, step := range []struct {
		units int64
		ok    bool
		want  int64
	}{
		{narrowMax, true, narrowMax},
		{1, true, narrowMax + 1},
		{MaxQuantity, false, narrowMax + 1},
		{MaxQuantity - narrowMax - 1, true, MaxQuantity},
		{1, false, MaxQuantity},
		{-2 * MaxQuantity, true, -MaxQuantity},
		{-1, true, minAvailable},
		{-1, false, minAvailable},
		{1 << 31, true, 0},
	} {
		if ok := s.Change(0, 3, step.units); ok != step.ok {
			t.Fatalf("Change(%d) = %v, want %v", step.units, ok, step.ok)
		}
		if l, _ := s.Level(0, 3); l.Available != step.want {
			t.Fatalf("after Change(%d) available = %d, want %d", step.units, l.Available, step.want)
		}
		checkBits(t, s)
	}
	if s.Change(0, 4, 1) || s.Change(0, 11, 1) {
		t.Fatal("a change of a cell that does not exist went through")
	}
}
