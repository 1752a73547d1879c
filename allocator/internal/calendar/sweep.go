package calendar

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

// sweep takes what is left of windows and periods that are over out of the ledger, so
// that they need no memory after the next start.
type sweep struct {
	next atomic.Int64 // engine time at which there may be something to do

	// Under Calendar.setting: what is under way.
	windows []window
	periods []period
	cells   []passedCell // ascending by slot; still to do
}

// passedCell is a cell of something that is over.
type passedCell struct{ slot, sku uint32 }

const (
	// passedGrace is how long after its end a window or a period is swept: no order
	// is still under way that read it before.
	passedGrace = int64(time.Hour / time.Millisecond)
	// passedRetry is how long the sweep waits after an error of the journal.
	passedRetry = int64(time.Minute / time.Millisecond)
	// sweptCells bounds the cells that one sweep looks for, but for the last SKU's;
	// sweptLocations the locations it deals with in one step, which is one pause.
	sweptCells     = 1 << 16
	sweptLocations = 16
	// SweepSteps is how many steps of a sweep the caller makes before he lets others
	// change settings.
	SweepSteps = 16
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
func (c *Calendar) firstPassed() int64 {
	first := int64(math.MaxInt64)
	for _, w := range *c.windows.Load() {
		first = min(first, w.end()*1000+passedGrace)
	}
	for _, p := range *c.periods.Load() {
		first = min(first, p.end()*1000+passedGrace)
	}
	return first
}

// SweepDue reports whether there may be something to sweep at an engine time. It takes
// no lock.
func (c *Calendar) SweepDue(now int64) bool { return c.sweep.next.Load() <= now }

// BeginSweep begins, or goes on with, a sweep of what is over at an engine time, if
// there is anything. begun: EndSweep must follow. If not, busy tells that settings are
// being changed, which may take long: try again later.
func (c *Calendar) BeginSweep(now int64) (begun, busy bool) {
	if !c.setting.TryLock(lock.Capacities) {
		return false, true
	}
	w := &c.sweep
	if len(w.cells) > 0 || c.gather(now) {
		return true, false
	}
	w.next.Store(math.MaxInt64) // what is added from here on lowers it again
	w.at(max(c.firstPassed(), now+passedGrace))
	c.setting.Unlock()
	return false, false
}

// gather lists the cells of some windows and periods that are over. False: there are
// none.
func (c *Calendar) gather(now int64) bool {
	w := &c.sweep
	w.windows, w.periods, w.cells = w.windows[:0], w.periods[:0], w.cells[:0]
	add := func(sku uint32) {
		if sku != noSKU {
			for slot := range c.ledger.SlotsOf(sku) {
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

// SweepStep takes what is available of the cells of some locations away. The caller
// sees to it that no change is under way meanwhile: between the look at a cell and the
// movement nothing may be taken of it. more: there is something left to do.
//
// Errors: as of Ledger.Move. The sweep is tried again in a minute.
func (c *Calendar) SweepStep(now int64) (more bool, err error) {
	w := &c.sweep
	for range sweptLocations {
		if len(w.cells) == 0 {
			break
		}
		m := reservation.Movement{ID: c.nextID(), Cause: history.Adjusted, Slot: w.cells[0].slot, Now: now}
		n := 0
		for ; n < len(w.cells) && w.cells[n].slot == m.Slot && n < linesAtOnce; n++ {
			sku := w.cells[n].sku
			if left := c.ledger.Available(sku, m.Slot).Available; left > 0 {
				m.Lines = append(m.Lines, reservation.MovementLine{SKU: c.ledger.SKUName(sku), Units: -left})
			}
		}
		if len(m.Lines) > 0 {
			if _, err := c.ledger.Move(&m); err != nil && !errors.Is(err, reservation.ErrUnknownLocation) {
				w.next.Store(now + passedRetry)
				return true, err
			}
		}
		w.cells = w.cells[n:]
	}
	return len(w.cells) > 0, nil
}

// EndSweep ends a sweep for now; one that is done drops what it has swept from what
// orders read.
func (c *Calendar) EndSweep() {
	if len(c.sweep.cells) == 0 {
		c.forget()
	}
	c.setting.Unlock()
}

// forget drops what was swept from what orders read.
func (c *Calendar) forget() {
	w := &c.sweep
	if len(w.windows) > 0 {
		next := slices.DeleteFunc(slices.Clone(*c.windows.Load()), func(k window) bool { return slices.Contains(w.windows, k) })
		c.windows.Store(&next)
	}
	if len(w.periods) > 0 {
		c.growing.Lock(lock.Periods)
		next := slices.DeleteFunc(slices.Clone(*c.periods.Load()), func(k period) bool { return slices.Contains(w.periods, k) })
		c.periods.Store(&next)
		c.growing.Unlock()
	}
	w.windows, w.periods = w.windows[:0], w.periods[:0]
}
