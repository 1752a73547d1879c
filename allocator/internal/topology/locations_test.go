package topology

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// opened is no locations yet.
func opened(t testing.TB) *Locations {
	t.Helper()
	return openedOn(t, newLedger(), Options{})
}

func openedOn(t testing.TB, ledger *reservation.Ledger, o Options) *Locations {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	o.Logger = silent
	if o.Most == 0 {
		o.Most = 1 << 12
	}
	g := new(gate.Gate)
	g.Open(gate.Options{Logger: silent})
	g.Start(ledger)
	w := new(Locations)
	must(t, w.Open(ledger, g, o), ledger.Fill())
	return w
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever is set, changed, moved and removed, one by one and many at once, the
// catalogue says what a plain list of the locations says: who is there, who is
// nearest, which number and slot belong together, and what each form and kind lets
// pass. So it does after it was read back.
func TestCatalogueAgainstAList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	area, err := geo.NewArea([]geo.Point{{Lat: 1, Lon: 1}, {Lat: 1, Lon: 2}, {Lat: 2, Lon: 2}})
	must(t, err)
	var w *Locations
	var ledger *reservation.Ledger
	for world := range 20 {
		if world%5 == 0 {
			ledger = newLedger()
			w = openedOn(t, ledger, Options{})
		}
		for range 30 {
			all := make([]Place, 1+r.IntN(4)*r.IntN(40))
			seen := map[string]bool{}
			for i := range all {
				all[i] = drawn(r, area)
				seen[all[i].ID] = true
			}
			if len(seen) < len(all) { // no list has one twice
				continue
			}
			must(t, w.Set(all, 1))
			if r.IntN(4) == 0 {
				_, err := w.Remove(all[0].ID, 1)
				must(t, err)
			}
			judged(t, r, w.Load(), ledger)
		}
	}
}

func drawn(r *rand.Rand, area *geo.Area) Place {
	n := r.IntN(300)
	p := Place{ID: fmt.Sprint("L", n), Kind: Kind(r.IntN(int(Kinds))), NoReturns: r.IntN(2) == 0}
	p.Point = geo.Point{Lat: float64(n%20) + 1, Lon: float64(n / 20)}
	if r.IntN(20) == 0 { // it moves
		p.Point = geo.Point{Lat: float64(r.IntN(20)) + 1, Lon: float64(r.IntN(20))}
	}
	if r.IntN(4) == 0 {
		p.Area = area
	}
	if r.IntN(3) == 0 {
		p.Terms = &Terms{Offline: r.IntN(9) == 0, Prep: time.Duration(r.IntN(2)) * time.Hour, Priority: r.IntN(2), Owner: []string{"", "o"}[r.IntN(2)]}
		if r.IntN(2) == 0 {
			p.Terms.Forms = []sourcing.Form{sourcing.Form(r.IntN(3))}
		}
	}
	return p
}

