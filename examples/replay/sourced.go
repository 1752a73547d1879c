package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// sourced is the second act: the week again, from the same stock, by stores that
// open and close, with orders that are collected, brought or shipped.
type sourced struct {
	wishes  []wish
	engine  []answer
	nearest []answer // by nearestFirst
	greedy  []answer // by greedy
	gaps    gaps
	differ  int                  // orders whose cost or promise the engine tells otherwise
	why     sourcing.Explanation // of the split with the most to tell
	told    *wish                // whose explanation that is
	once    *verdict             // after the week
	speed   *speed
	often   *verdict // after the last measured repetition
}

// gaps is how far the engine's splits may be from the cheapest there were.
type gaps struct {
	splits, exact int
	unknown       int     // splits without a bound, or that break up a line
	worst         float64 // of those with a bound that is not reached, as a share of it
}

// source plays the second act, in an engine of its own.
func source(ctx context.Context, in *inputs, items []item, all []site, s settings, p *progress) (res *sourced, err error) {
	zone, err := time.LoadLocation(orderZone)
	if err != nil {
		return nil, fmt.Errorf("time zone of the orders: %w", err)
	}
	week := &in.week
	week.timesOf(zone)
	all, seen, err := opened(all)
	if err != nil {
		return nil, err
	}
	w := &world{all: all, seen: seen, parcels: s.parcels}
	res = &sourced{wishes: wishes(week, items, all, seen, s)}
	clock := new(simulated)
	clock.set(week.baskets[0].at)
	a, err := allocator.Open(ctx, sourcedOptions(week, clock))
	if err != nil {
		return nil, fmt.Errorf("opening the engine: %w", err)
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if _, err := fill(ctx, a, all, items, p); err != nil {
		return nil, err
	}
	held, err := res.play(ctx, a, week, w, columns(items), clock, p)
	if err != nil {
		return nil, err
	}
	if res.once, err = audit(ctx, a, held, all, items, p); err != nil {
		return nil, err
	}
	if err := putAllBack(ctx, a, held); err != nil {
		return nil, err
	}
	if res.nearest, err = w.decide(ctx, nearestFirst, res.wishes); err != nil {
		return nil, err
	}
	if res.greedy, err = w.decide(ctx, greedy, res.wishes); err != nil {
		return nil, err
	}
	return res, res.race(ctx, a, week, w, items, s, p)
}

// sourcedOptions makes an engine whose time is that of the orders and whose holds
// outlast the week.
func sourcedOptions(week *week, clock *simulated) allocator.Options {
	o := engineOptions(week)
	o.Clock, o.ManualExpiry = clock.now, true
	o.Rules = sourcing.Rules{Costs: chainCosts}
	o.MaxHold = 366 * 24 * time.Hour
	o.HoldFor = o.MaxHold
	return o
}

// race measures how fast the orders are sourced, at the time of the last one.
func (r *sourced) race(ctx context.Context, a *allocator.Allocator, week *week, w *world, items []item, s settings, p *progress) (err error) {
	orders := make([]allocator.Order, len(r.wishes))
	r.speed, err = measure(ctx, a, week, func(repeat int) []allocator.Order {
		for i := range r.wishes {
			orders[i] = r.wishes[i].order(orderName(repeat, week.baskets[i].invoice), week, w.all, w.parcels)
		}
		return orders
	}, s, p)
	if err != nil {
		return err
	}
	r.often, err = audit(ctx, a, r.speed.heldIDs, w.all, items, p)
	return err
}

// play lets the engine decide and hold the orders, each at its time. It returns
// the IDs of those that got anything.
func (r *sourced) play(ctx context.Context, a *allocator.Allocator, week *week, w *world, column map[string]int, clock *simulated, p *progress) (held []string, err error) {
	number := make(map[string]int, len(w.all))
	for i, s := range w.all {
		number[s.location.ID] = i
	}
	r.engine = make([]answer, len(r.wishes))
	for i := range r.wishes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o := &r.wishes[i]
		clock.set(o.at)
		id := orderName(0, week.baskets[o.basket].invoice)
		got, err := a.Allocate(ctx, o.order(id, week, w.all, w.parcels))
		if err != nil && !isRefusal(err) {
			return nil, fmt.Errorf("order %s: %w", id, err)
		}
		var parts []piece
		if err == nil {
			held = append(held, id)
			for _, part := range got.Parts() {
				parts = append(parts, piece{number[part.Location], part.Distance, summed(part.Lines(), column)})
			}
		}
		r.engine[i] = w.answer(o, parts)
		if err == nil && (got.Cost != r.engine[i].cost || !got.Ready.Equal(r.engine[i].ready)) {
			r.differ++
		}
		if len(parts) > 1 {
			r.noteSplit(o, &r.engine[i], got.Explain())
		}
		p.show("sourcing", i+1, len(r.wishes))
	}
	return held, nil
}

// noteSplit notes how good a split is. The explanation that is kept is that of an
// order over few locations, best a chosen store that is brought something, with
// few lines: it fits the screen.
func (r *sourced) noteSplit(o *wish, a *answer, e sourcing.Explanation) {
	r.gaps.splits++
	switch {
	case e.Bound <= 0 || a.breaksLines(): // which units come from where is not a part of the search
		r.gaps.unknown++
	case e.Exact:
		r.gaps.exact++
	default:
		r.gaps.worst = max(r.gaps.worst, float64(e.Cost)/float64(e.Bound)-1)
	}
	better := r.told == nil || cmp.Or(cmp.Compare(len(e.Chosen), len(r.why.Chosen)),
		cmp.Compare(o.form, r.told.form), cmp.Compare(len(o.lines), len(r.told.lines))) < 0
	if a.whole && better {
		r.why, r.told = e, o
	}
}
