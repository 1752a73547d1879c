package allocator

import (
	"fmt"
	"iter"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// maxExplained is how many locations an explanation names that were not chosen.
const maxExplained = 20

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
func (e *NoLocationError) planned() *plan {
	p := &plan{engine: e.engine, order: &Order{ID: e.ID, Near: e.near}, topology: e.topology, rules: &sourcing.Rules{},
		now: e.engine.gate.Now(), at: e.at, forms: []sourcing.Form{sourcing.Collect}, exact: true}
	for _, line := range e.lines {
		name := e.engine.ledger.SKUName(line.SKU)
		p.wants = append(p.wants, want{name: name, units: line.Quantity,
			choices: []goods.Product{{SKU: line.SKU, Name: name, From: []goods.Source{{SKU: line.SKU}}}}})
	}
	p.asks(wants{within: e.within, set: e.set})
	p.ask[sourcing.Collect].HasPoint = e.hasPoint
	return p
}

// explain says what was chosen and why nothing else was. It changes nothing of
// the plan, so it may be asked for by many.
func (p *plan) explain() sourcing.Explanation {
	e := sourcing.Explanation{Order: p.order.ID, At: fromMillis(p.now), Cost: p.cost, Bound: p.bound, Exact: p.exact,
		GivenUp: p.rules.GivenUp(p.soft)}
	named := map[uint64]bool{}
	farthest := map[sourcing.Form]geo.Meters{}
	key := func(slot uint32, f sourcing.Form) uint64 { return uint64(slot)<<8 | uint64(f) }
	for i := range p.shares {
		sh := &p.shares[i]
		named[key(sh.slot, sh.form)] = true
		farthest[sh.form] = max(farthest[sh.form], sh.distance)
		c := sourcing.Considered{Site: p.topology.Place(sh.slot).ID, Form: sh.form, Distance: sh.distance, Ready: p.told(sh), Cost: sh.cost}
		for _, t := range sh.lines {
			c.Lines = append(c.Lines, p.wants[t.want].choices[t.choice].Name)
		}
		e.Chosen = append(e.Chosen, c)
	}
	if len(p.shares) == 0 {
		e.GivenUp = nil
	}
	for _, seen := range p.trace {
		if k := key(seen.slot, seen.form); !named[k] && len(e.Rejected) < maxExplained {
			named[k] = true
			e.Rejected = append(e.Rejected, sourcing.Considered{Site: p.topology.Place(seen.slot).ID, Form: seen.form,
				Distance: seen.distance, Reason: seen.reason, Detail: seen.detail})
		}
	}
	for _, f := range p.forms {
		p.explainNearest(&e, f, farthest[f], func(slot uint32) bool {
			k := key(slot, f)
			before := named[k]
			named[k] = true
			return before
		})
	}
	e.More = max(0, p.topology.Live()-len(e.Rejected)-len(e.Chosen))
	return e
}

// explainNearest adds the nearest locations that are not named yet. What was
// nearer than the chosen ones, and is eligible, was short when it was looked at.
func (p *plan) explainNearest(e *sourcing.Explanation, f sourcing.Form, farthest geo.Meters, named func(slot uint32) bool) {
	if p.at != reservation.Everywhere && f == sourcing.Collect {
		if !named(p.at) {
			e.Rejected = append(e.Rejected, p.considered(p.topology.Number(p.at), p.distanceTo(p.at, f), f, farthest))
		}
		return
	}
	var search geo.Search
	search.Start(p.topology.Index(), p.ask[f].Near, nil, 0)
	for len(e.Rejected) < maxExplained {
		number, distance, ok := search.Next()
		if !ok {
			return
		}
		if slot := p.topology.Slot(number); !p.topology.Place(slot).Gone() && !named(slot) {
			e.Rejected = append(e.Rejected, p.considered(number, distance, f, farthest))
		}
	}
}

// considered finds the reason against a location that was not chosen.
func (p *plan) considered(number uint32, distance geo.Meters, f sourcing.Form, farthest geo.Meters) sourcing.Considered {
	c, reason, detail := p.measure(number, distance, f)
	out := sourcing.Considered{Site: c.Site.ID, Form: f, Distance: distance}
	if reason == 0 {
		_, reason, detail = p.weigh(&c, f)
	}
	switch {
	case reason != 0:
	case len(p.shares) == 0 && len(p.forms) > 1:
		reason = sourcing.Apart // nobody has what goes another way
	case len(p.shares) == 0 || distance < farthest && p.byDistance(f):
		reason, detail = sourcing.Short, "" // goods came in since
	default:
		reason = sourcing.Outranked
	}
	out.Ready, out.Reason, out.Detail = c.Ready, reason, detail
	return out
}

// byDistance tells the choices in which the nearest location was taken that could
// fill the order.
func (p *plan) byDistance(f sourcing.Form) bool {
	return p.rules.Nearest() && len(p.order.Prefer) == 0 && len(p.shares) == 1 && len(p.forms) == 1 && f != sourcing.ShipToStore
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
		p.choose()
		return p.explain(), nil
	}
	got := a.recall(s, o, true)
	p.past = true
	for _, part := range got.Parts() {
		if slot, ok := a.ledger.Slot(part.Location); ok && slot < p.topology.Slots() {
			p.shares = append(p.shares, share{slot: slot, number: p.topology.Number(slot), form: part.Form,
				distance: part.Distance, ready: part.Ready})
		}
	}
	e := p.explain()
	for i, part := range got.Parts() {
		if i < len(e.Chosen) {
			for _, line := range part.Lines() {
				e.Chosen[i].Lines = append(e.Chosen[i].Lines, line.SKU)
			}
		}
	}
	return e, nil
}

