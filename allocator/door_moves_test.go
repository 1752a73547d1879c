package allocator_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// movement makes a movement of a kind that is rare among those that are drawn with
// the other requests: of lots, of what is on hand already, of several SKUs, in
// lists, of nothing there, wrong ones.
func (c *doorCaller) movement() {
	at := c.kill.one(killPlaces)
	var q killAsk
	switch c.draw.IntN(10) {
	case 0:
		q = killAsk{Verb: "count", Counts: []allocator.Count{{ID: c.kill.id("m"), Location: at, Lines: c.asItIs(at)}}}
	case 1:
		q = killAsk{Verb: "count", Counts: []allocator.Count{{ID: c.kill.id("m"), Location: at, Lines: c.goods(at, 30)}}}
		q.Counts[0].Lots = c.lotsOf(q.Counts[0].Lines)
	case 2:
		q = killAsk{Verb: "sell", Sales: []allocator.Sale{{ID: c.kill.id("m"), Location: at, Lines: c.goods(at, 4)}}}
		q.Sales[0].Lots = c.lotsOf(q.Sales[0].Lines)
	case 3:
		q = killAsk{Verb: "damage", Damages: []allocator.Damage{{ID: c.kill.id("m"), Location: at, Lines: c.goods(at, 4)}, {ID: c.kill.id("m"), Location: at, Lines: c.goods(at, 2)}}}
		q.Damages[0].Lots = c.lotsOf(q.Damages[0].Lines)
	case 4:
		lines := c.goods(at, 5)
		for i := range lines {
			if c.one(2) {
				lines[i].Quantity = -lines[i].Quantity
			}
		}
		q = killAsk{Verb: "adjust", Adjustments: []allocator.Adjustment{{ID: c.kill.id("m"), Location: at, Lines: lines, Lots: c.lotsOf(lines)}}}
	case 5:
		q = killAsk{Verb: "send", Transfers: []allocator.Transfer{{ID: c.kill.id("t"), From: at, To: c.kill.one(killPlaces), Lines: c.goods(at, 3)}}}
	case 6:
		if len(c.kill.sent) == 0 {
			return
		}
		q = killAsk{Verb: "deliver", Deliveries: []allocator.Delivery{{ID: c.kill.id("m"), Transfer: c.kill.sent[0], Lines: c.goods(at, 2)}}}
		if c.one(2) {
			q = killAsk{Verb: "lose", Losses: []allocator.Loss{{ID: c.kill.id("m"), Transfer: c.kill.sent[0], Lines: c.goods(at, 2)}}}
		}
	case 7:
		q = killAsk{Verb: "receive", Receipts: []allocator.Receipt{{ID: c.kill.id("m"), Location: at, Lines: c.goods(at, 20)}}}
		q.Receipts[0].Lots = c.lotsOf(q.Receipts[0].Lines)
	case 9: // a location moves
		i := c.draw.IntN(len(killPlaces))
		l := killLocation(i, c.draw)
		l.Point.Lat += float64(c.draw.IntN(9)) / 100
		q = killAsk{Verb: "locations", Locations: []allocator.Location{l}}
	case 8:
		q = killAsk{Verb: "safety", Safety: []allocator.SafetyStock{{SKU: c.kill.one([]string{"", c.sku()}), Location: c.kill.one([]string{"", at}), Units: c.draw.Int64N(3)}}}
	}
	if c.one(60) {
		c.spoil(&q)
	}
	c.run(&q)
}

// goods are lines of few units, no SKU twice.
func (c *doorCaller) goods(at string, most int64) (lines []allocator.Line) {
	all := append(killStocked[:len(killStocked):len(killStocked)], killLotSKU...)
	for _, i := range c.draw.Perm(len(all))[:1+c.draw.IntN(3)] {
		lines = append(lines, allocator.Line{SKU: all[i], Quantity: 1 + c.draw.Int64N(most)})
	}
	return lines
}

// asItIs is a count of what is on hand: nothing changes if nobody else is at work.
func (c *doorCaller) asItIs(at string) []allocator.Line {
	lines := c.goods(at, 1)
	for i := range lines {
		if v, err := c.a.Available(lines[i].SKU, at); err == nil {
			lines[i].Quantity = v.OnHand
		}
	}
	return lines
}

// lotsOf says the lots of lines of SKUs that have lots: one that came, none, or one
// that never did.
func (c *doorCaller) lotsOf(lines []allocator.Line) map[string]allocator.Lot {
	lots := map[string]allocator.Lot{}
	for _, l := range lines {
		switch {
		case !strings.HasPrefix(l.SKU, "l") || c.one(3):
		case c.one(12):
			lots[l.SKU] = allocator.Lot{ID: fmt.Sprint("odd-", c.draw.IntN(4)), Expires: c.d.world.Base.Add(time.Duration(c.draw.IntN(9)) * 24 * time.Hour)}
		default:
			lots[l.SKU] = c.d.world.killLot(c.draw.IntN(3))
		}
	}
	return lots
}

// spoilOrder makes an order one that is refused, mostly.
func (c *doorCaller) spoilOrder(o *allocator.Order) {
	switch c.draw.IntN(10) {
	case 0:
		o.Lines[0].Quantity = 1 << 40
	case 1:
		o.Lines[0].Quantity = 0
	case 2:
		o.Lines[0].SKU = "never"
	case 3:
		o.At = "nowhere"
	case 4:
		o.Near = geo.Point{}
	case 5:
		o.Form = 9
	case 6:
		o.MaxDistance = 1
	case 7:
		o.Kinds = []allocator.Kind{allocator.Locker, allocator.Warehouse}
	case 8:
		o.Channel = "bad\xff"
	case 9:
		o.NeededBy = doorBegin
	}
}

// spoil makes a movement one that is refused.
func (c *doorCaller) spoil(q *killAsk) {
	at := c.draw.IntN(4)
	lines := func(lines []allocator.Line) {
		switch at {
		case 0:
			lines[0].Quantity = 1 << 40
		case 1:
			lines[0].Quantity = 0
		case 2:
			lines[0].SKU = "never"
		}
	}
	for i := range q.Sales {
		lines(q.Sales[i].Lines)
		q.Sales[i].Location = []string{"nowhere", q.Sales[i].Location}[min(at&1, 1)]
	}
	for i := range q.Damages {
		lines(q.Damages[i].Lines)
	}
	for i := range q.Adjustments {
		lines(q.Adjustments[i].Lines)
	}
	for i := range q.Transfers {
		lines(q.Transfers[i].Lines)
	}
}
