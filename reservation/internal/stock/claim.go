package stock

// cell is a place in a row, followed to the next row when it has moved.
type cell struct {
	row    *row
	number uint32
	pos    int
}

// at is the SKU's cell for a location number of the table; ok is false when it
// has none.
func (t *Table) at(sku, number uint32) (c cell, ok bool) {
	r := t.row(sku)
	if r == nil || uint64(number) >= uint64(t.Space.span) {
		return cell{}, false
	}
	c = cell{row: r, number: number, pos: r.find(number)}
	return c, c.pos >= 0
}

// follow goes to the row a moved cell is in now.
func (c *cell) follow() {
	next := c.row.next.Load()
	c.number = c.row.space.numberIn(next.space, c.number)
	c.row, c.pos = next, next.find(c.number)
}

// outcome of one step on a cell.
type outcome uint8

const (
	done     outcome = iota
	short            // not enough, however the claims in flight end
	tooWide          // the row must be made wide first
	overflow         // out of the range of a wide cell
)

// take moves q units from available to pending and leaves at least keep
// available. It waits while the units are there but some of them pending, and
// refuses once they cannot suffice. escrow is what it recorded as pending: hand
// it to settle.
//
// Linearizes at: the CAS (done) or the load that saw too little (short).
func (c *cell) take(q, keep int64) (escrow int64, o outcome) {
	if c.row.quickTake(c.pos, q, keep) {
		return q, done
	}
	var p pause
	for {
		w, raw := c.row.load(c.pos)
		switch {
		case w.state == moved:
			c.follow()
		case w.available-q >= keep:
			escrow, wider := c.row.escrow(q)
			if wider {
				return 0, tooWide
			}
			n := word{available: w.available - q, pending: w.pending + escrow, state: w.state}
			if !c.row.fits(n) { // others' pending fill the field: they end soon
				p.wait()
			} else if c.row.swap(c.pos, raw, n) {
				return escrow, done
			}
		case w.reachable()-q >= keep:
			p.wait()
		default:
			return 0, short
		}
	}
}

// quickTake is take for the usual cell, a narrow and listed one with enough
// available, and one try: the word is added to as it is, without being taken
// apart and put together.
func (r *row) quickTake(pos int, q, keep int64) bool {
	if r.wide || q > narrowEscrow {
		return false
	}
	interleave()
	v := r.narrow[pos].Load()
	if uint8(v>>narrowStateShift)&3 != listed || int64(int32(v)>>narrowShift)-q < keep || int64(v&narrowPending)+q > narrowPending {
		return false
	}
	interleave()
	return r.narrow[pos].CompareAndSwap(v, v-uint32(q)<<narrowShift+uint32(q))
}

// hasAtOnce reports whether a narrow cell has so much available, without looking
// further: false says nothing.
func (r *row) hasAtOnce(pos int, q, keep int64) bool {
	if r.wide {
		return false
	}
	v := r.narrow[pos].Load()
	return int64(int32(v)>>narrowShift)-q >= keep
}

// has reports whether a claim of q that leaves keep can be hoped for.
func (c *cell) has(q, keep int64) bool {
	w := c.read()
	return w.reachable()-q >= keep
}

// quickChange is change for the usual cell, a narrow and listed one, and one
// try.
func (r *row) quickChange(pos int, available, pending int64) bool {
	if r.wide || available > narrowMax || available < 0 {
		return false
	}
	interleave()
	v := r.narrow[pos].Load()
	a, p := int64(int32(v)>>narrowShift)+available, int64(v&narrowPending)+pending
	if uint8(v>>narrowStateShift)&3 != listed || a+p > narrowMax {
		return false
	}
	interleave()
	return r.narrow[pos].CompareAndSwap(v, v+uint32(available)<<narrowShift+uint32(pending))
}

// change adds to available and pending, and lists the cell when that makes it
// positive.
//
// Linearizes at: the CAS, or the store that ends list.
func (c *cell) change(available, pending int64) outcome {
	if c.row.quickChange(c.pos, available, pending) {
		return done
	}
	var p pause
	for {
		w, raw := c.row.load(c.pos)
		if w.state == moved {
			c.follow()
			continue
		}
		if w.state == busy {
			p.wait()
			continue
		}
		n := word{available: w.available + available, pending: w.pending + pending, state: w.state}
		switch {
		case !c.row.fits(n) && !c.row.wide:
			return tooWide
		case !c.row.fits(n):
			return overflow
		case w.state == unlisted && n.reachable() > 0:
			if c.row.list(c.number, c.pos, raw, w, n) {
				return done
			}
		case c.row.swap(c.pos, raw, n):
			return done
		}
	}
}

