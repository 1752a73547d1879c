package allocator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

func bundle(sku string, parts ...Component) Bundle {
	return Bundle{SKU: sku, Parts: parts}
}

// teaSet is a set of two cups and a packet of tea, and a hamper of two of these and
// a jar.
var teaSet = []Bundle{
	bundle("set", Component{SKU: "tea", Quantity: 1}, Component{SKU: "cup", Quantity: 2}),
	bundle("hamper", Component{SKU: "set", Quantity: 2}, Component{SKU: "jar", Quantity: 1}),
}

func TestBundlesAreTakenApart(t *testing.T) {
	a := street(t, 2, Options{})
	for _, sku := range []string{"tea", "cup", "jar"} {
		stocked(t, a, "L1", sku, 10)
	}
	stocked(t, a, "L0", "cup", 10)
	first := ordered("before", Line{"cup", 1})
	allocated(t, a, first, "L0")
	must(t, a.SetBundles(t.Context(), teaSet...))

	o := ordered("o", Line{"hamper", 1}, Line{"tea", 1}, Line{"set", 1}, Line{"hamper", 1})
	asks(t, a, o, "o@L1 10 cup 2 jar 6 tea")
	shelf(t, a, "L1", "cup", 10, 10, 0)
	if got := state(t, a, "o", Held).Lines; len(got) != 3 || got[0].SKU == "set" {
		t.Errorf("lines %+v", got)
	}
	allocated(t, a, first, "L0") // what was asked for before is still the same order
	allocated(t, a, ordered("plain", Line{"cup", 1}), "L0")

	// What it is made of may change; the order is the same.
	must(t, a.SetBundles(t.Context(), bundle("set", Component{SKU: "jar", Quantity: 1})))
	if got, err := a.Allocate(t.Context(), o); err != nil || said(got) != "o@L1 10 cup 2 jar 6 tea" {
		t.Errorf("repeat %q, %v", said(got), err)
	}
	asks(t, a, ordered("now", Line{"hamper", 1}), "now@L1 3 jar")
	must(t, a.SetBundles(t.Context(), bundle("set"), bundle("hamper")))
	_, err := a.Allocate(t.Context(), ordered("none", Line{"set", 1}))
	refused(t, err, ErrUnknownSKU, `allocator: order "none": unknown SKU: "set"`)
	for b := range a.Bundles() {
		t.Errorf("bundle %+v is left", b)
	}
}

func TestBundlesNearby(t *testing.T) {
	a, _ := lotWorld(t, Options{})
	stocked(t, a, "L1", "cup", 5)
	received(t, a, "L1", "tea", 9, lotDay("A", 2))
	received(t, a, "L0", "tea", 9, lotDay("A", -1))
	must(t, a.SetBundles(t.Context(), teaSet...))
	for _, c := range []struct {
		lines []Line
		want  string
	}{
		{[]Line{{"set", 1}}, "[L1 [2]]"},
		{[]Line{{"set", 2}, {"tea", 7}}, "[L1 [2 9]]"},
		{[]Line{{"set", 2}, {"tea", 8}}, "[]"},
		{[]Line{{"tea", 1}}, "[L1 [9]]"},
	} {
		near, err := a.Nearby(Order{Near: streetPoint(0), Lines: c.lines})
		must(t, err)
		got := []string{}
		for place := range able(near) {
			got = append(got, fmt.Sprint(place.Location, " ", place.Available))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("nearby %v: %v, want %s", c.lines, got, c.want)
		}
	}
	_, err := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"set", 0}}})
	refused(t, err, ErrInvalid, "allocator: nearby: invalid Lines[0].Quantity 0: must be 1 or more")
	_, err = a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"hamper", 1}}})
	refused(t, err, ErrUnknownSKU, `allocator: nearby: unknown SKU: "jar"`)
}

