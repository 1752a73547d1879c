package route

import (
	"cmp"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// world is locations with stock.
type world struct {
	t      testing.TB
	ledger *reservation.Ledger
	places topology.Locations
	skus   []uint32
	ids    int
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// newWorld is so many locations, and SKUs of which each is at a share of them.
func newWorld(t testing.TB, r *rand.Rand, locations int, shares ...float64) *world {
	silent := slog.New(slog.DiscardHandler)
	w := &world{t: t, ledger: reservation.New(reservation.Options{SKUs: 64, Locations: 1 << 14, Remember: 1 << 12})}
	g := new(gate.Gate)
	g.Open(gate.Options{Logger: silent})
	g.Start(w.ledger)
	must(t, w.places.Open(w.ledger, g, topology.Options{Most: 1 << 14, Logger: silent}), w.ledger.Fill())
	all := make([]topology.Place, locations)
	for i := range all {
		all[i] = topology.Place{ID: fmt.Sprint("L", i), Kind: topology.Kind(r.IntN(int(topology.Kinds))), Point: drawnPoint(r)}
		if r.IntN(10) == 0 {
			p := all[i].Point
			area, err := geo.NewArea([]geo.Point{{Lat: p.Lat - 2, Lon: p.Lon - 2}, {Lat: p.Lat - 2, Lon: p.Lon + 2}, {Lat: p.Lat + 2, Lon: p.Lon + 2}, {Lat: p.Lat + 2, Lon: p.Lon - 2}})
			must(t, err)
			all[i].Area = area
		}
	}
	must(t, w.places.Set(all, 1))
	for k, share := range shares {
		for i := range all {
			if r.Float64() < share {
				w.receive(all[i].ID, fmt.Sprint("S", k), 1+int64(r.IntN(4)))
			}
		}
		sku, ok := w.ledger.SKU(fmt.Sprint("S", k))
		if !ok {
			w.receive("L0", fmt.Sprint("S", k), 1)
			sku, _ = w.ledger.SKU(fmt.Sprint("S", k))
		}
		w.skus = append(w.skus, sku)
	}
	// Each at every other location, and both at few: what the shares of the two promise
	// is not there.
	for i := range all {
		if rare := i%997 == 500; i%2 == 0 || rare {
			w.receive(all[i].ID, "even", 100)
		}
		if rare := i%997 == 500; i%2 == 1 || rare || locations == 1 {
			w.receive(all[i].ID, "odd", 100)
		}
	}
	return w
}

// apart is an order of the two SKUs that few locations have together.
func (w *world) apart() (lines []reservation.Line) {
	for _, name := range []string{"even", "odd"} {
		sku, _ := w.ledger.SKU(name)
		lines = append(lines, reservation.Line{SKU: sku, Quantity: 1})
	}
	return lines
}

func drawnPoint(r *rand.Rand) geo.Point {
	return geo.Point{Lat: 40 + 10*r.Float64(), Lon: 10 * r.Float64()}
}

func (w *world) receive(location, sku string, units int64) {
	slot, _ := w.ledger.Slot(location)
	w.ids++
	_, err := w.ledger.Move(&reservation.Movement{ID: fmt.Sprint("m", w.ids), Cause: history.Received, Slot: slot, Now: 1,
		Lines: []reservation.MovementLine{{SKU: sku, Units: units}}})
	must(w.t, err)
}

// lines draws an order.
func (w *world) lines(r *rand.Rand) (lines []reservation.Line) {
	for _, k := range r.Perm(len(w.skus))[:1+r.IntN(3)] {
		lines = append(lines, reservation.Line{SKU: w.skus[k], Quantity: 1 + int64(r.IntN(2))})
	}
	slices.SortFunc(lines, func(a, b reservation.Line) int { return cmp.Compare(a.SKU, b.SKU) })
	return lines
}

// able is the locations that could fill an order, nearest first, by looking at all.
func (w *world) able(near geo.Point, within geo.Meters, kinds topology.KindSet, lines []reservation.Line) (able []string) {
	c := w.places.Load()
	distances := map[string]geo.Meters{}
	for slot := range c.Slots() {
		p := c.Place(slot)
		d := geo.Distance(near, p.Point)
		short := func(l reservation.Line) bool { return c.Table().Reachable(l.SKU, c.Number(slot)) < l.Quantity }
		if within > 0 && d > within || p.Area != nil && !p.Area.Contains(near) || !p.Allows(kinds, sourcing.Collect) || slices.ContainsFunc(lines, short) {
			continue
		}
		able, distances[p.ID] = append(able, p.ID), d
	}
	slices.SortFunc(able, func(a, b string) int { return cmp.Compare(distances[a], distances[b]) })
	return able
}

// Whatever is common or rare, near or far: an order is claimed at the nearest location
// that could fill it, found by looking at all of them; it is refused only if there is
// none; and a walk goes over exactly these, nearest first.
func TestRouteAgainstAllLocations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var route Route
	var found reservation.Entry
	for _, n := range []int{1, 70, 700, 5000} {
		w := newWorld(t, r, n, 0.95, 0.9, 0.3, 0.05, 0.01, 0.002)
		for i := range 300 {
			near, lines := drawnPoint(r), w.lines(r)
			if i%7 == 0 {
				lines = w.apart()
			}
			within := []geo.Meters{0, 0, 50_000, 300_000}[r.IntN(4)]
			kinds := []topology.KindSet{0, 0, 1<<topology.Store | 1<<topology.Locker}[r.IntN(3)]
			want := w.able(near, within, kinds, lines)
			got := w.claim(&route, &found, fmt.Sprint(n, "/", i), near, within, kinds, lines)
			if len(want) == 0 && got != "" || len(want) > 0 && got != want[0] {
				t.Fatalf("%d locations, order %d: claimed at %q, want %q", n, i, got, want)
			}
		}
		report, err := w.ledger.Audit(t.Context(), func() func() { return func() {} })
		if must(t, err); len(report.Differences) > 0 {
			t.Errorf("%v", report.Differences)
		}
	}
}

// claim reserves as the door does; empty: nowhere.
func (w *world) claim(route *Route, found *reservation.Entry, id string, near geo.Point, within geo.Meters, kinds topology.KindSet, lines []reservation.Line) string {
	c := w.places.Load()
	route.Expect(w.ledger, id)
	route.Aim(c, near, within)
	for ok := route.Start(w.ledger, lines, c.Filter(kinds, sourcing.Collect)); ok && route.Next(); {
		hold := reservation.Hold{ID: id, Now: 1, Deadline: 1 << 40}
		switch route.Claim(&hold, found) {
		case reservation.Done:
			if p := c.Place(hold.Slot); p.ID != route.Spot().ID || geo.Distance(near, p.Point) != route.Distance() {
				w.t.Errorf("held at %s, found %s at %v", p.ID, route.Spot().ID, route.Distance())
			}
			return route.Spot().ID
		case reservation.Known, reservation.Failed:
			w.t.Fatal(id, route.Err())
		}
	}
	return ""
}

// A named location is claimed or not; what must stay there stays; an ID that is there
// already is Known.
func TestBind(t *testing.T) {
	w := newWorld(t, rand.New(rand.NewPCG(5, 6)), 3, 0)
	w.receive("L1", "S0", 3)
	slot, _ := w.ledger.Slot("L1")
	var route Route
	var found reservation.Entry
	claim := func(id string, units, keep int64) int {
		if !route.Bind(w.ledger, w.places.Load(), slot, 5, []reservation.Line{{SKU: w.skus[0], Quantity: units}}) {
			return -1
		}
		if route.Lines() != 1 || route.Line(0).SKU != w.skus[0] || route.Slot() != slot {
			t.Error("what is claimed, and where")
		}
		route.Keep(0, keep)
		return route.Claim(&reservation.Hold{ID: id, Now: 1, Deadline: 1 << 40}, &found)
	}
	if got := claim("a", 2, 2); got == reservation.Done {
		t.Error("took what was to stay")
	}
	if got := claim("a", 2, 1); got != reservation.Done || route.Distance() != 5 {
		t.Errorf("got %d", got)
	}
	if got := claim("b", 2, 0); got == reservation.Done {
		t.Error("took what is not there")
	}
	if got := claim("a", 1, 0); got != reservation.Known || found.Slot != slot {
		t.Errorf("got %d, found %+v", got, found)
	}
}

// A route that has been used allocates nothing.
func TestRouteAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	w := newWorld(t, r, 1000, 0.9, 0.1, 0.005)
	c, near := w.places.Load(), drawnPoint(r)
	var route Route
	for _, sku := range w.skus {
		lines := []reservation.Line{{SKU: sku, Quantity: 1}}
		search := func() {
			route.Aim(c, near, 0)
			for ok := route.Start(w.ledger, lines, nil); ok && route.Next(); {
				if _, enough := route.Levels(); enough {
					break
				}
			}
		}
		search()
		if n := testing.AllocsPerRun(100, search); n > 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
