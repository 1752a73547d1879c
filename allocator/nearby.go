package allocator

import (
	"fmt"
	"iter"
	"time"

	"github.com/clickcollect/clickcollect/geo"
)

// Query asks which locations can fill some lines.
type Query struct {
	Near        geo.Point
	Lines       []Line
	MaxDistance geo.Meters // 0: Options.MaxDistance
	Kinds       []Kind     // empty: any
}

// Candidate is a location that could fill every line of a query when it was
// looked at.
type Candidate struct {
	Location  string
	Kind      Kind
	Distance  geo.Meters
	Ready     time.Time // the promise, of Candidates
	Cost      int64     // by the rules' costs, of Candidates
	Available []int64   // units of each line's SKU, in the query's order; the caller's to keep
}

// Nearby walks the locations that can fill every line, nearest first: what a
// product page shows. Nothing is held; Allocate decides. The walk may be broken
// off and begun again; each begins anew. It ends early when the engine is closed,
// and when the journal has failed and what it saw is not known to last.
//
// Errors: *InvalidError, ErrOverflow, ErrUnknownSKU, ErrClosed.
func (a *Allocator) Nearby(q Query) (iter.Seq[Candidate], error) {
	c, err := a.enter()
	if err != nil {
		return nil, fmt.Errorf("allocator: nearby: %w", err)
	}
	defer c.leave()
	if a.wantsGoods(q.Lines) {
		_, err = a.nearbyGoods(c.scratch, &q)
	} else {
		_, err = a.check(c.scratch, q.Near, true, q.Lines, q.MaxDistance, q.Kinds)
	}
	if err != nil {
		return nil, fmt.Errorf("allocator: nearby: %w", err)
	}
	return func(yield func(Candidate) bool) {
		c, err := a.enter()
		if err != nil {
			return
		}
		defer c.end()
		a.walk(c.scratch, q, func(found Candidate) bool { return c.yield(func() bool { return yield(found) }) })
		c.leave()
	}, nil
}

func (a *Allocator) walk(s *scratch, q Query, yield func(Candidate) bool) {
	if a.wantsGoods(q.Lines) {
		if p, err := a.nearbyGoods(s, &q); err == nil {
			p.walk(yield)
		}
		return
	}
	w, err := a.check(s, q.Near, true, q.Lines, q.MaxDistance, q.Kinds)
	if err != nil {
		return
	}
	t := a.topology.Load()
	defer s.claim.Reset()
	if s.claim.Start(a.ledger, t.table, w.lines, t.filter(w.set)) >= 0 {
		return
	}
	a.searchFor(s, t, q.Near, w.within, true)
	for {
		number, distance, ok := s.search.Next()
		if !ok {
			return
		}
		p := &t.places[t.spots[number].slot]
		if p.Area != nil && !p.Area.Contains(q.Near) {
			continue
		}
		levels, enough := s.claim.Levels(number, s.levels[:0])
		s.levels = levels
		if !enough {
			continue
		}
		c := Candidate{Location: p.ID, Kind: p.Kind, Distance: distance, Available: make([]int64, len(q.Lines))}
		for i := range q.Lines {
			handle, _ := a.ledger.SKU(q.Lines[i].SKU)
			for j := range w.lines {
				if w.lines[j].SKU == handle {
					c.Available[i] = levels[j]
				}
			}
		}
		if a.settled() != nil || !yield(c) {
			return
		}
	}
}
