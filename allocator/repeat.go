package allocator

import (
	"fmt"
	"strings"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// A call with an ID that was made before is answered as the first time, field by
// field, whatever has changed since: limits, settings, what is at a location or
// whether there still is one. So whatever would refuse such a call looks in the book
// first. Only what is wrong with the call itself is refused before: it never was in
// the book.

// firstAnswer is what was answered of a part of an order, where the reservation's
// own fields do not say it, or will say something else after a reroute. It is in the
// part's note, and stays there as it is when the part is rerouted.
type firstAnswer struct {
	Plain    bool          `json:"p,omitempty"` // of the hot path: a place and a distance
	Distance float64       `json:"d,omitempty"`
	Form     sourcing.Form `json:"f,omitempty"`
	Ready    int64         `json:"r,omitempty"` // as it was told; 0: it was not
	Cost     int64         `json:"c,omitempty"`
	// By SKU that was ordered: the units of others that the part got for it.
	Instead map[string]map[string]int64 `json:"s,omitempty"`

	// Of the whole order, with its first part.
	Parts   int              `json:"n,omitempty"` // with goods; 0: one
	Whole   int64            `json:"w,omitempty"` // the cost
	Missing map[string]int64 `json:"m,omitempty"` // units by SKU
}

// first is what is answered of the i-th part of a plan.
func (p *planned) first(i int) *firstAnswer {
	sh := &p.Shares[i]
	f := &firstAnswer{Distance: float64(sh.Distance), Form: sh.Form, Ready: millis(p.Told(sh)), Cost: sh.Cost}
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

// firstOf is what was answered of a part that has not been rerouted before and
// whose note does not say it: one of the hot path, or one that was planned by a
// version that did not keep it.
func firstOf(e *reservation.Entry, t *orderTerms) *firstAnswer {
	if t.First != nil {
		return t.First
	}
	if plainNote(e.Note) {
		return &firstAnswer{Plain: true, Distance: e.Distance}
	}
	return &firstAnswer{Distance: e.Distance, Form: t.Form, Ready: e.Promise, Parts: e.Parts}
}

// withFirst is the terms with another first answer.
func (t orderTerms) withFirst(f *firstAnswer) orderTerms {
	t.First = f
	return t
}

// plainNote tells the notes of orders of the hot path.
func plainNote(note []byte) bool {
	return len(note) == 0 || note[0] == noteOfStore || note[0] == noteOfKinds
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
	if plainNote(e.Note) && !o.isGeneral() {
		return got
	}
	t := takeTerms(e.Note)
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
func (a *Allocator) recallParts(got Allocation, e *reservation.Entry, t *orderTerms) Allocation {
	whole := firstOf(e, t)
	d := &decision{}
	parts := max(whole.Parts, 1)
	for i := range parts {
		id := got.ID
		if parts > 1 {
			id = partID(got.ID, i+1)
		}
		part, terms := *e, *t
		if i > 0 {
			part = reservation.Entry{}
			if !a.ledger.Find(id, &part) || part.Ref != "" || part.Fingerprint != e.Fingerprint { // forgotten, or made by a reroute
				continue
			}
			terms = takeTerms(part.Note)
		}
		one, lines := a.recallPart(&part, &terms)
		if len(lines) == 0 { // a visit
			continue
		}
		one.ID, one.HeldUntil = id, got.HeldUntil
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
func (a *Allocator) recallPart(e *reservation.Entry, t *orderTerms) (Allocation, []Line) {
	var lines []Line
	for _, line := range e.Lines {
		if !a.ledger.Resource(line.SKU) {
			lines = addLine(lines, a.ledger.SKUName(a.ledger.Base(line.SKU)), line.Quantity)
		}
	}
	first := firstOf(e, t)
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
// What a crash may have cut off is left to who makes changes: one that is about all
// parts of an order, and a rejection, whose goods may not have found a place.
func (a *Allocator) made(c *reservation.Change, err error) (reservation.Ticket, bool) {
	t, _, _, same, _ := a.ledger.Made(c)
	if !same || err == nil && (c.Verb == history.Rejected || forAll(c)) {
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
