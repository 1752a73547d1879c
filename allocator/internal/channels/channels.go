package channels

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Channels is what is set for all channels. Safe for concurrent use.
type Channels struct {
	ledger  *reservation.Ledger
	setting lock.Mutex            // one change of protection levels at a time
	state   atomic.Pointer[state] // nil: nothing was ever set for a channel
}

// state is what counts for orders by the channel they come from. It is immutable.
type state struct {
	levels map[string]*Levels  // of the channels with levels of their own
	others *Levels             // of all the others, and of orders that name none
	quotas map[string]struct{} // the channels that units were ever set aside for
}

// Level is a protection level that was set. An empty channel stands for all channels,
// reservation.EverySKU and reservation.Everywhere for all SKUs and locations.
type Level struct {
	Channel   string
	SKU, Slot uint32
	Units     int64 // to reservation.MaxQuantity
	Unset     bool  // as a request: it is withdrawn
}

// Open brings back what a ledger has of channels.
//
// Errors: reservation.ErrCorrupt, reservation.ErrNewer.
func Open(ledger *reservation.Ledger) (*Channels, error) {
	c := &Channels{ledger: ledger}
	next := &state{quotas: map[string]struct{}{}}
	for sku := range uint32(ledger.SKUs()) {
		if _, channel, ok := reservation.QuotaOf(ledger.SKUName(sku)); ok {
			next.quotas[strings.Clone(channel)] = struct{}{}
		}
	}
	read, err := c.read(nil, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	own := map[string]*table{}
	for channel, all := range read {
		if channel != "" {
			own[channel] = newTable(all)
		}
	}
	next.combine(own, newTable(read[""]))
	if len(next.quotas) > 0 || next.others != nil || len(next.levels) > 0 {
		c.state.Store(next)
	}
	return c, nil
}

// LevelsOf is the protection levels that count for a channel; nil if there are none.
// It takes no lock.
func (c *Channels) LevelsOf(channel string) *Levels {
	s := c.state.Load()
	if s == nil {
		return nil
	}
	return s.of(channel)
}

func (s *state) of(channel string) *Levels {
	if l, ok := s.levels[channel]; ok {
		return l
	}
	return s.others
}

// Known reports whether anything is set for a channel by its name.
func (c *Channels) Known(channel string) bool {
	s := c.state.Load()
	if s == nil {
		return false
	}
	_, ok := s.levels[channel]
	return ok || c.HasQuotas(channel)
}

// Change is a change of protection levels that has begun: no other one does before End.
type Change struct {
	channels *Channels
	next     *state
	notes    []reservation.Note
}

// SetLevels begins to set and withdraw protection levels, all of them or none; of two
// for the same channel, SKU and location the later counts. End must follow.
//
// Errors: what is stored cannot be read, see Open.
func (c *Channels) SetLevels(list []Level) (*Change, error) {
	c.setting.Lock(lock.Channels)
	ch := &Change{channels: c}
	err := ch.work(list)
	if err != nil {
		ch.End()
		return nil, err
	}
	return ch, nil
}

// work works out the notes that change, and what counts afterwards.
func (ch *Change) work(list []Level) (err error) {
	c := ch.channels
	chunks, named := map[string]chunk{}, map[string]bool{}
	var keys []string
	for _, v := range list {
		key := keyOf(v.Channel, c.nameOf(v.SKU), v.Slot)
		in, ok := chunks[key]
		if !ok {
			if in, err = takeChunk(c.ledger.Note(key)); err != nil {
				return fmt.Errorf("note %s: %w", excerpt.Quote(key), err)
			}
			chunks[key], keys = in, append(keys, key)
		}
		at := uint8(0)
		if v.Slot != reservation.Everywhere {
			at = uint8(v.Slot % chunkSlots)
		}
		if v.Unset {
			delete(in, at)
		} else {
			in[at] = v.Units
		}
		named[v.Channel] = true
	}
	for _, key := range keys {
		ch.notes = append(ch.notes, reservation.Note{Key: key, Value: chunks[key].value()})
	}
	ch.next, err = c.with(ch.notes, named)
	return err
}

// nameOf is the name of a SKU, and empty for all of them.
func (c *Channels) nameOf(sku uint32) string {
	if sku == reservation.EverySKU {
		return ""
	}
	return c.ledger.SKUName(sku)
}

// Write writes the levels down and makes them count. The caller sees to it that no
// order is under way meanwhile, which could otherwise be in the journal behind levels
// that it has not kept to. Errors: as of Ledger.SetNotes; nothing was changed.
func (ch *Change) Write(now int64) (reservation.Ticket, error) {
	c := ch.channels
	t, err := c.ledger.SetNotes(now, ch.notes...)
	if err != nil {
		return t, err
	}
	// Units may have been set aside for a channel since the levels were worked out; no
	// movement that could do so is under way now.
	if in := c.state.Load(); in != nil {
		ch.next.quotas = in.quotas
	}
	c.state.Store(ch.next)
	return t, nil
}

// End ends the change, written or not.
func (ch *Change) End() { ch.channels.setting.Unlock() }

// with is what counts for channels when some notes have changed, of the channels named:
// the tables of the others stay as they are.
func (c *Channels) with(changed []reservation.Note, named map[string]bool) (*state, error) {
	read, err := c.read(changed, func(channel string) bool { return named[channel] })
	if err != nil {
		return nil, err
	}
	next := &state{}
	own := map[string]*table{}
	var all *table
	if now := c.state.Load(); now != nil {
		for channel, l := range now.levels {
			own[channel] = l.own
		}
		if now.others != nil {
			all = now.others.all
		}
	}
	for channel := range named {
		if channel == "" {
			all = newTable(read[channel])
		} else {
			own[channel] = newTable(read[channel])
		}
	}
	next.combine(own, all)
	return next, nil
}

// combine fills in the levels for each channel that has its own, and for the others.
func (s *state) combine(own map[string]*table, all *table) {
	s.levels = map[string]*Levels{}
	for channel, t := range own {
		if t != nil {
			s.levels[channel] = &Levels{own: t, all: all}
		}
	}
	if all != nil {
		s.others = &Levels{all: all}
	}
}

// read reads the levels of the channels that wanted says, with some notes changed.
func (c *Channels) read(changed []reservation.Note, wanted func(channel string) bool) (map[string][]level, error) {
	all := map[string][]level{}
	for note := range c.notes(changed) {
		channel, name, base, err := takeKey(note.Key)
		if err != nil {
			return nil, err
		}
		if !wanted(channel) {
			continue
		}
		sku, known := uint32(reservation.EverySKU), true
		if name != "" {
			sku, known = c.ledger.SKU(name)
		}
		if !known {
			return nil, fmt.Errorf("note %s: %w: %w", excerpt.Quote(note.Key), reservation.ErrUnknownSKU, reservation.ErrCorrupt)
		}
		in, err := takeChunk(note.Value)
		if err != nil {
			return nil, fmt.Errorf("note %s: %w", excerpt.Quote(note.Key), err)
		}
		for at, units := range in {
			slot := base
			if base != reservation.Everywhere {
				slot += uint32(at)
			}
			all[channel] = append(all[channel], level{sku, slot, units})
		}
	}
	return all, nil
}

// notes walks the notes of all levels as they would be with some changed, the levels of
// one channel after the other.
func (c *Channels) notes(changed []reservation.Note) iter.Seq[reservation.Note] {
	return func(yield func(reservation.Note) bool) {
		by := make(map[string]int, len(changed))
		for i := range changed {
			by[changed[i].Key] = i
		}
		for note := range c.ledger.Notes(noteArea) {
			if _, ok := by[note.Key]; !ok && !yield(note) {
				return
			}
		}
		for _, note := range changed {
			if len(note.Value) > 0 && !yield(note) {
				return
			}
		}
	}
}

// Levels is the protection levels that are set: by channel, then by SKU, those of all
// channels, SKUs and locations first. A level at a location is gone with it, though it
// is stored.
func (c *Channels) Levels() []Level {
	read, _ := c.read(nil, func(string) bool { return true }) // read before without fault
	var all []Level
	for _, channel := range slices.Sorted(maps.Keys(read)) {
		of := read[channel]
		slices.SortFunc(of, func(x, y level) int {
			// EverySKU and Everywhere are the largest, and come first.
			return cmp.Or(cmp.Compare(x.sku+1, y.sku+1), cmp.Compare(x.slot+1, y.slot+1))
		})
		for _, v := range of {
			if c.isThere(v.slot) {
				all = append(all, Level{Channel: channel, SKU: v.sku, Slot: v.slot, Units: v.units})
			}
		}
	}
	return all
}

// isThere reports whether a location was not removed.
func (c *Channels) isThere(slot uint32) bool {
	if slot == reservation.Everywhere {
		return true
	}
	now, ok := c.ledger.Slot(c.ledger.SlotName(slot))
	return ok && now == slot
}
