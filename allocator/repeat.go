package allocator

import (
	"fmt"
	"strings"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// A call with an ID that was made before is answered as the first time, field by
// field, whatever has changed since: limits, settings, what is at a location or
// whether there still is one. So whatever would refuse such a call looks in the book
// first. Only what is wrong with the call itself is refused before: it never was in
// the book.

// first is what is answered of the i-th part of a plan.
func (p *planned) first(i int) *notes.First {
	sh := &p.Shares[i]
	f := &notes.First{Distance: float64(sh.Distance), Form: sh.Form, Ready: millis(p.Told(sh)), Cost: sh.Cost}
	for _, t := range sh.Lines {
		w := &p.Wants[t.Want]
		sku := w.Choices[t.Choice].Name
		if sku == w.Name {
			continue
		}
		if f.Instead == nil {
			f.Instead = map[string]map[string]int64{}
		}
		if f.Instead[w.Name] == nil {
			f.Instead[w.Name] = map[string]int64{}
		}
		f.Instead[w.Name][sku] += t.Units
	}
	if i > 0 {
		return f
	}
	f.Whole = p.Cost
	if len(p.Shares) > 1 {
		f.Parts = len(p.Shares)
	}
	for _, w := range p.Missing {
		if f.Missing == nil {
			f.Missing = map[string]int64{}
		}
		f.Missing[p.Wants[w].Name] = p.Lacking(w)
	}
	return f
}

// answered is the answer to an order that has been answered before; false if it has
// not, or if another order has its ID.
func (a *Allocator) answered(s *scratch, o *Order) (Allocation, bool) {
	if !a.ledger.Find(o.ID, &s.found) || !a.isOf(s, o, &s.found) {
		return Allocation{}, false
	}
	s.ticket = reservation.Ticket{Sequence: s.found.Sequence}
	s.Count(gate.Repeated)
	return a.recall(s, o, o.isGeneral()), true
}

// repeat answers an order whose ID is in the book, from s.found: mark is its digest.
// What it answers is to last, also if it is a refusal. planned: see recall.
func (a *Allocator) repeat(s *scratch, o *Order, mark uint64, planned bool) (Allocation, error) {
	s.ticket = reservation.Ticket{Sequence: s.found.Sequence}
	if s.found.Fingerprint != mark && !a.isOf(s, o, &s.found) {
		s.Count(gate.Conflicts)
		return Allocation{}, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), ErrConflict)
	}
	s.Count(gate.Repeated)
	return a.recall(s, o, planned), nil
}

// recall is what an order was answered, from s.found. planned counts for an order of
// which a former version has not noted how it was answered.
func (a *Allocator) recall(s *scratch, o *Order, planned bool) Allocation {
	e := &s.found
	span := a.holdFor
	if o.HoldFor != 0 {
		span = o.HoldFor.Milliseconds()
	}
	got := Allocation{ID: o.ID, Location: a.ledger.SlotName(e.Origin), Distance: geo.Meters(e.Distance),
		HeldUntil: fromMillis(e.Since + span)} // however long it was extended, and whatever became of it
	if notes.Plain(e.Note) && !o.isGeneral() {
		return got
	}
	t := notes.Take(e.Note)
	switch {
	case t.First == nil && !planned:
		return got
	case t.First != nil && t.First.Plain:
		got.Distance = geo.Meters(t.First.Distance)
		return got
	}
	return a.recallParts(got, e, &t)
}

