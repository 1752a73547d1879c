package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
)

// Found is what LayOut has found of goods that are gone: lines of reservations that are
// short, oldest change first, and the cells that have fewer goods than reservations, or
// had, ascending.
type Found struct {
	Shorts  []Short
	Lacking []uint64 // each state.Pair once
}

// Short is a reservation whose goods are gone at a cell.
type Short struct {
	Sequence  uint64 // of its last change
	SKU, Slot uint32
	Name      book.Name
}

// LayOut lays out the stock that was recovered, once the locations are numbered: what
// is on hand, less safety stock, less what live reservations hold, with so many workers.
// *state.UnsoundError: units are reserved where there never were any.
//
// It goes by some shards at a time: first each worker notes the lines of its
// shards by groups of SKUs, then each takes the lines of its groups. So a row of
// the stock is read from memory once for many lines, by one processor.
func LayOut(s *state.State, workers int) (Found, error) {
	s.LayOut()
	t := &taking{state: s, workers: max(workers, 1)}
	shards := s.Book.Shards()
	live, _ := s.Book.Len()
	step := min(max(shards*takenHolds/max(live, 1), 1), shards)
	for from := 0; from < shards && t.bad == nil; from += step {
		t.some(from, min(from+step, shards))
	}
	slices.SortFunc(t.Shorts, func(a, b Short) int {
		return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), a.Name.Compare(b.Name))
	})
	slices.Sort(t.Lacking)
	t.Lacking = slices.Compact(t.Lacking)
	return t.Found, t.bad
}

const (
	takenHolds  = 1 << 18 // reservations whose lines are noted at a time, about
	takenLines  = 32      // lines of which the cells are looked at ahead
	takenGroups = 64      // of SKUs, by the remainder
)

// taking takes the units of live reservations off what is available.
type taking struct {
	state   *state.State
	workers int
	takers  []*taker
	Found
	bad error
}

// taker is the room in which one worker works.
type taker struct {
	room   book.Room
	state  *state.State
	groups [takenGroups][]heldLine
	cells  []stock.Cell
	Found
	bad     error
	touched int64
}

// heldLine is units of a reservation that are not available.
type heldLine struct{ sku, slot, units uint32 }

// some takes the units of the reservations of some shards.
func (t *taking) some(from, to int) {
	for len(t.takers) < t.workers {
		t.takers = append(t.takers, &taker{state: t.state})
	}
	takers := t.takers
	var next atomic.Int64
	book.Share(t.workers, to-from, func() func(int) {
		w := takers[next.Add(1)-1]
		return func(i int) { w.note(from + i) }
	})
	next.Store(0)
	book.Share(t.workers, takenGroups, func() func(int) {
		w := takers[next.Add(1)-1]
		return func(group int) {
			for _, noted := range takers {
				for lines := range slices.Chunk(noted.groups[group], takenLines) {
					w.take(lines)
				}
				noted.groups[group] = noted.groups[group][:0]
			}
		}
	})
	for _, w := range takers {
		t.Shorts, w.Shorts = append(t.Shorts, w.Shorts...), w.Shorts[:0]
		t.Lacking, w.Lacking = append(t.Lacking, w.Lacking...), w.Lacking[:0]
		if t.bad == nil {
			t.bad = w.bad
		}
	}
}

// note notes the lines of the reservations of one shard.
func (t *taker) note(shard int) {
	t.state.Book.LiveIn(shard, &t.room, t)
}

// Carried counts goods on their way.
func (t *taker) Carried(e *book.Entry) { t.state.Places.Add(e.To, 1) }

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
			t.Shorts = append(t.Shorts, Short{Sequence: e.Sequence, SKU: line.SKU, Slot: e.Location, Name: book.Name{ID: id, Part: e.Part}})
			t.Lacking = append(t.Lacking, state.Pair(line.SKU, e.Location))
		}
	}
}

// take takes a few lines. It looks at all their cells before it changes the
// first: a change waits for the memory of the one before it.
func (t *taker) take(lines []heldLine) {
	t.cells = t.cells[:0]
	for i := range lines {
		cell, ok := t.state.Stock.Cell(lines[i].sku, lines[i].slot)
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
		if t.cells[i].Available()+t.state.Safety.Of(line.sku, line.slot) < 0 {
			t.Lacking = append(t.Lacking, state.Pair(line.sku, line.slot))
		}
	}
}

// unheard says that goods are reserved where they never were.
func unheard(line *heldLine) error {
	return &state.UnsoundError{What: fmt.Sprintf("%d units reserved of SKU %d at location %d, where it never was", line.units, line.sku, line.slot)}
}
