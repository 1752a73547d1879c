package allocator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// lotStart is noon of the first day of the tests with lots.
var lotStart = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// lotDay is a lot that is good through so many days after the first.
func lotDay(id string, days int) Lot {
	return Lot{ID: id, Expires: lotStart.AddDate(0, 0, days)}
}

// received books units of a lot in.
func received(t testing.TB, a *Allocator, location, sku string, units int64, lot Lot) {
	t.Helper()
	must(t, a.Receive(t.Context(), Receipt{ID: fmt.Sprintf("lot/%s/%d", lot.ID, a.Stats().Remembered), Location: location,
		Lines: []Line{{sku, units}}, Lots: map[string]Lot{sku: lot}}))
}

// lotsSay is the lots of a SKU at a location: each its ID, on hand and held.
func lotsSay(a *Allocator, sku, location string) string {
	var b strings.Builder
	for lot, is := range a.Lots(sku, location) {
		fmt.Fprintf(&b, "%s %s %d/%d; ", lot.ID, lot.Expires.Format("02"), is.OnHand, is.Held)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func lotWorld(t testing.TB, o Options) (a *Allocator, now *atomic.Int64) {
	now = new(atomic.Int64)
	o.Clock = func() time.Time { return lotStart.Add(time.Duration(now.Load())) }
	o.ManualExpiry = true
	return street(t, 2, o), now
}

func TestLotsFirstExpiredFirstOut(t *testing.T) {
	a, now := lotWorld(t, Options{})
	allocated(t, a, func() Order { stocked(t, a, "L0", "milk", 2); return ordered("hot", Line{"milk", 1}) }(), "L0")
	received(t, a, "L0", "milk", 3, lotDay("B", 5))
	received(t, a, "L0", "milk", 3, lotDay("A", 2))
	received(t, a, "L0", "milk", 2, lotDay("C", 2))
	shelf(t, a, "L0", "milk", 10, 1, 0)
	asks(t, a, ordered("o1", Line{"milk", 4}), "o1@L0 4 milk")
	if got := lotsSay(a, "milk", "L0"); got != "A 03 3/3; C 03 2/1; B 06 3/0" {
		t.Errorf("lots %s", got)
	}
	if got := state(t, a, "o1", Held).Lines; len(got) != 1 || got[0].SKU != "milk" || got[0].Held != 4 {
		t.Errorf("lines %+v", got)
	}
	// The first to expire are given back, and are the first to go again.
	must(t, a.Cancel(t.Context(), "o1", Line{"milk", 2}))
	must(t, a.Collect(t.Context(), "o1"))
	if got := lotsSay(a, "milk", "L0"); got != "A 03 3/0; B 06 3/0" && got != "A 03 1/0; C 03 2/0; B 06 3/0" && got != "A 03 2/0; C 03 1/0; B 06 3/0" {
		t.Errorf("lots %s", got)
	}
	// Through the day of expiry, not longer.
	now.Store(int64(2*24*time.Hour + 12*time.Hour - time.Millisecond))
	all := ordered("all", Line{"milk", 7})
	if _, err := a.Quote(all); err != nil {
		t.Error(err)
	}
	now.Add(int64(time.Millisecond))
	_, err := a.Quote(all)
	refusal := as[*NoLocationError](t, err)
	if got := refusal.Explain().String(); !strings.Contains(got, "too old") && !strings.Contains(got, "expire") {
		t.Errorf("explained %s", got)
	}
	asks(t, a, ordered("rest", Line{"milk", 4}), "rest@L0 4 milk")
	_, err = a.Allocate(t.Context(), ordered("more", Line{"milk", 1}))
	as[*NoLocationError](t, err)
}

func TestShelfLife(t *testing.T) {
	a, _ := lotWorld(t, Options{})
	received(t, a, "L0", "milk", 5, lotDay("A", 2))
	received(t, a, "L1", "milk", 5, lotDay("B", 9))
	asks(t, a, ordered("o1", Line{"milk", 1}), "o1@L0 1 milk")
	day := 24 * time.Hour
	// Until the end of the third day are two and a half.
	must(t, a.SetShelfLife(t.Context(), ShelfLife{SKU: "milk", Keeps: 2*day + 12*time.Hour - time.Millisecond}))
	asks(t, a, ordered("o2", Line{"milk", 1}), "o2@L0 1 milk")
	must(t, a.SetShelfLife(t.Context(), ShelfLife{SKU: "milk", Keeps: 2*day + 12*time.Hour}))
	asks(t, a, ordered("o3", Line{"milk", 1}), "o3@L1 1 milk")
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: &Terms{Prep: 3 * day}}))
	must(t, a.SetShelfLife(t.Context(), ShelfLife{SKU: "milk"}))
	asks(t, a, ordered("o4", Line{"milk", 1}), "o4@L1 1 milk") // not past the promise
	for _, c := range []struct {
		is   ShelfLife
		text string
	}{
		{ShelfLife{Keeps: day}, `invalid lives[0].SKU "": must not be empty`},
		{ShelfLife{SKU: "milk", Keeps: -1}, `invalid lives[0].Keeps -1: must be 0 to 87840h0m0s`},
		{ShelfLife{SKU: "milk", Keeps: maxShelf + 1}, `invalid lives[0].Keeps 316224000000000001: must be 0 to 87840h0m0s`},
	} {
		refused(t, a.SetShelfLife(t.Context(), c.is), ErrInvalid, "allocator: set shelf life: "+c.text)
	}
}

