package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCut: quantities outside 1..100 and thin stores are dropped, the rest is
// counted by rank, and ties go to the smaller key.
func TestCut(t *testing.T) {
	var text strings.Builder
	text.WriteString("time,basket,store,sku,qty\n")
	add := func(n int, store, sku string, qty int) {
		for range n {
			fmt.Fprintf(&text, "t,b,%s,%s,%d\n", store, sku, qty)
		}
	}
	add(minLines, "small", "x", 1)
	add(minLines, "big", "y", 2)
	add(3, "big", "x", 100)
	add(minLines-1, "thin", "z", 1)
	add(500, "thin", "fuel", 101)
	add(500, "thin", "nothing", 0)
	name := filepath.Join(t.TempDir(), "lines.csv.gz")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, text.String())
	z.Close()
	if err := os.WriteFile(name, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	var out bytes.Buffer
	if err := cut(name, &out); err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := "store,sku,lines\n0,0,3\n0,1,100\n1,0,100\n"; string(got) != want {
		t.Errorf("cut to %q, want %q", got, want)
	}
}
