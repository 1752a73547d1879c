package state_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// tale is a history of orders of tea at three locations, with what there is after it.
// It knows what the verbs mean, and no table.
type tale struct {
	records []history.Record
	now     int64
	onHand  [3]int64
	orders  map[string]*order
}

type order struct {
	slot, to           uint32
	held, firm         int64
	on                 bool // its way
	collected, missing int64
}

func (w *tale) say(r history.Record, units, onHand int64) {
	w.now++
	r.Time = w.now
	if units != 0 {
		r.Lines = []history.Line{{Units: units, OnHand: onHand}}
	}
	w.records = append(w.records, r)
}

// receive brings goods in.
func (w *tale) receive(t *rapid.T) {
	slot, n := rapid.Uint32Range(0, 2).Draw(t, "slot"), rapid.Int64Range(1, 9).Draw(t, "units")
	w.onHand[slot] += n
	w.say(history.Record{Kind: history.Moved, Cause: history.Received, ID: fmt.Sprint("m", w.now), Slot: slot}, n, w.onHand[slot])
}

// hold makes an order, of more units than there are if need be.
func (w *tale) hold(t *rapid.T) {
	slot, n := rapid.Uint32Range(0, 2).Draw(t, "slot"), rapid.Int64Range(1, 5).Draw(t, "units")
	id := fmt.Sprint("o", w.now)
	w.orders[id] = &order{slot: slot, held: n}
	w.say(history.Record{Kind: history.Held, ID: id, Slot: slot, Deadline: 1 << 40}, n, 0)
}

// change takes an order a step on, if the one that is drawn can be taken.
func (w *tale) change(t *rapid.T) {
	if len(w.orders) == 0 {
		return
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(w.orders))).Draw(t, "order")
	o, r := w.orders[id], history.Record{ID: id}
	r.Slot = o.slot
	n := min(rapid.Int64Range(1, 5).Draw(t, "units"), o.firm)
	switch verb := rapid.IntRange(0, 4).Draw(t, "verb"); {
	case o.on:
		n = max(n, 1)
		r.Kind, r.Slot = history.Arrived, o.to
		w.onHand[o.to] += n
		o.slot, o.on, o.firm, o.missing = o.to, false, n, o.missing+o.firm-n
		w.say(r, n, w.onHand[o.slot])
	case verb == 0 && o.held > 0:
		r.Kind = history.Confirmed
		units := o.held
		o.held, o.firm = 0, o.firm+units
		w.say(r, units, 0)
	case verb == 1 && n > 0 && n <= w.onHand[o.slot]:
		r.Kind, r.Change = history.Collected, fmt.Sprint("c", w.now)
		w.onHand[o.slot] -= n
		o.firm, o.collected = o.firm-n, o.collected+n
		w.say(r, n, w.onHand[o.slot])
	case verb == 2 && n > 0:
		r.Kind = history.Canceled
		o.firm -= n
		w.say(r, n, 0)
	case verb == 3 && n > 0 && o.held == 0 && o.collected == 0 && o.firm <= w.onHand[o.slot]:
		r.Kind, r.To = history.Dispatched, (o.slot+1)%3
		w.onHand[o.slot] -= o.firm
		o.on, o.to = true, r.To
		w.say(r, o.firm, w.onHand[o.slot])
	case verb == 4 && o.held > 0:
		r.Kind = history.Expired
		units := o.held
		o.held = 0
		w.say(r, units, 0)
	}
}

// free is what is available at a location.
func (w *tale) free(slot uint32) int64 {
	free := w.onHand[slot]
	for _, o := range w.orders {
		if o.slot == slot && !o.on {
			free -= o.held + o.firm
		}
	}
	return free
}

// empty is a state that knows tea and the locations, laid out or not.
func empty(laidOut bool) *state.State {
	s := new(state.State)
	s.Fill(book.Fixed(1000, 4), 10, 10)
	if !laidOut {
		s.Recover()
	}
	room := new(state.Room)
	names := []history.Record{{Kind: history.SKUAdded, Name: "tea"}}
	for slot, name := range []string{"a", "b", "c"} {
		names = append(names, history.Record{Kind: history.LocationSet, Slot: uint32(slot), Name: name, Place: []byte(name)})
	}
	for i := range names {
		if err := s.Apply(room, 0, &names[i]); err != nil {
			panic(err)
		}
	}
	s.Stock.Renumber([]uint32{0, 1, 2}, 3, 0, func(*stock.Table) {})
	if laidOut {
		s.Stock.Ensure(0, 0, 1, 2)
	}
	return s
}

// apply applies a tale in each of some rooms, one record after the other.
func apply(t rapid.TB, s *state.State, records []history.Record, rooms ...*state.Room) {
	t.Helper()
	for i := range records {
		for _, room := range rooms {
			if err := s.Apply(room, uint64(i+1), &records[i]); err != nil {
				t.Fatalf("record %d, %+v: %v", i+1, records[i], err)
			}
		}
	}
}

