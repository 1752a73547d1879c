package allocator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

func TestLocationFaults(t *testing.T) {
	a := opened(t, Options{MaxLocations: 3, MaxIDBytes: 33})
	point := geo.Point{Lat: 1, Lon: 1}
	must(t, a.SetLocations(t.Context(), Location{ID: "old", Point: point}))
	long := strings.Repeat("y", 34)
	for name, c := range map[string]struct {
		locations []Location
		fact      error
		text      string
	}{
		"no ID":     {[]Location{{ID: "new", Point: point}, {Point: point}}, ErrInvalid, `allocator: set locations: invalid locations[1].ID "": must not be empty`},
		"long ID":   {[]Location{{ID: long}}, ErrInvalid, `allocator: set locations: invalid locations[0].ID "` + long + `": is 34 bytes long, at most 33 are allowed`},
		"twice":     {[]Location{{ID: "new", Point: point}, {ID: "new", Point: point}}, ErrInvalid, `allocator: set locations: invalid locations[1].ID "new": is in the list twice`},
		"kind":      {[]Location{{ID: "new", Kind: 4}}, ErrInvalid, `allocator: set locations: invalid locations[0].Kind 0x4: is not a kind of location`},
		"latitude":  {[]Location{{ID: "new", Point: geo.Point{Lat: math.NaN()}}}, ErrInvalid, `allocator: set locations: location "new": invalid locations[0].Point geo.Point{Lat:NaN, Lon:0}: geo: Lat NaN: not a number`},
		"longitude": {[]Location{{ID: "new", Point: geo.Point{Lon: math.Inf(-1)}}}, ErrInvalid, `allocator: set locations: location "new": invalid locations[0].Point geo.Point{Lat:0, Lon:-Inf}: geo: Lon -Inf: infinite`},
		"no place":  {[]Location{{ID: "old", Point: point}, {ID: "new"}}, ErrInvalid, `allocator: set locations: location "new": invalid locations[1].Point geo.Point{Lat:0, Lon:0}: must be given`},
		"full":      {[]Location{{ID: "n1", Point: point}, {ID: "n2", Point: point}, {ID: "n3", Point: point}, {ID: "old", Point: point}}, ErrFull, `allocator: set locations: 1 more than the 3 of Options.MaxLocations: limit reached`},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, a.SetLocations(t.Context(), c.locations...), c.fact, c.text)
			if got := slices.Collect(a.Locations()); len(got) != 1 || got[0] != (Location{ID: "old", Point: point}) {
				t.Errorf("locations are now %+v", got)
			}
		})
	}
	must(t, a.SetLocations(t.Context(), Location{ID: "n1", Point: point}, Location{ID: "n2", Point: point}, Location{ID: "old", Point: point}))
	refused(t, a.RemoveLocation(t.Context(), "n3"), ErrUnknownLocation, `allocator: remove location: unknown location: "n3"`)
}

// With all stores at one point the lowest ID is the nearest, whenever it came.
func TestTenThousandStoresAtOnePoint(t *testing.T) {
	const n = 10_000
	a := opened(t, Options{})
	point := geo.Point{Lat: 52.52, Lon: 13.405}
	all := make([]Location, n)
	goods := make([]Receipt, n)
	for i := range all {
		all[i] = Location{ID: fmt.Sprintf("S%05d", i), Point: point}
		goods[i] = Receipt{ID: all[i].ID, Location: all[i].ID, Lines: []Line{{"tea", 1}}}
	}
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	must(t, a.SetLocations(t.Context(), all...), a.Receive(t.Context(), goods...))
	order := func(i int) Order { return Order{ID: fmt.Sprint(i), Near: point, Lines: []Line{{"tea", 1}}} }
	for i := range 300 {
		allocated(t, a, order(i), fmt.Sprintf("S%05d", i))
	}
	// Two that come later: one before all that still have stock, one between two of them.
	for _, id := range []string{"S00300x", "A"} {
		must(t, a.SetLocations(t.Context(), Location{ID: id, Point: point}))
		stocked(t, a, id, "tea", 1)
	}
	allocated(t, a, order(300), "A")
	allocated(t, a, order(301), "S00300")
	allocated(t, a, order(302), "S00300x")
	near, err := a.Nearby(Order{Near: geo.Point{Lat: 52, Lon: 13}, Lines: []Line{{"tea", 1}}})
	must(t, err)
	want := 301
	for c := range able(near) {
		if id := fmt.Sprintf("S%05d", want); c.Location != id {
			t.Fatalf("got %s, want %s", c.Location, id)
		}
		want++
	}
	if want != n {
		t.Errorf("the walk ended at %d", want)
	}
}

