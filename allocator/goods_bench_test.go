package allocator

import (
	"fmt"
	"testing"
)

// BenchmarkGoods is an order and its cancellation: of plain SKUs while there are
// lots and bundles of others, and of SKUs with lots, in a bundle, and with a
// substitute.
func BenchmarkGoods(b *testing.B) {
	for _, kind := range []string{"plain", "plain-beside-lots", "general", "lots=1", "lots=20", "bundle", "substitute"} {
		b.Run("goods="+kind, func(b *testing.B) {
			a, _ := lotWorld(b, Options{})
			for i := range 2 {
				stocked(b, a, fmt.Sprintf("L%d", i), "tea", 1000)
				stocked(b, a, fmt.Sprintf("L%d", i), "cup", 1000)
			}
			if kind != "plain" {
				received(b, a, "L1", "cocoa", 1000, lotDay("A", 3))
			}
			must(b, a.SetBundles(b.Context(), Bundle{SKU: "set", Parts: []Component{{SKU: "tea", Quantity: 1}, {SKU: "cup", Quantity: 2}}}))
			if kind == "plain" {
				must(b, a.SetBundles(b.Context(), Bundle{SKU: "set"}))
			}
			o := ordered("o", Line{"tea", 1}, Line{"cup", 2})
			switch kind {
			case "general":
				o.MaxLocations = 2
			case "lots=1", "lots=20":
				lots := 1
				if kind == "lots=20" {
					lots = 20
				}
				for i := range lots {
					received(b, a, "L0", "milk", 1000, lotDay(fmt.Sprint(i), i+1))
				}
				o.Lines[0].SKU = "milk"
			case "bundle":
				o.Lines = []Line{{"set", 1}}
			case "substitute":
				o.Lines[0].SKU = "mate"
				o.Substitutes = map[string][]string{"mate": {"tea", "milk"}}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				o.ID = fmt.Sprint("o", i)
				i++
				if _, err := a.Allocate(b.Context(), o); err != nil {
					b.Fatal(err)
				}
				if err := a.Cancel(b.Context(), o.ID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
