package main

import (
	"math"
	"math/rand/v2"
	"sort"

	"github.com/clickcollect/clickcollect/geo"
)

// Streams of the seed, so that a longer orders file does not change the stock.
const (
	streamCustomers = 1
	streamStock     = 2
	streamForms     = 3
)

// townArea is the land one person takes, in square kilometres: about 1,000
// people per km², the density of a suburban town.
const townArea = 1e-3

// placeCustomers gives every order without a point one: a place drawn by
// population, and a spot in or around it.
func placeCustomers(baskets []basket, places []place, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, streamCustomers))
	upTo := make([]float64, len(places))
	sum := 0.0
	for i, p := range places {
		sum += p.population
		upTo[i] = sum
	}
	for i := range baskets {
		x := rng.Float64() * sum
		at := min(sort.SearchFloat64s(upTo, x), len(places)-1)
		spot := around(places[at], rng)
		if !baskets[i].placed {
			baskets[i].near = spot
		}
	}
}

// around draws a spot from a two-dimensional normal distribution whose spread
// is half the radius of a town of this size.
func around(p place, rng *rand.Rand) geo.Point {
	km := math.Sqrt(p.population*townArea/math.Pi) / 2
	const kmPerDegree = 111.2
	lat := p.point.Lat + rng.NormFloat64()*km/kmPerDegree
	lat = max(-89.9, min(89.9, lat))
	lon := p.point.Lon + rng.NormFloat64()*km/kmPerDegree/math.Cos(lat*math.Pi/180)
	return geo.Point{Lat: lat, Lon: math.Remainder(lon, 360)}
}
