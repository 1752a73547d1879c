package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator"
)

// books is what the audit asks the engine.
type books interface {
	Lookup(id string) (allocator.Reservation, error)
	Part(order string, number int) allocator.Part
	Available(sku, location string) (allocator.Availability, error)
}

// verdict is the result of an audit.
type verdict struct {
	reservations int
	held         int64   // units
	oversold     int64   // units held beyond what the replay itself put there
	disagree     int     // cells where engine and reservations tell different stories
	cells        int     // compared
	left         []int64 // units still available, by site
	seeded       []int64 // units at the start, by site
}

// partsOf is what each location does for an order.
func partsOf(b books, id string) (parts []allocator.Reservation, err error) {
	whole, err := b.Lookup(id)
	if err != nil || whole.Parts == nil {
		return []allocator.Reservation{whole}, err
	}
	for _, n := range whole.Parts {
		part, err := b.Part(id, n).Lookup()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// audit recomputes, without trusting any total of the engine, whether more was
// promised than there is: it adds up the reservations of the given orders and
// compares every cell with the stock it was seeded with and with what the
// engine says of the cell.
func audit(ctx context.Context, b books, ids []string, all []site, items []item, p *progress) (*verdict, error) {
	column := make(map[string]int, len(items))
	for k, it := range items {
		column[it.sku] = k
	}
	number := make(map[string]int, len(all))
	for i, s := range all {
		number[s.location.ID] = i
	}
	v := &verdict{left: make([]int64, len(all)), seeded: make([]int64, len(all))}
	held := make([]int64, len(all)*len(items))
	for _, id := range ids {
		parts, err := partsOf(b, id)
		if err != nil {
			return nil, fmt.Errorf("looking up order %s: %w", id, err)
		}
		for _, r := range parts {
			i, ok := number[r.Location]
			if !ok {
				return nil, fmt.Errorf("order %s is held at %q, which is not one of the locations", id, r.Location)
			}
			v.reservations++
			for _, l := range r.Lines {
				k, ok := column[l.SKU]
				if !ok {
					return nil, fmt.Errorf("order %s holds %q, which is not one of the SKUs", id, l.SKU)
				}
				held[i*len(items)+k] += l.Held
				v.held += l.Held
			}
		}
	}
	for i, s := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for k, it := range items {
			if err := v.cell(b, &all[i], i, it.sku, int64(s.units[k]), held[i*len(items)+k]); err != nil {
				return nil, err
			}
		}
		p.show("checking", i+1, len(all))
	}
	return v, nil
}

// cell compares one SKU at one site.
func (v *verdict) cell(b books, s *site, i int, sku string, seeded, held int64) error {
	v.seeded[i] += seeded
	v.oversold += max(0, held-seeded)
	if seeded == 0 && held == 0 {
		return nil // the engine may not know this pair at all
	}
	v.cells++
	got, err := b.Available(sku, s.location.ID)
	if err != nil && !errors.Is(err, allocator.ErrNotFound) {
		return fmt.Errorf("asking for %s at %s: %w", sku, s.location.ID, err)
	}
	if got.OnHand != seeded || got.Held != held || got.Available != seeded-held {
		v.disagree++
	}
	v.left[i] += got.Available
	return nil
}
