package main

import (
	"math"

	"github.com/clickcollect/clickcollect/geo"
)

// albers is the Albers equal-area conic projection of a sphere of radius 1
// (Snyder, Map Projections: A Working Manual, 1987, equations 14-1 to 14-6).
// Equal area is what a map of shops needs: their density can be compared from
// one end of the map to the other.
type albers struct {
	n, c, rho0 float64
	lon0       float64 // radians
}

// newAlbers takes the two parallels of true scale and the origin, in degrees.
// The parallels must not be each other's mirror image, or the cone opens to a
// cylinder and n is 0.
func newAlbers(parallel1, parallel2 float64, origin geo.Point) albers {
	rad := math.Pi / 180
	sin1, cos1 := math.Sincos(parallel1 * rad)
	sin2 := math.Sin(parallel2 * rad)
	a := albers{n: (sin1 + sin2) / 2, lon0: origin.Lon * rad}
	a.c = cos1*cos1 + 2*a.n*sin1
	a.rho0 = a.rho(origin.Lat)
	return a
}

func (a albers) rho(lat float64) float64 {
	return math.Sqrt(max(0, a.c-2*a.n*math.Sin(lat*math.Pi/180))) / a.n
}

// project returns x to the east and y to the north of the origin, in radii.
func (a albers) project(p geo.Point) (x, y float64) {
	rho := a.rho(p.Lat)
	theta := a.n * math.Remainder(p.Lon*math.Pi/180-a.lon0, 2*math.Pi)
	sin, cos := math.Sincos(theta)
	return rho * sin, a.rho0 - rho*cos
}

// albers48 is the usual choice for the 48 states.
func albers48() albers { return newAlbers(29.5, 45.5, geo.Point{Lat: 37.5, Lon: -96}) }

// albersFor fits the projection to the latitudes and longitudes of the points:
// parallels of true scale at a sixth from either end.
func albersFor(points []geo.Point) albers {
	south, north, west, east := 90.0, -90.0, 180.0, -180.0
	for _, p := range points {
		south, north = min(south, p.Lat), max(north, p.Lat)
		west, east = min(west, p.Lon), max(east, p.Lon)
	}
	if len(points) == 0 {
		return albers48()
	}
	margin := (north - south) / 6
	p1, p2 := south+margin, north-margin
	if math.Abs(p1+p2) < 1 { // around the equator the cone needs a side
		p1, p2 = p1+1, p2+1
	}
	return newAlbers(p1, p2, geo.Point{Lat: (south + north) / 2, Lon: (west + east) / 2})
}
