package allocator_test

import (
	"context"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator"
)

// doorTale is what the history tells: the units on hand at each cell, and how each
// reservation came to stand as it does.
type doorTale struct {
	book   *doorBook
	cells  map[string]*doorCell
	parts  map[doorName]*doorPart
	moves  map[string]int // times that a movement is told
	states map[string]allocator.OrderState
	faults []string
	last   uint64
}

// doorCell is the units on hand of a SKU at a location: between two bounds where
// the history does not say how many were found missing.
type doorCell struct{ least, most int64 }

// doorName is a part of an order.
type doorName struct {
	id   string
	part int
}

// doorPart is a reservation by its units, by SKU. Held and confirmed ones, and in
// reroutes missing ones, are not told apart.
type doorPart struct {
	at   string
	told map[string]*doorUnits
}

type doorUnits struct{ quantity, collected, returned, lapsed, canceled, rerouted int64 }

func newDoorTale(book *doorBook) *doorTale {
	return &doorTale{book: book, cells: map[string]*doorCell{}, parts: map[doorName]*doorPart{}, moves: map[string]int{}, states: map[string]allocator.OrderState{}}
}

func (t *doorTale) fault(e *allocator.Event, format string, args ...any) {
	t.faults = append(t.faults, fmt.Sprintf(format, args...)+" in "+killText(e))
}

// tells reads the history and compares it with what there is.
func (d *door) tells() []string {
	t := newDoorTale(&d.book)
	for e, err := range d.a.History(context.Background(), 0) {
		if err != nil {
			return []string{fmt.Sprintf("history: %v", err)}
		}
		t.add(&e)
	}
	t.moved()
	t.shelves(d.a)
	for _, e := range d.book.orders {
		t.order(d.a, e)
	}
	return t.faults
}

// add goes on with the next event.
func (t *doorTale) add(e *allocator.Event) {
	if e.Sequence != t.last+1 {
		t.fault(e, "event %d after %d", e.Sequence, t.last)
	}
	t.last = e.Sequence
	if e.OrderState != 0 {
		if t.states[e.ID] == e.OrderState {
			t.fault(e, "the order was %v", e.OrderState)
		}
		t.states[e.ID] = e.OrderState
	}
	if len(e.Shares) == 0 {
		t.tell(e)
		return
	}
	if len(e.Shares) < 2 || e.Part != 0 || e.Location != "" || e.Lines != nil {
		t.fault(e, "several parts, and one")
	}
	for _, s := range e.Shares {
		one := *e
		one.Part, one.Location, one.Lines, one.Shares = s.Part, s.Location, s.Lines, nil
		t.tell(&one)
	}
}

// tell goes on with an event about one thing.
func (t *doorTale) tell(e *allocator.Event) {
	switch e.Name {
	case "StockReceived", "StockCounted", "SaleRecorded", "StockAdjusted", "StockDamaged", "TransferReceived", "QuotaMoved":
		t.movement(e, e.ID)
		t.shelf(e, 1)
	case "TransferShipped":
		t.movement(e, "transfer "+e.ID)
		t.shelf(e, 1)
	case "TransferShort":
		t.movement(e, e.ID)
	case "HoldPlaced":
		t.placed(e)
	case "Collected":
		t.shelf(e, -1)
		t.part(e, func(u *doorUnits, n int64) { u.collected += n })
	case "Delivered":
		t.part(e, func(u *doorUnits, n int64) { u.collected += n })
	case "DeliveryFailed":
		t.part(e, func(*doorUnits, int64) {})
	case "ReturnedToSender":
		if e.Cause == "restocked" {
			t.shelf(e, 1)
		}
		t.part(e, func(u *doorUnits, n int64) { u.canceled += n })
	case "InTransit", "Shipped":
		t.shelf(e, -1)
		t.part(e, func(*doorUnits, int64) {})
	case "ArrivedForPickup":
		t.shelf(e, 1)
		t.comesTo(e, e.Location)
		t.part(e, func(*doorUnits, int64) {})
	case "ShortPicked":
		t.found(e)
		t.part(e, func(*doorUnits, int64) {})
	case "ReservationCanceled":
		t.part(e, func(u *doorUnits, n int64) { u.canceled += n })
	case "HoldExpired", "NoShow":
		t.part(e, func(u *doorUnits, n int64) { u.lapsed += n })
	case "ReturnReceived":
		if e.Cause == "restocked" {
			t.shelf(e, 1)
		}
		t.part(e, func(u *doorUnits, n int64) { u.returned += n })
	case "Rerouted":
		if e.Other == 0 {
			t.comesTo(e, e.To)
		} else {
			t.part(e, func(u *doorUnits, n int64) { u.rerouted += n })
		}
	}
}

