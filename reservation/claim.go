package reservation

import (
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
)

// Claim is one order's way through the stock: Start names its lines, the search
// reads it as a mask (Word) or asks for the few candidates (Plan, Numbers),
// and Reserve takes all lines at one of them and writes the record. The zero
// value is ready; it is reused, and used by one goroutine at a time.
type Claim struct {
	stock.Query
	ledger *Ledger
	entry  book.Entry
	found  book.Entry
	record history.Record
	bytes  []byte
	ticket Ticket
	err    error
	hash   uint64 // of the ID, if expected
	// expected tells that Expect has seen the ID.
	expected bool
}

// Expect tells, before Start, which ID Reserve will be called with, so that its
// place in the book comes into the cache while the search goes on. It may be
// left out by callers who never call it.
func (c *Claim) Expect(l *Ledger, id string) {
	c.hash, c.expected = l.state.Book.Prefetch(book.KindOrder, id), true
}

// Start begins a claim over a table. Lines ascend by SKU and name each once;
// filter nil lets every location pass. It returns the index of a line that is
// available nowhere, or -1.
func (c *Claim) Start(l *Ledger, t *Table, lines []Line, filter *Filter) int {
	c.ledger = l
	c.entry.Lines = c.entry.Lines[:0]
	return c.Query.Start(l.state.Stock, t, lines, filter)
}

// Bind begins a claim at a location known beforehand. False: a SKU is nowhere.
func (c *Claim) Bind(l *Ledger, t *Table, lines []Line) bool {
	c.ledger = l
	c.entry.Lines = c.entry.Lines[:0]
	return c.Query.Bind(l.state.Stock, t, lines)
}

// Hold is what a claim records when it has taken its units.
type Hold struct {
	ID          string
	Fingerprint uint64 // of the content, to tell a repeat from a conflict
	Slot        uint32
	Distance    float64 // meters
	Now         int64   // engine time
	Deadline    int64   // until when the units are held
	Promise     int64   // when the goods are promised to be ready; 0: nobody said

	Order, Customer, Owner, Channel string // references, may be empty

	Note  []byte // the caller's, kept with the reservation; at most MaxNoteBytes
	Parts uint8  // of how many parts the order is; 0 and 1: one
	Part  uint8  // the number of the part that this is; 0 and 1: the first
	From  uint8  // the number of the part that the units come from; Parts.Reroute sets it

	Form  Form   // how the goods reach the customer; 0: nobody said
	Store uint32 // the slot to which they are brought, if that is their form; else 0
}

// name is what the hold is of.
func (h *Hold) name() Name { return nameOf(h.ID, h.Part) }

// parts is how Parts is written down.
func (h *Hold) parts() uint8 {
	if h.Parts == 1 {
		return 0
	}
	return h.Parts
}

// plain reports whether the hold has nothing that goes into an entry's tail.
func (h *Hold) plain() bool {
	return len(h.Note) == 0 && h.Parts <= 1 && h.Part <= 1 && h.From == 0 && h.Form == Unsaid && h.Store == 0
}

// fill makes an entry that has its lines what a hold says.
func fill(e *book.Entry, h *Hold) {
	e.Fingerprint, e.Location, e.State, e.Distance = h.Fingerprint, h.Slot, Held, h.Distance
	e.Deadline, e.Pickup, e.Since, e.Promise = h.Deadline, 0, h.Now, h.Promise
	e.To, e.Form, e.Origin, e.Reminded, e.Rejects = h.Store, h.Form, h.Slot, false, 0
	e.Refs = book.Refs{Order: h.Order, Customer: h.Customer, Owner: h.Owner, Channel: h.Channel}
	e.Parts, e.Part, e.From, e.Note, e.Parcel = h.parts(), h.name().Part, h.From, string(h.Note), book.Parcel{}
}

// Reserve takes every line at the location with that number of the table and
// records the reservation. It returns Done, and Ticket is its place in the
// journal; or Known, and fills *found with the record of an ID that was there
// before; or Failed; or the index of a line that is short there. But for Done
// nothing was changed.
//
// Linearizes at: the claim of the last line; the units count as pending, not as
// sold, until the record is written, so a repeat of an ID refuses nobody. The
// record gets its sequence number after the last line is taken and before the
// units are settled, so no prefix of the journal reserves more than there was.
func (c *Claim) Reserve(number uint32, h *Hold, found *Entry) int {
	l, e := c.ledger, &c.entry
	if !h.plain() {
		if c.err = h.check("Hold", l.Slots()); c.err != nil {
			return Failed
		}
	}
	l.state.Book.Expect(h.Slot) // comes while the lines are taken
	if short := c.Take(number); short >= 0 {
		return short
	}
	if len(e.Lines) == 0 {
		for i := range c.Len() {
			line := c.Line(i)
			e.Lines = append(e.Lines, entryLine{SKU: line.SKU, Quantity: uint32(line.Quantity), Held: uint32(line.Quantity)})
		}
	}
	fill(e, h)
	if !c.expected {
		c.hash = l.state.Book.Hash(book.KindOrder, h.ID)
	}
	var record []byte
	if l.queue != nil {
		record = c.log(h)
	}
	t, added, err := l.state.Book.AddHashed(c.hash, book.KindOrder, h.ID, e, record, &c.found)
	c.ticket, c.err = t, invalid(err)
	switch {
	case err != nil:
		c.Undo()
		return Failed
	case !added:
		c.Undo()
		export(&c.found, found)
		c.ticket = Ticket{Sequence: c.found.Sequence}
		return Known
	}
	c.Settle()
	return Done
}

// describe sets every field of a record that only holds are written into, but for
// its lines.
func (h *Hold) describe(r *history.Record) {
	r.Kind, r.Time, r.ID, r.Fingerprint, r.Slot, r.Distance = history.Held, h.Now, h.ID, h.Fingerprint, h.Slot, h.Distance
	r.Deadline, r.Promise = h.Deadline, h.Promise
	r.Order, r.Customer, r.Owner, r.Channel = h.Order, h.Customer, h.Owner, h.Channel
	r.Place, r.Parts, r.Part, r.Other, r.Form, r.Store = h.Note, h.parts(), 0, h.From, h.Form, h.Store
	if h.Parts > 1 || h.Part > 1 {
		r.Part = max(h.Part, 1)
	}
}

// log writes the hold's record into the claim's own memory.
func (c *Claim) log(h *Hold) []byte {
	r := &c.record
	h.describe(r)
	r.Lines = r.Lines[:0]
	for i := range c.Len() {
		line := c.Line(i)
		r.Lines = append(r.Lines, history.Line{SKU: line.SKU, Units: line.Quantity})
	}
	c.bytes = r.Append(c.bytes[:0])
	return c.bytes
}

// Ticket is the place in the journal of what Reserve recorded, or of what was
// there under its ID.
func (c *Claim) Ticket() Ticket { return c.ticket }

// Err says why Reserve returned Failed.
func (c *Claim) Err() error { return c.err }
