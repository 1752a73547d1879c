package reservation

import (
	"fmt"
	"math/rand/v2"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// call makes one call drawn from r and writes down the answer.
func (g *sameGame) call(r *rand.Rand) {
	switch p := r.IntN(100); {
	case p < 22:
		g.reserve(r)
	case p < 28:
		g.several(r)
	case p < 32:
		g.reroute(r)
	case p < 65:
		g.change(r)
	case p < 85:
		g.move(r)
	case p < 93:
		due, err := g.l.Expire(g.now - int64(r.IntN(8)/7*10_000))
		fmt.Fprintf(&g.out, "expire: %+v %v", due, err)
	case p < 96:
		v := SafetyLevel{SKU: uint32(r.IntN(sameSKUs)), Slot: uint32(r.IntN(sameSlots)), Units: int64(r.IntN(3))}
		if int(v.SKU) >= g.l.SKUs() {
			v.SKU = EverySKU
		}
		if r.IntN(4) == 0 {
			v.Slot = Everywhere
		}
		_, err := g.l.SetSafety(v, g.now)
		fmt.Fprintf(&g.out, "safety %+v: %v", v, err)
	case p < 97:
		_, _, err := g.l.AddSlot(fmt.Sprint("l", r.IntN(sameSlots)), []byte{byte(r.IntN(8))}, g.now)
		fmt.Fprintf(&g.out, "place: %v", err)
	default:
		g.state()
	}
}

func (g *sameGame) some(r *rand.Rand) (lines []Line) {
	for sku := range g.l.SKUs() {
		if r.IntN(3) == 0 {
			lines = append(lines, Line{SKU: uint32(sku), Quantity: int64(1 + r.IntN(3))})
		}
	}
	return lines
}

func (g *sameGame) reserve(r *rand.Rand) {
	number := r.IntN(40)
	lines := g.some(r)
	if len(lines) == 0 {
		return
	}
	h := Hold{ID: fmt.Sprint("o", number), Fingerprint: uint64(number), Slot: uint32(r.IntN(sameSlots)), Distance: float64(number) / 3,
		Now: g.now, Deadline: g.now + int64(r.IntN(20_000))}
	if r.IntN(3) == 0 {
		h.Order, h.Customer, h.Owner, h.Channel, h.Promise = "order", "customer", "token", "web", g.now+500
	}
	t := g.l.Table()
	how := len(lines)
	if g.claim.Bind(g.l, t, lines) {
		how = g.claim.Reserve(t.Space.Number(h.Slot), &h, &g.found)
	}
	fmt.Fprintf(&g.out, "reserve %+v %v: %d", h, lines, how)
	if how == Known {
		fmt.Fprint(&g.out, shownEntry(&g.found))
	}
}

// several reserves an order of several parts.
func (g *sameGame) several(r *rand.Rand) {
	var parts []Part
	number := r.IntN(40)
	for range 2 + r.IntN(3) {
		if lines := g.some(r); len(lines) > 0 {
			parts = append(parts, Part{Lines: lines, Hold: Hold{ID: fmt.Sprint("o", number), Part: uint8(len(parts) + 1), Fingerprint: uint64(number),
				Slot: uint32(r.IntN(sameSlots)), Now: g.now, Deadline: g.now + int64(10_000*(1+r.IntN(2))), Order: "order"}})
		}
	}
	if len(parts) == 0 {
		return
	}
	how := g.parts.Reserve(g.l, parts, &g.found)
	fmt.Fprintf(&g.out, "reserve %+v: %d", parts, how)
	if how == Known {
		fmt.Fprint(&g.out, shownEntry(&g.found))
	}
}

// reroute takes a unit of a part, or all that it has open, elsewhere.
func (g *sameGame) reroute(r *rand.Rand) {
	x := Reroute{ID: fmt.Sprint("o", r.IntN(40)), Part: uint8(1 + r.IntN(3)), Now: g.now, To: Part{Hold: Hold{Slot: uint32(r.IntN(sameSlots))}}}
	if !g.l.FindPart(x.ID, int(x.Part), &g.found) {
		return
	}
	for _, line := range g.found.Lines {
		if open := line.Held + line.Confirmed; open > 0 {
			x.To.Lines = append(x.To.Lines, Line{SKU: line.SKU, Quantity: open})
		}
	}
	if len(x.To.Lines) > 0 && r.IntN(2) == 0 {
		x.To.Part = uint8(2 + r.IntN(6))
		x.Lines = []Line{{SKU: x.To.Lines[0].SKU, Quantity: 1}}
		x.To.Lines = x.Lines
	}
	how := g.parts.Reroute(g.l, &x, &g.found)
	fmt.Fprintf(&g.out, "reroute %+v: %d", x, how)
	if how == Failed {
		fmt.Fprint(&g.out, g.parts.Err())
	}
	if how == Done || how == Known {
		fmt.Fprint(&g.out, shownEntry(&g.found))
	}
}

func (g *sameGame) change(r *rand.Rand) {
	c := Change{Verb: verbs[r.IntN(len(verbs))], ID: fmt.Sprint("o", r.IntN(40)), Part: uint8(r.IntN(8) / 5 * r.IntN(4)), Now: g.now, Print: uint64(r.IntN(8) / 7)}
	switch c.Verb {
	case history.Extended:
		c.Deadline, c.MaxHold = g.now+int64(r.IntN(20_000)), int64(r.IntN(2)*30_000)
	case history.Reassigned:
		c.Token, c.Owner, c.Channel = []string{"", "token"}[r.IntN(2)], []string{"", "token"}[r.IntN(2)], "app"
	case history.Ready:
		c.Deadline, c.Code = g.now+int64(r.IntN(20_000)), "code"
	case history.Dispatched:
		c.Slot = uint32(r.IntN(sameSlots))
	case history.Returned:
		c.Slot, c.Cause = uint32(r.IntN(sameSlots)), []history.Cause{history.Restocked, history.DamagedReturn, history.ToInspect}[r.IntN(3)]
		c.Lines = g.some(r)
	case history.Confirmed, history.Canceled, history.Collected, history.Arrived, history.ShortPicked:
		if r.IntN(2) == 0 {
			c.Lines = g.some(r)
		}
	}
	if c.Verb == history.Returned || r.IntN(4) == 0 {
		c.ID2 = fmt.Sprint("c", r.IntN(60))
	}
	what := fmt.Sprintf("%+v", c)
	state, _, err := g.l.Do(&c)
	if err != nil {
		state = 0 // said by the error
	}
	fmt.Fprintf(&g.out, "%s: %v %v", what, state, err)
	for _, e := range g.l.FindAll(c.ID, nil) {
		fmt.Fprint(&g.out, shownEntry(&e))
	}
}

// sameCauses are the movements drawn, often and seldom.
var sameCauses = []history.Cause{history.Received, history.Received, history.Received, history.Received, history.Received, history.Counted,
	history.Sold, history.Adjusted, history.Damaged, history.Sent, history.Sent, history.Delivered, history.Delivered, history.Lost}

func (g *sameGame) move(r *rand.Rand) {
	m := Movement{ID: fmt.Sprint("m", r.IntN(80)), Cause: sameCauses[r.IntN(len(sameCauses))], Slot: uint32(r.IntN(sameSlots)), Now: g.now}
	if g.calm && m.Cause != history.Sent && m.Cause != history.Delivered && m.Cause != history.Lost {
		m.Cause = history.Received
	}
	for _, at := range r.Perm(sameSKUs)[:1+r.IntN(2)] {
		units := int64(1 + r.IntN(4))
		switch m.Cause {
		case history.Received:
			units *= 2
		case history.Adjusted:
			units -= 3
		}
		m.Lines = append(m.Lines, MovementLine{SKU: skuNames[at], Units: units})
	}
	switch m.Cause {
	case history.Sent:
		m.ID, m.To = fmt.Sprint("t", r.IntN(20)), uint32(r.IntN(sameSlots))
	case history.Delivered, history.Lost:
		m.Ref, m.Slot = fmt.Sprint("t", r.IntN(20)), 0
		if r.IntN(2) == 0 {
			m.Lines = nil
		}
	case history.Counted:
		m.AsOf = g.now * int64(r.IntN(2))
	}
	what := fmt.Sprintf("%+v", m)
	_, err := g.l.Move(&m)
	fmt.Fprintf(&g.out, "%s: %v", what, err)
	if m.Ref != "" && g.l.FindTransfer(m.Ref, &g.found) {
		fmt.Fprint(&g.out, shownEntry(&g.found))
	}
}
