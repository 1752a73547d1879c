package plan_test

import (
	"fmt"
	"log/slog"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/cooldown"
	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

const now = 1_000_000

// world is locations with stock, and beside them a plain list of both.
type world struct {
	t      testing.TB
	r      *rand.Rand
	ledger *reservation.Ledger
	places topology.Locations
	view   plan.View
	sites  []site
	moves  int
	work   plan.Work
}

type site struct {
	id    string
	point geo.Point
	units map[string]int64
	cools bool
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

var skus = []string{"cup", "hat", "tea"}

func newWorld(t testing.TB, seed uint64, locations int) *world {
	silent := slog.New(slog.DiscardHandler)
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 1)), ledger: reservation.New(reservation.Options{SKUs: 64, Locations: 128, Remember: 1 << 12})}
	g := new(gate.Gate)
	g.Open(gate.Options{Logger: silent})
	g.Start(w.ledger)
	must(t, w.places.Open(w.ledger, g, topology.Options{Most: 128, Logger: silent,
		Holidays: func(location string, _ int, _ time.Month, _ int) bool { return location[2]%2 == 0 }}), w.ledger.Fill())
	all := make([]topology.Place, locations)
	for i := range all {
		all[i] = topology.Place{ID: fmt.Sprintf("L%02d", i), Point: geo.Point{Lat: 50 + w.r.Float64(), Lon: 20 + w.r.Float64()}}
		w.sites = append(w.sites, site{id: all[i].ID, point: all[i].Point, units: map[string]int64{}})
	}
	must(t, w.places.Set(all, 1))
	for i := range w.sites {
		for _, sku := range skus {
			w.move(i, sku, int64(1+w.r.IntN(4))-int64(w.r.IntN(2)))
		}
	}
	for _, sku := range skus { // each is known
		w.move(0, sku, 1)
	}
	calendar, err := calendar.Open(w.ledger)
	must(t, err)
	cooling, err := cooldown.Open(w.ledger)
	must(t, err)
	w.view = plan.View{Catalogue: w.places.Load(), Rules: &sourcing.Rules{Costs: sourcing.Costs{Parcel: 100, PerLine: 1}}, Calendar: calendar, Cooling: cooling}
	return w
}

// move brings units to a location, or takes them away.
func (w *world) move(at int, sku string, units int64) {
	if units == 0 {
		return
	}
	slot, _ := w.ledger.Slot(w.sites[at].id)
	w.moves++
	m := reservation.Movement{ID: fmt.Sprint("m", w.moves), Cause: history.Received, Slot: slot, Now: 1, Lines: []reservation.MovementLine{{SKU: sku, Units: units}}}
	if units < 0 {
		m.Cause, m.Lines[0].Units = history.Sold, -units
	}
	_, err := w.ledger.Move(&m)
	must(w.t, err)
	w.sites[at].units[sku] += units
}

// asks is an order for units of SKUs in one form, from anywhere.
func (w *world) asks(form sourcing.Form, near geo.Point, most int, units map[string]int64) *plan.Ask {
	ask := &plan.Ask{Now: now, At: reservation.Everywhere, Most: most, Forms: []sourcing.Form{form}}
	for _, sku := range skus {
		if units[sku] == 0 {
			continue
		}
		handle, ok := w.ledger.SKU(sku)
		if !ok {
			w.t.Fatal(sku)
		}
		ask.Wants = append(ask.Wants, plan.Want{Name: sku, Units: units[sku], Form: form,
			Choices: []goods.Product{{SKU: handle, Name: sku, From: []goods.Source{{SKU: handle}}}}})
	}
	r := &ask.Requests[form]
	*r = sourcing.Request{Now: gate.FromMillis(now), Near: near, HasPoint: true, Form: form, CollectAt: uint8(topology.CollectAt), Lines: len(ask.Wants)}
	r.Index()
	return ask
}

func (w *world) drawn() (near geo.Point, units map[string]int64) {
	units = map[string]int64{}
	for _, sku := range skus[:1+w.r.IntN(len(skus))] {
		units[sku] = int64(1 + w.r.IntN(3))
	}
	return geo.Point{Lat: 50 + w.r.Float64(), Lon: 20 + w.r.Float64()}, units
}

// has reports whether a location has all units, by the list.
func (s *site) has(units map[string]int64) bool {
	for sku, n := range units {
		if s.units[sku] < n || s.cools && sku == skus[0] {
			return false
		}
	}
	return true
}