// movement compares a movement with what was asked for.
func (t *doorTale) movement(e *allocator.Event, id string) {
	if e.ID == "" {
		return // of places
	}
	asked := t.book.moves[id]
	if asked == nil {
		t.fault(e, "nobody asked for it")
		return
	}
	if t.moves[id]++; t.moves[id] > 1 {
		t.fault(e, "it is told twice")
	}
	if asked.name != e.Name {
		t.fault(e, "it was asked for as %s", asked.name)
	}
	if asked.units == nil {
		return
	}
	told := map[string]int64{}
	for _, l := range e.Lines {
		told[l.SKU] += l.Units
	}
	for sku, units := range asked.units {
		if told[sku] != units {
			t.fault(e, "%d of %s were asked for", units, sku)
		}
	}
	if len(told) != len(asked.units) {
		t.fault(e, "%v were asked for", asked.units)
	}
}

// moved looks for movements that were acknowledged and are not told.
func (t *doorTale) moved() {
	for _, id := range killSorted(t.book.moves) {
		if m := t.book.moves[id]; m.made && t.moves[id] == 0 {
			t.faults = append(t.faults, fmt.Sprintf("%s %s was acknowledged and is not told", m.name, id))
		}
	}
}

func (t *doorTale) cell(sku, at string) *doorCell {
	cell := t.cells[sku+" at "+at]
	if cell == nil {
		cell = &doorCell{}
		t.cells[sku+" at "+at] = cell
	}
	return cell
}

// shelf moves units on hand.
func (t *doorTale) shelf(e *allocator.Event, sign int64) {
	for _, l := range e.Lines {
		cell := t.cell(l.SKU, e.Location)
		cell.least, cell.most = max(0, cell.least+sign*l.Units), cell.most+sign*l.Units
		t.onHand(e, cell, l)
	}
}

// found takes units away that were looked for, as far as a count had not.
func (t *doorTale) found(e *allocator.Event) {
	for _, l := range e.Lines {
		cell := t.cell(l.SKU, e.Location)
		cell.least = max(0, cell.least-l.Units)
		t.onHand(e, cell, l)
	}
}

// onHand compares the units on hand with what the event says of them.
func (t *doorTale) onHand(e *allocator.Event, cell *doorCell, l allocator.EventLine) {
	if l.OnHand != nil {
		if *l.OnHand < cell.least || *l.OnHand > cell.most {
			t.fault(e, "%s: %d to %d on hand", l.SKU, cell.least, cell.most)
		}
		cell.least, cell.most = *l.OnHand, *l.OnHand
	}
	if cell.most < 0 {
		t.fault(e, "%s: fewer than none on hand", l.SKU)
		cell.least, cell.most = 0, 0
	}
}

// placed begins a reservation.
func (t *doorTale) placed(e *allocator.Event) {
	if t.parts[doorName{e.ID, e.Part}] != nil {
		t.fault(e, "a second beginning")
	}
	p := &doorPart{at: e.Location, told: map[string]*doorUnits{}}
	for _, l := range e.Lines {
		p.told[l.SKU] = &doorUnits{quantity: l.Units}
	}
	t.parts[doorName{e.ID, e.Part}] = p
}

// comesTo brings a reservation to another location.
func (t *doorTale) comesTo(e *allocator.Event, to string) {
	if p := t.parts[doorName{e.ID, e.Part}]; p != nil {
		p.at = to
	}
}

// part goes on with a reservation.
func (t *doorTale) part(e *allocator.Event, move func(*doorUnits, int64)) {
	p := t.parts[doorName{e.ID, e.Part}]
	if p == nil {
		t.fault(e, "it did not begin")
		return
	}
	for _, l := range e.Lines {
		u := p.told[l.SKU]
		if u == nil {
			t.fault(e, "%s is not of it", l.SKU)
			continue
		}
		move(u, l.Units)
		if u.quantity < u.collected+u.lapsed+u.canceled+u.rerouted || u.returned > u.collected {
			t.fault(e, "more units than there are: %+v", *u)
		}
	}
}

// shelves compares the units on hand with those of the engine.
func (t *doorTale) shelves(a *allocator.Allocator) {
	for _, at := range killPlaces {
		for _, sku := range killShelved(a) {
			v, err := a.Available(sku, at)
			if cell := t.cell(sku, at); err != nil || v.OnHand < cell.least || v.OnHand > cell.most {
				t.faults = append(t.faults, fmt.Sprintf("%s at %s: %+v (%v), the history says %+v", sku, at, v, err, *cell))
			}
		}
	}
}