func TestKindsAndServiceArea(t *testing.T) {
	a := street(t, 5, Options{})
	area, err := geo.NewArea([]geo.Point{{Lat: 50.035, Lon: 19}, {Lat: 50.035, Lon: 21}, {Lat: 51, Lon: 21}, {Lat: 51, Lon: 19}})
	must(t, err)
	must(t, a.SetLocations(t.Context(),
		Location{ID: "L0", Kind: Warehouse, Point: streetPoint(0)},
		Location{ID: "L1", Kind: Locker, Point: streetPoint(1)},
		Location{ID: "L2", Area: area, Point: streetPoint(2)},
		Location{ID: "L3", Kind: PickupPoint, Point: streetPoint(3)}))
	for i := range 5 {
		stocked(t, a, fmt.Sprintf("L%d", i), "tea", 100)
	}
	for want, kinds := range map[string][]Kind{"L0": {Warehouse}, "L1": {Locker}, "L3": {PickupPoint}, "L4": {Store}} {
		allocated(t, a, Order{ID: want, Near: streetPoint(0), Kinds: kinds, Lines: []Line{{"tea", 1}}}, want)
	}
	allocated(t, a, Order{ID: "inside", Near: streetPoint(4), Kinds: []Kind{Store}, Lines: []Line{{"tea", 100}}, MaxDistance: 3000}, "L2")
	allocated(t, a, Order{ID: "named, outside", At: "L1", Near: streetPoint(0), Kinds: []Kind{Locker}, Lines: []Line{{"tea", 1}}}, "L1")
	must(t, a.Cancel(t.Context(), "inside"))
	allocated(t, a, Order{ID: "named, area does not count", At: "L2", Near: streetPoint(0), Lines: []Line{{"tea", 1}}}, "L2")

	_, err = a.Allocate(t.Context(), Order{ID: "no", Near: streetPoint(0), Kinds: []Kind{Store, Warehouse}, Lines: []Line{{"tea", 101}}, MaxDistance: 4000})
	refused(t, err, ErrNoLocation, `allocator: order "no": no location can fill the order: 1 short, 1 too far, 2 of another kind, 1 outside the service area; nearest: `+
		`"L0" 0.0 km short of SKU "tea", "L1" 1.1 km wrong kind, "L2" 2.2 km outside its service area, "L3" 3.3 km wrong kind, "L4" 4.4 km too far`)
	_, err = a.Allocate(t.Context(), Order{ID: "no", Near: streetPoint(0), At: "L1", Kinds: []Kind{Store}, Lines: []Line{{"tea", 1}}})
	refused(t, err, ErrNoLocation, `allocator: order "no": no location can fill the order: 0 short, 0 too far, 1 of another kind, 0 outside the service area; nearest: "L1" 1.1 km wrong kind`)

	near, err := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"tea", 1}}, Kinds: []Kind{Store, PickupPoint}})
	must(t, err)
	var got []string
	for c := range able(near) {
		got = append(got, fmt.Sprint(c.Location, " ", c.Kind))
	}
	if want := []string{"L3 pickup point", "L4 store"}; !slices.Equal(got, want) {
		t.Errorf("nearby %q, want %q", got, want)
	}
}

func TestNames(t *testing.T) {
	got := fmt.Sprint(Store, Warehouse, PickupPoint, Locker, Kind(7), sourcing.TooFar, sourcing.WrongKind, sourcing.OutsideArea, sourcing.Short, sourcing.Reason(0), Held, Collected, Canceled)
	if want := "store warehouse pickup point locker Kind(7) too far wrong kind outside its service area short Reason(0) held collected canceled"; got != want {
		t.Errorf("got %s", got)
	}
}

