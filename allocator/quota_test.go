package allocator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// aside is a quota of tea at L0.
func aside(id, channel string, units int64) Quota {
	return Quota{ID: id, Channel: channel, SKU: "tea", Location: "L0", Units: units}
}

// lent is a loan of tea at L0.
func lent(id, from, to string, units int64) Loan {
	return Loan{ID: id, SKU: "tea", Location: "L0", From: from, To: to, Units: units}
}

func TestQuota(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 10)
	stocked(t, a, "L1", "tea", 10)
	ctx := t.Context()
	must(t, a.SetQuota(ctx, aside("q1", "app", 6)))
	shelf(t, a, "L0", "tea", 10, 0, 0)
	open(t, a, "app", "tea", "L0", 10)
	open(t, a, "web", "tea", "L0", 4)
	open(t, a, "", "tea", "L0", 4)
	allocated(t, a, from("web", "w1", Line{"tea", 5}), "L1")
	allocated(t, a, from("web", "w2", Line{"tea", 4}), "L0")
	got := allocated(t, a, from("app", "a1", Line{"tea", 5}), "L0")
	if s := said(got); s != "a1@L0 5 tea" {
		t.Errorf("got %q", s)
	}
	open(t, a, "app", "tea", "L0", 1)
	must(t, a.Cancel(ctx, "w2"))
	open(t, a, "app", "tea", "L0", 5)
	open(t, a, "web", "tea", "L0", 4)

	// What app holds does not count: three are free for it again.
	must(t, a.SetQuota(ctx, aside("q2", "app", 3), aside("q2", "app", 3)))
	open(t, a, "app", "tea", "L0", 5)
	open(t, a, "web", "tea", "L0", 2)
	must(t, a.Cancel(ctx, "a1")) // its units go back into the quota
	open(t, a, "web", "tea", "L0", 2)
	open(t, a, "app", "tea", "L0", 10)
	must(t, a.SetQuota(ctx, aside("q3", "app", 0)))
	open(t, a, "web", "tea", "L0", 10)
	for q := range a.Quotas() {
		t.Errorf("left over: %+v", q)
	}
	shelf(t, a, "L0", "tea", 10, 0, 0)
}

// A channel's order takes its quota and then the units for everybody, as far as
// its protection level lets it; both are freed, or handed over, with it.
func TestQuotaAndProtection(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 10)
	ctx := t.Context()
	must(t, a.SetQuota(ctx, aside("q", "app", 4)), a.SetProtection(ctx, Protection{Channel: "app", Units: 2}))
	open(t, a, "app", "tea", "L0", 8)
	if _, err := a.Allocate(ctx, from("app", "many", Line{"tea", 9})); !errors.Is(err, ErrNoLocation) {
		t.Error(err)
	}
	allocated(t, a, from("app", "a", Line{"tea", 7}), "L0")
	allocated(t, a, from("web", "w", Line{"tea", 3}), "L0")
	r := state(t, a, "a", Held)
	if len(r.Lines) != 1 || r.Lines[0].SKU != "tea" || r.Lines[0].Held != 7 {
		t.Errorf("looked up as %+v", r.Lines)
	}
	must(t, a.Collect(ctx, "a"))
	shelf(t, a, "L0", "tea", 3, 3, 0)
	open(t, a, "app", "tea", "L0", 0)
}