// Of a bundle there is what its parts make, by every call that says what there is; its own
// shelf does not count.
func TestBundlesAvailable(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "x", 7)
	stocked(t, a, "L0", "y", 9)
	stocked(t, a, "L0", "kit", 50)
	part := func(sku string, n int64) Component { return Component{SKU: sku, Quantity: n} }
	must(t, a.SetBundles(t.Context(), bundle("kit", part("x", 2), part("y", 1)), bundle("case", part("kit", 2)), bundle("odd", part("never", 1), part("x", 1))))
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return nil }, "kit {3 0 0 3} 3, case {1 0 0 1} 1, odd {0 0 0 0} 0"},
		{func() error {
			_, err := a.Allocate(t.Context(), ordered("o", Line{"kit", 1}))
			return err
		}, "kit {3 1 0 2} 2, case {1 0 0 1} 1, odd {0 0 0 0} 0"},
		{func() error {
			return a.SetSafetyStock(t.Context(), SafetyStock{SKU: "x", Location: "L0", Units: 2})
		}, "kit {3 1 1 1} 1, case {1 1 0 0} 0, odd {0 0 0 0} 0"},
		{func() error { return a.SetProtection(t.Context(), Protection{SKU: "x", Units: 2}) }, "kit {3 1 1 1} 0, case {1 1 0 0} 0, odd {0 0 0 0} 0"},
		{func() error {
			return a.Count(t.Context(), Count{ID: "c", Location: "L0", Lines: []Line{{"x", 1}}})
		}, "kit {0 1 1 -2} 0, case {0 0 1 -1} 0, odd {0 2 1 -3} 0"}, // −3 of x are 2 kits that are wanting
	} {
		must(t, step.do())
		var got []string
		for _, sku := range []string{"kit", "case", "odd"} {
			v, err := a.Available(sku, "L0")
			must(t, err)
			units, err := a.Stock().AvailableTo("", sku, "L0")
			must(t, err)
			got = append(got, fmt.Sprint(sku, " ", v, " ", units))
		}
		if text := strings.Join(got, ", "); text != step.want {
			t.Errorf("got %s, want %s", text, step.want)
		}
	}
}

func TestBundlesWithForms(t *testing.T) {
	a := street(t, 3, Options{})
	stocked(t, a, "L0", "cup", 10)
	stocked(t, a, "L2", "tea", 10)
	must(t, a.SetBundles(t.Context(), teaSet...))
	o := ordered("o", Line{"set", 1})
	o.MaxLocations = 2
	o.Together = [][]string{{"set"}}
	_, err := a.Allocate(t.Context(), o)
	as[*NoLocationError](t, err)
	o.Together, o.Form = nil, sourcing.Ship
	asks(t, a, o, "o/1@L0 2 cup; o/2@L2 1 tea")

	o = ordered("p", Line{"set", 1}, Line{"cup", 1})
	o.At, o.Forms = "L0", map[string]sourcing.Form{"set": sourcing.Ship}
	_, err = a.Allocate(t.Context(), o)
	refused(t, err, ErrInvalid, `allocator: order "p": invalid Forms["cup"] "": must say how the SKU goes: its line goes another way than a bundle that it is in, or two bundles do`)
	o.Forms["cup"] = sourcing.Collect
	asks(t, a, o, "p/1@L0 3 cup; p/2@L2 1 tea")

	o = ordered("q", Line{"set", 1})
	o.Substitutes = map[string][]string{"set": {"tea"}}
	_, err = a.Allocate(t.Context(), o)
	refused(t, err, ErrInvalid, `allocator: order "q": invalid Substitutes "set": is a bundle: name the substitutes of its parts`)
	o.Substitutes = map[string][]string{"tea": {"set"}}
	_, err = a.Allocate(t.Context(), o)
	refused(t, err, ErrInvalid, `allocator: order "q": invalid Substitutes["tea"] "set": is a bundle`)
}

