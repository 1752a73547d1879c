package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// load returns every contestant's engine, loaded with w.
func load(t *testing.T, w *World) map[string]Engine {
	t.Helper()
	engines := make(map[string]Engine)
	for _, c := range Contestants() {
		e := c.New()
		if err := e.Load(w); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Errorf("%s: close: %v", c.Name, err)
			}
		})
		engines[c.Name] = e
	}
	return engines
}

// spread moves the locations all over the globe, with some at the poles, at
// the antimeridian and at one point.
func spread(w *World) {
	random := rand.New(rand.NewPCG(w.config.Seed, 3))
	special := []geo.Point{{Lat: 90}, {Lat: -90, Lon: 77}, {Lat: 10, Lon: 180}, {Lat: 10, Lon: -180}, {Lat: 10, Lon: 179.9}, {Lat: -16, Lon: -179.9}}
	for i := range w.Locations {
		w.Locations[i].Point = anywhere(random)
		if i < 2*len(special) {
			w.Locations[i].Point = special[i%len(special)]
		}
	}
}

func anywhere(random *rand.Rand) geo.Point {
	return geo.Point{Lat: math.Asin(2*random.Float64()-1) * 180 / math.Pi, Lon: 360*random.Float64() - 180}
}

// TestSameAnswers sends one caller's orders to all contestants: each must
// choose the same location, or one as near to within the metre that P5
// allows, and refuse the same orders.
func TestSameAnswers(t *testing.T) {
	for name, c := range map[string]Config{
		"dense":  {Locations: 400, SKUs: 30, Zipf: 0.99},
		"half":   {Locations: 400, SKUs: 30, Density: 0.5, Zipf: 0.99, MaxQuantity: 3},
		"rare":   {Locations: 1000, SKUs: 30, Density: 0.02, MaxLines: 2},
		"few":    {Locations: 1000, SKUs: 10, Stocked: 0.01},
		"near":   {Locations: 1000, SKUs: 30, Density: 0.2, InReach: 40},
		"single": {Locations: 1, SKUs: 1},
	} {
		for _, globe := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/globe=%t", name, globe), func(t *testing.T) {
				c.Seed = 7
				w := newWorld(c.withDefaults())
				random := rand.New(rand.NewPCG(8, 8))
				if globe {
					spread(w)
				}
				pool := newOrderPool(w, 400)
				engines := load(t, w)
				for i := range pool.orders {
					o := pool.orders[i]
					o.ID = fmt.Sprintf("order-%d", i)
					if globe {
						o.Near, o.MaxDistance = anywhere(random), 0
					}
					compareAnswers(t, w, engines, &o)
				}
			})
		}
	}
}

func compareAnswers(t *testing.T, w *World, engines map[string]Engine, o *allocator.Order) {
	t.Helper()
	distance := func(id string) float64 {
		for _, l := range w.Locations {
			if l.ID == id {
				return 2 * earthRadius * math.Asin(min(1, math.Sqrt(chord(unitVector(o.Near), unitVector(l.Point)))/2))
			}
		}
		t.Fatalf("order %s: %q is no location", o.ID, id)
		return 0
	}
	want, wantOK, err := engines["plain"].Allocate(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"strong", "ours"} {
		got, ok, err := engines[name].Allocate(o)
		if err != nil {
			t.Fatalf("%s: order %s: %v", name, o.ID, err)
		}
		if ok != wantOK || ok && got != want && math.Abs(distance(got)-distance(want)) > 1 {
			t.Fatalf("%s: order %s near %v: %q, %t; plain says %q, %t", name, o.ID, o.Near, got, ok, want, wantOK)
		}
	}
}

func chord(a, b vector) float64 {
	dx, dy, dz := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return dx*dx + dy*dy + dz*dz
}

