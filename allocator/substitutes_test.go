package allocator

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

func instead(o Order, sku string, others ...string) Order {
	if o.Substitutes == nil {
		o.Substitutes = map[string][]string{}
	}
	o.Substitutes[sku] = others
	return o
}

func TestSubstitutes(t *testing.T) {
	shop := func(t *testing.T, units map[string]int64) *Allocator {
		a := street(t, 2, Options{})
		for _, sku := range []string{"cup", "mug", "jar", "tea"} {
			if n := units[sku]; n > 0 {
				stocked(t, a, "L0", sku, n)
			}
		}
		stocked(t, a, "L1", "vase", 1)
		return a
	}
	for _, c := range []struct {
		name  string
		there map[string]int64
		order Order
		want  string // empty: refused
		swaps string
	}{
		{"itself first", map[string]int64{"cup": 2, "mug": 9}, instead(ordered("o", Line{"cup", 2}), "cup", "mug"), "o@L0 2 cup", "map[]"},
		{"the first that has enough", map[string]int64{"cup": 1, "mug": 1, "jar": 9}, instead(ordered("o", Line{"cup", 2}), "cup", "mug", "jar"), "o@L0 2 jar", "map[cup:[{jar 2}]]"},
		{"mixed when none has enough", map[string]int64{"cup": 1, "mug": 2, "jar": 2}, instead(ordered("o", Line{"cup", 4}), "cup", "mug", "jar"), "o@L0 1 cup 1 jar 2 mug", "map[cup:[{jar 1} {mug 2}]]"},
		{"unknown ones are skipped", map[string]int64{"mug": 2}, instead(ordered("o", Line{"cup", 2}), "cup", "x", "cup", "mug", "mug"), "o@L0 2 mug", "map[cup:[{mug 2}]]"},
		{"one that is ordered too", map[string]int64{"mug": 3}, instead(ordered("o", Line{"cup", 1}, Line{"mug", 2}), "cup", "mug"), "o@L0 3 mug", "map[cup:[{mug 1}]]"},
		{"units count once", map[string]int64{"mug": 2}, instead(ordered("o", Line{"cup", 1}, Line{"mug", 2}), "cup", "mug"), "", ""},
		{"moved on for another", map[string]int64{"mug": 1, "jar": 1}, instead(instead(ordered("o", Line{"cup", 1}, Line{"mug", 1}), "cup", "mug"), "mug", "jar"), "o@L0 1 jar 1 mug", "map[cup:[{mug 1}] mug:[{jar 1}]]"},
		{"round in a ring", map[string]int64{"cup": 1, "mug": 2, "jar": 1}, instead(instead(instead(ordered("o", Line{"cup", 2}, Line{"mug", 1}, Line{"jar", 1}), "cup", "mug"), "mug", "jar"), "jar", "cup"), "o@L0 1 cup 1 jar 2 mug", "map[cup:[{mug 1}]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := shop(t, c.there)
			for _, most := range []int{1, 2} {
				c.order.MaxLocations = most
				if c.want == "" {
					_, err := a.Allocate(t.Context(), c.order)
					as[*NoLocationError](t, err)
					continue
				}
				got, err := a.Quote(c.order)
				must(t, err)
				if said(got) != c.want || fmt.Sprint(got.Substituted()) != c.swaps {
					t.Errorf("got %q, %v, want %q, %s", said(got), got.Substituted(), c.want, c.swaps)
				}
			}
			if c.want != "" {
				got := asks(t, a, c.order, c.want)
				again, err := a.Allocate(t.Context(), c.order)
				if must(t, err); fmt.Sprint(got.Substituted()) != c.swaps || fmt.Sprint(again.Substituted()) != c.swaps {
					t.Errorf("instead: %v, then %v", got.Substituted(), again.Substituted())
				}
			}
		})
	}
	t.Run("too many", func(t *testing.T) {
		_, err := shop(t, nil).Quote(instead(ordered("o", Line{"vase", 1}), "vase", make([]string, 65)...))
		refused(t, err, ErrInvalid, `allocator: order "o": invalid Substitutes["vase"] 65: are more than 64`)
	})
	t.Run("none known", func(t *testing.T) {
		_, err := shop(t, nil).Quote(instead(ordered("o", Line{"a", 1}), "a", "b"))
		refused(t, err, ErrUnknownSKU, `allocator: order "o": unknown SKU: "a"`)
	})
}

