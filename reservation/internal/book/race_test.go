package book

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// orderKeeper is what the race check needs of a book.
type orderKeeper interface {
	addOne(id string, e, found *Entry) bool
	Find(kind Kind, id string, into *Entry) bool
	end(id string, r *takeRule) error
}

func (b *Book) addOne(id string, e, found *Entry) bool {
	_, added, _ := b.Add(KindOrder, id, e, nil, found)
	return added
}

func (b *Book) end(id string, r *takeRule) error {
	_, err := b.Change(KindOrder, id, &r.entry, r)
	return err
}

var errEnded, errNotHeld = errors.New("has ended"), errors.New("not held")

// takeRule ends held units: of one line, or all.
type takeRule struct {
	to    life.State
	line  int // -1 for all
	units uint32
	taken [raceLines]uint32
	entry Entry
}

func (r *takeRule) Apply(_ string, e *Entry) ([]byte, error) {
	r.taken = [raceLines]uint32{}
	if e.State != life.Held {
		return nil, errEnded
	}
	collected, held := uint32(0), uint32(0)
	for i := range e.Lines {
		l := &e.Lines[i]
		units := l.Held
		if r.line >= 0 {
			if units = 0; i == r.line {
				if l.Held < r.units {
					return nil, errNotHeld
				}
				units = r.units
			}
		}
		l.Held -= units
		if r.to == life.Collected {
			l.Collected += units
		}
		r.taken[i] = units
		held, collected = held+l.Held, collected+l.Collected
	}
	if held == 0 {
		if e.State = life.Canceled; collected > 0 {
			e.State = life.Collected
		}
	}
	return nil, nil
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
	final  []life.State
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
		r.ended, r.final = make([][raceLines][2]uint32, len(ids)), make([]life.State, len(ids))
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
	e := Entry{Fingerprint: self, Location: uint32(self), Origin: uint32(self), Deadline: math.MaxInt64, Distance: float64(self), State: life.Held}
	for sku := range uint32(raceLines) {
		e.Lines = append(e.Lines, entryLine{SKU: sku, Quantity: raceUnits, Held: raceUnits})
	}
	var found Entry
	var take takeRule
	for i, id := range ids {
		r.winner[i] = self
		if b, ok := k.(*Book); ok {
			b.Prefetch(KindOrder, ids[(i+5)%len(ids)])
		}
		if r.added[i] = k.addOne(id, &e, &found); !r.added[i] {
			r.winner[i] = found.Fingerprint
			if uint64(found.Location) != found.Fingerprint || found.Distance != float64(found.Fingerprint) {
				r.fault = fmt.Errorf("torn content of %s: %+v", id, found)
			}
		}
		for step := 0; ; step++ {
			end := random.IntN(2)
			take.to, take.line, take.units = []life.State{life.Collected, life.Canceled}[end], -1, 1
			if step < 6 {
				take.line = random.IntN(raceLines)
			}
			err := k.end(id, &take)
			if err == nil {
				for sku, units := range take.taken {
					r.ended[i][sku][end] += units
				}
			}
			if err == ErrNotFound {
				r.fault = fmt.Errorf("%s is lost", id)
				return
			}
			if take.entry.State != life.Held {
				r.final[i] = take.entry.State
				break
			}
		}
	}
}

func judge(k orderKeeper, ids []string, seen []racer) error {
	var last Entry
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
		if !k.Find(KindOrder, id, &last) {
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
			if l := last.Lines[sku]; sum[0]+sum[1] != raceUnits || l.Held != 0 || l.Collected != sum[0] {
				return fmt.Errorf("%s line %d: %d collected and %d canceled of %d, kept as %+v", id, sku, sum[0], sum[1], raceUnits, l)
			}
		}
		want := life.Canceled
		if collected > 0 {
			want = life.Collected
		}
		for g := range seen {
			if last.State != want || seen[g].final[i] != want {
				return fmt.Errorf("%s ended %v, goroutine %d saw %v, want %v", id, last.State, g, seen[g].final[i], want)
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
	*Book
	splitAdd, splitResolve bool
}

func (s *splitBook) addOne(id string, e, found *Entry) bool {
	if !s.splitAdd {
		return s.Book.addOne(id, e, found)
	}
	if s.Find(KindOrder, id, found) {
		return false
	}
	runtime.Gosched()
	s.Drop(KindOrder, id)
	return s.Book.addOne(id, e, found)
}

func (s *splitBook) end(id string, r *takeRule) error {
	var seen Entry
	if !s.splitResolve || r.line < 0 || !s.Find(KindOrder, id, &seen) || seen.State != life.Held || seen.Lines[r.line].Held < r.units {
		return s.Book.end(id, r)
	}
	runtime.Gosched()
	s.Book.end(id, r)
	r.taken = [raceLines]uint32{}
	r.taken[r.line] = r.units
	return nil
}

// The race check must catch a book that looks and acts in two steps.
func TestRaceCheckCatchesTwoSteps(t *testing.T) {
	for name, s := range map[string]*splitBook{
		"add":     {Book: New(1 << 20), splitAdd: true},
		"resolve": {Book: New(1 << 20), splitResolve: true},
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
