package channels

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/clickcollect/clickcollect/reservation"
)

// BenchmarkLevels is a look-up of a level.
func BenchmarkLevels(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		all := make([]level, n)
		for i := range all {
			all[i] = level{uint32(i / 100), uint32(i % 100), int64(i % 50)}
		}
		wide := newTable([]level{{reservation.EverySKU, 7, 3}, {reservation.EverySKU, reservation.Everywhere, 1}})
		k := &Levels{own: newTable(all), all: wide}
		r := rand.New(rand.NewPCG(1, 2))
		at := make([]level, 1<<16)
		for i := range at {
			at[i] = all[r.IntN(n)]
		}
		for _, hit := range []bool{true, false} {
			b.Run(fmt.Sprintf("levels=%d/hit=%v", n, hit), func(b *testing.B) {
				i, sum, sku := 0, int64(0), uint32(0)
				if !hit {
					sku = 1 << 24
				}
				for b.Loop() {
					sc := at[i&(len(at)-1)]
					sum += k.Of(sc.sku+sku, sc.slot)
					i++
				}
				_ = sum
			})
		}
	}
}