func TestBundlesRefused(t *testing.T) {
	a := street(t, 1, Options{MaxLines: 3})
	for _, sku := range []string{"tea", "cup", "jar", "mug"} {
		stocked(t, a, "L0", sku, 10)
	}
	must(t, a.SetBundles(t.Context(), teaSet...))
	one := func(sku string) Component { return Component{SKU: sku, Quantity: 1} }
	many := func(sku string, n int64) Component { return Component{SKU: sku, Quantity: n} }
	deep := make([]Bundle, 17)
	for i := range deep {
		deep[i] = bundle(fmt.Sprintf("d%02d", i), one(fmt.Sprintf("d%02d", i+1)))
	}
	for _, c := range []struct {
		set  []Bundle
		fact error
		text string
	}{
		{[]Bundle{bundle("")}, ErrInvalid, "invalid bundles[0].SKU \"\": must not be empty"},
		{[]Bundle{bundle("a\x00b")}, ErrInvalid, `invalid bundles[0].SKU "a\x00b": must not have a zero byte`},
		{[]Bundle{bundle("a"), bundle("a")}, ErrInvalid, "invalid bundles[1].SKU \"a\": is in the list twice"},
		{[]Bundle{bundle("a", one("b"), one(""))}, ErrInvalid, "invalid bundles[0].Parts[1].SKU \"\": must not be empty"},
		{[]Bundle{bundle("a", one("b"), one("b"))}, ErrInvalid, "invalid bundles[0].Parts[1].SKU \"b\": is in the bundle twice"},
		{[]Bundle{bundle("a", many("b", 0))}, ErrInvalid, "invalid bundles[0].Parts[0].Quantity 0: must be 1 to 2147483647"},
		{[]Bundle{bundle("a", many("b", tooMuch))}, ErrInvalid, "invalid bundles[0].Parts[0].Quantity 2147483648: must be 1 to 2147483647"},
		{[]Bundle{bundle("a", make([]Component, 257)...)}, ErrInvalid, "invalid bundles[0].Parts 257: must be at most 256"},
		{[]Bundle{bundle("a", one("a"))}, ErrInvalid, "invalid Parts \"a > a\": is a bundle that leads back to itself"},
		{[]Bundle{bundle("jar", one("hamper"))}, ErrInvalid, "invalid Parts \"hamper > jar > hamper\": is a bundle that leads back to itself"},
		{[]Bundle{bundle("a", one("b"), one("c"), one("d"), one("e"))}, ErrInvalid, "invalid Parts \"a\": has 4 SKUs with its bundles taken apart, more than the 3 of Options.MaxLines"},
		{[]Bundle{bundle("a", many("hamper", 1<<29))}, ErrOverflow, `bundle "a": units of SKU "cup": quantity out of range`},
		{deep, ErrInvalid, "invalid Parts \"d00\": has bundles in one another more than 16 deep"},
	} {
		refused(t, a.SetBundles(t.Context(), c.set...), c.fact, "allocator: set bundles: "+c.text)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	refused(t, a.SetBundles(ended, teaSet...), context.Canceled, "allocator: set bundles: context canceled")
	if got := slices.Collect(a.Bundles()); fmt.Sprint(got) != "[{hamper [{set 2} {jar 1}]} {set [{tea 1} {cup 2}]}]" {
		t.Errorf("bundles %v", got)
	}
	for _, c := range []struct {
		lines []Line
		fact  error
		text  string
	}{
		{[]Line{{"set", 1}, {"set", 0}}, ErrInvalid, "invalid Lines[1].Quantity 0: must be 1 or more"},
		{[]Line{{"set", 1}, {"", 1}}, ErrInvalid, "invalid Lines[1].SKU \"\": must not be empty"},
		{[]Line{{"set", tooMuch}}, ErrOverflow, `2147483648 units of SKU "set" in Lines[0]: quantity out of range`},
		{[]Line{{"set", 1 << 30}}, ErrOverflow, `2147483648 units of SKU "cup" over all lines: quantity out of range`},
		{[]Line{{"set", 1}, {"cup", tooMuch - 2}}, ErrOverflow, `2147483648 units of SKU "cup" over all lines: quantity out of range`},
		{[]Line{{"hamper", 1}, {"mug", 1}}, ErrInvalid, "invalid Lines 4: has more lines than the 3 of Options.MaxLines, with bundles taken apart"},
	} {
		_, err := a.Allocate(t.Context(), ordered("o", c.lines...))
		refused(t, err, c.fact, `allocator: order "o": `+c.text)
	}
}

func TestBundlesLast(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	a, err := Open(t.Context(), o)
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	for _, sku := range []string{"tea", "cup", "jar"} {
		stocked(t, a, "L0", sku, 10)
	}
	must(t, a.SetBundles(t.Context(), teaSet...))
	must(t, a.SetBundles(t.Context(), bundle("gone", Component{SKU: "tea", Quantity: 1})))
	must(t, a.SetBundles(t.Context(), bundle("gone")))
	must(t, a.SetShelfLife(t.Context(), ShelfLife{SKU: "tea", Keeps: 1234567}))
	asks(t, a, ordered("o", Line{"set", 1}), "o@L0 2 cup 1 tea")
	must(t, a.Close())

	b := opened(t, o)
	if got := fmt.Sprint(slices.Collect(b.Bundles())); got != "[{hamper [{set 2} {jar 1}]} {set [{tea 1} {cup 2}]}]" {
		t.Errorf("bundles %v", got)
	}
	asks(t, b, ordered("o", Line{"set", 1}), "o@L0 2 cup 1 tea")
	asks(t, b, ordered("p", Line{"hamper", 1}), "p@L0 4 cup 1 jar 2 tea")
	shelf(t, b, "L0", "cup", 10, 6, 0)
	if got := fmt.Sprint(slices.Collect(b.ShelfLives())); got != "[{tea 1ms}]" {
		t.Errorf("shelf lives %v", got)
	}
}

// What is reserved stays as it is: a SKU that has become a bundle since is rerouted
// as it was ordered, and one that was named as a substitute is passed over. The
// rejection of the first found no place and did not say so, that of the second was
// an *InvalidError, which Expire answered as well.
func TestRerouteOfWhatBecameABundle(t *testing.T) {
	var clock handClock
	a := street(t, 3, Options{Clock: clock.now, ManualExpiry: true, Rules: sourcing.Rules{AcceptWithin: time.Hour}})
	for _, at := range []string{"L0", "L1", "L2"} {
		stocked(t, a, at, "tea", 9)
		stocked(t, a, at, "cup", 9)
	}
	instead := ordered("instead", Line{"cup", 2})
	instead.Substitutes = map[string][]string{"cup": {"tea"}}
	for _, o := range []Order{ordered("itself", Line{"tea", 2}), instead} {
		must(t, second(a.Allocate(t.Context(), o)), a.Confirm(t.Context(), o.ID))
	}
	must(t, a.SetBundles(t.Context(), Bundle{SKU: "tea", Parts: []Component{{"cup", 2}}}))
	for _, o := range []Order{ordered("itself", Line{"tea", 2}), instead} {
		got, err := a.Reject(t.Context(), o.ID)
		if must(t, err); got.Location != "L1" {
			t.Errorf("%s: got %+v", o.ID, got)
		}
		if r, err := a.Lookup(o.ID); err != nil || len(r.Lines) != 1 || r.Lines[0].SKU != o.Lines[0].SKU || r.Lines[0].Confirmed != 2 {
			t.Errorf("%s: %+v, %v", o.ID, r, err)
		}
	}
	clock.add(2 * time.Hour)
	due, err := a.Expire(time.Time{})
	if must(t, err); due.Late != 2 {
		t.Errorf("got %+v", due)
	}
	audited(t, a)
}