func TestBorrow(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 20)
	ctx := t.Context()
	must(t, a.SetQuota(ctx, aside("q1", "web", 8), aside("q2", "app", 4)))
	must(t, a.Borrow(ctx, lent("b1", "web", "app", 5), lent("b1", "web", "app", 5), lent("b2", "", "app", 2)))
	open(t, a, "web", "tea", "L0", 3+6)
	open(t, a, "app", "tea", "L0", 11+6)
	want := []Loan{lent("", "web", "app", 5), lent("", "", "app", 2)}
	if got := slices.Collect(a.Loans()); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	refused(t, a.Borrow(ctx, lent("b3", "web", "app", 4)), ErrShortage, `allocator: borrow: "b3" of SKU "tea": not enough units of SKU "tea" at "L0": wanted 4, there are 3`)
	refused(t, a.Borrow(ctx, lent("b4", "hat", "app", 1)), ErrShortage, `allocator: borrow: "b4" of SKU "tea": not enough units of SKU "tea" at "L0": wanted 1, there are 0`)
	refused(t, a.Borrow(ctx, lent("b1", "web", "app", 4)), ErrConflict, `allocator: borrow: "b1" of SKU "tea": reservation: adjusted "b1" at "L0": ID already used with other content`)
	refused(t, a.GiveBack(ctx, lent("g1", "web", "app", 6)), ErrShortage, `allocator: give back: "g1" of SKU "tea": not enough units of SKU "tea" at "L0": wanted 6, there are 5`)
	refused(t, a.GiveBack(ctx, lent("g2", "app", "web", 1)), ErrShortage, `allocator: give back: "g2" of SKU "tea": not enough units of SKU "tea" at "L0": wanted 1, there are 0`)
	allocated(t, a, from("app", "a", Line{"tea", 8}), "L0") // three of the eleven are left
	refused(t, a.GiveBack(ctx, lent("g3", "web", "app", 4)), ErrShortage, `allocator: give back: "g3" of SKU "tea": not enough units of SKU "tea" at "L0": wanted 4, there are 3`)
	must(t, a.GiveBack(ctx, lent("g4", "web", "app", 3), lent("g4", "web", "app", 3)))
	want[0].Units = 2
	if got := slices.Collect(a.Loans()); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	open(t, a, "web", "tea", "L0", 6+6)
	shelf(t, a, "L0", "tea", 20, 8, 0)
}

func TestQuotaRefusals(t *testing.T) {
	a := street(t, 1, Options{MaxIDBytes: 20})
	stocked(t, a, "L0", "tea", 3)
	ctx := t.Context()
	good := aside("good", "app", 1)
	for _, c := range []struct {
		change func(q *Quota)
		fact   error
		text   string
	}{
		{func(q *Quota) { q.ID = "" }, ErrInvalid, `invalid quotas[1].ID "": must not be empty`},
		{func(q *Quota) { q.Channel = "" }, ErrInvalid, `invalid quotas[1].Channel "": must not be empty`},
		{func(q *Quota) { q.Channel = "a\x00b" }, ErrInvalid, `invalid quotas[1].Channel "a\x00b": must not have a zero byte`},
		{func(q *Quota) { q.SKU = "hat" }, ErrUnknownSKU, `unknown SKU: "hat"`},
		{func(q *Quota) { q.Location = "L9" }, ErrUnknownLocation, `unknown location: "L9"`},
		{func(q *Quota) { q.Units = -1 }, ErrInvalid, `invalid quotas[1].Units -1: must be 0 to 2147483647`},
		{func(q *Quota) { q.Units = tooMuch }, ErrInvalid, `invalid quotas[1].Units 2147483648: must be 0 to 2147483647`},
	} {
		bad := aside("bad", "app", 1)
		c.change(&bad)
		refused(t, a.SetQuota(ctx, good, bad), c.fact, "allocator: set quota: "+c.text)
	}
	open(t, a, "web", "tea", "L0", 3)
	refused(t, a.SetQuota(ctx, good, aside("more", "app", 4)), ErrShortage, `allocator: set quota: "more" of SKU "tea": not enough units of SKU "tea" at "L0": wanted 3, there are 2`)
	open(t, a, "web", "tea", "L0", 2) // the one before stands
	refused(t, a.Borrow(ctx, lent("b", "app", "app", 1)), ErrInvalid, `allocator: borrow: invalid loans[0].To "app": must be another channel than From`)
	refused(t, a.Borrow(ctx, lent("b", "app", "web", 0)), ErrInvalid, `allocator: borrow: invalid loans[0].Units 0: must be 1 to 2147483647`)
	refused(t, second(a.Stock().AvailableTo("app", "hat", "L0")), ErrUnknownSKU, `allocator: available to "app": unknown SKU: "hat"`)
	refused(t, second(a.Stock().AvailableTo("app", "tea", "L9")), ErrUnknownLocation, `allocator: available to "app": unknown location: "L9"`)
}

// An order that was served before its channel had any quota, or after, is the same
// order when it comes again.
func TestQuotaRepeat(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 10)
	stocked(t, a, "L0", "cup", 10)
	before, at := from("app", "before", Line{"tea", 2}, Line{"cup", 1}), from("app", "at", Line{"tea", 1})
	at.At = "L0"
	for _, o := range []Order{before, at} {
		allocated(t, a, o, "L0")
	}
	must(t, a.SetQuota(t.Context(), aside("q", "app", 3)))
	allocated(t, a, from("app", "after", Line{"tea", 2}), "L0")
	for _, o := range []Order{before, at, from("app", "after", Line{"tea", 2})} {
		allocated(t, a, o, "L0")
	}
	_, err := a.Allocate(t.Context(), from("app", "before", Line{"tea", 3}))
	if !errors.Is(err, ErrConflict) {
		t.Error(err)
	}
	shelf(t, a, "L0", "tea", 10, 5, 0)
}

