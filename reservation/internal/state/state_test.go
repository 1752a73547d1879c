package state

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
)

// opened is an empty state.
func opened(skus, locations int) *State {
	s := new(State)
	s.Fill(book.New(100), skus, locations)
	return s
}

// TestNames gives numbers from zero, once each, up to the limit; what is not recorded
// has none.
func TestNames(t *testing.T) {
	n := opened(3, 1).SKUs
	unrecorded := errors.New("not recorded")
	if _, err := n.Intern("a", func(uint32) error { return unrecorded }); !errors.Is(err, unrecorded) || n.Len() != 0 {
		t.Errorf("a name that was not recorded: %v, %d names", err, n.Len())
	}
	for i, name := range []string{"a", "b", "a", "c", "b"} {
		id, err := n.Intern(name, func(id uint32) error {
			if _, found := n.Find(name); found || int(id) != n.Len() {
				t.Errorf("%q is found as %d before it is recorded", name, id)
			}
			return nil
		})
		if again, ok := n.Find(name); err != nil || n.Name(id) != name || again != id || !ok {
			t.Errorf("step %d: %q is %d, %v", i, name, id, err)
		}
	}
	if _, err := n.Intern("d", func(uint32) error { return nil }); !errors.Is(err, ErrFull) || n.Len() != 3 {
		t.Errorf("one name too many: %v, %d names", err, n.Len())
	}
}

// TestClasses tells resources, sub-SKUs and plain ones apart by their names.
func TestClasses(t *testing.T) {
	s := opened(10, 1)
	for _, name := range []string{"tea", ClassMark + "window", "tea" + ClassMark + "lot 1", "tea" + ClassMark + "lot 2", "cup"} {
		s.SKUs.Put(name)
	}
	for sku, want := range []string{"0 false false [2 3]", "1 true true []", "0 false true []", "0 false true []", "4 false false []"} {
		k, n := s.Classes, uint32(sku)
		if got := fmt.Sprint(k.Base(n), k.Resource(n), k.Special(n), k.Subs(n)); got != want {
			t.Errorf("%q: %s, want %s", s.SKUs.Name(n), got, want)
		}
	}
}