// check compares a state with what there is after a tale.
func (w *tale) check(t *rapid.T, when string, s *state.State) {
	t.Helper()
	for slot := range uint32(3) {
		if got := s.OnHand(0, slot); got != w.onHand[slot] {
			t.Fatalf("%s: %d on hand at %d, want %d", when, got, slot, w.onHand[slot])
		}
		if level, _ := s.Stock.Level(0, slot); s.LaidOut() && level.Available != w.free(slot) {
			t.Fatalf("%s: %d available at %d, want %d", when, level.Available, slot, w.free(slot))
		}
	}
	for id, o := range w.orders {
		var e book.Entry
		if !s.Book.Find(book.KindOrder, id, &e) {
			t.Fatalf("%s: order %s is not there", when, id)
		}
		l := e.Lines[0]
		got := order{slot: e.Location, to: o.to, held: int64(l.Held), firm: int64(l.Confirmed), on: e.State == life.InTransit, collected: int64(l.Collected), missing: int64(l.Missing)}
		if got != *o {
			t.Fatalf("%s: order %s is %+v, want %+v", when, id, got, *o)
		}
	}
	if s.Time() != w.now {
		t.Fatalf("%s: it is %d, want %d", when, s.Time(), w.now)
	}
}

// TestApply applies histories to a state that is laid out and to one that is not, whole
// and shared out, and some of it twice, as after a snapshot: what there is then is what
// the tale says.
func TestApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &tale{orders: map[string]*order{}}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			rapid.SampledFrom([]func(*rapid.T){w.receive, w.hold, w.change, w.change, w.change}).Draw(t, "step")(t)
		}
		for _, laidOut := range []bool{false, true} {
			s := empty(laidOut)
			apply(t, s, w.records, new(state.Room))
			w.check(t, fmt.Sprint("whole, laid out ", laidOut), s)
			apply(t, s, w.records, &state.Room{Exact: uint64(len(w.records))})
			w.check(t, fmt.Sprint("twice, laid out ", laidOut), s)
		}
		s := empty(false)
		apply(t, s, w.records, &state.Room{Part: state.Shelf}, &state.Room{Part: state.Entry})
		w.check(t, "shared", s)
		s = empty(false)
		apply(t, s, w.records, &state.Room{Part: state.Shelf})
		apply(t, s, w.records, &state.Room{Part: state.Entry})
		w.check(t, "the shelves first", s)
	})
}

// TestApplyRefuses a record that contradicts what there is, and says which.
func TestApplyRefuses(t *testing.T) {
	tea := func(units, onHand int64) []history.Line { return []history.Line{{Units: units, OnHand: onHand}} }
	for want, r := range map[string]history.Record{
		"a handle out of turn":                        {Kind: history.SKUAdded, SKU: 7, Name: "cup"},
		"a handle with two names":                     {Kind: history.LocationSet, Slot: 1, Name: "x"},
		"a safety stock without its level":            {Kind: history.SafetySet},
		"a line of no or too many units":              {Kind: history.Held, ID: "n", Lines: tea(0, 0)},
		"a reservation of nothing or nowhere":         {Kind: history.Held, ID: "n", Slot: 3, Lines: tea(1, 0)},
		"a reservation made twice":                    {Kind: history.Held, ID: "o", Lines: tea(1, 0)},
		"a movement nowhere":                          {Kind: history.Moved, Cause: history.Sent, ID: "n", To: 3, Lines: tea(-1, 1)},
		"units on hand out of range":                  {Kind: history.Moved, Cause: history.Sold, ID: "n", Lines: tea(-1, -1)},
		"a reroute to nowhere":                        {Kind: history.Rerouted, ID: "o", To: 3, Lines: tea(1, 0)},
		"more units than the reservation has":         {Kind: history.Canceled, ID: "o", Lines: tea(3, 0)},
		"a change of a reservation that has ended":    {Kind: history.Canceled, ID: "ended"},
		"an ID or a reference that is too long to be": {Kind: history.Held, ID: string(make([]byte, book.MaxIDBytes+1)), Lines: tea(1, 0)},
	} {
		s := empty(true)
		apply(t, s, []history.Record{
			{Kind: history.Held, ID: "o", Lines: tea(2, 0)},
			{Kind: history.Held, ID: "ended", Lines: tea(2, 0)}, {Kind: history.Canceled, ID: "ended", Lines: tea(2, 0)},
		}, new(state.Room))
		err := s.Apply(new(state.Room), 9, &r)
		var unsound *state.UnsoundError
		if !errors.As(err, &unsound) || unsound.Sequence != 9 || unsound.ID != r.ID || len(unsound.What) < len(want) || unsound.What[:len(want)] != want {
			t.Errorf("%s: got %v", want, err)
		}
	}
	s := empty(true)
	gone := history.Record{Kind: history.Canceled, ID: "gone", Lines: tea(1, 0)}
	if err := s.Apply(new(state.Room), 9, &gone); !errors.Is(err, book.ErrNotFound) {
		t.Errorf("a change of what never was: %v", err)
	}
	if err := s.Apply(&state.Room{Exact: 9}, 9, &gone); err != nil {
		t.Errorf("a change of what a snapshot may have forgotten: %v", err)
	}
}
