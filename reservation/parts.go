package reservation

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
)

// Part is what one location does for an order that is served from several.
type Part struct {
	Hold
	Lines []Line // ascending by SKU, each once
}

// Parts is the claim of an order over several locations: all parts are made at once or
// none, are numbered in the order, and are changed one by one or all together (see
// Ledger.Do). It also takes parts, or some of their units, elsewhere. The zero
// value is ready; it is reused, and used by one goroutine at a time.
type Parts struct {
	picks   stock.Picks
	list    []stock.Pick
	lines   []int // by pick: the number of its line over all parts
	order   []int
	adds    []*book.Entry
	entries []book.Entry
	records [][]byte
	bytes   []byte
	ends    []int // of the records in bytes
	record  history.Record
	found   book.Entry
	moving  rerouting
	ticket  Ticket
	err     error
}

// Reserve takes all lines of all parts, which have the order's ID and numbers of their
// own, and records each part; Parts of each is at least the highest of the numbers. It
// returns Done, and
// Ticket is the place of the last one in the journal; or Known, and fills *found,
// when the first of these parts was there before; or Failed, and Err
// says why: ErrConflict when only another part was there, ErrInvalid,
// ErrJournal; or the index of a line that is short, counted over the lines of all
// parts in their order. But for Done nothing was changed, and after a crash all
// parts are there or none.
//
// Linearizes at: the claim of the last line, in the order of SKUs and then slots;
// no one sees a part without the others, in the book or in the journal.
func (p *Parts) Reserve(l *Ledger, parts []Part, found *Entry) int {
	p.ticket, p.err = Ticket{}, nil
	if err := checkParts(parts, l.Slots()); err != nil {
		p.err = fmt.Errorf("reservation: parts: %w", err)
		return Failed
	}
	p.pick(parts)
	if short := p.picks.Take(l.state.Stock, p.list); short >= 0 {
		return p.lines[short]
	}
	p.enter(l, parts)
	t, there, err := l.state.Book.AddAll(parts[0].ID, p.adds, p.records, &p.found)
	p.ticket = t
	switch {
	case err != nil:
		p.picks.Undo()
		p.err = fmt.Errorf("reservation: parts of %s: %w", shown(parts[0].ID), invalid(err))
		return Failed
	case there > 0:
		p.picks.Undo()
		p.err = fmt.Errorf("reservation: part %d of %s: %w", parts[there].Part, shown(parts[0].ID), ErrConflict)
		return Failed
	case there == 0:
		p.picks.Undo()
		export(&p.found, found)
		p.ticket = Ticket{Sequence: p.found.Sequence}
		return Known
	}
	p.picks.Settle()
	return Done
}

// Ticket is the place in the journal of what was recorded last, or of what was
// there under the ID.
func (p *Parts) Ticket() Ticket { return p.ticket }

// Err says why a call returned Failed.
func (p *Parts) Err() error { return p.err }

// Reset drops what the claim refers to.
func (p *Parts) Reset() {
	p.picks.Reset()
	clear(p.adds)
	clear(p.entries)
	p.adds, p.entries = p.adds[:0], p.entries[:0]
}

// checkParts refuses what the book or the journal could not take.
func checkParts(parts []Part, slots int) error {
	if len(parts) == 0 || len(parts) > math.MaxUint8 {
		return &InvalidError{Field: "Parts", Value: len(parts), Why: "must be 1 to 255"}
	}
	for i := range parts {
		field := fmt.Sprintf("Parts[%d]", i)
		if err := parts[i].check(field, slots); err != nil {
			return err
		}
		if parts[i].ID != parts[0].ID {
			return &InvalidError{Field: field + ".ID", Value: parts[i].ID, Why: "must be the order's, which all parts have"}
		}
		for j := range i {
			if parts[j].name().Part == parts[i].name().Part {
				return &InvalidError{Field: field + ".Part", Value: parts[i].Part, Why: "must be another one for each part"}
			}
		}
	}
	return nil
}

func (p *Part) check(field string, slots int) error {
	if err := p.Hold.check(field, slots); err != nil {
		return err
	}
	if len(p.Lines) == 0 {
		return &InvalidError{Field: field + ".Lines", Value: 0, Why: "must not be empty"}
	}
	for i, line := range p.Lines {
		if line.Quantity < 1 || line.Quantity > MaxQuantity || line.Keep < 0 || i > 0 && p.Lines[i-1].SKU >= line.SKU {
			return &InvalidError{Field: fmt.Sprintf("%s.Lines[%d]", field, i), Value: line, Why: "must ascend by SKU and have a quantity of 1 to 2^31 − 1"}
		}
	}
	return nil
}

