package allocator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// deepWorld is many near shops with few cups each, and some depots far off with many.
func deepWorld(t *testing.T, shops []int64, depots ...int64) *Allocator {
	a := opened(t, Options{})
	for i, units := range append(slices.Clone(shops), depots...) {
		l := Location{ID: fmt.Sprintf("shop-%03d", i), Point: geo.Point{Lat: 50 + float64(i)/10_000, Lon: 20}}
		if i >= len(shops) {
			l = Location{ID: fmt.Sprintf("depot-%d", i-len(shops)), Kind: Warehouse, Point: geo.Point{Lat: 51 + float64(i)/10_000, Lon: 20}}
		}
		must(t, a.SetLocations(t.Context(), l))
		if units > 0 {
			stocked(t, a, l.ID, "cup", units)
		}
	}
	return a
}

func cups(id string, units int64, most int) Order {
	return Order{ID: id, Near: geo.Point{Lat: 50, Lon: 20}, Form: sourcing.Ship, MaxLocations: most, Lines: []Line{{"cup", units}}}
}

// Seventy-two shops near by with one cup each do not hide two depots that have forty
// each: sixty cups are sent from the depots, whatever the number of shops.
func TestNearShopsHideNoDepot(t *testing.T) {
	for _, shops := range []int{0, 60, 70, 72, 73, 300} {
		a := deepWorld(t, slices.Repeat([]int64{1}, shops), 40, 40)
		got, err := a.Allocate(t.Context(), cups("o", 60, 4))
		if err != nil || len(got.Parts()) != 2 {
			t.Errorf("%d shops: %d parts, %v; want both depots", shops, len(got.Parts()), err)
		}
		must(t, a.Close())
	}
}

// An order of one line is refused only if the locations with the most of it, as many as
// it may be split over, have too little together: whoever has what, and wherever.
func TestSplitOfOneLineIsFilledIfItCanBe(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for world := range scaled(200, 25) {
		shops := make([]int64, 50+random.IntN(200))
		for i := range shops {
			shops[i] = int64(random.IntN(4))
		}
		depots := make([]int64, random.IntN(5))
		for i := range depots {
			depots[i] = int64(random.IntN(40))
		}
		a := deepWorld(t, shops, depots...)
		all := append(shops, depots...)
		for i := range 12 {
			units, most := int64(1+random.IntN(60)), 1+random.IntN(8)
			slices.SortFunc(all, func(a, b int64) int { return int(b - a) })
			there := int64(0)
			for _, n := range all[:most] {
				there += n
			}
			o := cups(fmt.Sprint(i), units, most)
			got, err := a.Allocate(t.Context(), o)
			var none *NoLocationError
			if (err == nil) != (there >= units) || err != nil && !errors.As(err, &none) {
				t.Fatalf("world %d: %d cups from at most %d locations, which have %d: %v", world, units, most, there, err)
			}
			if err == nil {
				if len(got.Parts()) > most {
					t.Errorf("world %d: %d parts, at most %d", world, len(got.Parts()), most)
				}
				must(t, a.Cancel(t.Context(), o.ID))
			}
		}
		must(t, a.Close())
	}
}

// Costs are money in any unit: sums beyond 2,147,483,647 are sums, and decide.
func TestCostsOfAnySize(t *testing.T) {
	const parcel = 3_000_000_000
	a := opened(t, Options{Rules: sourcing.Rules{Costs: sourcing.Costs{Parcel: parcel, PerLine: 1}}})
	for i, stock := range [][]Line{{{"cup", 5}}, {{"hat", 5}}, {{"tea", 5}}, {{"cup", 5}, {"hat", 5}}} {
		l := fmt.Sprintf("L%d", i)
		must(t, a.SetLocations(t.Context(), Location{ID: l, Point: streetPoint(i)}))
		for _, line := range stock {
			stocked(t, a, l, line.SKU, line.Quantity)
		}
	}
	o := ordered("o", Line{"cup", 1}, Line{"hat", 1}, Line{"tea", 1})
	o.Form, o.MaxLocations = sourcing.Ship, 3
	got, err := a.Allocate(t.Context(), o)
	if err != nil || got.Cost != 2*parcel+3 || len(got.Parts()) != 2 {
		t.Errorf("%d parts for %d, %v; want 2 for %d", len(got.Parts()), got.Cost, err, 2*parcel+3)
	}
}

// A location that is gone takes its part out of the explanation, and nobody else gets
// that part's lines.
func TestExplainWithoutARemovedLocation(t *testing.T) {
	a := opened(t, Options{})
	for i, sku := range []string{"cup", "hat"} {
		l := fmt.Sprintf("L%d", i)
		must(t, a.SetLocations(t.Context(), Location{ID: l, Point: streetPoint(i)}))
		stocked(t, a, l, sku, 5)
	}
	o := ordered("o", Line{"cup", 1}, Line{"hat", 1})
	o.Form, o.MaxLocations = sourcing.Ship, 2
	got, err := a.Allocate(t.Context(), o)
	must(t, err)
	if len(got.Parts()) != 2 || got.Parts()[0].Location != "L0" {
		t.Fatalf("got %+v", got.Parts())
	}
	must(t, a.Part("o", 1).Cancel(t.Context()))
	must(t, a.Adjust(t.Context(), Adjustment{ID: "off", Location: "L0", Lines: []Line{{"cup", -5}}}))
	must(t, a.RemoveLocation(t.Context(), "L0"))
	why, err := a.Explain(o)
	must(t, err)
	if len(why.Chosen) != 1 || why.Chosen[0].Site != "L1" || !slices.Equal(why.Chosen[0].Lines, []string{"hat"}) {
		t.Errorf("got\n%s", why)
	}
}