// A location goes only when nothing is there; its ID may come back, elsewhere.
func TestRemoveLocation(t *testing.T) {
	a := street(t, 3, Options{})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 5)
	stocked(t, a, "L0", "cup", 2)
	allocated(t, a, ordered("o", Line{"tea", 3}), "L0")
	err := a.RemoveLocation(ctx, "L0")
	refused(t, err, ErrInUse, `allocator: remove location: reservation: removing a location: location "L0" is in use: 2 SKUs with 7 units on hand and 3 held, 0 deliveries on their way`)
	if e := as[*LocationInUseError](t, err); *e != (LocationInUseError{Location: "L0", SKUs: 2, OnHand: 7, Held: 3}) {
		t.Errorf("got %+v", e)
	}
	empty := Count{ID: "empty", Location: "L0", Lines: []Line{{"tea", 0}, {"cup", 0}}}
	must(t, a.Count(ctx, empty))
	refused(t, a.RemoveLocation(ctx, "L0"), ErrInUse, `allocator: remove location: reservation: removing a location: location "L0" is in use: 1 SKUs with 0 units on hand and 3 held, 0 deliveries on their way`)
	must(t, a.Cancel(ctx, "o"), a.RemoveLocation(ctx, "L0"))
	refused(t, a.RemoveLocation(ctx, "L0"), ErrUnknownLocation, `allocator: remove location: unknown location: "L0"`)
	refused(t, a.Receive(ctx, Receipt{ID: "late", Location: "L0", Lines: []Line{{"tea", 1}}}), ErrUnknownLocation, `allocator: received "late": unknown location: "L0"`)
	_, err = a.Available("tea", "L0")
	refused(t, err, ErrUnknownLocation, `allocator: available: unknown location: "L0"`)
	if r := state(t, a, "o", Canceled); r.Location != "L0" {
		t.Errorf("the old reservation is now at %q", r.Location)
	}
	if s := a.Stats(); s.Locations != 2 || len(slices.Collect(a.Locations())) != 2 {
		t.Errorf("stats %+v", s)
	}
	_, err = a.Allocate(ctx, ordered("p", Line{"tea", 1}))
	if e := as[*NoLocationError](t, err); e.Counts() != (ReasonCounts{Short: 2}) || len(e.Candidates()) != 2 {
		t.Errorf("refusal %+v", e)
	}
	_, err = a.Allocate(ctx, Order{ID: "p", Near: streetPoint(0), MaxDistance: 1200, Lines: []Line{{"tea", 1}}})
	if e := as[*NoLocationError](t, err); e.Counts() != (ReasonCounts{Short: 1, TooFar: 1}) {
		t.Errorf("refusal %+v", e)
	}

	must(t, a.SetLocations(ctx, Location{ID: "L0", Kind: PickupPoint, Point: streetPoint(9)}))
	shelf(t, a, "L0", "tea", 0, 0, 0)
	must(t, a.Count(ctx, empty)) // the same movement as before, so it does nothing
	stocked(t, a, "L0", "tea", 4)
	allocated(t, a, ordered("p", Line{"tea", 4}), "L0")
	if got := slices.Collect(a.Locations()); len(got) != 3 || got[2].ID != "L0" || got[2].Kind != PickupPoint {
		t.Errorf("locations %+v", got)
	}
}

// With every location gone an order is refused and a search ends.
func TestNoLocationsLeft(t *testing.T) {
	a := street(t, 1, Options{})
	must(t, a.Count(t.Context(), Count{ID: "c", Location: "L0", Lines: []Line{{"tea", 0}}}), a.RemoveLocation(t.Context(), "L0"))
	_, err := a.Allocate(t.Context(), ordered("o", Line{"tea", 1}))
	refused(t, err, ErrNoLocation, `allocator: order "o": no location can fill the order: 0 short, 0 too far, 0 of another kind, 0 outside the service area`)
}

func TestMoveLocation(t *testing.T) {
	a := street(t, 3, Options{})
	stocked(t, a, "L1", "tea", 9)
	stocked(t, a, "L2", "tea", 9)
	before := allocated(t, a, ordered("o", Line{"tea", 1}), "L1")
	must(t, a.SetLocations(t.Context(), Location{ID: "L1", Point: streetPoint(50)}))
	shelf(t, a, "L1", "tea", 9, 1, 0)
	allocated(t, a, ordered("p", Line{"tea", 1}), "L2")
	if r := state(t, a, "o", Held); r.Distance != before.Distance {
		t.Errorf("the distance of an old reservation changed from %v to %v", before.Distance, r.Distance)
	}
	if again := allocated(t, a, ordered("o", Line{"tea", 1}), "L1"); again != before {
		t.Errorf("first %+v, again %+v", before, again)
	}
	must(t, a.Collect(t.Context(), "o"))
	shelf(t, a, "L1", "tea", 8, 0, 0)
}

