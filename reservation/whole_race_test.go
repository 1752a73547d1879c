package reservation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"pgregory.net/rapid"
)

// severalAt is an order with parts at the locations of a ledger, one after the other.
func severalAt(t *testing.T, l *Ledger, id string, n, locations int, deadline int64, sku uint32) {
	t.Helper()
	var p Parts
	var found Entry
	var parts []Part
	for i := range n {
		parts = append(parts, Part{Hold: Hold{ID: id, Part: uint8(i + 1), Slot: uint32(i % locations), Deadline: deadline}, Lines: []Line{units(sku, 1)}})
	}
	if how := p.Reserve(l, parts, &found); how != Done {
		t.Fatal(how, p.Err())
	}
}

// recordsOf is how often the parts of each order are in a record of a kind, and in how many
// records.
func recordsOf(t *testing.T, l *Ledger, kind history.Kind) (parts, records map[string]int) {
	t.Helper()
	mustDo(t, l.Settled(context.Background()))
	parts, records = map[string]int{}, map[string]int{}
	for _, step := range l.History(context.Background(), 0, false) {
		mustDo(t, step.Err)
		if r := step.Record; r.Kind == kind {
			parts[r.ID] += max(1, len(r.Shares))
			records[r.ID]++
		}
	}
	return parts, records
}

// TestWholeExpires has orders of one to eight parts expire in batches: the parts of an
// order at one instant and in one record, those that are held longer later, and those
// that are confirmed never.
func TestWholeExpires(t *testing.T) {
	const orders, locations = 200, 3
	options := roomy
	options.FeedBytes, options.Remember = 1<<22, 1<<16
	l := floorOf(t, locations, 0, options)
	var tea uint32
	for slot := range uint32(locations) {
		tea = received(t, l, fmt.Sprint("tea", slot), slot, "tea", 8*orders)
	}
	want := map[string]int{}
	for i := range orders {
		id := fmt.Sprint("o", i)
		severalAt(t, l, id, 1+i%8, locations, 100, tea)
		want[id] = 1 + i%8
	}
	do(t, l, Change{Verb: history.Confirmed, ID: "o7", Part: 3})
	do(t, l, Change{Verb: history.Extended, ID: "o15", Part: 5, Deadline: 200})
	want["o7"], want["o15"] = 7, 7
	total := 0
	for more := true; more; {
		var did Due
		var err error
		did, more, err = l.ExpireSome(150)
		mustDo(t, err)
		if total += did.Expired; did.Expired > 8*expireBatch {
			t.Errorf("%d parts in one batch", did.Expired)
		}
		for i := range orders {
			held := 0
			all := l.FindAll(fmt.Sprint("o", i), nil)
			for _, e := range all {
				if e.State == Held {
					held++
				}
			}
			if i != 7 && i != 15 && held != 0 && held != len(all) {
				t.Fatalf("between two batches %d parts of %d are held", held, len(all))
			}
		}
	}
	parts, records := recordsOf(t, l, history.Expired)
	sum := 0
	for id, n := range want {
		if sum += n; parts[id] != n || records[id] != 1 {
			t.Errorf("%s: %d parts expired in %d records, want %d in one", id, parts[id], records[id], n)
		}
	}
	if total != sum {
		t.Errorf("%d are said to have expired, want %d", total, sum)
	}
	due, err := l.Expire(200)
	if err != nil || due != (Due{Expired: 1, Earliest: 200}) {
		t.Errorf("what was held longer: %+v %v", due, err)
	}
	all := l.FindAll("o7", nil)
	if states := []State{all[1].State, all[2].State, all[7].State}; !slices.Equal(states, []State{Expired, Confirmed, Expired}) {
		t.Errorf("%v", states)
	}
	if a, err := l.Audit(t.Context(), nil); err != nil || len(a.Differences) > 0 {
		t.Errorf("audit: %v %+v", err, a.Differences)
	}
}

