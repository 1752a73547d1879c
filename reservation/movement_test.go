package reservation

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
)

func TestMovementIsAllOrNothing(t *testing.T) {
	l := floorOf(t, 1, 1, roomy)
	tea := received(t, l, "r", 0, "tea", 5)
	for _, c := range []struct {
		cause history.Cause
		lines []MovementLine
		fact  error
		text  string
	}{
		{history.Sold, []MovementLine{{"tea", 1}, {"cup", 1}}, ErrUnknownSKU, `reservation: sold "m" at "l0": unknown SKU: "cup"`},
		{history.Adjusted, []MovementLine{{"tea", -6}, {"cup", 1}}, ErrShortage, `reservation: adjusted "m" at "l0": not enough units of SKU "tea" at "l0": wanted 6, there are 5`},
		{history.Received, []MovementLine{{"cup", 1}, {"tea", MaxQuantity}}, ErrOverflow, `reservation: received "m" at "l0": SKU "tea": 5 on hand and 2147483647 more: quantity out of range`},
	} {
		err := moved(l, &Movement{ID: "m", Cause: c.cause, Slot: 0, Lines: c.lines})
		if !errors.Is(err, c.fact) || err.Error() != c.text {
			t.Errorf("got %v", err)
		}
		level(t, l, tea, 0, 5, 0, 0)
		if _, ok := l.SKU("cup"); ok {
			t.Error("a refused movement made a SKU")
		}
	}
}

// Goods that leave can push what is available out of range when safety stock
// and held units are large: then nothing leaves, the lines before included.
func TestMovementBeyondRangeIsUndone(t *testing.T) {
	l := floorOf(t, 1, 1, roomy)
	tea, cup := received(t, l, "r1", 0, "tea", 9), received(t, l, "r2", 0, "cup", 9)
	reserve(l, "o", 1, 0, units(cup, 9))
	mustDo(t, setSafety(l, SafetyLevel{SKU: cup, Slot: 0, Units: MaxQuantity}))
	err := moved(l, &Movement{ID: "m", Cause: history.Sold, Slot: 0, Lines: []MovementLine{{"tea", 4}, {"cup", 2}}})
	if !errors.Is(err, ErrOverflow) || err.Error() != `reservation: sold "m" at "l0": SKU "cup": quantity out of range` {
		t.Errorf("got %v", err)
	}
	level(t, l, tea, 0, 9, 0, 0)
	level(t, l, cup, 0, 9, 9, MaxQuantity)
	mustDo(t, setSafety(l, SafetyLevel{SKU: cup, Slot: 0, Units: 0}))
	mustDo(t, moved(l, &Movement{ID: "m", Cause: history.Sold, Slot: 0, Lines: []MovementLine{{"tea", 4}, {"cup", 2}}})) // not remembered
	level(t, l, tea, 0, 5, 0, 0)
	level(t, l, cup, 0, 7, 9, 0)
}

func TestMovementRepeatAndConflict(t *testing.T) {
	l := floorOf(t, 2, 1, roomy)
	first := Movement{ID: "m", Cause: history.Received, Slot: 0, Lines: []MovementLine{{"tea", 2}, {"cup", 1}}}
	mustDo(t, moved(l, &first))
	same := first
	same.Lines = []MovementLine{{"cup", 1}, {"tea", 2}}
	mustDo(t, moved(l, &same))
	for name, change := range map[string]func(*Movement){
		"cause":    func(m *Movement) { m.Cause = history.Counted },
		"location": func(m *Movement) { m.Slot = 1 },
		"units":    func(m *Movement) { m.Lines = []MovementLine{{"tea", 2}, {"cup", 2}} },
		"swapped":  func(m *Movement) { m.Lines = []MovementLine{{"tea", 1}, {"cup", 2}} },
		"lines":    func(m *Movement) { m.Lines = m.Lines[:1] },
	} {
		other := first
		change(&other)
		if err := moved(l, &other); !errors.Is(err, ErrConflict) {
			t.Errorf("other %s: %v", name, err)
		}
	}
	tea, _ := l.SKU("tea")
	level(t, l, tea, 0, 2, 0, 0)
	level(t, l, tea, 1, 0, 0, 0)
}

// A movement stays the same movement when its location was removed and came back.
func TestMovementRepeatAfterLocationCameBack(t *testing.T) {
	l := floorOf(t, 1, 3, roomy)
	m := Movement{ID: "m", Cause: history.Counted, Slot: 0, Lines: []MovementLine{{"tea", 0}}}
	mustDo(t, moved(l, &m), remove(l, 0, func() {}))
	slot, _, err := l.AddSlot("l0", nil, 0)
	mustDo(t, err)
	if !l.Join(slot, func(uint32) {}) {
		t.Fatal("the numbering is full")
	}
	m.Slot = slot
	mustDo(t, moved(l, &m))
}

// The same movement from many callers at once is booked once.
func TestMovementOnceAtOnce(t *testing.T) {
	l := floorOf(t, 4, 1, roomy)
	var tea uint32
	for round := range 200 {
		var all sync.WaitGroup
		var conflicts atomic.Int64
		for g := range 4 {
			all.Go(func() {
				err := moved(l, &Movement{ID: fmt.Sprint("m", round), Cause: history.Received, Slot: uint32(g % 2), Lines: []MovementLine{{"tea", 1}}})
				if errors.Is(err, ErrConflict) {
					conflicts.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		tea, _ = l.SKU("tea")
		if sum := l.Available(tea, 0).OnHand + l.Available(tea, 1).OnHand; sum != int64(round+1) || conflicts.Load() != 2 {
			t.Fatalf("after round %d: %d units, %d conflicts", round, sum, conflicts.Load())
		}
	}
}

// Prepare makes cells and nothing else.
func TestPrepare(t *testing.T) {
	l := floorOf(t, 3, 1, Options{SKUs: 2, Locations: 8, Remember: 8})
	list := []Movement{
		{ID: "a", Cause: history.Received, Slot: 0, Lines: []MovementLine{{"tea", 1}, {"cup", 1}}},
		{ID: "b", Cause: history.Received, Slot: 2, Lines: []MovementLine{{"tea", 1}}},
		{ID: "c", Cause: history.Sold, Slot: 1, Lines: []MovementLine{{"hat", 1}}},
		{ID: "d", Cause: history.Sold, Slot: 2, Lines: []MovementLine{{"hat", 1}}},
	}
	mustDo(t, l.Prepare(list))
	tea, ok := l.SKU("tea")
	if n := l.Numbers(); !ok || l.SKUs() != 2 || n.SKUs != 1 || n.Cells != 2 || n.Remembered != 0 {
		t.Errorf("numbers %+v", n)
	}
	level(t, l, tea, 0, 0, 0, 0)
	for i := range list {
		list[i].Cause = history.Received
	}
	list[0].Lines[1].SKU, list[1].Lines = "hat", []MovementLine{{"tea", 1}, {"pen", 1}}
	list[2].Lines = []MovementLine{{"pen", 1}}
	if err := l.Prepare(list); !errors.Is(err, ErrFull) {
		t.Errorf("a third SKU: %v", err)
	}
}
