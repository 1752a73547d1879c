package state

import (
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// A Transition is one step in the life of a reservation as it was decided: the verb,
// and what the verb sets besides the units. The other fields count as the verb needs
// them.
type Transition struct {
	Verb     life.Verb
	Now      int64       // engine time
	Deadline int64       // Extend: of the hold; MakeReady: of the pickup
	Code     string      // MakeReady: the pickup code
	Owner    string      // Reassign
	Channel  string      // Reassign
	Slot     uint32      // Dispatch: to where; Arrive: where; Restock, TakeBack, SendBack, TurnBack: where the goods came back
	Went     Went        // MoveAll, MovePart, ReplaceMissing
	Parcel   book.Parcel // Ship
}

// Went says where units went that were rerouted.
type Went struct {
	To       uint32  // the location where they are
	Distance float64 // meters
	Promise  int64   // when the goods are promised to be ready
	Note     string  // MoveAll: the new one; empty: as it was
	Parts    uint8   // MovePart, ReplaceMissing: of how many parts the order is

	// MoveAll: how the goods reach the customer from there, and at which store if they
	// are brought to one; Unsaid: as before.
	Form  life.Form
	Store uint32
}

// An Effect is what a step means for the stock of one SKU at one location.
type Effect struct {
	SKU, Slot uint32
	Free      int64 // units that become available
	OnHand    int64 // change of the units on hand; available follows only by Free
}

// Advance moves the given units and the state of an entry as the verb's row says, and
// appends what that means for the stock to effects. It is the same function when a
// change happens and when its record is replayed, and it looks at nothing but its
// arguments, and at which SKUs are resources. The given units are there, and ascend
// by SKU: whoever planned the change or read its record saw to it.
func (t *Transition) Advance(e *book.Entry, given []stock.Line, k *Classes, effects []Effect) []Effect {
	rule, slot := life.Of(t.Verb), e.Location
	if rule.Lock == life.FloorAhead || rule.Lock == life.FloorNamed {
		slot = t.Slot
	}
	for i := 0; i < len(e.Lines) && (len(given) > 0 || rule.Goods.Lost); i++ {
		line, units := &e.Lines[i], int64(0)
		if len(given) > 0 && given[0].SKU == line.SKU {
			units, given = given[0].Quantity, given[1:]
		} else if !rule.Goods.Lost {
			continue
		}
		move := &rule.Goods
		if k.Resource(line.SKU) {
			move = &rule.Resource
		}
		if f := move.Apply(line, units); f.Free != 0 || f.OnHand != 0 {
			effects = append(effects, Effect{SKU: line.SKU, Slot: slot, Free: f.Free, OnHand: f.OnHand})
		}
	}
	t.set(e)
	t.turn(e, rule, k)
	return effects
}

// turn moves the state on. It comes after the lines moved.
func (t *Transition) turn(e *book.Entry, rule *life.Rule, k *Classes) {
	next, over, stale := rule.State(e.State, e.Lines, k.Firm(e))
	e.State = next
	if over {
		e.Deadline = t.Now
	}
	if stale {
		e.Pickup = 0
	}
}

// set sets what a step says besides units and the state.
func (t *Transition) set(e *book.Entry) {
	switch t.Verb {
	case life.Extend:
		e.Deadline = max(e.Deadline, t.Deadline)
	case life.Reassign:
		e.Refs.Owner, e.Refs.Channel = t.Owner, t.Channel
	case life.Dispatch:
		e.To = t.Slot
	case life.Arrive:
		e.Location = t.Slot
	case life.MakeReady:
		e.Pickup, e.Refs.Code, e.Reminded = t.Deadline, t.Code, false
	case life.Remind:
		e.Reminded = true
	case life.Reject:
		e.Reject()
	case life.Ship:
		e.Parcel = t.Parcel
	case life.MoveAll:
		t.Went.carry(e)
	case life.MovePart, life.ReplaceMissing:
		if t.Went.Parts > max(e.Parts, 1) {
			e.Parts = t.Went.Parts
		}
	}
}

// carry puts a reservation at another location.
func (w *Went) carry(e *book.Entry) {
	e.Location, e.Distance, e.Promise = w.To, w.Distance, w.Promise
	if w.Note != "" {
		e.Note = w.Note
	}
	if w.Form != life.Unsaid {
		e.Form, e.To = w.Form, w.Store
	}
}

// Deliver moves units of a transfer's entry that arrive, or are found lost. The lines
// are there, and ascend by SKU. It is the same function when it happens and when its
// record is replayed.
func Deliver(e *book.Entry, cause history.Cause, now int64, lines []stock.Line) {
	at, open := 0, false
	for _, line := range lines {
		for e.Lines[at].SKU != line.SKU {
			at++
		}
		e.Lines[at].Confirmed -= uint32(line.Quantity)
		if cause == history.Lost {
			e.Lines[at].Missing += uint32(line.Quantity)
		} else {
			e.Lines[at].Collected += uint32(line.Quantity)
		}
	}
	for i := range e.Lines {
		open = open || e.Lines[i].Confirmed > 0
	}
	if !open {
		e.State, e.Deadline = life.Canceled, now
		if life.Total(e.Lines, life.CollectedUnits) > 0 {
			e.State = life.Collected
		}
	}
}

// Show applies effects to the stock, whose cells are there: what a change's record
// allows from now on.
func (s *State) Show(effects []Effect) {
	for _, f := range effects {
		if f.OnHand != 0 {
			s.Stock.AddOnHand(f.SKU, f.Slot, f.OnHand)
		}
		if f.Free != 0 {
			s.Stock.Change(f.SKU, f.Slot, f.Free)
		}
	}
}

// Remember notes on a location's floor, which the caller has locked, what a change did
// to units of goods; a resource is not counted on a shelf.
func (s *State) Remember(floor uint32, now int64, effects []Effect) {
	f := s.Floor(floor)
	for _, e := range effects {
		if e.OnHand != 0 && !s.Classes.Resource(e.SKU) {
			f.Remember(ShelfChange{Time: now, SKU: e.SKU, Slot: e.Slot, Units: e.OnHand})
		}
	}
}
