package reservation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// A picker makes reservations at a few locations, and takes them through their
// lives, with deadlines and promises that often are the same.
type picker struct {
	l     *Ledger
	r     *rand.Rand
	sku   uint32
	name  string
	ids   []Name
	count int
	now   int64
}

const pickLocations = 3

func newPickLedger(t testing.TB) (*Ledger, uint32) {
	options := roomy
	options.Remember = 64
	l := floorOf(t, pickLocations, 0, options)
	var sku uint32
	for slot := range uint32(pickLocations) {
		sku = received(t, l, fmt.Sprint("goods", slot), slot, "tea", 1<<20)
	}
	return l, sku
}

func (p *picker) one() {
	p.now++
	if len(p.ids) == 0 || p.r.IntN(3) == 0 {
		p.count++
		id := PartName(fmt.Sprint(p.name, p.count), 1)
		if n := len(p.ids); n > 0 && p.r.IntN(3) == 0 {
			id = PartName(p.ids[n-1].ID, 2+p.count%200) // one more part of an order
		}
		c, table := Claim{}, p.l.Table()
		if !c.Bind(p.l, table, []Line{units(p.sku, 1)}) {
			return
		}
		hold := Hold{ID: id.ID, Part: id.Part, Parts: 255, Slot: p.r.Uint32N(pickLocations), Now: p.now, Deadline: p.now + 1 + p.r.Int64N(8), Promise: p.r.Int64N(3) * p.r.Int64N(5)}
		var found Entry
		if c.Reserve(table.Space.Number(hold.Slot), &hold, &found) == Done {
			p.ids = append(p.ids, id)
		}
		return
	}
	at := p.r.IntN(len(p.ids))
	id := p.ids[at]
	c := Change{ID: id.ID, Part: uint8(id.Number()), Now: p.now}
	switch p.r.IntN(7) {
	case 0:
		c.Verb, c.Deadline = history.Extended, p.now+p.r.Int64N(20)
	case 1, 2:
		c.Verb = history.Confirmed
	case 3:
		c.Verb, c.Deadline = history.Ready, p.now+p.r.Int64N(9)
	case 4:
		to := p.r.Uint32N(pickLocations)
		var parts Parts
		var found Entry
		parts.Reroute(p.l, &Reroute{ID: id.ID, Part: id.Part, Now: p.now, To: Part{Hold: Hold{Slot: to, Promise: p.r.Int64N(4)}, Lines: []Line{units(p.sku, 1)}}}, &found)
		return
	case 5:
		c.Verb = history.Collected
	case 6:
		c.Verb = history.Canceled
	}
	state, _, err := p.l.Do(&c)
	if err == nil && state.Ended() || err != nil && strings.Contains(err.Error(), "found") {
		p.ids = slices.Delete(p.ids, at, at+1)
	}
}

// pages reads the whole pick list in pages.
func pages(l *Ledger, slot uint32, length int, some ...State) (all []Pick) {
	var after *Pick
	for {
		page, _ := l.PickList(nil, slot, after, some, length)
		all = append(all, page...)
		if len(page) < length {
			return all
		}
		after = &all[len(all)-1]
	}
}

// placeOf is the place of a live reservation in the pick list.
func placeOf(id string, e *Entry) Pick {
	n := PartName(id, e.Part)
	switch {
	case e.Promise != 0:
		return Pick{Class: 0, Time: e.Promise, Name: n}
	case e.State == Ready:
		return Pick{Class: 1, Time: e.Pickup, Name: n}
	case e.State == Held:
		return Pick{Class: 1, Time: e.Deadline, Name: n}
	}
	return Pick{Class: 2, Name: n}
}

// pickDifference compares the pages with all live reservations, sorted.
func pickDifference(l *Ledger, slot uint32, length int, some ...State) string {
	var want []Pick
	for id, e := range l.At(slot) {
		if len(some) == 0 || slices.Contains(some, e.State) {
			want = append(want, placeOf(id, e))
		}
	}
	slices.SortFunc(want, func(a, b Pick) int { return a.Compare(&b) })
	same := func(a, b Pick) bool { return a.Compare(&b) == 0 }
	if got := pages(l, slot, length, some...); !slices.EqualFunc(got, want, same) {
		return fmt.Sprintf("location %d in pages of %d: got %+v, want %+v", slot, length, got, want)
	}
	return ""
}

