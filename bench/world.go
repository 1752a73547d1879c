package bench

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// World is what an engine is loaded with. It is drawn from a Config's seed,
// never written afterwards, and safe for concurrent reading.
type World struct {
	Locations []allocator.Location
	SKUs      []string

	config  Config
	towns   []town
	stocked []int // numbers of the locations that hold stock
}

// town is a cluster of locations and customers. populated is the share of
// people in this town and all before it.
type town struct {
	centre    geo.Point
	populated float64
}

// The country lies in a box about the size of the contiguous United States;
// the island of Config.AbsentSKU and the sea of Config.AtSea are far from it.
const (
	southernmost, northernmost = 25.0, 49.0
	westernmost, easternmost   = -124.0, -67.0
	townSpread                 = 0.12 // standard deviation in degrees, some 10 km
	receiptsPerCall            = 64
	linesPerReceipt            = 4096
)

var (
	island = geo.Point{Lat: -21.2, Lon: 55.5}
	sea    = geo.Point{Lat: -35, Lon: -120}
)

// newWorld draws the locations and SKUs of c, which has its defaults.
func newWorld(c Config) *World {
	random := rand.New(rand.NewPCG(c.Seed, 1))
	w := &World{config: c}
	sizes := newZipf(max(8, c.Locations/25), 0.8)
	for _, populated := range sizes.cumulative {
		w.towns = append(w.towns, town{
			centre: geo.Point{
				Lat: southernmost + random.Float64()*(northernmost-southernmost),
				Lon: westernmost + random.Float64()*(easternmost-westernmost),
			},
			populated: populated,
		})
	}
	w.Locations = make([]allocator.Location, c.Locations)
	for i := range w.Locations {
		w.Locations[i] = allocator.Location{
			ID: fmt.Sprintf("store-%06d", i), Kind: allocator.Store, Point: w.place(random, sizes),
		}
	}
	if c.AbsentSKU {
		w.Locations[c.Locations-1].Point = island
	}
	stocked := max(1, int(math.Round(c.Stocked*float64(c.Locations))))
	for i := range stocked {
		w.stocked = append(w.stocked, i*c.Locations/stocked)
	}
	w.SKUs = make([]string, c.SKUs)
	for i := range w.SKUs {
		w.SKUs[i] = skuName(i)
	}
	return w
}

// skuName makes a new string each time, so that an order's name is never the
// very memory an engine keeps.
func skuName(i int) string { return fmt.Sprintf("SKU-%07d", i) }

// place draws a point in a town, the town by its population.
func (w *World) place(random *rand.Rand, sizes zipf) geo.Point {
	centre := w.towns[sizes.draw(random)].centre
	return geo.Point{
		Lat: min(89, max(-89, centre.Lat+townSpread*random.NormFloat64())),
		Lon: min(179, max(-179, centre.Lon+townSpread*random.NormFloat64())),
	}
}

// absent is the number of the SKU that Config.AbsentSKU keeps on the island.
// It lies in the middle, so that sorting an order's lines by SKU puts it
// neither first nor last.
func (c Config) absent() int { return c.SKUs / 2 }

// units returns what was received of a SKU at a location: UnitsPerCell or 0.
// Each SKU is at one location at least, so that no SKU is unknown.
func (w *World) units(sku, location int) int64 {
	c := &w.config
	if c.AbsentSKU && sku == c.absent() {
		if location == c.Locations-1 {
			return int64(c.UnitsPerCell)
		}
		return 0
	}
	n := len(w.stocked)
	if n < c.Locations && w.stocked[(location*n+c.Locations-1)/c.Locations%n] != location {
		return 0
	}
	if c.Density < 1 {
		drawn := mix(c.Seed^uint64(sku)<<32, uint64(location))
		if float64(drawn>>11) >= c.Density*(1<<53) &&
			location != w.stocked[mix(c.Seed, uint64(sku))%uint64(n)] {
			return 0
		}
	}
	return int64(c.UnitsPerCell)
}

// mix is a 64-bit finalizer (the constants are those of splitmix64, Steele,
// Lea and Flood 2014).
func mix(seed, x uint64) uint64 {
	x = (x + 1) * 0x9e3779b97f4a7c15
	x ^= seed * 0xbf58476d1ce4e5b9
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Receipts walks the stock in calls of bulk size. The slice and the lines in
// it are valid until the next step only; the names stay.
func (w *World) Receipts() iter.Seq[[]allocator.Receipt] {
	return func(yield func([]allocator.Receipt) bool) {
		receipts := make([]allocator.Receipt, 0, receiptsPerCall)
		buffers := make([][]allocator.Line, receiptsPerCall)
		lines := buffers[0]
		number := 0
		put := func(location int) bool {
			if len(lines) == 0 {
				return true
			}
			number++
			buffers[len(receipts)] = lines
			receipts = append(receipts, allocator.Receipt{
				ID: fmt.Sprintf("GR-%08d", number), Location: w.Locations[location].ID, Lines: lines,
			})
			if len(receipts) == receiptsPerCall {
				if !yield(receipts) {
					return false
				}
				receipts = receipts[:0]
			}
			lines = buffers[len(receipts)][:0]
			return true
		}
		for location := range w.Locations {
			for sku := range w.SKUs {
				units := w.units(sku, location)
				if units == 0 {
					continue
				}
				lines = append(lines, allocator.Line{SKU: w.SKUs[sku], Quantity: units})
				if len(lines) == linesPerReceipt && !put(location) {
					return
				}
			}
			if !put(location) {
				return
			}
		}
		if len(receipts) > 0 {
			yield(receipts)
		}
	}
}

// Cells returns how many (SKU, location) pairs hold stock.
func (w *World) Cells() int {
	cells := 0
	for location := range w.Locations {
		for sku := range w.SKUs {
			if w.units(sku, location) > 0 {
				cells++
			}
		}
	}
	return cells
}