// TestSubstitutesSplit has two wants in each other's way at the cheapest location:
// one of them goes elsewhere.
func TestSubstitutesSplit(t *testing.T) {
	a := street(t, 3, Options{})
	stocked(t, a, "L0", "mug", 2)
	stocked(t, a, "L1", "jar", 1)
	stocked(t, a, "L2", "mug", 2)
	o := instead(ordered("o", Line{"cup", 2}, Line{"jar", 1}, Line{"mug", 2}), "cup", "mug")
	o.Form, o.MaxLocations = sourcing.Ship, 3
	asks(t, a, o, "o/1@L0 2 mug; o/2@L1 1 jar; o/3@L2 2 mug")
	o.ID = "none"
	_, err := a.Allocate(t.Context(), o)
	as[*NoLocationError](t, err)
	// Both ways at one location: its units count once.
	stocked(t, a, "L0", "mug", 3)
	p := instead(ordered("p", Line{"cup", 2}, Line{"mug", 2}), "cup", "mug")
	p.At, p.Forms = "L0", map[string]sourcing.Form{"cup": sourcing.Ship}
	_, err = a.Allocate(t.Context(), p)
	as[*NoLocationError](t, err)
	stocked(t, a, "L0", "mug", 1)
	asks(t, a, p, "p/1@L0 2 mug; p/2@L0 2 mug")
}

// TestSubstitutesRace has many orders for the same few units, each of which may
// take one for the other.
func TestSubstitutesRace(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "cup", 50)
	stocked(t, a, "L0", "mug", 50)
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			for i := range 10 {
				o := instead(instead(ordered(fmt.Sprintf("%d/x%d", g, i), Line{"cup", 1}, Line{"mug", 1}), "cup", "mug"), "mug", "cup")
				if _, err := a.Allocate(t.Context(), o); err != nil {
					as[*NoLocationError](t, err)
				}
			}
		})
	}
	all.Wait()
	shelf(t, a, "L0", "cup", 50, 50, 0)
	shelf(t, a, "L0", "mug", 50, 50, 0)
}

// goodsTwin decides orders by trying everything.
type goodsTwin struct {
	units   map[string]map[string]int64 // what an order may take, by location and SKU
	bundles map[string][]Component
}

// exploded is an order's wants.
func (w *goodsTwin) exploded(lines []Line) map[string]int64 {
	out := map[string]int64{}
	for _, l := range lines {
		parts, is := w.bundles[l.SKU]
		if !is {
			out[l.SKU] += l.Quantity
			continue
		}
		for _, part := range parts {
			for sku, units := range w.exploded([]Line{{part.SKU, part.Quantity * l.Quantity}}) {
				out[sku] += units
			}
		}
	}
	return out
}

// fits tries every way to give units to wants.
func fits(units, wants map[string]int64, instead map[string][]string) bool {
	for _, sku := range sorted(wants) {
		if wants[sku] == 0 {
			continue
		}
		for _, choice := range append([]string{sku}, instead[sku]...) {
			if units[choice] > 0 {
				units[choice]--
				wants[sku]--
				done := fits(units, wants, instead)
				units[choice]++
				wants[sku]++
				if done {
					return true
				}
			}
		}
		return false
	}
	return true
}

// filled reports whether the wants, each at one location, can be filled from so
// many locations.
func (w *goodsTwin) filled(wants map[string]int64, instead map[string][]string, most int) bool {
	places, skus := sorted(w.units), sorted(wants)
	ways := 1
	for range skus {
		ways *= len(places)
	}
	for way := range ways {
		by := map[string]map[string]int64{}
		for _, sku := range skus {
			at := places[way%len(places)]
			if way /= len(places); by[at] == nil {
				by[at] = map[string]int64{}
			}
			by[at][sku] = wants[sku]
		}
		ok := len(by) <= most
		for at, part := range by {
			ok = ok && fits(w.units[at], part, instead)
		}
		if ok {
			return true
		}
	}
	return false
}