// TestContract holds every contestant to what doc.go says they all do.
func TestContract(t *testing.T) {
	w := newWorld(Config{Locations: 1, SKUs: 3, UnitsPerCell: 10, Seed: 1}.withDefaults())
	for name, e := range load(t, w) {
		t.Run(name, func(t *testing.T) {
			lines := func(quantities ...int64) []allocator.Line {
				var lines []allocator.Line
				for i, q := range quantities {
					lines = append(lines, allocator.Line{SKU: skuName(i % 2), Quantity: q})
				}
				return lines
			}
			allocate := func(id string, ls []allocator.Line) (bool, error) {
				_, ok, err := e.Allocate(&allocator.Order{ID: id, Near: w.Locations[0].Point, Lines: ls})
				return ok, err
			}
			expect := func(what string, ok bool, err error, wantOK, wantErr bool) {
				t.Helper()
				if ok != wantOK || (err != nil) != wantErr {
					t.Errorf("%s: %t, %v", what, ok, err)
				}
			}
			left := func(want ...int64) {
				t.Helper()
				for i, n := range want {
					if got, err := e.Available(skuName(i), w.Locations[0].ID); err != nil || got != n {
						t.Errorf("%s has %d left, %v; want %d", skuName(i), got, err, n)
					}
				}
			}
			ok, err := allocate("A", lines(3, 2, 4))
			expect("two lines of one SKU", ok, err, true, false)
			left(3, 8, 10)
			ok, err = allocate("A", lines(3, 2, 4))
			expect("the same again", ok, err, true, false)
			left(3, 8, 10)
			ok, err = allocate("A", lines(3, 2, 3))
			expect("the same ID, other content", ok, err, false, true)
			ok, err = allocate("B", lines(2, 1, 2))
			expect("two lines that together are too much", ok, err, false, false)
			ok, err = allocate("C", lines(1, 9))
			expect("one line too much", ok, err, false, false)
			left(3, 8, 10)
			ok, err = allocate("D", lines(0))
			expect("quantity 0", ok, err, false, true)
			expect("cancel", true, e.Cancel("A"), true, false)
			left(10, 10, 10)
			_, ok, err = e.Allocate(&allocator.Order{ID: "E", Near: geo.Point{Lat: -30}, MaxDistance: 1000, Lines: lines(1)})
			expect("out of reach", ok, err, false, false)
			expect("cancel of the unknown", true, e.Cancel("Z"), true, true)
		})
	}
}

// TestStrongNearest compares the k-d tree with brute force.
func TestStrongNearest(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{1, 2, 8, 9, 17, 100, 1001} {
		w := newWorld(Config{Locations: n, SKUs: 1, Density: 0.5, Seed: uint64(n)}.withDefaults())
		spread(w)
		e := new(strong)
		if err := e.Load(w); err != nil {
			t.Fatal(err)
		}
		lines := []strongLine{{0, 1}}
		for range 2000 {
			p := anywhere(random)
			if random.IntN(4) == 0 {
				p = w.Locations[random.IntN(n)].Point
			}
			q, reach := unitVector(p), math.Inf(1)
			if random.IntN(2) == 0 {
				reach = chordSquared(random.Float64() * 3e6)
			}
			want := math.Inf(1)
			for i, x := range e.tree.points {
				if d := chord(q, x); d <= reach && e.canFill(int32(i), lines) {
					want = min(want, d)
				}
			}
			got := math.Inf(1)
			if i := e.nearest(q, reach, lines); i >= 0 {
				got = chord(q, e.tree.points[i])
			}
			if got != want {
				t.Fatalf("%d locations, near %v: squared chord %v, brute force %v", n, p, got, want)
			}
		}
	}
}

// TestZipf compares the drawn shares with the exact ones.
func TestZipf(t *testing.T) {
	const draws = 200_000
	for _, exponent := range []float64{0, 0.5, 0.99, 1, 1.3} {
		random := rand.New(rand.NewPCG(11, 11))
		z := newZipf(50, exponent)
		counts := make([]int, 50)
		for range draws {
			counts[z.draw(random)]++
		}
		sum := 0.0
		for i := range counts {
			sum += math.Pow(float64(i+1), -exponent)
		}
		for i, n := range counts {
			share := math.Pow(float64(i+1), -exponent) / sum
			if deviation := math.Sqrt(draws * share * (1 - share)); math.Abs(float64(n)-draws*share) > 5*deviation {
				t.Errorf("exponent %v: rank %d drawn %d times, want %.0f ± %.0f", exponent, i, n, draws*share, 5*deviation)
			}
		}
	}
}

// TestReceiptsAreTheStock adds the receipts up.
func TestReceiptsAreTheStock(t *testing.T) {
	w := newWorld(Config{Locations: 90, SKUs: 5000, Density: 0.9, Stocked: 0.9, UnitsPerCell: 3, Seed: 4}.withDefaults())
	got, stocked := make(map[[2]string]int64), make(map[string]bool)
	for receipts := range w.Receipts() {
		for _, r := range receipts {
			if len(r.Lines) == 0 || len(r.Lines) > linesPerReceipt {
				t.Fatalf("a receipt of %d lines", len(r.Lines))
			}
			for _, l := range r.Lines {
				got[[2]string{l.SKU, r.Location}] += l.Quantity
				stocked[r.Location] = true
			}
		}
	}
	if len(got) != w.Cells() || len(stocked) != 81 {
		t.Errorf("%d cells at %d locations received, want %d at 81", len(got), len(stocked), w.Cells())
	}
	for i, l := range w.Locations {
		for k, sku := range w.SKUs {
			if got[[2]string{sku, l.ID}] != w.units(k, i) {
				t.Fatalf("%s at %s: %d units, want %d", sku, l.ID, got[[2]string{sku, l.ID}], w.units(k, i))
			}
		}
	}
}
