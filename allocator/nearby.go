package allocator

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// Candidate is a location as an order found it when it was looked at.
type Candidate struct {
	Location string     `json:"location"`
	Kind     Kind       `json:"kind"`
	Owner    string     `json:"owner,omitempty"`    // of the goods there, as in its Terms; empty: the chain
	Distance geo.Meters `json:"distance,omitempty"` // from Order.Near, great circle; of what is brought, from the chosen store
	Ready    time.Time  `json:"ready,omitzero"`     // the promise, as an Allocation's; zero where no Terms say, or where there can be none
	Cost     int64      `json:"cost,omitempty"`     // by the rules' costs; 0 unless it could fill the order

	// Available is how many units of each line's SKU an order of this channel could
	// have there, in the order of the lines, of a bundle as many as its parts make;
	// never below 0. It is the caller's to keep.
	Available []int64 `json:"available,omitempty"`

	// Reason is the first against it, as Explain has it, and Detail what that is about:
	// a SKU, a filter's name, the chosen store. 0: it could fill every line.
	Reason sourcing.Reason `json:"reason,omitempty"`
	Detail string          `json:"detail,omitempty"`
}

// Nearby walks the locations near an order, the nearest first, whether they could fill
// it or not: what a product page shows. Each says what it has, when it would be ready
// and, if it could not fill every line now, the first reason why. The walk ends at
// the order's reach; locations of a kind that it does not go to are left out. An order
// that names where it is collected (At) is answered for that location alone.
//
// It asks what Candidates and Allocate ask: the same order is served at the first
// location without a Reason, unless somebody was quicker, if one location is to fill all
// of it, and neither Order.Prefer nor soft filters nor keys of the rules choose another:
// these do not count here, since the customer chooses. An order at any location without a
// Reason (At) is served there. Nothing is held.
//
// A location is looked at when the walk comes to it, so the first few cost as little
// among 10,000 as among 100. The ID may be empty. The walk may be broken off and begun again;
// each begins anew. It ends early when the engine is closed, and when the journal has
// failed and what it saw is not known to last.
//
// Errors: *InvalidError, ErrOverflow, ErrUnknownLocation, ErrUnknownSKU, ErrClosed; none
// when nobody can fill it. *InvalidError too if lines go different ways.
func (a *Allocator) Nearby(o Order) (iter.Seq[Candidate], error) {
	c, err := a.gate.Enter()
	if err != nil {
		return nil, fmt.Errorf("allocator: nearby: %w", err)
	}
	defer c.End()
	_, err = nearNow(a, scratchOf(c.Pass), o)
	c.Leave()
	if err != nil {
		return nil, fmt.Errorf("allocator: nearby: %w", err)
	}
	return func(yield func(Candidate) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		p, err := nearNow(a, scratchOf(c.Pass), o)
		if err != nil {
			return
		}
		for found := range p.near {
			if a.gate.Settled() != nil || !c.Yield(func() bool { return yield(found) }) {
				break
			}
		}
		c.Leave()
	}, nil
}

// Candidates walks the locations that could fill the whole order now, the best by
// the rules first: what a customer chooses a store from. Nothing is held. With
// soft filters only those come that meet all of them, if there are any. Nearby has
// those besides that could not, and why.
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
	if err := p.oneWay(); err != nil {
		return nil, fmt.Errorf("allocator: candidates: %w", err)
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
		p.walk(hand)
		c.Leave()
	}, nil
}

// walk yields the candidates in order.
func (p *planned) walk(yield func(Candidate) bool) {
	lines := p.counted()
	for c := range p.Candidates {
		if p.engine.gate.Settled() != nil || !yield(p.candidate(c, lines)) {
			return
		}
	}
}

// Nearest is what NearbyAll answers to one order.
type Nearest struct {
	Candidates []Candidate `json:"candidates,omitempty"` // the nearest first
	Err        error       `json:"err,omitempty"`        // as of Nearby; nil: the order was looked at
}

