package main

import (
	"fmt"
	"io"
	"strconv"
)

// skew is how unevenly a real grocery chain sells: till lines per store and
// SKU, both by rank (0 = busiest), from a sample of sampleShare of one year.
type skew struct {
	stores, skus int
	byStore      []float64 // lines of each store
	bySKU        []float64 // lines of each SKU
	total        float64
	pairs        map[[2]int]float64
}

const (
	sampleShare  = 0.05 // of all lines of the year
	weeksPerYear = 52
)

func readSkew(name string, r io.Reader, f *faults) (skew, error) {
	t, err := newTable(name, r, f, "store", "sku", "lines")
	if err != nil {
		return skew{}, err
	}
	k := skew{pairs: map[[2]int]float64{}}
	for {
		row, ok, err := t.next()
		if err != nil {
			return skew{}, err
		}
		if !ok {
			break
		}
		store, errStore := strconv.ParseUint(row.text("store"), 10, 16)
		sku, errSKU := strconv.ParseUint(row.text("sku"), 10, 16)
		lines, errLines := strconv.ParseUint(row.text("lines"), 10, 31)
		if errStore != nil || errSKU != nil || errLines != nil {
			row.bad("store, sku and lines must be whole numbers")
			continue
		}
		k.byStore = addAt(k.byStore, int(store), float64(lines))
		k.bySKU = addAt(k.bySKU, int(sku), float64(lines))
		k.total += float64(lines)
		k.pairs[[2]int{int(store), int(sku)}] += float64(lines)
	}
	k.stores, k.skus = len(k.byStore), len(k.bySKU)
	if k.total == 0 {
		return skew{}, fmt.Errorf("%s: the skew table is empty", name)
	}
	return k, nil
}

func addAt(s []float64, i int, v float64) []float64 {
	for len(s) <= i {
		s = append(s, 0)
	}
	s[i] += v
	return s
}

// yearly estimates how many till lines store has with sku in a year. The
// sample is thin, so half of the estimate is what it saw of the pair, and half
// is what the totals of the store and of the SKU let expect (a gamma prior
// with the weight of one observation).
func (k *skew) yearly(store, sku int) float64 {
	expected := k.byStore[store] * k.bySKU[sku] / k.total
	return (k.pairs[[2]int{store, sku}] + expected) / 2 / sampleShare
}

// stretch maps rank i of n to a rank of a table with m rows: the same rank
// where the table is long enough, the same quantile where it is not.
func stretch(i, n, m int) int {
	if n <= m {
		return i
	}
	return int(int64(i) * int64(m) / int64(n))
}

// quantile maps rank i of n to the same quantile of m ranks.
func quantile(i, n, m int) int { return int(int64(i) * int64(m) / int64(n)) }