// Locations set one by one and locations set in bulk answer alike.
func TestOneByOneAndBulkAnswerAlike(t *testing.T) {
	const n = 1500
	r := rand.New(rand.NewPCG(7, 7))
	all := make([]Location, n)
	goods := make([]Receipt, n)
	for i := range all {
		all[i] = Location{ID: fmt.Sprintf("L%04d", i), Kind: Kind(i % 4), Point: geo.Point{Lat: r.Float64()*10 + 45, Lon: r.Float64()*10 + 5}}
		if i%9 == 0 && i > 0 {
			all[i].Point = all[i-1].Point
		}
		goods[i] = Receipt{ID: all[i].ID, Location: all[i].ID, Lines: []Line{{"tea", int64(r.IntN(3) + 1)}, {fmt.Sprint("rare", i%100), 1}}}
	}
	still := Options{Clock: func() time.Time { return twinTime }}
	one, bulk := opened(t, still), opened(t, still)
	must(t, bulk.SetLocations(t.Context(), all...), bulk.Receive(t.Context(), goods...))
	for i := range all {
		must(t, one.SetLocations(t.Context(), all[i]), one.Receive(t.Context(), goods[i]))
	}
	for i := range 2000 {
		o := Order{ID: fmt.Sprint(i), Near: geo.Point{Lat: r.Float64()*12 + 44, Lon: r.Float64()*12 + 4}, Lines: []Line{{"tea", int64(r.IntN(3) + 1)}}}
		if i%3 == 0 {
			o.Kinds = []Kind{Kind(i % 4)}
		}
		if i%4 == 0 {
			o.Lines = append(o.Lines, Line{fmt.Sprint("rare", i%100), 1})
			o.MaxDistance = 300_000
		}
		x, errX := one.Allocate(t.Context(), o)
		y, errY := bulk.Allocate(t.Context(), o)
		if x != y || fmt.Sprint(errX) != fmt.Sprint(errY) {
			t.Fatalf("order %+v\none by one %+v %v\nin bulk    %+v %v", o, x, errX, y, errY)
		}
		if errX == nil && i%2 == 0 {
			must(t, one.Cancel(t.Context(), o.ID), bulk.Cancel(t.Context(), o.ID))
		}
	}
}

// A call that loaded the locations just before one joined finds its stock in the
// table already. It must pass it over.
func TestStockOfALocationJoinedMeanwhile(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L1", "tea", 1)
	before := a.locations.Load()
	must(t, a.SetLocations(t.Context(), Location{ID: "new", Point: streetPoint(0)}))
	stocked(t, a, "new", "tea", 1)
	after := a.locations.Swap(before)
	near, err := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"tea", 1}}})
	must(t, err)
	for c := range able(near) {
		if c.Location != "L1" {
			t.Errorf("found %q", c.Location)
		}
	}
	allocated(t, a, ordered("o", Line{"tea", 1}), "L1")
	_, err = a.Allocate(t.Context(), Order{ID: "p", At: "new", Lines: []Line{{"tea", 1}}})
	refused(t, err, ErrUnknownLocation, `allocator: order "p": unknown location: "new"`)
	a.locations.Swap(after)
	allocated(t, a, ordered("p", Line{"tea", 1}), "new")
}

// A refusal at a named location that is removed and set anew meanwhile.
func TestRefusalAtALocationSetAnewMeanwhile(t *testing.T) {
	a := street(t, 1, Options{})
	must(t, a.Count(t.Context(), Count{ID: "c", Location: "L0", Lines: []Line{{"tea", 0}}}))
	slot, _ := a.ledger.Slot("L0")
	before := a.locations.Load()
	must(t, a.RemoveLocation(t.Context(), "L0"), a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	c, err := a.gate.Enter()
	must(t, err)
	defer c.Leave()
	s := scratchOf(c.Pass)
	o := Order{ID: "o", At: "L0", Lines: []Line{{"tea", 1}}}
	w, err := a.check(s, o.Near, false, o.Lines, 0, nil)
	must(t, err)
	w.at = slot
	_, err = a.refuse(s, before, &o, w, 0)
	refused(t, err, ErrNoLocation, `allocator: order "o": no location can fill the order: 1 short, 0 too far, 0 of another kind, 0 outside the service area; nearest: "L0" 0.0 km short of SKU "tea"`)
}

// The kinds of the door and of the catalogue have the same numbers, which are stored.
func TestKindsOfTheCatalogue(t *testing.T) {
	for door, catalogue := range map[Kind]topology.Kind{Store: topology.Store, Warehouse: topology.Warehouse, PickupPoint: topology.PickupPoint,
		Locker: topology.Locker, kinds: topology.Kinds} {
		if uint8(door) != uint8(catalogue) {
			t.Errorf("%v is %d there", door, catalogue)
		}
	}
}
