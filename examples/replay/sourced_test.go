package main

import (
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// lane is a world on one meridian: a store every tenth of a degree, about 11 km,
// and a warehouse a degree away, with their units of the SKUs A, B and C.
func lane(t *testing.T, parcels int) (*world, []item) {
	t.Helper()
	var all []site
	for i, units := range [][]int32{{1, 0, 0}, {5, 1, 0}, {5, 5, 0}} {
		all = append(all, site{zone: "America/Chicago", units: units,
			location: allocator.Location{ID: string(rune('a' + i)), Kind: allocator.Store, Point: geo.Point{Lat: 40 + 0.1*float64(i), Lon: -90}}})
	}
	all = append(all, site{units: []int32{9, 9, 9},
		location: allocator.Location{ID: "depot", Kind: allocator.Warehouse, Point: geo.Point{Lat: 41, Lon: -90}}})
	with, seen, err := opened(all)
	if err != nil {
		t.Fatal(err)
	}
	return &world{all: with, seen: seen, parcels: parcels}, []item{{sku: "A"}, {sku: "B"}, {sku: "C"}}
}

// wants is a wish at the first store, on a Wednesday at ten.
func (w *world) wants(form sourcing.Form, lines ...wanted) *wish {
	at := time.Date(2010, 12, 1, 16, 0, 0, 0, time.UTC)
	o := &wish{at: at, form: form, store: -1, lines: lines}
	o.request = sourcing.Request{Now: at, Near: w.all[0].location.Point, HasPoint: true, Form: form, Lines: len(lines)}
	if form == sourcing.ShipToStore {
		o.store, o.request.At = 0, &w.seen[0]
	}
	return o
}

// TestRivals: each of the two does what the screen says of it, within the limits
// of the order.
func TestRivals(t *testing.T) {
	abc := []wanted{{0, 2}, {1, 2}, {2, 1}}
	for _, c := range []struct {
		name    string
		by      policy
		form    sourcing.Form
		parcels int
		lines   []wanted
		want    string // sites with their units by item
		filled  int
	}{
		{"nearest first takes what there is", nearestFirst, sourcing.Ship, 4, abc, "a A1, b A1 B1, c B1, depot C1", 3},
		{"nearest first runs out of parcels", nearestFirst, sourcing.Ship, 2, abc, "a A1, b A1 B1", 1},
		{"greedy takes what has most", greedy, sourcing.Ship, 4, abc, "depot A2 B2 C1", 3},
		{"greedy takes the nearer of equals", greedy, sourcing.Ship, 4, abc[:1], "b A2", 1},
		{"greedy takes what costs nothing first", greedy, sourcing.ShipToStore, 4, abc, "a A1, depot A1 B2 C1", 3},
		{"a store and one more at least", nearestFirst, sourcing.ShipToStore, 1, abc[:1], "a A1, b A1", 1},
		{"collected whole", nearestWhole, sourcing.Collect, 4, abc[:2], "c A2 B2", 2},
		{"warehouses have no customers", nearestWhole, sourcing.Collect, 4, abc, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, items := lane(t, c.parcels)
			o := w.wants(c.form, c.lines...)
			parts := c.by(newShelves(w.all), o, w.near(o), o.most(w.parcels))
			var said []string
			for _, p := range parts {
				text := w.all[p.site].location.ID
				for _, l := range p.lines {
					text += " " + items[l.item].sku + count(int(l.units))
				}
				said = append(said, text)
			}
			a := w.answer(o, parts)
			if got := strings.Join(said, ", "); got != c.want || a.filled != c.filled || a.whole != (c.filled == len(c.lines)) {
				t.Errorf("took %q, filled %d, want %q, %d", got, a.filled, c.want, c.filled)
			}
		})
	}
}

// TestAnswer works a split out by hand.
func TestAnswer(t *testing.T) {
	w, _ := lane(t, 4)
	o := w.wants(sourcing.ShipToStore, wanted{0, 2}, wanted{2, 1})
	a := w.answer(o, greedy(newShelves(w.all), o, w.near(o), 4))
	km := float64(geo.Distance(w.all[0].location.Point, w.all[3].location.Point)) / 1000
	if want := 3000 + int64(math.Round(2*km)) + 2*400; a.cost != want {
		t.Errorf("cost %d, want %d: a transfer, its way, and its two lines", a.cost, want)
	}
	// The depot picks from 10:00 to 14:00 and its van needs a day.
	if want := o.at.Add(28 * time.Hour); !a.ready.Equal(want) || a.today {
		t.Errorf("ready %v (today: %v), want %v", a.ready, a.today, want)
	}
	if !a.breaksLines() {
		t.Error("two units of A come from two places")
	}
	alone := w.wants(sourcing.Collect, wanted{0, 1})
	b := w.answer(alone, nearestWhole(newShelves(w.all), alone, w.near(alone), 1))
	if want := alone.at.Add(2 * time.Hour); b.cost != 400 || !b.ready.Equal(want) || !b.today || b.breaksLines() {
		t.Errorf("collected: %+v, want one line's cost and ready %v", b, want)
	}
}

