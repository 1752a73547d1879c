package main

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/geo"
)

// write puts a small file into the test's own folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// run is the command without a terminal.
func run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e strings.Builder
	code = command(t.Context(), args, &o, &e, nil)
	return code, o.String(), e.String()
}

// screenLines is what fits a terminal window of full height.
const screenLines = 48

// TestWholeProgram runs it as the Makefile does, with fewer repetitions.
func TestWholeProgram(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("seeds 1.8 million cells")
	}
	name := filepath.Join(t.TempDir(), "replay.svg")
	code, out, errs := run(t, "-weeks", "2", "-map", name)
	if code != 0 || errs != "" {
		t.Fatalf("exit code %d, errors %q", code, errs)
	}
	if n := strings.Count(out, "\n"); n > screenLines {
		t.Errorf("%d lines do not fit one screen", n)
	}
	for line := range strings.Lines(out) {
		if n := len([]rune(line)); n > 81 && !strings.HasPrefix(line, "map ") {
			t.Errorf("%d characters do not fit one line: %s", n, line)
		}
	}
	for _, want := range []string{"631 with 16,698 lines", "of 757 invoices", "1,246 stores and 5 warehouses", "oversold    0 units", "seed        1", "nearest first", " splits the cheapest", name} {
		if !strings.Contains(out, want) {
			t.Errorf("the screen does not say %q:\n%s", want, out)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(string(text))); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the map is not XML: %v", err)
		}
	}
	for _, want := range []string{"data from GeoNames (geonames.org), CC BY 4.0", "Matt Stiles", "10.24432/C5BW33", "US Census"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the map does not name %q", want)
		}
	}
	if strings.Contains(string(text), "NaN") || strings.Contains(string(text), "Inf") {
		t.Error("the map has points that are not numbers")
	}
}

var timing = regexp.MustCompile(`\nspeed[^\n]*(\n {12}[^\n]*)*`)

// TestSameSeedSameResult: with one goroutine everything but the time taken is
// the same again, and another seed gives another week.
func TestSameSeedSameResult(t *testing.T) {
	orders := write(t, "orders.csv", manyOrders(60))
	screen := func(seed string) string {
		code, out, errs := run(t, "-orders", orders, "-weeks", "1", "-goroutines", "1", "-map", "-", "-stock", "0.3", "-seed", seed)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, errs)
		}
		return timing.ReplaceAllString(out, "")
	}
	first := screen("5")
	if again := screen("5"); again != first {
		t.Errorf("the same seed gave\n%s\nand then\n%s", first, again)
	}
	if strings.ReplaceAll(screen("6"), "seed        6", "seed        5") == first {
		t.Error("another seed gave the same week")
	}
}

// manyOrders writes n orders of one to seven lines over forty SKUs.
func manyOrders(n int) string {
	var b strings.Builder
	b.WriteString("invoice,sku,qty\n")
	for i := range n {
		for j := range i%7 + 1 {
			b.WriteString("O-" + count(i) + `x,SKU-` + count((i*3+j*j)%40) + "," + count(i%5+1) + "\n")
		}
	}
	return strings.ReplaceAll(b.String(), "x,SKU", ",SKU")
}

// TestOwnFiles: bad rows are reported and counted, the rest is replayed.
func TestOwnFiles(t *testing.T) {
	orders := write(t, "o.csv", "\ufeffqty,sku,invoice,lat,lon\r\n1,A,1,50.06,19.94\r\nx,A,2,,\r\n2,A,3,50.07,19.95\r\n")
	stores := write(t, "s.csv", "id,lon,lat\nkrakow,19.94,50.06\nnowhere,500,50\n")
	places := write(t, "p.csv", "name,lat,lon,population\nKraków,50.06,19.94,800000\nTarnów,50.01,20.98,100000\n")
	chart := filepath.Join(t.TempDir(), "own.svg")
	code, out, errs := run(t, "-orders", orders, "-stores", stores, "-places", places, "-weeks", "1", "-map", chart)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	want := "replay: " + stores + `:3: store "nowhere": lon "500" is not a number of degrees from -180 to 180` + "\n" +
		"replay: " + orders + `:3: qty "x" is not a whole number` + "\n"
	if errs != want {
		t.Errorf("reported\n%swant\n%s", errs, want)
	}
	for _, s := range []string{"bad rows    2, left out", "filled      2", "1 store and 2 warehouses"} {
		if !strings.Contains(out, s) {
			t.Errorf("the screen does not say %q:\n%s", s, out)
		}
	}
	text, err := os.ReadFile(chart)
	if err != nil || strings.Contains(string(text), "NaN") || strings.Contains(string(text), "US Census") {
		t.Errorf("the map of other land is wrong (%v)", err)
	}
}