// TestWholeBatches has orders of more parts expire than a batch may have lines: it ends
// between two orders.
func TestWholeBatches(t *testing.T) {
	const orders = 12
	options := roomy
	options.book, options.Remember = func(remember int) *book.Book { return book.Fixed(remember, 1) }, 1<<16
	l := floorOf(t, 1, 0, options)
	tea := received(t, l, "tea", 0, "tea", orders*math.MaxUint8)
	for i := range orders {
		severalAt(t, l, fmt.Sprint("o", i), math.MaxUint8, 1, 100, tea)
	}
	batches := 0
	for more := true; more; batches++ {
		did, again, err := l.ExpireSome(100)
		mustDo(t, err)
		if more = again; did.Expired%math.MaxUint8 != 0 || did.Expired >= expireLines+math.MaxUint8 {
			t.Errorf("%d parts in one batch", did.Expired)
		}
		if free := l.Available(tea, 0).Available; free%math.MaxUint8 != 0 {
			t.Errorf("%d are available", free)
		}
	}
	if live, _ := l.state.Book.Len(); live != 0 || batches < orders*math.MaxUint8/(expireLines+math.MaxUint8) {
		t.Errorf("%d are live after %d batches", live, batches)
	}
}

// TestWholeExpiryRace lets confirmations of whole orders race their expiry: one of them
// wins, for all parts.
func TestWholeExpiryRace(t *testing.T) {
	const locations, each = 3, 3
	rounds := 4_000
	if !scaletest.Full() {
		rounds = 400
	}
	options := roomy
	options.FeedBytes, options.Remember = 1<<26, 1<<16
	l := floorOf(t, locations, 0, options)
	var tea uint32
	for slot := range uint32(locations) {
		tea = received(t, l, fmt.Sprint("tea", slot), slot, "tea", int64(rounds))
	}
	won := [2]int{}
	for i := range rounds {
		id := fmt.Sprint("o", i)
		severalAt(t, l, id, each, locations, int64(i), tea)
		var all sync.WaitGroup
		var confirmed, expired error
		calls := []func(){
			func() { _, _, confirmed = l.Do(&Change{Verb: history.Confirmed, ID: id, Now: int64(i)}) },
			func() { _, expired = l.Expire(int64(i)) },
		}
		all.Go(calls[i%2]) // the one that is started last mostly comes first
		all.Go(calls[1-i%2])
		seen := l.FindAll(id, nil)
		all.Wait()
		parts := l.FindAll(id, nil)
		for _, some := range [][]Entry{seen, parts} {
			for _, e := range some {
				if e.State != some[0].State {
					t.Fatalf("%s is half changed: part 1 is %v, part %d %v", id, some[0].State, e.Part, e.State)
				}
			}
		}
		switch {
		case expired != nil:
			t.Fatal(expired)
		case parts[0].State == Confirmed && confirmed == nil:
			won[0]++
		case parts[0].State == Expired && errors.Is(confirmed, ErrEnded):
			won[1]++
		default:
			t.Fatalf("%s is %v, and the confirmation was told %v", id, parts[0].State, confirmed)
		}
	}
	if t.Logf("%d were confirmed, %d expired", won[0], won[1]); won[0] == 0 || won[1] == 0 {
		t.Error("one has always won")
	}
	for _, kind := range []history.Kind{history.Confirmed, history.Expired} {
		parts, records := recordsOf(t, l, kind)
		for id := range records {
			if parts[id] != each || records[id] != 1 {
				t.Errorf("%s: %v of %d parts in %d records", id, kind, parts[id], records[id])
			}
		}
	}
}

// pieces are IDs that are made of each other, as a former version numbered parts, and
// otherwise.
var pieces = []string{"x", "x/1", "x/2", "x/2/2", "/2", "x/", "x\x00", "x\x002", "x\x00\x02", "x2", "xx"}

