package allocator_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// killWorld is what one directory is worked on with, the same in the process that
// is killed and in the one that looks afterwards.
type killWorld struct {
	Dir, Log   string
	Seed       uint64
	Life       int       // of how many processes before the one that works
	Base       time.Time // of windows and expiry dates
	Durability allocator.Durability
	Remember   int  // 0: everything
	Ranked     bool // by keys of the rules, not the nearest
	Late       bool // locations have to accept in time, so orders move by themselves
	Evacuates  bool // locations are emptied by RerouteFrom, so orders move that others own
}

// newKillWorld draws a world.
func newKillWorld(dir, log string, seed uint64) killWorld {
	draw := rand.New(rand.NewPCG(seed, 1))
	w := killWorld{Dir: dir, Log: log, Seed: seed, Base: time.Now().UTC().Truncate(24 * time.Hour).Add(48 * time.Hour)}
	w.Durability = allocator.Durability(draw.IntN(2))
	w.Ranked, w.Evacuates = draw.IntN(2) == 0, draw.IntN(4) == 0
	if draw.IntN(4) == 0 {
		w.Remember = 300
	}
	w.Late = draw.IntN(4) == 0
	return w
}

// options are small enough that segments and snapshots end many times in a short
// life.
func (w *killWorld) options() allocator.Options {
	o := allocator.Options{Dir: w.Dir, Durability: w.Durability, SegmentBytes: 64 << 10, SnapshotEvery: 96 << 10, RetainBytes: 128 << 10,
		HoldFor: time.Hour, Remember: cmp.Or(w.Remember, 1<<20)}
	o.Rules = sourcing.Rules{Costs: sourcing.Costs{Parcel: 450, Transfer: 120, PerKm: 3, PerLine: 10}, CoolDown: 5 * time.Millisecond, MaxRejects: 4}
	if w.Ranked {
		o.Rules.Keys = append(sourcing.Keys(sourcing.ByPriority), sourcing.ByDistance.In(20_000), sourcing.Keys(sourcing.ByLeft)[0])
	}
	if w.Late {
		o.Rules.AcceptWithin = 20 * time.Millisecond
	}
	return o
}

// What there is in every world.
var (
	killPlaces   = []string{"L0", "L1", "L2", "L3", "L4", "L5", "L6", "L7"} // L6 is a warehouse, L7 a pickup point
	killPlainSKU = []string{"p0", "p1", "p2", "p3", "p4", "p5"}
	killQuotaSKU = []string{"q0", "q1"}
	killLotSKU   = []string{"l0", "l1"}
	killSubSKU   = []string{"s0", "s1"}
	killNowSKU   = []string{"v0"} // a bundle now and then
	killBundle   = []string{"b0", "b1", "b2"}
	killStocked  = slices.Concat(killPlainSKU, killQuotaSKU, killSubSKU, killNowSKU)
	killChannels = []string{"web", "app", "till"}
)

const killCallers = 6 // that work at the same time; each owns every sixth location

func killPoint(i int) geo.Point {
	return geo.Point{Lat: 50 + float64(i%4)/10, Lon: 20 + float64(i/4)/5}
}

// killLocation is a location with terms by a draw; a store has none in one case of
// three.
func killLocation(i int, draw *rand.Rand) allocator.Location {
	l := allocator.Location{ID: killPlaces[i], Point: killPoint(i), NoReturns: i == 7}
	switch i {
	case 6:
		l.Kind = allocator.Warehouse
	case 7:
		l.Kind = allocator.PickupPoint
	}
	if draw.IntN(3) == 0 {
		return l
	}
	pick := func(of ...string) string { return of[draw.IntN(len(of))] }
	l.Terms = &allocator.Terms{Priority: draw.IntN(3), Offline: draw.IntN(40) == 0,
		Hours: pick("", "Mo-Su 00:00-24:00", "Mo-Fr 08:00-20:00; Sa 09:00-14:00"), Zone: pick("", "UTC", "Europe/Warsaw"),
		Prep: time.Duration(draw.IntN(4)) * 15 * time.Minute, Transfer: time.Duration(draw.IntN(3)) * 12 * time.Hour,
		Delivery: time.Duration(draw.IntN(3)) * 24 * time.Hour}
	if draw.IntN(3) == 0 {
		l.Terms.CutOff = 18 * time.Hour
	}
	if draw.IntN(2) == 0 {
		l.Terms.Groups = []string{pick("cold", "big")}
	}
	if draw.IntN(4) == 0 {
		l.Terms.Channels, l.Terms.Payments = []string{"web", "app"}, []string{"prepaid"}
	}
	return l
}

// killLot is the lot of which a receipt of a SKU with lots is.
func (w *killWorld) killLot(n int) allocator.Lot {
	return allocator.Lot{ID: fmt.Sprintf("lot-%d", n%3), Expires: w.Base.Add(time.Duration(n%3) * 20 * 24 * time.Hour)}
}

// firstAsks are what the first life of a world begins with.
func (w *killWorld) firstAsks(draw *rand.Rand) []killAsk {
	places, receipts := killAsk{Verb: "locations"}, killAsk{Verb: "receive"}
	for i, id := range killPlaces {
		places.Locations = append(places.Locations, killLocation(i, draw))
		receipts.Receipts = append(receipts.Receipts, w.receipt("first-"+id, id, draw, 400))
	}
	bundles := killAsk{Verb: "bundles"}
	for _, sku := range killBundle {
		bundles.Bundles = append(bundles.Bundles, killBundleOf(sku, draw))
	}
	return []killAsk{places, receipts, bundles}
}

// receipt brings units of everything to a location, in one lot.
func (w *killWorld) receipt(id, location string, draw *rand.Rand, units int64) allocator.Receipt {
	r := allocator.Receipt{ID: id, Location: location, Lots: map[string]allocator.Lot{}}
	for _, sku := range killStocked {
		r.Lines = append(r.Lines, allocator.Line{SKU: sku, Quantity: 1 + draw.Int64N(units)})
	}
	for _, sku := range killLotSKU {
		r.Lines = append(r.Lines, allocator.Line{SKU: sku, Quantity: 1 + draw.Int64N(units)})
		r.Lots[sku] = w.killLot(draw.IntN(3))
	}
	return r
}

func killBundleOf(sku string, draw *rand.Rand) allocator.Bundle {
	b := allocator.Bundle{SKU: sku}
	for _, i := range draw.Perm(len(killPlainSKU))[:1+draw.IntN(3)] {
		b.Parts = append(b.Parts, allocator.Component{SKU: killPlainSKU[i], Quantity: 1 + draw.Int64N(2)})
	}
	if draw.IntN(3) == 0 {
		b.Parts = append(b.Parts, allocator.Component{SKU: killLotSKU[0], Quantity: 1})
	}
	return b
}

// killSorted are the keys of a map, ascending.
func killSorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// killShelved are the SKUs with stock of their own, which is not told while they are
// bundles.
func killShelved(a *allocator.Allocator) (skus []string) {
	bundles := map[string]bool{}
	for b := range a.Bundles() {
		bundles[b.SKU] = true
	}
	for _, sku := range slices.Concat(killStocked, killLotSKU) {
		if !bundles[sku] {
			skus = append(skus, sku)
		}
	}
	return skus
}
