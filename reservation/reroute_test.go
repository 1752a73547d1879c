package reservation

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// observed is a ledger with a few locations that have one unit of a SKU each, and
// a confirmed reservation of it at the first.
func observed(t *testing.T, locations int) (l *Ledger, sku uint32) {
	t.Helper()
	l = floorOf(t, locations, 0, roomy)
	for slot := range uint32(locations) {
		sku = received(t, l, fmt.Sprint("first", slot), slot, "tea", 1)
	}
	if how, _ := reserve(l, "order", 1, 0, units(sku, 1)); how != Done {
		t.Fatal(how)
	}
	do(t, l, Change{Verb: history.Confirmed, ID: "order"})
	return l, sku
}

// whileObserved runs work, and lets observers look meanwhile.
func whileObserved(t *testing.T, work func(), look func() error) {
	t.Helper()
	const observers = 3
	var stop atomic.Bool
	var seen atomic.Int64
	var all sync.WaitGroup
	for range observers {
		all.Go(func() {
			for !stop.Load() && !t.Failed() {
				if err := look(); err != nil {
					t.Error(err)
				}
				seen.Add(1)
			}
		})
	}
	for seen.Load() < observers {
		runtime.Gosched()
	}
	work()
	stop.Store(true)
	all.Wait()
}

func rerouteRounds() int {
	if !scaletest.Full() {
		return 5_000
	}
	return 40_000
}

// TestObserverSeesOneClaim takes a reservation to and fro while others look at it:
// it always has exactly one location, and its unit is always taken there.
func TestObserverSeesOneClaim(t *testing.T) {
	const locations = 3
	l, sku := observed(t, locations)
	var moves atomic.Int64
	whileObserved(t, func() {
		var p Parts
		var found Entry
		for i := range rerouteRounds() {
			to := uint32(i+1) % locations
			r := Reroute{ID: "order", Now: int64(i), To: Part{Hold: Hold{Slot: to}, Lines: []Line{units(sku, 1)}}}
			if how := p.Reroute(l, &r, &found); how != Done || found.Slot != to {
				t.Errorf("reroute %d: %d, %v", i, how, p.Err())
				return
			}
			moves.Add(1)
		}
	}, func() error {
		var first, second Entry
		began := moves.Load()
		l.Find("order", &first)
		level := l.Available(sku, first.Slot)
		l.Find("order", &second)
		if first.State != Confirmed || first.Lines[0].Confirmed != 1 {
			return fmt.Errorf("the order is seen without a claim: %+v", first)
		}
		// One more than what had been done before may be under way.
		if now := moves.Load(); first.Slot == second.Slot && now-began < locations-1 && level.Held != 1 {
			return fmt.Errorf("the order is at %d, where its unit is not taken: %+v", first.Slot, level)
		}
		return nil
	})
	if a, _ := l.Audit(t.Context(), nil); len(a.Differences) > 0 {
		t.Errorf("%+v", a.Differences)
	}
}

// TestObserverSeesOnePart takes a unit from part to part of an order while others
// look at both: it is always in exactly one.
func TestObserverSeesOnePart(t *testing.T) {
	const locations = 3
	l, sku := observed(t, locations)
	do(t, l, Change{Verb: history.Canceled, ID: "order"})
	var last atomic.Int64
	whileObserved(t, func() {
		var p Parts
		var found Entry
		for order := range rerouteRounds() / 4 / math.MaxUint8 {
			id := fmt.Sprint("order", order)
			if how, _ := reserve(l, id, 1, 0, units(sku, 1)); how != Done {
				t.Errorf("reserve: %d", how)
				return
			}
			do(t, l, Change{Verb: history.Confirmed, ID: id})
			for i := 1; i < math.MaxUint8; i++ {
				last.Store(int64(order)<<8 | int64(i))
				r := Reroute{ID: id, Part: uint8(i), Now: int64(i), To: Part{Hold: Hold{Part: uint8(i + 1), Slot: uint32(i) % locations}, Lines: []Line{units(sku, 1)}}}
				if how := p.Reroute(l, &r, &found); how != Done || found.State != Rerouted {
					t.Errorf("reroute %d: %d, %v", i, how, p.Err())
					return
				}
			}
			do(t, l, Change{Verb: history.Canceled, ID: id})
		}
	}, func() error {
		var before, next, after Entry
		n := last.Load()
		id, part := fmt.Sprint("order", n>>8), int(n&0xff)
		if part == 0 || !l.FindPart(id, part, &before) {
			return nil // not begun, or forgotten
		}
		found := l.FindPart(id, part+1, &next)
		if !l.FindPart(id, part, &after) || before.State != after.State {
			return nil
		}
		if live := before.State == Confirmed; live == found && before.State != Canceled {
			return fmt.Errorf("part %d is %v, and the next one there: %v, %v", part, before.State, found, next.State)
		}
		if found && (next.From != part || next.Lines[0].Quantity != 1) {
			return fmt.Errorf("part %d comes from %d", part+1, next.From)
		}
		open := 0
		all := l.FindAll(id, nil)
		for i := range all {
			open += int(all[i].Lines[0].Confirmed)
			if all[i].Part != all[0].Part+i { // the first ones may be forgotten
				return fmt.Errorf("part %d comes where %d should", all[i].Part, all[0].Part+i)
			}
		}
		if open != 1 && len(all) > 0 && all[len(all)-1].State != Canceled {
			return fmt.Errorf("%d units in %d parts", open, len(all))
		}
		return nil
	})
}

