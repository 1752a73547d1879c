package main

import (
	"math"

	"github.com/clickcollect/clickcollect/geo"
)

// vector is a point of the unit sphere. The dot product of two falls with
// their distance, which makes "which of these is nearest" a few multiplications.
type vector [3]float64

func vectorOf(p geo.Point) vector {
	sinLat, cosLat := math.Sincos(p.Lat * math.Pi / 180)
	sinLon, cosLon := math.Sincos(p.Lon * math.Pi / 180)
	return vector{cosLat * cosLon, cosLat * sinLon, sinLat}
}

func (v vector) dot(w vector) float64 { return v[0]*w[0] + v[1]*w[1] + v[2]*w[2] }

func (v vector) plus(w vector, times float64) vector {
	return vector{v[0] + w[0]*times, v[1] + w[1]*times, v[2] + w[2]*times}
}

// unit scales v to length 1; the zero vector stays.
func (v vector) unit() vector {
	if n := math.Sqrt(v.dot(v)); n > 0 {
		return vector{v[0] / n, v[1] / n, v[2] / n}
	}
	return v
}

// nearest returns the index of the vector nearest to v, the first of equals,
// and their dot product.
func nearest(v vector, among []vector) (best int, dot float64) {
	dot = math.Inf(-1)
	for i, w := range among {
		if d := v.dot(w); d > dot {
			best, dot = i, d
		}
	}
	return best, dot
}
