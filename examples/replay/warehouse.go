package main

import (
	"fmt"
	"math"
)

// hub is a warehouse: where it stands and which share of all people it is the
// nearest warehouse of.
type hub struct {
	id    string
	place place
	share float64
}

const (
	hubCount      = 5
	hubRounds     = 500
	hubSettled    = 1e-5   // radians, about 60 m: less is no move
	hubPopulation = 20_000 // a warehouse stands at a town with staff
)

// placeHubs finds hubCount sites that make the mean distance to all people
// small: weighted k-medians over the places (Lloyd's rounds with one step of
// Weiszfeld's on the sphere each). It starts from the largest place and then,
// one by one, the place with the greatest population times squared distance to
// what is chosen, so the result depends on nothing but the places.
func placeHubs(places []place) []hub {
	points := make([]vector, len(places))
	for i, p := range places {
		points[i] = vectorOf(p.point)
	}
	centres := firstCentres(places, points)
	owner := make([]int, len(places))
	for range hubRounds {
		sums := make([]vector, len(centres))
		for i, v := range points {
			c, dot := nearest(v, centres)
			owner[i] = c
			chord := math.Sqrt(max(0, 2-2*dot))
			sums[c] = sums[c].plus(v, places[i].population/max(chord, hubSettled))
		}
		moved := 0.0
		for c := range centres {
			before := centres[c]
			centres[c] = sums[c].unit()
			moved = max(moved, math.Sqrt(max(0, 2-2*before.dot(centres[c]))))
		}
		if moved < hubSettled {
			break
		}
	}

	people, all := make([]float64, len(centres)), 0.0
	for i, c := range owner {
		people[c] += places[i].population
		all += places[i].population
	}
	hubs := make([]hub, len(centres))
	for c, centre := range centres {
		hubs[c] = hub{id: fmt.Sprintf("warehouse-%d", c+1), place: siteNear(centre, places, points), share: people[c] / all}
	}
	return hubs
}

func firstCentres(places []place, points []vector) []vector {
	start := 0
	for i, p := range places {
		if p.population > places[start].population {
			start = i
		}
	}
	centres := []vector{points[start]}
	for len(centres) < min(hubCount, len(places)) {
		best, weight := 0, math.Inf(-1)
		for i, v := range points {
			_, dot := nearest(v, centres)
			// The squared chord is 2 - 2 dot.
			if w := places[i].population * (1 - dot); w > weight {
				best, weight = i, w
			}
		}
		centres = append(centres, points[best])
	}
	return centres
}

// siteNear returns the town nearest to a centre; any place if no town is there.
func siteNear(centre vector, places []place, points []vector) place {
	best, dot := -1, math.Inf(-1)
	for _, least := range []float64{hubPopulation, 0} {
		for i, v := range points {
			if d := v.dot(centre); places[i].population >= least && d > dot {
				best, dot = i, d
			}
		}
		if best >= 0 {
			break
		}
	}
	return places[best]
}
