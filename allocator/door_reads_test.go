package allocator_test

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/allocator/walk"
)

// doorReads are the calls that are not drawn as requests, by their methods.
var doorReads map[string]func(*doorCaller)

// doorReadNames are their names, often those that cost little.
var doorReadNames []string

func init() {
	doorReads = map[string]func(*doorCaller){
		"Available": (*doorCaller).available, "Stock": (*doorCaller).walkStock, "Lots": (*doorCaller).lots,
		"Lookup": (*doorCaller).lookup, "LookupTransfer": (*doorCaller).lookupTransfer, "List": (*doorCaller).list,
		"Quote": (*doorCaller).quote, "Candidates": (*doorCaller).candidates, "Explain": (*doorCaller).explain, "Nearby": (*doorCaller).nearby, "NearbyAll": (*doorCaller).nearbyAll,
		"Compare": (*doorCaller).compare, "SetRules": (*doorCaller).setRules, "SetShadow": (*doorCaller).setShadow,
		"Shadow": func(c *doorCaller) { _ = c.call("Shadow", func() error { c.a.Shadow(); return nil }) },
		"Stats":  func(c *doorCaller) { _ = c.call("Stats", func() error { c.a.Stats(); return nil }) },
		"Sizes":  func(c *doorCaller) { _ = c.call("Sizes", func() error { c.a.Sizes(); return nil }) }, "Orders": (*doorCaller).walkOrders,
		"Expire": (*doorCaller).expire, "RerouteFrom": (*doorCaller).evacuate, "RemoveLocation": (*doorCaller).remove,
		"Events": (*doorCaller).events, "History": (*doorCaller).history, "Export": (*doorCaller).export, "Audit": (*doorCaller).audit, "Snapshot": (*doorCaller).snapshot,
		"Locations": doorWalk("Locations", (*allocator.Allocator).Locations), "Capacities": doorWalk("Capacities", (*allocator.Allocator).Capacities),
		"Protections": doorWalk("Protections", (*allocator.Allocator).Protections), "Loans": doorWalk("Loans", (*allocator.Allocator).Loans),
		"Bundles": doorWalk("Bundles", (*allocator.Allocator).Bundles), "ShelfLives": doorWalk("ShelfLives", (*allocator.Allocator).ShelfLives),
		"Quotas": (*doorCaller).quotas, "Windows": (*doorCaller).windows,
	}
	dear := []string{"Audit", "Snapshot", "Compare", "Export", "History", "RerouteFrom"}
	for _, name := range killSorted(doorReads) {
		times := 20
		if slices.Contains(dear, name) {
			times = 1
		} else if name == "Available" {
			times = 100
		}
		doorReadNames = append(doorReadNames, slices.Repeat([]string{name}, times)...)
	}
}

// doorWalk walks something, with calls inside of the loop.
func doorWalk[T any, S ~func(func(T) bool)](name string, walk func(*allocator.Allocator) S) func(*doorCaller) {
	return func(c *doorCaller) {
		_ = c.call(name, func() error {
			for range walk(c.a) {
				if !c.body() {
					break
				}
			}
			return nil
		})
	}
}

// walkOrders walks reservations: half of one location, half of all.
func (c *doorCaller) walkOrders() {
	_ = c.call("Orders", func() error {
		for id, n := range c.a.Orders().Loads() {
			if n < 0 {
				c.d.fault("Loads: %d reservations at %q", n, id)
			}
			if !c.body() {
				break
			}
		}
		var f walk.Filter
		if c.draw.IntN(2) == 0 {
			f = walk.Filter{Location: c.kill.one(killPlaces), States: []allocator.State{allocator.Held, allocator.Collected}}
		}
		for r, err := range c.a.Orders().Walk(f).All(context.Background()) {
			if err != nil {
				return err
			}
			if f.Location != "" && r.Location != f.Location {
				c.d.fault("a walk of %s gave %s at %s", f.Location, r.ID, r.Location)
			}
			if !c.body() {
				break
			}
		}
		return nil
	})
}

func (c *doorCaller) sku() string {
	return c.kill.one(slices.Concat(killStocked, killLotSKU, killBundle))
}

func (c *doorCaller) available() {
	sku, at := c.sku(), c.kill.one(killPlaces)
	// Before the call: what comes later may take nothing that it sees.
	var v allocator.Availability
	err := c.call("Available", func() (err error) { v, err = c.a.Available(sku, at); return err })
	if fault := doorShelf(v); err == nil && fault != "" {
		c.d.fault("%s at %s: %s: %+v", sku, at, fault, v)
	}
	// Of a bundle it is the parts that may be short.
	if err == nil && v.Held > v.OnHand && !slices.Contains(append(killNowSKU, killBundle...), sku) && !c.d.book.mayBeShort(sku+" at "+at) {
		c.d.fault("oversold: %s at %s: %+v, and nobody took goods away", sku, at, v)
	}
}