// order compares an order with what is told of its parts.
func (t *doorTale) order(a *allocator.Allocator, o *doorOrder) {
	id := o.contents[0].ID
	r, err := a.Lookup(id)
	if err != nil {
		told := t.parts[doorName{id, 1}] != nil
		if o.first.text != "" || told {
			t.faults = append(t.faults, fmt.Sprintf("order %.60s: %v, told %v", id, err, told))
		}
		return
	}
	if fault := doorAddsUp(&r); fault != "" {
		t.faults = append(t.faults, fault+": "+killText(r))
	}
	if r.OrderState != t.states[id] {
		t.faults = append(t.faults, fmt.Sprintf("order %.60s is %q, told %q", id, r.OrderState, t.states[id]))
	}
	if len(r.Parts) == 0 {
		t.reservation(&r, doorName{id, 1})
		t.state(id, &r, r)
		return
	}
	sums, whole := doorSums(nil, &r, false), map[string]doorUnits{}
	var parts []allocator.Reservation
	for _, n := range r.Parts {
		p, err := a.Part(id, n).Lookup()
		if err != nil {
			t.faults = append(t.faults, fmt.Sprintf("part %d of %.60s: %v", n, id, err))
			continue
		}
		t.reservation(&p, doorName{id, n})
		whole, parts = doorSums(whole, &p, true), append(parts, p)
	}
	if len(parts) == len(r.Parts) {
		t.state(id, &r, parts...)
	}
	if killText(fmt.Sprint(sums)) != killText(fmt.Sprint(whole)) {
		t.faults = append(t.faults, fmt.Sprintf("order %.60s: %+v, its parts together %+v", id, sums, whole))
	}
}

// state compares an order's state with that of its parts.
func (t *doorTale) state(id string, r *allocator.Reservation, parts ...allocator.Reservation) {
	if want := doorState(parts); r.OrderState != want {
		t.faults = append(t.faults, fmt.Sprintf("order %.60s is %q, its parts make it %q", id, r.OrderState, want))
	}
}

// doorState is the state of an order of these parts, by counting.
func doorState(parts []allocator.Reservation) allocator.OrderState {
	ended := []struct {
		part  allocator.State
		order allocator.OrderState
	}{{allocator.Collected, allocator.OrderCollected}, {allocator.Delivered, allocator.OrderDelivered}, {allocator.Returned, allocator.OrderReturned},
		{allocator.ReturnedToSender, allocator.OrderReturnedToSender}, {allocator.Lost, allocator.OrderLost}, {allocator.NoShow, allocator.OrderNoShow},
		{allocator.Canceled, allocator.OrderCanceled}, {allocator.Expired, allocator.OrderExpired}}
	n, open := map[allocator.State]int{}, 0
	got, byParcel, held := false, true, false
	for _, p := range parts {
		collected, some := int64(0), false
		for _, l := range p.Lines {
			collected += l.Collected
			some = some || l.Held > 0
		}
		switch {
		case len(p.Lines) == 0 || p.State == allocator.Rerouted: // a place in a window, or elsewhere
			continue
		case collected > 0 && p.State != allocator.Returned:
			got, byParcel = true, byParcel && p.State == allocator.Delivered
		}
		n[p.State]++
		if !p.State.Ended() {
			open++
			held = held || some
		}
	}
	switch {
	case open == 0:
		for _, end := range ended {
			if n[end.part] > 0 {
				return end.order
			}
		}
		return 0
	case got && byParcel:
		return allocator.OrderPartlyDelivered
	case got:
		return allocator.OrderPartlyCollected
	case n[allocator.Shipped] == open:
		return allocator.OrderShipped
	case n[allocator.Shipped] > 0:
		return allocator.OrderPartlyShipped
	case n[allocator.Ready] == open:
		return allocator.OrderReady
	case n[allocator.Ready] > 0:
		return allocator.OrderPartlyReady
	case held:
		return allocator.OrderHeld
	case n[allocator.Confirmed] < open:
		return allocator.OrderInProgress
	}
	return allocator.OrderConfirmed
}

// doorSums adds the units of a reservation; of one that is a part without those
// that are in another.
func doorSums(sums map[string]doorUnits, r *allocator.Reservation, part bool) map[string]doorUnits {
	if sums == nil {
		sums = map[string]doorUnits{}
	}
	for _, l := range r.Lines {
		u := sums[l.SKU]
		u.quantity += l.Quantity
		if part {
			u.quantity -= l.Rerouted
		}
		u.collected, u.returned, u.lapsed, u.canceled = u.collected+l.Collected, u.returned+l.Returned, u.lapsed+l.Expired, u.canceled+l.Canceled
		if u != (doorUnits{}) {
			sums[l.SKU] = u
		}
	}
	return sums
}

// reservation compares a reservation with what is told of it.
func (t *doorTale) reservation(r *allocator.Reservation, id doorName) {
	p := t.parts[id]
	if p == nil {
		t.faults = append(t.faults, fmt.Sprintf("reservation %.60v is not told of", id))
		return
	}
	if r.Location != p.at {
		t.faults = append(t.faults, fmt.Sprintf("reservation %.60v is at %s, told at %s", id, r.Location, p.at))
	}
	for _, l := range r.Lines {
		is := doorUnits{l.Quantity, l.Collected, l.Returned, l.Expired, l.Canceled, l.Rerouted}
		if u := p.told[l.SKU]; u == nil || *u != is {
			t.faults = append(t.faults, fmt.Sprintf("reservation %.60v: %s: %+v, told %+v", id, l.SKU, is, u))
		}
	}
	if len(p.told) != len(r.Lines) {
		t.faults = append(t.faults, fmt.Sprintf("reservation %.60v: %d lines, told %d", id, len(r.Lines), len(p.told)))
	}
}