func TestLotsKeepSafetyAndProtection(t *testing.T) {
	a, _ := lotWorld(t, Options{})
	must(t, a.SetSafetyStock(t.Context(), SafetyStock{Units: 3}))
	received(t, a, "L0", "milk", 4, lotDay("A", 2))
	received(t, a, "L0", "milk", 4, lotDay("B", 3))
	shelf(t, a, "L0", "milk", 8, 0, 3)
	_, err := a.Allocate(t.Context(), ordered("six", Line{"milk", 6}))
	as[*NoLocationError](t, err)
	must(t, a.SetProtection(t.Context(), Protection{Channel: "web", SKU: "milk", Units: 2}))
	o := ordered("web", Line{"milk", 4})
	o.Channel = "web"
	_, err = a.Allocate(t.Context(), o)
	as[*NoLocationError](t, err)
	o.ID, o.Lines = "web2", []Line{{"milk", 3}}
	asks(t, a, o, "web2@L0 3 milk")
	asks(t, a, ordered("desk", Line{"milk", 2}), "desk@L0 2 milk")
	shelf(t, a, "L0", "milk", 8, 5, 3)
}

func TestLotMovements(t *testing.T) {
	a, _ := lotWorld(t, Options{})
	ctx := t.Context()
	of := func(lot Lot) map[string]Lot { return map[string]Lot{"milk": lot} }
	milk := func(n int64) []Line { return []Line{{"milk", n}} }
	stocked(t, a, "L0", "milk", 2)
	received(t, a, "L0", "milk", 5, lotDay("B", 5))
	received(t, a, "L0", "milk", 5, lotDay("A", 2))
	check := func(lots string, all int64) {
		t.Helper()
		if got := lotsSay(a, "milk", "L0"); got != lots {
			t.Errorf("lots %s, want %s", got, lots)
		}
		if got, err := a.Available("milk", "L0"); err != nil || got.OnHand != all {
			t.Errorf("on hand %d, want %d (%v)", got.OnHand, all, err)
		}
	}
	check("A 03 5/0; B 06 5/0", 12)
	must(t, a.Sell(ctx, Sale{ID: "s1", Location: "L0", Lines: milk(3)})) // those without a lot, then the oldest
	check("A 03 4/0; B 06 5/0", 9)
	must(t, a.Sell(ctx, Sale{ID: "s2", Location: "L0", Lines: milk(1), Lots: of(lotDay("B", 5))}))
	check("A 03 4/0; B 06 4/0", 8)
	must(t, a.Count(ctx, Count{ID: "c1", Location: "L0", Lines: milk(1), Lots: of(lotDay("A", 2))}))
	check("A 03 1/0; B 06 4/0", 5)
	must(t, a.Count(ctx, Count{ID: "c2", Location: "L0", Lines: milk(3)}))
	check("B 06 3/0", 3)
	must(t, a.Adjust(ctx, Adjustment{ID: "a1", Location: "L0", Lines: milk(2), Lots: of(lotDay("D", 1))}))
	must(t, a.WriteOff(ctx, Damage{ID: "d1", Location: "L0", Lines: milk(1), Lots: of(lotDay("B", 5))}))
	check("D 02 2/0; B 06 2/0", 4)
	must(t, a.Count(ctx, Count{ID: "c3", Location: "L0", Lines: milk(9)})) // the new ones have no lot
	check("D 02 2/0; B 06 2/0", 9)
	must(t, a.Sell(ctx, Sale{ID: "s2", Location: "L0", Lines: milk(1), Lots: of(lotDay("B", 5))})) // again
	check("D 02 2/0; B 06 2/0", 9)

	stocked(t, a, "L1", "tea", 5)
	must(t, a.SetQuota(ctx, Quota{ID: "q", Channel: "web", SKU: "tea", Location: "L1", Units: 1}))
	receipt := func(lots map[string]Lot, sku string) error {
		return a.Receive(ctx, Receipt{ID: "r", Location: "L0", Lines: []Line{{sku, 1}}, Lots: lots})
	}
	at := lotDay("A", 2)
	for _, c := range []struct {
		err  error
		fact error
		text string
	}{
		{receipt(of(Lot{ID: "A"}), "milk"), ErrInvalid, `received "r": invalid Lots["milk"].Expires "0001-01-01 00:00:00 +0000 UTC": must be a day`},
		{receipt(of(Lot{ID: "A", Expires: at.Expires.AddDate(9000, 0, 0)}), "milk"), ErrInvalid, `received "r": invalid Lots["milk"].Expires "11026-11-03 12:00:00 +0000 UTC": must be in the years 1971 to 9999`},
		{receipt(of(Lot{Expires: at.Expires}), "milk"), ErrInvalid, `received "r": invalid Lots["milk"].ID "": must not be empty`},
		{receipt(of(Lot{ID: strings.Repeat("x", 65), Expires: at.Expires}), "milk"), ErrInvalid, `received "r": invalid Lots["milk"].ID "` + strings.Repeat("x", 32) + `…": is 65 bytes long, at most 64 are allowed`},
		{receipt(of(at), "tea"), ErrInvalid, `received "r": invalid Lots "milk": is not among the lines`},
		{receipt(map[string]Lot{"tea": at}, "tea"), ErrInvalid, `received "r": invalid Lots["tea"] "A": is of a SKU of which units are set aside for channels: it cannot have lots too`},
		{receipt(nil, "milk\x00l2026-11-03/A"), ErrInvalid, `received "r": invalid Lines[0].SKU "milk\x00l2026-11-03/A": must not have a zero byte`},
		{a.Sell(ctx, Sale{ID: "s9", Location: "L0", Lines: milk(9), Lots: of(lotDay("B", 5))}), ErrShortage, `reservation: sold "s9" at "L0": not enough units of SKU "milk" at "L0": wanted 9, there are 2`},
		{a.Sell(ctx, Sale{ID: "s9", Location: "L0", Lines: milk(9), Lots: of(lotDay("Z", 5))}), ErrShortage, `reservation: sold "s9" at "L0": not enough units of SKU "milk" at "L0": wanted 9, there are 0`},
		{a.SetQuota(ctx, Quota{ID: "q2", Channel: "web", SKU: "milk", Location: "L0", Units: 1}), ErrInvalid, `set quota: invalid quotas[0].SKU "milk": has lots, which cannot be set aside`},
	} {
		refused(t, c.err, c.fact, "allocator: "+c.text)
	}
}

