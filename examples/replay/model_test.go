package main

import (
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/geo"
)

// TestEmbeddedData holds the program to what it says of its data.
func TestEmbeddedData(t *testing.T) {
	s, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	bad := &faults{w: &said, limit: 10}
	in, err := readInputs(s, bad)
	if err != nil {
		t.Fatal(err)
	}
	if bad.count != 0 {
		t.Errorf("the embedded files have %d bad rows:\n%s", bad.count, said.String())
	}
	w := &in.week
	largest := 0
	for _, b := range w.baskets {
		largest = max(largest, len(b.lines))
	}
	got := []int{w.invoices, len(w.baskets), w.lines, largest, len(w.cancellations), w.writeOffs, w.notGoods, len(in.stores), len(in.places), in.skew.stores, in.skew.skus}
	want := []int{757, 631, 16698, 674, 168, 45, 74, 1246, 15901, 110, 4096}
	if !slices.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	if rows := w.lines + len(w.cancellations) + w.writeOffs + w.notGoods; rows != 16985 {
		t.Errorf("%d rows are accounted for, want 16985", rows)
	}
	for _, p := range in.places {
		if !in48(p.point) {
			t.Errorf("%s, %s is not in the 48 states", p.name, p.region)
		}
	}
	if len(in.states) < 49 {
		t.Errorf("%d polygons, want one for each state and DC at least", len(in.states))
	}
}

// TestAlbers compares with the numerical example of Snyder 1987, p. 291: the
// sphere of radius 1, parallels 29.5 and 45.5, origin 23 N 96 W, point 35 N 75 W.
func TestAlbers(t *testing.T) {
	a := newAlbers(29.5, 45.5, geo.Point{Lat: 23, Lon: -96})
	x, y := a.project(geo.Point{Lat: 35, Lon: -75})
	if math.Abs(x-0.2952720) > 1e-6 || math.Abs(y-0.2416774) > 1e-6 {
		t.Errorf("projected to %.7f, %.7f, want 0.2952720, 0.2416774", x, y)
	}
}

// TestAlbersKeepsAreas measures small squares all over the map: equal area on
// the ground must be equal area on the paper.
func TestAlbersKeepsAreas(t *testing.T) {
	for _, a := range []albers{albers48(), albersFor([]geo.Point{{Lat: 49, Lon: 14}, {Lat: 55, Lon: 24}}), albersFor([]geo.Point{{Lat: -1, Lon: 30}, {Lat: 1, Lon: 31}})} {
		for lat := 25.0; lat < 50; lat += 5 {
			for lon := -120.0; lon < -70; lon += 10 {
				const d = 0.01
				x0, y0 := a.project(geo.Point{Lat: lat, Lon: lon})
				x1, y1 := a.project(geo.Point{Lat: lat, Lon: lon + d})
				x2, y2 := a.project(geo.Point{Lat: lat + d, Lon: lon})
				paper := math.Abs((x1-x0)*(y2-y0) - (x2-x0)*(y1-y0))
				rad := math.Pi / 180
				ground := d * rad * (math.Sin((lat+d)*rad) - math.Sin(lat*rad))
				if math.Abs(paper/ground-1) > 1e-3 {
					t.Errorf("at %v, %v the area is %.4f of what it should be", lat, lon, paper/ground)
				}
			}
		}
	}
}

func TestAlbersOfOnePoint(t *testing.T) {
	for _, p := range []geo.Point{{}, {Lat: 90}, {Lat: -90}, {Lat: 50, Lon: 180}} {
		x, y := albersFor([]geo.Point{p}).project(p)
		if math.IsNaN(x+y) || math.IsInf(x+y, 0) {
			t.Errorf("%v is projected to %v, %v", p, x, y)
		}
	}
}

