package allocator

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// sweep takes what is left of windows and periods that have passed out of the
// ledger, so that they need no memory after the next start.
type sweep struct {
	next atomic.Int64 // engine time at which there may be something to do

	// Under capacity.setting: what is under way.
	windows []windowCells
	periods []periodCells
	cells   []passedCell // ascending by slot; still to do
}

// passedCell is a cell of something that has passed.
type passedCell struct{ slot, sku uint32 }

const (
	// passedGrace is how long after its end a window or a period is swept: no order
	// is still under way that saw it before.
	passedGrace = int64(time.Hour / time.Millisecond)
	// passedRetry is how long the sweep waits after an error of the journal.
	passedRetry = int64(time.Minute / time.Millisecond)
	// sweptCells bounds the cells that one step looks for, but for the last SKU's;
	// sweptAtOnce bounds the locations it deals with, sweptPaused those in one pause.
	sweptCells  = 1 << 16
	sweptAtOnce = 256
	sweptPaused = 16
)

// by notes that something ends at a time, in seconds since 1970.
func (w *sweep) by(end int64) { w.at(end*1000 + passedGrace) }

// at notes that there is something to do at an engine time.
func (w *sweep) at(due int64) {
	for {
		next := w.next.Load()
		if next <= due || w.next.CompareAndSwap(next, due) {
			return
		}
	}
}

// firstPassed is when the first window or period is to be swept.
func (c *capacity) firstPassed() int64 {
	first := int64(math.MaxInt64)
	for _, w := range *c.windows.Load() {
		first = min(first, w.end()*1000+passedGrace)
	}
	for _, p := range *c.periods.Load() {
		first = min(first, p.end()*1000+passedGrace)
	}
	return first
}

// sweepPassed does a step of the sweep, if it is due. It is called by no change.
// more: there is another one to do.
func (a *Allocator) sweepPassed(now int64) (more bool, err error) {
	c := &a.capacity
	if c.sweep.next.Load() > now {
		return false, nil
	}
	call, err := a.gate.Enter()
	if err != nil {
		return false, nil // closed
	}
	defer call.Leave()
	if !c.setting.TryLock(lock.Capacities) { // a long list is being set
		return true, nil
	}
	defer c.setting.Unlock()
	w := &c.sweep
	if len(w.cells) == 0 && !a.gatherPassed(now) {
		w.next.Store(math.MaxInt64) // what is added from here on lowers it again
		w.at(max(c.firstPassed(), now+passedGrace))
		return false, nil
	}
	for range sweptAtOnce / sweptPaused {
		if err := a.sweepSome(now); err != nil || len(w.cells) == 0 {
			if err == nil {
				c.forget()
				return true, nil
			}
			w.next.Store(now + passedRetry)
			return false, err
		}
	}
	return true, nil
}

// gatherPassed lists the cells of some windows and periods that have passed. False:
// there are none.
func (a *Allocator) gatherPassed(now int64) bool {
	c := &a.capacity
	w := &c.sweep
	w.windows, w.periods, w.cells = w.windows[:0], w.periods[:0], w.cells[:0]
	add := func(sku uint32) {
		if sku != noSKU {
			for slot := range a.ledger.SlotsOf(sku) {
				w.cells = append(w.cells, passedCell{slot, sku})
			}
		}
	}
	for _, k := range *c.windows.Load() {
		if k.end()*1000+passedGrace <= now && len(w.cells) < sweptCells {
			w.windows = append(w.windows, k)
			add(k.sku)
			add(k.allowed)
		}
	}
	for _, k := range *c.periods.Load() {
		if k.end()*1000+passedGrace <= now && len(w.cells) < sweptCells {
			w.periods = append(w.periods, k)
			add(k.orders)
			add(k.lines)
		}
	}
	slices.SortFunc(w.cells, func(x, y passedCell) int { return cmp.Or(cmp.Compare(x.slot, y.slot), cmp.Compare(x.sku, y.sku)) })
	if len(w.cells) == 0 {
		c.forget()
	}
	return len(w.cells) > 0
}

// sweepSome takes what is available of the cells of some locations away, while
// nothing changes.
func (a *Allocator) sweepSome(now int64) error {
	c := &a.capacity
	w := &c.sweep
	resume := a.gate.Pause()
	defer resume()
	for range sweptPaused {
		if len(w.cells) == 0 {
			return nil
		}
		m := reservation.Movement{ID: c.nextID(), Cause: history.Adjusted, Slot: w.cells[0].slot, Now: now}
		n := 0
		for ; n < len(w.cells) && w.cells[n].slot == m.Slot && n < maxMoveLines; n++ {
			sku := w.cells[n].sku
			if left := a.ledger.Available(sku, m.Slot).Available; left > 0 {
				m.Lines = append(m.Lines, reservation.MovementLine{SKU: a.ledger.SKUName(sku), Units: -left})
			}
		}
		if len(m.Lines) > 0 {
			if _, err := a.ledger.Move(&m); err != nil && !errors.Is(err, ErrUnknownLocation) {
				return err
			}
		}
		w.cells = w.cells[n:]
	}
	return nil
}

// forget drops what was swept from what orders read.
func (c *capacity) forget() {
	w := &c.sweep
	if len(w.windows) > 0 {
		next := slices.DeleteFunc(slices.Clone(*c.windows.Load()), func(k windowCells) bool { return slices.Contains(w.windows, k) })
		c.windows.Store(&next)
	}
	if len(w.periods) > 0 {
		c.growing.Lock(lock.Periods)
		next := slices.DeleteFunc(slices.Clone(*c.periods.Load()), func(k periodCells) bool { return slices.Contains(w.periods, k) })
		c.periods.Store(&next)
		c.growing.Unlock()
	}
	w.windows, w.periods = w.windows[:0], w.periods[:0]
}
