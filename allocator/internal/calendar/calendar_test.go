package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"pgregory.net/rapid"
)

const slots = 3

// epoch is when the tests begin.
func epoch() time.Time { return time.Date(2031, 3, 3, 8, 0, 0, 0, time.UTC) }

// calendarOf is a calendar of a new ledger with some locations.
func calendarOf(t testing.TB) (*Calendar, *reservation.Ledger) {
	t.Helper()
	l := reservation.New(reservation.Options{SKUs: 10_000, Locations: 16, Remember: 1000})
	t.Cleanup(func() { _ = l.Close() })
	order := make([]uint32, slots)
	for i := range order {
		slot, _, err := l.AddSlot(fmt.Sprint("L", i), nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		order[i] = slot
	}
	l.Renumber(order, 8, func(*reservation.Table) {})
	c, err := Open(l)
	if err != nil {
		t.Fatal(err)
	}
	return c, l
}

// set sets windows as a caller does whom nobody disturbs.
func set(c *Calendar, now int64, windows ...Window) error {
	change, err := c.SetWindows(windows, now)
	if err != nil {
		return err
	}
	defer change.End()
	for i := range change.Moves() {
		if _, err := change.Move(i); err != nil {
			return err
		}
	}
	return nil
}

func limit(t testing.TB, c *Calendar, list ...SlotCapacity) {
	t.Helper()
	change, err := c.SetCapacities(list)
	if err != nil {
		t.Fatal(err)
	}
	defer change.End()
	if _, err := change.Write(2); err != nil {
		t.Fatal(err)
	}
}

// take has an order take what it wants of a location. False: it is full.
func take(t testing.TB, c *Calendar, id string, w Work, window time.Time, now int64) bool {
	t.Helper()
	lines, err := c.Take(nil, w, now)
	if err != nil {
		t.Fatal(err)
	}
	if !window.IsZero() {
		place, ok := c.Place(w.Slot, window)
		if !ok {
			return false
		}
		lines = append(lines, place)
	}
	if len(lines) == 0 {
		return true
	}
	slices.SortFunc(lines, func(a, b reservation.Line) int { return cmp.Compare(a.SKU, b.SKU) })
	var parts reservation.Parts
	var found reservation.Entry
	hold := reservation.Hold{ID: id, Slot: w.Slot, Now: now, Deadline: now + 1<<40}
	got := parts.Reserve(c.ledger, []reservation.Part{{Hold: hold, Lines: lines}}, &found)
	if got == reservation.Failed || got == reservation.Known {
		t.Fatal(got, parts.Err())
	}
	return got == reservation.Done
}

// sweepAll sweeps everything that is over.
func sweepAll(t testing.TB, c *Calendar, now int64) {
	t.Helper()
	for c.SweepDue(now) {
		begun, busy := c.BeginSweep(now)
		if busy {
			t.Fatal("busy")
		}
		if !begun {
			return
		}
		for more := true; more; {
			var err error
			if more, err = c.SweepStep(now); err != nil {
				t.Fatal(err)
			}
		}
		c.EndSweep()
	}
}

// plain is what a calendar is, in maps: the twin of the room.
type plain struct {
	windows    map[Window]*State // by slot, start and length
	capacities [slots]Capacity
	used       map[span]*Capacity // what orders took of a period while it was limited
	orders     map[string]*order
}

// span is a period of a location.
type span struct {
	slot  uint32
	begin int64
	per   Period
}

type order struct {
	window        *State
	used          *Capacity
	orders, lines int64
}

func (p *plain) window(slot uint32, start int64) *State {
	for _, w := range p.windows {
		if w.Slot == slot && w.Start == start && w.Places > 0 {
			return w
		}
	}
	return nil
}

// usedAt is what is used of the period of a time.
func (p *plain) usedAt(slot uint32, at time.Time) (*Capacity, time.Time) {
	per := p.capacities[slot].Per
	begin, end := per.At(at, nil)
	key := span{slot, begin.Unix(), per}
	if p.used[key] == nil {
		p.used[key] = &Capacity{}
	}
	return p.used[key], end
}

// set is SetWindows for one window.
func (p *plain) set(w Window) (ok bool) {
	for _, other := range p.windows {
		if other.Slot == w.Slot && other.Start == w.Start && other.Minutes != w.Minutes && other.Places > 0 && w.Places > 0 {
			return false
		}
	}
	key := Window{Slot: w.Slot, Start: w.Start, Minutes: w.Minutes}
	if p.windows[key] == nil {
		p.windows[key] = &State{}
	}
	p.windows[key].Window = w
	return true
}

// take says whether an order gets what it wants.
func (p *plain) take(id string, w Work, window time.Time) bool {
	o := &order{}
	if is := p.capacities[w.Slot]; is != (Capacity{}) {
		o.used, _ = p.usedAt(w.Slot, w.Begin)
		if is.Orders > 0 {
			o.orders = 1
		}
		if is.Lines > 0 {
			o.lines = w.Lines
		}
		if is.Orders > 0 && o.used.Orders+1 > is.Orders || is.Lines > 0 && o.used.Lines+w.Lines > is.Lines {
			return false
		}
	}
	if !window.IsZero() {
		o.window = p.window(w.Slot, window.Unix())
		if o.window == nil || o.window.Taken >= o.window.Places {
			return false
		}
		o.window.Taken++
	}
	if o.used != nil {
		o.used.Orders += o.orders
		o.used.Lines += o.lines
	}
	if o.used != nil || o.window != nil {
		p.orders[id] = o
	}
	return true
}

// end ends an order; what is collected stays used.
func (p *plain) end(id string, collected bool) {
	o := p.orders[id]
	delete(p.orders, id)
	if collected {
		return
	}
	if o.window != nil {
		o.window.Taken--
	}
	if o.used != nil {
		o.used.Orders -= o.orders
		o.used.Lines -= o.lines
	}
}

// check compares all that the room says with the twin.
func (p *plain) check(r *rapid.T, c *Calendar, now time.Time) {
	for slot := range uint32(slots) {
		listed := 0
		for w := range c.Windows(slot, time.Time{}, time.Time{}, now.UnixMilli()) {
			want := p.windows[Window{Slot: slot, Start: w.Start, Minutes: w.Minutes}]
			if want == nil || *want != w {
				r.Fatalf("%+v, the twin has %+v", w, want)
			}
			listed++
			if open := p.window(slot, w.Start); c.Full(slot, time.Unix(w.Start, 0)) != (open == nil || open.Taken >= open.Places) {
				r.Fatalf("window %+v: full is %v", w, c.Full(slot, time.Unix(w.Start, 0)))
			}
		}
		for _, w := range p.windows {
			if w.Slot == slot && w.Places+w.Taken > 0 && time.Unix(w.Start+60*w.Minutes, 0).After(now) {
				listed--
			}
		}
		if listed != 0 {
			r.Fatalf("location %d lists %d windows more than the twin", slot, listed)
		}
		is := p.capacities[slot]
		got, limited := c.Capacity(slot)
		if got != is || limited != (is != Capacity{}) {
			r.Fatalf("location %d has %+v, the twin %+v", slot, got, is)
		}
		left, ends := c.Left(slot, now, nil, 2)
		if !limited {
			if left >= 0 {
				r.Fatalf("location %d is not limited and has %d left", slot, left)
			}
			continue
		}
		used, end := p.usedAt(slot, now)
		want := int64(MaxLines)
		if is.Orders > 0 {
			want = is.Orders - used.Orders
		}
		if is.Lines > 0 {
			want = min(want, (is.Lines-used.Lines)/2)
		}
		if left != max(want, 0) || !ends.Equal(end) {
			r.Fatalf("location %d: %d left until %v, the twin says %d until %v", slot, left, ends, want, end)
		}
	}
}

// TestCalendarAsTheTwin runs settings, orders, ends and sweeps one after the other
// against the twin, and opens the calendar anew in between.
func TestCalendarAsTheTwin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c, l := calendarOf(t)
		now := epoch()
		p := &plain{windows: map[Window]*State{}, used: map[span]*Capacity{}, orders: map[string]*order{}}
		var ids []string
		slot := rapid.Uint32Range(0, slots-1)
		for step := range rapid.IntRange(5, 60).Draw(r, "steps") {
			at := slot.Draw(r, "location")
			start := epoch().Add(time.Duration(rapid.IntRange(0, 9).Draw(r, "start")) * time.Hour)
			switch rapid.IntRange(0, 12).Draw(r, "what") {
			case 0, 1, 2:
				w := Window{Slot: at, Start: start.Unix(), Minutes: rapid.SampledFrom([]int64{30, 60, 90}).Draw(r, "minutes"),
					Places: rapid.Int64Range(0, 4).Draw(r, "places")}
				if !time.Unix(w.Start+60*w.Minutes, 0).After(now) {
					continue
				}
				var clash *ClashError
				err := set(c, now.UnixMilli(), w)
				if ok := p.set(w); ok != (err == nil) || !ok && !errors.As(err, &clash) {
					r.Fatalf("%+v: %v, the twin says %v", w, err, ok)
				}
			case 3, 4:
				is := Capacity{Per: Hour, Orders: rapid.Int64Range(0, 4).Draw(r, "orders"), Lines: rapid.Int64Range(0, 9).Draw(r, "lines")}
				if is.Orders+is.Lines == 0 {
					is = Capacity{}
				}
				limit(t, c, SlotCapacity{at, is})
				p.capacities[at] = is
			case 5, 6:
				if len(ids) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(ids)-1).Draw(r, "which")
				verb := rapid.SampledFrom([]history.Kind{history.Canceled, history.Collected}).Draw(r, "verb")
				if _, _, err := l.Do(&reservation.Change{Verb: verb, ID: ids[i], Now: now.UnixMilli()}); err != nil {
					r.Fatal(err)
				}
				p.end(ids[i], verb == history.Collected)
				ids = append(ids[:i], ids[i+1:]...)
			case 7:
				now = now.Add(time.Duration(rapid.IntRange(10, 150).Draw(r, "later")) * time.Minute)
				sweepAll(t, c, now.UnixMilli())
			case 8:
				next, err := Open(l)
				if err != nil {
					r.Fatal(err)
				}
				next.moves.Store(c.moves.Load()) // without a journal all that tells its movements from those before
				c = next
			default:
				window := start
				if !window.After(now) || rapid.Bool().Draw(r, "no window") {
					window = time.Time{}
				}
				id := fmt.Sprint("o", step)
				w := Work{Slot: at, Begin: now, Lines: rapid.Int64Range(1, 3).Draw(r, "units")}
				if got, want := take(t, c, id, w, window, now.UnixMilli()), p.take(id, w, window); got != want {
					r.Fatalf("%s %+v, window %v: %v, the twin says %v", id, w, window, got, want)
				}
				if p.orders[id] != nil {
					ids = append(ids, id)
				}
			}
			p.check(r, c, now)
		}
	})
}

