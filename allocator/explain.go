package allocator

import (
	"fmt"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// Explain says why the order was answered so: for each location that was looked
// at, and besides for the nearest up to 20 in all, the one reason why it was not
// chosen. Of an answer that came from the hot path, or of a repeat, nothing is
// remembered, and it is empty; Allocator.Explain says it then.
func (g Allocation) Explain() sourcing.Explanation {
	if g.why == nil || g.why.plan == nil {
		return sourcing.Explanation{Order: g.ID}
	}
	return g.why.plan.explain()
}

// Explain is Explain of an Allocation for a refusal.
func (e *NoLocationError) Explain() sourcing.Explanation {
	if e.why != nil {
		return sourcing.Explanation{Order: e.ID}
	}
	if e.plan != nil {
		return e.plan.explain()
	}
	return e.planned().explain()
}

// planned is the refusal of the hot path as that of a plan: which it would have
// been by the default rules.
func (e *NoLocationError) planned() *planned {
	p := &planned{engine: e.engine, order: &Order{ID: e.ID, Near: e.near},
		ask: plan.Ask{Now: e.engine.gate.Now(), At: e.at, Forms: []sourcing.Form{sourcing.Collect}}}
	for _, line := range e.lines {
		name := e.engine.ledger.SKUName(line.SKU)
		p.ask.Wants = append(p.ask.Wants, plan.Want{Name: name, Units: line.Quantity,
			Choices: []goods.Product{{SKU: line.SKU, Name: name, From: []goods.Source{{SKU: line.SKU}}}}})
	}
	p.asks(e.topology, wants{within: e.within, set: e.set})
	p.ask.Requests[sourcing.Collect].HasPoint = e.hasPoint
	view := p.view(e.topology, &sourcing.Rules{})
	view.Levels = e.protection
	p.Plan = plan.New(view, &p.ask, nil)
	return p
}

// explain is the explanation of the plan.
func (p *planned) explain() sourcing.Explanation {
	e := p.Explain()
	e.Order = p.order.ID
	return e
}

// Explain says which location an order has, or would get now, and for the
// nearest others the one reason why not. Nothing is held. Of an order that was
// allocated before, the reasons are those of now.
func (a *Allocator) Explain(o Order) (sourcing.Explanation, error) {
	c, err := a.gate.Enter()
	if err != nil {
		return sourcing.Explanation{}, fmt.Errorf("allocator: explain: %w", err)
	}
	defer c.End()
	e, err := a.explainIn(scratchOf(c.Pass), &o)
	if settled := c.LeaveSettled(); err == nil && settled != nil {
		err = fmt.Errorf("allocator: explain: %w", settled)
	}
	return e, err
}

func (a *Allocator) explainIn(s *scratch, o *Order) (sourcing.Explanation, error) {
	s.hold.Now = a.gate.Now()
	if err := a.checkTerms(s, o); err != nil {
		return sourcing.Explanation{}, err
	}
	p, err := a.newOrder(s, a.locations.Load(), o, &a.rules.Load().Rules, a.ledger.Find(o.ID, &s.found))
	if err != nil {
		return sourcing.Explanation{}, err
	}
	if !a.ledger.Find(o.ID, &s.found) {
		p.Choose()
		return p.explain(), nil
	}
	got := a.recall(s, o, true)
	var shares []plan.Share
	var parts []Allocation // those whose locations are still there
	for _, part := range got.Parts() {
		if slot, ok := a.ledger.Slot(part.Location); ok && slot < p.Catalogue.Slots() {
			parts = append(parts, part)
			shares = append(shares, plan.Share{Slot: slot, Number: p.Catalogue.Number(slot), Form: part.Form,
				Distance: part.Distance, Ready: part.Ready})
		}
	}
	p.Recalled(shares)
	e := p.explain()
	for i, part := range parts {
		for _, line := range part.Lines() {
			e.Chosen[i].Lines = append(e.Chosen[i].Lines, line.SKU)
		}
	}
	return e, nil
}
