package allocator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/channels"
	"github.com/clickcollect/clickcollect/allocator/internal/cover"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// plan is one order being sourced by the rules: an order that asks for more than
// the nearest location that can fill it, or any order while rules, channels,
// lots or bundles are set. It is made anew for each call that needs one, and
// what a decision refers to of it is not changed afterwards.
//
// It goes from the cheap to the dear: one location for everything, in the order
// of the keys; else the split that costs least; else, if the order allows it, a
// part of the order. Soft filters are given up one by one before that.
type plan struct {
	engine     *Allocator
	order      *Order
	topology   *topology.Catalogue
	rules      *sourcing.Rules
	costs      sourcing.Costs
	now        int64
	mark       uint64
	wants      []want
	forms      []sourcing.Form // that occur, ascending
	ask        [3]sourcing.Request
	at         uint32           // the slot of the chosen store, or reservation.Everywhere
	most       int              // locations
	soft       int              // how many of the soft filters are in force
	protection *channels.Levels // protection levels of the order's channel; nil: none
	epoch      uint64           // the pauses there had been when it was made
	again      int              // how often it was made before
	holds      bool             // what is chosen is reserved
	mixed      bool             // some want has substitutes
	inBook     bool             // the order is in the book
	reserved   bool             // it is what a reservation has, on its way to another place
	past       bool             // shares are what was reserved, perhaps as another form or at another store than asked for now

	work   *planWork
	trace  []sighting
	traces bool

	broken  error // what kept it from being reserved, other than that it is taken
	shares  []share
	missing []int // wants left out
	cost    int64
	bound   int64
	exact   bool
}

// planWork is the memory in which plans work; it is reused.
type planWork struct {
	mask       reservation.Mask
	search     geo.Search
	groups     [][]uint32
	parts      reservation.Parts
	held       []reservation.Part
	solver     cover.Solver
	candidates []sourcing.Candidate
	listed     []uint32
	options    []option
	supplies   []supply
	counts     []uint8 // by location number
}

// want is what an order wants of one SKU.
type want struct {
	name    string
	units   int64
	form    sourcing.Form
	choices []goods.Product // the SKU, then its substitutes, the best first
	group   int             // the group it is kept together with; 0: none
}

// share is what one location does for an order.
type share struct {
	number, slot uint32
	form         sourcing.Form
	distance     geo.Meters
	start, ready time.Time // of the work, and when it is done
	cost         int64
	lines        []taken
}

// taken is units of one want, of one of its choices.
type taken struct {
	want, choice int
	units        int64
}

// sighting is a location that was looked at and not taken, and why.
type sighting struct {
	slot     uint32
	form     sourcing.Form
	reason   Reason
	distance geo.Meters
	detail   string
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
func (a *Allocator) newPlan(s *scratch, t *topology.Catalogue, o *Order, rules *sourcing.Rules, inBook, reserved bool) (*plan, error) {
	p := &plan{inBook: inBook, reserved: reserved, engine: a, order: o, topology: t, rules: rules, now: s.hold.Now, at: reservation.Everywhere, epoch: a.gate.Epoch(),
		soft: len(rules.Soft), protection: a.channels.LevelsOf(o.Channel), traces: !a.untraced, exact: true}
	if s.plan == nil {
		s.plan = new(planWork)
	}
	p.work, p.costs = s.plan, costsOf(rules)
	var err error
	if !reserved {
		err = a.checkLineCount(len(o.Lines))
	}
	var w wants
	if err == nil {
		w, err = a.checkReach(o.Near, !inBook && o.At == "", o.MaxDistance, o.Kinds)
	}
	if err == nil {
		err = p.checkTerms()
	}
	if err == nil {
		err = p.wanted(s)
	}
	if err == nil || errors.Is(err, ErrUnknownSKU) { // which comes last of these
		err = cmp.Or(p.checkEnds(), err)
	}
	if err != nil {
		return nil, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), err)
	}
	p.mark = a.markOf(s, o, w.set)
	p.asks(w)
	return p, nil
}

// checkTerms validates what only planned orders have.
func (p *plan) checkTerms() error {
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
	p.most = cmp.Or(o.MaxLocations, p.rules.MaxLocations, 1)
	return nil
}

