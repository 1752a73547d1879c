package reservation

import (
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// planClasses is plan for an entry with lines of sub-SKUs or of resources. A
// change's lines name what a shopper knows: the units of a line are taken from the
// entry's line of that SKU, and what is missing from those of its sub-SKUs in the
// order of their handles. Resources are not named; they follow the goods.
func (s *step) planClasses(e *book.Entry) error {
	c, k := s.change, s.ledger.state.Classes
	give := func(line *entryLine, units int64) {
		if units > 0 {
			s.given = append(s.given, Line{SKU: line.SKU, Quantity: units})
		}
	}
	if c.Lines == nil {
		for i := range e.Lines {
			if line := &e.Lines[i]; !k.Resource(line.SKU) {
				give(line, c.movable(line))
			}
		}
		if err := s.checkShort(e); err != nil {
			return err
		}
	}
	for _, want := range c.Lines {
		left := want.Quantity
		for i := range e.Lines {
			line := &e.Lines[i]
			if k.Resource(line.SKU) || line.SKU != want.SKU && k.Base(line.SKU) != want.SKU {
				continue
			}
			units := min(left, c.movable(line)-s.givenOf(line.SKU))
			give(line, units)
			left -= max(units, 0)
		}
		if left > 0 {
			return s.tooMany(e, want, want.Quantity-left)
		}
	}
	s.giveResources(e, give)
	sortLines(s.given)
	s.given = compacted(s.given)
	return nil
}

// givenOf is how many units of a SKU the change takes already.
func (s *step) givenOf(sku uint32) (units int64) {
	for _, g := range s.given {
		if g.SKU == sku {
			units += g.Quantity
		}
	}
	return units
}

// giveResources adds what follows the goods: a resource is confirmed with the first
// of them, used up when they are sent off, and otherwise given up, or used up, when
// none of them is left.
func (s *step) giveResources(e *book.Entry, give func(*entryLine, int64)) {
	rule, k := s.change.rule(), s.ledger.state.Classes
	if rule.Follow == life.Stays {
		return
	}
	for i := range e.Lines {
		line := &e.Lines[i]
		if rule.Follow == life.WithLast && !k.Resource(line.SKU) && line.Open() > s.givenOf(line.SKU) {
			return
		}
	}
	for i := range e.Lines {
		if line := &e.Lines[i]; k.Resource(line.SKU) {
			give(line, rule.MovableResource(line))
		}
	}
}

// compacted adds up lines of the same SKU, which are neighbours.
func compacted(lines []Line) []Line {
	kept := lines[:0]
	for _, line := range lines {
		if n := len(kept); n > 0 && kept[n-1].SKU == line.SKU {
			kept[n-1].Quantity += line.Quantity
			continue
		}
		kept = append(kept, line)
	}
	return kept
}
