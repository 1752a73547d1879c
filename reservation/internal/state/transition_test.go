package state_test

import (
	"reflect"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// world is a state of tea, cups and a window, at three locations.
func world() *state.State {
	s := new(state.State)
	s.Fill(book.Fixed(100, 4), 10, 10)
	for _, name := range []string{"tea", "cup", state.ClassMark + "window"} {
		s.SKUs.Put(name)
	}
	for _, name := range []string{"a", "b", "c"} {
		s.Slots.Put(name)
	}
	s.Stock.Renumber([]uint32{0, 1, 2}, 3, 0, func(*stock.Table) {})
	return s
}

// with are lines of tea and of the window.
func with(tea, window life.Line) []life.Line {
	window.SKU = 2
	return []life.Line{tea, window}
}

// TestAdvance makes steps that set more than units, and checks the entry and what the
// stock is told. What a row does to lines and states package life tests.
func TestAdvance(t *testing.T) {
	all := []stock.Line{{SKU: 0, Quantity: 2}, {SKU: 2, Quantity: 1}}
	held := with(life.Line{Quantity: 2, Held: 2}, life.Line{Quantity: 1, Held: 1})
	firm := with(life.Line{Quantity: 2, Confirmed: 2}, life.Line{Quantity: 1, Confirmed: 1})
	for _, c := range []struct {
		name    string
		step    state.Transition
		before  book.Entry
		given   []stock.Line
		after   book.Entry
		effects []state.Effect
	}{
		{"what is canceled is free where it was", state.Transition{Verb: life.Cancel, Now: 7, Slot: 2}, book.Entry{State: life.Held, Location: 1, Deadline: 9, Lines: held}, all,
			book.Entry{State: life.Canceled, Location: 1, Deadline: 7, Lines: with(life.Line{Quantity: 2}, life.Line{Quantity: 1})},
			[]state.Effect{{SKU: 0, Slot: 1, Free: 2}, {SKU: 2, Slot: 1, Free: 1}}},
		{"an extension never takes time away", state.Transition{Verb: life.Extend, Deadline: 5}, book.Entry{State: life.Held, Deadline: 9, Lines: held}, nil,
			book.Entry{State: life.Held, Deadline: 9, Lines: held}, nil},
		{"another owner", state.Transition{Verb: life.Reassign, Owner: "o", Channel: "c"}, book.Entry{State: life.Held, Lines: held}, nil,
			book.Entry{State: life.Held, Refs: book.Refs{Owner: "o", Channel: "c"}, Lines: held}, nil},
		{"sent off, it is where it was, and the place is used up", state.Transition{Verb: life.Dispatch, Slot: 2}, book.Entry{State: life.Confirmed, Lines: firm}, all,
			book.Entry{State: life.InTransit, To: 2, Lines: with(firm[0], life.Line{Quantity: 1, Lapsed: 1})},
			[]state.Effect{{SKU: 0, OnHand: -2}, {SKU: 2, OnHand: -1}}},
		{"what does not arrive is missing", state.Transition{Verb: life.Arrive, Slot: 2}, book.Entry{State: life.InTransit, To: 2, Lines: firm[:1]}, []stock.Line{{Quantity: 1}},
			book.Entry{State: life.Accepted, Location: 2, To: 2, Lines: []life.Line{{Quantity: 2, Confirmed: 1, Missing: 1}}},
			[]state.Effect{{SKU: 0, Slot: 2, OnHand: 1}}},
		{"ready anew, nobody was reminded", state.Transition{Verb: life.MakeReady, Deadline: 8, Code: "x"}, book.Entry{State: life.Confirmed, Reminded: true, Lines: firm}, nil,
			book.Entry{State: life.Ready, Pickup: 8, Refs: book.Refs{Code: "x"}, Lines: firm}, nil},
		{"reminded", state.Transition{Verb: life.Remind}, book.Entry{State: life.Ready, Lines: firm}, nil,
			book.Entry{State: life.Ready, Reminded: true, Lines: firm}, nil},
		{"a rejection is counted", state.Transition{Verb: life.Reject}, book.Entry{State: life.Accepted, Rejects: 1, Lines: firm}, nil,
			book.Entry{State: life.Confirmed, Rejects: 2, Lines: firm}, nil},
		{"rerouted in place, it keeps its note, and the old place is free", state.Transition{Verb: life.MoveAll, Went: state.Went{To: 2, Distance: 3, Promise: 4}},
			book.Entry{State: life.Confirmed, Location: 1, Note: "n", Lines: firm}, all,
			book.Entry{State: life.Confirmed, Location: 2, Distance: 3, Promise: 4, Note: "n", Lines: firm},
			[]state.Effect{{SKU: 0, Slot: 1, Free: 2}, {SKU: 2, Slot: 1, Free: 1}}},
		{"of more parts now", state.Transition{Verb: life.MovePart, Now: 7, Went: state.Went{To: 2, Note: "n", Parts: 3}}, book.Entry{State: life.Held, Lines: held[:1]}, all[:1],
			book.Entry{State: life.Rerouted, Deadline: 7, Parts: 3, Lines: []life.Line{{Quantity: 2, Rerouted: 2}}},
			[]state.Effect{{SKU: 0, Free: 2}}},
		{"a return is where it came back", state.Transition{Verb: life.Restock, Slot: 2}, book.Entry{State: life.Collected, Lines: []life.Line{{Quantity: 2, Collected: 2}}}, all[:1],
			book.Entry{State: life.Returned, Lines: []life.Line{{Quantity: 2, Collected: 2, Returned: 2}}},
			[]state.Effect{{SKU: 0, Slot: 2, Free: 2, OnHand: 2}}},
	} {
		e := c.before
		e.Lines = append([]life.Line(nil), c.before.Lines...)
		effects := c.step.Advance(&e, c.given, world().Classes, nil)
		if !reflect.DeepEqual(e, c.after) || !reflect.DeepEqual(effects, c.effects) {
			t.Errorf("%s: %+v and %+v, want %+v and %+v", c.name, e, effects, c.after, c.effects)
		}
	}
}

// TestDeliver ends a transfer when none of it is on its way, as collected if any came.
func TestDeliver(t *testing.T) {
	e := book.Entry{State: life.InTransit, Lines: []life.Line{{Quantity: 2, Confirmed: 2}, {SKU: 1, Quantity: 1, Confirmed: 1}}}
	state.Deliver(&e, history.Delivered, 5, []stock.Line{{SKU: 1, Quantity: 1}})
	if e.State != life.InTransit || e.Deadline != 0 {
		t.Errorf("some of it is on its way: %+v", e)
	}
	state.Deliver(&e, history.Lost, 6, []stock.Line{{SKU: 0, Quantity: 2}})
	if e.State != life.Collected || e.Deadline != 6 || e.Lines[0].Missing != 2 || e.Lines[1].Collected != 1 {
		t.Errorf("all of it came or is lost: %+v", e)
	}
	e = book.Entry{State: life.InTransit, Lines: []life.Line{{Quantity: 1, Confirmed: 1}}}
	state.Deliver(&e, history.Lost, 6, []stock.Line{{Quantity: 1}})
	if e.State != life.Canceled {
		t.Errorf("all of it is lost: %+v", e)
	}
}

// TestEffects shows what a step means for the stock, and remembers on the floor what
// it did to goods.
func TestEffects(t *testing.T) {
	s := world()
	s.Stock.Ensure(0, 1)
	s.Stock.Ensure(2, 1)
	effects := []state.Effect{{SKU: 0, Slot: 1, Free: 2, OnHand: 3}, {SKU: 2, Slot: 1, OnHand: 1}}
	s.Show(effects)
	s.Remember(1, 5, effects)
	if cell, _ := s.Stock.Cell(0, 1); cell.OnHand() != 3 || cell.Available() != 2 {
		t.Errorf("%d on hand and %d available, want 3 and 2", cell.OnHand(), cell.Available())
	}
	for sku, want := range []int64{3, 0, 0} {
		if units, ok := s.Floor(1).After(4, 1); units[uint32(sku)] != want || !ok {
			t.Errorf("%d units of SKU %d came since, %v, want %d", units[uint32(sku)], sku, ok, want)
		}
	}
}

// TestUnits: what is held is what is on hand and neither available nor kept back; where
// there is no cell, only what is kept back counts.
func TestUnits(t *testing.T) {
	s := world()
	s.Safety.Put(state.SafetyLevel{SKU: 0, Slot: state.Everywhere, Units: 2})
	s.SetOnHand(0, 1, 9)
	s.Stock.Change(0, 1, -3)
	for slot, want := range []state.Units{{Safety: 2, Available: -2}, {OnHand: 9, Held: 3, Safety: 2, Available: 4}} {
		if got := s.Units(0, uint32(slot)); got != want {
			t.Errorf("at %d: %+v, want %+v", slot, got, want)
		}
	}
}