// TestNoOrderTouchesAnother changes orders whose IDs are made of each other's: nothing
// but the order that is named changes, and an ID of a change, of an order or of a
// movement is in nobody's way.
func TestNoOrderTouchesAnother(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const locations = 2
		options := roomy
		options.FeedBytes, options.book = 1<<20, smallBook
		l := floorOf(t, locations, 0, options)
		tea := received(t, l, "goods0", 0, "tea", 1000)
		received(t, l, "goods1", 1, "tea", 1000)
		made := map[string]map[int]bool{}
		changes := map[string]bool{}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			id := rapid.SampledFrom(pieces).Draw(rt, "id")
			number := rapid.IntRange(0, 4).Draw(rt, "part")
			before := allOf(l)
			switch rapid.IntRange(0, 4).Draw(rt, "call") {
			case 0:
				if made[id] == nil {
					made[id] = map[int]bool{}
					n := rapid.IntRange(1, 3).Draw(rt, "parts")
					severalAt(t, l, id, n, locations, 1000, tea)
					for i := range n {
						made[id][i+1] = true
					}
				}
			case 1:
				to := max(2, number)
				if !made[id][1] || made[id][to] {
					break
				}
				var p Parts
				var found Entry
				r := Reroute{ID: id, Lines: []Line{units(tea, 1)}, To: Part{Hold: Hold{Part: uint8(to), Slot: 1}, Lines: []Line{units(tea, 1)}}}
				if p.Reroute(l, &r, &found) == Done {
					made[id][to] = true
				}
			case 2:
				mustDo(t, moved(l, &Movement{ID: id, Cause: history.Sold, Slot: 0, Lines: []MovementLine{{"tea", 1}}}))
			default:
				verb := rapid.SampledFrom([]history.Kind{history.Confirmed, history.Accepted, history.Ready, history.Canceled, history.Collected}).Draw(rt, "verb")
				c := Change{Verb: verb, ID: id, Part: uint8(number), Deadline: 2000}
				if key := rapid.SampledFrom(append(pieces, "")).Draw(rt, "change"); !changes[key] {
					c.ID2 = key
				}
				_, _, err := l.Do(&c)
				if there := made[id] != nil && (number == 0 || made[id][number]); there == errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) {
					rt.Fatalf("%v of part %d of %q: %v", verb, number, id, err)
				}
				changes[c.ID2] = err == nil && c.ID2 != ""
			}
			after := allOf(l)
			for n := range after {
				if n.ID != id && before[n] != after[n] {
					rt.Fatalf("a call on %q has changed %v from %s to %s", id, n, before[n], after[n])
				}
			}
			checkPieces(rt, l, made, len(after))
		}
	})
}

// checkPieces compares the parts of all orders with those that were made.
func checkPieces(t *rapid.T, l *Ledger, made map[string]map[int]bool, n int) {
	var e Entry
	for _, id := range pieces {
		numbers := map[int]bool{}
		for _, e := range l.FindAll(id, nil) {
			numbers[e.Part] = true
		}
		n -= len(numbers)
		if !maps.Equal(numbers, made[id]) && len(numbers)+len(made[id]) > 0 {
			t.Fatalf("%q has the parts %v, want %v", id, numbers, made[id])
		}
		for number := range 6 {
			if l.FindPart(id, number, &e) != made[id][max(number, 1)] || e.Part != max(number, 1) && made[id][max(number, 1)] {
				t.Fatalf("part %d of %q: %+v", number, id, e)
			}
		}
	}
	if n != 0 {
		t.Fatalf("%d parts more than were made", n)
	}
	if l.FindPart("x", -1, &e) || l.FindPart("x", 256, &e) || l.FindPart("x", 257, &e) {
		t.Fatal("a part of no number")
	}
}

