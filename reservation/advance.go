package reservation

import (
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// advance moves the given units and the state of an entry as the verb's row says,
// and appends what that means for the stock. It is the same function when a change
// happens and when its record is replayed, and it looks at nothing but its
// arguments, and at which SKUs are resources. The given units are there, and ascend
// by SKU: plan or a check of the record saw to it.
func advance(e *book.Entry, c *Change, given []Line, effects *[]effect, k *state.Classes) {
	rule, slot := c.rule(), e.Location
	if rule.Lock == life.FloorAhead || rule.Lock == life.FloorNamed {
		slot = c.Slot
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
			*effects = append(*effects, effect{sku: line.SKU, slot: slot, free: f.Free, onHand: f.OnHand})
		}
	}
	keep(e, c)
	turn(e, c, rule, k)
}

// turn moves the state on. It comes after the lines moved.
func turn(e *book.Entry, c *Change, rule *life.Rule, k *state.Classes) {
	next, over, stale := rule.State(e.State, e.Lines, k.Firm(e))
	e.State = next
	if over {
		e.Deadline = c.Now
	}
	if stale {
		e.Pickup = 0
	}
}

// keep keeps what a change says besides units and the state.
func keep(e *book.Entry, c *Change) {
	switch c.verb() {
	case life.Extend:
		e.Deadline = max(e.Deadline, c.Deadline)
	case life.Reassign:
		e.Refs.Owner, e.Refs.Channel = c.Owner, c.Channel
	case life.Dispatch:
		e.To = c.Slot
	case life.Arrive:
		e.Location = c.Slot
	case life.MakeReady:
		e.Pickup, e.Refs.Code, e.Reminded = c.Deadline, c.Code, false
	case life.Remind:
		e.Reminded = true
	case life.Reject:
		e.Reject()
	case life.MoveAll:
		carry(e, c.went)
	case life.MovePart, life.ReplaceMissing:
		if c.went.parts > max(e.Parts, 1) {
			e.Parts = c.went.parts
		}
	}
}

// carry puts a reservation at another location.
func carry(e *book.Entry, w *went) {
	e.Location, e.Distance, e.Promise = w.to, w.distance, w.promise
	if w.note != "" {
		e.Note = w.note
	}
}

// noteEffects remembers on a floor what a change did to units of goods; a resource is
// not counted on a shelf.
func noteEffects(f *state.Floor, now int64, effects []effect, k *state.Classes) {
	for _, e := range effects {
		if e.onHand != 0 && !k.Resource(e.sku) {
			f.Remember(state.ShelfChange{Time: now, SKU: e.sku, Slot: e.slot, Units: e.onHand})
		}
	}
}