// recallParts is what a planned order was answered, as far as its parts are
// remembered; got is what all of them have in common.
func (a *Allocator) recallParts(got Allocation, e *reservation.Entry, t *notes.Terms) Allocation {
	whole := t.FirstOf(e)
	d := &decision{}
	parts := max(whole.Parts, 1)
	for i := range parts {
		part, terms := *e, *t
		if i > 0 {
			part = reservation.Entry{}
			if !a.ledger.FindPart(got.ID, i+1, &part) || part.From != 0 { // forgotten, or made by a reroute
				continue
			}
			terms = notes.Take(part.Note)
		}
		one, lines := a.recallPart(&part, &terms)
		if len(lines) == 0 { // a visit
			continue
		}
		one.ID, one.Part, one.HeldUntil = got.ID, i+1, got.HeldUntil
		one.why.number = i + 1
		d.parts, d.lines = append(d.parts, one), append(d.lines, lines)
		if one.Ready.After(got.Ready) {
			got.Ready = one.Ready
		}
		for sku, units := range one.why.instead {
			for _, line := range units {
				d.instead = addOther(d.instead, sku, line)
			}
		}
	}
	for sku, units := range whole.Missing {
		d.missing = addLine(d.missing, sku, units)
	}
	if len(d.parts) > 0 {
		got.Distance, got.Form = d.parts[0].Distance, d.parts[0].Form
	}
	got.Cost, got.why = whole.Whole, d
	return got
}

// recallPart is what was answered of one part.
func (a *Allocator) recallPart(e *reservation.Entry, t *notes.Terms) (Allocation, []Line) {
	var lines []Line
	for _, line := range e.Lines {
		if !a.ledger.Resource(line.SKU) {
			lines = addLine(lines, a.ledger.SKUName(a.ledger.Base(line.SKU)), line.Quantity)
		}
	}
	first := t.FirstOf(e)
	why := &decision{lines: [][]Line{lines}}
	for sku, others := range first.Instead {
		for other, units := range others {
			why.instead = addOther(why.instead, sku, Line{SKU: other, Quantity: units})
		}
	}
	return Allocation{Location: a.ledger.SlotName(e.Origin), Distance: geo.Meters(first.Distance), Form: first.Form, Ready: fromMillis(first.Ready),
		Cost: first.Cost, why: why}, lines
}

// addOther adds a line to the lines of a SKU.
func addOther(all map[string][]Line, sku string, line Line) map[string][]Line {
	if all == nil {
		all = map[string][]Line{}
	}
	all[sku] = addLine(all[sku], line.SKU, line.Quantity)
	return all
}

// made reports whether a change or a return was made before, by its ID and nothing
// else: which part of the order it was about was settled then. err would refuse it.
// What a crash may have cut off is left to who makes changes: a rejection, whose goods
// may not have found a place.
func (a *Allocator) made(c *reservation.Change, err error) (reservation.Ticket, bool) {
	t, _, _, same, _ := a.ledger.Made(c)
	if !same || err == nil && c.Verb == history.Rejected {
		return t, false
	}
	return t, true
}

// booked looks up a movement that is refused by now: true if it was booked before.
func (a *Allocator) booked(g *moved, cause history.Cause) (t reservation.Ticket, ok bool) {
	m := reservation.Movement{ID: g.ID, Cause: cause, AsOf: millis(g.AsOf), Ref: g.Transfer}
	if m.Lines, ok = g.content(cause); !ok || !inTime(g.AsOf) {
		return t, false
	}
	return a.ledger.Booked(&m, g.Location, g.To)
}

// content is the lines of a movement as they are booked, whatever limits are set;
// false: nothing like it was ever booked.
func (g *moved) content(cause history.Cause) ([]reservation.MovementLine, bool) {
	var lines []reservation.MovementLine
	at, lots := map[string]int{}, 0
	for _, line := range g.Lines {
		i, twice := at[line.SKU]
		if twice && cause == history.Counted || checkUnits(cause, line.Quantity) != "" {
			return nil, false
		}
		if !twice {
			i = len(lines)
			at[line.SKU] = i
			name := line.SKU
			if lot, is := g.Lots[name]; is {
				name = goods.LotName(name, goods.Lot(lot))
				lots++
			}
			lines = append(lines, reservation.MovementLine{SKU: name})
		}
		sum, fits := addUnits(lines[i].Units, line.Quantity)
		if !fits || strings.IndexByte(line.SKU, 0) >= 0 {
			return nil, false
		}
		lines[i].Units = sum
	}
	return lines, lots == len(g.Lots)
}
