package geo

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestAreaContains(t *testing.T) {
	square := []Point{{50, 19}, {50, 21}, {52, 21}, {52, 19}}
	hole := []Point{{50.5, 19.5}, {51.5, 19.5}, {51.5, 20.5}, {50.5, 20.5}, {50.5, 19.5}}
	fiji := []Point{{-20, 177}, {-20, -178}, {-15, -178}, {-15, 177}}
	for _, c := range []struct {
		name    string
		rings   [][]Point
		in, out []Point
	}{
		{"square", [][]Point{square}, []Point{{51, 20}, {50, 20}, {50, 19}, {52, 21}}, []Point{{49.9, 20}, {51, 21.1}, {51, -160}, {math.NaN(), 20}, {51, 380}}},
		{"hole", [][]Point{square, hole}, []Point{{50.2, 19.2}}, []Point{{51, 20}, {50.5, 20}, {0, 0}}},
		{"antimeridian", [][]Point{fiji, {{-19, 179}, {-19, -179}, {-18, 180}}}, []Point{{-17, 180}, {-17, -180}, {-17, 178}, {-17, -179}, {-20, 180}}, []Point{{-18.9, 180}, {-18.9, -180}, {-17, 0}, {-17, 176}, {-17, -177}}},
		{"antimeridian hole from the other side", [][]Point{fiji, {{-19, -179}, {-19, -178.5}, {-18, -178.7}}}, []Point{{-17, 178}}, []Point{{-18.9, -178.8}}},
		{"wide", [][]Point{{{-10, -170}, {-10, 0}, {-10, 170}, {10, 170}, {10, 0}, {10, -170}}}, []Point{{0, 0}, {0, 169}}, []Point{{0, 175}, {0, 180}}},
	} {
		a, err := NewArea(c.rings...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, p := range c.in {
			if !a.Contains(p) {
				t.Errorf("%s: %v should be inside", c.name, p)
			}
		}
		for _, p := range c.out {
			if a.Contains(p) {
				t.Errorf("%s: %v should be outside", c.name, p)
			}
		}
	}
}

// The zero Area is nowhere, also not where its bounds are.
func TestZeroArea(t *testing.T) {
	var a Area
	for _, p := range []Point{{}, {Lat: 1, Lon: 1}, {Lat: 90}} {
		if a.Contains(p) {
			t.Errorf("%v is inside", p)
		}
	}
	if len(a.Rings()) != 0 {
		t.Error("it has rings")
	}
}

func TestAreaRefused(t *testing.T) {
	square := []Point{{50, 19}, {50, 21}, {52, 21}, {52, 19}}
	for _, c := range []struct {
		rings [][]Point
		why   string
	}{
		{nil, "no outer ring"},
		{[][]Point{{}}, "no vertices"},
		{[][]Point{{{1, 1}, {2, 2}}}, "fewer than three"},
		{[][]Point{{{1, 1}, {2, 2}, {1, 1}}}, "fewer than three"},
		{[][]Point{{{1, 1}, {2, 2}, {3, 3}}}, "no extent"},
		{[][]Point{{{60, 0}, {60, 100}, {60, -130}}}, "around a pole"},
		{[][]Point{{{0, 0}, {0, 180}, {10, 90}}}, "180 degrees"},
		{[][]Point{{{0, 0}, {10, 90}, {0, 180}}}, "180 degrees"},
		{[][]Point{square, {{51, 20}, {51, 22}, {51.5, 20}}}, "leaves the outer ring"},
		{[][]Point{{{0, -180}, {0, 180}, {10, 180}, {10, -180}}}, "no extent"},
	} {
		_, err := NewArea(c.rings...)
		if !errors.Is(err, ErrArea) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%v: %v, want %q", c.rings, err, c.why)
		}
	}
	if _, err := NewArea([]Point{{1, 1}, {2, 999}, {3, 1}}); !errors.Is(err, ErrPoint) || err.Error() != "geo: ring 0: vertex 1: geo: Lon 999: outside -180 to 180 degrees" {
		t.Errorf("bad vertex: %v", err)
	}
}

// An area is made anew of its rings: across the antimeridian, with a hole that
// lies on the far side, and with rings that were given closed.
func TestAreaRings(t *testing.T) {
	for name, rings := range map[string][][]Point{
		"plain":        {{{Lat: 1, Lon: 1}, {Lat: 1, Lon: 3}, {Lat: 3, Lon: 2.1}}},
		"closed":       {{{Lat: 1, Lon: 1}, {Lat: 1, Lon: 3}, {Lat: 3, Lon: 2.1}, {Lat: 1, Lon: 1}}},
		"antimeridian": {{{Lat: -10, Lon: 170.1}, {Lat: -10, Lon: -170.3}, {Lat: 10, Lon: -170.7}, {Lat: 10, Lon: 170.9}}},
		"hole beyond":  {{{Lat: -10, Lon: 170}, {Lat: -10, Lon: -170}, {Lat: 10, Lon: -170}, {Lat: 10, Lon: 170}}, {{Lat: -1, Lon: -175.3}, {Lat: 1, Lon: -175.3}, {Lat: 0, Lon: -174.1}}},
		"at 180":       {{{Lat: 0, Lon: 180}, {Lat: 0, Lon: -178}, {Lat: 2, Lon: -179}}},
	} {
		area, err := NewArea(rings...)
		if err != nil {
			t.Fatal(err)
		}
		got := area.Rings()
		again, err := NewArea(got...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(again, area) {
			t.Errorf("%s: %v became %v", name, rings, got)
		}
		got[0][0].Lat = 77
		if reflect.DeepEqual(area.Rings(), got) {
			t.Errorf("%s: the rings are not the caller's own", name)
		}
	}
}
