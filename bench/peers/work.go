package peers

import (
	"fmt"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench"
)

// Work is a world and the orders sent to it: those of package bench. It is never written after Draw, and safe for
// concurrent use.
type Work struct {
	world    *bench.World
	orders   []allocator.Order // without IDs
	skus     [][]int32         // numbers of the orders' SKUs
	places   map[string]int32  // numbers of the locations
	received []int32           // units by SKU and location, SKU-major
}

// Draw draws the world and the orders of a case. Only what the case says
// of the world and of the orders counts, not how they are sent.
func Draw(c bench.Config) (*Work, error) {
	world, orders, err := bench.Draw(c)
	if err != nil {
		return nil, fmt.Errorf("peers: drawing the orders: %w", err)
	}
	w := &Work{
		world: world, orders: orders,
		places:   make(map[string]int32),
		received: make([]int32, len(world.SKUs)*len(world.Locations)),
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
