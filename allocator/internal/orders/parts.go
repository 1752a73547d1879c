package orders

import (
	"cmp"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/reservation"
)

// builder is what a plan has chosen being made into parts.
type builder struct {
	*plan.Plan
	window time.Time // of the order; zero: none
	parts  []reservation.Part
}

// Parts appends to the parts of a claim what a plan has chosen, with the slot and the
// lines of each: one part for each share, and one behind them for a customer who comes
// to a store that has none of the goods. Whose they are, and until when, the caller
// says.
//
// False: what was chosen is not there any more; the parts are those up to there. The
// error is one of making a period of a capacity, see calendar.Take.
func Parts(p *plan.Plan, into []reservation.Part) (parts []reservation.Part, ok bool, err error) {
	b := builder{Plan: p, window: p.Requests[p.Forms[0]].Window, parts: into}
	for i := range b.Shares {
		sh := &b.Shares[i]
		part := reservation.Part{Hold: reservation.Hold{Slot: sh.Slot}}
		if b.Mixed {
			part.Lines = b.mixedCells(sh, part.Lines)
		} else {
			ready := gate.Millis(sh.Ready)
			for _, t := range sh.Lines {
				w := &b.Wants[t.Want]
				part.Lines = b.cells(&w.Choices[t.Choice], sh.Number, sh.Slot, ready, t.Units, part.Lines)
			}
		}
		room, ok, err := b.calendarLines(sh)
		part.Lines = Joined(append(part.Lines, room...))
		if b.parts = append(b.parts, part); !ok {
			return b.parts, false, err
		}
	}
	place, ok := b.placeAlone()
	if ok && len(place) > 0 {
		b.parts = append(b.parts, reservation.Part{Hold: reservation.Hold{Slot: b.At}, Lines: place})
	}
	return b.parts, ok, nil
}

// Joined sorts lines and adds up those of the same cell.
func Joined(lines []reservation.Line) []reservation.Line {
	slices.SortFunc(lines, func(a, b reservation.Line) int { return cmp.Compare(a.SKU, b.SKU) })
	out := lines[:0]
	for _, line := range lines {
		if n := len(out); n > 0 && out[n-1].SKU == line.SKU {
			out[n-1].Quantity += line.Quantity
			out[n-1].Keep = max(out[n-1].Keep, line.Keep)
			continue
		}
		out = append(out, line)
	}
	return out
}

// cells spreads units of goods over the cells they are taken from, the ones to be
// used first in front.
func (b *builder) cells(g *goods.Product, number, slot uint32, ready, units int64, into []reservation.Line) []reservation.Line {
	table := b.Catalogue.Table()
	kept := b.Levels.Of(g.SKU, slot)
	from := make([]goods.Source, 0, len(g.From))
	pool := int64(0)
	for _, src := range g.From {
		if src.Quota || g.Lasts(src, max(ready, b.Now)) {
			from = append(from, src)
			if !src.Quota {
				n := table.Reachable(src.SKU, number)
				pool += max(n, 0)
				kept += max(-n, 0) // safety stock is kept back from one cell, also for the others
			}
		}
	}
	for i, src := range from {
		n := max(table.Reachable(src.SKU, number)-b.laid(src.SKU, slot), 0)
		take := min(units, n)
		if !src.Quota {
			pool -= n // what the cells behind it have
		}
		if i == len(from)-1 {
			take = units // the last one says whether it is enough
		}
		if take == 0 {
			continue
		}
		line := reservation.Line{SKU: src.SKU, Quantity: take}
		if !src.Quota {
			line.Keep = max(kept-pool, 0)
		}
		into = append(into, line)
		if units -= take; units == 0 {
			break
		}
	}
	return into
}

// mixedCells is the cells of a share's lines, those of the same product together.
func (b *builder) mixedCells(sh *plan.Share, into []reservation.Line) []reservation.Line {
	for i, t := range sh.Lines {
		g := &b.Wants[t.Want].Choices[t.Choice]
		same := func(o plan.Taken) bool { return b.Wants[o.Want].Choices[o.Choice].SKU == g.SKU }
		if slices.ContainsFunc(sh.Lines[:i], same) {
			continue
		}
		units := int64(0)
		for _, o := range sh.Lines[i:] {
			if same(o) {
				units += o.Units
			}
		}
		into = b.cells(g, sh.Number, sh.Slot, gate.Millis(sh.Ready), units, into)
	}
	return into
}

// laid is how many units of a cell the parts that are built take already.
func (b *builder) laid(sku, slot uint32) (units int64) {
	if !b.Mixed {
		return 0
	}
	for i := range b.parts {
		if part := &b.parts[i]; part.Slot == slot {
			for _, line := range part.Lines {
				if line.SKU == sku {
					units += line.Quantity
				}
			}
		}
	}
	return units
}