// Candidates walks the locations that could fill the whole order now, the best by
// the rules first: what a customer chooses a store from. Nothing is held. With
// soft filters only those come that meet all of them, if there are any.
//
// Errors: as of Quote, but none when nobody can fill it; *InvalidError if lines
// go different ways, which no single location can fill.
func (a *Allocator) Candidates(o Order) (iter.Seq[Candidate], error) {
	c, err := a.gate.Enter()
	if err != nil {
		return nil, fmt.Errorf("allocator: candidates: %w", err)
	}
	defer c.End()
	p, err := a.planFor(scratchOf(c.Pass), o, &a.rules.Load().Rules)
	c.Leave()
	if err != nil {
		return nil, err
	}
	if len(p.forms) > 1 {
		return nil, fmt.Errorf("allocator: candidates: %w", &InvalidError{Field: "Forms", Value: o.Forms, Why: "must be one form for all lines"})
	}
	return func(yield func(Candidate) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		p, err := a.planFor(scratchOf(c.Pass), o, &a.rules.Load().Rules)
		if err != nil {
			return
		}
		hand := func(found Candidate) bool { return c.Yield(func() bool { return yield(found) }) }
		for p.soft = len(p.rules.Soft); p.soft >= 0 && !p.walk(hand); p.soft-- {
		}
		c.Leave()
	}, nil
}

// walk yields the candidates in order; false: there were none.
func (p *plan) walk(yield func(Candidate) bool) (any bool) {
	f := p.forms[0]
	see := func(c sourcing.Candidate) bool {
		any = true
		slot := p.topology.Slot(c.Number)
		place := p.topology.Place(slot)
		out := Candidate{Location: place.ID, Kind: Kind(place.Kind), Distance: c.Distance, Ready: c.Ready, Cost: c.Cost, Available: make([]int64, len(p.order.Lines))}
		for i := range p.order.Lines {
			out.Available[i] = p.there(p.order.Lines[i].SKU, &c)
		}
		return p.engine.gate.Settled() == nil && yield(out)
	}
	if p.at != reservation.Everywhere && f == sourcing.Collect {
		if c, ok := p.eligible(p.topology.Number(p.at), p.distanceTo(p.at, f), f); ok {
			if _, reason, _ := p.weigh(&c, f); reason == 0 {
				see(c)
			}
		}
		return any
	}
	for c := range p.best(f) {
		if _, reason, _ := p.weigh(c, f); reason == 0 && !see(*c) {
			break
		}
	}
	return any
}
