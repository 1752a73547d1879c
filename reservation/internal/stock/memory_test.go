package stock

import (
	"fmt"
	"math"
	"runtime"
	"testing"
)

// The bytes told are what the heap has, whatever the shapes of the rows, and the
// cells told are those that a walk finds: not the room for locations that may join,
// nor the cells of SKUs that are not counted.
func TestMemoryIsWhatThereIs(t *testing.T) {
	const locations, spare, cells = 1000, 64, 100_000
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, each := range []int{1, 3, 10, 40, 100, 300, 700, 1000} { // cells of a SKU
		t.Run(fmt.Sprint("each=", each), func(t *testing.T) {
			slots := make([]uint32, each)
			before := heap()
			skus := uint32(cells / each)
			s := newWorld(int(skus), locations, spare)
			for sku := range skus {
				for i := range slots {
					slots[i] = (sku*7 + uint32(i*locations/each)) % locations
				}
				s.Ensure(sku, slots...)
			}
			m, used := s.Memory(nil), heap()-before
			runtime.KeepAlive(s)
			if off := float64(m.AllBytes)/float64(used) - 1; !underRace && math.Abs(off) > 0.03 {
				t.Errorf("%d bytes told, the heap has %d: off by %.1f %%", m.AllBytes, used, 100*off)
			}
			if m.HotBytes <= 0 || m.HotBytes >= m.AllBytes {
				t.Errorf("%d of %d bytes are read by searches", m.HotBytes, m.AllBytes)
			}
			found, odd := 0, 0
			for sku := range skus {
				s.Slots(sku, func(uint32) bool {
					found++
					odd += int(sku & 1)
					return true
				})
			}
			if m.SKUs != int(skus) || m.Cells != found {
				t.Errorf("%d SKUs and %d cells told, %d and %d are there", m.SKUs, m.Cells, skus, found)
			}
			some := s.Memory(func(sku uint32) bool { return sku&1 == 1 })
			if some.SKUs != int(skus/2) || some.Cells != odd || some.AllBytes != m.AllBytes {
				t.Errorf("of every other SKU: %+v, want %d and %d cells", some, skus/2, odd)
			}
			if !s.Join(locations, func(uint32) {}) {
				t.Fatal("the space is full")
			}
			if joined := s.Memory(nil).Cells; joined != found && joined != found+int(skus) {
				t.Errorf("%d cells with one more location, %d before", joined, found)
			}
		})
	}
}
