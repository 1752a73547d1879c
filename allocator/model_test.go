package allocator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"pgregory.net/rapid"
)

// checked runs a property with a fixed seed unless one is given as a flag.
func checked(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	if f := flag.Lookup("rapid.seed"); f != nil && f.Value.String() == "0" {
		must(t, f.Value.Set("41907"))
		defer func() { must(t, f.Value.Set("0")) }()
	}
	rapid.Check(t, property)
}

// The places of the small world: some are the same place in other words, none
// lie symmetrically, so that equal distances are exact ones.
var modelPoints = []geo.Point{
	{Lat: 50.061, Lon: 19.937}, {Lat: 50.061, Lon: 19.937}, {Lat: 50.0642, Lon: 19.9449}, {Lat: 52.2297, Lon: 21.0122},
	{Lat: 90, Lon: 0}, {Lat: 90, Lon: 77}, {Lat: -17.713, Lon: 180}, {Lat: -17.713, Lon: -180}, {Lat: -16.5, Lon: -179.97},
	{Lat: -33.8688, Lon: 151.2093}, {},
}

var (
	modelSKUs      = []string{"a", "b", "c", "d"}
	modelLocations = []string{"l0", "l1", "l2", "l3", "l4", "l5", "l6"}
)

// machine is the engine beside its twin.
type machine struct {
	a     *Allocator
	twin  *twin
	areas []*geo.Area
	fresh int
}

func pick[T any](t *rapid.T, from []T, label string) T { return rapid.SampledFrom(from).Draw(t, label) }

// mostly draws the common or, one time in eight, the odd.
func mostly[T any](t *rapid.T, common, odd []T, label string) T {
	if rapid.IntRange(0, 7).Draw(t, label+" odd") == 0 {
		return pick(t, odd, label)
	}
	return pick(t, common, label)
}

func drawLines(t *rapid.T, odd []int64, most int) []Line {
	lines := make([]Line, rapid.IntRange(1, most).Draw(t, "lines"))
	for i := range lines {
		lines[i] = Line{mostly(t, modelSKUs, []string{"", "never"}, "sku"), mostly(t, []int64{1, 1, 2, 3}, odd, "units")}
	}
	if rapid.IntRange(0, 30).Draw(t, "no lines") == 0 {
		return nil
	}
	return lines
}

func drawKinds(t *rapid.T) []Kind {
	return rapid.SliceOfN(rapid.SampledFrom([]Kind{Store, Warehouse, Locker}), 0, 2).Draw(t, "kinds")
}

func (m *machine) drawDistance(t *rapid.T, near geo.Point) geo.Meters {
	if rapid.Bool().Draw(t, "any distance") {
		return 0
	}
	return max(geo.Distance(near, pick(t, modelPoints, "as far as")), 1)
}

// same compares an error with the twin's: the typed ones in full, the others by fact.
func same(t *rapid.T, got, want error) {
	t.Helper()
	var refusal *twinRefusal
	var use *LocationInUseError
	var ended *EndedError
	switch {
	case want == nil && got == nil:
		return
	case want == nil || got == nil:
		t.Fatalf("error %v, twin %v", got, want)
	case errors.As(want, &refusal):
		var e *NoLocationError
		if !errors.As(got, &e) || !refusal.matches(e) {
			t.Fatalf("error\n%v, twin\n%v", got, want)
		}
	case errors.As(want, &use):
		var e *LocationInUseError
		if !errors.As(got, &e) || *e != *use {
			t.Fatalf("error\n%v, twin\n%v", got, want)
		}
	case errors.As(want, &ended):
		var e *EndedError
		if !errors.As(got, &e) || *e != *ended {
			t.Fatalf("error\n%v, twin\n%v", got, want)
		}
	case !errors.Is(got, want):
		t.Fatalf("error %v, twin %v", got, want)
	}
}

func (m *machine) allocate(t *rapid.T) {
	id := fmt.Sprint("o", rapid.IntRange(0, 30).Draw(t, "order"))
	near := pick(t, modelPoints, "near")
	o := Order{ID: id, Near: near, Lines: drawLines(t, []int64{0, -1, 9, reservation.MaxQuantity, tooMuch}, 4),
		MaxDistance: m.drawDistance(t, near), Kinds: drawKinds(t)}
	if rapid.IntRange(0, 3).Draw(t, "named") == 0 {
		o.At = mostly(t, modelLocations, []string{"nowhere"}, "at")
	}
	if old := m.twin.orders[id]; old != nil && rapid.Bool().Draw(t, "again") {
		o = old.order
		o.Lines = slices.Clone(o.Lines)
		slices.Reverse(o.Lines)
	}
	got, err := m.a.Allocate(context.Background(), o)
	want, fault := m.twin.allocate(o)
	same(t, err, fault)
	if got != want {
		t.Fatalf("%+v: got %+v, twin %+v", o, got, want)
	}
}