// TestStoresElsewhere: stores that no embedded customer can reach are a refusal
// with a hint, not an error.
func TestStoresElsewhere(t *testing.T) {
	orders := write(t, "o.csv", "invoice,sku,qty\n1,A,1\n")
	stores := write(t, "s.csv", "id,lat,lon\nkrakow,50.06,19.94\n")
	code, out, errs := run(t, "-orders", orders, "-stores", stores, "-reach", "1", "-weeks", "1", "-map", "-")
	if code != 0 || !strings.Contains(out, "1: no location in reach") || !strings.Contains(out, "unless -places") {
		t.Errorf("exit code %d, errors %q, screen\n%s", code, errs, out)
	}
}

func TestErrorsAreSentences(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.csv")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-orders", none}, 1, "none.csv: no such file"},
		{[]string{"-stores", write(t, "s.csv", "id,lat\n")}, 1, `column "lon" is missing`},
		{[]string{"-stores", write(t, "s.csv", "id,lat,lon\nwarehouse-1,40,-90\n")}, 1, "rename the store"},
		{[]string{"-orders", write(t, "o.csv.gz", "no gzip")}, 1, "o.csv.gz: the name ends in .gz but it is no gzip file"},
		{[]string{"-orders", write(t, "o.csv", "invoice,sku,qty\n1,A,1\n"), "-weeks", "1", "-map", filepath.Join(none, "x.svg")}, 1, "creating the map"},
		{[]string{"-stock", "-1"}, 2, "-stock -1: must be between 0 and 1000"},
		{[]string{"-stock", "NaN"}, 2, "-stock NaN"},
		{[]string{"-reach", "-5"}, 2, "-reach -5"},
		{[]string{"-parcels", "0"}, 2, "-parcels 0: must be between 1 and 64"},
		{[]string{"-parcels", "65"}, 2, "-parcels 65"},
		{[]string{"-goroutines", "0"}, 2, "-goroutines 0"},
		{[]string{"-weeks", "-1"}, 2, "-weeks -1"},
		{[]string{"-goods", "("}, 2, "-goods:"},
		{[]string{"-seed", "x"}, 2, "flags cannot be understood"},
		{[]string{"week.csv"}, 2, `unexpected argument "week.csv"`},
	} {
		code, out, errs := run(t, c.args...)
		if code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit code %d, want %d; printed %q and %q, want %q", c.args, code, c.code, out, errs, c.want)
		}
	}
}

func TestInterruptStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs strings.Builder
	if code := command(ctx, []string{"-map", "-"}, &out, &errs, nil); code != 130 || out.Len() > 0 {
		t.Errorf("exit code %d, want 130; printed %q, %q", code, out.String(), errs.String())
	}
}

