package calendar

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

const (
	// MaxPlaces bounds the places of a window, and the orders of a period.
	MaxPlaces = 100_000
	// MaxLines bounds the lines of a period.
	MaxLines = 1_000_000_000

	// allPlaces is what the cell of a window, or of a period's orders, begins with: the
	// most that a narrow cell has. allLines is what that of a period's lines does.
	allPlaces = 1<<17 - 1
	allLines  = reservation.MaxQuantity

	// linesAtOnce is about how many lines one movement of resources has.
	linesAtOnce = 512

	noSKU = math.MaxUint32
)

// Calendar is the windows and capacities of all locations. Safe for concurrent use.
type Calendar struct {
	ledger  *reservation.Ledger
	setting lock.Mutex // one change of settings, or one step of the sweep, at a time
	growing lock.Mutex // one new period at a time; taken by orders, so never held over a pause

	windows    atomic.Pointer[[]window] // ascending by start and length
	periods    atomic.Pointer[[]period] // ascending by begin and period
	capacities atomic.Pointer[map[string]Capacity]

	opened string        // what the IDs of its movements begin with, in this process
	moves  atomic.Uint64 // how many there were

	sweep sweep
}

// Open brings back the windows, periods and capacities that a ledger has. Windows and
// periods are read from the names of the SKUs.
//
// Errors: reservation.ErrCorrupt.
func Open(ledger *reservation.Ledger) (*Calendar, error) {
	c := &Calendar{ledger: ledger, opened: "\x00" + strconv.FormatUint(ledger.Journal().Last, 36) + "."}
	c.recover()
	capacities := map[string]Capacity{}
	for note := range ledger.Notes(noteArea) {
		var is Capacity
		if err := json.Unmarshal(note.Value, &is); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", excerpt.Quote(note.Key), err, reservation.ErrCorrupt)
		}
		capacities[strings.TrimPrefix(note.Key, noteArea)] = is
	}
	c.publishCapacities(capacities)
	c.sweep.next.Store(c.firstPassed())
	return c, nil
}

// recover finds the windows and periods that are not cleared away yet.
func (c *Calendar) recover() {
	var windows []window
	var periods []period
	for sku := range uint32(c.ledger.SKUs()) {
		tag, begin, detail, ok := takeName(c.ledger.SKUName(sku))
		switch {
		case !ok:
		case tag == tagTaken || tag == tagPlaces:
			w := window{start: begin, minutes: detail, sku: noSKU, allowed: noSKU}
			w.set(tag, sku)
			windows = append(windows, w)
		default:
			p := period{begin: begin, per: Period(detail), orders: noSKU, lines: noSKU}
			p.set(tag, sku)
			periods = append(periods, p)
		}
	}
	windows = united(windows, window.compare, (*window).join)
	periods = united(periods, period.compare, (*period).join)
	windows = slices.DeleteFunc(windows, func(w window) bool { return c.isEmpty(w.sku) && c.isEmpty(w.allowed) })
	periods = slices.DeleteFunc(periods, func(p period) bool { return c.isEmpty(p.orders) && c.isEmpty(p.lines) })
	c.windows.Store(&windows)
	c.periods.Store(&periods)
}

// isEmpty tells the SKUs of windows and periods that were cleared away: they have no
// cells after a restart.
func (c *Calendar) isEmpty(sku uint32) bool {
	if sku != noSKU {
		for range c.ledger.SlotsOf(sku) {
			return false
		}
	}
	return true
}

// united sorts entries and joins those that compare as equal.
func united[E any](all []E, compare func(a, b E) int, join func(into *E, e E)) []E {
	slices.SortFunc(all, compare)
	kept := all[:0]
	for _, e := range all {
		if n := len(kept); n > 0 && compare(kept[n-1], e) == 0 {
			join(&kept[n-1], e)
			continue
		}
		kept = append(kept, e)
	}
	return kept
}

// nextID is the ID of a movement of resources. It is never used twice: the
// sequence number of the journal's last record when the engine was opened, and a
// count.
func (c *Calendar) nextID() string { return c.opened + strconv.FormatUint(c.moves.Add(1), 36) }

// numbered is the numbering in which cells are read now, and the number of a location
// in it; false: it was added a moment ago, or has none any more.
func (c *Calendar) numbered(slot uint32) (table *reservation.Table, number uint32, ok bool) {
	table = c.ledger.Table()
	number = table.Space.Number(slot)
	return table, number, number != reservation.NoNumber
}

// takenOf is what is gone of a cell that began with so many units; nothing, while
// there is no cell.
func takenOf(table *reservation.Table, sku, number uint32, all int64) int64 {
	if sku == noSKU || number == reservation.NoNumber {
		return 0
	}
	if n := table.Reachable(sku, number); n > 0 {
		return all - n
	}
	return 0
}