// check refuses what an entry's tail could not take, and a form or a store that there
// is not.
func (h *Hold) check(field string, slots int) error {
	if len(h.Note) > MaxNoteBytes {
		return &InvalidError{Field: field + ".Note", Value: len(h.Note), Why: fmt.Sprintf("must be at most %d bytes", MaxNoteBytes)}
	}
	switch {
	case !h.Form.Valid():
		return &InvalidError{Field: field + ".Form", Value: uint8(h.Form), Why: "is no form"}
	case h.Form == Brought && uint64(h.Store) >= uint64(slots):
		return &InvalidError{Field: field + ".Store", Value: h.Store, Why: "must be the slot of a location"}
	case h.Form != Brought && h.Store != 0:
		return &InvalidError{Field: field + ".Store", Value: h.Store, Why: "is for goods that are brought to a store"}
	}
	return nil
}

// pick lists the cells of all lines, each once, in the order of a claim.
func (p *Parts) pick(parts []Part) {
	p.list, p.lines = p.list[:0], p.lines[:0]
	all := p.order[:0]
	for i := range parts {
		for _, line := range parts[i].Lines {
			all = append(all, len(all))
			p.list = append(p.list, stock.Pick{SKU: line.SKU, Slot: parts[i].Slot, Quantity: line.Quantity, Keep: line.Keep})
		}
	}
	p.order = all
	list := p.list
	slices.SortFunc(all, func(a, b int) int {
		return cmp.Or(cmp.Compare(list[a].SKU, list[b].SKU), cmp.Compare(list[a].Slot, list[b].Slot), cmp.Compare(a, b))
	})
	first := len(list)
	for _, at := range all {
		next := list[at]
		if n := len(p.list); n > first && p.list[n-1].SKU == next.SKU && p.list[n-1].Slot == next.Slot {
			p.list[n-1].Quantity += next.Quantity
			p.list[n-1].Keep = max(p.list[n-1].Keep, next.Keep)
			continue
		}
		p.list, p.lines = append(p.list, next), append(p.lines, at)
	}
	p.list = slices.Delete(p.list, 0, first)
}

// enter makes the entries and the records of all parts.
func (p *Parts) enter(l *Ledger, parts []Part) {
	p.adds = p.adds[:0]
	for len(p.entries) < len(parts) {
		p.entries = append(p.entries, book.Entry{})
	}
	p.start()
	of := uint8(1)
	for i := range parts {
		of = max(of, parts[i].Part)
	}
	for i := range parts {
		part, e := parts[i], &p.entries[i]
		part.Parts = max(part.Parts, of)
		holdLines(e, part.Lines)
		fill(e, &part.Hold)
		e.Sequence = 0
		p.adds = append(p.adds, e)
		if l.queue != nil {
			p.logHold(&part)
		}
	}
	p.finish()
}

// holdLines gives an entry its lines, all of them held.
func holdLines(e *book.Entry, lines []Line) {
	e.Lines = e.Lines[:0]
	for _, line := range lines {
		e.Lines = append(e.Lines, entryLine{SKU: line.SKU, Quantity: uint32(line.Quantity), Held: uint32(line.Quantity)})
	}
}

// start, log and finish write records one behind the other; finish tells them
// apart. Without any, records is nil.
func (p *Parts) start() { p.bytes, p.ends = p.bytes[:0], p.ends[:0] }

func (p *Parts) log(r *history.Record) {
	p.bytes = r.Append(p.bytes)
	p.ends = append(p.ends, len(p.bytes))
}

func (p *Parts) finish() {
	p.records = p.records[:0]
	if len(p.ends) == 0 {
		p.records = nil
	}
	from := 0
	for _, end := range p.ends {
		p.records = append(p.records, p.bytes[from:end:end])
		from = end
	}
}

func (p *Parts) logHold(part *Part) {
	r := &p.record
	r.Reset()
	part.describe(r)
	for _, line := range part.Lines {
		r.Lines = append(r.Lines, history.Line{SKU: line.SKU, Units: line.Quantity})
	}
	p.log(r)
}
