package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// outcome is what became of one basket.
type outcome struct {
	site     int // number of the chosen site; -1 if refused
	distance geo.Meters
	refusal  refusal
}

// refusal is why a basket found no location.
type refusal uint8

const (
	notRefused    refusal = iota
	refusedShort          // locations in reach, each short of something
	refusedTooFar         // not one location in reach
	refusedNoSKU          // a SKU that no location was ever given
	refusedOther          // the engine would not take the order as it is
)

// played is the result of replaying the week once, order by order.
type played struct {
	outcomes  []outcome
	refused   [refusedOther + 1]int
	short     int            // locations that were short, summed over refusals
	tooFar    int            // locations out of reach, summed over refusals
	missing   map[string]int // refusals by the SKU the nearest location lacked
	other     error          // the first error behind refusedOther
	putBack   int            // cancellations booked
	unmatched int            // cancellations without an order that holds the goods
}

// orderName is the ID of a basket in one repetition of the week; 0 is the
// week itself. What the engine and this add to the invoice is at most
// maxPrefixBytes; a part's number stands behind a slash, so none is used here.
func orderName(repeat int, invoice string) string {
	return fmt.Sprintf("%d:%s", repeat, invoice)
}

const maxPrefixBytes = 20

// anyKind lets an order be held at a warehouse too, where no customer collects
// unless the order says so: the week is about where the goods are.
var anyKind = []allocator.Kind{allocator.Store, allocator.Warehouse}

// ordersOf makes the orders of a repetition of the week, in the same memory each
// time.
func (w *week) ordersOf(reach geo.Meters) func(repeat int) []allocator.Order {
	orders := make([]allocator.Order, len(w.baskets))
	return func(repeat int) []allocator.Order {
		for i, b := range w.baskets {
			orders[i] = allocator.Order{ID: orderName(repeat, b.invoice), Near: b.near, Lines: b.lines, MaxDistance: reach, Kinds: anyKind}
		}
		return orders
	}
}

// playWeek takes the orders one after the other as the file has them, with
// its cancellations in between.
func playWeek(ctx context.Context, a *allocator.Allocator, w *week, all []site, reach geo.Meters, p *progress) (*played, error) {
	number := make(map[string]int, len(all))
	for i, s := range all {
		number[s.location.ID] = i
	}
	res := &played{outcomes: make([]outcome, len(w.baskets)), missing: map[string]int{}}
	open := openLines{}
	cancellations := w.cancellations
	for i, b := range w.baskets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for len(cancellations) > 0 && cancellations[0].after <= i {
			if err := res.putBackLine(ctx, a, w, open, cancellations[0]); err != nil {
				return nil, err
			}
			cancellations = cancellations[1:]
		}
		got, err := a.Allocate(ctx, allocator.Order{
			ID: orderName(0, b.invoice), Near: b.near, Lines: b.lines, MaxDistance: reach, Kinds: anyKind,
		})
		if err == nil {
			res.outcomes[i] = outcome{site: number[got.Location], distance: got.Distance}
			open.add(i, b)
			p.show("allocating", i+1, len(w.baskets))
			continue
		}
		why, err := res.refuse(err)
		if err != nil {
			return nil, fmt.Errorf("order %s: %w", b.invoice, err)
		}
		res.outcomes[i] = outcome{site: -1, refusal: why}
	}
	for _, c := range cancellations {
		if err := res.putBackLine(ctx, a, w, open, c); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// refuse books a refusal by its reason. An error that is none comes back.
func (r *played) refuse(err error) (refusal, error) {
	var none *allocator.NoLocationError
	why := refusedOther
	switch {
	case errors.As(err, &none):
		short, tooFar := none.Counts().Short, none.Counts().TooFar
		r.short += short
		r.tooFar += tooFar
		why = refusedShort
		if short == 0 {
			why = refusedTooFar
		}
		if len(none.Candidates()) > 0 && none.Candidates()[0].SKU != "" {
			r.missing[none.Candidates()[0].SKU]++
		}
	case errors.Is(err, allocator.ErrUnknownSKU):
		why = refusedNoSKU
	case isRefusal(err):
		if r.other == nil {
			r.other = err
		}
	default:
		return 0, err
	}
	r.refused[why]++
	return why, nil
}

// isRefusal tells a business "no" from a failure.
func isRefusal(err error) bool {
	return errors.Is(err, allocator.ErrNoLocation) || errors.Is(err, allocator.ErrUnknownSKU) ||
		errors.Is(err, allocator.ErrInvalid) || errors.Is(err, allocator.ErrOverflow)
}

// openLine is an order line whose goods are still held.
type openLine struct {
	basket int
	left   int64
}

type openLines map[[2]string][]openLine

func (o openLines) add(i int, b basket) {
	for _, l := range b.lines {
		key := [2]string{b.country, l.SKU}
		o[key] = append(o[key], openLine{i, l.Quantity})
	}
}

// putBackLine finds the order that a cancellation is about. The file does not
// say which one it was, so it is the last order from the same country that
// still holds at least as many units of the SKU.
func (r *played) putBackLine(ctx context.Context, a *allocator.Allocator, w *week, open openLines, c cancellation) error {
	lines := open[[2]string{c.country, c.line.SKU}]
	for i := len(lines) - 1; i >= 0; i-- {
		l := &lines[i]
		if l.left < c.line.Quantity {
			continue
		}
		invoice := w.baskets[l.basket].invoice
		if err := a.Cancel(ctx, orderName(0, invoice), c.line); err != nil {
			return fmt.Errorf("cancelling %d of %s in order %s: %w", c.line.Quantity, c.line.SKU, invoice, err)
		}
		l.left -= c.line.Quantity
		r.putBack++
		return nil
	}
	r.unmatched++
	return nil
}

// held lists the IDs of the orders that found a location.
func (r *played) held(w *week) []string {
	var ids []string
	for i, o := range r.outcomes {
		if o.site >= 0 {
			ids = append(ids, orderName(0, w.baskets[i].invoice))
		}
	}
	return ids
}

// putAllBack cancels whatever the given orders still hold.
func putAllBack(ctx context.Context, a *allocator.Allocator, ids []string) error {
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.Cancel(ctx, id); err != nil && !errors.Is(err, allocator.ErrEnded) {
			return fmt.Errorf("putting back order %s: %w", id, err)
		}
	}
	return nil
}