// counter is a cell as a plain number of units.
type counter struct{ onHand, held, safety int64 }

func (c *counter) free() int64    { return max(c.onHand-c.held-c.safety, 0) }
func (c *counter) deficit() int64 { return max(c.held-c.onHand, 0) }

// shop is one SKU at one location as it is meant: what is for everybody first, then
// the quotas in the order in which they were first set.
type shop struct {
	cells    []*counter
	channels []string
	loans    map[[2]string]int64
	keep     map[string]int64
	orders   map[string][]int64 // what is held of each cell
}

func (w *shop) at(channel string) *counter {
	if i := slices.Index(w.channels, channel); i >= 0 {
		return w.cells[i]
	}
	return new(counter)
}

func (w *shop) make(channel string) *counter {
	if !slices.Contains(w.channels, channel) {
		w.channels, w.cells = append(w.channels, channel), append(w.cells, new(counter))
	}
	return w.at(channel)
}

func (w *shop) sum() (units int64) {
	for _, c := range w.cells {
		units += c.onHand
	}
	return units
}

// change brings units, or takes them off the shelf.
func (w *shop) change(units int64) bool {
	if w.sum()+units < 0 {
		return false
	}
	for _, c := range w.cells {
		n := min(max(units, 0), c.deficit())
		c.onHand, units = c.onHand+n, units-n
	}
	w.cells[0].onHand += max(units, 0)
	for _, have := range []func(*counter) int64{(*counter).free, func(c *counter) int64 { return c.onHand }} {
		for _, c := range w.cells {
			n := min(max(-units, 0), have(c))
			c.onHand, units = c.onHand-n, units+n
		}
	}
	return true
}

func (w *shop) order(channel, id string, units int64) bool {
	quota := new(counter)
	if channel != "" {
		quota = w.at(channel)
	}
	own := min(quota.free(), units)
	pool := w.cells[0]
	if rest := units - own; rest > 0 && pool.onHand-pool.held-pool.safety-rest < w.keep[channel] {
		return false
	}
	quota.held += own
	pool.held += units - own
	got := make([]int64, len(w.cells))
	got[max(slices.Index(w.channels, channel), 0)] += own
	got[0] += units - own
	w.orders[id] = got
	return true
}

func (w *shop) cancel(id string) {
	for i, units := range w.orders[id] {
		w.cells[i].held -= units
	}
	delete(w.orders, id)
}

func (w *shop) setQuota(channel string, units int64) bool {
	lacks := units - w.at(channel).free() // a deficit counts as well
	if c := w.at(channel); c.deficit() > 0 {
		lacks = units + c.deficit()
	}
	if lacks > 0 && lacks > w.cells[0].free() {
		return false
	}
	w.make(channel).onHand += lacks
	w.cells[0].onHand -= lacks
	return true
}

func (w *shop) lend(from, to string, units int64, back bool) bool {
	loan := [2]string{from, to}
	if back {
		if w.loans[loan] < units || w.at(to).free() < units {
			return false
		}
		from, to = to, from
		w.loans[loan] -= units
	} else {
		if w.at(from).free() < units {
			return false
		}
		w.loans[loan] += units
	}
	w.make(from).onHand -= units
	w.make(to).onHand += units
	return true
}

