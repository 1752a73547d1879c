package allocator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// counterCall is a call at one counter that three channels take from: take units
// and leave a level, or put units back.
type counterCall struct {
	back        bool
	units, keep int64
}

// counterModel is the counter with levels as it is meant: a call is refused only
// if it would leave less than its level.
func counterModel(begin int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return begin },
		Step: func(state, in, out any) (bool, any) {
			left, c, ok := state.(int64), in.(counterCall), out.(bool)
			switch {
			case c.back:
				return ok, left + c.units
			case ok:
				return left-c.units >= c.keep, left - c.units
			}
			return left-c.units < c.keep, left
		},
		Equal: func(x, y any) bool { return x == y },
	}
}

// counterHistory plays calls of three channels with the levels given, and writes
// down when each began and ended and what it was answered.
func counterHistory(a *Allocator, seed uint64, keep [3]int64) []porcupine.Operation {
	var all []porcupine.Operation
	var mu sync.Mutex
	begun := time.Now()
	together(16, func(g int) {
		r := rand.New(rand.NewPCG(seed, uint64(g)))
		var mine []string
		var units []int64
		for i := range 4 {
			channel, id := r.IntN(3), fmt.Sprintf("%d/%d/%d", seed, g, i)
			call := counterCall{units: 1 + r.Int64N(4), keep: keep[channel]}
			o := from(fmt.Sprintf("C%d", channel+1), id, Line{"tea", call.units})
			back := len(mine) > 0 && r.IntN(2) == 0
			if back {
				call = counterCall{back: true, units: units[0]}
			}
			op := porcupine.Operation{ClientId: g, Call: int64(time.Since(begun))}
			var err error
			if back {
				err = a.Cancel(context.Background(), mine[0])
				mine, units = mine[1:], units[1:]
			} else if _, err = a.Allocate(context.Background(), o); err == nil {
				mine, units = append(mine, id), append(units, call.units)
			}
			op.Return, op.Input, op.Output = int64(time.Since(begun)), call, err == nil
			mu.Lock()
			all = append(all, op)
			mu.Unlock()
		}
	})
	return all
}

// Channels on one counter: no order leaves less than the level of its channel, and
// none is refused that would not. The canary has other levels than the model.
func TestProtectionLinearizable(t *testing.T) {
	rounds := 60
	if !scaletest.Full() {
		rounds = 15
	}
	const begin = 24
	for _, c := range []struct {
		name            string
		planned, canary bool
	}{{"hot", false, false}, {"planned", true, false}, {"canary", false, true}} {
		t.Run(c.name, func(t *testing.T) {
			wrong := 0
			for round := range rounds {
				a := street(t, 1, Options{})
				if c.planned {
					plannedAll(t, a)
				}
				stocked(t, a, "L0", "tea", begin)
				keep := [3]int64{0, 5, 20}
				set := []Protection{{Channel: "C2", Units: 5}, {Channel: "C3", SKU: "tea", Location: "L0", Units: 20}}
				if c.canary {
					set = set[:1]
				}
				must(t, a.SetProtection(t.Context(), set...))
				if porcupine.CheckOperationsTimeout(counterModel(begin), counterHistory(a, uint64(round), keep), 5*time.Second) == porcupine.Illegal {
					wrong++
				}
			}
			if !c.canary && wrong > 0 || c.canary && wrong == 0 {
				t.Errorf("%d of %d histories have no order in which they are right", wrong, rounds)
			}
		})
	}
}

// Orders of two channels storm one shelf while the level of one is raised: once
// the call has returned, none of its orders leaves less, as an observer sees: what
// is below the level never falls.
func TestProtectionRaisedInAStorm(t *testing.T) {
	for _, planned := range []bool{false, true} {
		t.Run(fmt.Sprintf("planned=%v", planned), func(t *testing.T) {
			a := street(t, 1, Options{})
			if planned {
				plannedAll(t, a)
			}
			stocked(t, a, "L0", "tea", 40)
			var over atomic.Bool
			var all sync.WaitGroup
			for g := range 8 {
				all.Go(func() {
					r := rand.New(rand.NewPCG(uint64(g), 3))
					for i := 0; !over.Load(); i++ {
						o := from("C3", fmt.Sprintf("%d/%d", g, i), Line{"tea", 1 + r.Int64N(5)})
						if _, err := a.Allocate(context.Background(), o); err == nil && r.IntN(8) > 0 {
							_ = a.Cancel(context.Background(), o.ID)
						} else if err != nil && !errors.Is(err, ErrNoLocation) {
							t.Error(err)
						}
					}
				})
			}
			looks := 300
			for round := range 20 {
				level := int64(5 + round%4*5)
				must(t, a.SetProtection(t.Context(), Protection{Channel: "C3", Units: level}))
				before := int64(-1)
				for range looks {
					v, err := a.Available("tea", "L0")
					must(t, err)
					if v.Available < level && v.Available < before {
						t.Fatalf("fell from %d to %d, the level is %d", before, v.Available, level)
					}
					before = v.Available
				}
			}
			over.Store(true)
			all.Wait()
		})
	}
}

