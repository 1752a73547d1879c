package allocator_test

import (
	"context"
	"errors"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// move makes a movement.
func (p *doorPair) move() {
	ctx, a, w := context.Background(), p.a, p.w
	at, lines := p.at(), p.lines()
	var err, want error
	verb := p.one(doorTwinMoves...)
	for i := range lines {
		if lines[i].SKU == "never" && (verb == "receive" || verb == "count" || verb == "adjust") {
			lines[i].SKU = "a"
		}
	}
	switch verb {
	case "receive":
		err = a.Receive(ctx, allocator.Receipt{ID: p.id("m"), Location: at, Lines: lines})
		want = w.move(at, lines, func(there, units int64) int64 { return there + units })
	case "count":
		lines = w.sums(lines)
		for i := range lines {
			lines[i].Quantity = p.draw.Int64N(25)
		}
		err = a.Count(ctx, allocator.Count{ID: p.id("m"), Location: at, Lines: lines})
		want = w.move(at, lines, func(_, units int64) int64 { return units })
	case "sell":
		err = a.Sell(ctx, allocator.Sale{ID: p.id("m"), Location: at, Lines: lines})
		want = w.move(at, lines, func(there, units int64) int64 { return there - units })
	case "damage":
		err = a.WriteOff(ctx, allocator.Damage{ID: p.id("m"), Location: at, Lines: lines})
		want = w.move(at, lines, func(there, units int64) int64 { return there - units })
	case "adjust":
		lines = w.sums(lines)
		for i := range lines {
			if p.draw.IntN(2) == 0 {
				lines[i].Quantity = -lines[i].Quantity
			}
		}
		err = a.Adjust(ctx, allocator.Adjustment{ID: p.id("m"), Location: at, Lines: lines})
		want = w.move(at, lines, func(there, units int64) int64 { return there + units })
	case "send":
		t := allocator.Transfer{ID: p.id("t"), From: at, To: p.one(twinPlaces...), Lines: lines}
		if t.From == t.To {
			return
		}
		err, want = a.Send(ctx, t), w.send(t)
		if p.sent = append(p.sent, t.ID); len(p.sent) > 10 {
			p.sent = p.sent[1:]
		}
	default:
		p.arrive(verb)
		return
	}
	if p.same(verb+" "+at+" "+killText(lines), err, want) && err == nil {
		p.did[verb]++
	}
	p.shelves()
}

// arrive has goods of a transfer arrive, or not.
func (p *doorPair) arrive(verb string) {
	if len(p.sent) == 0 {
		return
	}
	ctx, id := context.Background(), p.one(p.sent...)
	var lines []allocator.Line
	if t := p.w.transfers[id]; t != nil && p.draw.IntN(2) == 0 {
		l := t.lines[p.draw.IntN(len(t.lines))]
		lines = []allocator.Line{{SKU: l.SKU, Quantity: 1 + p.draw.Int64N(l.Quantity)}}
	}
	var err error
	if verb == "lose" {
		err = p.a.Lose(ctx, allocator.Loss{ID: p.id("m"), Transfer: id, Lines: lines})
	} else {
		err = p.a.Deliver(ctx, allocator.Delivery{ID: p.id("m"), Transfer: id, Lines: lines})
	}
	if p.same(verb+" "+id, err, p.w.arrives(id, lines, verb == "lose")) && err == nil {
		p.did[verb]++
	}
	got, err := p.a.LookupTransfer(id)
	want := p.w.transfers[id]
	if want == nil {
		if !errors.Is(err, allocator.ErrNotFound) {
			p.fault("%s: %v", id, err)
		}
		return
	}
	if err != nil || got.From != want.from || got.To != want.to || killText(got.Lines) != killText(want.lines) {
		p.fault("transfer %s: got %s, %v; the twin says %s", id, killText(got), err, killText(want.lines))
	}
	p.shelves()
}

// set sets safety stock, a protection level, or a window.
func (p *doorPair) set() {
	ctx := context.Background()
	switch p.draw.IntN(4) {
	case 0:
		s := allocator.SafetyStock{SKU: p.one("", "a", "b", "c"), Location: p.one("", "L0", "L1"), Units: p.draw.Int64N(3)}
		p.w.safety[doorAt{s.SKU, s.Location}] = s.Units
		p.same("safety "+killText(s), p.a.SetSafetyStock(ctx, s), nil)
	case 1:
		l := allocator.Protection{Channel: p.one("", "web", "app"), SKU: p.one("", "a", "b"), Location: p.one("", "L0", "L2"), Units: p.draw.Int64N(6)}
		if l.Unset = p.draw.IntN(3) == 0; l.Unset {
			l.Units = 0
			delete(p.w.levels, allocator.Protection{Channel: l.Channel, SKU: l.SKU, Location: l.Location})
		} else {
			p.w.levels[allocator.Protection{Channel: l.Channel, SKU: l.SKU, Location: l.Location}] = l.Units
		}
		p.same("level "+killText(l), p.a.SetProtection(ctx, l), nil)
	case 3:
		c := allocator.Capacity{Location: p.one(twinPlaces...), Per: allocator.Period(p.draw.IntN(4)), Orders: p.draw.Int64N(4), Lines: p.draw.Int64N(2) * p.draw.Int64N(8)}
		p.w.limits[c.Location] = c
		if c.Orders+c.Lines == 0 {
			delete(p.w.limits, c.Location)
		}
		p.same("capacity "+killText(c), p.a.SetCapacity(ctx, c), nil)
	case 2:
		v := allocator.Window{Location: p.one(twinPlaces...), Start: p.start(), Length: time.Hour, Places: p.draw.Int64N(5)}
		p.w.windows[doorVisit{v.Location, v.Start}] = v.Places
		p.same("window "+killText(v), p.a.SetWindows(ctx, v), nil)
	}
}

// look compares everything.
func (p *doorPair) look() {
	for _, id := range killSorted(p.w.orders) {
		p.reservation(id)
	}
	p.shelves()
	for v := range p.a.Windows("", time.Time{}, time.Time{}) {
		places, taken := p.w.window(doorVisit{v.Location, v.Start})
		if v.Places != places || v.Taken != taken {
			p.fault("got %+v, the twin says %d of %d\nbefore: %s", v, taken, places, killText(p.log))
		}
	}
}

// shelves compares the units at every location, and what channels could take.
func (p *doorPair) shelves() {
	for _, at := range twinPlaces {
		for _, sku := range twinSKUs {
			got, err := p.a.Available(sku, at)
			want := p.w.available(sku, at)
			if err != nil || got != want {
				p.fault("%s at %s: got %+v, %v; the twin says %+v\nbefore: %s", sku, at, got, err, want, killText(p.log))
			}
			for _, channel := range []string{"", "web"} {
				n, err := p.a.Stock().AvailableTo(channel, sku, at)
				if most := max(0, want.Available-p.w.level(channel, sku, at)); err != nil || n != most {
					p.fault("%s at %s to %q: got %d, %v; the twin says %d", sku, at, channel, n, err, most)
				}
			}
		}
	}
}
