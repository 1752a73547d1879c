package allocator

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// Query asks at which locations a customer could collect some lines. It is an order
// that says no more than this.
type Query struct {
	Near        geo.Point // as in an Order: the zero Point is none
	Lines       []Line
	MaxDistance geo.Meters // 0: Options.MaxDistance
	Kinds       []Kind     // as in an Order; empty: stores and pickup points, and where Terms.Forms say so
}

// order is the order that a query stands for.
func (q *Query) order() *Order {
	return &Order{Near: q.Near, Lines: q.Lines, MaxDistance: q.MaxDistance, Kinds: q.Kinds}
}

// Candidate is a location that could fill every line of a query when it was
// looked at.
type Candidate struct {
	Location  string
	Kind      Kind
	Distance  geo.Meters
	Ready     time.Time // the promise; zero where Nearby did not have to work it out
	Cost      int64     // by the rules' costs; 0 likewise
	Available []int64   // units of each line's SKU, in the query's order; the caller's to keep
}

// Nearby walks the locations that could fill every line now, nearest first: what a
// product page shows. They are those of Candidates for the same order, in the order
// of their distance: an order that names one of them by At is served there, unless
// somebody was quicker; what is offline, or ruled out by Rules.Hard, is left out.
// Keys and soft filters do not count: the customer chooses. Nothing is held; Allocate
// decides. The walk may be broken off and begun again; each begins anew. It ends early
// when the engine is closed, and when the journal has failed and what it saw is not
// known to last.
//
// Errors: *InvalidError, ErrOverflow, ErrUnknownSKU, ErrClosed.
func (a *Allocator) Nearby(q Query) (iter.Seq[Candidate], error) {
	c, err := a.gate.Enter()
	if err != nil {
		return nil, fmt.Errorf("allocator: nearby: %w", err)
	}
	defer c.Leave()
	if t := a.locations.Load(); a.nearbyNeedsPlan(t, &q) {
		_, err = a.nearbyPlan(scratchOf(c.Pass), t, &q)
	} else {
		_, err = a.check(scratchOf(c.Pass), q.Near, true, q.Lines, q.MaxDistance, q.Kinds)
	}
	if err != nil {
		return nil, fmt.Errorf("allocator: nearby: %w", err)
	}
	return func(yield func(Candidate) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		a.walk(scratchOf(c.Pass), q, func(found Candidate) bool { return c.Yield(func() bool { return yield(found) }) })
		c.Leave()
	}, nil
}

// nearbyNeedsPlan tells the queries that stock and kind alone do not answer.
func (a *Allocator) nearbyNeedsPlan(t *topology.Catalogue, q *Query) bool {
	return a.needsPlan(t, q.order(), a.gate.Now()) || a.channels.LevelsOf("") != nil
}

// nearbyPlan is the plan of a query: by the rules in force, as far as they rule
// locations out.
func (a *Allocator) nearbyPlan(s *scratch, t *topology.Catalogue, q *Query) (*planned, error) {
	rules := a.rules.Load().Rules
	rules.Soft, rules.Keys = nil, nil
	s.hold = reservation.Hold{Now: a.gate.Now()}
	p, err := a.newPlan(s, t, q.order(), &rules, false, false)
	return p, errors.Unwrap(err) // without the ID of an order
}

func (a *Allocator) walk(s *scratch, q Query, yield func(Candidate) bool) {
	t := a.locations.Load()
	if a.nearbyNeedsPlan(t, &q) {
		if p, err := a.nearbyPlan(s, t, &q); err == nil {
			p.walk(yield)
		}
		return
	}
	w, err := a.check(s, q.Near, true, q.Lines, q.MaxDistance, q.Kinds)
	if err != nil {
		return
	}
	defer s.route.Reset()
	if !s.route.StartWalk(a.ledger, t, q.Near, w.within, w.lines, t.Filter(w.set, sourcing.Collect)) {
		return
	}
	for {
		levels, ok := s.route.Step()
		if !ok {
			return
		}
		p := t.Place(s.route.Spot().Slot)
		c := Candidate{Location: p.ID, Kind: Kind(p.Kind), Distance: s.route.Distance(), Available: make([]int64, len(q.Lines))}
		for i := range q.Lines {
			handle, _ := a.ledger.SKU(q.Lines[i].SKU)
			for j := range w.lines {
				if w.lines[j].SKU == handle {
					c.Available[i] = levels[j]
				}
			}
		}
		if a.gate.Settled() != nil || !yield(c) {
			return
		}
	}
}