// NearbyAll is Nearby for each of the orders, and of each the most locations at most:
// what a listing page asks for, such as whether 48 products are in the customer's shop
// today (At, NeededBy, most 1), or in which of the 5 nearest. All are answered by the
// same rules, at the same time and by the same locations. The answers are in the order
// of the orders; an order that is refused, of a SKU that nobody knows for one, does not
// refuse the others.
//
// Besides the errors of Nearby: *InvalidError of every order if most is below 1, or if
// they are more than Options.MaxBatch; ErrJournal of all: what was read is not known to last.
func (a *Allocator) NearbyAll(most int, orders ...Order) []Nearest {
	out := make([]Nearest, len(orders))
	if err := nearbyAll(a, out, most, orders); err != nil {
		for i := range out {
			out[i] = Nearest{Err: fmt.Errorf("allocator: nearby: %w", err)}
		}
	}
	return out
}

// nearbyAll fills in what each order is answered. An error is that of all.
func nearbyAll(a *Allocator, out []Nearest, most int, orders []Order) error {
	c, err := a.gate.Enter()
	if err != nil {
		return err
	}
	defer c.End()
	if err := a.checkBatch("orders", len(orders)); err != nil {
		return err
	}
	if most < 1 {
		return &InvalidError{Field: "most", Value: most, Why: "must be 1 or more"}
	}
	s, t, rules, now := scratchOf(c.Pass), a.locations.Load(), a.rules.Load(), a.gate.Now()
	for i := range orders {
		p, err := nearIn(a, s, t, orders[i], &rules.Rules, now)
		if err != nil {
			out[i].Err = fmt.Errorf("allocator: nearby: %w", err)
			continue
		}
		for found := range p.near {
			if out[i].Candidates = append(out[i].Candidates, found); len(out[i].Candidates) == most {
				break
			}
		}
	}
	return c.LeaveSettled()
}

// nearNow is the plan of an order that shows what is near.
func nearNow(a *Allocator, s *scratch, o Order) (*planned, error) {
	return nearIn(a, s, a.locations.Load(), o, &a.rules.Load().Rules, a.gate.Now())
}

func nearIn(a *Allocator, s *scratch, t *topology.Catalogue, o Order, rules *sourcing.Rules, now int64) (*planned, error) {
	p, err := a.planIn(s, t, o, rules, now)
	if err != nil {
		return nil, errors.Unwrap(err) // without the ID of an order
	}
	return p, p.oneWay()
}

// oneWay refuses lines that go different ways, which no single location can fill.
func (p *planned) oneWay() error {
	if len(p.Forms) > 1 {
		return &InvalidError{Field: "Forms", Value: p.order.Forms, Why: "must be one form for all lines"}
	}
	return nil
}

// near walks what Nearby shows.
func (p *planned) near(yield func(Candidate) bool) {
	lines := p.counted()
	p.Nearby(func(is *plan.Finding) bool {
		c := p.candidate(&is.Candidate, lines)
		if c.Reason, c.Detail = is.Reason, is.Detail; c.Reason != 0 {
			c.Cost = 0
		}
		return yield(c)
	})
}

// candidate is a candidate of the plan for the caller.
func (p *planned) candidate(c *sourcing.Candidate, lines [][]counted) Candidate {
	out := Candidate{Location: c.Site.ID, Kind: Kind(c.Site.Kind), Owner: c.Site.Owner, Distance: c.Distance,
		Ready: p.Promised(c), Cost: c.Cost, Available: make([]int64, len(lines))}
	for i := range lines {
		out.Available[i] = p.there(lines[i], c)
	}
	return out
}

// counted is so many units of a want in one unit of a line.
type counted struct {
	want  int // below 0: none, the bundle was another one when the order was planned
	units int64
}

// counted is what each line of the order comes to: itself, or the parts of a bundle.
func (p *planned) counted() [][]counted {
	out := make([][]counted, len(p.order.Lines))
	for i := range out {
		for _, part := range madeOf(p.engine, p.order.Lines[i].SKU) {
			out[i] = append(out[i], counted{p.wantOf(part.SKU), part.Quantity})
		}
	}
	return out
}

// there is how many units of a line's SKU an order could have from a candidate.
func (p *planned) there(line []counted, c *sourcing.Candidate) int64 {
	slot, least := p.Catalogue.Slot(c.Number), int64(-1)
	for _, part := range line {
		units := int64(0)
		if part.want >= 0 {
			if w := &p.Wants[part.want]; w.Choices[0].Name == w.Name { // else nobody knows the SKU, but a substitute
				units, _ = p.Has(&w.Choices[0], c.Number, slot, max(millis(c.Ready), p.Now), reservation.MaxQuantity)
			}
		}
		if units /= part.units; least < 0 || units < least {
			least = units
		}
	}
	return max(least, 0)
}
