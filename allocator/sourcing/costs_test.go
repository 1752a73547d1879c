package sourcing

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/geo"
)

func TestCosts(t *testing.T) {
	const most = math.MaxInt64
	c := Costs{Parcel: 400, Transfer: 150, PerKm: 30, PerLine: 20}
	for _, test := range []struct {
		form     Form
		distance geo.Meters
		want     int64
	}{
		{Collect, 9000, 0}, {Ship, 0, 400}, {Ship, 1000, 430}, {Ship, 16, 400}, {Ship, 17, 401}, {Ship, 1234.5, 437},
		{ShipToStore, 2000, 210}, {Ship, -5000, 400}, {Ship, geo.Meters(math.NaN()), 400},
		{Ship, geo.Meters(math.Inf(1)), most}, {Ship, 1e30, most},
	} {
		if got := c.Fixed(test.form, test.distance); got != test.want {
			t.Errorf("%v over %v m costs %d, want %d", test.form, test.distance, got, test.want)
		}
	}
	c.PerKm, c.Parcel = most, most-5
	if got := c.Fixed(Ship, 1); got != most {
		t.Errorf("a parcel that costs too much to count costs %d", got)
	}
	if c.Sum() != 0 || c.Sum(-4, 7, math.MinInt64) != 7 || c.Sum(most, most) != most || c.Sum(most-1, 1) != most {
		t.Error("sums are wrong")
	}
	c = Costs{Parcel: -1, Transfer: -1, PerKm: -1, PerLine: -1}
	if c.Fixed(Ship, 1e6) != 0 || c.Fixed(ShipToStore, 1e6) != 0 || c.Line("x", 1, nil) != 0 {
		t.Error("a cost is below 0")
	}
	c = Costs{PerLine: 3, Price: func(sku string, units int64, s *Site) int64 { return units }}
	for units, want := range map[int64]int64{4: 7, 0: 3, -9: 3, most: most, most - 3: most, most - 4: most - 1} {
		if got := c.Line("x", units, nil); got != want {
			t.Errorf("a line at %d costs %d, want %d", units, got, want)
		}
	}
}

// TestPart: what the chosen store has itself is brought by nobody.
func TestPart(t *testing.T) {
	c := Costs{Parcel: 400, Transfer: 150, PerKm: 30}
	at, other := &Site{ID: "a"}, &Site{ID: "b"}
	r := &Request{Form: ShipToStore, At: at}
	for _, test := range []struct {
		site *Site
		form Form
		want int64
	}{{at, ShipToStore, 0}, {other, ShipToStore, 180}, {at, Ship, 430}, {other, Collect, 0}} {
		r.Form = test.form
		if got := c.Part(&Candidate{Site: test.site, Request: r, Distance: 1000}); got != test.want {
			t.Errorf("%s, %v: %d, want %d", test.site.ID, test.form, got, test.want)
		}
	}
}

// TestCostsGrow: no cost is below 0, and none is less for a longer way.
func TestCostsGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Costs{Parcel: rapid.Int64().Draw(t, "parcel"), Transfer: rapid.Int64().Draw(t, "transfer"),
			PerKm: rapid.Int64().Draw(t, "km"), PerLine: rapid.Int64().Draw(t, "line"),
			Price: func(_ string, units int64, _ *Site) int64 { return units }}
		form := Form(rapid.IntRange(0, 2).Draw(t, "form"))
		a, b := rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b")
		near, far := c.Fixed(form, geo.Meters(min(a, b))), c.Fixed(form, geo.Meters(max(a, b)))
		if near < 0 || far < near || c.Line("x", rapid.Int64().Draw(t, "units"), nil) < 0 {
			t.Fatalf("%d near, %d far", near, far)
		}
	})
}
