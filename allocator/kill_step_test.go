package allocator_test

import (
	"context"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// next is what becomes of a reservation next; nil: nothing more.
func (c *killCaller) next(r *allocator.Reservation) *killAsk {
	at := c.draw.IntN(20)
	switch r.State {
	case allocator.Held:
		return c.nextHeld(r, at)
	case allocator.Confirmed, allocator.Accepted:
		return c.nextConfirmed(r, at)
	case allocator.InTransit:
		if at < 4 {
			return &killAsk{Verb: "arrive", Lines: c.some(r, func(l *allocator.ReservedLine) int64 { return l.Confirmed })}
		}
		return &killAsk{Verb: "arrive"}
	case allocator.Ready:
		switch {
		case at < 3:
			return &killAsk{Verb: "cancel"}
		case at < 8:
			return &killAsk{Verb: "collect", Lines: c.some(r, func(l *allocator.ReservedLine) int64 { return l.Confirmed })}
		}
		return &killAsk{Verb: "collect"}
	case allocator.Packed:
		if at < 2 {
			return &killAsk{Verb: "cancel"}
		}
		return c.shipped(at)
	case allocator.Shipped:
		switch {
		case at < 3:
			return c.parcel(allocator.Change{Do: allocator.DoLose})
		case at < 6:
			back := allocator.Change{Do: allocator.DoReturnToSender, As: allocator.Disposition(c.draw.IntN(3))}
			if at < 4 {
				back.Location = killPlaces[c.draw.IntN(7)]
			}
			return c.parcel(back)
		}
		return c.parcel(allocator.Change{Do: allocator.DoDeliver})
	case allocator.Collected, allocator.Delivered:
		if at < 8 {
			return nil
		}
		back := allocator.Return{ID: c.id("r"), Location: killPlaces[c.draw.IntN(7)], As: allocator.Disposition(c.draw.IntN(3))}
		if at < 14 {
			back.Lines = c.some(r, func(l *allocator.ReservedLine) int64 { return l.Collected - l.Returned })
		}
		return &killAsk{Verb: "return", Returns: []allocator.Return{back}}
	}
	for i := range r.Lines {
		if r.Lines[i].Missing > 0 && at < 8 {
			return &killAsk{Verb: "reroute"}
		}
	}
	return nil
}

// parcel is a request about a parcel, which a change with an ID alone can make.
func (c *killCaller) parcel(change allocator.Change) *killAsk {
	change.ID = c.id("c")
	return &killAsk{Verb: "change", Changes: []allocator.Change{change}}
}

// shipped hands a parcel to a carrier.
func (c *killCaller) shipped(at int) *killAsk {
	return c.parcel(allocator.Change{Do: allocator.DoShip, Parcel: allocator.Parcel{Carrier: "DHL", Tracking: fmt.Sprint("JJD", at)}})
}

func (c *killCaller) nextHeld(r *allocator.Reservation, at int) *killAsk {
	switch {
	case at < 2:
		return &killAsk{Verb: "cancel"}
	case at < 4:
		return &killAsk{Verb: "extend", By: time.Duration(1+c.draw.IntN(2)) * time.Hour}
	case at < 5:
		return &killAsk{Verb: "reassign", Token: "cart", To: allocator.Owner{Token: "cart", Channel: "till"}}
	case at < 8:
		return &killAsk{Verb: "confirm", Lines: c.some(r, func(l *allocator.ReservedLine) int64 { return l.Held })}
	}
	return &killAsk{Verb: "confirm"}
}

func (c *killCaller) nextConfirmed(r *allocator.Reservation, at int) *killAsk {
	open := func(l *allocator.ReservedLine) int64 { return l.Confirmed }
	switch {
	case r.Form == sourcing.ShipToStore && at < 10 && r.Store != "":
		return &killAsk{Verb: "dispatch", Location: r.Store}
	case at < 2:
		return &killAsk{Verb: "reject"}
	case at < 4:
		return &killAsk{Verb: "reject", Lines: c.some(r, open)}
	case at < 5:
		return &killAsk{Verb: "reroute"}
	case at < 7:
		return &killAsk{Verb: "short pick", Lines: c.some(r, open)}
	case at < 8:
		return &killAsk{Verb: "cancel", Lines: c.some(r, open)}
	case at < 9:
		return &killAsk{Verb: "dispatch", Location: c.one(killPlaces)}
	case at < 12 && r.State == allocator.Confirmed:
		return &killAsk{Verb: "accept"}
	}
	switch {
	case r.Form == sourcing.Ship && at < 14: // else it is refused
		return c.parcel(allocator.Change{Do: allocator.DoPack})
	case r.Form == sourcing.Ship && at < 18:
		return c.shipped(at)
	case r.Form == sourcing.ShipToStore && r.Location != r.Store && at < 18:
		return &killAsk{Verb: "dispatch", Location: r.Store}
	}
	p := allocator.Pickup{Code: "4711"}
	if at < 15 {
		p.Until = c.world.Base.Add(240 * time.Hour)
	}
	return &killAsk{Verb: "ready", Pickup: p}
}

// some is a part of a reservation's lines, at least one unit; nil: there are none.
func (c *killCaller) some(r *allocator.Reservation, units func(*allocator.ReservedLine) int64) (lines []allocator.Line) {
	for i := range r.Lines {
		if n := units(&r.Lines[i]); n > 0 && (len(lines) == 0 || c.draw.IntN(2) == 0) {
			lines = append(lines, allocator.Line{SKU: r.Lines[i].SKU, Quantity: 1 + c.draw.Int64N(n)})
		}
	}
	return lines
}

// move books goods in, out, or to another place.
func (c *killCaller) move(ctx context.Context) error {
	w, at := c.world, c.one(killPlaces)
	few := func(of []string) []allocator.Line {
		return []allocator.Line{{SKU: c.one(of), Quantity: 1 + c.draw.Int64N(3)}}
	}
	q := killAsk{Verb: "receive", Receipts: []allocator.Receipt{w.receipt(c.id("m"), at, c.draw, 60)}}
	switch c.draw.IntN(12) {
	case 0:
		q.Receipts = append(q.Receipts, w.receipt(c.id("m"), c.one(killPlaces), c.draw, 40))
	case 1:
		q = killAsk{Verb: "sell", Sales: []allocator.Sale{{ID: c.id("m"), Location: at, Lines: few(killStocked)}, {ID: c.id("m"), Location: at, Lines: few(killLotSKU)}}}
	case 2:
		count := allocator.Count{ID: c.id("m"), Location: at, Lines: few(killStocked)}
		count.Lines[0].Quantity = 10 + c.draw.Int64N(40)
		if c.draw.IntN(2) == 0 {
			count.AsOf = time.Now().UTC().Add(-time.Millisecond)
		}
		q = killAsk{Verb: "count", Counts: []allocator.Count{count}}
	case 3:
		q = killAsk{Verb: "adjust", Adjustments: []allocator.Adjustment{{ID: c.id("m"), Location: at, Lines: []allocator.Line{{SKU: c.one(killStocked), Quantity: -1}}}}}
	case 4:
		q = killAsk{Verb: "damage", Damages: []allocator.Damage{{ID: c.id("m"), Location: at, Lines: few(killStocked)}}}
	case 5, 6:
		id := c.id("t")
		c.sent = append(c.sent, id)
		q = killAsk{Verb: "send", Transfers: []allocator.Transfer{{ID: id, From: at, To: c.one(killPlaces), Lines: few(killPlainSKU)}}}
	case 7, 8:
		if len(c.sent) == 0 {
			return nil
		}
		transfer := c.one(c.sent)
		q = killAsk{Verb: "deliver", Deliveries: []allocator.Delivery{{ID: c.id("m"), Transfer: transfer}}}
		if c.draw.IntN(3) == 0 {
			q = killAsk{Verb: "lose", Losses: []allocator.Loss{{ID: c.id("m"), Transfer: transfer}}}
		}
	}
	return c.ask(ctx, &q)
}

// set changes a setting of one of the caller's own locations, channels or SKUs, so
// that what was acknowledged last is what counts.
func (c *killCaller) set(ctx context.Context) error {
	w, i := c.world, c.number
	if c.draw.IntN(4) == 0 && i+killCallers < len(killPlaces) {
		i += killCallers
	}
	at := killPlaces[i]
	var q killAsk
	switch c.draw.IntN(12) {
	case 0:
		q = killAsk{Verb: "locations", Locations: []allocator.Location{killLocation(i, c.draw)}}
	case 1, 2:
		q.Verb = "windows"
		for k := range 1 + c.draw.IntN(4) {
			q.Windows = append(q.Windows, allocator.Window{Location: at, Start: w.Base.Add(time.Duration(k) * time.Hour), Length: time.Hour, Places: c.draw.Int64N(30)})
		}
	case 3:
		per := allocator.Period(i % 4)
		q = killAsk{Verb: "capacities", Capacities: []allocator.Capacity{{Location: at, Per: per, Orders: c.draw.Int64N(2) * (20 + c.draw.Int64N(200)), Lines: c.draw.Int64N(2) * 500}}}
	case 4:
		q.Verb = "protections"
		for _, sku := range []string{c.one(killPlainSKU), "", c.one(killQuotaSKU)} {
			p := allocator.Protection{Channel: c.one(append(killChannels, "")), SKU: sku, Location: at, Units: c.draw.Int64N(4)}
			if c.draw.IntN(3) == 0 {
				p.Units, p.Unset = 0, true
			}
			q.Protections = append(q.Protections, p)
		}
	case 5:
		if i > len(killBundle) {
			return nil
		}
		b := killBundleOf(append(killBundle, killNowSKU...)[i], c.draw)
		if i == len(killBundle) && c.draw.IntN(2) == 0 {
			b.Parts = nil
		}
		q = killAsk{Verb: "bundles", Bundles: []allocator.Bundle{b}}
	case 6:
		q = killAsk{Verb: "shelf lives", ShelfLives: []allocator.ShelfLife{{SKU: killLotSKU[i%2], Keeps: time.Duration(c.draw.IntN(3)) * 24 * time.Hour}}}
		if i >= 2 {
			return nil
		}
	case 7:
		q = killAsk{Verb: "safety", Safety: []allocator.SafetyStock{{SKU: c.one(killPlainSKU), Location: at, Units: c.draw.Int64N(4)}}}
	case 8:
		q = c.quota(at)
	case 9:
		extra := fmt.Sprintf("Z%d", c.number)
		q = killAsk{Verb: "locations", Locations: []allocator.Location{{ID: extra, Kind: allocator.Locker, Point: killPoint(i)}}}
		if c.draw.IntN(2) == 0 {
			q = killAsk{Verb: "remove", ID: extra}
		}
	case 10:
		q = c.quota(at)
	case 11:
		if !w.Evacuates {
			return nil
		}
		q = killAsk{Verb: "evacuate", Location: at}
	}
	return c.ask(ctx, &q)
}

// quota sets units aside, lends them, or gives them back.
func (c *killCaller) quota(at string) killAsk {
	sku := c.one(killQuotaSKU)
	switch c.draw.IntN(4) {
	case 0:
		loan := allocator.Loan{ID: c.id("m"), SKU: sku, Location: at, From: killChannels[0], To: c.one([]string{killChannels[1], ""}), Units: 1}
		c.lent = append(c.lent, loan)
		return killAsk{Verb: "borrow", Loans: []allocator.Loan{loan}}
	case 1:
		if len(c.lent) > 0 {
			loan := c.lent[len(c.lent)-1]
			loan.ID = c.id("m")
			return killAsk{Verb: "back", Loans: []allocator.Loan{loan}}
		}
	}
	return killAsk{Verb: "quota", Quotas: []allocator.Quota{{ID: c.id("m"), Channel: c.one(killChannels[:2]), SKU: sku, Location: at, Units: c.draw.Int64N(6)}}}
}
