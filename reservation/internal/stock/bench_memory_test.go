package stock

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// memoryCase is a chain's stock: skus rows of cells each, over locations.
type memoryCase struct {
	shape     string
	locations int
	share     float64
	skus      int
}

// BenchmarkMemory fills 30 million cells, a tenth with -short, and reports the heap in use after a
// collection, by cell that is really stocked: all of it, and what searches and
// claims read.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []memoryCase{
		{"dense", 10_000, 1, 3_000},
		{"dense", 10_000, 0.9, 3_334},
		{"mid", 10_000, 0.1, 30_000},
		{"sparse", 100_000, 0.01, 30_000},
		{"sparse", 10_000, 0.01, 300_000},
	} {
		if testing.Short() {
			c.skus /= 10
		}
		b.Run(fmt.Sprintf("shape=%s/locations=%d/share=%v/skus=%d", c.shape, c.locations, c.share, c.skus), func(b *testing.B) {
			for b.Loop() {
				measureMemory(b, c)
			}
		})
	}
}

func measureMemory(b *testing.B, c memoryCase) {
	rng := rand.New(rand.NewPCG(51, uint64(c.skus)))
	sets := make([][]uint32, 16) // the slots of a SKU, one of a few sets
	for i := range sets {
		for slot := range uint32(c.locations) {
			if rng.Float64() < c.share {
				sets[i] = append(sets[i], slot)
			}
		}
	}
	before := heapInUse()
	s := newWorld(c.skus, c.locations, 0)
	cells := 0
	for sku := range uint32(c.skus) {
		slots := sets[sku%16]
		s.Ensure(sku, slots...)
		for _, slot := range slots[:min(len(slots), 50)] {
			s.Change(sku, slot, 3)
		}
		cells += len(slots)
	}
	used := heapInUse() - before
	m := s.Memory(nil)
	runtime.KeepAlive(s)
	b.ReportMetric(float64(used)/float64(cells), "B/cell-all")
	b.ReportMetric(float64(m.HotBytes)/float64(cells), "B/cell-hot")
	b.ReportMetric(float64(m.AllBytes)/float64(used), "counted/heap")
	b.ReportMetric(float64(cells), "cells")
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// BenchmarkEnsure adds the cells of one SKU at 10,000 locations, one by one in
// random order or all at once.
func BenchmarkEnsure(b *testing.B) {
	const n = 10_000
	for _, share := range []float64{0.01, 0.1, 1} {
		slots := shuffled(rand.New(rand.NewPCG(61, 1)), n)[:int(share*n)]
		for _, bulk := range []bool{false, true} {
			b.Run(fmt.Sprintf("share=%v/bulk=%v", share, bulk), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					s := newWorld(1, n, 0)
					b.StartTimer()
					if bulk {
						s.Ensure(0, slots...)
						continue
					}
					for _, slot := range slots {
						s.Ensure(0, slot)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(slots)), "ns/cell")
			})
		}
	}
}

// BenchmarkRenumber moves all rows into a random numbering.
func BenchmarkRenumber(b *testing.B) {
	const n, skus = 10_000, 100
	for _, share := range []float64{0.01, 0.1, 1} {
		b.Run(fmt.Sprintf("share=%v", share), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(71, 1))
			s := newWorld(skus, n, 0)
			for sku := range uint32(skus) {
				for _, slot := range everyNth(n, int(1/share)) {
					if slot == 0 {
						s.Ensure(sku, everyNth(n, int(1/share))...)
					}
					s.Change(sku, slot, 2)
				}
			}
			order := shuffled(rng, n)
			for b.Loop() {
				s.Renumber(order, n, 0, unannounced)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(skus*share*n), "ns/cell")
		})
	}
}