// read is the cell's value at one instant, wherever it is by now.
func (c *cell) read() word {
	for {
		w, _ := c.row.load(c.pos)
		if w.state != moved {
			return w
		}
		c.follow()
	}
}

// addOnHand changes the units on hand and returns them. Callers hold the
// location's lock: they have checked the range.
func (c *cell) addOnHand(units int64) int64 {
	for {
		v := c.row.onHand[c.pos].Load()
		if v == movedOnHand {
			c.follow()
			continue
		}
		interleave()
		if n := v + int32(units); c.row.onHand[c.pos].CompareAndSwap(v, n) {
			return int64(n)
		}
	}
}

func (c *cell) readOnHand() int64 {
	for {
		if v := c.row.onHand[c.pos].Load(); v != movedOnHand {
			return int64(v)
		}
		c.follow()
	}
}

// Level is a cell's units at one instant.
type Level struct {
	OnHand    int64 // physically there
	Available int64 // may be taken; below zero after a count or by safety stock
}

// readTries bounds how often Level looks again while units are pending; after
// that it counts them as taken.
const readTries = 32

// Level reads a SKU's cell at a slot; ok is false when it has none. The caller
// holds the location's lock, so the units on hand stand still and the last load
// of the cell decides.
func (s *Stock) Level(sku, slot uint32) (l Level, ok bool) {
	t := s.table.Load()
	c, ok := t.at(sku, t.Space.Number(slot))
	if !ok {
		return Level{}, false
	}
	shelf := c // the two values move to a next row one after the other
	l.OnHand = shelf.readOnHand()
	var p pause
	for range readTries {
		w := c.read()
		l.Available = w.available
		if w.pending == 0 {
			break
		}
		p.wait()
	}
	return l, true
}

// Cell is a SKU's counter at a slot, found once for several changes. Used by one
// goroutine at a time. Its two halves follow a rebuilt row each on its own: while
// the row moves, one of them is there before the other.
type Cell struct {
	stock *Stock
	sku   uint32
	units cell // available and pending
	shelf cell // on hand
}

// Cell finds the SKU's cell at a slot; ok is false when it has none.
func (s *Stock) Cell(sku, slot uint32) (c Cell, ok bool) {
	t := s.table.Load()
	at, ok := t.at(sku, t.Space.Number(slot))
	return Cell{stock: s, sku: sku, units: at, shelf: at}, ok
}

// OnHand is the units on hand.
func (c *Cell) OnHand() int64 { return c.shelf.readOnHand() }

// Available is what is available, pending units left out.
func (c *Cell) Available() int64 {
	w := c.units.read()
	return w.available
}

// AddOnHand changes the units on hand and returns them. The caller serialises
// the movements of a location and has checked the range.
func (c *Cell) AddOnHand(units int64) int64 { return c.shelf.addOnHand(units) }

// Change adds units to what is available, below zero if need be. False: out of
// range, nothing changed.
func (c *Cell) Change(units int64) bool { return c.units.add(units, c.stock.widen, c.sku) }

// add changes what is available, and has the row made wide if that is needed.
func (c *cell) add(units int64, widen func(sku uint32), sku uint32) bool {
	for {
		switch c.change(units, 0) {
		case done:
			return true
		case tooWide:
			widen(sku)
		default:
			return false
		}
	}
}

// Change is Cell.Change for a SKU at a slot. The cell must exist.
func (s *Stock) Change(sku, slot uint32, units int64) bool {
	t := s.table.Load()
	c, ok := t.at(sku, t.Space.Number(slot))
	return ok && c.add(units, s.widen, sku)
}

// changeLocked is Change for holders of the structural lock.
func (s *Stock) changeLocked(sku, slot uint32, units int64) bool {
	t := s.table.Load()
	c, ok := t.at(sku, t.Space.Number(slot))
	return ok && c.add(units, s.widenLocked, sku)
}

// AddOnHand is Cell.AddOnHand for a SKU at a slot, 0 where it has no cell.
func (s *Stock) AddOnHand(sku, slot uint32, units int64) int64 {
	c, ok := s.Cell(sku, slot)
	if !ok {
		return 0
	}
	return c.AddOnHand(units)
}

// OnHand is the units on hand of a SKU at a slot.
func (s *Stock) OnHand(sku, slot uint32) int64 {
	c, ok := s.Cell(sku, slot)
	if !ok {
		return 0
	}
	return c.OnHand()
}