func (m *machine) end(t *rapid.T) {
	id := fmt.Sprint("o", rapid.IntRange(0, 30).Draw(t, "order"))
	var lines []Line
	if rapid.Bool().Draw(t, "by line") {
		lines = drawLines(t, []int64{0, 9, tooMuch}, 2)
	}
	verb, to := m.a.Cancel, Canceled
	if rapid.Bool().Draw(t, "collect") {
		verb, to = m.a.Collect, Collected
	}
	same(t, verb(context.Background(), id, lines...), m.twin.end(id, to, lines))
}

func (m *machine) drawGoods(t *rapid.T) moved {
	m.fresh++
	id := mostly(t, []string{fmt.Sprint("m", m.fresh)}, []string{"m1", "m2", "m3", ""}, "movement")
	lines := drawLines(t, []int64{0, -1, -3, 20, reservation.MaxQuantity, -reservation.MaxQuantity, tooMuch}, 3)
	for i := range lines {
		if lines[i].SKU == "never" {
			lines[i].SKU = modelSKUs[0]
		}
	}
	return moved{ID: id, Location: mostly(t, modelLocations, []string{"nowhere"}, "location"), Lines: lines}
}

func (m *machine) move(t *rapid.T) {
	g := m.drawGoods(t)
	ctx := context.Background()
	kind := pick(t, []string{"receipt", "receipt", "count", "till sale", "adjustment"}, "kind")
	var err error
	switch kind {
	case "receipt":
		err = m.a.Receive(ctx, Receipt{ID: g.ID, Location: g.Location, Lines: g.Lines})
	case "count":
		err = m.a.Count(ctx, Count{ID: g.ID, Location: g.Location, Lines: g.Lines})
	case "till sale":
		err = m.a.Sell(ctx, Sale{ID: g.ID, Location: g.Location, Lines: g.Lines})
	default:
		err = m.a.Adjust(ctx, Adjustment{ID: g.ID, Location: g.Location, Lines: g.Lines})
	}
	same(t, err, m.twin.move(kind, g))
}

// receive books a list: all are checked before the first is booked.
func (m *machine) receive(t *rapid.T) {
	list := make([]Receipt, rapid.IntRange(2, 5).Draw(t, "receipts"))
	var fault error
	for i := range list {
		g := m.drawGoods(t)
		list[i] = Receipt{ID: g.ID, Location: g.Location, Lines: g.Lines}
		err := movementFault("receipt", g)
		if err == nil && m.twin.find(g.Location) < 0 {
			err = ErrUnknownLocation
		}
		if fault == nil {
			fault = err
		}
	}
	err := m.a.Receive(context.Background(), list...)
	if fault == nil {
		for _, r := range list { // a list makes its SKUs known as a whole
			for _, line := range r.Lines {
				m.twin.skus[line.SKU] = true
			}
		}
		for _, r := range list {
			if fault = m.twin.move("receipt", moved{ID: r.ID, Location: r.Location, Lines: r.Lines}); fault != nil {
				break
			}
		}
	}
	same(t, err, fault)
}

func (m *machine) setSafety(t *rapid.T) {
	v := SafetyStock{SKU: mostly(t, append(modelSKUs, ""), []string{"never"}, "sku"),
		Location: mostly(t, append(modelLocations, ""), []string{"nowhere"}, "location"),
		Units:    mostly(t, []int64{0, 0, 1, 2}, []int64{-1, reservation.MaxQuantity, tooMuch}, "units")}
	same(t, m.a.SetSafetyStock(context.Background(), v), m.twin.setSafety(v))
}

func (m *machine) setLocations(t *rapid.T) {
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom(modelLocations), 0, 3, func(id string) string { return id }).Draw(t, "ids")
	list := make([]Location, len(ids))
	for i, id := range ids {
		list[i] = Location{ID: id, Kind: pick(t, []Kind{Store, Store, Warehouse, Locker}, "kind"),
			Point: pick(t, modelPoints, "point"), Area: mostly(t, []*geo.Area{nil}, m.areas, "area")}
	}
	if err := m.a.SetLocations(context.Background(), list...); slices.ContainsFunc(list, func(l Location) bool { return l.Point == geo.Point{} }) {
		same(t, err, ErrInvalid)
		return
	} else {
		same(t, err, nil)
	}
	for _, l := range list {
		m.twin.set(l)
	}
}

func (m *machine) removeLocation(t *rapid.T) {
	id := mostly(t, modelLocations, []string{"nowhere"}, "id")
	same(t, m.a.RemoveLocation(context.Background(), id), m.twin.remove(id))
}