// doorShelf says what cannot be of units at a location.
func doorShelf(v allocator.Availability) string {
	switch {
	case v.OnHand < 0 || v.Held < 0 || v.Safety < 0:
		return "fewer than none"
	case v.Available != v.OnHand-v.Held-v.Safety:
		return "does not add up"
	}
	return ""
}

// walkStock walks, reads and sums units.
func (c *doorCaller) walkStock() {
	sku, at := c.sku(), c.kill.one(killPlaces)
	_ = c.call("Stock", func() error {
		ctx, stock := context.Background(), c.a.Stock()
		switch c.draw.IntN(4) {
		case 0:
			_, err := stock.AvailableTo(c.kill.one(append([]string{""}, killChannels...)), sku, at)
			return err
		case 1:
			_, err := stock.Read(ctx, walk.Key{SKU: sku, Location: at}, walk.Key{SKU: "none", Location: at})
			return err
		case 2:
			_, err := stock.Sum(ctx, walk.Sums{SKUs: []string{sku}})
			return err
		}
		w := []walk.Walk[walk.Cell]{stock.Walk(), stock.At(at), stock.Of(sku)}[c.draw.IntN(3)]
		for cell, err := range w.All(ctx) {
			if err != nil {
				return err
			}
			if cell.OnHand < 0 {
				c.d.fault("a walk gave %+v", cell)
			}
			if !c.body() {
				break
			}
		}
		return nil
	})
}

func (c *doorCaller) lots() {
	_ = c.call("Lots", func() error {
		for _, v := range c.a.Lots(c.kill.one(killLotSKU), c.kill.one(killPlaces)) {
			if fault := doorShelf(v); fault != "" {
				c.d.fault("a lot: %s: %+v", fault, v)
			}
			if !c.body() {
				break
			}
		}
		return nil
	})
}

func (c *doorCaller) lookup() {
	if len(c.kill.orders) == 0 {
		return
	}
	id := c.kill.one(c.kill.orders)
	var r allocator.Reservation
	err := c.call("Lookup", func() (err error) { r, err = c.a.Lookup(id); return err })
	if err != nil {
		return
	}
	if fault := doorAddsUp(&r); fault != "" && !c.d.Forgets {
		c.d.fault("%s: %s", fault, killText(r))
	}
}

// doorAddsUp says what cannot be of a reservation: each unit is in one place.
func doorAddsUp(r *allocator.Reservation) string {
	for _, l := range r.Lines {
		if l.Quantity != l.Held+l.Confirmed+l.Collected+l.Missing+l.Expired+l.Canceled+l.Rerouted {
			return "units are in no place, or in two"
		}
		if min(l.Held, l.Confirmed, l.Collected, l.Missing, l.Expired, l.Canceled, l.Rerouted, l.Short, l.Returned) < 0 || l.Short > l.Held+l.Confirmed || l.Returned > l.Collected {
			return "units cannot be so many"
		}
	}
	return ""
}

func (c *doorCaller) lookupTransfer() {
	id := "none"
	if len(c.kill.sent) > 0 {
		id = c.kill.sent[0]
	}
	_ = c.call("LookupTransfer", func() error { _, err := c.a.LookupTransfer(id); return err })
}

func (c *doorCaller) list() {
	q := allocator.Listing{Location: c.kill.one(killPlaces), Limit: 1 + c.draw.IntN(200)}
	if c.one(2) {
		q = allocator.Listing{Customer: "C-3"}
	}
	_ = c.call("List", func() error {
		page, err := c.a.List(context.Background(), q)
		if q.After = page.Next; err == nil && q.After != "" {
			_, err = c.a.List(context.Background(), q)
		}
		return err
	})
}

// anOrder is a new order, or one that was made.
func (c *doorCaller) anOrder() allocator.Order {
	if e := c.d.book.anOrder(c.draw); e != nil && c.one(2) {
		return e.contents[c.draw.IntN(2)]
	}
	var o allocator.Order
	asks := c.kill.asks
	c.kill.asks = func(_ context.Context, q *killAsk) error { o = q.Orders[0]; return nil }
	_ = c.kill.order(context.Background())
	c.kill.asks = asks
	return o
}

func (c *doorCaller) quote() {
	o := c.anOrder()
	_ = c.call("Quote", func() error { _, err := c.a.Quote(o); return err })
}

func (c *doorCaller) candidates() {
	o := c.anOrder()
	_ = c.call("Candidates", func() error {
		found, err := c.a.Candidates(o)
		if err != nil {
			return err
		}
		for range found {
			if !c.body() {
				break
			}
		}
		return nil
	})
}

