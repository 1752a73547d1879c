package stock

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// benchPicks spreads an order's SKUs over locations: each SKU at each. Hot ones
// all want SKU 0 at location 0 among others.
func benchPicks(o *order, rng *rand.Rand, slots int) (picks []Pick) {
	at := []uint32{o.location}
	for len(at) < slots {
		if slot := rng.Uint32N(benchLocations); !slices.Contains(at, slot) {
			at = append(at, slot)
		}
	}
	slices.Sort(at)
	for _, l := range o.lines {
		for _, slot := range at {
			picks = append(picks, Pick{SKU: l.SKU, Slot: slot, Quantity: l.Quantity, Keep: l.Keep})
		}
	}
	return picks
}

// BenchmarkPicks is claim, settle and put back of SKUs at locations, beside a
// claim of three lines at one location by name, which is what it must be
// compared with, and the same with lines that keep some units.
func BenchmarkPicks(b *testing.B) {
	s := newWorld(benchSKUs, benchLocations, 0)
	for sku := range uint32(benchSKUs) {
		s.Ensure(sku, everyNth(benchLocations, 1)...)
		for slot := range uint32(benchLocations) {
			s.Change(sku, slot, benchUnits)
		}
	}
	for _, load := range []string{"uniform", "hot"} {
		for _, goroutines := range []int{1, 2, 16} {
			for _, c := range []struct {
				impl        string
				skus, slots int
				keep        int64
			}{
				{"query", 3, 1, 0},
				{"query", 3, 1, 5},
				{"picks", 3, 1, 0},
				{"picks", 1, 3, 0},
				{"picks", 3, 3, 0},
				{"picks", 3, 3, 5},
			} {
				name := fmt.Sprintf("impl=%s/load=%s/skus=%d/slots=%d/keep=%d/goroutines=%d", c.impl, load, c.skus, c.slots, c.keep, goroutines)
				b.Run(name, func(b *testing.B) {
					var group sync.WaitGroup
					orders := make([][]order, goroutines)
					picks := make([][][]Pick, goroutines)
					for i := range goroutines {
						rng := rand.New(rand.NewPCG(43, uint64(i)))
						orders[i] = benchOrders(rng, 1_024, c.skus, load == "hot")
						for _, o := range orders[i] {
							for n := range o.lines {
								o.lines[n].Keep = c.keep
							}
							picks[i] = append(picks[i], benchPicks(&o, rng, c.slots))
						}
					}
					b.ReportAllocs()
					b.ResetTimer()
					for i := range goroutines {
						group.Go(func() {
							per := (b.N + goroutines - 1) / goroutines
							if c.impl == "query" {
								claimByQuery(b, s, orders[i], per)
							} else {
								claimByPicks(b, s, picks[i], per)
							}
						})
					}
					group.Wait()
				})
			}
		}
	}
}

func claimByQuery(b *testing.B, s *Stock, orders []order, rounds int) {
	e := &escrowClaimer{s: s}
	for n := range rounds {
		o := &orders[n%len(orders)]
		if !e.claim(o.location, o.lines) {
			b.Error("units are missing")
			return
		}
		e.putBack(o.location, o.lines)
	}
}

func claimByPicks(b *testing.B, s *Stock, orders [][]Pick, rounds int) {
	var p Picks
	for n := range rounds {
		picks := orders[n%len(orders)]
		if p.Take(s, picks) != -1 {
			b.Error("units are missing")
			return
		}
		p.Settle()
		for i := range picks {
			s.Change(picks[i].SKU, picks[i].Slot, picks[i].Quantity)
		}
	}
}

// BenchmarkMask is the start of a mask for three lines with two alternatives
// each, and a list of the rare or a word of each level of the common.
func BenchmarkMask(b *testing.B) {
	const n = 100_000
	for _, step := range []int{1, 10, 100, 5_000} {
		s := newWorld(6, n, 0)
		for sku := range uint32(6) {
			s.Ensure(sku, everyNth(n, step)...)
			for _, slot := range everyNth(n, step) {
				s.Change(sku, slot, 1)
			}
		}
		groups := [][]uint32{{0, 1}, {2, 3}, {4, 5}}
		var m Mask
		var list []uint32
		b.Run(fmt.Sprintf("locations=%d/in=%d/do=list", n, n/step), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Start(s.Table(), groups, true, nil)
				list, _ = m.List(64, list[:0])
			}
		})
		b.Run(fmt.Sprintf("locations=%d/in=%d/do=words", n, n/step), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Start(s.Table(), groups, true, nil)
				if m.Word(2, 0) == 0 || m.Word(1, 1) == 0 {
					b.Fatal("nothing there")
				}
				m.Word(0, 79)
			}
		})
	}
}
