package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/clickcollect/clickcollect/allocator"
)

// site is a location with the units it starts with, by catalog number.
type site struct {
	location allocator.Location
	title    string
	zone     string // IANA name; empty: not known
	units    []int32
}

// How deep the shelves are at level 1. A store keeps of each SKU it carries
// enough for the order line that nine of ten do not exceed, and the weeks of
// its own demand on top. A warehouse keeps cartons of such packs, and weeks of
// what its people order.
const (
	storeCoverWeeks     = 1
	warehouseCoverWeeks = 2
	warehousePacks      = 2
)

// catchment is the distance beyond which people are not counted as a store's.
const catchmentKm = 50

// sites lays out stores and warehouses with their stock. The seed decides
// which borderline SKUs a store carries and how deep its shelves are.
func sites(in *inputs, items []item, hubs []hub, level float64, seed uint64) []site {
	rng := rand.New(rand.NewPCG(seed, streamStock))
	all := make([]site, 0, len(in.stores)+len(hubs))
	ranks := busiest(in.stores, in.places)
	assortments := make([]assortment, in.skew.stores)
	for i, s := range in.stores {
		twin := quantile(ranks[i], len(in.stores), in.skew.stores)
		if assortments[twin] == nil {
			assortments[twin] = assortmentOf(&in.skew, twin, items)
		}
		all = append(all, site{
			location: allocator.Location{ID: s.id, Kind: allocator.Store, Point: s.point},
			title:    town(s.city, s.region),
			zone:     s.zone,
			units:    assortments[twin].draw(items, level, rng),
		})
	}
	for _, h := range hubs {
		units := make([]int32, len(items))
		for k, it := range items {
			packs := float64(warehousePacks * it.pack)
			units[k] = roundUnits(level*(packs+h.share*warehouseCoverWeeks*float64(it.demand)), rng)
		}
		all = append(all, site{
			location: allocator.Location{ID: h.id, Kind: allocator.Warehouse, Point: h.place.point},
			title:    town(h.place.name, h.place.region),
			units:    units,
		})
	}
	return all
}

// assortment is what a store of one kind sells, by catalog number.
type assortment []struct {
	absent float64 // probability that the store does not carry the SKU
	cover  float64 // mean packs for the weeks of demand
}

// assortmentOf takes the sales of store twin of the skew table. A store carries
// what it sells at least once in a Poisson year.
func assortmentOf(k *skew, twin int, items []item) assortment {
	a := make(assortment, len(items))
	for i := range items {
		yearly := k.yearly(twin, stretch(i, len(items), k.skus))
		a[i].absent = math.Exp(-yearly)
		a[i].cover = yearly * storeCoverWeeks / weeksPerYear
	}
	return a
}

// draw stocks one store.
func (a assortment) draw(items []item, level float64, rng *rand.Rand) []int32 {
	units := make([]int32, len(items))
	for i, it := range items {
		if rng.Float64() >= a[i].absent {
			units[i] = roundUnits(level*float64(it.pack)*(1+float64(poisson(a[i].cover, rng))), rng)
		}
	}
	return units
}

// busiest ranks the stores by the people for whom each is the nearest one.
func busiest(stores []shop, places []place) []int {
	points := make([]vector, len(stores))
	for i, s := range stores {
		points[i] = vectorOf(s.point)
	}
	const earthKm = 6371
	within := math.Cos(catchmentKm / float64(earthKm))
	people := make([]float64, len(stores))
	for _, p := range places {
		if i, dot := nearest(vectorOf(p.point), points); dot >= within {
			people[i] += p.population
		}
	}
	order := make([]int, len(stores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(people[b], people[a]) })
	ranks := make([]int, len(stores))
	for rank, i := range order {
		ranks[i] = rank
	}
	return ranks
}

// poisson draws by Knuth's product method in steps that cannot underflow.
func poisson(mean float64, rng *rand.Rand) int {
	n := 0
	for ; mean > 30; mean -= 30 {
		n += poisson(30, rng)
	}
	limit, product := math.Exp(-mean), rng.Float64()
	for ; product > limit; product *= rng.Float64() {
		n++
	}
	return n
}

// roundUnits rounds up or down so that the mean is kept; at most what fits.
func roundUnits(x float64, rng *rand.Rand) int32 {
	whole := math.Floor(x + rng.Float64())
	return int32(min(whole, math.MaxInt32))
}

func town(name, region string) string {
	if region == "" {
		return name
	}
	return name + ", " + region
}

// stock is what a site was given, in the form the engine takes.
func (s *site) stock(items []item) []allocator.Line {
	lines := make([]allocator.Line, 0, len(items))
	for k, n := range s.units {
		if n > 0 {
			lines = append(lines, allocator.Line{SKU: items[k].sku, Quantity: int64(n)})
		}
	}
	return lines
}

// receiptLines is the longest receipt the engine takes by default.
const receiptLines = 4096

// receiptsAtOnce is how many receipts go into one call: goods of one SKU for many
// locations are cheaper to book together.
const receiptsAtOnce = 256

// fill tells the engine about the sites and receives their stock.
func fill(ctx context.Context, a *allocator.Allocator, all []site, items []item, p *progress) (cells int, err error) {
	locations := make([]allocator.Location, len(all))
	for i, s := range all {
		locations[i] = s.location
	}
	if err := a.SetLocations(ctx, locations...); err != nil {
		return 0, fmt.Errorf("adding locations: %w", err)
	}
	var receipts []allocator.Receipt
	for i := range all {
		id := all[i].location.ID
		lines := all[i].stock(items)
		cells += len(lines)
		for n := 0; len(lines) > 0; n++ {
			part := lines[:min(receiptLines, len(lines))]
			lines = lines[len(part):]
			receipts = append(receipts, allocator.Receipt{ID: fmt.Sprintf("seed/%d/%d", i, n), Location: id, Lines: part})
		}
		if len(receipts) >= receiptsAtOnce || i == len(all)-1 {
			if err := a.Receive(ctx, receipts...); err != nil {
				return cells, fmt.Errorf("receiving stock: %w", err)
			}
			receipts = receipts[:0]
		}
		if err := ctx.Err(); err != nil {
			return cells, err
		}
		p.show("receiving stock", i+1, len(all))
	}
	return cells, nil
}
