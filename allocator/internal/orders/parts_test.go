package orders_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/channels"
	"github.com/clickcollect/clickcollect/allocator/internal/cooldown"
	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/orders"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

var today = time.Date(2031, 3, 5, 10, 0, 0, 0, time.UTC)

// world is one location with units of a SKU in a quota, in two lots and in neither, of
// which a protection level keeps some.
type world struct {
	ledger *reservation.Ledger
	view   plan.View
	milk   goods.Product
	slot   uint32
}

func newWorld(t testing.TB, r *rand.Rand) *world {
	silent := slog.New(slog.DiscardHandler)
	w := &world{ledger: reservation.New(reservation.Options{SKUs: 64, Locations: 4, Remember: 64})}
	g := new(gate.Gate)
	g.Open(gate.Options{Logger: silent})
	g.Start(w.ledger)
	var places topology.Locations
	must(t, places.Open(w.ledger, g, topology.Options{Most: 4, Logger: silent}), w.ledger.Fill(),
		places.Set([]topology.Place{{ID: "L", Point: geo.Point{Lat: 1, Lon: 1}}}, 1))
	w.slot, _ = w.ledger.Slot("L")
	var quota uint32
	for i, name := range []string{reservation.QuotaName("milk", "web"), "milk", goods.LotName("milk", goods.Lot{ID: "a", Expires: today}), goods.LotName("milk", goods.Lot{ID: "b", Expires: today.AddDate(0, 0, 1)})} {
		_, err := w.ledger.Move(&reservation.Movement{ID: fmt.Sprint("in ", i), Cause: history.Received, Slot: w.slot, Now: 1,
			Lines: []reservation.MovementLine{{SKU: name, Units: int64(1 + r.IntN(5))}}})
		must(t, err)
		if i == 0 {
			quota, _ = w.ledger.SKU(name)
		}
	}
	set, err := channels.Open(w.ledger)
	must(t, err)
	milk, _ := w.ledger.SKU("milk")
	change, err := set.SetLevels([]channels.Level{{SKU: milk, Slot: w.slot, Units: int64(r.IntN(6))}})
	must(t, err)
	_, err = change.Write(1)
	must(t, err)
	change.End()
	known, err := goods.Open(w.ledger)
	must(t, err)
	w.milk = known.Product(milk, "milk", quota, true, gate.Millis(today))
	days, err := calendar.Open(w.ledger)
	must(t, err)
	cooling, err := cooldown.Open(w.ledger)
	must(t, err)
	w.view = plan.View{Catalogue: places.Load(), Rules: &sourcing.Rules{}, Levels: set.LevelsOf("web"), Calendar: days, Cooling: cooling}
	return w
}

// ask is an order for units of milk that is ready so many days from today.
func (w *world) ask(units int64, days int) *plan.Ask {
	ask := &plan.Ask{Now: gate.Millis(today.AddDate(0, 0, days)), At: reservation.Everywhere, Most: 1, Forms: []sourcing.Form{sourcing.Collect},
		Wants: []plan.Want{{Name: "milk", Units: units, Choices: []goods.Product{w.milk}}}}
	r := &ask.Requests[sourcing.Collect]
	*r = sourcing.Request{Now: gate.FromMillis(ask.Now), HasPoint: true, CollectAt: uint8(topology.CollectAt), Lines: 1}
	r.Index()
	return ask
}

// TestClaimTakesWhatTheLookSaw has a plan choose the location for more and more units:
// what it chooses can be claimed, to the last unit that a look says is to be had, out of
// the quota first, then of the lots that are good, the first to expire in front; and as
// many as the protection level keeps are left.
func TestClaimTakesWhatTheLookSaw(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld(t, r)
		days := r.IntN(3)
		ready := gate.Millis(today.AddDate(0, 0, days))
		number := w.view.Catalogue.Number(w.slot)
		most, _ := w.view.Has(&w.milk, number, w.slot, ready, 1<<30)
		if most == 0 {
			continue
		}
		units := 1 + r.Int64N(most)
		var work plan.Work
		p := plan.New(w.view, w.ask(units, days), &work)
		if !p.Choose() {
			t.Fatalf("seed %d: %d of %d units are not to be had", seed, units, most)
		}
		parts, ok, err := orders.Parts(&p, nil)
		must(t, err)
		if !ok || len(parts) != 1 || parts[0].Slot != w.slot {
			t.Fatalf("seed %d: %+v", seed, parts)
		}
		taken := map[uint32]int64{}
		for _, line := range parts[0].Lines {
			taken[line.SKU] = line.Quantity
		}
		rest := units
		for _, src := range w.milk.From {
			n := int64(0)
			if src.Quota || w.milk.Lasts(src, ready) {
				n = min(rest, max(w.view.Catalogue.Table().Reachable(src.SKU, number), 0))
			}
			if rest -= n; taken[src.SKU] != n {
				t.Fatalf("seed %d: %d units, taken %v of %+v, want %d of %d", seed, units, taken, w.milk.From, n, src.SKU)
			}
		}
		parts[0].Hold.ID, parts[0].Hold.Now, parts[0].Hold.Deadline, parts[0].Hold.Parts = "o", ready, ready+1, 1
		var claim reservation.Parts
		var found reservation.Entry
		if got := claim.Reserve(w.ledger, parts, &found); got != reservation.Done {
			t.Fatalf("seed %d: %d of %d units: %v %v", seed, units, most, got, claim.Err())
		}
		if left, _ := w.view.Has(&w.milk, number, w.slot, ready, 1<<30); left != most-units {
			t.Errorf("seed %d: %d units are left, want %d", seed, left, most-units)
		}
		p = plan.New(w.view, w.ask(most-units+1, days), &work)
		if p.Choose() {
			t.Errorf("seed %d: one unit more than there is", seed)
		}
	}
}

// TestJoined sums what is taken of the same cell, and keeps the most that is to be kept.
func TestJoined(t *testing.T) {
	got := orders.Joined([]reservation.Line{{SKU: 3, Quantity: 1, Keep: 2}, {SKU: 1, Quantity: 5}, {SKU: 3, Quantity: 4, Keep: 1}})
	if !slices.Equal(got, []reservation.Line{{SKU: 1, Quantity: 5}, {SKU: 3, Quantity: 5, Keep: 2}}) {
		t.Errorf("got %+v", got)
	}
}

// TestMutantsAreCaught builds the room with each of its deliberate bugs.
func TestMutantsAreCaught(t *testing.T) {
	mutant := func(name, text, instead, test, says string) scaletest.Mutant {
		return scaletest.Mutant{Name: name, Edits: scaletest.Replace("parts.go", text, instead), Test: test, Says: says}
	}
	scaletest.Mutants(t,
		mutant("units that are too old are taken", "if src.Quota || g.Lasts(src, max(ready, b.Now)) {", "if true {", "TestClaimTakesWhatTheLookSaw", "taken"),
		mutant("every cell keeps what all cells keep", "line.Keep = max(kept-pool, 0)", "line.Keep = kept", "TestClaimTakesWhatTheLookSaw", "units: "),
		mutant("what is to be kept is added up", "out[n-1].Keep = max(out[n-1].Keep, line.Keep)", "out[n-1].Keep += line.Keep", "TestJoined", "got"),
	)
}