// TestChoicesAgainstAList loses choice after choice, with or without the units being
// gone, and compares each with the nearest location of a plain list that has all there
// is asked for. In the end every location is named as one that has too little.
func TestChoicesAgainstAList(t *testing.T) {
	for seed := range uint64(60) {
		w := newWorld(t, seed, 1+int(seed)%30)
		near, units := w.drawn()
		for i := range w.sites {
			if s := &w.sites[i]; w.r.IntN(5) == 0 {
				slot, _ := w.ledger.Slot(s.id)
				sku, _ := w.ledger.SKU(skus[0])
				_, err := w.view.Cooling.Begin(slot, []reservation.Line{{SKU: sku, Quantity: 1}}, 1, now+1)
				must(t, err)
				s.cools = true
			}
		}
		first := func() int {
			best, least := -1, geo.Meters(math.Inf(1))
			for i := range w.sites {
				if d := geo.Distance(near, w.sites[i].point); w.sites[i].has(units) && d < least {
					best, least = i, d
				}
			}
			return best
		}
		p := plan.New(w.view, w.asks(sourcing.Collect, near, 1, units), &w.work)
		for c := range p.Choices {
			want, slot := first(), uint32(0)
			if want >= 0 {
				slot, _ = w.ledger.Slot(w.sites[want].id)
			}
			if want < 0 || len(c.Shares) != 1 || c.Shares[0].Slot != slot || len(c.Shares[0].Lines) != len(units) || !c.Exact || c.Bound != c.Cost {
				t.Fatalf("seed %d: chosen %+v, want location %d", seed, c, want)
			}
			if w.r.IntN(3) > 0 { // else what was lost is there again
				w.move(want, skus[0], -w.sites[want].units[skus[0]])
			}
		}
		if left := first(); left >= 0 {
			t.Fatalf("seed %d: no choice, and location %d has all", seed, left)
		}
		e := p.Explain()
		if len(p.Shares) > 0 || len(e.Chosen) > 0 || p.Cost != 0 {
			t.Errorf("seed %d: after the last choice was lost %+v is chosen", seed, p.Shares)
		}
		for _, c := range e.Rejected {
			if c.Reason != sourcing.Short && c.Reason != sourcing.CoolingDown {
				t.Errorf("seed %d: %+v", seed, c)
			}
		}
		if n := len(e.Rejected) + len(e.Chosen) + e.More; n != len(w.sites) {
			t.Errorf("seed %d: %d locations are named or counted, of %d", seed, n, len(w.sites))
		}
	}
}

// TestSplitsAgainstEnumeration compares splits of lines that somebody has whole with
// the least of all sets of locations: parcels cost, and the way does not.
func TestSplitsAgainstEnumeration(t *testing.T) {
	refused, split := 0, 0
	for seed := range uint64(300) {
		w := newWorld(t, seed, 2+int(seed)%5)
		near, units := w.drawn()
		for sku := range units { // few have it
			for i := range w.sites {
				if i == 0 || w.r.IntN(3) > 0 {
					w.move(i, sku, -w.sites[i].units[sku])
				}
			}
			w.move(w.r.IntN(len(w.sites)), sku, units[sku])
		}
		most := 1 + w.r.IntN(3)
		want := math.MaxInt
		for set := range 1 << len(w.sites) {
			all := true
			for sku, n := range units {
				all = all && slices.ContainsFunc(w.sites, func(s site) bool {
					return set>>slices.IndexFunc(w.sites, func(o site) bool { return o.id == s.id })&1 == 1 && s.units[sku] >= n
				})
			}
			if n := bits.OnesCount(uint(set)); all && n <= most {
				want = min(want, n)
			}
		}
		p := plan.New(w.view, w.asks(sourcing.Ship, near, most, units), &w.work)
		switch {
		case p.Choose() != (want < math.MaxInt):
			t.Fatalf("seed %d: at most %d: chosen %+v, want %d parcels", seed, most, p.Choice, want)
		case want == math.MaxInt:
			refused++
			continue
		case p.Cost != int64(100*want+len(units)) || len(p.Shares) != want || !p.Exact || len(p.Missing) > 0:
			t.Fatalf("seed %d: at most %d: chosen %+v, want %d parcels", seed, most, p.Choice, want)
		case want > 1:
			split++
		}
		got := map[string]int64{}
		for _, sh := range p.Shares {
			at := slices.IndexFunc(w.sites, func(s site) bool { return s.id == p.Catalogue.Place(sh.Slot).ID })
			for _, line := range sh.Lines {
				sku := p.Wants[line.Want].Name
				if got[sku] += line.Units; w.sites[at].units[sku] < line.Units {
					t.Errorf("seed %d: %s does not have %d of %s", seed, w.sites[at].id, line.Units, sku)
				}
			}
		}
		for i, want := range p.Wants {
			if got[want.Name] != want.Units || p.Lacking(i) != 0 {
				t.Errorf("seed %d: got %v of %v", seed, got, units)
			}
		}
	}
	if refused < 10 || split < 30 {
		t.Errorf("%d refused, %d split: too few to tell", refused, split)
	}
}
