package reservation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Fill lays out the stock that was recovered, once the locations are numbered:
// what is on hand, less safety stock, less what live reservations hold. It does
// nothing the second time, and for a ledger that recovered nothing.
func (l *Ledger) Fill() error {
	if l.state.LaidOut() {
		return nil
	}
	l.state.LayOut()
	lacking, err := l.takeLive()
	if err != nil || l.queue == nil {
		return err
	}
	l.mendShorts(lacking)
	return nil
}

// takeLive takes the units of the live reservations off what is available. It
// returns the cells that have fewer goods than reservations, or had.
//
// It goes by some shards at a time: first each worker notes the lines of its
// shards by groups of SKUs, then each takes the lines of its groups. So a row of
// the stock is read from memory once for many lines, by one processor.
func (l *Ledger) takeLive() (lacking map[uint64]struct{}, bad error) {
	t := &taking{ledger: l}
	shards := l.state.Book.Shards()
	live, _ := l.state.Book.Len()
	step := min(max(shards*takenHolds/max(live, 1), 1), shards)
	for from := 0; from < shards && t.bad == nil; from += step {
		t.some(from, min(from+step, shards))
	}
	slices.SortFunc(t.shorts, func(a, b shortLine) int {
		return cmp.Or(cmp.Compare(a.sequence, b.sequence), cmp.Compare(a.id, b.id))
	})
	for _, s := range t.shorts {
		l.shorts.add(uint32(s.cell>>32), uint32(s.cell), s.id)
	}
	lacking = map[uint64]struct{}{}
	for _, cell := range t.lacking {
		lacking[cell] = struct{}{}
	}
	return lacking, t.bad
}

const (
	takenHolds  = 1 << 18 // reservations whose lines are noted at a time, about
	takenLines  = 32      // lines of which the cells are looked at ahead
	takenGroups = 64      // of SKUs, by the remainder
)

// taking takes the units of live reservations off what is available.
type taking struct {
	ledger *Ledger
	takers []*taker
	// What was found.
	shorts  []shortLine
	lacking []uint64
	bad     error
}

// taker is the room in which one worker works.
type taker struct {
	room    book.Room
	ledger  *Ledger
	groups  [takenGroups][]heldLine
	cells   []stock.Cell
	shorts  []shortLine
	lacking []uint64
	bad     error
	touched int64
}

// heldLine is units of a reservation that are not available.
type heldLine struct{ sku, slot, units uint32 }

// shortLine is a reservation whose goods are gone at a cell.
type shortLine struct {
	sequence uint64
	cell     uint64
	id       string
}

// some takes the units of the reservations of some shards.
func (t *taking) some(from, to int) {
	l := t.ledger
	workers := l.recoveryWorkers()
	for len(t.takers) < workers {
		t.takers = append(t.takers, new(taker))
	}
	takers := t.takers
	var next atomic.Int64
	book.Share(workers, to-from, func() func(int) {
		w := takers[next.Add(1)-1]
		return func(i int) { w.note(l, from+i) }
	})
	next.Store(0)
	book.Share(workers, takenGroups, func() func(int) {
		w := takers[next.Add(1)-1]
		return func(group int) {
			for _, noted := range takers {
				for lines := range slices.Chunk(noted.groups[group], takenLines) {
					w.take(l, lines)
				}
				noted.groups[group] = noted.groups[group][:0]
			}
		}
	})
	for _, w := range takers {
		t.shorts, w.shorts = append(t.shorts, w.shorts...), w.shorts[:0]
		t.lacking, w.lacking = append(t.lacking, w.lacking...), w.lacking[:0]
		if t.bad == nil {
			t.bad = w.bad
		}
	}
}

// note notes the lines of the reservations of one shard.
func (t *taker) note(l *Ledger, shard int) {
	t.ledger = l
	l.state.Book.LiveIn(shard, &t.room, t)
}

// Carried counts goods on their way.
func (t *taker) Carried(e *book.Entry) { t.ledger.state.Places.Add(e.To, 1) }

// Line notes a line.
func (t *taker) Line(sku, slot, units uint32) { t.noteLine(sku, slot, units) }

func (t *taker) noteLine(sku, slot, units uint32) {
	group := &t.groups[sku%takenGroups]
	*group = append(*group, heldLine{sku, slot, units})
}

// Partial notes the lines of an entry.
func (t *taker) Partial(id string, e *book.Entry) {
	for i := range e.Lines {
		line := &e.Lines[i]
		if open := line.Held + line.Confirmed; open > 0 {
			t.noteLine(line.SKU, e.Location, open)
		}
		if line.Short > 0 {
			cell := state.Pair(line.SKU, e.Location)
			t.shorts = append(t.shorts, shortLine{e.Sequence, cell, id})
			t.lacking = append(t.lacking, cell)
		}
	}
}

// take takes a few lines. It looks at all their cells before it changes the
// first: a change waits for the memory of the one before it.
func (t *taker) take(l *Ledger, lines []heldLine) {
	t.cells = t.cells[:0]
	for i := range lines {
		cell, ok := l.state.Stock.Cell(lines[i].sku, lines[i].slot)
		if !ok {
			t.bad = unheard(&lines[i])
			return
		}
		t.touched += cell.Available()
		t.cells = append(t.cells, cell)
	}
	for i := range lines {
		line := &lines[i]
		if !t.cells[i].Change(-int64(line.units)) {
			t.bad = unheard(line)
			return
		}
		if t.cells[i].Available()+l.state.Safety.Of(line.sku, line.slot) < 0 {
			t.lacking = append(t.lacking, state.Pair(line.sku, line.slot))
		}
	}
}

// unheard says that goods are reserved where they never were.
func unheard(line *heldLine) error {
	return &InvariantError{What: fmt.Sprintf("%d units reserved of SKU %d at location %d, where it never was", line.units, line.sku, line.slot)}
}

// mendShorts records the shortages that a movement, an end or a return left
// behind when the power went between its record and theirs.
func (l *Ledger) mendShorts(cells map[uint64]struct{}) {
	now := l.Time()
	for _, key := range slices.Sorted(maps.Keys(cells)) {
		sku, slot := uint32(key>>32), uint32(key)
		f := l.state.Floor(slot)
		f.Lock(lock.Floor)
		l.findShort(sku, slot, "", now)
		l.cover(sku, slot, now)
		f.Unlock()
	}
}