// TestRerouteRace lets callers reroute, confirm, cancel, collect and expire the
// same reservations at once. Exactly one ends each, every unit that was ordered is
// in one place, what is taken adds up, and all of it is there again after a
// restart.
func TestRerouteRace(t *testing.T) {
	rounds := 24
	if !scaletest.Full() {
		rounds = 4
	}
	var did [256]int64 // in a single round others may always have come first
	for round := range uint64(rounds) {
		o := Options{SKUs: 4, Locations: 4, Remember: 1 << 16, Dir: t.TempDir(), SegmentBytes: 1 << 20}
		l, err := Open(o)
		mustDo(t, err)
		race := newRerouteRace(t, l)
		race.run(t, round)
		race.add(&did)
		race.check(t, l)
		mustDo(t, l.Close())
		again, err := Open(o)
		mustDo(t, err)
		again.Renumber([]uint32{0, 1, 2}, 0, func(*Table) {})
		mustDo(t, again.Fill())
		race.check(t, again)
		race.same(t, l, again)
		mustDo(t, again.Close())
	}
	for _, verb := range []history.Kind{history.Rerouted, history.Canceled, history.Collected, history.Confirmed} {
		if did[verb] == 0 {
			t.Errorf("nothing was %v", verb)
		}
	}
	if did[0] == 0 {
		t.Error("nobody came too late")
	}
}

// Sizes of TestRerouteRace.
const (
	raceOrders    = 60
	raceLocations = 3
	raceStock     = 200
	raceTries     = 300 // of each caller
)

// rerouteRace is a ledger with callers who are after the same few orders.
type rerouteRace struct {
	l    *Ledger
	skus [2]uint32
	did  [256]atomic.Int64 // by verb
	lost atomic.Int64      // calls that came too late
}

func newRerouteRace(t *testing.T, l *Ledger) *rerouteRace {
	t.Helper()
	r := &rerouteRace{l: l}
	var order []uint32
	for slot := range raceLocations {
		at, _, err := l.AddSlot(fmt.Sprint("l", slot), nil, 0)
		mustDo(t, err)
		order = append(order, at)
	}
	l.Renumber(order, 0, func(*Table) {})
	mustDo(t, l.Fill())
	for slot := range uint32(raceLocations) {
		for i, name := range []string{"tea", "cup"} {
			r.skus[i] = received(t, l, fmt.Sprint(name, slot), slot, name, raceStock)
		}
	}
	var p Parts
	var found Entry
	for i := range raceOrders {
		id := fmt.Sprint("o", i)
		parts := []Part{
			{Hold: Hold{ID: id, Slot: uint32(i) % raceLocations, Deadline: 1000, Parts: 2}, Lines: []Line{units(r.skus[0], 2), units(r.skus[1], 1)}},
			{Hold: Hold{ID: id, Part: 2, Slot: uint32(i+1) % raceLocations, Deadline: 1000, Parts: 2}, Lines: []Line{units(r.skus[1], 3)}},
		}
		if how := p.Reserve(l, parts, &found); how != Done {
			t.Fatal(how, p.Err())
		}
	}
	return r
}