// Random calls at one shelf do to every cell what they do to a plain twin; each
// call that was done does nothing the second time.
func TestQuotasEqualTwin(t *testing.T) {
	seeds := 60
	if !scaletest.Full() {
		seeds = 15
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 21))
		a := street(t, 1, Options{FeedBytes: 1 << 20})
		w := &shop{cells: []*counter{{onHand: 30}}, channels: []string{""}, loans: map[[2]string]int64{}, keep: map[string]int64{}, orders: map[string][]int64{}}
		stocked(t, a, "L0", "tea", 30)
		for step := range 120 {
			id := fmt.Sprint(step)
			what, call, want := w.draw(a, r, id)
			err := call()
			if (err == nil) != want || err != nil && !errors.Is(err, ErrShortage) && !errors.Is(err, ErrNoLocation) {
				t.Fatalf("seed %d, step %d, %s: %v, want it done: %v", seed, step, what, err, want)
			}
			if err == nil && !strings.HasPrefix(what, "cancel") && r.IntN(4) == 0 {
				if err := call(); err != nil {
					t.Fatalf("seed %d, step %d, %s again: %v", seed, step, what, err)
				}
			}
			w.compare(t, a, fmt.Sprintf("seed %d, step %d, after %s", seed, step, what))
		}
		report, err := a.Audit(t.Context()) // the journal says the same of every cell
		must(t, err)
		if len(report.Differences) > 0 {
			t.Fatalf("seed %d: %+v", seed, report.Differences)
		}
		must(t, a.Close())
	}
}

// draw does a random thing to the twin, and returns the same for the engine and
// whether it is done.
func (w *shop) draw(a *Allocator, r *rand.Rand, id string) (what string, call func() error, want bool) {
	channels := []string{"", "x", "y", "z"}
	channel, other, units := channels[r.IntN(4)], channels[r.IntN(4)], 1+r.Int64N(12)
	ctx, line := context.Background(), []Line{{"tea", units}}
	what = fmt.Sprintf("%q %q %d", channel, other, units)
	switch r.IntN(12) {
	case 0, 1, 2:
		o := from(channel, id, line...)
		return "order " + what, func() error { return second(a.Allocate(ctx, o)) }, w.order(channel, id, units)
	case 3, 4:
		for _, old := range slices.Sorted(maps.Keys(w.orders)) {
			w.cancel(old)
			return "cancel " + old, func() error { return a.Cancel(ctx, old) }, true
		}
		return "nothing", func() error { return nil }, true
	case 5, 6:
		channel = channels[1+r.IntN(3)]
		return "set quota " + channel + what, func() error { return a.SetQuota(ctx, aside(id, channel, units-1)) }, w.setQuota(channel, units-1)
	case 7, 8:
		if channel == other {
			other = channels[(slices.Index(channels, channel)+1)%4]
		}
		v, back := lent(id, channel, other, units), r.IntN(2) == 0
		want = w.lend(channel, other, units, back)
		if back {
			return "give back " + what, func() error { return a.GiveBack(ctx, v) }, want
		}
		return "borrow " + what, func() error { return a.Borrow(ctx, v) }, want
	case 9:
		return "sell " + what, func() error { return a.Sell(ctx, Sale{ID: id, Location: "L0", Lines: line}) }, w.change(-units)
	case 10:
		target := max(w.sum()+r.Int64N(20)-10, 0)
		return fmt.Sprint("count ", target), func() error {
			return a.Count(ctx, Count{ID: id, Location: "L0", Lines: []Line{{"tea", target}}})
		}, w.change(target - w.sum())
	}
	switch r.IntN(3) {
	case 0:
		w.keep[channel] = units
		return "protect " + what, func() error {
			return a.SetProtection(ctx, Protection{Channel: channel, Units: units}, Protection{Channel: channels[3], Units: w.keep[channels[3]]},
				Protection{Channel: channels[2], Units: w.keep[channels[2]]}, Protection{Channel: channels[1], Units: w.keep[channels[1]]})
		}, true
	case 1:
		w.cells[0].safety = units / 3
		return "safety " + what, func() error {
			return a.SetSafetyStock(ctx, SafetyStock{Location: "L0", Units: units / 3})
		}, true
	}
	return "receive " + what, func() error { return a.Receive(ctx, Receipt{ID: id, Location: "L0", Lines: line}) }, w.change(units)
}

