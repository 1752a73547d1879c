package allocator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Period is the span of time over which the work of a location is counted, by
// the clock of its time zone. Where the clock is changed, an hour or a part of
// one ends, and the next one begins; a day is 23 or 25 hours long.
type Period uint8

// The periods. The zero value is Day.
const (
	Day         Period = iota // from midnight to midnight
	Hour                      // from full hour to full hour
	HalfHour                  // likewise
	QuarterHour               //
	periods
)

// Valid reports whether there is such a period.
func (p Period) Valid() bool { return p < periods }

// String is the period in words.
func (p Period) String() string {
	switch p {
	case Day:
		return "day"
	case Hour:
		return "hour"
	case HalfHour:
		return "half hour"
	case QuarterHour:
		return "quarter of an hour"
	}
	return fmt.Sprintf("Period(%d)", uint8(p))
}

// Capacity is how much a location can process in each period. An order counts in
// the period in which the work on it begins; each of its parts counts as an order
// at the part's location.
type Capacity struct {
	Location string
	Per      Period
	Orders   int64 // at most, 0 to 100,000; 0: not limited
	Lines    int64 // of orders, at most, 0 to 1,000,000,000; 0: not limited
}

// Pickup windows and the capacity of locations are resources of the ledger: cells
// like those of goods, taken in the same claim, freed by the same verbs. The cell
// of a window, or of a period, begins with a fixed number of units that is more
// than may ever be set; what is gone of them, available no more, is taken: held
// by a reservation, or used up when it was collected. How many may be taken is
// not the cell's affair: a claim leaves as many units available as there are more
// than the limit (Line.Keep). So a limit is lowered at once, also below what is
// taken, and nothing is taken until enough has been given back; and it is raised
// without a look at what was used up.
//
// The limit of a window is the units on hand of a second cell, of which nobody
// takes anything: the change of a limit is a movement, all windows of a location
// in one record. The limits of capacities are notes of the ledger.
//
// Names: a zero byte, a letter, the seconds since 1970 at which it begins in
// base 36, a slash, and the length in minutes of a window, the period of a
// capacity.
const (
	tagTaken  = 'w' // the places of a window
	tagPlaces = 'p' // how many of them may be taken
	tagOrders = 'o' // the orders of a period
	tagLines  = 'n' // the lines of a period
)

const (
	// maxPlaces bounds the places of a window, and the orders of a period.
	maxPlaces = 100_000
	// allPlaces is what such a cell begins with: the most that a narrow cell has.
	allPlaces = 1<<17 - 1
	// maxCapacityLines bounds the lines of a period, allLines is what its cell
	// begins with.
	maxCapacityLines = 1_000_000_000
	allLines         = reservation.MaxQuantity
	// maxWindow is how long a window is at most.
	maxWindow = 7 * 24 * time.Hour
)

// capacity is what is known of windows and capacities. What orders read is
// immutable and replaced whole.
type capacity struct {
	setting lock.Mutex // one change of settings, or one step of the sweep, at a time
	growing lock.Mutex // one new period at a time; taken by orders, so never held over a pause

	windows atomic.Pointer[[]windowCells] // ascending by start and length
	periods atomic.Pointer[[]periodCells] // ascending by begin and period
	limits  atomic.Pointer[map[string]limit]

	room   func(s *sourcing.Site, at time.Time, lines int) (left int64, ends time.Time)
	opened string        // what the IDs of its movements begin with, in this process
	moves  atomic.Uint64 // how many there were

	sweep sweep
}

// windowCells are the SKUs of all windows of one start and length.
type windowCells struct {
	start   int64 // seconds since 1970
	minutes int64
	sku     uint32 // of which places are taken
	allowed uint32 // whose units on hand are how many may be taken
}

func (w *windowCells) end() int64 { return w.start + 60*w.minutes }

func (w windowCells) compare(o windowCells) int {
	return cmp.Or(cmp.Compare(w.start, o.start), cmp.Compare(w.minutes, o.minutes))
}

// name is the name of a SKU of the window.
func (w *windowCells) name(tag byte) string { return resourceName(tag, w.start, w.minutes) }

// periodCells are the SKUs of all periods of one beginning and kind; noSKU: there
// is none yet.
type periodCells struct {
	begin         int64 // seconds since 1970
	per           Period
	orders, lines uint32
}

const noSKU = math.MaxUint32

