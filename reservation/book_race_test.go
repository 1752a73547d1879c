package reservation

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// orderKeeper is what the race check needs of a book.
type orderKeeper interface {
	add(kind entryKind, id string, e *entry, found *entry) bool
	find(kind entryKind, id string, into *entry) bool
	resolve(id string, to State, lines, buf []entryLine) (uint32, State, []entryLine, resolveOutcome)
}

const (
	racers    = 8
	raceUnits = 4 // of each line of an order
	raceLines = 3
)

// racer is what one goroutine saw, by order: whose content won, and the units
// it ended per line and end.
type racer struct {
	winner []uint64
	added  []bool
	ended  [][raceLines][2]uint32
	final  []State
	fault  error
}

// raceCheck lets goroutines add the same IDs with different content and end
// the same units, and reports the first thing that cannot be if each of these
// is one step: two winners, two contents, a unit ended twice or never.
func raceCheck(k orderKeeper, ids []string) error {
	seen := make([]racer, racers)
	var start, done sync.WaitGroup
	start.Add(1)
	for g := range seen {
		r := &seen[g]
		r.winner, r.added = make([]uint64, len(ids)), make([]bool, len(ids))
		r.ended, r.final = make([][raceLines][2]uint32, len(ids)), make([]State, len(ids))
		done.Go(func() {
			start.Wait()
			r.run(k, ids, uint64(g+1))
		})
	}
	start.Done()
	done.Wait()
	return judge(k, ids, seen)
}

func (r *racer) run(k orderKeeper, ids []string, self uint64) {
	random := rand.New(rand.NewPCG(self, 2))
	e := entry{fingerprint: self, location: uint32(self), distance: float64(self), state: Held}
	for sku := range uint32(raceLines) {
		e.lines = append(e.lines, entryLine{sku: sku, quantity: raceUnits, held: raceUnits})
	}
	var found entry
	var buf []entryLine
	for i, id := range ids {
		r.winner[i] = self
		if b, ok := k.(*book); ok {
			b.prefetch(kindOrder, ids[(i+5)%len(ids)])
		}
		if r.added[i] = k.add(kindOrder, id, &e, &found); !r.added[i] {
			r.winner[i] = found.fingerprint
			if uint64(found.location) != found.fingerprint || found.distance != float64(found.fingerprint) {
				r.fault = fmt.Errorf("torn content of %s: %+v", id, found)
			}
		}
		for step := 0; ; step++ {
			end, lines := random.IntN(2), []entryLine(nil)
			if step < 6 {
				lines = []entryLine{{sku: random.Uint32N(raceLines), quantity: 1}}
			}
			_, state, taken, outcome := k.resolve(id, []State{Collected, Canceled}[end], lines, buf[:0])
			buf = taken
			if outcome == resolved {
				for _, l := range taken {
					r.ended[i][l.sku][end] += l.quantity
				}
			}
			if outcome == notFound {
				r.fault = fmt.Errorf("%s is lost", id)
			}
			if state != Held {
				r.final[i] = state
				break
			}
		}
	}
}

func judge(k orderKeeper, ids []string, seen []racer) error {
	var last entry
	for g := range seen {
		if seen[g].fault != nil {
			return seen[g].fault
		}
	}
	for i, id := range ids {
		winners := 0
		for g := range seen {
			if seen[g].added[i] {
				winners++
			}
			if seen[g].winner[i] != seen[0].winner[i] {
				return fmt.Errorf("%s: goroutines saw contents %d and %d", id, seen[g].winner[i], seen[0].winner[i])
			}
		}
		if winners != 1 {
			return fmt.Errorf("%s: %d adders won", id, winners)
		}
		if !k.find(kindOrder, id, &last) {
			return fmt.Errorf("%s is lost", id)
		}
		collected := uint32(0)
		for sku := range raceLines {
			var sum [2]uint32
			for g := range seen {
				sum[0] += seen[g].ended[i][sku][0]
				sum[1] += seen[g].ended[i][sku][1]
			}
			collected += sum[0]
			if l := last.lines[sku]; sum[0]+sum[1] != raceUnits || l.held != 0 || l.collected != sum[0] {
				return fmt.Errorf("%s line %d: %d collected and %d canceled of %d, kept as %+v", id, sku, sum[0], sum[1], raceUnits, l)
			}
		}
		want := Canceled
		if collected > 0 {
			want = Collected
		}
		for g := range seen {
			if last.state != want || seen[g].final[i] != want {
				return fmt.Errorf("%s ended %v, goroutine %d saw %v, want %v", id, last.state, g, seen[g].final[i], want)
			}
		}
	}
	return nil
}

func raceIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("race-", i)
	}
	return ids
}

func TestBookRace(t *testing.T) {
	for name, used := range map[string]uint64{"spread": ^uint64(0), "one shard": 1<<32 - 1, "six hashes": 7} {
		t.Run(name, func(t *testing.T) {
			n := 4000 // Fewer than one shard remembers.
			if used == 7 {
				n = 300
			}
			b := newKeyedBook(1<<20, fixedKey)
			b.used = used
			if err := raceCheck(b, raceIDs(n)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// splitBook is a book whose steps are two: it looks, lets others run, and acts.
type splitBook struct {
	*book
	splitAdd, splitResolve bool
}

func (s *splitBook) add(kind entryKind, id string, e, found *entry) bool {
	if !s.splitAdd {
		return s.book.add(kind, id, e, found)
	}
	if s.find(kind, id, found) {
		return false
	}
	runtime.Gosched()
	s.drop(kind, id)
	return s.book.add(kind, id, e, found)
}

func (s *splitBook) resolve(id string, to State, lines, buf []entryLine) (uint32, State, []entryLine, resolveOutcome) {
	var seen entry
	if !s.splitResolve || lines == nil || !s.find(kindOrder, id, &seen) || seen.state != Held || seen.lines[lines[0].sku].held < lines[0].quantity {
		return s.book.resolve(id, to, lines, buf)
	}
	runtime.Gosched()
	location, state, _, _ := s.book.resolve(id, to, lines, buf)
	return location, state, append(buf, lines...), resolved
}

// The race check must catch a book that looks and acts in two steps.
func TestRaceCheckCatchesTwoSteps(t *testing.T) {
	for name, s := range map[string]*splitBook{
		"add":     {book: newBook(1 << 20), splitAdd: true},
		"resolve": {book: newBook(1 << 20), splitResolve: true},
	} {
		caught := false
		for round := range 50 {
			ids := raceIDs(1000)
			for i := range ids {
				ids[i] += fmt.Sprint("-", round)
			}
			if raceCheck(s, ids) != nil {
				caught = true
				break
			}
		}
		if !caught {
			t.Errorf("a book with a two-step %s passed", name)
		}
	}
}

// A walk goes on while orders come and go: those that stay come exactly once,
// and no copy is torn.
func TestBookWalkWhileChanging(t *testing.T) {
	b := newBook(100)
	const stay = 3000
	for i := range stay {
		e := orderOf(uint64(i), 2)
		b.add(kindOrder, fmt.Sprint("stay-", i), &e, nil)
	}
	stop := make(chan struct{})
	var changers sync.WaitGroup
	for g := range 2 {
		changers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 3))
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				e := orderOf(stay+uint64(i), 1+random.IntN(1<<(1+random.IntN(12))))
				id := fmt.Sprint("go-", g, "-", i)
				b.add(kindOrder, id, &e, nil)
				b.add(kindMovement, id, &e, nil)
				if random.IntN(2) == 0 {
					b.drop(kindOrder, id)
				} else {
					b.resolve(id, Canceled, nil, nil)
				}
			}
		})
	}
	for range 10 {
		seen := make([]int, stay)
		for id, e := range b.all() {
			if e.fingerprint < stay {
				seen[e.fingerprint]++
				if id != fmt.Sprint("stay-", e.fingerprint) {
					t.Errorf("%s has content %d", id, e.fingerprint)
				}
			}
			if uint64(e.location) != e.fingerprint || e.distance != float64(e.fingerprint)/3 {
				t.Errorf("torn entry %s: %+v", id, e)
			}
		}
		if i := slices.IndexFunc(seen, func(n int) bool { return n != 1 }); i >= 0 {
			t.Errorf("order %d came %d times", i, seen[i])
		}
	}
	close(stop)
	changers.Wait()
}
