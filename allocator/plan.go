package allocator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// planned is an order on its way through the planned path: an order that asks for more
// than the nearest location that can fill it, or any order while rules, channels, lots
// or bundles are set. It is made anew for each call that needs one, and what a decision
// refers to of it is not changed afterwards. Where it goes is found by the plan; what it
// wants is worked out, and what is chosen is reserved, here.
type planned struct {
	plan.Plan
	ask      plan.Ask
	engine   *Allocator
	order    *Order
	work     *planWork
	mark     uint64
	epoch    uint64 // the pauses there had been when it was made
	again    int    // how often it was made before
	holds    bool   // what is chosen is reserved
	inBook   bool   // the order is in the book
	reserved bool   // it is what a reservation has, on its way to another place

	broken error // what kept it from being reserved, other than that it is taken
}

// planWork is the memory of planned orders, one after the other.
type planWork struct {
	choosing plan.Work
	parts    reservation.Parts
	held     []reservation.Part
}

// isGeneral tells the orders that ask for more than the nearest location that can
// fill everything.
func (o *Order) isGeneral() bool {
	return o.Form != sourcing.Collect || o.MaxLocations > 1 || o.Partial || o.Payment != "" ||
		len(o.Forms) > 0 || len(o.Groups) > 0 || len(o.Prefer) > 0 || len(o.Exclude) > 0 || len(o.Together) > 0 ||
		len(o.Substitutes) > 0 || !o.NeededBy.IsZero() || !o.Window.IsZero()
}

// ruleset is the rules in force, and whether any order has to be looked at by them.
type ruleset struct {
	sourcing.Rules
	general bool
}

func newRuleset(r sourcing.Rules) *ruleset {
	return &ruleset{Rules: r, general: len(r.Hard) > 0 || len(r.Soft) > 0 || len(r.Keys) > 0 || r.MaxLocations > 1}
}

// SetRules changes how orders are sourced from now on. An order sees the old
// rules or the new ones. Rules are functions of the host, so the journal does not
// keep them: Options.Rules is what an engine begins with. *InvalidError: the old
// ones stay in force.
func (a *Allocator) SetRules(r sourcing.Rules) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("allocator: set rules: %w", &InvalidError{Field: "Rules", Value: "", Why: err.Error()})
	}
	now := a.gate.Now()
	a.ruling.Lock(lock.Rules)
	defer a.ruling.Unlock()
	a.rules.Store(newRuleset(r))
	a.watchAcceptance(now)
	return nil
}

// needsPlan tells the orders that the hot path does not serve.
func (a *Allocator) needsPlan(t *topology.Catalogue, o *Order, now int64) bool {
	return a.rules.Load().general || t.Terms() || a.calendar.Limited() || a.moves.cool.Any(now) || o.isGeneral() || a.channels.HasQuotas(o.Channel) || a.wantsGoods(o.Lines)
}

// newPlan checks an order and works out what it wants of whom. inBook tells an order
// that is in the book: it was accepted, perhaps by an earlier version, so its place,
// its texts and the store that its customer goes to are not questioned. reserved tells
// what a reservation has, which is not judged by what is set now: it has as many
// lines as it has, none of them is a bundle, and of its substitutes those count that
// still can be taken.
func (a *Allocator) newPlan(s *scratch, t *topology.Catalogue, o *Order, rules *sourcing.Rules, inBook, reserved bool) (*planned, error) {
	if s.plan == nil {
		s.plan = new(planWork)
	}
	p := &planned{inBook: inBook, reserved: reserved, engine: a, order: o, work: s.plan, epoch: a.gate.Epoch(),
		ask: plan.Ask{Now: s.hold.Now, At: reservation.Everywhere, Groups: len(o.Together), Partial: o.Partial, Untraced: a.untraced, Greedy: a.greedy}}
	view := p.view(t, rules)
	view.Levels = a.channels.LevelsOf(o.Channel)
	var err error
	if !reserved {
		err = a.checkLineCount(len(o.Lines))
	}
	var w wants
	if err == nil {
		w, err = a.checkReach(o.Near, !inBook && o.At == "", o.MaxDistance, o.Kinds)
	}
	if err == nil {
		err = p.checkTerms(rules)
	}
	if err == nil {
		err = p.wanted(s)
	}
	if err == nil || errors.Is(err, ErrUnknownSKU) { // which comes last of these
		err = cmp.Or(p.checkEnds(t), err)
	}
	if err != nil {
		return nil, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), err)
	}
	p.mark = a.markOf(s, o, w.set)
	p.asks(t, w)
	p.Plan = plan.New(view, &p.ask, &p.work.choosing)
	return p, nil
}

// view is what the order sees of the engine, but for protection levels.
func (p *planned) view(t *topology.Catalogue, rules *sourcing.Rules) plan.View {
	return plan.View{Catalogue: t, Rules: rules, Calendar: p.engine.calendar, Cooling: p.engine.moves.cool}
}

