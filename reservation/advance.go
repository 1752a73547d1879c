package reservation

import "github.com/clickcollect/clickcollect/reservation/life"

// advance moves the given units and the state of an entry as the verb's row says,
// and appends what that means for the stock. It is the same function when a change
// happens and when its record is replayed, and it looks at nothing but its
// arguments, and at which SKUs are resources. The given units are there, and ascend
// by SKU: plan or a check of the record saw to it.
func advance(e *entry, c *Change, given []Line, effects *[]effect, k *classes) {
	rule, slot := c.rule(), e.location
	if rule.Lock == life.FloorAhead || rule.Lock == life.FloorNamed {
		slot = c.Slot
	}
	for i := 0; i < len(e.lines) && (len(given) > 0 || rule.Goods.Lost); i++ {
		line, units := &e.lines[i], int64(0)
		if len(given) > 0 && given[0].SKU == line.SKU {
			units, given = given[0].Quantity, given[1:]
		} else if !rule.Goods.Lost {
			continue
		}
		move := &rule.Goods
		if k.resource(line.SKU) {
			move = &rule.Resource
		}
		if f := move.Apply(line, units); f.Free != 0 || f.OnHand != 0 {
			*effects = append(*effects, effect{sku: line.SKU, slot: slot, free: f.Free, onHand: f.OnHand})
		}
	}
	e.keep(c)
	e.turn(c, rule, k)
}

// turn moves the state on. It comes after the lines moved.
func (e *entry) turn(c *Change, rule *life.Rule, k *classes) {
	next, over, stale := rule.State(e.state, e.lines, k.firm(e))
	e.state = next
	if over {
		e.deadline = c.Now
	}
	if stale {
		e.pickup = 0
	}
}

// keep keeps what a change says besides units and the state.
func (e *entry) keep(c *Change) {
	switch c.verb() {
	case life.Extend:
		e.deadline = max(e.deadline, c.Deadline)
	case life.Reassign:
		e.refs.owner, e.refs.channel = c.Owner, c.Channel
	case life.Dispatch:
		e.to = c.Slot
	case life.Arrive:
		e.location = c.Slot
	case life.MakeReady:
		e.pickup, e.refs.code, e.reminded = c.Deadline, c.Code, false
	case life.Remind:
		e.reminded = true
	case life.Reject:
		e.reject()
	case life.MoveAll:
		e.moveTo(c.went)
	case life.MovePart, life.ReplaceMissing:
		if c.went.parts > max(e.parts, 1) {
			e.parts = c.went.parts
		}
	}
}

// moveTo puts a reservation at another location.
func (e *entry) moveTo(w *went) {
	e.location, e.distance, e.promise = w.to, w.distance, w.promise
	if w.note != "" {
		e.note = w.note
	}
}

// sound checks the invariants of an entry, for replay and audit.
func (e *entry) sound() bool { return life.Sound(e.state, e.lines) }