// compare checks every cell, every loan and what each channel may take.
func (w *shop) compare(t *testing.T, a *Allocator, when string) {
	t.Helper()
	sku, _ := a.ledger.SKU("tea")
	slot, _ := a.ledger.Slot("L0")
	got := a.ledger.AvailableAll(sku, slot, nil)
	if len(got) < len(w.cells) {
		t.Fatalf("%s: %d cells, want %d", when, len(got), len(w.cells))
	}
	for i, v := range got {
		var c counter
		if i < len(w.cells) {
			c = *w.cells[i]
		}
		if v.OnHand != c.onHand || v.Held != c.held || v.Safety != c.safety {
			t.Fatalf("%s: cell %d of %q: got %+v, want %+v; all: %+v", when, i, w.channels[i], v, c, got)
		}
	}
	loans := 0
	for v := range a.Loans() {
		loans++
		if w.loans[[2]string{v.From, v.To}] != v.Units {
			t.Fatalf("%s: %+v, want %d", when, v, w.loans[[2]string{v.From, v.To}])
		}
	}
	for _, units := range w.loans {
		if units > 0 {
			loans--
		}
	}
	if loans != 0 {
		t.Fatalf("%s: %d loans too many", when, loans)
	}
	for _, channel := range []string{"", "x", "y", "z"} {
		want := max(w.cells[0].onHand-w.cells[0].held-w.cells[0].safety-w.keep[channel], 0)
		if channel != "" {
			want += w.at(channel).free()
		}
		open(t, a, channel, "tea", "L0", want)
	}
}

// The till sells while orders are made: as long as any unit of a quota is free, no
// sale leaves less than none for everybody.
func TestSalesTakeQuotasBeforeReservations(t *testing.T) {
	rounds := 60
	if !scaletest.Full() {
		rounds = 10
	}
	for round := range rounds {
		a := street(t, 1, Options{})
		stocked(t, a, "L0", "tea", 40)
		ctx := context.Background()
		must(t, a.SetQuota(ctx, aside("x", "x", 10), aside("y", "y", 10)))
		together(8, func(g int) {
			r := rand.New(rand.NewPCG(uint64(round), uint64(g)))
			for i := range 6 {
				id, lines := fmt.Sprintf("%d/%d", g, i), []Line{{"tea", 1 + r.Int64N(4)}}
				var err error
				if channel := []string{"", "x", "y"}[r.IntN(3)]; g%2 == 0 {
					_, err = a.Allocate(ctx, from(channel, id, lines...))
				} else {
					err = a.Sell(ctx, Sale{ID: id, Location: "L0", Lines: lines})
				}
				if err != nil && !errors.Is(err, ErrNoLocation) && !errors.Is(err, ErrShortage) {
					t.Error(err)
				}
			}
		})
		sku, _ := a.ledger.SKU("tea")
		cells := a.ledger.AvailableAll(sku, 0, nil)
		free := max(cells[1].Available, 0) + max(cells[2].Available, 0)
		if cells[0].Available < 0 && free > 0 {
			t.Fatalf("round %d: %+v", round, cells)
		}
		for _, v := range cells {
			if v.OnHand < 0 {
				t.Fatalf("round %d: %+v", round, cells)
			}
		}
		must(t, a.Close())
	}
}

// What is lent ends with its location, which can be removed when the shelf is
// empty, and so do its levels.
func TestChannelsOfARemovedLocation(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 5)
	ctx := t.Context()
	must(t, a.Borrow(ctx, lent("b", "", "app", 2)), a.SetProtection(ctx, Protection{Channel: "web", Location: "L0", Units: 3}))
	if err := a.RemoveLocation(ctx, "L0"); !errors.Is(err, ErrInUse) {
		t.Fatal(err)
	}
	must(t, a.Count(ctx, Count{ID: "none", Location: "L0", Lines: []Line{{"tea", 0}}}), a.RemoveLocation(ctx, "L0"))
	must(t, a.SetLocations(ctx, Location{ID: "L0", Point: streetPoint(0)}))
	stocked(t, a, "L0", "tea", 5)
	open(t, a, "web", "tea", "L0", 5)
	for v := range a.Loans() {
		t.Errorf("left over: %+v", v)
	}
	for p := range a.Protections() {
		t.Errorf("left over: %+v", p)
	}
}

func TestChannelsRefuseWhenClosed(t *testing.T) {
	a, err := Open(t.Context(), Options{})
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	stocked(t, a, "L0", "tea", 5)
	calls := func(ctx context.Context) []error {
		return []error{a.SetProtection(ctx, Protection{Units: 1}), a.SetQuota(ctx, aside("q", "app", 1)),
			a.Borrow(ctx, lent("b", "", "app", 1)), a.GiveBack(ctx, lent("g", "", "app", 1))}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for i, err := range calls(over) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("call %d with a context that has ended: %v", i, err)
		}
	}
	open(t, a, "app", "tea", "L0", 5)
	must(t, a.Close())
	for i, err := range append(calls(t.Context()), second(a.Stock().AvailableTo("app", "tea", "L0"))) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("call %d after Close: %v", i, err)
		}
	}
}