func (c *doorCaller) explain() {
	o := c.anOrder()
	_ = c.call("Explain", func() error {
		got, err := c.a.Explain(o)
		_ = got.String()
		return err
	})
}

func (c *doorCaller) nearby() {
	o := c.anOrder()
	_ = c.call("Nearby", func() error {
		found, err := c.a.Nearby(o)
		if err != nil {
			return err
		}
		for range found {
			if !c.body() {
				break
			}
		}
		return nil
	})
}

func (c *doorCaller) nearbyAll() {
	orders := []allocator.Order{c.anOrder(), c.anOrder()}
	_ = c.call("NearbyAll", func() error {
		var errs []error
		for _, n := range c.a.NearbyAll(3, orders...) {
			errs = append(errs, n.Err)
		}
		return doorFirstOf("NearbyAll", errs, c.d.Recorded)
	})
}

func (c *doorCaller) aRules() sourcing.Rules { return c.d.rules[c.draw.IntN(len(c.d.rules))] }

func (c *doorCaller) compare() {
	o := c.anOrder()
	_ = c.call("Compare", func() error { _, err := c.a.Compare(c.aRules(), o); return err })
}

func (c *doorCaller) setRules() {
	_ = c.call("SetRules", func() error { return c.a.SetRules(c.aRules()) })
}

func (c *doorCaller) setShadow() {
	var rules *sourcing.Rules
	if c.one(4) {
		r := c.aRules()
		rules = &r
	}
	_ = c.call("SetShadow", func() error { return c.a.SetShadow(rules) })
}

func (c *doorCaller) expire() {
	var now time.Time
	if c.one(3) {
		now = doorBegin.Add(time.Duration(c.d.passed.Load()-c.draw.Int64N(1000)) * time.Millisecond)
	}
	_ = c.call("Expire", func() error { _, err := c.a.Expire(now); return err })
}

func (c *doorCaller) evacuate() {
	ctx, stop := c.ctx()
	defer stop()
	_ = c.call("RerouteFrom", func() error {
		return c.a.RerouteFrom(ctx, c.kill.one(killPlaces), func(int, int, allocator.Allocation, error) bool { return c.body() })
	})
}

func (c *doorCaller) remove() {
	_ = c.call("RemoveLocation", func() error {
		return c.a.RemoveLocation(context.Background(), c.kill.one([]string{"Z1", "Z2", "Z3", "L0", "nowhere"}))
	})
}

// since is a record not long ago.
func (c *doorCaller) since() uint64 {
	last := c.a.Stats().Journal.Sequence
	return max(1, last-min(last, uint64(c.draw.IntN(50))))
}

func (c *doorCaller) events() {
	ctx, stop := c.untilTick()
	defer stop()
	_ = c.call("Events", func() error {
		for _, err := range c.a.Events(ctx, c.since()) {
			if err != nil {
				return err
			}
			if !c.body() {
				break
			}
		}
		return nil
	})
}

func (c *doorCaller) history() {
	_ = c.call("History", func() error {
		last := uint64(0)
		for e, err := range c.a.History(context.Background(), c.since()) {
			if err != nil {
				return err
			}
			if last != 0 && e.Sequence != last+1 {
				c.d.fault("event %d after %d", e.Sequence, last)
			}
			if last = e.Sequence; !c.body() {
				break
			}
		}
		return nil
	})
}

func (c *doorCaller) export() {
	var w io.Writer = io.Discard
	if c.one(4) {
		w = hostileWriter{}
	}
	_ = c.call("Export", func() error { _, err := c.a.Export(context.Background(), w, c.since()); return err })
}

func (c *doorCaller) audit() {
	ctx, stop := c.ctx()
	defer stop()
	_ = c.call("Audit", func() error {
		report, err := c.a.Audit(ctx)
		if err == nil && len(report.Differences) > 0 {
			c.d.fault("audit under way: %+v", report.Differences)
		}
		return err
	})
}

func (c *doorCaller) snapshot() {
	_ = c.call("Snapshot", func() error { return c.a.Snapshot(context.Background()) })
}

func (c *doorCaller) quotas() {
	_ = c.call("Quotas", func() error {
		for q, v := range c.a.Quotas() {
			if fault := doorShelf(v); fault != "" {
				c.d.fault("a quota: %s: %+v %+v", fault, q, v)
			}
			if !c.body() {
				break
			}
		}
		return nil
	})
}

func (c *doorCaller) windows() {
	at := cmp.Or(c.kill.one([]string{"", "L0", "L1", "L2"}))
	_ = c.call("Windows", func() error {
		for w := range c.a.Windows(at, time.Time{}, time.Time{}) {
			if w.Taken < 0 || w.Free != max(0, w.Places-w.Taken) {
				c.d.fault("a window: %+v", w)
			}
			if !c.body() {
				break
			}
		}
		return nil
	})
}
