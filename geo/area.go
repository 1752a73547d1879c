package geo

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// ErrArea is the fact behind every refusal of [NewArea].
var ErrArea = errors.New("not a service area")

// Area is a service area: one outer ring and any number of holes. Its edges are
// straight lines in degrees, as in RFC 7946 (GeoJSON), and it may cross the
// antimeridian. It is immutable and safe for concurrent use. The zero Area has no
// ring, and nobody is in it.
type Area struct {
	polygon orb.Polygon // longitudes unwrapped, so possibly beyond ±180
	bound   orb.Bound
}

// NewArea builds an area from its outer ring and then its holes. A ring has at
// least three different vertices, in either direction, closed (last vertex
// equal to the first) or not. An edge takes the shorter way round the globe, so an
// area across the antimeridian needs no cutting, and an edge of 180 degrees of
// longitude or more needs a vertex in between. A hole lies inside the outer ring.
// Rings that cross themselves are not detected; what lies inside is then
// decided by the even-odd rule.
//
// The error is a *[PointError] for a bad vertex, else an [ErrArea]: too few
// vertices, no extent, a ring around a pole (cut such an area into sectors), an
// edge of exactly 180 degrees, a hole outside the outer ring.
func NewArea(rings ...[]Point) (*Area, error) {
	if len(rings) == 0 {
		return nil, fmt.Errorf("geo: %w: no outer ring", ErrArea)
	}
	a := &Area{polygon: make(orb.Polygon, 0, len(rings))}
	for i, points := range rings {
		ring, err := unwrap(points)
		if err != nil {
			return nil, fmt.Errorf("geo: ring %d: %w", i, err)
		}
		if i == 0 {
			a.bound = ring.Bound()
		} else if !a.admit(ring) {
			return nil, fmt.Errorf("geo: ring %d: %w: the hole leaves the outer ring", i, ErrArea)
		}
		a.polygon = append(a.polygon, ring)
	}
	return a, nil
}

// unwrap turns vertices into a closed ring whose longitudes run on beyond ±180
// instead of jumping.
func unwrap(points []Point) (orb.Ring, error) {
	ring := make(orb.Ring, 0, len(points)+1)
	for i, p := range points {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("vertex %d: %w", i, err)
		}
		lon := p.Lon
		if i > 0 {
			before := ring[len(ring)-1].Lon()
			step := math.Remainder(lon-before, 360)
			if math.Abs(step) == 180 {
				return nil, fmt.Errorf("%w: the edge to vertex %d spans 180 degrees of longitude", ErrArea, i)
			}
			// Without a wrap the longitude stays as it was given, to the bit.
			if turns := math.Round((before + step - lon) / 360); turns != 0 {
				lon += 360 * turns
			}
		}
		ring = append(ring, orb.Point{lon, p.Lat})
	}
	if len(ring) == 0 {
		return nil, fmt.Errorf("%w: no vertices", ErrArea)
	}
	first, last := ring[0], ring[len(ring)-1]
	back := math.Remainder(first.Lon()-last.Lon(), 360)
	if math.Abs(back) == 180 {
		return nil, fmt.Errorf("%w: the closing edge spans 180 degrees of longitude", ErrArea)
	}
	if math.Abs(last.Lon()+back-first.Lon()) > 180 {
		return nil, fmt.Errorf("%w: it goes around a pole", ErrArea)
	}
	if last != first {
		ring = append(ring, first)
	}
	if len(ring) < 4 {
		return nil, fmt.Errorf("%w: fewer than three vertices", ErrArea)
	}
	if planar.Area(ring) == 0 {
		return nil, fmt.Errorf("%w: it has no extent", ErrArea)
	}
	return ring, nil
}

// admit shifts a hole by whole turns into the range of the outer ring and
// reports whether all of its vertices are inside.
func (a *Area) admit(hole orb.Ring) bool {
	for _, turn := range [...]float64{0, 360, -360} {
		inside := true
		for _, v := range hole {
			inside = inside && planar.RingContains(a.polygon[0], orb.Point{v.Lon() + turn, v.Lat()})
		}
		if inside {
			for i := range hole {
				hole[i][0] += turn
			}
			return true
		}
	}
	return false
}

// Contains reports whether a place is in the area. The outer edge belongs to it,
// the edge of a hole does not. A point that is not valid is in no area.
// It takes time in proportion to the number of vertices.
func (a *Area) Contains(p Point) bool {
	if !p.valid() || len(a.polygon) == 0 { // the zero Area is nowhere
		return false
	}
	for _, turn := range [...]float64{0, 360, -360} {
		at := orb.Point{p.Lon + turn, p.Lat}
		if a.bound.Contains(at) && planar.PolygonContains(a.polygon, at) {
			return true
		}
	}
	return false
}

// Rings returns the outer ring and then the holes, each without the repeated last
// vertex, as NewArea takes them: the area made of them is the same one. They are
// the caller's to keep.
func (a *Area) Rings() [][]Point {
	rings := make([][]Point, len(a.polygon))
	for i, ring := range a.polygon {
		rings[i] = make([]Point, len(ring)-1)
		for j := range rings[i] {
			lon := ring[j].Lon()
			if lon < -180 || lon > 180 { // unwrapped
				lon = math.Remainder(lon, 360)
			}
			rings[i][j] = Point{Lat: ring[j].Lat(), Lon: lon}
		}
	}
	return rings
}

// geometry is an area as RFC 7946 has it: positions are longitude and latitude, and the
// last one of a ring is the first.
type geometry struct {
	Type        string         `json:"type"`
	Coordinates [][][2]float64 `json:"coordinates"`
}

// MarshalJSON is the area as a GeoJSON geometry, a Polygon.
func (a *Area) MarshalJSON() ([]byte, error) {
	g := geometry{Type: "Polygon", Coordinates: [][][2]float64{}}
	for _, ring := range a.Rings() {
		positions := make([][2]float64, 0, len(ring)+1)
		for _, p := range ring {
			positions = append(positions, [2]float64{p.Lon, p.Lat})
		}
		g.Coordinates = append(g.Coordinates, append(positions, positions[0]))
	}
	return json.Marshal(g)
}

// UnmarshalJSON reads a GeoJSON geometry that is a Polygon. Errors: those of [NewArea],
// with which nothing is changed.
func (a *Area) UnmarshalJSON(text []byte) error {
	var g geometry
	if err := json.Unmarshal(text, &g); err != nil {
		return fmt.Errorf("geo: %w: %w", ErrArea, err)
	}
	if g.Type != "Polygon" {
		return fmt.Errorf("geo: %w: a geometry of type %q, not a Polygon", ErrArea, g.Type)
	}
	if len(g.Coordinates) == 0 {
		*a = Area{}
		return nil
	}
	rings := make([][]Point, len(g.Coordinates))
	for i, ring := range g.Coordinates {
		for _, position := range ring {
			rings[i] = append(rings[i], Point{Lat: position[1], Lon: position[0]})
		}
	}
	read, err := NewArea(rings...)
	if err != nil {
		return err
	}
	*a = *read
	return nil
}