// TestGoodsTwin compares random orders for bundles, lots and substitutes with a
// twin that tries everything.
func TestGoodsTwin(t *testing.T) {
	worlds := 1500
	if !scaletest.Full() {
		worlds = 120
	}
	filled, refusals, split, swapped := 0, 0, 0, 0
	for seed := range worlds {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		a, twin := goodsWorld(t, r)
		o, wants := goodsOrder(r, twin)
		want := twin.filled(wants, o.Substitutes, max(o.MaxLocations, 1))
		quote, quoted := a.Quote(o)
		got, err := a.Allocate(t.Context(), o)
		if (quoted == nil) != (err == nil) || said(quote) != said(got) {
			t.Fatalf("seed %d: quoted %q (%v), got %q (%v)", seed, said(quote), quoted, said(got), err)
		}
		// Units of one want may come from several locations, which the twin does not try.
		if want && err != nil || !want && o.MaxLocations < 2 && err == nil {
			t.Fatalf("seed %d: %+v in %v: got %q, %v, want %v", seed, o, twin.units, said(got), err, want)
		}
		if err != nil {
			as[*NoLocationError](t, err)
			refusals++
			must(t, a.Close())
			continue
		}
		filled++
		if len(got.Parts()) > 1 {
			split++
		}
		if got.Substituted() != nil {
			swapped++
		}
		total := map[string]int64{}
		for _, part := range got.Parts() {
			for _, l := range part.Lines() {
				if total[l.SKU] += l.Quantity; l.Quantity > twin.units[part.Location][l.SKU] {
					t.Fatalf("seed %d: %q of %v", seed, said(got), twin.units)
				}
			}
		}
		if !fits(total, wants, o.Substitutes) || sumOf(total) != sumOf(wants) {
			t.Fatalf("seed %d: %+v got %q", seed, o, said(got))
		}
		for at := range twin.units {
			checkFirstOut(t, a, at, seed)
		}
		must(t, a.Close())
	}
	if min(filled, refusals, split, swapped) < worlds/20 {
		t.Errorf("%d filled, %d refused, %d split, %d with substitutes", filled, refusals, split, swapped)
	}
}

func sumOf(units map[string]int64) (sum int64) {
	for _, n := range units {
		sum += n
	}
	return sum
}

// goodsWorld is one to three locations with some units of four SKUs, "A" in lots.
func goodsWorld(t *testing.T, r *rand.Rand) (*Allocator, *goodsTwin) {
	a, _ := lotWorld(t, Options{})
	w := &goodsTwin{units: map[string]map[string]int64{}, bundles: map[string][]Component{}}
	must(t, a.SetShelfLife(t.Context(), ShelfLife{SKU: "A", Keeps: 24 * 3600e9}))
	if r.IntN(2) == 0 {
		must(t, a.SetLocations(t.Context(), Location{ID: "L2", Point: streetPoint(2)}))
	}
	for l := range a.Locations() {
		w.units[l.ID] = map[string]int64{}
		for _, sku := range []string{"A", "B", "C", "D"} {
			if n := r.Int64N(5); n > 0 {
				stocked(t, a, l.ID, sku, n)
				w.units[l.ID][sku] = n
			}
		}
		for i := range 4 { // of which the first is too old by then
			if n := r.Int64N(3); n > 0 {
				received(t, a, l.ID, "A", n, lotDay(fmt.Sprint(i), i))
				if i > 0 {
					w.units[l.ID]["A"] += n
				}
			}
		}
	}
	for _, sku := range []string{"A", "B", "C", "D"} {
		received(t, a, "L0", sku, 1, lotDay("old", -3)) // all are known
	}
	w.bundles["X"] = []Component{{SKU: "A", Quantity: r.Int64N(2) + 1}, {SKU: "B", Quantity: 1}}
	w.bundles["Y"] = []Component{{SKU: "X", Quantity: 1}, {SKU: "D", Quantity: 1}}
	must(t, a.SetBundles(t.Context(), Bundle{SKU: "X", Parts: w.bundles["X"]}, Bundle{SKU: "Y", Parts: w.bundles["Y"]}))
	return a, w
}

func goodsOrder(r *rand.Rand, w *goodsTwin) (Order, map[string]int64) {
	o := ordered("o")
	o.Form, o.MaxLocations = sourcing.Ship, r.IntN(4)
	for range r.IntN(3) + 1 {
		o.Lines = append(o.Lines, Line{[]string{"A", "B", "C", "D", "X", "Y"}[r.IntN(6)], r.Int64N(3) + 1})
	}
	o.Substitutes = map[string][]string{}
	for _, sku := range []string{"A", "B", "C", "D"} {
		for range r.IntN(3) {
			o.Substitutes[sku] = append(o.Substitutes[sku], []string{"A", "B", "C", "D", "nothing"}[r.IntN(5)])
		}
	}
	return o, w.exploded(o.Lines)
}

// checkFirstOut checks that units are held of the lots that expire first, and of
// none that is too old.
func checkFirstOut(t *testing.T, a *Allocator, location string, seed int) {
	left := int64(0)
	for lot, is := range a.Lots("A", location) {
		tooOld := !lot.Expires.After(lotStart)
		if tooOld && is.Held > 0 || is.Held > 0 && left > 0 {
			t.Fatalf("seed %d: lots at %s are %s", seed, location, lotsSay(a, "A", location))
		}
		if !tooOld {
			left += is.Available
		}
	}
	if sku, _ := a.ledger.SKU("A"); left > 0 {
		if slot, _ := a.ledger.Slot(location); a.ledger.Available(sku, slot).Held > 0 {
			t.Fatalf("seed %d: units without a lot are held, lots at %s are %s", seed, location, lotsSay(a, "A", location))
		}
	}
}