func TestLotsLast(t *testing.T) {
	o := Options{Dir: t.TempDir(), Clock: func() time.Time { return lotStart }, ManualExpiry: true}
	a, err := Open(t.Context(), o)
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	must(t, a.SetSafetyStock(t.Context(), SafetyStock{Units: 1}))
	received(t, a, "L0", "milk", 5, lotDay("B", 5))
	received(t, a, "L0", "milk", 5, lotDay("A", 2))
	asks(t, a, ordered("o", Line{"milk", 6}), "o@L0 6 milk")
	must(t, a.Close())

	b := opened(t, o)
	if got := lotsSay(b, "milk", "L0"); got != "A 03 5/5; B 06 5/1" {
		t.Errorf("lots %s", got)
	}
	shelf(t, b, "L0", "milk", 10, 6, 1)
	must(t, b.Cancel(t.Context(), "o"))
	asks(t, b, ordered("p", Line{"milk", 4}), "p@L0 4 milk")
	if got := lotsSay(b, "milk", "L0"); got != "A 03 5/4; B 06 5/0" {
		t.Errorf("lots %s", got)
	}
}

// TestLotsRace lets orders, cancellations, receipts and till sales go for the same
// lots while the days pass. Nothing that has expired is taken by an order that
// began after that, and every unit is somewhere.
func TestLotsRace(t *testing.T) {
	a, now := lotWorld(t, Options{FeedBytes: 64 << 20})
	ctx := t.Context()
	rounds := 300
	if !scaletest.Full() {
		rounds = 60
	}
	var in, sold, collected atomic.Int64
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for i := range rounds {
				id := fmt.Sprintf("%d/x%d", g, i)
				units := r.Int64N(4) + 1
				switch r.IntN(6) {
				case 0:
					days := int(now.Load()/int64(24*time.Hour)) + r.IntN(4)
					must(t, a.Receive(ctx, Receipt{ID: id, Location: "L0", Lines: []Line{{"milk", units}}, Lots: map[string]Lot{"milk": lotDay(fmt.Sprint("l", r.IntN(2)), days)}}))
					in.Add(units)
				case 1:
					if a.Sell(ctx, Sale{ID: id, Location: "L0", Lines: []Line{{"milk", 1}}}) == nil {
						sold.Add(1)
					}
				case 2:
					now.Add(int64(time.Hour))
				default:
					began := a.gate.Now()
					if _, err := a.Allocate(ctx, ordered(id, Line{"milk", units})); err != nil {
						continue
					}
					freshLots(t, a, id, began)
					if r.IntN(2) == 0 {
						must(t, a.Cancel(ctx, id))
					} else if a.Collect(ctx, id) == nil {
						collected.Add(units)
					}
				}
			}
		})
	}
	all.Wait()
	got, err := a.Available("milk", "L0")
	must(t, err)
	if want := in.Load() - sold.Load() - collected.Load(); got.OnHand != want {
		t.Errorf("%d on hand, want %d", got.OnHand, want)
	}
	sum := a.ledger.Available(first(a.ledger.SKU("milk")), 0).OnHand
	for _, is := range a.Lots("milk", "L0") {
		sum += is.OnHand
		if is.OnHand < 0 {
			t.Errorf("a lot has %d", is.OnHand)
		}
	}
	if sum != got.OnHand {
		t.Errorf("cells have %d, in all there are %d", sum, got.OnHand)
	}
	if collected.Load() == 0 || sold.Load() == 0 {
		t.Error("nothing was tried")
	}
}