// costsOf is what splits minimise: in cents, say, if the rules have no costs.
func costsOf(r *sourcing.Rules) sourcing.Costs {
	c := r.Costs
	if c.Parcel|c.Transfer|c.PerKm|c.PerLine == 0 && c.Price == nil {
		c.Parcel, c.Transfer, c.PerKm, c.PerLine = 500, 300, 10, 50
	}
	return c
}

// maxParts is the most locations an order may be split over.
const maxParts = 64

// wanted fills in what the order wants: bundles taken apart, the same SKUs
// summed, with the cells that each may come from.
func (p *plan) wanted(s *scratch) error {
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
	p.wants = make([]want, 0, len(lines))
	var unknown error // found first, and told last
	for _, line := range lines {
		w := want{name: line.SKU, units: line.Units, form: line.Way}
		if w.choices, err = p.choicesOf(line.SKU); errors.Is(err, ErrUnknownSKU) {
			unknown = cmp.Or(unknown, err)
		} else if err != nil {
			return err
		}
		if !slices.Contains(p.forms, line.Way) {
			p.forms = append(p.forms, line.Way)
		}
		p.wants = append(p.wants, w)
	}
	slices.Sort(p.forms)
	if len(p.forms) > 1 || p.forms[0] == sourcing.ShipToStore {
		p.most = max(p.most, len(p.forms), 2)
	}
	return cmp.Or(p.together(), unknown)
}

// together notes which wants are kept at one location.
func (p *plan) together() error {
	for g, skus := range p.order.Together {
		for i, sku := range skus {
			for _, part := range p.engine.partsAmong(p.order.Lines, sku) {
				at, ok := slices.BinarySearchFunc(p.wants, part, func(w want, sku string) int { return cmp.Compare(w.name, sku) })
				if !ok {
					return &InvalidError{Field: fmt.Sprintf("Together[%d][%d]", g, i), Value: sku, Why: "is not among the lines"}
				}
				if p.wants[at].group != 0 && p.wants[at].group != g+1 {
					return &InvalidError{Field: fmt.Sprintf("Together[%d][%d]", g, i), Value: sku, Why: "is in two groups"}
				}
				p.wants[at].group = g + 1
			}
		}
	}
	return nil
}

// checkEnds checks where the goods go: to a place, and to a store that is there.
func (p *plan) checkEnds() error {
	if !p.inBook && slices.Contains(p.forms, sourcing.Ship) {
		if err := checkPoint("Near", p.order.Near); err != nil {
			return err
		}
	}
	return p.chosenStore()
}

// chosenStore finds the store that the order names.
func (p *plan) chosenStore() error {
	o := p.order
	if o.At == "" {
		if slices.Contains(p.forms, sourcing.ShipToStore) {
			return &InvalidError{Field: "At", Value: "", Why: "must name the store where the goods are collected"}
		}
		return nil
	}
	slot, ok := p.engine.ledger.Slot(o.At)
	if !ok || slot >= p.topology.Slots() || p.topology.Number(slot) == reservation.NoNumber {
		return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(o.At))
	}
	p.at = slot
	return nil
}

// asks fills in the requests, one for each form.
func (p *plan) asks(w wants) {
	o := p.order
	var members []uint64
	if len(o.Groups) > 0 {
		members = p.topology.InGroups(o.Groups)
	}
	for _, f := range p.forms {
		r := &p.ask[f]
		*r = sourcing.Request{Now: fromMillis(p.now), Near: o.Near, HasPoint: p.at == reservation.Everywhere || o.Near != (geo.Point{}), Form: f,
			Kinds: uint8(w.set), CollectAt: uint8(topology.CollectAt), Within: w.within, Payment: o.Payment, Channel: o.Channel, Groups: slices.Clone(o.Groups), Prefer: slices.Clone(o.Prefer),
			Exclude: slices.Clone(o.Exclude), NeededBy: o.NeededBy, Window: o.Window, Lines: len(p.wants), Room: p.engine.capacityFor()}
		if p.at != reservation.Everywhere && f != sourcing.Ship { // what is sent comes from anywhere
			r.At = p.topology.SiteOf(p.at)
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
