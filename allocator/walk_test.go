package allocator_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/walk"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// walked is an engine with callers that do everything.
type walked struct {
	a       *allocator.Allocator
	callers []*killCaller
}

func newWalked(t *testing.T, w *killWorld, o allocator.Options) *walked {
	t.Helper()
	a, err := allocator.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	d := &walked{a: a}
	asks := func(ctx context.Context, q *killAsk) error { q.do(ctx, d.a); return nil }
	n := new(atomic.Int64)
	for _, q := range w.firstAsks(rand.New(rand.NewPCG(w.Seed, 3))) {
		q.do(t.Context(), a)
	}
	for i := range killCallers {
		d.callers = append(d.callers, &killCaller{world: w, a: a, number: i, n: n, draw: rand.New(rand.NewPCG(w.Seed, uint64(i)+1)), asks: asks})
	}
	return d
}

// steps has every caller work, one after the other.
func (d *walked) steps(t *testing.T, n int) {
	t.Helper()
	for _, c := range d.callers {
		if err := c.live(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
}

// pages takes a walk in small pages and says what its Sequence was in the last of them.
func pages[T any](t *testing.T, w walk.Walk[T], take func(T), between func()) (sequence uint64) {
	t.Helper()
	for cursor := ""; ; {
		p, err := w.Page(t.Context(), cursor, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range p.Items {
			take(item)
		}
		if cursor = p.Next; cursor == "" {
			return p.Sequence
		}
		between()
	}
}

// A walk, and then each event from its Sequence on, once, are the engine: in worlds that
// know every verb, while callers work at the same time, or between any two pages.
func TestWalkAndEventsAreTheEngine(t *testing.T) {
	for seed := range uint64(scaletest.Of(200, 12)) {
		w := newKillWorld("", "", seed)
		w.Remember = 0
		o := w.options()
		o.Dir, o.Durability, o.SegmentBytes, o.SnapshotEvery, o.RetainBytes, o.FeedBytes = "", 0, 0, 0, 0, 1<<28
		d := newWalked(t, &w, o)
		d.steps(t, 25)
		var all sync.WaitGroup
		between := func() { d.steps(t, 1) }
		if seed%2 == 0 {
			between = func() {}
			for _, c := range d.callers {
				all.Go(func() { c.live(t.Context(), 60) })
			}
		}
		copied := outside{orders: map[outsideName]*outsideOrder{}, shelves: map[walk.Key]map[walk.Mark]int64{}}
		copied.sequence = pages(t, d.a.Orders().Walk(walk.Filter{}), copied.take, between)
		copied.sequence = min(copied.sequence, pages(t, d.a.Stock().Walk(), copied.takeCell, func() {}))
		all.Wait()
		d.steps(t, 2)
		d.follow(t, &copied)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		d.a.Close()
	}
}

// follow brings in the events, and compares when there are no more.
func (d *walked) follow(t *testing.T, copied *outside) {
	t.Helper()
	for {
		for e, err := range d.a.History(t.Context(), copied.sequence+1) {
			if err != nil {
				t.Fatal(err)
			}
			copied.apply(&e)
		}
		faults := copied.compare(t.Context(), d.a)
		if d.a.Stats().Journal.Sequence != copied.sequence { // a deadline passed meanwhile
			continue
		}
		for i, fault := range faults {
			if i < 4 {
				t.Error(fault)
			}
		}
		return
	}
}

// A cursor goes on after a restart and whatever happened in between, and what is there
// all the time comes once.
func TestWalkGoesOnAfterARestart(t *testing.T) {
	w := newKillWorld(t.TempDir(), "", 7)
	w.Remember, w.Late = 0, false
	d := newWalked(t, &w, w.options())
	d.steps(t, 40)
	there := map[outsideName]int{}
	for r, err := range d.a.Orders().Walk(walk.Filter{}).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		there[outsideName{r.ID, r.Part}]++
	}
	seen, cells := map[outsideName]int{}, map[walk.Key]int{}
	restart := func() {
		d.steps(t, 1)
		if err := d.a.Close(); err != nil {
			t.Fatal(err)
		}
		a, err := allocator.Open(t.Context(), w.options())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Close() })
		d.a = a
		for _, c := range d.callers {
			c.a = a
		}
	}
	var cursor string
	for range 1000 {
		p, err := d.a.Orders().Walk(walk.Filter{}).Page(t.Context(), cursor, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Items {
			seen[outsideName{r.ID, r.Part}]++
		}
		if cursor = p.Next; cursor == "" {
			break
		}
		restart()
	}
	for n, times := range there {
		if times != 1 || seen[n] != 1 {
			t.Errorf("%v came %d times, and %d times over restarts", n, times, seen[n])
		}
	}
	for cursor = "x"; cursor != ""; {
		if cursor == "x" {
			cursor = ""
		}
		p, err := d.a.Stock().Walk().Page(t.Context(), cursor, 40)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Items {
			if cells[c.Key]++; cells[c.Key] > 1 {
				t.Errorf("%v came again", c.Key)
			}
		}
		if cursor = p.Next; len(cells) < 100 {
			restart()
		}
	}
	if len(cells) < 50 {
		t.Errorf("%d cells came", len(cells))
	}
}

// What is no cursor of this walk is refused as that.
func TestCursorOfAnother(t *testing.T) {
	w := newKillWorld("", "", 3)
	o := w.options()
	o.Dir, o.Durability, o.SegmentBytes, o.SnapshotEvery, o.RetainBytes = "", 0, 0, 0, 0
	d, other := newWalked(t, &w, o), newWalked(t, &w, o)
	d.steps(t, 10)
	other.steps(t, 10)
	ctx, orders, stock := t.Context(), d.a.Orders(), d.a.Stock()
	p, err := orders.Walk(walk.Filter{}).Page(ctx, "", 2)
	if err != nil || p.Next == "" {
		t.Fatal(p, err)
	}
	damaged := []byte(p.Next)
	damaged[3] ^= 1
	refusals := map[string]func() error{
		"damaged":        func() error { return refusal(orders.Walk(walk.Filter{}).Page(ctx, string(damaged), 2)) },
		"cut":            func() error { return refusal(orders.Walk(walk.Filter{}).Page(ctx, p.Next[:len(p.Next)-2], 2)) },
		"no cursor":      func() error { return refusal(orders.Walk(walk.Filter{}).Page(ctx, "?", 2)) },
		"another filter": func() error { return refusal(orders.Walk(walk.Filter{Location: "L0"}).Page(ctx, p.Next, 2)) },
		"another walk":   func() error { return refusal(stock.Walk().Page(ctx, p.Next, 2)) },
		"another engine": func() error { return refusal(other.a.Orders().Walk(walk.Filter{}).Page(ctx, p.Next, 2)) },
		"limit":          func() error { return refusal(orders.Walk(walk.Filter{}).Page(ctx, "", 10_001)) },
	}
	for name, call := range refusals {
		var invalid *allocator.InvalidError
		if err := call(); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stock.At("nowhere").Page(ctx, "", 1); !errors.Is(err, allocator.ErrUnknownLocation) {
		t.Error(err)
	}
	if _, err := stock.Of("nothing").Page(ctx, "", 1); !errors.Is(err, allocator.ErrUnknownSKU) {
		t.Error(err)
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	if _, err := stock.Walk().Page(ended, "", 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A filter passes what it says, and figures in bulk are those that are read one by one.
func TestFiltersAndSums(t *testing.T) {
	w := newKillWorld("", "", 5)
	w.Late = false
	o := w.options()
	o.ManualExpiry = true // nothing changes by itself
	o.Dir, o.Durability, o.SegmentBytes, o.SnapshotEvery, o.RetainBytes, o.FeedBytes = "", 0, 0, 0, 0, 1<<26
	d := newWalked(t, &w, o)
	d.steps(t, 30)
	half := d.a.Stats().Journal.Sequence
	made := time.Now()
	d.steps(t, 30)
	ctx := t.Context()
	var all []allocator.Reservation
	for r, err := range d.a.Orders().Walk(walk.Filter{}).All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	hasSKU := func(r *allocator.Reservation, sku string) bool {
		for _, l := range r.Lines {
			if l.SKU == sku {
				return true
			}
		}
		return false
	}
	for name, c := range map[string]struct {
		f      walk.Filter
		passes func(r *allocator.Reservation) bool
	}{
		"states":   {walk.Filter{States: []allocator.State{allocator.Held, allocator.Canceled}}, func(r *allocator.Reservation) bool { return r.State == allocator.Held || r.State == allocator.Canceled }},
		"location": {walk.Filter{Location: "L1"}, func(r *allocator.Reservation) bool { return r.Location == "L1" }},
		"customer": {walk.Filter{Customer: "C-3"}, func(r *allocator.Reservation) bool { return r.Customer == "C-3" }},
		"both":     {walk.Filter{Customer: "C-3", Location: "L1"}, func(r *allocator.Reservation) bool { return r.Customer == "C-3" && r.Location == "L1" }},
		"SKU":      {walk.Filter{SKU: "p1"}, func(r *allocator.Reservation) bool { return hasSKU(r, "p1") }},
		"changed":  {walk.Filter{ChangedAfter: half}, func(r *allocator.Reservation) bool { return r.Sequence > half }},
	} {
		want := map[outsideName]bool{}
		for i := range all {
			if c.passes(&all[i]) {
				want[outsideName{all[i].ID, all[i].Part}] = true
			}
		}
		n := 0
		pages(t, d.a.Orders().Walk(c.f), func(r allocator.Reservation) {
			if n++; !want[outsideName{r.ID, r.Part}] {
				t.Errorf("%s passes %s in part %d", name, r.ID, r.Part)
			}
		}, func() {})
		if n != len(want) || n == 0 && name != "both" {
			t.Errorf("%s passes %d, want %d", name, n, len(want))
		}
	}
	before, after := 0, 0
	pages(t, d.a.Orders().Walk(walk.Filter{MadeBefore: made}), func(allocator.Reservation) { before++ }, func() {})
	pages(t, d.a.Orders().Walk(walk.Filter{MadeFrom: made}), func(allocator.Reservation) { after++ }, func() {})
	if before+after != len(all) || before == 0 || after == 0 {
		t.Errorf("%d were made before and %d after, of %d", before, after, len(all))
	}
	d.sums(t, all)
}

// sums compares sums and reads in bulk with what is read one by one.
func (d *walked) sums(t *testing.T, all []allocator.Reservation) {
	t.Helper()
	var keys []walk.Key
	for _, sku := range append(killStocked, killLotSKU...) {
		for _, at := range killPlaces {
			keys = append(keys, walk.Key{SKU: sku, Location: at})
		}
	}
	cells, err := d.a.Stock().Read(t.Context(), append(keys, walk.Key{SKU: "none", Location: "L0"})...)
	if err != nil || !cells[len(keys)].Unknown {
		t.Fatal(cells[len(keys)], err)
	}
	want := map[string]walk.Sum{}
	for i, k := range keys {
		v, err := d.a.Available(k.SKU, k.Location)
		if c := cells[i]; err != nil || c.Key != k || c.OnHand != v.OnHand || c.Held != v.Held || c.Safety != v.Safety || c.Available != v.Available {
			t.Errorf("%+v, want %+v, %v", c, v, err)
		}
		sum := want[k.SKU]
		sum.OnHand, sum.Held, sum.Available = sum.OnHand+v.OnHand, sum.Held+v.Held, sum.Available+v.Available
		want[k.SKU] = sum
	}
	for _, r := range all {
		for _, l := range r.Lines {
			if sum := want[l.SKU]; !r.State.Ended() && !r.State.OnRoad() {
				sum.Confirmed += l.Confirmed
				want[l.SKU] = sum
			}
		}
	}
	sums, err := d.a.Stock().Sum(t.Context(), walk.Sums{SKUs: append(killStocked, killLotSKU...)})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sums {
		if v := want[s.SKU]; s.OnHand != v.OnHand || s.Held != v.Held || s.Confirmed != v.Confirmed || s.Available != v.Available || s.Locations == 0 {
			t.Errorf("%+v, want %+v", s, v)
		}
	}
}

func refusal[T any](_ T, err error) error { return err }
