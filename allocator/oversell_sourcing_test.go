package allocator

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// These are the ways in which commerce systems are known to have sent an order to
// the wrong place, or to none, each as it would look at this door.

// magento/inventory #3079: a search without conditions was taken for one whose
// list of them is empty, which no store meets, and pickup was not offered.
func TestSourcingEmptyListsAreNoConditions(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L1", "tea", 1)
	o := ordered("o", Line{"tea", 1})
	o.Kinds, o.Groups, o.Exclude, o.Prefer = []Kind{}, []string{}, []string{}, []string{}
	o.Forms, o.Substitutes, o.Together = map[string]sourcing.Form{}, map[string][]string{}, [][]string{}
	allocated(t, a, o, "L1")
}

// magento/inventory #3184: whoever typed in where they are got no store at all,
// whoever typed in nothing got every one. A radius is in meters here, and what is
// just inside it is inside, next to a pole or across the date line too.
func TestSourcingFindsWhatIsInTheRadius(t *testing.T) {
	for _, pair := range [][2]geo.Point{
		{{Lat: 50, Lon: 20}, {Lat: 50.01, Lon: 20}}, {{Lat: 0, Lon: 179.995}, {Lat: 0, Lon: -179.995}},
		{{Lat: 89.995, Lon: 0}, {Lat: 89.995, Lon: 180}}, {{Lat: 50, Lon: 20}, {Lat: 50, Lon: 20}},
	} {
		a := opened(t, Options{})
		must(t, a.SetLocations(t.Context(), Location{ID: "store", Point: pair[1], Terms: &Terms{Prep: 1}}))
		stocked(t, a, "store", "tea", 5)
		is := geo.Distance(pair[0], pair[1])
		o := Order{ID: "inside", Near: pair[0], MaxDistance: max(is, 0.001), Lines: []Line{{"tea", 1}}}
		if got := allocated(t, a, o, "store"); got.Distance != is || !(is >= 0 && is < 1200) {
			t.Errorf("from %v to %v are %v m, told %v", pair[0], pair[1], is, got.Distance)
		}
		if is == 0 {
			continue
		}
		o.ID, o.MaxDistance = "outside", is-0.001
		_, err := a.Allocate(t.Context(), o)
		if e := as[*NoLocationError](t, err).Explain(); e.Rejected[0].Reason != sourcing.TooFar {
			t.Errorf("%v", e)
		}
	}
}

// magento/inventory #2834: the list of stores to choose from showed stores that
// have only a part of the basket.
func TestSourcingListsOnlyStoresWithTheWholeBasket(t *testing.T) {
	a := street(t, 4, Options{})
	stocked(t, a, "L0", "cup", 5)
	stocked(t, a, "L1", "cup", 1)
	stocked(t, a, "L1", "tea", 5)
	stocked(t, a, "L2", "cup", 2)
	stocked(t, a, "L2", "tea", 1)
	o := ordered("o", Line{"cup", 2}, Line{"tea", 1})
	all, err := a.Candidates(o)
	must(t, err)
	var listed []string
	for c := range all {
		listed = append(listed, c.Location)
	}
	if fmt.Sprint(listed) != "[L2]" {
		t.Errorf("listed %v, want L2 alone", listed)
	}
	allocated(t, a, o, listed[0])
}

// magento/inventory #3103, #3106: the selection of sources put an order into one
// source or none, though three sources with a unit each had what it wanted; and a
// split must leave none of them below zero.
func TestSourcingTakesAUnitFromEach(t *testing.T) {
	a := street(t, 3, Options{})
	for i := range 3 {
		stocked(t, a, fmt.Sprint("L", i), "tea", 1)
	}
	o := ordered("o", Line{"tea", 3})
	o.Form, o.MaxLocations = sourcing.Ship, 2
	_, err := a.Allocate(t.Context(), o)
	as[*NoLocationError](t, err)
	o.MaxLocations = 3
	asks(t, a, o, "o/1@L0 1 tea; o/2@L1 1 tea; o/3@L2 1 tea")
	for i := range 3 {
		shelf(t, a, fmt.Sprint("L", i), "tea", 1, 1, 0)
	}
	o.ID = "again"
	_, err = a.Allocate(t.Context(), o)
	as[*NoLocationError](t, err)
}

