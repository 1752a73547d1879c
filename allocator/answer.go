package allocator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// decision is what a planned order was answered, with what is needed to explain
// it.
type decision struct {
	plan   *planned
	parts  []Allocation
	lines  [][]Line // by part
	number int      // of one part's own answer, from 1; 0: of the order

	// Of a repeat, for which there is no plan.
	missing []Line
	instead map[string][]Line
}

// answer is the plan's choice for the caller.
func (p *planned) answer(deadline int64) Allocation {
	held := time.Time{}
	if p.holds {
		held = fromMillis(deadline)
	}
	d := &decision{plan: p, parts: make([]Allocation, len(p.Shares)), lines: make([][]Line, len(p.Shares))}
	for i := range p.Shares {
		sh := &p.Shares[i]
		d.parts[i] = Allocation{ID: p.order.ID, Part: i + 1, Location: p.Catalogue.Place(sh.Slot).ID, Distance: sh.Distance, HeldUntil: held,
			Form: sh.Form, Ready: p.Told(sh), Cost: sh.Cost, why: &decision{plan: p, number: i + 1}}
		for _, t := range sh.Lines {
			w := &p.Wants[t.Want]
			d.lines[i] = addLine(d.lines[i], w.Choices[t.Choice].Name, t.Units)
		}
		d.parts[i].why.lines = d.lines[i : i+1]
	}
	got := d.parts[0]
	got.Part, got.Cost, got.why = 0, p.Cost, d
	for i := range d.parts {
		if d.parts[i].Ready.After(got.Ready) {
			got.Ready = d.parts[i].Ready
		}
	}
	return got
}

// Parts is what each location does for the order, at least one, each with its number
// in Part: the order of the numbers is that of the answer. As an answer of a repeat it is what was reserved
// first, as far as it is remembered.
func (g Allocation) Parts() []Allocation {
	if g.why == nil || g.why.parts == nil {
		g.Part = max(g.Part, 1)
		return []Allocation{g}
	}
	return append([]Allocation(nil), g.why.parts...)
}

// Lines is what is held at the location of a part, substitutes and the contents
// of bundles by their own SKU. nil for an order without parts that got all its
// lines.
func (g Allocation) Lines() []Line {
	if g.why == nil {
		return nil
	}
	var lines []Line
	for _, part := range g.why.lines {
		lines = append(lines, part...)
	}
	return lines
}

// Missing is what an order that may be filled in part did not get.
func (g Allocation) Missing() []Line {
	if g.why == nil || g.why.number > 0 {
		return nil
	}
	if g.why.plan == nil {
		return g.why.missing
	}
	p := g.why.plan
	var lines []Line
	for _, w := range p.Missing {
		lines = append(lines, Line{SKU: p.Wants[w].Name, Quantity: p.Lacking(w)})
	}
	return lines
}

// refusal is the answer to an order that nobody can fill.
func (p *planned) refusal() error {
	e := &NoLocationError{ID: p.order.ID, engine: p.engine, topology: p.Catalogue, near: p.order.Near, at: p.At, plan: p}
	e.hasPoint = p.Requests[p.Forms[0]].HasPoint
	return e
}

// addLine adds units to the line of a SKU, a new one if there is none. Lines
// ascend by SKU.
func addLine(lines []Line, sku string, units int64) []Line {
	at, there := slices.BinarySearchFunc(lines, sku, func(l Line, sku string) int { return strings.Compare(l.SKU, sku) })
	if there {
		lines[at].Quantity += units
		return lines
	}
	return slices.Insert(lines, at, Line{SKU: sku, Quantity: units})
}

// Quote says what Allocate would answer now, and reserves nothing: the same
// location, or the same split, with the same promise, or the same refusal. The
// ID may be empty.
//
// Errors: as of Allocate, but for those of the journal and ErrConflict.
func (a *Allocator) Quote(o Order) (Allocation, error) {
	return a.quote(&o, &a.rules.Load().Rules)
}

func (a *Allocator) quote(o *Order, rules *sourcing.Rules) (Allocation, error) {
	c, err := a.gate.Enter()
	if err != nil {
		return Allocation{}, fmt.Errorf("allocator: quote: %w", err)
	}
	defer c.End()
	got, err := a.quoteIn(scratchOf(c.Pass), o, rules)
	if settled := c.LeaveSettled(); err == nil && settled != nil {
		return Allocation{}, fmt.Errorf("allocator: quote: %w", settled)
	}
	return got, err
}

func (a *Allocator) quoteIn(s *scratch, o *Order, rules *sourcing.Rules) (Allocation, error) {
	p, err := a.planFor(s, *o, rules)
	if err != nil {
		return Allocation{}, err
	}
	if !p.Choose() {
		return Allocation{}, p.refusal()
	}
	got := p.answer(0)
	got.ID = o.ID
	return got, nil
}

// planFor is the plan of an order that is not held; it may have no ID.
func (a *Allocator) planFor(s *scratch, o Order, rules *sourcing.Rules) (*planned, error) {
	return a.planIn(s, a.locations.Load(), o, rules, a.gate.Now())
}

// planIn is planFor at a time, by locations that the caller has.
func (a *Allocator) planIn(s *scratch, t *topology.Catalogue, o Order, rules *sourcing.Rules, now int64) (*planned, error) {
	o.ID = cmp.Or(o.ID, "quote")
	s.hold.Now = now
	if err := a.checkTerms(s, &o); err != nil {
		return nil, err
	}
	return a.newOrder(s, t, &o, rules, false)
}
