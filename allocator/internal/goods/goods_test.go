package goods

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"pgregory.net/rapid"
)

// world is goods of a new ledger with one location.
func world(t testing.TB) (*Goods, *reservation.Ledger) {
	t.Helper()
	l := reservation.New(reservation.Options{SKUs: 1000, Locations: 2, Remember: 1000})
	t.Cleanup(func() { _ = l.Close() })
	slot, _, err := l.AddSlot("L0", nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	l.Renumber([]uint32{slot}, 1, func(*reservation.Table) {})
	return anew(t, l), l
}

func anew(t testing.TB, l *reservation.Ledger) *Goods {
	t.Helper()
	g, err := Open(l)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func receive(t testing.TB, l *reservation.Ledger, name string) {
	t.Helper()
	m := reservation.Movement{ID: "in " + name, Cause: history.Received, Now: 1, Lines: []reservation.MovementLine{{SKU: name, Units: 1}}}
	if _, err := l.Move(&m); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, ch *Change) {
	t.Helper()
	defer ch.End()
	if _, err := ch.Write(2); err != nil {
		t.Fatal(err)
	}
}

func set(t testing.TB, g *Goods, list ...Bundle) error {
	t.Helper()
	ch, err := g.SetBundles(list, 8)
	if err == nil {
		write(t, ch)
	}
	return err
}

// units is what so many units of a SKU come to, one bundle after the other, as a plain
// sum; deep: they lead back, or too deep.
func units(given map[string][]Part, sku string, n int64, depth int, into map[string]int64) (deep bool) {
	parts, is := given[sku]
	if !is {
		into[sku] += n
		return false
	}
	if depth > MaxNesting {
		return true
	}
	for _, part := range parts {
		if units(given, part.SKU, n*part.Quantity, depth+1, into) {
			return true
		}
	}
	return false
}

// TestBundlesAsTheTwin sets bundles, of which any may be in any, against a map of what
// was set, and opens the room anew in between.
func TestBundlesAsTheTwin(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", "f"}
	rapid.Check(t, func(r *rapid.T) {
		g, l := world(t)
		given := map[string][]Part{}
		name := rapid.SampledFrom(names)
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			var list []Bundle
			for _, sku := range rapid.SliceOfNDistinct(name, 1, 3, rapid.ID).Draw(r, "bundles") {
				b := Bundle{SKU: sku}
				for _, part := range rapid.SliceOfNDistinct(name, 0, 3, rapid.ID).Draw(r, "parts") {
					b.Parts = append(b.Parts, Part{part, rapid.Int64Range(1, 5).Draw(r, "units")})
				}
				list = append(list, b)
			}
			next := maps.Clone(given)
			for _, b := range list {
				if delete(next, b.SKU); len(b.Parts) > 0 {
					next[b.SKU] = b.Parts
				}
			}
			deep := false
			for sku := range next {
				deep = deep || units(next, sku, 1, 1, map[string]int64{})
			}
			var fault *BundleError
			if err := set(t, g, list...); (err != nil) != deep || deep && !errors.As(err, &fault) {
				r.Fatalf("%v of %v: %v", list, given, err)
			}
			if !deep {
				given = next
			}
			if rapid.Bool().Draw(r, "anew") {
				g = anew(t, l)
			}
			same(r, g, given, names)
		}
	})
}

func same(r *rapid.T, g *Goods, given map[string][]Part, names []string) {
	is := map[string][]Part{}
	for b := range g.Bundles() {
		is[b.SKU] = b.Parts
	}
	if !maps.EqualFunc(is, given, slices.Equal) {
		r.Fatalf("set is %v, the twin has %v", is, given)
	}
	if g.Plain() != (len(given) == 0) {
		r.Fatalf("plain is %v with %v", g.Plain(), given)
	}
	var lines []Line[string]
	want := map[string]int64{}
	for _, sku := range names {
		n := rapid.Int64Range(0, 3).Draw(r, "ordered")
		_, bundle := given[sku]
		if g.IsBundle(sku) != bundle || g.IsPlain(sku) == bundle {
			r.Fatalf("%s is taken for another kind", sku)
		}
		if n > 0 {
			lines = append(lines, Line[string]{sku, n, ""})
			units(given, sku, n, 1, want)
		}
	}
	got, err := TakeApart(g, lines, nil, 10)
	if err != nil {
		r.Fatal(err)
	}
	sums := map[string]int64{}
	for _, line := range got {
		sums[line.SKU] = line.Units
	}
	if len(sums) != len(got) || !maps.Equal(sums, want) || !slices.IsSortedFunc(got, func(x, y Line[string]) int { return strings.Compare(x.SKU, y.SKU) }) {
		r.Fatalf("%v comes to %v, the twin says %v", lines, got, want)
	}
}

// TestBundleFaults has bundles that cannot be taken apart.
func TestBundleFaults(t *testing.T) {
	one := func(sku string, parts ...string) Bundle {
		b := Bundle{SKU: sku}
		for _, part := range parts {
			b.Parts = append(b.Parts, Part{part, 1})
		}
		return b
	}
	var deep []Bundle
	for i := range MaxNesting + 1 {
		deep = append(deep, one(fmt.Sprintf("d%02d", i), fmt.Sprintf("d%02d", i+1)))
	}
	for _, c := range []struct {
		list []Bundle
		want BundleError
	}{
		{[]Bundle{one("a", "b"), one("b", "c"), one("c", "a")}, BundleError{SKU: "a", Path: []string{"a", "b", "c", "a"}}},
		{deep, BundleError{SKU: "d00", TooDeep: true}},
		{[]Bundle{one("a", strings.Split("123456789", "")...)}, BundleError{SKU: "a", Parts: 9}},
	} {
		g, l := world(t)
		var got *BundleError
		if err := set(t, g, c.list...); !errors.As(err, &got) || got.SKU != c.want.SKU || !slices.Equal(got.Path, c.want.Path) ||
			got.TooDeep != c.want.TooDeep || got.Parts != c.want.Parts {
			t.Errorf("%v: %v", c.list, err)
		}
		if !g.Plain() || !anew(t, l).Plain() {
			t.Errorf("%v: something was set", c.list)
		}
	}
	g, _ := world(t)
	huge := Bundle{SKU: "a", Parts: []Part{{"b", reservation.MaxQuantity}}}
	if err := set(t, g, huge, Bundle{SKU: "c", Parts: []Part{{"a", 2}}}); !errors.Is(err, reservation.ErrOverflow) {
		t.Error(err)
	}
}

// TestSum sums lines, and refuses what goes two ways or is too much.
func TestSum(t *testing.T) {
	got, err := Sum([]Line[int]{{"b", 2, 1}, {"a", 1, 0}, {"b", 3, 1}})
	if err != nil || !slices.Equal(got, []Line[int]{{"a", 1, 0}, {"b", 5, 1}}) {
		t.Error(got, err)
	}
	var way *WayError
	if _, err := Sum([]Line[int]{{"b", 2, 1}, {"b", 3, 0}}); !errors.As(err, &way) || way.SKU != "b" {
		t.Error(err)
	}
	if _, err := Sum([]Line[int]{{"b", reservation.MaxQuantity, 1}, {"b", 1, 1}}); !errors.Is(err, reservation.ErrOverflow) {
		t.Error(err)
	}
	g, _ := world(t)
	if err := set(t, g, Bundle{SKU: "box", Parts: []Part{{"a", 2}, {"b", 1}}}); err != nil {
		t.Fatal(err)
	}
	got, err = TakeApart(g, []Line[int]{{"a", 1, 7}, {"box", 3, 5}}, map[string]int{"a": 7}, 2)
	if err != nil || !slices.Equal(got, []Line[int]{{"a", 7, 7}, {"b", 3, 5}}) {
		t.Error(got, err)
	}
	var many *LinesError
	if _, err := TakeApart(g, []Line[int]{{"box", 1, 5}, {"c", 1, 5}}, nil, 2); !errors.As(err, &many) || many.Lines != 3 {
		t.Error(err)
	}
}

// TestLots lists lots by the day on which they expire, and takes them in that order,
// behind a quota and before what has no date.
func TestLots(t *testing.T) {
	g, l := world(t)
	day := func(n int) time.Time { return time.Date(2031, 3, n, 15, 0, 0, 0, time.UTC) }
	receive(t, l, "milk")
	sku, _ := l.SKU("milk")
	if g.HasLots(sku) || !g.IsPlain("milk") {
		t.Error("has lots before they came")
	}
	g.ExpectLots()
	for _, lot := range []Lot{{"B", day(20)}, {"A", day(20)}, {"C", day(9)}} {
		receive(t, l, LotName("milk", lot))
	}
	receive(t, l, reservation.QuotaName("milk", "web"))
	quota, _ := l.Quota(sku, "web")
	for i, g := range []*Goods{g, anew(t, l)} {
		var ids []string
		for lot, src := range g.Lots(sku) {
			ids = append(ids, lot.ID+lot.Expires.Format(" 02"))
			if name := l.SKUName(src.SKU); name != LotName("milk", lot) || src.Expires != lot.Expires.UnixMilli()+24*60*60*1000-1 {
				t.Errorf("%q expires at %d", name, src.Expires)
			}
		}
		if got := fmt.Sprint(ids); got != "[C 09 A 20 B 20]" || !g.HasLots(sku) || g.IsPlain("milk") || g.Plain() || !g.IsPlain("tea") {
			t.Errorf("%d: %v", i, got)
		}
		p := g.Product(sku, "milk", quota, true, day(1).UnixMilli())
		if len(p.From) != 5 || p.From[0] != (Source{SKU: quota, Quota: true}) || p.From[4] != (Source{SKU: sku}) || p.From[1].Expires >= p.From[2].Expires {
			t.Errorf("%d: %+v", i, p)
		}
		if p := g.Product(sku, "milk", 0, false, day(1).UnixMilli()); len(p.From) != 4 {
			t.Errorf("%d: %+v without a quota", i, p)
		}
	}
	if got := LotName("milk", Lot{"A/17", day(5)}); got != "milk\x00l2031-03-05/A/17" {
		t.Errorf("%q", got)
	}
}

// TestOldLotsAreLeftOut has more lots that expired than a refusal needs.
func TestOldLotsAreLeftOut(t *testing.T) {
	g, l := world(t)
	g.ExpectLots()
	for n := range 28 {
		receive(t, l, LotName("milk", Lot{"x", time.Date(2031, 2, 1+n, 0, 0, 0, 0, time.UTC)}))
	}
	sku, ok := l.SKU("milk")
	if !ok {
		t.Fatal("the SKU of a lot has no handle")
	}
	now := time.Date(2031, 2, 20, 12, 0, 0, 0, time.UTC).UnixMilli()
	p := g.Product(sku, "milk", 0, false, now)
	stale := 0
	for _, src := range p.From {
		if src.Expires != 0 && src.Expires < now {
			stale++
		}
	}
	if stale != maxStale || len(p.From) != maxStale+9+1 {
		t.Errorf("%d cells, %d of them expired", len(p.From), stale)
	}
}

// TestLives sets and withdraws shelf lives, and opens the room anew.
func TestLives(t *testing.T) {
	g, l := world(t)
	receive(t, l, "milk")
	write(t, g.SetLives([]Life{{"milk", 5}, {"tea", 7}, {"milk", 6}}))
	write(t, g.SetLives([]Life{{"tea", 0}, {"cup", MaxLife}}))
	for _, g := range []*Goods{g, anew(t, l)} {
		if got := fmt.Sprint(slices.Collect(g.Lives())); got != fmt.Sprintf("[{cup %d} {milk 6}]", int64(MaxLife)) {
			t.Error(got)
		}
		sku, _ := l.SKU("milk")
		p := g.Product(sku, "milk", 0, false, 1)
		if p.Name != "milk" || p.Life != 6 || !p.Lasts(Source{Expires: 106}, 100) || p.Lasts(Source{Expires: 105}, 100) || !p.Lasts(Source{}, 100) {
			t.Errorf("%+v", p)
		}
	}
	got := map[string]string{}
	for note := range l.Notes("") {
		got[note.Key] = string(note.Value)
	}
	want := map[string]string{"goods/life/milk": "\x01\x06", "goods/life/cup": string(appendLife(MaxLife))}
	if !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