// TestLevels takes the level of the pair, else the larger of the others, and none for
// special SKUs; what is put and restored is as it was.
func TestLevels(t *testing.T) {
	s := opened(10, 10)
	s.SKUs.Put("tea")
	s.SKUs.Put("tea" + ClassMark + "lot")
	l := &s.Safety
	check := func(when string, want ...int64) {
		t.Helper()
		if got := []int64{l.Of(0, 0), l.Of(0, 1), l.Of(1, 0)}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	check("new", 0, 0, 0)
	for _, v := range []SafetyLevel{{EverySKU, Everywhere, 1}, {0, Everywhere, 3}, {EverySKU, 0, 2}, {0, 1, 0}} {
		l.Put(v)
	}
	check("set", 3, 0, 0)
	before := l.LevelOf(SafetyLevel{SKU: 0, Slot: 1})
	l.Put(SafetyLevel{0, 1, 9})
	check("a pair", 3, 9, 0)
	l.Restore(SafetyLevel{SKU: 0, Slot: 1}, before)
	check("restored", 3, 0, 0)
	l.Restore(SafetyLevel{SKU: 0, Slot: Everywhere}, nil)
	l.Restore(SafetyLevel{SKU: 0, Slot: 1}, nil)
	check("taken back", 2, 1, 0)
	all := 0
	l.All(func(v SafetyLevel) { all += int(v.Units) })
	if all != 3 {
		t.Errorf("all levels are %d units, want 3", all)
	}
}

// TestFloor adds up what happened since, as far as it is remembered.
func TestFloor(t *testing.T) {
	f := opened(1, 1).Floor(0)
	for i := range int64(recentKept + 10) {
		f.Remember(ShelfChange{Time: i, SKU: 1, Slot: 2, Units: 1})
	}
	if units, ok := f.After(recentKept, 2); !ok || units[1] != 9 {
		t.Errorf("after the %dth: %v, %v, want 9", recentKept, units, ok)
	}
	if units, ok := f.After(recentKept, 1); !ok || len(units) != 0 {
		t.Errorf("of another location: %v, %v", units, ok)
	}
	if _, ok := f.After(9, 2); ok || f.Since != 10 {
		t.Errorf("what is forgotten is known, from %d on", f.Since)
	}
	if f.Large(recentKept, 3, 1) || !f.Large(recentKept+1, 3, recentKept+20) {
		t.Error("what fits is large, or what does not is not")
	}
	if units, ok := f.After(recentKept, 2); !ok || units[1] != 9 {
		t.Errorf("beside a large one: %v, %v, want 9", units, ok)
	}
	if _, ok := f.After(recentKept+20, 3); ok {
		t.Error("what came before a large one is known")
	}
	if _, ok := f.After(recentKept+21, 3); !ok {
		t.Error("what came after a large one is not known")
	}
	if at := f.Latest(); at != recentKept+20 {
		t.Errorf("the latest is of %d", at)
	}
}

// TestNotesAndPlaces keep what was put last.
func TestNotesAndPlaces(t *testing.T) {
	s := opened(1, 1)
	s.Notes.Put("b", []byte("2"))
	s.Notes.Put("a", []byte("1"))
	s.Notes.Put("c", []byte("3"))
	s.Notes.Put("c", nil)
	if all := s.Notes.With(""); len(all) != 2 || all[0].Key != "a" || string(s.Notes.Value("b")) != "2" || s.Notes.Value("c") != nil {
		t.Errorf("notes: %v", all)
	}
	s.Places.Set(3, []byte("here"))
	s.Places.Add(3, 2)
	s.Places.Add(3, -1)
	if !s.Places.Same(3, []byte("here")) || s.Places.Incoming(3) != 1 || s.Places.Note(9) != nil || s.Places.Incoming(9) != 0 {
		t.Errorf("places: %q, %d", s.Places.Note(3), s.Places.Incoming(3))
	}
	s.Remove(3)
	if !s.IsGone(3) || s.IsGone(2) {
		t.Error("another location is gone")
	}
}

// TestShelves notes what is on hand before the stock is laid out, the later word on
// each cell, and has the same on hand afterwards; then it is available.
func TestShelves(t *testing.T) {
	s := opened(10, 10)
	s.SKUs.Put("tea")
	s.Recover()
	for i := range int64(5000) {
		s.SetOnHand(0, uint32(i%7), i)
	}
	check := func(when string) {
		t.Helper()
		for slot := range uint32(8) {
			want := int64(0)
			if slot < 7 {
				want = 4993 + (int64(slot)+7-4993%7)%7
			}
			if got := s.OnHand(0, slot); got != want {
				t.Errorf("%s: %d on hand at %d, want %d", when, got, slot, want)
			}
		}
	}
	check("noted")
	if s.LaidOut() || s.Shelved() != 1 {
		t.Errorf("laid out %v, %d SKUs", s.LaidOut(), s.Shelved())
	}
	s.Stock.Renumber([]uint32{0, 1, 2, 3, 4, 5, 6, 7}, 8, 0, func(*stock.Table) {})
	s.LayOut()
	check("laid out")
	s.SetOnHand(0, 3, 1)
	if cell, ok := s.Stock.Cell(0, 3); !ok || cell.Available() != 1 || s.OnHand(0, 3) != 1 {
		t.Error("set afterwards: not what is available")
	}
}

// TestTimeNeverGoesBack: what is reached stays so.
func TestTimeNeverGoesBack(t *testing.T) {
	s := opened(1, 1)
	for _, step := range [][2]int64{{5, 5}, {3, 5}, {7, 7}} {
		if s.Reach(step[0]); s.Time() != step[1] {
			t.Errorf("reached %d: %d, want %d", step[0], s.Time(), step[1])
		}
	}
}

// TestSetSafety changes what is available by what the level changes, and takes all of it
// back when the last cell refuses it or when it is not recorded.
func TestSetSafety(t *testing.T) {
	s := opened(10, 10)
	s.SKUs.Put("tea")
	s.SKUs.Put("cup")
	s.Stock.Renumber([]uint32{0, 1}, 2, 0, func(*stock.Table) {})
	for sku := range uint32(2) {
		s.Stock.Ensure(sku, 0, 1)
		for slot := range uint32(2) {
			s.SetOnHand(sku, slot, 10)
		}
	}
	check := func(when string, want string) {
		t.Helper()
		var got []int64
		for sku := range uint32(2) {
			for slot := range uint32(2) {
				cell, _ := s.Stock.Cell(sku, slot)
				got = append(got, cell.Available())
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v are available, want %v", when, got, want)
		}
	}
	recorded := func() error { return nil }
	for _, step := range []struct {
		v    SafetyLevel
		want string
	}{
		{SafetyLevel{EverySKU, Everywhere, 1}, "[9 9 9 9]"},
		{SafetyLevel{0, Everywhere, 3}, "[7 7 9 9]"},
		{SafetyLevel{EverySKU, 1, 5}, "[7 5 9 5]"},
		{SafetyLevel{1, 1, 0}, "[7 5 9 10]"},
	} {
		if err := s.SetSafety(step.v, recorded); err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprint(step.v), step.want)
	}
	unrecorded := errors.New("not recorded")
	if err := s.SetSafety(SafetyLevel{0, Everywhere, 8}, func() error {
		check("in force when it is recorded", "[2 2 9 10]")
		return unrecorded
	}); !errors.Is(err, unrecorded) {
		t.Error(err)
	}
	check("not recorded", "[7 5 9 10]")
	s.Stock.Change(0, 1, -1<<31)
	err := s.SetSafety(SafetyLevel{0, Everywhere, 1 << 30}, func() error { t.Error("too much was recorded"); return nil })
	if over := new(LevelError); !errors.As(err, &over) || *over != (LevelError{0, 1}) || !errors.Is(err, ErrOverflow) {
		t.Errorf("too much: %v", err)
	}
	s.Stock.Change(0, 1, 1<<31-1)
	s.Stock.Change(0, 1, 1)
	check("too much", "[7 5 9 10]")
	s.Recover()
	if err := s.SetSafety(SafetyLevel{0, Everywhere, 9}, recorded); err != nil || s.Safety.Of(0, 0) != 9 {
		t.Errorf("before the stock is laid out: %v, %d", err, s.Safety.Of(0, 0))
	}
}