// TestWholeHammer has callers take the same orders through their lives by verbs on the
// whole and on parts, while goods are counted and sold where they lie, and others look:
// nobody sees an order half sent. In the end all adds up.
func TestWholeHammer(t *testing.T) {
	const locations, orders, callers = 4, 24, 6
	rounds := 500 // without its locks the order passes one of eight runs of 100
	if !scaletest.Full() {
		rounds = 20
	}
	var did [256]atomic.Int64
	for round := range uint64(rounds) {
		options := roomy
		options.FeedBytes, options.Remember = 1<<22, 1<<16
		l := floorOf(t, locations, 0, options)
		var tea uint32
		for slot := range uint32(locations) {
			tea = received(t, l, fmt.Sprint("tea", slot), slot, "tea", 4*orders)
		}
		for i := range orders {
			severalAt(t, l, fmt.Sprint("o", i), 2+i%3, locations, 1000, tea)
		}
		var all sync.WaitGroup
		for caller := range uint64(callers) {
			all.Go(func() {
				draw := rand.New(rand.NewPCG(round, caller))
				for i := range 120 {
					if err := hammer(l, draw, &did, fmt.Sprint(caller, ".", i), orders, locations); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if a, err := l.Audit(t.Context(), nil); err != nil || len(a.Differences) > 0 {
			t.Fatalf("round %d, audit: %v %+v", round, err, a.Differences)
		}
		addsUp(t, l)
		mustDo(t, l.Close())
	}
	for _, verb := range hammered {
		if did[verb].Load() == 0 {
			t.Errorf("nothing was %v", verb)
		}
	}
}

// addsUp checks that what each record says is on hand is what was there and what it moves,
// and that in the end so much is there.
func addsUp(t *testing.T, l *Ledger) {
	t.Helper()
	type cell struct{ sku, slot uint32 }
	onHand := map[cell]int64{}
	mustDo(t, l.Settled(context.Background()))
	for sequence, step := range l.History(context.Background(), 0, false) {
		mustDo(t, step.Err)
		r := step.Record
		moves := map[history.Kind]int64{history.Moved: 1, history.Arrived: 1, history.Returned: 1, history.Collected: -1, history.Dispatched: -1, history.ShortPicked: -1}[r.Kind]
		lines, shares := r.Lines, r.Shares
		if len(shares) == 0 {
			shares = []history.Share{{Slot: r.Slot, Lines: len(lines)}}
		}
		for _, s := range shares {
			for _, line := range lines[:s.Lines] {
				c := cell{line.SKU, s.Slot}
				least, most := onHand[c]+moves*line.Units, onHand[c]+moves*line.Units
				if r.Kind == history.ShortPicked { // units that are short had left before
					most = onHand[c]
				}
				if moves != 0 && (line.OnHand < least || line.OnHand > most) {
					t.Fatalf("record %d (%v %q) says that %d are on hand, they add up to %d", sequence, r.Kind, r.ID, line.OnHand, least)
				}
				if moves != 0 {
					onHand[c] = line.OnHand
				}
			}
			lines = lines[s.Lines:]
		}
	}
	for c, units := range onHand {
		if got := l.Available(c.sku, c.slot).OnHand; got != units {
			t.Errorf("SKU %d at %d: %d on hand, the journal says %d", c.sku, c.slot, got, units)
		}
	}
}

// hammered is what orders go through, often and seldom.
var hammered = []history.Kind{history.Confirmed, history.Confirmed, history.Accepted, history.Dispatched, history.Arrived, history.Arrived, history.Ready,
	history.Collected, history.ShortPicked, history.Canceled, history.Returned}

// hammer makes one call. Orders of even number are only changed as a whole.
func hammer(l *Ledger, draw *rand.Rand, did *[256]atomic.Int64, name string, orders, locations int) error {
	number := draw.IntN(orders)
	id, slot := fmt.Sprint("o", number), uint32(draw.IntN(locations))
	c := Change{Verb: hammered[draw.IntN(len(hammered))], ID: id, Now: 10, Deadline: 5000, Slot: slot, Cause: history.Restocked, Part: uint8(draw.IntN(3) * (number % 2))}
	switch draw.IntN(6) {
	case 0:
		return moved(l, &Movement{ID: name, Cause: history.Counted, Slot: slot, Now: 10, Lines: []MovementLine{{"tea", int64(draw.IntN(8 * orders))}}})
	case 1, 2:
		all := l.FindAll(id, nil)
		for _, e := range all {
			if number%2 == 0 && e.State != all[0].State {
				return fmt.Errorf("%s is half changed: part 1 is %v, part %d %v", id, all[0].State, e.Part, e.State)
			}
		}
		return nil
	}
	_, _, err := l.Do(&c)
	if err == nil {
		did[c.Verb].Add(1)
	}
	if fact(err) == ErrEnded || fact(err) == ErrState || fact(err) == ErrShortage || fact(err) == ErrNotFound {
		return nil
	}
	return err
}
