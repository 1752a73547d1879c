package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench"
)

// poolSize is how many different orders a Work has, as many as package bench
// sends over and over.
const poolSize = 1 << 14

// Work is a world and the orders sent to it: those of package bench, taken
// down from a run of it. It is never written after Draw, and safe for
// concurrent use.
type Work struct {
	world    *bench.World
	orders   []allocator.Order // without IDs
	skus     [][]int32         // numbers of the orders' SKUs
	places   map[string]int32  // numbers of the locations
	received []int32           // units by SKU and location, SKU-major
}

// Draw takes down the world and the orders of a case. Only what the case says
// of the world and of the orders counts, not how they are sent.
func Draw(ctx context.Context, c bench.Config) (*Work, error) {
	c.Goroutines, c.Rounds, c.OrdersPerPass, c.CancelAfter = 1, 1, poolSize, 0
	c.Scaling, c.Command = false, nil
	clerk := new(clerk)
	_, err := bench.Run(ctx, c, bench.Contestant{Name: "clerk", New: func() bench.Engine { return clerk }})
	if err != nil {
		return nil, fmt.Errorf("peers: drawing the orders: %w", err)
	}
	if len(clerk.orders) != poolSize {
		return nil, fmt.Errorf("peers: drawing the orders: %d of %d in time", len(clerk.orders), poolSize)
	}
	w := &Work{
		world: clerk.world, orders: clerk.orders,
		places:   make(map[string]int32),
		received: make([]int32, len(clerk.world.SKUs)*len(clerk.world.Locations)),
	}
	for i, l := range w.world.Locations {
		w.places[l.ID] = int32(i)
	}
	numbers := make(map[string]int32)
	for i, sku := range w.world.SKUs {
		numbers[sku] = int32(i)
	}
	for receipts := range w.world.Receipts() {
		for _, r := range receipts {
			for _, l := range r.Lines {
				*w.units(numbers[l.SKU], w.places[r.Location]) += int32(l.Quantity)
			}
		}
	}
	for _, o := range w.orders {
		skus := make([]int32, len(o.Lines))
		for k, l := range o.Lines {
			skus[k] = numbers[l.SKU]
		}
		w.skus = append(w.skus, skus)
	}
	return w, nil
}

func (w *Work) units(sku, place int32) *int32 {
	return &w.received[int(sku)*len(w.world.Locations)+int(place)]
}

// clerk is an engine that fills no order and takes down what it was asked,
// as far as the pool goes. It is called by one caller at a time.
type clerk struct {
	world  *bench.World
	orders []allocator.Order
}

var errClerk = errors.New("peers: the clerk has no stock")

func (c *clerk) Load(w *bench.World) error {
	c.world = w
	return nil
}

func (c *clerk) Allocate(o *allocator.Order) (string, bool, error) {
	if len(c.orders) < poolSize {
		noted := *o
		noted.ID, noted.Lines = "", slices.Clone(o.Lines)
		c.orders = append(c.orders, noted)
	}
	return "", false, nil
}

func (c *clerk) Cancel(string) error                     { return errClerk }
func (c *clerk) Available(string, string) (int64, error) { return 0, errClerk }
func (c *clerk) Close() error                            { return nil }
