// Command cutskew derives data/skew.csv.gz, the table of demand per store and
// SKU that the replay seeds its stock from.
//
//	go run ./examples/replay/cutskew LINES.csv.gz > skew.csv.gz
//
// LINES holds one till line per row with the columns store, sku and qty: the
// table transactions_sample of the R package completejourney, written as CSV.
// Rows with a quantity outside 1..100 are dropped (fuel is measured in other
// units), then stores with fewer than minLines lines, then all SKUs but the
// topSKUs commonest. What remains is counted per pair and written with ranks
// (0 = busiest) in place of the anonymous numbers.
package main

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
)

const (
	minLines = 100
	topSKUs  = 4096
)

type pair struct{ store, sku string }

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: cutskew LINES.csv.gz > skew.csv.gz")
		os.Exit(2)
	}
	if err := cut(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cutskew:", err)
		os.Exit(1)
	}
}

func cut(name string, w io.Writer) error {
	lines, err := readLines(name)
	if err != nil {
		return err
	}
	storeRank := ranks(lines, func(p pair) string { return p.store })
	maps.DeleteFunc(lines, func(p pair, _ int) bool { return storeRank.count[p.store] < minLines })
	skuRank := ranks(lines, func(p pair) string { return p.sku })
	maps.DeleteFunc(lines, func(p pair, _ int) bool { return skuRank.of[p.sku] >= topSKUs })

	type row struct{ store, sku, lines int }
	rows := make([]row, 0, len(lines))
	for p, n := range lines {
		rows = append(rows, row{storeRank.of[p.store], skuRank.of[p.sku], n})
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.store, b.store), cmp.Compare(a.sku, b.sku))
	})
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	out := csv.NewWriter(z)
	if err := out.Write([]string{"store", "sku", "lines"}); err != nil {
		return err
	}
	for _, r := range rows {
		if err := out.Write([]string{strconv.Itoa(r.store), strconv.Itoa(r.sku), strconv.Itoa(r.lines)}); err != nil {
			return err
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return err
	}
	return z.Close()
}

func readLines(name string) (map[pair]int, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	in := csv.NewReader(z)
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: header: %w", name, err)
	}
	store, sku, qty := slices.Index(header, "store"), slices.Index(header, "sku"), slices.Index(header, "qty")
	if store < 0 || sku < 0 || qty < 0 {
		return nil, fmt.Errorf("%s: needs the columns store, sku and qty", name)
	}
	lines := map[pair]int{}
	for {
		r, err := in.Read()
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		n, err := strconv.Atoi(r[qty])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if n >= 1 && n <= 100 {
			lines[pair{r[store], r[sku]}]++
		}
	}
}

// ranking holds the lines and the rank (0 = most lines) of every key. Ties go
// to the lexically smaller key, so the table does not depend on map order.
type ranking struct{ count, of map[string]int }

func ranks(lines map[pair]int, key func(pair) string) ranking {
	r := ranking{count: map[string]int{}, of: map[string]int{}}
	for p, n := range lines {
		r.count[key(p)] += n
	}
	keys := slices.SortedFunc(maps.Keys(r.count), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.count[b], r.count[a]), cmp.Compare(a, b))
	})
	for i, k := range keys {
		r.of[k] = i
	}
	return r
}