// TestDecideKeepsTheStock: who decides takes what he gives, and no more.
func TestDecideKeepsTheStock(t *testing.T) {
	w, _ := lane(t, 4)
	var orders []wish
	for range 20 {
		orders = append(orders, *w.wants(sourcing.Ship, wanted{0, 1}, wanted{1, 1}))
	}
	for _, p := range []policy{nearestFirst, greedy} {
		answers, err := w.decide(t.Context(), p, orders)
		if err != nil {
			t.Fatal(err)
		}
		taken := [3]int64{}
		for _, a := range answers {
			for _, part := range a.parts {
				for _, l := range part.lines {
					taken[l.item] += l.units
				}
			}
		}
		if taken != [3]int64{20, 15, 0} {
			t.Errorf("took %v, want all 20 of A and all 15 of B", taken)
		}
	}
	if w.all[0].units[0] != 1 {
		t.Error("the stock that the next one begins with has changed")
	}
}

// TestSourced plays the second act with a small week over all stores: the engine
// tells the cost and the promise that the terms give, and the books agree.
func TestSourced(t *testing.T) {
	s, err := parse([]string{"-orders", write(t, "o.csv", manyOrders(150)), "-stock", "0.1", "-weeks", "1", "-goroutines", "3"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	in, err := readInputs(s, &faults{w: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	placeCustomers(in.week.baskets, in.places, s.seed)
	items := catalogOf(&in.week)
	all := sites(&in, items, placeHubs(in.places), s.level, s.seed)
	got, err := source(t.Context(), &in, items, all, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &report{once: got.once, often: got.often, sourced: got}
	if err := r.proof(); err != nil || got.once.reservations == 0 {
		t.Errorf("%d reservations: %v", got.once.reservations, err)
	}
	forms := [3]int{}
	for i := range got.wishes {
		o, a := &got.wishes[i], &got.engine[i]
		forms[o.form]++
		if len(a.parts) > o.most(s.parcels) {
			t.Errorf("order %d is over %d locations", i, len(a.parts))
		}
		if o.form == sourcing.Collect && len(a.parts) > 0 && !a.whole {
			t.Errorf("order %d is collected in part", i)
		}
	}
	if slices.Min(forms[:]) == 0 || got.gaps.splits == 0 || got.told == nil {
		t.Errorf("forms %v, %d splits: the week is too small to say anything", forms, got.gaps.splits)
	}
	got.differ = 1 // the alarm itself
	if r.proof() == nil {
		t.Error("a cost that differs is not reported")
	}
}

func TestTimesOf(t *testing.T) {
	zone := time.FixedZone("", -5*3600)
	w := week{}
	for _, said := range []string{"", "2010-12-01T08:26", "2010-12-01 08:20:00", "8:30 AM", "2010-12-02T00:00:00Z"} {
		w.baskets = append(w.baskets, basket{said: said})
	}
	w.timesOf(zone)
	var got []string
	for _, b := range w.baskets {
		got = append(got, b.at.In(zone).Format("02T15:04"))
	}
	if want := []string{"01T08:00", "01T08:26", "01T08:26", "01T08:27", "01T19:00"}; !slices.Equal(got, want) {
		t.Errorf("times %v, want %v", got, want)
	}
}

func TestZones(t *testing.T) {
	for lon, want := range map[float64]string{-74: "Etc/GMT+5", 0: "Etc/GMT+0", 19.94: "Etc/GMT-1", 180: "Etc/GMT-12", -180: "Etc/GMT+12"} {
		got := zoneAt(geo.Point{Lon: lon})
		if _, err := time.LoadLocation(got); got != want || err != nil {
			t.Errorf("longitude %v is in %q (%v), want %q", lon, got, err, want)
		}
	}
	f := &faults{w: io.Discard, limit: 10}
	stores, err := readStores("s.csv", strings.NewReader("id,lat,lon,tz\na,1,1,Nowhere/Land\nb,1,1,Europe/Warsaw\nc,1,1,\n"), f)
	if err != nil || f.count != 1 || len(stores) != 2 || stores[0].zone != "Europe/Warsaw" || stores[1].zone != "" {
		t.Errorf("read %v, %d bad rows, %v", stores, f.count, err)
	}
}
