package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// The rule by which an order of the second act gets its form: of the customers
// with a store within collectReach, collectPercent in a hundred collect, drawn by
// the seed, and all others have it shipped. A small order is collected at the
// nearest store that has all of it; a larger one at the nearest store of all,
// where what is missing is brought.
const (
	collectReach   = 50_000 // meters
	collectPercent = 80
	smallOrder     = 5 // lines
)

// wish is an order of the second act: what, when, and how it reaches the
// customer.
type wish struct {
	basket  int
	at      time.Time
	form    sourcing.Form
	store   int // number of the chosen one, for ShipToStore; else -1
	request sourcing.Request
	lines   []wanted
}

// wanted is units of one SKU.
type wanted struct {
	item  int // catalog number
	units int64
}

// wishes gives every basket its form.
func wishes(w *week, items []item, all []site, seen []sourcing.Site, s settings) []wish {
	rng := rand.New(rand.NewPCG(s.seed, streamForms))
	column := columns(items)
	out := make([]wish, len(w.baskets))
	for i, b := range w.baskets {
		o := wish{basket: i, at: b.at, form: sourcing.Ship, store: -1, lines: summed(b.lines, column)}
		nearest, distance := nearestStore(b.near, all)
		collects := rng.IntN(100) < collectPercent && nearest >= 0 && distance <= collectReach
		switch {
		case collects && len(o.lines) <= smallOrder:
			o.form = sourcing.Collect
		case collects:
			o.form, o.store = sourcing.ShipToStore, nearest
		}
		o.request = sourcing.Request{Now: o.at, Near: b.near, HasPoint: true, Form: o.form, Lines: len(o.lines), Within: s.reach}
		switch o.form {
		case sourcing.Collect:
			o.request.Within, o.request.Kinds = collectReach, 1<<allocator.Store
		case sourcing.ShipToStore: // distances are from the store, and none is too far
			o.request.Near, o.request.At, o.request.Within = all[nearest].location.Point, &seen[nearest], 0
		}
		out[i] = o
	}
	return out
}

// order is the wish as the engine takes it.
func (o *wish) order(id string, w *week, all []site, parcels int) allocator.Order {
	b := &w.baskets[o.basket]
	order := allocator.Order{ID: id, Near: b.near, Lines: b.lines, Form: o.form, MaxDistance: o.request.Within,
		MaxLocations: o.most(parcels), Partial: o.form != sourcing.Collect}
	switch o.form {
	case sourcing.Collect:
		order.Kinds = []allocator.Kind{allocator.Store}
	case sourcing.ShipToStore:
		order.At = all[o.store].location.ID
	}
	return order
}

// most is over how many locations the order may be split.
func (o *wish) most(parcels int) int {
	switch o.form {
	case sourcing.Collect:
		return 1
	case sourcing.ShipToStore:
		return max(2, parcels) // the store, and at least one who brings the rest
	}
	return parcels
}

// columns finds the catalog number of a SKU.
func columns(items []item) map[string]int {
	column := make(map[string]int, len(items))
	for k, it := range items {
		column[it.sku] = k
	}
	return column
}

// summed adds up the lines of the same SKU, in the order of the catalog.
func summed(lines []allocator.Line, column map[string]int) []wanted {
	units := make(map[int]int64, len(lines))
	for _, l := range lines {
		units[column[l.SKU]] += l.Quantity
	}
	out := make([]wanted, 0, len(units))
	for k, n := range units {
		out = append(out, wanted{k, n})
	}
	slices.SortFunc(out, func(a, b wanted) int { return cmp.Compare(a.item, b.item) })
	return out
}

// nearestStore is the number of the store nearest to a point; -1: there is none.
func nearestStore(p geo.Point, all []site) (number int, distance geo.Meters) {
	number = -1
	for i := range all {
		l := &all[i].location
		if l.Kind != allocator.Store {
			continue
		}
		d := geo.Distance(p, l.Point)
		if number < 0 || d < distance || d == distance && l.ID < all[number].location.ID {
			number, distance = i, d
		}
	}
	return number, distance
}
