package plan

import (
	"math"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// demand is units of a want that one location is to have.
type demand struct {
	want  int
	units int64
}

// serving is how a location fills demands that may be for the same goods: its
// units of each product are given out once.
//
// A want gets its own SKU if there is enough of it, else the first substitute of
// which there is enough, else units of several in the order of preference. Where
// wants are then in each other's way, they are moved to less preferred choices by
// augmenting paths, shortest first (Edmonds and Karp, Journal of the ACM 19, 1972),
// so all demands are filled whenever they can be at all.
type serving struct {
	demands []demand
	skus    []uint32  // the products, each once
	left    []int64   // of each product
	at      [][]int   // by demand and choice: the product
	flow    [][]int64 // likewise: units
}

// serve fills demands at a location as far as it can; used says what else takes
// units there; nil: nothing.
func (l *look) serve(demands []demand, number, slot uint32, ready time.Time, used func(sku uint32) int64) *serving {
	s := &serving{demands: demands, at: make([][]int, len(demands)), flow: make([][]int64, len(demands))}
	for d := range demands {
		w := &l.Wants[demands[d].want]
		s.at[d], s.flow[d] = make([]int, len(w.Choices)), make([]int64, len(w.Choices))
		for k := range w.Choices {
			g := &w.Choices[k]
			q := slices.Index(s.skus, g.SKU)
			if q < 0 {
				q = len(s.skus)
				units := int64(0)
				if !l.cooling(g, slot) {
					units, _ = l.Has(g, number, slot, max(gate.Millis(ready), l.Now), math.MaxInt64)
				}
				if used != nil {
					units -= used(g.SKU)
				}
				s.skus, s.left = append(s.skus, g.SKU), append(s.left, max(units, 0))
			}
			s.at[d][k] = q
		}
	}
	for d := range demands { // what was ordered itself goes first to who ordered it
		s.whole(d, 1)
	}
	for d := range demands {
		if s.rest(d) > 0 && !s.whole(d, len(s.at[d])) {
			s.mix(d)
		}
	}
	for d := range demands {
		for s.rest(d) > 0 {
			if seen := s.augment(d); seen != nil {
				break
			}
		}
	}
	return s
}

// rest is the units a demand does not have yet.
func (s *serving) rest(d int) int64 {
	rest := s.demands[d].units
	for _, units := range s.flow[d] {
		rest -= units
	}
	return rest
}

// whole gives a demand all its units of one of its first few choices.
func (s *serving) whole(d, choices int) bool {
	for k, q := range s.at[d][:choices] {
		if units := s.demands[d].units; s.left[q] >= units {
			s.flow[d][k] += units
			s.left[q] -= units
			return true
		}
	}
	return false
}

// mix gives a demand what there is of its choices.
func (s *serving) mix(d int) {
	rest := s.rest(d)
	for k, q := range s.at[d] {
		n := min(rest, s.left[q])
		s.flow[d][k] += n
		s.left[q] -= n
		rest -= n
	}
}

// augment gets a demand more units by moving others to other choices. If there is
// no way to, seen is the demands that are together in each other's way: they want
// more than there is of all their choices.
func (s *serving) augment(d int) (seen []int) {
	type step struct{ demand, choice int }
	took := make([]*step, len(s.skus)) // who would take units of a product
	gave := make([]*step, len(s.at))   // by which choice a demand would give up units
	seen = append(seen, d)
	for i := 0; i < len(seen); i++ {
		e := seen[i]
		for k, q := range s.at[e] {
			if took[q] != nil {
				continue
			}
			took[q] = &step{e, k}
			if s.left[q] == 0 {
				for e2 := range s.at {
					k2 := slices.Index(s.at[e2], q)
					if k2 >= 0 && s.flow[e2][k2] > 0 && gave[e2] == nil && e2 != d {
						gave[e2] = &step{e2, k2}
						seen = append(seen, e2)
					}
				}
				continue
			}
			n := min(s.rest(d), s.left[q])
			for at := took[q]; at.demand != d; at = took[s.at[at.demand][gave[at.demand].choice]] {
				n = min(n, s.flow[at.demand][gave[at.demand].choice])
			}
			s.left[q] -= n
			for at := took[q]; ; {
				s.flow[at.demand][at.choice] += n
				if at.demand == d {
					return nil
				}
				from := gave[at.demand].choice
				s.flow[at.demand][from] -= n
				at = took[s.at[at.demand][from]]
			}
		}
	}
	return seen
}

// short is the first demand that is not filled, and those it is in conflict with,
// itself in front; nil: all are filled.
func (s *serving) short() (seen []int) {
	for d := range s.demands {
		if s.rest(d) > 0 {
			return s.augment(d)
		}
	}
	return nil
}

// lines is what is taken, by demand.
func (s *serving) lines(into []Taken) []Taken {
	for d := range s.demands {
		for k, units := range s.flow[d] {
			if units > 0 {
				into = append(into, Taken{Want: s.demands[d].want, Choice: k, Units: units})
			}
		}
	}
	return into
}

// over is how many units would be left of the product that is left least of those
// taken.
func (s *serving) over() int64 {
	least := int64(-1)
	for d := range s.demands {
		for k, q := range s.at[d] {
			if s.flow[d][k] > 0 && (least < 0 || s.left[q] < least) {
				least = s.left[q]
			}
		}
	}
	return max(least, 0)
}

// takesMixed is takes for an order with substitutes, where a want is not filled by what
// was ordered itself.
func (l *look) takesMixed(c *sourcing.Candidate, f sourcing.Form, slot uint32, into []Taken) (lines []Taken, reason sourcing.Reason, detail string) {
	demands := make([]demand, 0, len(l.Wants))
	for i := range l.Wants {
		if w := &l.Wants[i]; w.Form == f {
			demands = append(demands, demand{i, w.Units})
		}
	}
	s := l.serve(demands, c.Number, slot, c.Ready, nil)
	if short := s.short(); short != nil {
		for _, d := range short { // one that is short by itself says best why
			w := &l.Wants[demands[d].want]
			if _, _, reason := l.fill(w, c.Number, slot, c.Ready); reason != 0 {
				return nil, reason, w.Name
			}
		}
		return nil, sourcing.Short, l.Wants[demands[short[0]].want].Name
	}
	lines, c.Cost, c.Left = s.lines(into), l.fixed(c), s.over()
	for _, t := range lines {
		c.Cost = AddCost(c.Cost, l.price(&l.Wants[t.Want], t.Choice, t.Units, c))
	}
	reason, detail = l.allows(c)
	return lines, reason, detail
}
