package goods

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
)

// Line is what an order wants of one SKU, and the way it goes to the customer, which is
// the caller's affair.
type Line[Way comparable] struct {
	SKU   string
	Units int64
	Way   Way
}

// WayError says of which SKU units would go two ways.
type WayError struct{ SKU string }

// Error says it in words.
func (e *WayError) Error() string {
	return fmt.Sprintf("SKU %s goes two ways", excerpt.Quote(e.SKU))
}

// LinesError says how many lines there would be with bundles taken apart, which are too
// many.
type LinesError struct{ Lines int }

// Error says it in words.
func (e *LinesError) Error() string { return fmt.Sprintf("%d lines", e.Lines) }

// Sum sums the lines of the same SKU, ascending by SKU, bundles as they are. The lines
// are those it was given.
//
// Errors: *WayError; reservation.ErrOverflow.
func Sum[Way comparable](lines []Line[Way]) ([]Line[Way], error) {
	slices.SortStableFunc(lines, func(x, y Line[Way]) int { return cmp.Compare(x.SKU, y.SKU) })
	out := lines[:0]
	for _, e := range lines {
		if e.Units > reservation.MaxQuantity {
			return nil, fmt.Errorf("%d units of SKU %s over all lines: %w", e.Units, excerpt.Quote(e.SKU), reservation.ErrOverflow)
		}
		n := len(out)
		if n == 0 || out[n-1].SKU != e.SKU {
			out = append(out, e)
			continue
		}
		last := &out[n-1]
		if last.Way != e.Way {
			return nil, &WayError{SKU: e.SKU}
		}
		if last.Units += e.Units; last.Units > reservation.MaxQuantity {
			return nil, fmt.Errorf("%d units of SKU %s over all lines: %w", last.Units, excerpt.Quote(e.SKU), reservation.ErrOverflow)
		}
	}
	return out, nil
}

// TakeApart takes the bundles of summed lines apart and sums the lines anew. A part goes
// the way that own has for it, else that of its bundle. There may be most lines.
//
// Errors: as of Sum; *LinesError.
func TakeApart[Way comparable](g *Goods, lines []Line[Way], own map[string]Way, most int) ([]Line[Way], error) {
	b := g.bundles.Load()
	if b == nil || !slices.ContainsFunc(lines, func(e Line[Way]) bool { return b.has(e.SKU) }) {
		return lines, nil
	}
	all := make([]Line[Way], 0, len(lines))
	for _, e := range lines {
		parts, is := b.flat[e.SKU]
		if !is {
			all = append(all, e)
			continue
		}
		if n := len(all) + len(parts); n > 2*most { // before they are summed
			return nil, &LinesError{Lines: n}
		}
		for _, part := range parts {
			way := e.Way
			if its, ok := own[part.SKU]; ok {
				way = its
			}
			// Both are below 2^31, so the product is in range.
			all = append(all, Line[Way]{part.SKU, part.Quantity * e.Units, way})
		}
	}
	out, err := Sum(all)
	if err == nil && len(out) > most {
		err = &LinesError{Lines: len(out)}
	}
	return out, err
}
