package allocator_test

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/walk"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// outside is a copy of an engine in another program: what walks gave, and every event
// since, once.
type outside struct {
	orders   map[outsideName]*outsideOrder
	shelves  map[walk.Key]map[walk.Mark]int64
	sequence uint64 // of the walk, then of the last event
}

type outsideName struct {
	id   string
	part int
}

type outsideOrder struct {
	allocator.Reservation
	form  string
	marks []outsideMark
	units []life.Line // of each mark
}

// outsideMark is which units of a reservation.
type outsideMark struct {
	sku string
	walk.Mark
}

// take begins the copy of a reservation by what a walk gave.
func (o *outside) take(r allocator.Reservation) {
	c := &outsideOrder{Reservation: r, form: r.Form.String()}
	if r.Apart == nil {
		for _, l := range r.Lines {
			r.Apart = append(r.Apart, walk.ApartLine{SKU: l.SKU, Quantity: l.Quantity, Held: l.Held, Confirmed: l.Confirmed, Collected: l.Collected, Missing: l.Missing,
				Expired: l.Expired, Returned: l.Returned, Short: l.Short, Rerouted: l.Rerouted})
		}
	}
	for _, l := range r.Apart {
		c.marks = append(c.marks, outsideMark{l.SKU, l.Mark})
		c.units = append(c.units, life.Line{Quantity: uint32(l.Quantity), Held: uint32(l.Held), Confirmed: uint32(l.Confirmed), Collected: uint32(l.Collected),
			Returned: uint32(l.Returned), Missing: uint32(l.Missing), Lapsed: uint32(l.Expired), Short: uint32(l.Short), Rerouted: uint32(l.Rerouted)})
	}
	c.placeOnly()
	o.orders[outsideName{r.ID, r.Part}] = c
}

// placeOnly gives what holds a place at a store and no goods a line that nobody sees, so
// that it is known when it ends.
func (c *outsideOrder) placeOnly() {
	if len(c.marks) == 0 {
		c.units = []life.Line{{Quantity: 1}}
		c.units[0].Imply(c.State)
	}
}

// takeCell begins the copy of a cell.
func (o *outside) takeCell(c walk.Cell) {
	if len(c.Shelves) == 0 {
		c.Shelves = []walk.Shelf{{OnHand: c.OnHand}}
	}
	for _, s := range c.Shelves {
		o.shelf(c.Key, s)
	}
}

func (o *outside) shelf(k walk.Key, s walk.Shelf) {
	if o.shelves[k] == nil {
		o.shelves[k] = map[walk.Mark]int64{}
	}
	o.shelves[k][s.Mark] = s.OnHand
}

var outsideKinds = func() map[string]history.Kind {
	kinds := map[string]history.Kind{history.Held.Name(): history.Held}
	for _, v := range life.Verbs() {
		kinds[history.KindOf(v).Name()] = history.KindOf(v)
	}
	return kinds
}()

// apply brings an event in.
func (o *outside) apply(e *allocator.Event) {
	o.sequence = e.Sequence
	shares := e.Shares
	if len(shares) == 0 {
		shares = []allocator.EventShare{{Part: e.Part, Location: e.Location, Lines: e.Lines}}
	}
	kind, isOrder := outsideKinds[e.Name]
	for _, s := range shares {
		for _, l := range s.Lines {
			k := walk.Key{SKU: l.SKU, Location: s.Location}
			if l.OnHand != nil {
				o.shelf(k, walk.Shelf{OnHand: *l.OnHand})
			}
			for _, shelf := range l.Shelves {
				o.shelf(k, shelf)
			}
		}
		if !isOrder {
			continue
		}
		n := outsideName{e.ID, s.Part}
		switch c := o.orders[n]; {
		case c != nil && c.Sequence >= e.Sequence: // the walk gave it later
		case kind == history.Held:
			o.place(e, s)
		case c != nil:
			c.change(e, s, kind)
		}
	}
}

