package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// answer is what became of a wish, whoever decided it.
type answer struct {
	parts  []piece // none: it got nothing
	filled int     // lines of which every unit is there
	whole  bool
	cost   int64     // mills
	ready  time.Time // when the last part is
	way    geo.Meters
	today  bool // ready where it is collected, on the day of the order
}

// piece is what one location does for an order.
type piece struct {
	site     int
	distance geo.Meters // from the customer; of what is brought, from the chosen store
	lines    []wanted
}

// world is what deciding takes besides stock.
type world struct {
	all     []site
	seen    []sourcing.Site
	parcels int // the most locations of a shipped order
}

// shelves are the units of each site by catalog number, for one who decides
// alone: no holds, no rivals, nothing to wait for.
type shelves [][]int32

func newShelves(all []site) shelves {
	s := make(shelves, len(all))
	for i := range all {
		s[i] = slices.Clone(all[i].units)
	}
	return s
}

// candidate is a site that may serve an order, measured.
type candidate struct {
	site int
	sourcing.Candidate
}

// policy decides one order over what is on the shelves, from the sites that may
// serve it, nearest first. It changes nothing.
type policy func(s shelves, o *wish, near []candidate, most int) []piece

// near is the sites that may serve an order, nearest first.
func (w *world) near(o *wish) []candidate {
	var list []candidate
	for i := range w.seen {
		s := &w.seen[i]
		c := candidate{i, sourcing.Candidate{Site: s, Request: &o.request, Distance: geo.Distance(o.request.Near, s.Point), Room: -1}}
		if reason, _ := c.Static(); reason == 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Site.ID, b.Site.ID))
	})
	return list
}

// decide lets a policy decide the orders one after the other on a stock of its
// own, which begins as the engine's does.
func (w *world) decide(ctx context.Context, p policy, wishes []wish) ([]answer, error) {
	s := newShelves(w.all)
	out := make([]answer, len(wishes))
	for i := range wishes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o := &wishes[i]
		decide := p
		if o.form == sourcing.Collect {
			decide = nearestWhole
		}
		parts := decide(s, o, w.near(o), o.most(w.parcels))
		for _, part := range parts {
			for _, l := range part.lines {
				s[part.site][l.item] -= int32(l.units)
			}
		}
		out[i] = w.answer(o, parts)
	}
	return out, nil
}

// nearestWhole takes the nearest site that has everything: what whoever decides
// gives a customer who collects where the goods are.
func nearestWhole(s shelves, o *wish, near []candidate, _ int) []piece {
	for i := range near {
		if got := s.has(near[i].site, o.lines); len(leftOf(o.lines, got)) == 0 {
			return []piece{{near[i].site, near[i].Distance, got}}
		}
	}
	return nil
}

// nearestFirst goes from site to site, nearest first, and takes all that each has
// of what is still missing.
func nearestFirst(s shelves, o *wish, near []candidate, most int) (parts []piece) {
	rest := o.lines
	for i := range near {
		if len(parts) == most || len(rest) == 0 {
			break
		}
		if got := s.has(near[i].site, rest); len(got) > 0 {
			parts = append(parts, piece{near[i].site, near[i].Distance, got})
			rest = leftOf(rest, got)
		}
	}
	return parts
}

// greedy takes next the site that fills most of what is missing for its cost, the
// nearer one of two that do as much. A line that is there in part counts in part.
func greedy(s shelves, o *wish, near []candidate, most int) (parts []piece) {
	rest := o.lines
	used := make([]bool, len(near))
	for len(parts) < most && len(rest) > 0 {
		best, bestRate := -1, 0.0
		for i := range near {
			if used[i] {
				continue
			}
			filled, handled := s.fills(near[i].site, rest)
			if rate := filled / float64(1+costOf(&near[i].Candidate, handled)); rate > bestRate {
				best, bestRate = i, rate
			}
		}
		if best < 0 {
			break
		}
		used[best] = true
		got := s.has(near[best].site, rest)
		parts = append(parts, piece{near[best].site, near[best].Distance, got})
		rest = leftOf(rest, got)
	}
	return parts
}

// has is what a site has of lines.
func (s shelves) has(site int, lines []wanted) (got []wanted) {
	for _, l := range lines {
		if n := min(l.units, int64(s[site][l.item])); n > 0 {
			got = append(got, wanted{l.item, n})
		}
	}
	return got
}

// fills counts how much of lines a site could fill, pieces of lines included, and
// how many lines it would handle.
func (s shelves) fills(site int, lines []wanted) (filled float64, handled int) {
	for _, l := range lines {
		if n := min(l.units, int64(s[site][l.item])); n > 0 {
			filled += float64(n) / float64(l.units)
			handled++
		}
	}
	return filled, handled
}

// leftOf is what lines still lack when they got that. Both ascend by item.
func leftOf(lines, got []wanted) (rest []wanted) {
	for _, l := range lines {
		if len(got) > 0 && got[0].item == l.item {
			l.units -= got[0].units
			got = got[1:]
		}
		if l.units > 0 {
			rest = append(rest, l)
		}
	}
	return rest
}

// costOf is what a site costs that handles so many lines of an order. What the
// chosen store has itself costs nothing: it is collected there.
func costOf(c *sourcing.Candidate, lines int) int64 {
	if c.Request.Form == sourcing.ShipToStore && c.Site == c.Request.At {
		return 0
	}
	return chainCosts.Part(c) + int64(lines)*chainCosts.Line("", 0, c.Site)
}

// answer works out cost and promise of parts, the same way whoever decided.
func (w *world) answer(o *wish, parts []piece) answer {
	a := answer{parts: parts}
	rest := o.lines
	for _, part := range parts {
		c := sourcing.Candidate{Site: &w.seen[part.site], Request: &o.request, Distance: part.distance, Room: -1}
		a.cost += costOf(&c, len(part.lines))
		a.way += part.distance
		if ready, reason := c.Promise(len(o.lines)); reason == 0 && ready.After(a.ready) {
			a.ready = ready
		}
		rest = leftOf(rest, part.lines)
	}
	a.filled, a.whole = len(o.lines)-len(rest), len(rest) == 0
	if len(parts) > 0 && o.form != sourcing.Ship {
		zone := w.seen[max(o.store, 0)].Calendar.Zone
		if o.store < 0 {
			zone = w.seen[parts[0].site].Calendar.Zone
		}
		a.today = sameDay(a.ready.In(zone), o.at.In(zone))
	}
	return a
}

func sameDay(a, b time.Time) bool { return a.Year() == b.Year() && a.YearDay() == b.YearDay() }

// breaksLines reports whether units of one line come from more than one location.
func (a *answer) breaksLines() bool {
	seen := map[int]bool{}
	for _, part := range a.parts {
		for _, l := range part.lines {
			if seen[l.item] {
				return true
			}
			seen[l.item] = true
		}
	}
	return false
}
