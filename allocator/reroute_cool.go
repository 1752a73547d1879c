package allocator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/puzpuzpuz/xsync/v3"
)

// cooldowns is which locations are skipped for which SKUs, because they have
// rejected them a short time ago. Orders read it without a lock.
//
// The ledger keeps it with one note for each location, "cool/" and its ID: a
// version byte, 1, and for each SKU the length of its name, the name and the time
// until which it counts, as uvarints.
type cooldowns struct {
	until atomic.Int64 // the latest of all; 0: there was none
	cells atomic.Pointer[xsync.MapOf[uint64, int64]]

	mu    lock.Mutex
	slots map[uint32]map[uint32]int64 // by location and SKU: the same, to be written down
}

const (
	coolNotes   = "cool/"
	coolVersion = 1
)

// cooling reports whether a location is skipped for a SKU because it has rejected
// it a short time ago.
func (a *Allocator) cooling(sku, slot uint32, now int64) bool {
	c := &a.moves.cool
	if c.until.Load() <= now {
		return false
	}
	until, _ := c.cells.Load().Load(uint64(sku)<<32 | uint64(slot))
	return until > now
}

// coolingAny reports whether any location is skipped for any SKU: the hot path
// does not know of it.
func (a *Allocator) coolingAny(now int64) bool {
	until := a.moves.cool.until.Load()
	return until != 0 && until > now
}

// cool begins the cool-down of the location that has made a rejection, for its SKUs.
func (a *Allocator) cool(r *reservation.Change, e *reservation.Entry) (t reservation.Ticket) {
	span := a.rules.Load().CoolDown.Milliseconds()
	if span <= 0 {
		return t
	}
	lines := r.Lines
	if lines == nil {
		lines = a.folded(e, openUnits)
	}
	c := &a.moves.cool
	c.mu.Lock(lock.Cooling)
	defer c.mu.Unlock()
	for _, line := range lines {
		c.set(line.SKU, e.Slot, r.Now+span)
	}
	// What is past is dropped where it costs nothing to look: with each rejection.
	var notes []reservation.Note
	for slot, skus := range c.slots {
		size := len(skus)
		maps.DeleteFunc(skus, func(sku uint32, until int64) bool {
			if until <= r.Now {
				c.cells.Load().Delete(uint64(sku)<<32 | uint64(slot))
			}
			return until <= r.Now
		})
		if slot == e.Slot || len(skus) < size {
			notes = append(notes, reservation.Note{Key: coolNotes + a.ledger.SlotName(slot), Value: a.coolNote(skus)})
		}
		if len(skus) == 0 {
			delete(c.slots, slot)
		}
	}
	t, err := a.ledger.SetNotes(r.Now, notes...)
	if err != nil { // it counts while the engine is open; the call that waits hears of the journal
		a.options.Logger.Error("cool-down not recorded", "err", err)
	}
	return t
}

// set notes a cool-down, under the lock.
func (c *cooldowns) set(sku, slot uint32, until int64) {
	if c.slots == nil {
		c.slots = map[uint32]map[uint32]int64{}
		c.cells.Store(xsync.NewMapOf[uint64, int64]())
	}
	if c.slots[slot] == nil {
		c.slots[slot] = map[uint32]int64{}
	}
	until = max(until, c.slots[slot][sku])
	c.slots[slot][sku] = until
	c.cells.Load().Store(uint64(sku)<<32|uint64(slot), until)
	if until > c.until.Load() {
		c.until.Store(until)
	}
}

// coolNote is the cool-downs of a location as they are kept; nil for none.
func (a *Allocator) coolNote(skus map[uint32]int64) []byte {
	if len(skus) == 0 {
		return nil
	}
	b := []byte{coolVersion}
	for _, sku := range slices.Sorted(maps.Keys(skus)) {
		name := a.ledger.SKUName(sku)
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
		b = binary.AppendUvarint(b, uint64(skus[sku]))
	}
	return b
}

var errCoolNote = errors.New("malformed cool-down")

// recoverCooling brings back the cool-downs and the times since which orders wait to
// be accepted.
func (a *Allocator) recoverCooling() error {
	for range a.ledger.All() {
		a.moves.parts.Store(true) // there may be orders of several parts
		break
	}
	if err := a.recoverCells(); err != nil {
		return err
	}
	return a.recoverWaiting()
}

// recoverCells brings back the cool-downs.
func (a *Allocator) recoverCells() error {
	c := &a.moves.cool
	c.mu.Lock(lock.Cooling)
	defer c.mu.Unlock()
	for note := range a.ledger.Notes(coolNotes) {
		location := note.Key[len(coolNotes):]
		slot, ok := a.ledger.Slot(location)
		if !ok { // removed since
			continue
		}
		if note.Value[0] != coolVersion {
			return fmt.Errorf("location %s: version %d: %w", quoted(location), note.Value[0], ErrNewer)
		}
		for b := note.Value[1:]; len(b) > 0; {
			name, rest, ok := takeName(b)
			until, n := binary.Uvarint(rest)
			if !ok || n <= 0 {
				return fmt.Errorf("location %s: %w: %w", quoted(location), errCoolNote, ErrCorrupt)
			}
			b = rest[n:]
			if sku, ok := a.ledger.SKU(name); ok { // what is past goes with the next rejection
				c.set(sku, slot, int64(until))
			}
		}
	}
	return nil
}

// takeName reads a length and so many bytes.
func takeName(b []byte) (name string, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return "", nil, false
	}
	return string(b[n : n+int(size)]), b[n+int(size):], true
}