// TestSweepLeavesNothing has a window and a period pass: an hour after the end of both
// nothing of them is left but what was taken, and nobody looks them up any more.
func TestSweepLeavesNothing(t *testing.T) {
	c, l := calendarOf(t)
	now := epoch().UnixMilli()
	if err := set(c, now, Window{0, epoch().Unix(), 60, 3}, Window{1, epoch().Unix(), 60, 2}); err != nil {
		t.Fatal(err)
	}
	limit(t, c, SlotCapacity{0, Capacity{Hour, 5, 0}})
	if !take(t, c, "o", Work{Slot: 0, Begin: epoch(), Lines: 1}, epoch(), now) {
		t.Fatal("full")
	}
	late := epoch().Add(2 * time.Hour).UnixMilli()
	if c.SweepDue(late - 1) {
		t.Error("due before the hour is over")
	}
	sweepAll(t, c, late)
	if n := len(*c.windows.Load()) + len(*c.periods.Load()); n != 0 {
		t.Errorf("%d windows and periods are still looked up", n)
	}
	held := int64(0)
	for sku := range uint32(l.SKUs()) {
		for slot := range l.SlotsOf(sku) {
			v := l.Available(sku, slot)
			if v.Available != 0 {
				t.Errorf("%q at %d: %+v", l.SKUName(sku), slot, v)
			}
			held += v.Held
		}
	}
	if held != 2 {
		t.Errorf("%d units are held, want a place and an order", held)
	}
}

