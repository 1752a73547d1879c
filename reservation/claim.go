package reservation

import "github.com/clickcollect/clickcollect/reservation/internal/stock"

// Claim is one order's way through the stock: Start names its lines, the search
// reads it as a mask (Word) or asks for the few candidates (Plan, Numbers),
// and Reserve takes all lines at one of them and writes the record. The zero
// value is ready; it is reused, and used by one goroutine at a time.
type Claim struct {
	stock.Query
	ledger *Ledger
	entry  entry
	found  entry
	hash   uint64 // of the ID, if expected
	// expected tells that Expect has seen the ID.
	expected bool
}

// Expect tells, before Start, which ID Reserve will be called with, so that its
// place in the book comes into the cache while the search goes on. It may be
// left out by callers who never call it.
func (c *Claim) Expect(l *Ledger, id string) {
	c.hash, c.expected = l.book.prefetch(kindOrder, id), true
}

// Start begins a claim over a table. Lines ascend by SKU and name each once;
// filter nil lets every location pass. It returns the index of a line that is
// available nowhere, or -1.
func (c *Claim) Start(l *Ledger, t *Table, lines []Line, filter *Filter) int {
	c.ledger = l
	c.entry.lines = c.entry.lines[:0]
	return c.Query.Start(l.stock, t, lines, filter)
}

// Bind begins a claim at a location known beforehand. False: a SKU is nowhere.
func (c *Claim) Bind(l *Ledger, t *Table, lines []Line) bool {
	c.ledger = l
	c.entry.lines = c.entry.lines[:0]
	return c.Query.Bind(l.stock, t, lines)
}

// Reserve takes every line at the location with that number of the table and
// records the reservation. It returns Done; or Known, and fills *found with the
// record of an ID that was there before; or the index of a line that is short
// there. But for Done nothing was changed.
//
// Linearizes at: the claim of the last line; the units count as pending, not as
// sold, until the record is written, so a repeat of an ID refuses nobody.
func (c *Claim) Reserve(number uint32, id string, fingerprint uint64, slot uint32, distance float64, found *Entry) int {
	if short := c.Take(number); short >= 0 {
		return short
	}
	e := &c.entry
	e.fingerprint, e.location, e.state, e.distance = fingerprint, slot, Held, distance
	if len(e.lines) == 0 {
		for i := range c.Len() {
			line := c.Line(i)
			e.lines = append(e.lines, entryLine{sku: line.SKU, quantity: uint32(line.Quantity), held: uint32(line.Quantity)})
		}
	}
	if !c.expected {
		c.hash = c.ledger.book.hash(kindOrder, id)
	}
	if !c.ledger.book.addHashed(c.hash, kindOrder, id, e, &c.found) {
		c.Undo()
		c.found.export(found)
		return Known
	}
	c.Settle()
	return Done
}