func judged(t *testing.T, r *rand.Rand, c *Catalogue, ledger *reservation.Ledger) {
	t.Helper()
	live, near := 0, geo.Point{Lat: float64(r.IntN(40)) / 2, Lon: float64(r.IntN(40)) / 2}
	type found struct {
		distance geo.Meters
		id       string
	}
	var want []found
	for slot := range c.Slots() {
		p := c.Place(slot)
		if p.Gone() {
			continue
		}
		live++
		n := c.Number(slot)
		if known, ok := ledger.Slot(p.ID); !ok || known != slot || c.Slot(n) != slot || *c.Spot(n) != (Spot{p.ID, p.Area, slot}) {
			t.Fatalf("%s is not found at its number %d", p.ID, n)
		}
		if s := c.SiteOf(slot); s.ID != p.ID || s.Point != p.Point || s.Kind != uint8(p.Kind) {
			t.Fatalf("%s to the rules: %+v", p.ID, s)
		}
		if f := c.Face(n); f.Slot != slot || f.Site != c.SiteOf(slot) {
			t.Fatalf("%s to an order that weighs it: %+v", p.ID, f)
		}
		want = append(want, found{geo.Distance(near, p.Point), p.ID})
	}
	likeness(t, c)
	if c.Live() != live {
		t.Fatalf("%d live, %d are there", c.Live(), live)
	}
	slices.SortFunc(want, func(a, b found) int { return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.id, b.id)) })
	var search geo.Search
	search.Start(c.Index(), near, nil, 0)
	var got []found
	for {
		n, distance, ok := search.Next()
		if !ok {
			break
		}
		if slot := c.Slot(n); !c.Place(slot).Gone() {
			got = append(got, found{distance, c.Place(slot).ID})
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d found, %d are there", len(got), len(want))
	}
	last := map[geo.Point]string{}
	for i := range got {
		// Two points may be as far but for a rounding; locations at one point come by ID.
		slot, _ := ledger.Slot(got[i].id)
		at := c.Place(slot).Point
		if math.Abs(float64(got[i].distance-want[i].distance)) > 1e-6 || got[i].distance != geo.Distance(near, at) || got[i].id <= last[at] {
			t.Fatalf("the %d. is %v, want %v", i, got[i], want[i])
		}
		last[at] = got[i].id
	}
}

// likeness compares which locations are alike with what is said of them.
func likeness(t *testing.T, c *Catalogue) {
	t.Helper()
	saying := map[string]uint32{}
	meaning := map[uint32]string{}
	for slot := range c.Slots() {
		p, n := c.Place(slot), c.Number(slot)
		if p.Gone() || p.Area != nil {
			if n != reservation.NoNumber && c.Face(n).Alike != 0 {
				t.Fatalf("%+v is like others", p)
			}
			continue
		}
		says := fmt.Sprint(p.Kind)
		if p.Terms != nil {
			is := *p.Terms
			is.Groups, is.Priority, is.Owner = nil, 0, ""
			says = fmt.Sprintf("%v %+v", p.Kind, is)
		}
		alike := c.Face(n).Alike
		if is, ok := saying[says]; ok && is != alike {
			t.Fatalf("%s, %s, are %d and %d", p.ID, says, alike, is)
		}
		if is, ok := meaning[alike]; alike == 0 || ok && is != says {
			t.Fatalf("%d is of %s, and of %s", alike, is, says)
		}
		saying[says], meaning[alike] = alike, says
	}
}

// Two locations whose hours name holidays are not alike where holidays are the host's,
// who may have others at each; where there are none they are.
func TestHolidaysAreOfALocation(t *testing.T) {
	for _, of := range []struct {
		hours string
		host  bool
		alike bool
	}{{"Mo-Fr 09:00-17:00", true, true}, {"Mo-Fr 09:00-17:00; PH off", true, false}, {"Mo-Fr 09:00-17:00; PH off", false, true}} {
		o := Options{}
		if of.host {
			o.Holidays = func(string, int, time.Month, int) bool { return false }
		}
		w := openedOn(t, newLedger(), o)
		must(t, w.Set([]Place{{ID: "a", Terms: &Terms{Hours: of.hours, Priority: 1}}, {ID: "b", Terms: &Terms{Hours: of.hours, Groups: []string{"g"}, Owner: "o"}}}, 1))
		if a, b := w.Load().Face(0).Alike, w.Load().Face(1).Alike; (a == b && a != 0) != of.alike {
			t.Errorf("%q, holidays of the host's %v: %d and %d", of.hours, of.host, a, b)
		}
	}
}