// TestCapacityOutlivesItsLocation removes a location: its capacity waits for its ID.
func TestCapacityOutlivesItsLocation(t *testing.T) {
	c, l := calendarOf(t)
	want := Capacity{Per: QuarterHour, Orders: 7}
	limit(t, c, SlotCapacity{1, want})
	if _, err := l.Remove(1, 3, func() {}); err != nil {
		t.Fatal(err)
	}
	for id, is := range c.Capacities() {
		if id != "L1" || is != want {
			t.Errorf("%s has %+v", id, is)
		}
	}
	slot, _, err := l.AddSlot("L1", nil, 4)
	if err != nil {
		t.Fatal(err)
	}
	if is, ok := c.Capacity(slot); !ok || is != want || slot == 1 {
		t.Errorf("at slot %d: %+v", slot, is)
	}
	limit(t, c, SlotCapacity{slot, Capacity{}})
	if c.Limited() {
		t.Error("still limited")
	}
}

// TestClash has lists that are wrong as lists.
func TestClash(t *testing.T) {
	c, _ := calendarOf(t)
	start := epoch().Unix()
	if err := set(c, 5, Window{0, start, 60, 1}); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		list []Window
		want ClashError
	}{
		{[]Window{{1, start, 60, 1}, {1, start, 60, 2}}, ClashError{At: 1}},
		{[]Window{{1, start, 60, 1}, {0, start, 90, 1}}, ClashError{At: 1, Minutes: 60}},
		{[]Window{{1, start, 90, 1}, {1, start, 30, 1}}, ClashError{At: 0, Minutes: 30}},
	} {
		var got *ClashError
		if err := set(c, 6, k.list...); !errors.As(err, &got) || *got != k.want {
			t.Errorf("%+v: %v, want %+v", k.list, err, k.want)
		}
	}
	// One closes what the other opens, in one list.
	if err := set(c, 7, Window{0, start, 60, 0}, Window{0, start, 90, 2}); err != nil {
		t.Error(err)
	}
}

// TestNames holds the stored names: they are in the journals of every version.
func TestNames(t *testing.T) {
	for _, k := range []struct {
		tag           byte
		begin, detail int64
		name          string
	}{
		{tagTaken, 1930291200, 60, "\x00wvx8u80/60"},
		{tagPlaces, 1930291200, 60, "\x00pvx8u80/60"},
		{tagOrders, 1930291200, int64(Hour), "\x00ovx8u80/1"},
		{tagLines, -36, int64(Day), "\x00n-10/0"},
	} {
		if got := nameOf(k.tag, k.begin, k.detail); got != k.name {
			t.Errorf("%q, want %q", got, k.name)
		}
		tag, begin, detail, ok := takeName(k.name)
		if tag != k.tag || begin != k.begin || detail != k.detail || !ok {
			t.Errorf("%q: %c, %d, %d, %v", k.name, tag, begin, detail, ok)
		}
	}
	for _, name := range []string{"", "\x00", "\x00w", "\x00btea\x00a\x00b", "tea", "\x00w1", "\x00w1/x", "\x00w!/1", "tea\x00q"} {
		if _, _, ok := Named(name); ok {
			t.Errorf("%q is taken for one", name)
		}
	}
}