// medusajs/medusa #14987: the checkout summed the stock of all locations, and the
// reservation then was made at the first of them, which could not hold it.
func TestSourcingConfirmsWhereItReserves(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 2)
	stocked(t, a, "L1", "tea", 3)
	o := ordered("o", Line{"tea", 5})
	if _, err := a.Quote(o); err == nil {
		t.Error("a quote sums two stores for an order that goes to one")
	}
	_, err := a.Allocate(t.Context(), o)
	as[*NoLocationError](t, err)
	o.Lines[0].Quantity = 3
	allocated(t, a, o, "L1")
	o.ID, o.MaxLocations, o.Form = "split", 2, sourcing.Ship
	o.Lines = []Line{{"tea", 3}}
	_, err = a.Allocate(t.Context(), o) // there are two left
	as[*NoLocationError](t, err)
	shelf(t, a, "L0", "tea", 2, 0, 0)
	shelf(t, a, "L1", "tea", 3, 3, 0)
}

// medusajs/medusa #16502: of two lines for the same goods in one call each was
// checked against all of the stock, so both passed, and the shelf went below
// zero. Here they are one want, in whatever way the order goes.
func TestSourcingSumsLinesOfOneSKU(t *testing.T) {
	for f := range sourcing.Form(3) {
		a := street(t, 2, Options{})
		stocked(t, a, "L0", "tea", 3)
		o := ordered("o", Line{"tea", 2}, Line{"tea", 2})
		o.Form, o.At, o.MaxLocations = f, "L0", 2
		_, err := a.Allocate(t.Context(), o)
		as[*NoLocationError](t, err)
		shelf(t, a, "L0", "tea", 3, 0, 0)
		o.Lines[1].Quantity = 1
		asks(t, a, o, "o@L0 3 tea")
		shelf(t, a, "L0", "tea", 3, 3, 0)
	}
}

// saleor/saleor #10218: for a collection point with stock of its own the stock of
// other warehouses was looked at and taken: the customer stood at the counter and
// the goods were elsewhere.
func TestSourcingCollectsOnlyWhatIsAtTheStore(t *testing.T) {
	a := street(t, 3, Options{})
	stocked(t, a, "L0", "tea", 9)
	stocked(t, a, "L2", "tea", 1)
	o := Order{ID: "counter", Near: streetPoint(0), At: "L1", MaxLocations: 3, Lines: []Line{{"tea", 1}}}
	_, err := a.Allocate(t.Context(), o)
	as[*NoLocationError](t, err)
	o.ID, o.At = "own", "L2"
	asks(t, a, o, "own@L2 1 tea")
	shelf(t, a, "L0", "tea", 9, 0, 0)
	o.ID, o.At, o.Form = "brought", "L1", sourcing.ShipToStore
	asks(t, a, o, "brought@L0 1 tea")
}

// Two splits at once over the same two shelves, each with one unit: one order gets
// both, and no shelf is empty for nothing or below zero.
func TestSourcingTwoSplitsOnTheLastUnits(t *testing.T) {
	a := street(t, 2, Options{})
	for round := range scaled(1000, 100) {
		stocked(t, a, "L0", "cup", 1)
		stocked(t, a, "L1", "tea", 1)
		var won atomic.Int64
		together(2, func(g int) {
			o := ordered(fmt.Sprintf("%d-%d", round, g), Line{"cup", 1}, Line{"tea", 1})
			o.Form, o.MaxLocations = sourcing.Ship, 2
			if _, err := a.Allocate(context.Background(), o); err == nil {
				won.Add(1)
			} else {
				as[*NoLocationError](t, err)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("round %d: %d orders got the last units", round, won.Load())
		}
		units := int64(round + 1)
		shelf(t, a, "L0", "cup", units, units, 0)
		shelf(t, a, "L1", "tea", units, units, 0)
	}
}