// end is when the period is over, at the latest.
func (p *periodCells) end() int64 {
	if p.per == Day {
		return p.begin + 25*60*60
	}
	return p.begin + 60*60
}

func (p periodCells) compare(o periodCells) int {
	return cmp.Or(cmp.Compare(p.begin, o.begin), cmp.Compare(p.per, o.per))
}

// limit is the capacity of one location.
type limit struct {
	Per    Period `json:"per,omitempty"`
	Orders int64  `json:"orders,omitempty"`
	Lines  int64  `json:"lines,omitempty"`
}

func resourceName(tag byte, begin, detail int64) string {
	b := append(make([]byte, 0, 24), 0, tag)
	b = strconv.AppendInt(b, begin, 36)
	return string(strconv.AppendInt(append(b, '/'), detail, 10))
}

// resourceOf takes such a name apart. False: it is of another kind.
func resourceOf(name string) (tag byte, begin, detail int64, ok bool) {
	if len(name) < 3 || name[0] != 0 || strings.IndexByte("wpon", name[1]) < 0 {
		return 0, 0, 0, false
	}
	from, behind, _ := strings.Cut(name[2:], "/")
	begin, err := strconv.ParseInt(from, 36, 64)
	if err != nil {
		return 0, 0, 0, false
	}
	detail, err = strconv.ParseInt(behind, 10, 64)
	return name[1], begin, detail, err == nil
}

// capacityNote is the key of a location's capacity.
const capacityNote = "capacity/"

// recoverCapacity brings back the windows, periods and limits there are. Windows
// and periods are read from the names of the SKUs.
func (a *Allocator) recoverCapacity() error {
	c := &a.capacity
	c.room = a.room
	c.opened = "\x00" + strconv.FormatUint(a.ledger.Journal().Last, 36) + "."
	var windows []windowCells
	var periods []periodCells
	for sku := range uint32(a.ledger.SKUs()) {
		tag, begin, detail, ok := resourceOf(a.ledger.SKUName(sku))
		if !ok {
			continue
		}
		switch tag {
		case tagTaken, tagPlaces:
			windows = append(windows, windowCells{start: begin, minutes: detail, sku: noSKU, allowed: noSKU})
			windows[len(windows)-1].set(tag, sku)
		default:
			periods = append(periods, periodCells{begin: begin, per: Period(detail), orders: noSKU, lines: noSKU})
			periods[len(periods)-1].set(tag, sku)
		}
	}
	windows = united(windows, windowCells.compare, func(into *windowCells, w windowCells) {
		into.sku, into.allowed = min(into.sku, w.sku), min(into.allowed, w.allowed)
	})
	periods = united(periods, periodCells.compare, func(into *periodCells, p periodCells) {
		into.orders, into.lines = min(into.orders, p.orders), min(into.lines, p.lines)
	})
	windows = slices.DeleteFunc(windows, func(w windowCells) bool { return a.noCells(w.sku) && a.noCells(w.allowed) })
	periods = slices.DeleteFunc(periods, func(p periodCells) bool { return a.noCells(p.orders) && a.noCells(p.lines) })
	c.windows.Store(&windows)
	c.periods.Store(&periods)
	limits := map[string]limit{}
	for note := range a.ledger.Notes(capacityNote) {
		var l limit
		if err := json.Unmarshal(note.Value, &l); err != nil {
			return fmt.Errorf("%s: %w: %w", quoted(note.Key), err, ErrCorrupt)
		}
		limits[strings.TrimPrefix(note.Key, capacityNote)] = l
	}
	c.limits.Store(&limits)
	if len(limits) > 0 {
		a.special.Store(true)
	}
	c.sweep.next.Store(c.firstPassed())
	return nil
}

// noCells tells the SKUs of windows and periods that have passed.
func (a *Allocator) noCells(sku uint32) bool {
	if sku != noSKU {
		for range a.ledger.SlotsOf(sku) {
			return false
		}
	}
	return true
}

func (w *windowCells) set(tag byte, sku uint32) {
	if tag == tagTaken {
		w.sku = sku
	} else {
		w.allowed = sku
	}
}

func (p *periodCells) set(tag byte, sku uint32) {
	if tag == tagOrders {
		p.orders = sku
	} else {
		p.lines = sku
	}
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
func (c *capacity) nextID() string { return c.opened + strconv.FormatUint(c.moves.Add(1), 36) }
