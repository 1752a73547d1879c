package bench

import (
	"math"
	"math/rand/v2"
	"sort"
)

// zipf draws ranks 0 to n-1 with probability proportional to
// 1/(rank+1)^exponent, for any exponent from 0 (uniform) up. The generator of
// math/rand/v2 wants an exponent above 1, and shops are flatter than that. It
// inverts the cumulative distribution exactly; drawing is outside every timed
// part, so a binary search is fast enough. Safe for concurrent reading.
type zipf struct {
	cumulative []float64 // ends with 1
}

func newZipf(n int, exponent float64) zipf {
	z := zipf{cumulative: make([]float64, n)}
	sum := 0.0
	for i := range z.cumulative {
		sum += math.Pow(float64(i+1), -exponent)
		z.cumulative[i] = sum
	}
	for i := range z.cumulative {
		z.cumulative[i] /= sum
	}
	z.cumulative[n-1] = 1
	return z
}

func (z zipf) draw(random *rand.Rand) int {
	x := random.Float64()
	return sort.Search(len(z.cumulative), func(i int) bool { return z.cumulative[i] > x })
}
