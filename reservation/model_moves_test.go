package reservation

import (
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// skuNames are the names that SKUs get, in the order in which they first come.
var skuNames = []string{"tea", "cup", "hat", "pen"}

// articles are lines by name: any units, of any SKU.
func (g *game) articles(least, most int) (lines []MovementLine) {
	for _, name := range skuNames {
		if g.n(len(skuNames)) == 0 {
			units := int64(least + g.n(most-least+1))
			if least > 0 && g.n(128) == 127 {
				units = MaxQuantity - int64(g.n(4))
			}
			lines = append(lines, MovementLine{SKU: name, Units: units})
		}
	}
	if len(lines) == 0 {
		lines = append(lines, MovementLine{SKU: skuNames[g.n(len(skuNames))], Units: int64(max(1, least))})
	}
	if g.n(2) == 1 {
		slices.Reverse(lines)
	}
	return lines
}

// causes of movements, often and seldom.
var causes = []history.Cause{history.Received, history.Received, history.Received, history.Counted, history.Counted, history.Sold, history.Sold,
	history.Sent, history.Sent, history.Adjusted, history.Damaged}

func (g *game) move() {
	m := &Movement{Cause: causes[g.n(len(causes))], Slot: g.slot(), Now: g.now, Available: g.n(8) == 7}
	switch m.Cause {
	case history.Received:
		m.Lines = g.articles(1, 12)
	case history.Counted:
		m.Lines = g.articles(0, 9)
		if g.n(2) == 1 {
			m.AsOf = g.now - int64(g.n(5_000))
		}
	case history.Adjusted:
		m.Lines = g.articles(-4, 4)
	case history.Sent:
		m.To = g.slot()
		m.Lines = g.articles(1, 4)
	default:
		m.Lines = g.articles(1, 4)
	}
	ids, prefix, twins := &g.moves, "move", &g.w.moves
	var i int
	if m.Cause == history.Sent {
		i = g.pick(&g.transfers, "transfer", 14)
		for len(g.w.transfers) <= i {
			g.w.transfers = append(g.w.transfers, nil)
		}
		m.ID = g.transfers[i]
	} else {
		i = g.pick(ids, prefix, 14)
		for len(*twins) <= i {
			*twins = append(*twins, nil)
		}
		m.ID = g.moves[i]
		if known := g.w.moves[i]; known != nil && g.n(2) == 1 {
			again := *known // the same once more, in another order
			again.Now, again.Lines = g.now, slices.Clone(known.Lines)
			slices.Reverse(again.Lines)
			if m = &again; m.Ref != "" {
				g.deliverAs(i, m)
				return
			}
		}
	}
	if g.talks {
		g.last = fmt.Sprintf("%v %q at %d to %d as of %d %v", m.Cause, m.ID, m.Slot, m.To, m.AsOf, m.Lines)
	}
	own := *m
	own.Lines = slices.Clone(m.Lines)
	want := g.w.move(i, &own)
	_, err := g.l.Move(m)
	g.fact(err, want)
	g.lookAt(m.Slot, m.To)
}

func (g *game) deliver() {
	if len(g.transfers) == 0 {
		return
	}
	i := g.pick(&g.moves, "move", 14)
	for len(g.w.moves) <= i {
		g.w.moves = append(g.w.moves, nil)
	}
	m := &Movement{ID: g.moves[i], Cause: history.Delivered, Ref: g.transfers[g.pick(&g.transfers, "transfer", 0)], Now: g.now}
	if g.n(3) == 2 {
		m.Cause = history.Lost
	}
	if g.n(2) == 1 {
		m.Lines = g.articles(1, 3)
	}
	g.deliverAs(i, m)
}

func (g *game) deliverAs(i int, m *Movement) {
	j := slices.Index(g.transfers, m.Ref)
	for len(g.w.transfers) <= j {
		g.w.transfers = append(g.w.transfers, nil)
	}
	if g.talks {
		g.last = fmt.Sprintf("%v %q of %q %v", m.Cause, m.ID, m.Ref, m.Lines)
	}
	own := *m
	want := g.w.deliver(i, j, &own)
	_, err := g.l.Move(m)
	g.fact(err, want)
	if o := g.w.transfers[j]; o != nil {
		g.lookAt(o.to, o.to)
	}
}

func (g *game) expire() {
	now := g.now
	switch g.n(8) {
	case 6:
		now -= hour // the clock was set back
	case 7:
		now += int64(g.n(30_000))
		g.now = now
	}
	if g.talks {
		g.last = fmt.Sprintf("expire %d", now)
	}
	want := g.w.expire(now)
	got, err := g.l.Expire(now)
	g.fact(err, nil)
	is(g, "counts", got, want)
	is(g, "more is due", g.l.NextDue() <= now, false)
}

func (g *game) safety() {
	v := SafetyLevel{SKU: EverySKU, Slot: Everywhere, Units: int64(g.n(4))}
	if g.n(4) > 0 && len(g.w.skus) > 0 {
		v.SKU = uint32(g.n(len(g.w.skus)))
	}
	if g.n(4) > 0 {
		v.Slot = g.slot()
	}
	if g.n(16) == 15 {
		v.Units = MaxQuantity
	}
	if g.talks {
		g.last = fmt.Sprintf("safety %+v", v)
	}
	want := g.w.setSafety(v)
	_, err := g.l.SetSafety(v, g.now)
	g.fact(err, want)
}

// locations come, go, and get other numbers.
func (g *game) locations() {
	switch g.n(3) {
	case 0:
		g.addSlot()
	case 1:
		g.renumber()
	default:
		if n := slices.IndexFunc(g.w.slots, func(s twinSlot) bool { return !s.gone }); n == len(g.w.slots)-1 {
			return
		}
		here := 0
		for slot := range g.w.slots {
			if g.w.here(uint32(slot)) {
				here++
			}
		}
		slot := g.slot()
		if here < 2 || g.w.slots[slot].gone {
			return
		}
		if g.talks {
			g.last = fmt.Sprintf("remove %d", slot)
		}
		want := g.w.remove(slot)
		_, err := g.l.Remove(slot, g.now, func() {})
		g.fact(err, want)
	}
}

func (g *game) addSlot() {
	name := fmt.Sprint("l", g.n(4))
	at := slices.IndexFunc(g.w.slots, func(s twinSlot) bool { return s.name == name && !s.gone })
	if g.talks {
		g.last = "add " + name
	}
	slot, _, err := g.l.AddSlot(name, []byte{byte(g.n(2))}, g.now)
	if at < 0 && len(g.w.slots) == twinSlots {
		g.fact(err, ErrFull)
		return
	}
	g.fact(err, nil)
	if at < 0 {
		at = len(g.w.slots)
		g.w.slots = append(g.w.slots, twinSlot{name: name})
	}
	is(g, "slot", int(slot), at)
	if g.w.slots[at].numbered = g.w.slots[at].numbered || g.l.Join(slot, func(uint32) {}); !g.w.slots[at].numbered {
		g.renumber()
	}
}

func (g *game) renumber() {
	var order []uint32
	for slot := range g.w.slots {
		s := &g.w.slots[slot]
		if s.numbered = !s.gone; s.numbered {
			order = append(order, uint32(slot))
		}
	}
	if g.n(2) == 1 {
		slices.Reverse(order)
	}
	g.l.Renumber(order, g.n(3), func(*Table) {})
}

// adopt takes over, once for each step, who is short of goods: the sum is checked elsewhere.
func (g *game) adopt() {
	if !g.loose || g.adopted {
		return
	}
	g.adopted = true
	for _, o := range g.w.shelf {
		if !g.l.FindPart(g.orders[orderOf(o.number)], o.part, &g.found) || len(g.found.Lines) != len(o.lines) {
			continue // look tells
		}
		for i := range o.lines {
			if l := &o.lines[i]; l.short != g.found.Lines[i].Short {
				l.short = g.found.Lines[i].Short
			}
		}
	}
}

// lookAll compares all parts of an order, one by one and together.
func (g *game) lookAll(order int) {
	all := g.w.partsOf(order)
	g.all = g.l.FindAll(g.orders[order], g.all[:0])
	if len(g.all) != len(all) {
		is(g, "parts of "+g.orders[order], len(g.all), len(all))
		return
	}
	for i, o := range all {
		is(g, "a part among all", [2]int{g.all[i].Part, int(g.all[i].State)}, [2]int{o.part, int(o.state)})
	}
	for part := range twinParts {
		g.look(partAt(order, part+1))
	}
}

// look compares a part of an order, and what is where it is.
func (g *game) look(i int) {
	g.adopt()
	o, id := g.w.orders[i], g.orders[orderOf(i)]
	if !g.l.FindPart(id, i%twinParts+1, &g.found) {
		is(g, "found "+id, false, o != nil)
		return
	}
	if o == nil {
		is(g, "found "+id, true, false)
		return
	}
	f := &g.found
	is(g, "state", f.State, o.state)
	is(g, "location", [2]uint32{f.Slot, f.To}, [2]uint32{o.slot, o.to})
	is(g, "deadline", f.Deadline, o.deadline)
	if o.state == Ready {
		is(g, "pickup", f.Pickup, o.pickup)
	}
	is(g, "references", [5]string{f.Order, f.Customer, f.Owner, f.Channel, f.Code}, [5]string{o.order, "", o.owner, o.channel, o.code})
	is(g, "lines", len(f.Lines), len(o.lines))
	for j := range min(len(f.Lines), len(o.lines)) {
		l := &o.lines[j]
		want := EntryLine{SKU: l.sku, Quantity: l.quantity, Held: l.held, Confirmed: l.confirmed, Collected: l.collected,
			Returned: l.returned, Missing: l.missing, Lapsed: l.lapsed, Short: l.short, Rerouted: l.rerouted}
		if got := f.Lines[j]; got != want {
			is(g, "line", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
		}
		is(g, "canceled", f.Lines[j].Canceled(), l.canceled)
	}
	g.lookOrigin(f, o)
	g.lookAt(o.slot, o.to)
}

func (g *game) lookAt(slots ...uint32) {
	for _, slot := range slots {
		for sku := range uint32(len(g.w.skus)) {
			g.lookCell(sku, slot)
		}
	}
}

func (g *game) lookCell(sku, slot uint32) {
	if g.w.slots[slot].gone {
		return
	}
	got, want := g.l.Available(sku, slot), g.w.level(sku, slot)
	if got != want {
		is(g, fmt.Sprintf("SKU %d at %d", sku, slot), fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
	g.adopt()
	held, short := g.w.held(sku, slot)
	if got.OnHand < 0 || short != max(0, held-got.OnHand) {
		is(g, fmt.Sprintf("oversold: SKU %d at %d: on hand %d, held %d, short", sku, slot, got.OnHand, held), short, max(0, held-got.OnHand))
	}
}

// verify compares everything.
func (g *game) verify() {
	for i := range g.orders {
		g.lookAll(i)
	}
	g.lookRest()
}

// lookRest compares what look does not.
func (g *game) lookRest() {
	g.lookNotes()
	g.w.cells(g.lookCell)
	for i, o := range g.w.transfers {
		if o == nil {
			continue
		}
		if !g.l.FindTransfer(g.transfers[i], &g.found) {
			is(g, "transfer", "not found", g.transfers[i])
			continue
		}
		is(g, "transfer "+g.transfers[i], g.found.State, o.state)
		for j, l := range o.lines {
			got := g.found.Lines[j]
			is(g, "units of transfer "+g.transfers[i], [4]int64{got.Quantity, got.Confirmed, got.Collected, got.Missing},
				[4]int64{l.quantity, l.confirmed, l.collected, l.missing})
		}
	}
	live, _ := g.l.state.Book.Len()
	on := 0
	for _, o := range g.w.transfers {
		if o != nil && o.state == InTransit {
			on++
		}
	}
	is(g, "live entries", live, len(g.w.shelf)+on)
}

// end closes the ledger.
func (g *game) end() {
	if g.talks {
		g.last = "end"
	}
	g.verify()
	g.fact(g.l.Close(), nil)
}