// checkTerms validates what only planned orders have.
func (p *planned) checkTerms(rules *sourcing.Rules) error {
	o, a := p.order, p.engine
	invalid := func(field string, value any, why string) error {
		return &InvalidError{Field: field, Value: value, Why: why}
	}
	if !o.Form.Valid() {
		return invalid("Form", uint8(o.Form), "is not a form of fulfilment")
	}
	for _, sku := range sorted(o.Forms) {
		if !o.Forms[sku].Valid() {
			return invalid(fmt.Sprintf("Forms[%s]", quoted(sku)), uint8(o.Forms[sku]), "is not a form of fulfilment")
		}
	}
	if o.MaxLocations < 0 || o.MaxLocations > maxParts {
		return invalid("MaxLocations", o.MaxLocations, fmt.Sprintf("must be 0 to %d", maxParts))
	}
	if !p.inBook {
		if err := a.checkWishes(o); err != nil {
			return err
		}
	}
	if err := cmp.Or(checkTime("NeededBy", o.NeededBy), checkTime("Window", o.Window)); err != nil {
		return err
	}
	p.ask.Most = cmp.Or(o.MaxLocations, rules.MaxLocations, 1)
	return nil
}

// maxParts is the most locations an order may be split over.
const maxParts = 64

// wanted fills in what the order wants: bundles taken apart, the same SKUs
// summed, with the cells that each may come from.
func (p *planned) wanted(s *scratch) error {
	o, a := p.order, p.engine
	var lines []formLine
	var err error
	if p.reserved {
		lines, err = a.summed(o.Lines, o.Forms, o.Form)
	} else if lines, err = a.takenApart(o.Lines, o.Forms, o.Form); err == nil {
		err = p.checkSubstitutes()
	}
	if err != nil {
		return err
	}
	p.ask.Wants = make([]plan.Want, 0, len(lines))
	var unknown error // found first, and told last
	for _, line := range lines {
		w := plan.Want{Name: line.SKU, Units: line.Units, Form: line.Way}
		if w.Choices, err = p.choicesOf(line.SKU); errors.Is(err, ErrUnknownSKU) {
			unknown = cmp.Or(unknown, err)
		} else if err != nil {
			return err
		}
		if !slices.Contains(p.ask.Forms, line.Way) {
			p.ask.Forms = append(p.ask.Forms, line.Way)
		}
		p.ask.Wants = append(p.ask.Wants, w)
	}
	slices.Sort(p.ask.Forms)
	if len(p.ask.Forms) > 1 || p.ask.Forms[0] == sourcing.ShipToStore {
		p.ask.Most = max(p.ask.Most, len(p.ask.Forms), 2)
	}
	return cmp.Or(p.together(), unknown)
}

// together notes which wants are kept at one location.
func (p *planned) together() error {
	for g, skus := range p.order.Together {
		for i, sku := range skus {
			for _, part := range p.engine.partsAmong(p.order.Lines, sku) {
				at := p.wantOf(part)
				if at < 0 {
					return &InvalidError{Field: fmt.Sprintf("Together[%d][%d]", g, i), Value: sku, Why: "is not among the lines"}
				}
				if p.ask.Wants[at].Group != 0 && p.ask.Wants[at].Group != g+1 {
					return &InvalidError{Field: fmt.Sprintf("Together[%d][%d]", g, i), Value: sku, Why: "is in two groups"}
				}
				p.ask.Wants[at].Group = g + 1
			}
		}
	}
	return nil
}

// checkEnds checks where the goods go: to a place, and to a store that is there.
func (p *planned) checkEnds(t *topology.Catalogue) error {
	if !p.inBook && slices.Contains(p.ask.Forms, sourcing.Ship) {
		if err := checkPoint("Near", p.order.Near); err != nil {
			return err
		}
	}
	return p.chosenStore(t)
}

// chosenStore finds the store that the order names.
func (p *planned) chosenStore(t *topology.Catalogue) error {
	o := p.order
	if o.At == "" {
		if slices.Contains(p.ask.Forms, sourcing.ShipToStore) {
			return &InvalidError{Field: "At", Value: "", Why: "must name the store where the goods are collected"}
		}
		return nil
	}
	slot, ok := p.engine.ledger.Slot(o.At)
	if !ok || slot >= t.Slots() || t.Number(slot) == reservation.NoNumber {
		return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(o.At))
	}
	p.ask.At = slot
	return nil
}

// asks fills in the requests, one for each form.
func (p *planned) asks(t *topology.Catalogue, w wants) {
	o := p.order
	var members []uint64
	if len(o.Groups) > 0 {
		members = t.InGroups(o.Groups)
	}
	for _, id := range o.Prefer {
		if slot, ok := p.engine.ledger.Slot(id); ok && slot < t.Slots() {
			p.ask.Prefer = append(p.ask.Prefer, slot)
		}
	}
	for _, f := range p.ask.Forms {
		r := &p.ask.Requests[f]
		*r = sourcing.Request{Now: fromMillis(p.ask.Now), Near: o.Near, HasPoint: p.ask.At == reservation.Everywhere || o.Near != (geo.Point{}), Form: f,
			Kinds: uint8(w.set), CollectAt: uint8(topology.CollectAt), Within: w.within, Payment: o.Payment, Channel: o.Channel, Groups: slices.Clone(o.Groups), Prefer: slices.Clone(o.Prefer),
			Exclude: slices.Clone(o.Exclude), NeededBy: o.NeededBy, Window: o.Window, Lines: len(p.ask.Wants), Room: p.engine.capacityFor()}
		if p.ask.At != reservation.Everywhere && f != sourcing.Ship { // what is sent comes from anywhere
			r.At = t.SiteOf(p.ask.At)
		}
		if p.inBook && r.At != nil {
			r.CollectAt = 0
		}
		if f == sourcing.ShipToStore {
			r.Near, r.HasPoint, r.Within = r.At.Point, true, 0
		}
		r.Index()
		r.Members(members)
	}
}

// sorted is the keys of a map, ascending.
func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