// TestPickListIsAllSorted compares pages of any length with a look at all live
// reservations, through whole lives, reroutes and lists that were dropped.
func TestPickListIsAllSorted(t *testing.T) {
	steps := 6_000
	if scaletest.Full() {
		steps = 60_000
	}
	for seed := range uint64(3) {
		l, sku := newPickLedger(t)
		p := picker{l: l, r: rand.New(rand.NewPCG(seed, 1)), sku: sku, name: "r"}
		for step := range steps {
			p.one()
			if p.r.IntN(40) == 0 {
				if _, err := l.Expire(p.now); err != nil {
					t.Fatal(err)
				}
			}
			slot := p.r.Uint32N(pickLocations)
			if slot == 0 && step%4_000 < 3_900 || p.r.IntN(3) > 0 {
				continue // the first location is asked rarely, so that its list is dropped
			}
			if fault := pickDifference(l, slot, 1+p.r.IntN(9)); fault != "" {
				t.Fatalf("seed %d, step %d: %s", seed, step, fault)
			}
			if fault := pickDifference(l, slot, 4, Ready, Held); fault != "" {
				t.Fatalf("seed %d, step %d: %s", seed, step, fault)
			}
		}
	}
}

// TestPickListWhileAllChanges reads pages while others make and end reservations: a
// page ascends and names nobody twice, and when all is quiet the list is right.
func TestPickListWhileAllChanges(t *testing.T) {
	l, sku := newPickLedger(t)
	var work, read sync.WaitGroup
	done := make(chan struct{})
	for i := range 3 {
		work.Go(func() {
			p := picker{l: l, r: rand.New(rand.NewPCG(7, uint64(i))), sku: sku, name: fmt.Sprint("w", i, "-")}
			for range 8_000 {
				p.one()
			}
		})
	}
	for i := range 2 {
		read.Go(func() {
			r := rand.New(rand.NewPCG(8, uint64(i)))
			for {
				select {
				case <-done:
					return
				default:
				}
				all, _ := l.PickList(nil, r.Uint32N(pickLocations), nil, nil, 1+r.IntN(100))
				ascends := slices.IsSortedFunc(all, func(a, b Pick) int { return a.Compare(&b) })
				seen := map[Name]bool{}
				for _, p := range all {
					if seen[p.Name] {
						ascends = false
					}
					seen[p.Name] = true
				}
				if !ascends {
					t.Errorf("not in order, or one twice: %+v", all)
					return
				}
			}
		})
	}
	work.Wait()
	close(done)
	read.Wait()
	for slot := range uint32(pickLocations) {
		if fault := pickDifference(l, slot, 7); fault != "" {
			t.Error(fault)
		}
	}
}

// BenchmarkPickList is a page of 50 of 100,000 live reservations, the first and
// the hundredth.
func BenchmarkPickList(b *testing.B) {
	l, sku := newPickLedger(b)
	p := picker{l: l, r: rand.New(rand.NewPCG(3, 3)), sku: sku, name: "r"}
	c, table, found := Claim{}, l.Table(), Entry{}
	for i := range 100_000 {
		if !c.Bind(l, table, []Line{units(p.sku, 1)}) {
			b.Fatal("no goods")
		}
		hold := Hold{ID: fmt.Sprint("SO-", i), Deadline: 1 + p.r.Int64N(1<<40)}
		c.Reserve(table.Space.Number(0), &hold, &found)
	}
	var hundredth *Pick
	for range 99 {
		page, _ := l.PickList(nil, 0, hundredth, nil, 50)
		hundredth = &page[49]
	}
	for name, after := range map[string]*Pick{"first": nil, "hundredth": hundredth} {
		b.Run("page="+name, func(b *testing.B) {
			picks := make([]Pick, 0, 50)
			for b.Loop() {
				picks, _ = l.PickList(picks[:0], 0, after, nil, 50)
			}
		})
	}
}
