package cooldown

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/puzpuzpuz/xsync/v3"
)

// Cooldowns is the cool-downs of all locations. Safe for concurrent use.
//
// The ledger keeps them with one note for each location, "cool/" and its ID: a
// version byte, 1, and for each SKU the length of its name, the name and the time
// until which it counts, as uvarints.
type Cooldowns struct {
	ledger *reservation.Ledger
	until  atomic.Int64 // the latest of all; 0: there was none
	cells  atomic.Pointer[xsync.MapOf[uint64, int64]]

	mu    lock.Mutex
	slots map[uint32]map[uint32]int64 // by location and SKU: the same, to be written down
}

const (
	area    = "cool/"
	version = 1
)

var errMalformed = errors.New("malformed cool-down")

// Open brings back the cool-downs that a ledger has.
//
// Errors: reservation.ErrCorrupt, reservation.ErrNewer.
func Open(ledger *reservation.Ledger) (*Cooldowns, error) {
	c := &Cooldowns{ledger: ledger}
	c.mu.Lock(lock.Cooling)
	defer c.mu.Unlock()
	for note := range ledger.Notes(area) {
		location := note.Key[len(area):]
		slot, ok := ledger.Slot(location)
		if !ok { // removed since
			continue
		}
		if note.Value[0] != version {
			return nil, fmt.Errorf("location %s: version %d: %w", excerpt.Quote(location), note.Value[0], reservation.ErrNewer)
		}
		for b := note.Value[1:]; len(b) > 0; {
			name, rest, ok := takeName(b)
			until, n := binary.Uvarint(rest)
			if !ok || n <= 0 {
				return nil, fmt.Errorf("location %s: %w: %w", excerpt.Quote(location), errMalformed, reservation.ErrCorrupt)
			}
			b = rest[n:]
			if sku, ok := ledger.SKU(name); ok { // what is past goes with the next one that begins
				c.set(sku, slot, int64(until))
			}
		}
	}
	return c, nil
}

// Cooling reports whether a location is skipped for a SKU. It takes no lock.
func (c *Cooldowns) Cooling(sku, slot uint32, now int64) bool {
	if c.until.Load() <= now {
		return false
	}
	until, _ := c.cells.Load().Load(cell(sku, slot))
	return until > now
}

// Any reports whether any location is skipped for any SKU. It takes no lock.
func (c *Cooldowns) Any(now int64) bool {
	until := c.until.Load()
	return until != 0 && until > now
}

// Begin begins cool-downs of a location for the SKUs of lines, which count until a time
// unless there is one that lasts longer, and writes them down.
//
// The error is that of Ledger.SetNotes: they count all the same, but not after a
// restart.
func (c *Cooldowns) Begin(slot uint32, lines []reservation.Line, now, until int64) (reservation.Ticket, error) {
	c.mu.Lock(lock.Cooling)
	defer c.mu.Unlock()
	for _, line := range lines {
		c.set(line.SKU, slot, until)
	}
	// What is past is dropped where it costs nothing to look: whenever one begins.
	var notes []reservation.Note
	for at, skus := range c.slots {
		size := len(skus)
		maps.DeleteFunc(skus, func(sku uint32, until int64) bool {
			if until <= now {
				c.cells.Load().Delete(cell(sku, at))
			}
			return until <= now
		})
		if at == slot || len(skus) < size {
			notes = append(notes, reservation.Note{Key: area + c.ledger.SlotName(at), Value: c.note(skus)})
		}
		if len(skus) == 0 {
			delete(c.slots, at)
		}
	}
	return c.ledger.SetNotes(now, notes...)
}

// set notes a cool-down, under the lock.
func (c *Cooldowns) set(sku, slot uint32, until int64) {
	if c.slots == nil {
		c.slots = map[uint32]map[uint32]int64{}
		c.cells.Store(xsync.NewMapOf[uint64, int64]())
	}
	if c.slots[slot] == nil {
		c.slots[slot] = map[uint32]int64{}
	}
	until = max(until, c.slots[slot][sku])
	c.slots[slot][sku] = until
	c.cells.Load().Store(cell(sku, slot), until)
	if until > c.until.Load() {
		c.until.Store(until)
	}
}

// cell is a SKU at a location.
func cell(sku, slot uint32) uint64 { return uint64(sku)<<32 | uint64(slot) }

// note is the cool-downs of a location as they are kept; nil for none.
func (c *Cooldowns) note(skus map[uint32]int64) []byte {
	if len(skus) == 0 {
		return nil
	}
	b := []byte{version}
	for _, sku := range slices.Sorted(maps.Keys(skus)) {
		name := c.ledger.SKUName(sku)
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
		b = binary.AppendUvarint(b, uint64(skus[sku]))
	}
	return b
}

// takeName reads a length and so many bytes.
func takeName(b []byte) (name string, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return "", nil, false
	}
	return string(b[n : n+int(size)]), b[n+int(size):], true
}