func (m *machine) nearby(t *rapid.T) {
	near := pick(t, modelPoints, "near")
	q := Order{Near: near, Lines: drawLines(t, []int64{0, 9, tooMuch}, 3), MaxDistance: m.drawDistance(t, near), Kinds: drawKinds(t)}
	walk, err := m.a.Nearby(q)
	want, fault := m.twin.nearby(q)
	same(t, err, fault)
	if err != nil {
		return
	}
	got := slices.Collect(walk)
	for i := range got {
		got[i].Cost, got[i].Detail = 0, ""
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v:\n got %+v\ntwin %+v", q, got, want)
	}
}

// check compares everything that can be read.
func (m *machine) check(t *rapid.T) {
	if got := slices.Collect(m.a.Locations()); !slices.Equal(got, m.twin.locations) {
		t.Fatalf("locations %+v, twin %+v", got, m.twin.locations)
	}
	for _, l := range modelLocations {
		for _, sku := range modelSKUs {
			got, err := m.a.Available(sku, l)
			var want Availability
			var fault error
			switch {
			case m.twin.find(l) < 0:
				fault = ErrUnknownLocation
			case !m.twin.skus[sku]:
				fault = ErrUnknownSKU
			default:
				want = m.twin.level(cellName{sku, l})
			}
			same(t, err, fault)
			if got != want {
				t.Fatalf("%s at %s: got %+v, twin %+v", sku, l, got, want)
			}
		}
	}
	held := 0
	for i := range 31 {
		id := fmt.Sprint("o", i)
		r, err := m.a.Lookup(id)
		o := m.twin.orders[id]
		if o == nil {
			same(t, err, ErrNotFound)
			continue
		}
		if o.state == Held {
			held++
		}
		same(t, err, nil)
		slices.SortFunc(r.Lines, func(a, b ReservedLine) int { return strings.Compare(a.SKU, b.SKU) })
		want := Reservation{ID: id, Location: o.location, Distance: o.distance, State: o.state, HeldUntil: o.until()}
		want.OrderState = map[State]OrderState{Held: OrderHeld, Confirmed: OrderConfirmed, Collected: OrderCollected, Canceled: OrderCanceled, Expired: OrderExpired}[o.state]
		if o.state.Ended() {
			want.EndedAt = twinTime
		}
		for _, sku := range modelSKUs {
			if line := o.lines[sku]; line != nil {
				want.Lines = append(want.Lines, *line)
				if line.Collected > 0 && !o.state.Ended() {
					want.OrderState = OrderPartlyCollected
				}
			}
		}
		if !reflect.DeepEqual(r, want) {
			t.Fatalf("got %+v, twin %+v", r, want)
		}
	}
	got, want := m.a.Stats(), m.twin.count
	want.Locations, want.Held = len(m.twin.locations), held
	want.Remembered = len(m.twin.orders) - held + len(m.twin.movements)
	want.Short = len(m.twin.shorts)
	want.LostRaces, want.AllocateTime = got.LostRaces, got.AllocateTime
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("stats %+v\n twin %+v", got, want)
	}
	if skus := m.a.Sizes().SKUs; skus != len(m.twin.skus) {
		t.Fatalf("%d SKUs, twin %d", skus, len(m.twin.skus))
	}
}

// The engine answers every call as a twin of maps and slices does.
func TestModel(t *testing.T) {
	north, err := geo.NewArea([]geo.Point{{Lat: 45, Lon: 10}, {Lat: 45, Lon: 25}, {Lat: 55, Lon: 25}, {Lat: 55, Lon: 10}})
	must(t, err)
	south, err := geo.NewArea([]geo.Point{{Lat: -40, Lon: 140}, {Lat: -40, Lon: 179}, {Lat: -1, Lon: 179}, {Lat: -1, Lon: 140}})
	must(t, err)
	checked(t, func(t *rapid.T) {
		within := pick(t, []geo.Meters{0, 0, 5000}, "reach")
		a, err := Open(context.Background(), Options{MaxDistance: within, ManualExpiry: true, Clock: func() time.Time { return twinTime }})
		same(t, err, nil)
		m := &machine{a: a, twin: newTwin(within), areas: []*geo.Area{north, south}}
		t.Repeat(map[string]func(*rapid.T){
			"allocate": m.allocate, "allocate more": m.allocate, "end": m.end, "move": m.move, "receive": m.receive,
			"set safety": m.setSafety, "set locations": m.setLocations, "remove location": m.removeLocation,
			"nearby": m.nearby, "": m.check,
		})
		same(t, a.Close(), nil)
	})
}