// place is a new reservation.
func (o *outside) place(e *allocator.Event, s allocator.EventShare) {
	c := &outsideOrder{form: cmp.Or(e.Form, "collect")}
	c.Reservation = allocator.Reservation{ID: e.ID, Part: e.Part, Location: s.Location, State: allocator.Held, Sequence: e.Sequence, Order: e.Order, Customer: e.Customer,
		Channel: e.Channel, HeldUntil: e.Deadline, Promise: e.Promise, Store: e.Store, Distance: geo.Meters(e.Distance)}
	for _, u := range outsideUnits(s.Lines) {
		c.marks = append(c.marks, u.outsideMark)
		c.units = append(c.units, life.Line{Quantity: uint32(u.units), Held: uint32(u.units)})
	}
	c.placeOnly()
	o.orders[outsideName{e.ID, e.Part}] = c
}

// outsideMoved is units that an event is about.
type outsideMoved struct {
	outsideMark
	units int64
}

// outsideUnits is the units of an event's lines, told apart.
func outsideUnits(lines []allocator.EventLine) (all []outsideMoved) {
	for _, l := range lines {
		if l.Apart == nil {
			l.Apart = []walk.Apart{{Units: l.Units}}
		}
		for _, a := range l.Apart {
			all = append(all, outsideMoved{outsideMark{l.SKU, a.Mark}, a.Units})
		}
	}
	return all
}

// change is what an event says of a reservation.
func (c *outsideOrder) change(e *allocator.Event, s allocator.EventShare, kind history.Kind) {
	cause := history.Cause(0)
	for cause.String() != e.Cause && e.Cause != "" {
		cause++
	}
	verb := kind.Verb(cause, e.Other != 0, e.Missing)
	rule := life.Of(verb)
	moved, firm := outsideUnits(s.Lines), int64(0)
	for i := range c.units {
		if len(c.marks) == 0 {
			if rule.Resource != (life.Move{}) {
				rule.Resource.Apply(&c.units[i], 1)
			}
			firm += int64(c.units[i].Confirmed)
			continue
		}
		at := slices.IndexFunc(moved, func(u outsideMoved) bool { return u.outsideMark == c.marks[i] })
		switch {
		case at >= 0:
			rule.Goods.Apply(&c.units[i], moved[at].units)
		case rule.Goods.Lost:
			rule.Goods.Apply(&c.units[i], 0)
		}
		firm += int64(c.units[i].Confirmed)
	}
	c.Sequence = e.Sequence
	switch verb {
	case life.Extend:
		if e.Deadline.After(c.HeldUntil) { // a part that is held longer stays so
			c.HeldUntil = e.Deadline
		}
	case life.Reassign:
		c.Channel = e.Channel
	case life.Dispatch:
		c.To = e.To
	case life.Arrive:
		c.Location = s.Location
	case life.MakeReady:
		c.PickupUntil, c.Code = e.Deadline, e.Code
	case life.Reject:
		c.Rejects = min(c.Rejects+1, 255)
	case life.Ship:
		c.Parcel = allocator.Parcel{Carrier: e.Carrier, Tracking: e.Tracking}
	case life.MoveAll:
		c.Location, c.Distance, c.Promise = e.To, geo.Meters(e.Distance), e.Promise
		if e.Form != "" {
			c.form, c.Store = e.Form, e.Store
		}
	}
	next, over, _ := rule.State(c.State, c.units, firm)
	if c.State = next; over {
		c.EndedAt = e.Time
	}
}

