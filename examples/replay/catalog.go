package main

import (
	"cmp"
	"slices"
)

// item is one SKU of the orders.
type item struct {
	sku    string
	lines  int
	demand int64 // units ordered in the week
	pack   int64 // units that nine of ten lines do not exceed
}

// catalogOf lists the SKUs of the orders, the commonest first.
func catalogOf(w *week) []item {
	quantities := map[string][]int64{}
	for _, b := range w.baskets {
		for _, l := range b.lines {
			quantities[l.SKU] = append(quantities[l.SKU], l.Quantity)
		}
	}
	items := make([]item, 0, len(quantities))
	for sku, q := range quantities {
		slices.Sort(q)
		it := item{sku: sku, lines: len(q), pack: q[(len(q)*9-1)/10]}
		for _, n := range q {
			it.demand += n
		}
		items = append(items, it)
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.lines, a.lines), cmp.Compare(a.sku, b.sku))
	})
	return items
}
