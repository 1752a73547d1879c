package reservation

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// shorts lists the reservations whose goods the shop floor took away, by SKU and
// location. There are few: it is what a count or a till sale left behind.
//
// Invariant: outside a floor's critical section, the short units of the live
// reservations at a cell add up to held − on hand there, if that is above zero,
// else to none. The list of a cell may name reservations that are not short any
// more; cover drops them.
type shorts struct {
	cells atomic.Int64 // how many cells have a list: 0 spares everybody the lock
	mu    lock.Mutex
	by    map[uint64][]Name // by state.Pair(sku, slot): reservations
}

func (s *shorts) any() bool { return s.cells.Load() != 0 }

func (s *shorts) add(sku, slot uint32, n Name) {
	s.mu.Lock(lock.Short)
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[uint64][]Name{}
	}
	key := state.Pair(sku, slot)
	if !slices.Contains(s.by[key], n) {
		s.by[key] = append(s.by[key], n)
	}
	s.cells.Store(int64(len(s.by)))
}

// of is a copy of a cell's list.
func (s *shorts) of(sku, slot uint32) []Name {
	s.mu.Lock(lock.Short)
	defer s.mu.Unlock()
	return slices.Clone(s.by[state.Pair(sku, slot)])
}

// forget drops the list of a cell at which nobody is short any more.
func (s *shorts) forget(sku, slot uint32) {
	s.mu.Lock(lock.Short)
	defer s.mu.Unlock()
	delete(s.by, state.Pair(sku, slot))
	s.cells.Store(int64(len(s.by)))
}

// known adds up the short units at a cell.
func (l *Ledger) known(sku, slot uint32) (units int64) {
	for _, c := range l.shortAt(sku, slot) {
		units += c.units
	}
	return units
}

// deficit is how many held units of a SKU have no goods behind them. The floor is
// locked.
func (l *Ledger) deficit(sku, slot uint32) int64 {
	a := l.level(sku, slot)
	return max(0, a.Held-a.OnHand)
}

// searches bounds how often findShort looks for the holds behind a deficit: a
// claim that took units and is not on the shelf's list yet is there a few
// instructions later.
const searches = 1 << 16

// findShort makes reservations short for the units a movement took away: the
// youngest unconfirmed ones first, then the youngest confirmed ones. Each is
// recorded. The floor is locked.
func (l *Ledger) findShort(sku, slot uint32, movement string, now int64) {
	if l.Resource(sku) {
		return
	}
	marked := false
	for range searches {
		missing := l.deficit(sku, slot) - l.known(sku, slot)
		if missing <= 0 {
			break
		}
		marked = true
		for _, confirmed := range [2]bool{false, true} {
			missing = l.shorten(sku, slot, movement, now, missing, confirmed)
		}
		if missing <= 0 || l.queue != nil && l.queue.Err() != nil {
			break
		}
		runtime.Gosched()
	}
	if marked { // what came free meanwhile found nobody short yet, see coverFreed
		l.cover(sku, slot, now)
	}
}

// shorten makes reservations of a location short until enough units are found; it
// returns how many are still missing. The youngest come first, of two made at the
// same time the one with the higher ID: what the journal knows, so that it is the
// same after a restart.
func (l *Ledger) shorten(sku, slot uint32, movement string, now, missing int64, confirmed bool) int64 {
	type candidate struct {
		name  Name
		since int64
		units int64
	}
	var all []candidate
	l.state.Book.At(slot, func(id string, e *book.Entry) bool {
		if e.State.OnRoad() {
			return true // its goods have left the shelf
		}
		for i := range e.Lines {
			line := &e.Lines[i]
			units := int64(line.Held) + int64(line.Confirmed) - int64(line.Short)
			if line.SKU == sku && units > 0 && (line.Confirmed > 0) == confirmed {
				all = append(all, candidate{Name{ID: strings.Clone(id), Part: e.Part}, e.Since, units})
			}
		}
		return true
	})
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.since, a.since), b.name.Compare(a.name))
	})
	for _, c := range all {
		if missing <= 0 {
			break
		}
		units := min(missing, c.units)
		change := Change{Verb: history.Shorted, ID: c.name.ID, Part: max(c.name.Part, 1), Now: now, Slot: slot, Token: movement, Lines: []Line{{SKU: sku, Quantity: units}}}
		if l.mark(&change) {
			l.shorts.add(sku, slot, c.name)
			missing -= units
		}
	}
	return missing
}

// mark makes a change of shortness; false when the reservation has changed
// meanwhile so that it does not apply.
func (l *Ledger) mark(c *Change) bool {
	s := l.steps.Get().(*step)
	defer s.release()
	s.change = c
	s.entry.Lines = s.room[:0]
	_, err := l.state.Book.ChangePart(c.name(), &s.entry, s)
	return err == nil
}

// cover takes the mark off reservations whose goods are there again, in the
// opposite order: the oldest confirmed one first, the youngest hold last. The
// floor is locked.
//
// What is missing is read before who is short of it. A reservation that ends
// meanwhile takes its marks with it first and gives its units back then, so that
// less is covered than could be, which whoever ends it makes up for. The other way
// around its marks would count and its units not, and others would be covered whose
// goods are gone.
func (l *Ledger) cover(sku, slot uint32, now int64) {
	for {
		spare := -l.deficit(sku, slot)
		short := l.shortAt(sku, slot)
		if len(short) == 0 {
			l.shorts.forget(sku, slot)
			return
		}
		for _, c := range short {
			spare += c.units
		}
		if spare <= 0 {
			return
		}
		c := short[0]
		change := Change{Verb: history.Covered, ID: c.name.ID, Part: max(c.name.Part, 1), Now: now, Slot: slot, Lines: []Line{{SKU: sku, Quantity: min(spare, c.units)}}}
		if !l.mark(&change) && l.queue != nil && l.queue.Err() != nil {
			return // else it changed meanwhile: look again
		}
	}
}

// shortOne is a reservation that is short of so many units of a SKU.
type shortOne struct {
	name      Name
	confirmed bool
	since     int64
	units     int64
}

// shortAt lists who is short at a cell, the first to be covered first.
func (l *Ledger) shortAt(sku, slot uint32) (all []shortOne) {
	var e book.Entry
	for _, n := range l.shorts.of(sku, slot) {
		if !l.state.Book.FindPart(n, &e) || e.Location != slot {
			continue
		}
		for i := range e.Lines {
			if line := &e.Lines[i]; line.SKU == sku && line.Short > 0 {
				all = append(all, shortOne{n, line.Confirmed > 0, e.Since, int64(line.Short)})
			}
		}
	}
	slices.SortFunc(all, func(a, b shortOne) int {
		if a.confirmed != b.confirmed {
			if a.confirmed {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.since, b.since), a.name.Compare(b.name))
	})
	return all
}

// coverFreed is cover for changes that hold no floor.
func (l *Ledger) coverFreed(effects []state.Effect, now int64) {
	for _, f := range effects {
		if f.Free <= 0 {
			continue
		}
		floor := l.state.Floor(f.Slot)
		floor.Lock(lock.Floor)
		l.cover(f.SKU, f.Slot, now)
		floor.Unlock()
	}
}
