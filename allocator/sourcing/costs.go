package sourcing

import (
	"math"

	"github.com/clickcollect/clickcollect/geo"
)

// Fixed is the cost of one part of an order that goes over a distance, whatever
// is in it: nothing to collect; Parcel or Transfer and PerKm otherwise, rounded
// to the nearest unit of money. It is never below 0 and ends at math.MaxInt64.
//
// What the chosen store has itself is collected: ask for Collect then, or
// [Costs.Part].
func (c *Costs) Fixed(form Form, distance geo.Meters) int64 {
	fixed := c.Parcel
	switch form {
	case Collect:
		return 0
	case ShipToStore:
		fixed = c.Transfer
	}
	way := math.Round(float64(max(0, c.PerKm)) * (float64(distance) / 1000))
	switch {
	case way >= math.MaxInt64:
		return math.MaxInt64
	case way > 0: // not for a distance that is no number
		return c.Sum(fixed, int64(way))
	}
	return max(0, fixed)
}

// Part is Fixed for a candidate.
func (c *Costs) Part(of *Candidate) int64 {
	if of.Request.Form == ShipToStore && of.chosen() {
		return 0
	}
	return c.Fixed(of.Request.Form, of.Distance)
}

// Line is the cost of one line: PerLine and Price. A price below 0 counts as 0,
// so that more lines never cost less, and so does one that is not given because
// Price panics. It is never below 0 and ends at math.MaxInt64.
func (c *Costs) Line(sku string, units int64, s *Site) int64 {
	if c.Price == nil {
		return max(0, c.PerLine)
	}
	return c.Sum(c.PerLine, c.price(sku, units, s))
}

func (c *Costs) price(sku string, units int64, s *Site) (price int64) {
	defer func() {
		if value := recover(); value != nil {
			price = 0
			tell(c.Panicked, "price", value)
		}
	}()
	return c.Price(sku, units, s)
}

// Sum adds costs: what is below 0 counts as 0, and the sum ends at
// math.MaxInt64.
func (c *Costs) Sum(costs ...int64) (sum int64) {
	for _, cost := range costs {
		if cost > 0 {
			sum = plus(sum, cost)
		}
	}
	return sum
}

// plus adds two numbers that are not below 0.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