// small is an engine with two stores, ten units of A in each, and one order
// that takes all of the nearer store.
func small(t *testing.T) (*allocator.Allocator, []site, []item) {
	t.Helper()
	a, err := allocator.Open(t.Context(), allocator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	all := []site{
		{location: allocator.Location{ID: "near", Point: geo.Point{Lat: 50, Lon: 20}}, units: []int32{10}},
		{location: allocator.Location{ID: "far", Point: geo.Point{Lat: 51, Lon: 20}}, units: []int32{10}},
	}
	items := []item{{sku: "A"}}
	if _, err := fill(t.Context(), a, all, items, nil); err != nil {
		t.Fatal(err)
	}
	_, err = a.Allocate(t.Context(), allocator.Order{ID: "1", Near: geo.Point{Lat: 50, Lon: 20}, Lines: []allocator.Line{{SKU: "A", Quantity: 10}}})
	if err != nil {
		t.Fatal(err)
	}
	return a, all, items
}

func TestAudit(t *testing.T) {
	a, all, items := small(t)
	v, err := audit(t.Context(), a, []string{"1"}, all, items, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.reservations != 1 || v.held != 10 || v.oversold != 0 || v.disagree != 0 || v.cells != 2 || v.left[0] != 0 || v.left[1] != 10 {
		t.Errorf("verdict %+v", v)
	}
	if err := (&report{once: v, often: v}).proof(); err != nil {
		t.Errorf("a clean audit is reported: %v", err)
	}
}

// TestAuditCanaries: what must be found is found.
func TestAuditCanaries(t *testing.T) {
	a, all, items := small(t)
	clean, err := audit(t.Context(), a, []string{"1"}, all, items, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		books    books
		ids      []string
		oversold int64
		disagree int
	}{
		{"a reservation counted twice", a, []string{"1", "1"}, 10, 1},
		{"a reservation forgotten", a, nil, 0, 1},
		{"an engine that hides what it holds", hiding{a}, []string{"1"}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := audit(t.Context(), c.books, c.ids, all, items, nil)
			if err != nil {
				t.Fatal(err)
			}
			if v.oversold != c.oversold || v.disagree != c.disagree {
				t.Errorf("oversold %d and %d cells that disagree, want %d and %d", v.oversold, v.disagree, c.oversold, c.disagree)
			}
			if (&report{once: clean, often: v}).proof() == nil {
				t.Error("the program would exit 0")
			}
		})
	}
	if _, err := audit(t.Context(), a, []string{"2"}, all, items, nil); !errors.Is(err, allocator.ErrNotFound) {
		t.Errorf("an order that is not there: %v", err)
	}
}

type hiding struct{ books }

func (hiding) Available(string, string) (allocator.Availability, error) {
	return allocator.Availability{OnHand: 10, Available: 10}, nil
}

// TestCancellationsPutBack: the last order of the same country that still
// holds the goods gets the line back.
func TestCancellationsPutBack(t *testing.T) {
	a, all, _ := small(t) // the nearer store is empty: orders go to the other
	text := "invoice,sku,qty,country\n2,A,4,PL\n3,A,3,DE\nC4,A,-3,PL\nC5,A,-2,PL\nC6,A,-1,PL\nC7,A,-1,FR\n"
	w, err := readWeek("w.csv", strings.NewReader(text), &faults{w: io.Discard}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.baskets {
		w.baskets[i].near = all[0].location.Point
	}
	got, err := playWeek(t.Context(), a, &w, all, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.putBack != 2 || got.unmatched != 2 {
		t.Errorf("%d put back and %d unmatched, want 2 and 2", got.putBack, got.unmatched)
	}
	v, err := a.Available("A", "far")
	if err != nil || v.Held != 3 {
		t.Errorf("held %d (%v), want the 3 of order 3", v.Held, err)
	}
}

// TestRefusals: each reason is told apart.
func TestRefusals(t *testing.T) {
	a, all, _ := small(t)
	near := geo.Point{Lat: 50, Lon: 20}
	order := func(invoice, sku string, quantity int64, near geo.Point) basket {
		return basket{invoice: invoice, near: near, lines: []allocator.Line{{SKU: sku, Quantity: quantity}}}
	}
	w := week{baskets: []basket{
		order("2", "A", 11, near),
		order("3", "A", 1, geo.Point{Lat: -50, Lon: 20}),
		order("4", "B", 1, near),
		order("5", "A", 0, near),
		order("6", "A", 1, near),
	}}
	got, err := playWeek(t.Context(), a, &w, all, 200_000, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []outcome{{site: -1, refusal: refusedShort}, {site: -1, refusal: refusedTooFar}, {site: -1, refusal: refusedNoSKU}, {site: -1, refusal: refusedOther}}
	for i := range want {
		if got.outcomes[i] != want[i] {
			t.Errorf("order %s: %+v, want %+v", w.baskets[i].invoice, got.outcomes[i], want[i])
		}
	}
	if o := got.outcomes[4]; o.site != 1 || o.distance < 111_000 || o.distance > 112_000 {
		t.Errorf("order 6: %+v, want the farther store a degree away", o)
	}
	if got.short != 2 || got.tooFar != 2 || got.missing["A"] != 1 {
		t.Errorf("%d short, %d too far, missing %v; want 2, 2 and A once", got.short, got.tooFar, got.missing)
	}
}