// A level counts only when no order is under way that may have read the old one.
func TestProtectionWaitsForOrdersUnderWay(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 5)
	order, err := a.gate.Begin(t.Context())
	must(t, err)
	set := make(chan error, 1)
	go func() { set <- a.SetProtection(context.Background(), Protection{Units: 2}) }()
	for !a.gate.Paused() {
		select {
		case err := <-set:
			order.Leave()
			t.Fatalf("did not wait: %v", err)
		default:
			runtime.Gosched()
		}
	}
	if a.channels.LevelsOf("") != nil {
		t.Error("counts while an order is under way")
	}
	order.Leave()
	must(t, <-set)
	open(t, a, "", "tea", "L0", 3)
}

// teaSum adds up what the cells of tea have on hand, each read for itself.
func teaSum(t testing.TB, a *Allocator, location string) (onHand, held int64) {
	t.Helper()
	sku, _ := a.ledger.SKU("tea")
	slot, _ := a.ledger.Slot(location)
	for _, v := range a.ledger.AvailableAll(sku, slot, nil) {
		if v.OnHand < 0 || v.Held < 0 || v.Held > v.OnHand {
			t.Fatalf("%d on hand, %d held in one cell", v.OnHand, v.Held)
		}
		onHand += v.OnHand
		held += v.Held
	}
	return onHand, held
}

// Quotas are set, lent and given back while orders of all channels come and go:
// the sum over all cells is what is on hand at every look, no cell is oversold,
// and in the end all is where it belongs, also after a restart.
func TestQuotasConserve(t *testing.T) {
	o := Options{Dir: t.TempDir(), Durability: Written}
	a, err := Open(t.Context(), o)
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}, Location{ID: "L1", Point: streetPoint(1)}))
	const units = 200
	stocked(t, a, "L0", "tea", units)
	stocked(t, a, "L1", "tea", units)
	channels := []string{"", "C1", "C2", "C3"}
	rounds := 150
	if !scaletest.Full() {
		rounds = 30
	}
	var over atomic.Bool
	var watch sync.WaitGroup
	watch.Go(func() {
		for !over.Load() {
			if sum, _ := teaSum(t, a, "L0"); sum != units {
				t.Errorf("%d on hand over all cells", sum)
				return
			}
		}
	})
	together(12, func(g int) { lendAndOrder(t, a, channels, g, rounds) })
	over.Store(true)
	watch.Wait()
	type cell struct {
		quota Quota
		level Availability
	}
	read := func() (cells []cell, loans []Loan) {
		for q, v := range a.Quotas() {
			cells = append(cells, cell{q, v})
		}
		for v := range a.Loans() {
			loans = append(loans, v)
		}
		return cells, loans
	}
	cells, loans := read()
	sum, holds := teaSum(t, a, "L0")
	report, err := a.Audit(t.Context())
	must(t, err)
	if sum != units || len(report.Differences) > 0 || len(cells) == 0 || len(loans) == 0 {
		t.Errorf("%d on hand, %d quotas, %d loans, %+v", sum, len(cells), len(loans), report.Differences)
	}
	must(t, a.Close())
	a = opened(t, o)
	cellsNow, loansNow := read()
	sumNow, holdsNow := teaSum(t, a, "L0")
	if fmt.Sprint(cellsNow, loansNow, sumNow, holdsNow) != fmt.Sprint(cells, loans, sum, holds) {
		t.Errorf("after a restart:\n%v %v %d %d\nbefore:\n%v %v %d %d", cellsNow, loansNow, sumNow, holdsNow, cells, loans, sum, holds)
	}
	// A channel's orders still look for their quota.
	if !a.channels.HasQuotas("C1") || a.channels.HasQuotas("C9") {
		t.Error("the channels with quotas are forgotten")
	}
}

// lendAndOrder sets quotas, lends, gives back and orders.
func lendAndOrder(t *testing.T, a *Allocator, channels []string, g, rounds int) {
	r := rand.New(rand.NewPCG(uint64(g), 9))
	for i := range rounds {
		id, ctx := fmt.Sprintf("%d/%d", g, i), context.Background()
		loan := Loan{ID: id, SKU: "tea", Location: "L0", From: channels[r.IntN(4)], To: channels[r.IntN(4)], Units: 1 + r.Int64N(9)}
		var err error
		switch r.IntN(5) {
		case 0:
			err = a.SetQuota(ctx, Quota{ID: id, Channel: channels[1+r.IntN(3)], SKU: "tea", Location: "L0", Units: r.Int64N(60)})
		case 1:
			err = a.Borrow(ctx, loan)
		case 2:
			err = a.GiveBack(ctx, loan)
		default:
			order := from(channels[r.IntN(4)], id, Line{"tea", 1 + r.Int64N(20)})
			if _, err = a.Allocate(ctx, order); err == nil && r.IntN(4) > 0 {
				err = a.Cancel(ctx, id)
			}
		}
		if err != nil && !errors.Is(err, ErrShortage) && !errors.Is(err, ErrNoLocation) && !(errors.Is(err, ErrInvalid) && loan.From == loan.To) {
			t.Error(err)
		}
	}
}
