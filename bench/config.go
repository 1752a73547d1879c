package bench

import (
	"errors"
	"fmt"
	"time"
)

// Config describes one workload: the world, the orders and how they are sent.
// The zero value of a field means what its comment says. A Config is a plain
// value; Run does not change it.
type Config struct {
	Name string // of the case, as printed

	Locations    int     // places that could hold stock
	SKUs         int     // sellable units
	Density      float64 // share of the cells (SKU, location) that hold stock; 0 = all
	Stocked      float64 // share of the locations that hold any stock; 0 = all
	UnitsPerCell int     // units received per stocked cell; 0 = 100,000, plentiful
	AbsentSKU    bool    // one SKU lies at a far island only, and every order asks for it first

	MinLines, MaxLines int     // lines per order, uniform; 0 = 1 and 5
	Zipf               float64 // exponent of the SKUs' popularity; 0 = uniform
	MaxQuantity        int     // a line's quantity is uniform from 1 to this; 0 = 1
	OneSKU             bool    // everybody orders SKU 0
	InReach            int     // each order's maximum distance spans this many locations; 0 = the globe
	AtSea              bool    // customers sit in mid-ocean with a reach of 100 km

	Goroutines    int           // callers at once; 0 = 2
	Procs         int           // GOMAXPROCS of the passes; 0 = what the process has
	Scaling       bool          // add throughput passes at 1 and at 2 processors
	Rounds        int           // interleaved rounds; 0 = 5
	PassTime      time.Duration // length of a pass; 0 = 400 ms
	OrdersPerPass int           // if > 0, a pass ends after so many orders, or after 10 × PassTime
	CancelAfter   int           // if > 0, each caller cancels its order so many steps back as it goes
	Seed          uint64        // of everything drawn

	// Command, if set, is the command line that calls ServeSeat on its
	// standard input and output. Each contestant then runs in such a process.
	Command []string `json:"-"`
}

// withDefaults returns c with every zero that stands for a default replaced.
func (c Config) withDefaults() Config {
	positive := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	if c.Density == 0 {
		c.Density = 1
	}
	if c.Stocked == 0 {
		c.Stocked = 1
	}
	positive(&c.UnitsPerCell, 100_000)
	positive(&c.MinLines, 1)
	positive(&c.MaxLines, max(5, c.MinLines))
	positive(&c.MaxQuantity, 1)
	positive(&c.Goroutines, 2)
	positive(&c.Rounds, 5)
	if c.PassTime == 0 {
		c.PassTime = 400 * time.Millisecond
	}
	return c
}

// validate reports every fault of a Config with its defaults filled in.
func (c Config) validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("bench: config: "+format, args...))
		}
	}
	check(c.Locations > 0, "Locations is %d, must be positive", c.Locations)
	check(c.SKUs > 0, "SKUs is %d, must be positive", c.SKUs)
	check(c.Density > 0 && c.Density <= 1, "Density is %v, must be in (0, 1]", c.Density)
	check(c.Stocked > 0 && c.Stocked <= 1, "Stocked is %v, must be in (0, 1]", c.Stocked)
	check(c.UnitsPerCell > 0, "UnitsPerCell is %d, must be positive", c.UnitsPerCell)
	check(c.MinLines > 0 && c.MinLines <= c.MaxLines, "MinLines is %d and MaxLines %d", c.MinLines, c.MaxLines)
	check(c.Zipf >= 0, "Zipf is %v, must not be negative", c.Zipf)
	check(c.MaxQuantity > 0, "MaxQuantity is %d, must be positive", c.MaxQuantity)
	check(c.InReach >= 0 && c.InReach <= c.Locations, "InReach is %d of %d locations", c.InReach, c.Locations)
	check(c.Goroutines > 0, "Goroutines is %d, must be positive", c.Goroutines)
	check(c.Procs >= 0, "Procs is %d, must not be negative", c.Procs)
	check(c.Rounds > 0, "Rounds is %d, must be positive", c.Rounds)
	check(c.PassTime > 0, "PassTime is %v, must be positive", c.PassTime)
	check(c.OrdersPerPass >= 0, "OrdersPerPass is %d, must not be negative", c.OrdersPerPass)
	check(c.CancelAfter >= 0, "CancelAfter is %d, must not be negative", c.CancelAfter)
	return errors.Join(faults...)
}