// TestPlaceHubs: five towns of equal size far apart are the five sites, and
// each is the nearest of a fifth of the people.
func TestPlaceHubs(t *testing.T) {
	var places []place
	var names []string
	for i, p := range []geo.Point{{Lat: 30, Lon: -120}, {Lat: 45, Lon: -118}, {Lat: 40, Lon: -75}, {Lat: 27, Lon: -81}, {Lat: 42, Lon: -97}} {
		name := string(rune('A' + i))
		names = append(names, name)
		places = append(places, place{name: name, point: p, population: 1e6},
			place{name: "suburb", point: geo.Point{Lat: p.Lat + 0.1, Lon: p.Lon}, population: 1e3})
	}
	var got []string
	for _, h := range placeHubs(places) {
		got = append(got, h.place.name)
		if math.Abs(h.share-0.2) > 1e-9 {
			t.Errorf("%s has a share of %v, want 0.2", h.place.name, h.share)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, names) {
		t.Errorf("sites %v, want %v", got, names)
	}
	if hubs := placeHubs(places[:1]); len(hubs) != 1 || hubs[0].share != 1 {
		t.Errorf("one place gave %v", hubs)
	}
}

func TestPoisson(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, mean := range []float64{0, 0.3, 4, 100} {
		const draws = 20_000
		sum, squares := 0.0, 0.0
		for range draws {
			n := float64(poisson(mean, rng))
			sum += n
			squares += n * n
		}
		got := sum / draws
		variance := squares/draws - got*got
		// The bounds are five standard errors for the mean, and twice that
		// relative to the mean for the variance.
		slack := 5 * math.Sqrt(mean/draws)
		if math.Abs(got-mean) > slack || math.Abs(variance-mean) > 0.1*mean+slack {
			t.Errorf("mean %v: drew a mean of %.3f and a variance of %.3f", mean, got, variance)
		}
	}
}

// TestLatencies compares the histogram with sorted samples.
func TestLatencies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var a, b latencies
	var all []time.Duration
	for i := range 10_000 {
		d := time.Duration(math.Exp(rng.Float64() * 20))
		all = append(all, d)
		if i%2 == 0 {
			a.add(d)
		} else {
			b.add(d)
		}
	}
	a.merge(&b)
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.95, 0.99, 1} {
		exact := all[int(math.Ceil(q*float64(len(all))))-1]
		got := a.quantile(q)
		if got < exact || float64(got) > float64(exact)*(1+1.0/32)+1 {
			t.Errorf("quantile %v is %v, want %v or up to 1/32 more", q, got, exact)
		}
	}
	for _, ns := range []uint64{0, 1, 31, 32, 33, 63, 64, 1000, 1 << 40, math.MaxInt64} {
		if f, next := floorOf(bucketOf(ns)), floorOf(bucketOf(ns)+1); ns < f || ns >= next {
			t.Errorf("%d is in the bucket from %d to %d", ns, f, next)
		}
	}
}

func TestCustomersLiveWhereThePeopleAre(t *testing.T) {
	places := []place{{name: "big", point: geo.Point{Lat: 40, Lon: -100}, population: 9e5}, {name: "small", point: geo.Point{Lat: 30, Lon: -90}, population: 1e5}}
	baskets := make([]basket, 5000)
	placed := geo.Point{Lat: 1, Lon: 2}
	baskets[3] = basket{near: placed, placed: true}
	placeCustomers(baskets, places, 1)
	if baskets[3].near != placed {
		t.Errorf("a point from the file was replaced by %v", baskets[3].near)
	}
	big := 0
	for i, b := range baskets {
		d := min(geo.Distance(b.near, places[0].point), geo.Distance(b.near, places[1].point))
		if i != 3 && d > 60_000 {
			t.Errorf("a customer lives %.0f m from every town", float64(d))
		}
		if b.near.Lat > 35 {
			big++
		}
	}
	if share := float64(big) / float64(len(baskets)); math.Abs(share-0.9) > 0.02 {
		t.Errorf("%.3f of the customers live in the big town, want 0.9", share)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", math.MinInt64: "-9,223,372,036,854,775,808"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}