// is says how a reservation of the copy differs from that of the engine.
func (c *outsideOrder) is(r allocator.Reservation) string {
	got := c.Reservation
	got.Lines, got.Form, got.From, r.From = []allocator.ReservedLine{}, r.Form, "", ""
	got.Apart, r.Apart = nil, nil // its marks are compared by their sum
	if held := life.Total(c.units, life.HeldUnits); held == 0 {
		got.HeldUntil = time.Time{}
	}
	if got.State != allocator.InTransit {
		got.To = ""
	}
	if got.State != allocator.Ready {
		got.PickupUntil = time.Time{}
	}
	for i := range c.marks {
		l := &c.units[i]
		line := allocator.ReservedLine{SKU: c.marks[i].sku, Quantity: int64(l.Quantity), Held: int64(l.Held), Confirmed: int64(l.Confirmed), Collected: int64(l.Collected),
			Missing: int64(l.Missing), Expired: int64(l.Lapsed), Returned: int64(l.Returned), Short: int64(l.Short), Rerouted: int64(l.Rerouted)}
		line.Canceled = line.Quantity - line.Held - line.Confirmed - line.Collected - line.Missing - line.Expired - line.Rerouted
		at := slices.IndexFunc(got.Lines, func(l allocator.ReservedLine) bool { return l.SKU == line.SKU })
		if at < 0 {
			got.Lines = append(got.Lines, line)
			continue
		}
		to := &got.Lines[at]
		for _, add := range [][2]*int64{{&to.Quantity, &line.Quantity}, {&to.Held, &line.Held}, {&to.Confirmed, &line.Confirmed}, {&to.Collected, &line.Collected},
			{&to.Missing, &line.Missing}, {&to.Expired, &line.Expired}, {&to.Canceled, &line.Canceled}, {&to.Returned, &line.Returned}, {&to.Short, &line.Short}, {&to.Rerouted, &line.Rerouted}} {
			*add[0] += *add[1]
		}
	}
	// Of a part that held a place in a period too, which is no goods and not told apart, the
	// engine says that it was canceled when goods that were not found went elsewhere.
	elsewhere := !slices.ContainsFunc(got.Lines, func(l allocator.ReservedLine) bool { return l.Rerouted < l.Quantity })
	if got.State == allocator.Rerouted && r.State == allocator.Canceled && elsewhere {
		got.State = r.State
	}
	if !reflect.DeepEqual(got, r) || c.form != r.Form.String() {
		return fmt.Sprintf("%s part %d is\n%+v %s, want\n%+v", r.ID, r.Part, got, c.form, r)
	}
	return ""
}

// compare says how the copy differs from the engine, which is at rest.
func (o *outside) compare(ctx context.Context, a *allocator.Allocator) (faults []string) {
	held, n := map[walk.Key]int64{}, 0
	for r, err := range a.Orders().Walk(walk.Filter{}).All(ctx) {
		if err != nil {
			return []string{err.Error()}
		}
		n++
		c := o.orders[outsideName{r.ID, r.Part}]
		if c == nil {
			faults = append(faults, fmt.Sprintf("%s part %d is not there", r.ID, r.Part))
			continue
		}
		if fault := c.is(r); fault != "" {
			faults = append(faults, fault)
		}
		for i := range c.marks {
			if !c.State.Ended() && !c.State.OnRoad() {
				held[walk.Key{SKU: c.marks[i].sku, Location: c.Location}] += c.units[i].Open()
			}
		}
	}
	if n != len(o.orders) {
		faults = append(faults, fmt.Sprintf("%d reservations, want %d", len(o.orders), n))
	}
	cells := map[walk.Key]walk.Cell{}
	for c, err := range a.Stock().Walk().All(ctx) {
		if err != nil {
			return []string{err.Error()}
		}
		cells[c.Key] = c
	}
	for k := range o.shelves {
		if _, there := cells[k]; !there {
			cells[k] = walk.Cell{Key: k}
		}
	}
	for k, c := range cells {
		onHand := int64(0)
		for _, units := range o.shelves[k] {
			onHand += units
		}
		if onHand != c.OnHand || held[k] != c.Held {
			faults = append(faults, fmt.Sprintf("%v has %d on hand and %d held, want %+v", k, onHand, held[k], c))
		}
		for _, s := range c.Shelves {
			if o.shelves[k][s.Mark] != s.OnHand {
				faults = append(faults, fmt.Sprintf("%v has %d there, want %+v", k, o.shelves[k][s.Mark], s))
			}
		}
	}
	return faults
}