// Cases returns the named workloads, the canonical one first. All draw from
// the same seed. In a flash sale everybody orders one SKU: in plenty; until
// half of it is sold and the big towns have none, which is called half; or
// until twice what there is has been asked for, which is called dry.
func Cases() []Config {
	const seed = 20_260_101
	cases := []Config{
		{Name: "1k", Locations: 1_000, SKUs: 1_000, Scaling: true},
		{Name: "10k", Locations: 10_000, SKUs: 3_000, Density: 0.9, Scaling: true},
		{Name: "10m-cells", Locations: 10_000, SKUs: 1_000, Scaling: true},
		{Name: "stock-at-1pct", Locations: 10_000, SKUs: 1_000, Stocked: 0.01, Scaling: true},
		{Name: "flash-1k", Locations: 1_000, SKUs: 1_000, OneSKU: true, MaxLines: 1, UnitsPerCell: 500_000, Scaling: true},
		{Name: "flash-10k", Locations: 10_000, SKUs: 100, OneSKU: true, MaxLines: 1, UnitsPerCell: 500_000, Scaling: true},
		{Name: "flash-1k-half", Locations: 1_000, SKUs: 100, OneSKU: true, MaxLines: 1, UnitsPerCell: 400, OrdersPerPass: 200_000},
		{Name: "flash-10k-half", Locations: 10_000, SKUs: 10, OneSKU: true, MaxLines: 1, UnitsPerCell: 40, OrdersPerPass: 200_000},
		{Name: "flash-1k-dry", Locations: 1_000, SKUs: 100, OneSKU: true, MaxLines: 1, UnitsPerCell: 100, OrdersPerPass: 200_000},
		{Name: "flash-10k-dry", Locations: 10_000, SKUs: 10, OneSKU: true, MaxLines: 1, UnitsPerCell: 2, OrdersPerPass: 40_000},
		{Name: "one-shop-64", Locations: 1, SKUs: 10, OneSKU: true, MaxLines: 1, UnitsPerCell: 1 << 30, Goroutines: 64},
		{Name: "nothing-in-reach", Locations: 10_000, SKUs: 1_000, Density: 0.1, AtSea: true},
		{Name: "refused-at-100th", Locations: 10_000, SKUs: 1_000, Density: 0.9, AbsentSKU: true, InReach: 100},
		{Name: "15-lines", Locations: 1_000, SKUs: 1_000, Density: 0.9, MinLines: 15, MaxLines: 15},
		{Name: "quantity-1-3", Locations: 1_000, SKUs: 1_000, MaxQuantity: 3},
		{Name: "canceling", Locations: 1_000, SKUs: 1_000, CancelAfter: 100},
		{Name: "density-90pct", Locations: 10_000, SKUs: 1_000, Density: 0.9},
		{Name: "density-10pct", Locations: 10_000, SKUs: 1_000, Density: 0.1},
		{Name: "density-1pct", Locations: 10_000, SKUs: 1_000, Density: 0.01, MaxLines: 1},
		{Name: "density-0.01pct", Locations: 10_000, SKUs: 1_000, Density: 0.0001, MaxLines: 1},
		{Name: "100k", Locations: 100_000, SKUs: 300, Density: 0.9, Scaling: true},
		{Name: "100k-1pct", Locations: 100_000, SKUs: 300, Density: 0.01, MaxLines: 1},
		{Name: "100", Locations: 100, SKUs: 1_000},
	}
	for i := range cases {
		cases[i].Seed = seed
		if !cases[i].OneSKU {
			cases[i].Zipf = 0.99
		}
		cases[i] = cases[i].withDefaults()
	}
	return cases
}