// run lets the callers loose.
func (r *rerouteRace) run(t *testing.T, seed uint64) {
	t.Helper()
	var all sync.WaitGroup
	for caller := range uint64(6) {
		all.Go(func() {
			draw := rand.New(rand.NewPCG(seed, caller))
			var p Parts
			var found Entry
			for range raceTries {
				var err error
				if draw.IntN(2) == 0 {
					err = r.reroute(draw, &p, &found)
				} else {
					err = r.other(draw)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// add counts what was done in a round; at 0, which is no verb, the calls that came
// too late.
func (r *rerouteRace) add(did *[256]int64) {
	did[0] += r.lost.Load()
	for verb := range did {
		did[verb] += r.did[verb].Load()
	}
}

func (r *rerouteRace) id(draw *rand.Rand) (id string, part int) {
	return fmt.Sprint("o", draw.IntN(raceOrders)), 1 + draw.IntN(3)/2
}

// late counts what only says that somebody else was first.
func (r *rerouteRace) late(err error) error {
	for _, fact := range []error{ErrEnded, ErrState, ErrShortage, ErrInvalid, ErrNotFound} {
		if errors.Is(err, fact) {
			r.lost.Add(1)
			return nil
		}
	}
	return err
}

// reroute takes all of a reservation, or one unit, elsewhere.
func (r *rerouteRace) reroute(draw *rand.Rand, p *Parts, found *Entry) error {
	id, part := r.id(draw)
	if !r.l.FindPart(id, part, found) {
		return fmt.Errorf("%q is not there", id)
	}
	x := Reroute{ID: id, Part: uint8(part), Now: 10, To: Part{Hold: Hold{Slot: uint32(draw.IntN(raceLocations))}}}
	for _, line := range found.Lines {
		if open := line.Held + line.Confirmed; open > 0 {
			x.To.Lines = append(x.To.Lines, units(line.SKU, open))
		}
	}
	if len(x.To.Lines) == 0 {
		return nil
	}
	if draw.IntN(2) == 0 {
		x.To.Part = uint8(3 + draw.IntN(math.MaxUint8-2)) // which may be there
		x.To.Lines = []Line{units(x.To.Lines[0].SKU, 1)}
		x.Lines = x.To.Lines
	}
	switch how := p.Reroute(r.l, &x, found); how {
	case Done:
		r.did[history.Rerouted].Add(1)
	case Failed:
		return r.late(p.Err())
	case Known:
	default:
		return fmt.Errorf("reroute %q: line %d is short", id, how)
	}
	return nil
}

// other is any other change.
func (r *rerouteRace) other(draw *rand.Rand) error {
	verbs := [...]history.Kind{history.Confirmed, history.Confirmed, history.Canceled, history.Collected, history.Expired, history.Accepted, history.Rejected, history.ShortPicked}
	id, part := r.id(draw)
	c := Change{Verb: verbs[draw.IntN(len(verbs))], ID: id, Part: uint8(part), Now: 10}
	if draw.IntN(4) == 0 {
		c.Part = 0
	}
	switch {
	case c.Verb == history.Expired && draw.IntN(40) == 0:
		_, err := r.l.Expire(1000)
		return err
	case c.Verb == history.Expired:
		return nil
	case draw.IntN(3) > 0:
		c.Lines = []Line{units(r.skus[draw.IntN(2)], 1)}
	}
	_, _, err := r.l.Do(&c)
	if err == nil {
		r.did[c.Verb].Add(1)
	}
	return r.late(err)
}

// check adds everything up.
func (r *rerouteRace) check(t *testing.T, l *Ledger) {
	t.Helper()
	var held, gone [2][raceLocations]int64
	given := map[Name]int64{} // what the parts that name a part took from it
	for id, e := range l.All() {
		open := int64(0)
		for _, line := range e.Lines {
			i := slices.Index(r.skus[:], line.SKU)
			held[i][e.Slot] += line.Held + line.Confirmed
			gone[i][0] += line.Collected + line.Missing
			open += line.Held + line.Confirmed
			if line.Canceled() < 0 {
				t.Errorf("%q: %+v", id, line)
			}
			if e.From != 0 {
				given[PartName(id, e.From)] += line.Quantity
			}
		}
		if (open > 0) == e.State.Ended() {
			t.Errorf("%q is %v with %d units open", id, e.State, open)
		}
	}
	for id, e := range l.All() {
		rerouted := int64(0)
		for _, line := range e.Lines {
			rerouted += line.Rerouted
		}
		if came := given[PartName(id, e.Part)]; rerouted != came {
			t.Errorf("part %d of %q gave %d units away, %d came", e.Part, id, rerouted, came)
		}
		if root := e.Part <= 2; root != (e.From == 0) {
			t.Errorf("part %d of %q comes from %d", e.Part, id, e.From)
		}
	}
	for i, sku := range r.skus {
		left := int64(raceLocations * raceStock)
		for slot := range uint32(raceLocations) {
			level := l.Available(sku, slot)
			if level.Held != held[i][slot] {
				t.Errorf("SKU %d at %d: %d taken, the reservations hold %d", sku, slot, level.Held, held[i][slot])
			}
			left -= level.OnHand
		}
		if left != gone[i][0] {
			t.Errorf("SKU %d: %d units are gone, %d were collected or not found", sku, left, gone[i][0])
		}
	}
	if a, err := l.Audit(t.Context(), nil); err != nil || len(a.Differences) > 0 {
		t.Errorf("%v %+v", err, a.Differences)
	}
}

// same compares all reservations of two ledgers.
func (r *rerouteRace) same(t *testing.T, a, b *Ledger) {
	t.Helper()
	var other Entry
	n := 0
	for id, e := range a.All() {
		if n++; !b.FindPart(id, e.Part, &other) || fmt.Sprintf("%+v", *e) != fmt.Sprintf("%+v", other) {
			t.Fatalf("%q was %+v, is %+v", id, *e, other)
		}
	}
	for range b.All() {
		n--
	}
	if n != 0 {
		t.Fatalf("%d reservations more than before", -n)
	}
}