// The filter of a form and kinds lets those pass that the kinds allow, and is none
// where all are.
func TestWhereCustomersCollect(t *testing.T) {
	ledger := newLedger()
	w := openedOn(t, ledger, Options{})
	must(t, w.Set([]Place{{ID: "shop", Point: geo.Point{Lat: 1}}}, 1))
	if w.Load().Filter(0, sourcing.Collect) != nil {
		t.Error("a filter although all are open to customers")
	}
	must(t, w.Set([]Place{{ID: "depot", Kind: Warehouse, Point: geo.Point{Lat: 2}},
		{ID: "open depot", Kind: Warehouse, Point: geo.Point{Lat: 3}, Terms: &Terms{Forms: []sourcing.Form{sourcing.Collect}}}}, 1))
	c := w.Load()
	if c.Filter(0, sourcing.Ship) != nil || c.Filter(1<<Store|1<<Warehouse, sourcing.Collect) != nil || c.Filter(1<<Store, sourcing.Collect) == nil {
		t.Error("a filter where all pass, or none where some do not")
	}
	for _, s := range []string{"shop", "depot", "open depot"} {
		slot, _ := ledger.Slot(s)
		if got := c.Place(slot).Allows(0, sourcing.Collect); got != (s != "depot") {
			t.Errorf("%s allows a customer: %v", s, got)
		}
	}
	if !c.Terms() || c.Areas() {
		t.Error("what it says of terms and areas")
	}
	if c.Filter(0, sourcing.Collect) == nil {
		t.Error("a depot passes")
	}
}

// A catalogue that was loaded stays as it was.
func TestCatalogueIsImmutable(t *testing.T) {
	w := opened(t)
	must(t, w.Set([]Place{{ID: "a", Point: geo.Point{Lat: 1}}}, 1))
	before := w.Load()
	must(t, w.Set([]Place{{ID: "a", Kind: Locker, Point: geo.Point{Lat: 2}}, {ID: "b", Point: geo.Point{Lat: 3}}}, 1))
	_, err := w.Remove("a", 1)
	must(t, err)
	if p := before.Place(0); before.Slots() != 1 || before.Live() != 1 || p.Gone() || p.Kind != Store || p.Point.Lat != 1 {
		t.Errorf("changed to %+v", p)
	}
	if w.Load().Live() != 1 || !w.Load().Place(0).Gone() {
		t.Error("the new one is not")
	}
	if _, err := w.Remove("a", 1); !errors.Is(err, reservation.ErrUnknownLocation) {
		t.Error(err)
	}
}

// More locations than there may be are refused, all of them.
func TestMostLocations(t *testing.T) {
	w := openedOn(t, newLedger(), Options{Most: 2})
	must(t, w.Set([]Place{{ID: "a", Point: geo.Point{Lat: 1}}}, 1))
	if err := w.Set([]Place{{ID: "b"}, {ID: "a"}, {ID: "c"}}, 1); !errors.Is(err, reservation.ErrFull) || w.Load().Slots() != 1 {
		t.Errorf("%v; %d are there", err, w.Load().Slots())
	}
	must(t, w.Set([]Place{{ID: "b", Point: geo.Point{Lat: 1}}, {ID: "a", Point: geo.Point{Lat: 1}}}, 1))
}

// The holidays of a location are asked of the host, and a panic of his is none.
func TestHolidays(t *testing.T) {
	ledger := newLedger()
	w := openedOn(t, ledger, Options{Holidays: func(location string, _ int, _ time.Month, day int) bool {
		if day == 2 {
			panic("host")
		}
		return location == "a" && day == 1
	}})
	must(t, w.Set([]Place{{ID: "a", Point: geo.Point{Lat: 1}, Terms: &Terms{Hours: "Mo-Fr 09:00-17:00; PH off"}}}, 1))
	holiday := w.Load().SiteOf(0).Calendar.Holiday
	if !holiday(2026, 1, 1) || holiday(2026, 1, 2) || holiday(2026, 1, 3) {
		t.Error("the wrong days")
	}
}

func newLedger() *reservation.Ledger {
	return reservation.New(reservation.Options{SKUs: 16, Locations: 1 << 12, Remember: 1 << 10})
}