func first[A, B any](a A, _ B) A { return a }

// freshLots checks that no unit of an order is of a lot that had expired before.
func freshLots(t *testing.T, a *Allocator, id string, began int64) {
	c, err := a.gate.Enter()
	must(t, err)
	defer c.Leave()
	s := scratchOf(c.Pass)
	if !a.ledger.Find(id, &s.found) {
		t.Errorf("%s is not there", id)
	}
	sku, _ := a.ledger.SKU("milk")
	for _, line := range s.found.Lines {
		for lot, src := range a.goods.Lots(sku) {
			if src.SKU == line.SKU && src.Expires < began {
				t.Errorf("%s has units of lot %v", id, lot)
			}
		}
	}
}

// A lot of which nothing ever came has none, of a SKU that is known: a sale, a
// damage or a correction that takes from it is a *ShortageError. It was
// ErrUnknownSKU.
func TestSaleOfALotThatNeverCame(t *testing.T) {
	a, _ := lotWorld(t, Options{})
	received(t, a, "L0", "milk", 3, lotDay("A", 2))
	never, lines := map[string]Lot{"milk": lotDay("B", 2)}, []Line{{"milk", 1}}
	for name, err := range map[string]error{
		"sale":       a.Sell(t.Context(), Sale{ID: "s", Location: "L0", Lines: lines, Lots: never}),
		"damage":     a.WriteOff(t.Context(), Damage{ID: "d", Location: "L0", Lines: lines, Lots: never}),
		"correction": a.Adjust(t.Context(), Adjustment{ID: "c", Location: "L0", Lines: []Line{{"milk", -1}}, Lots: never}),
	} {
		if got := *as[*ShortageError](t, err); got != (ShortageError{SKU: "milk", Location: "L0", Wanted: 1}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	other := map[string]Lot{"tea": lotDay("B", 2)}
	err := a.Sell(t.Context(), Sale{ID: "s", Location: "L0", Lines: []Line{{"tea", 1}}, Lots: other})
	if !errors.Is(err, ErrUnknownSKU) {
		t.Errorf("of an unknown SKU: %v", err)
	}
	audited(t, a)
}

// A count that changes nothing is told as a count, also of a SKU with lots or
// quotas. It was told as QuotaMoved.
func TestCountThatChangesNothingIsACount(t *testing.T) {
	a, _ := lotWorld(t, Options{FeedBytes: 1 << 20})
	received(t, a, "L0", "milk", 3, lotDay("A", 2))
	stocked(t, a, "L0", "tea", 3)
	must(t, a.SetQuota(t.Context(), Quota{ID: "q", Channel: "web", SKU: "tea", Location: "L0", Units: 2}),
		a.Count(t.Context(), Count{ID: "milk", Location: "L0", Lines: []Line{{"milk", 3}}},
			Count{ID: "lot", Location: "L0", Lines: []Line{{"milk", 3}}, Lots: map[string]Lot{"milk": lotDay("A", 2)}},
			Count{ID: "tea", Location: "L0", Lines: []Line{{"tea", 3}}}))
	told := map[string]string{}
	for e, err := range a.History(t.Context(), 0) {
		if must(t, err); e.ID != "" {
			told[e.ID] = e.Name
		}
	}
	for _, id := range []string{"milk", "lot", "tea"} {
		if told[id] != "StockCounted" {
			t.Errorf("count %s is told as %q", id, told[id])
		}
	}
	if told["q"] != "QuotaMoved" {
		t.Errorf("a quota is told as %q", told["q"])
	}
}
