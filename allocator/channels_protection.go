package allocator

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Protection is a protection level: an order of the channel may take units of the
// SKU at the location only while as many as Units are left there for others,
// which is to say while available − quantity ≥ Units. So channels are nested: of
// three with the levels 0, 5 and 20, the first sells the last unit, and the third
// stops while 20 are left.
//
// An empty field stands for all: all channels, also orders that name none; all
// SKUs; all locations. Of the levels that apply to an order's channel, a SKU and
// a location, the most specific one decides, alone:
//
//	channel, SKU and location
//	channel and SKU
//	channel and location
//	channel
//	SKU and location, of all channels
//	SKU, of all channels
//	location, of all channels
//	of all channels
//
// A channel's own level of 0 therefore frees it from those of all channels. That
// is walk-in protection: a level for all channels at a shop keeps its last units
// for people who walk in, and a level 0 for the channel of its own desk lets that
// one have them.
//
// What quotas set aside is not available to others, so it does not count as left,
// and a channel takes from its own quota whatever its level.
type Protection struct {
	Channel, SKU, Location string

	Units int64 // 0 to 2^31 − 1

	// Unset withdraws the level of exactly this channel, SKU and location, so that
	// the next wider one decides again. Units is 0 then.
	Unset bool
}

// SetProtection sets and withdraws protection levels, all of them or none; of two
// for the same channel, SKU and location the later counts. Protection
// says which level decides. When it returns, no order is still being served by
// the old levels, and the change has its place in the journal, before all orders
// that it counts for: new orders wait for the moment it takes to write it. Units
// that are held stay held. A level at a location goes when the location is
// removed.
//
// A call costs as much as there are levels of the channels it names, so that many
// are set in one call rather than in many; a million for pairs of SKU and
// location take about a second, and 32 to 64 bytes each from then on. An order of
// a channel with levels costs some nanoseconds more for each line and location
// that it looks at.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrUnknownSKU, ErrClosed, ErrNoSpace:
// nothing was changed. ErrJournal, or the end of ctx: whether it lasts is unknown;
// repeat the call.
func (a *Allocator) SetProtection(ctx context.Context, set ...Protection) error {
	if err := a.setProtection(ctx, set); err != nil {
		return fmt.Errorf("allocator: set protection: %w", err)
	}
	return nil
}

func (a *Allocator) setProtection(ctx context.Context, set []Protection) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return err
	}
	defer c.End()
	t, err := a.divide(ctx, c.Now(), set)
	if err != nil {
		return err
	}
	return c.Wait(ctx, t)
}

// divide is setProtection up to the ticket that is to be waited for.
func (a *Allocator) divide(ctx context.Context, now int64, set []Protection) (t reservation.Ticket, err error) {
	scopes, err := a.checkProtections(set)
	if err != nil || len(set) == 0 {
		return t, err
	}
	a.dividing.Lock(lock.Channels)
	defer a.dividing.Unlock()
	notes, named, err := a.levelNotes(set, scopes)
	if err != nil {
		return t, err
	}
	next, err := a.withLevels(notes, named)
	if err != nil {
		return t, err
	}
	return a.publishSettings(ctx, now, notes, func() {
		// Units may have been set aside for a channel since the levels were worked
		// out; no change that could do so is under way now.
		if in := a.channels.Load(); in != nil {
			next.quotas = in.quotas
		}
		a.channels.Store(next)
	})
}

// scope is a SKU and a location by handle, or reservation.EverySKU and
// reservation.Everywhere.
type scope struct{ sku, slot uint32 }

// checkProtections validates levels and looks up what they are for.
func (a *Allocator) checkProtections(set []Protection) ([]scope, error) {
	if err := a.checkBatch("levels", len(set)); err != nil {
		return nil, err
	}
	scopes := make([]scope, len(set))
	for i := range set {
		v, known := &set[i], true
		field := func(name string) string { return fmt.Sprintf("levels[%d].%s", i, name) }
		switch {
		case v.Unset && v.Units != 0:
			return nil, &InvalidError{Field: field("Units"), Value: v.Units, Why: "must be 0 with Unset"}
		case v.Units < 0 || v.Units > reservation.MaxQuantity:
			return nil, &InvalidError{Field: field("Units"), Value: v.Units, Why: "must be 0 to 2147483647"}
		}
		if v.Channel != "" {
			if err := a.checkChannel(field("Channel"), v.Channel); err != nil {
				return nil, err
			}
		}
		to := &scopes[i]
		*to = scope{reservation.EverySKU, reservation.Everywhere}
		if v.SKU != "" {
			if err := a.checkSKU(field("SKU"), v.SKU); err != nil {
				return nil, err
			}
			if to.sku, known = a.goodsSKU(v.SKU); !known {
				return nil, fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(v.SKU))
			}
		}
		if v.Location != "" {
			if err := a.checkLocation(field("Location"), v.Location); err != nil {
				return nil, err
			}
			if to.slot, known = a.ledger.Slot(v.Location); !known {
				return nil, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(v.Location))
			}
		}
	}
	return scopes, nil
}

// Protection levels are kept in notes, one for each channel, SKU and 256 locations
// that follow one another by slot:
//
//	key    "channels/protection/" channel "/" SKU "/" slot / 256
//	value  1 byte version, 1
//	       for each location, ascending: 1 byte slot mod 256, uvarint units
//
// Channel and SKU are escaped as in the path of a URL, and empty for all. The
// level of all locations is in a note of its own, with "*" for the number, as
// location 0.
const (
	levelArea    = "channels/protection/"
	levelVersion = 1
	levelChunk   = 256
)

// levelKey is the key of the note in which a level is.
func levelKey(channel, sku string, slot uint32) string {
	part := "*"
	if slot != reservation.Everywhere {
		part = strconv.Itoa(int(slot / levelChunk))
	}
	return levelArea + url.PathEscape(channel) + "/" + url.PathEscape(sku) + "/" + part
}

// takeLevelKey takes a key apart; base is the slot of the note's location 0, or
// reservation.Everywhere.
func takeLevelKey(key string) (channel, sku string, base uint32, err error) {
	parts := strings.Split(strings.TrimPrefix(key, levelArea), "/")
	if len(parts) != 3 {
		return "", "", 0, fmt.Errorf("note %s: %w", quoted(key), ErrCorrupt)
	}
	channel, badChannel := url.PathUnescape(parts[0])
	sku, badSKU := url.PathUnescape(parts[1])
	base = reservation.Everywhere
	var badPart error
	if parts[2] != "*" {
		var n uint64
		n, badPart = strconv.ParseUint(parts[2], 10, 24)
		base = uint32(n) * levelChunk
	}
	if bad := cmp.Or(badChannel, badSKU, badPart); bad != nil {
		return "", "", 0, fmt.Errorf("note %s: %w: %w", quoted(key), bad, ErrCorrupt)
	}
	return channel, sku, base, nil
}

// chunk is the levels of one note, by slot mod 256.
type chunk map[uint8]int64

var errMalformed = errors.New("malformed")

// takeChunk reads the value of a note.
func takeChunk(value []byte) (chunk, error) {
	c := chunk{}
	if len(value) == 0 {
		return c, nil
	}
	if value[0] > levelVersion {
		return nil, ErrNewer
	}
	for b := value[1:]; len(b) > 0; {
		units, n := binary.Uvarint(b[1:])
		if n <= 0 || units > reservation.MaxQuantity {
			return nil, fmt.Errorf("%w: %w", errMalformed, ErrCorrupt)
		}
		c[b[0]] = int64(units)
		b = b[1+n:]
	}
	return c, nil
}

// value is the note of a chunk; empty when it has no levels.
func (c chunk) value() []byte {
	if len(c) == 0 {
		return nil
	}
	b := []byte{levelVersion}
	for _, at := range slices.Sorted(maps.Keys(c)) {
		b = append(b, at)
		b = binary.AppendUvarint(b, uint64(c[at]))
	}
	return b
}

// levelNotes is the notes that change when levels are set, and the channels that
// are named in them.
func (a *Allocator) levelNotes(set []Protection, scopes []scope) (notes []reservation.Note, named map[string]bool, err error) {
	chunks, named := map[string]chunk{}, map[string]bool{}
	var keys []string
	for i := range set {
		v, sc := &set[i], scopes[i]
		key := levelKey(v.Channel, v.SKU, sc.slot)
		c, ok := chunks[key]
		if !ok {
			if c, err = takeChunk(a.ledger.Note(key)); err != nil {
				return nil, nil, fmt.Errorf("note %s: %w", quoted(key), err)
			}
			chunks[key], keys = c, append(keys, key)
		}
		at := uint8(0)
		if sc.slot != reservation.Everywhere {
			at = uint8(sc.slot % levelChunk)
		}
		if v.Unset {
			delete(c, at)
		} else {
			c[at] = v.Units
		}
		named[v.Channel] = true
	}
	for _, key := range keys {
		notes = append(notes, reservation.Note{Key: key, Value: chunks[key].value()})
	}
	return notes, named, nil
}

// allLevels walks the notes of all levels as they would be with some changed, the
// levels of one channel after the other.
func (a *Allocator) allLevels(changed []reservation.Note) iter.Seq[reservation.Note] {
	return func(yield func(reservation.Note) bool) {
		by := make(map[string]int, len(changed))
		for i := range changed {
			by[changed[i].Key] = i
		}
		for note := range a.ledger.Notes(levelArea) {
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

// level is one protection level that was set.
type level struct {
	scope
	units int64
}

// levelsByChannel reads the levels of the channels that wanted says, with some
// notes changed.
func (a *Allocator) levelsByChannel(changed []reservation.Note, wanted func(channel string) bool) (map[string][]level, error) {
	all := map[string][]level{}
	for note := range a.allLevels(changed) {
		channel, name, base, err := takeLevelKey(note.Key)
		if err != nil {
			return nil, err
		}
		if !wanted(channel) {
			continue
		}
		sku, known := uint32(reservation.EverySKU), true
		if name != "" {
			sku, known = a.ledger.SKU(name)
		}
		if !known {
			return nil, fmt.Errorf("note %s: %w: %w", quoted(note.Key), ErrUnknownSKU, ErrCorrupt)
		}
		c, err := takeChunk(note.Value)
		if err != nil {
			return nil, fmt.Errorf("note %s: %w", quoted(note.Key), err)
		}
		for at, units := range c {
			slot := base
			if base != reservation.Everywhere {
				slot += uint32(at)
			}
			all[channel] = append(all[channel], level{scope{sku, slot}, units})
		}
	}
	return all, nil
}

// newLevels is the table of some levels; nil if there are none.
func newLevels(all []level) *levels {
	if len(all) == 0 {
		return nil
	}
	pairs, skus, slots := 0, 0, 0
	for _, v := range all {
		switch {
		case v.sku != reservation.EverySKU && v.slot != reservation.Everywhere:
			pairs++
		case v.sku != reservation.EverySKU:
			skus++
		case v.slot != reservation.Everywhere:
			slots++
		}
	}
	l := &levels{pairs: newLevelTable(pairs), skus: newLevelTable(skus), slots: newLevelTable(slots), everything: -1}
	for _, v := range all {
		switch {
		case v.sku != reservation.EverySKU && v.slot != reservation.Everywhere:
			l.pairs.put(uint64(v.sku)<<32|uint64(v.slot), v.units)
		case v.sku != reservation.EverySKU:
			l.skus.put(uint64(v.sku), v.units)
		case v.slot != reservation.Everywhere:
			l.slots.put(uint64(v.slot), v.units)
		default:
			l.everything = v.units
		}
	}
	return l
}

// withLevels is what counts for channels when some notes have changed, of the
// channels named: the tables of the others stay as they are.
func (a *Allocator) withLevels(changed []reservation.Note, named map[string]bool) (*channels, error) {
	read, err := a.levelsByChannel(changed, func(channel string) bool { return named[channel] })
	if err != nil {
		return nil, err
	}
	next := &channels{keeps: map[string]*keeps{}}
	own := map[string]*levels{}
	var all *levels
	if now := a.channels.Load(); now != nil {
		next.quotas = now.quotas
		for channel, k := range now.keeps {
			own[channel] = k.own
		}
		if now.others != nil {
			all = now.others.all
		}
	}
	for channel := range named {
		if channel == "" {
			all = newLevels(read[channel])
		} else {
			own[channel] = newLevels(read[channel])
		}
	}
	next.combine(own, all)
	return next, nil
}

// readLevels fills in what the notes say.
func (a *Allocator) readLevels(into *channels) error {
	read, err := a.levelsByChannel(nil, func(string) bool { return true })
	if err != nil {
		return err
	}
	own := map[string]*levels{}
	for channel, all := range read {
		if channel != "" {
			own[channel] = newLevels(all)
		}
	}
	into.keeps = map[string]*keeps{}
	into.combine(own, newLevels(read[""]))
	return nil
}

// combine fills in the levels for each channel that has its own, and for the
// others.
func (c *channels) combine(own map[string]*levels, all *levels) {
	for channel, l := range own {
		if l == nil {
			continue
		}
		c.keeps[channel] = &keeps{own: l, all: all}
	}
	if all != nil {
		c.others = &keeps{all: all}
	}
}

// Protections walks the protection levels that are set: by channel, then by SKU,
// those of all channels and of all SKUs first.
func (a *Allocator) Protections() iter.Seq[Protection] {
	return func(yield func(Protection) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		read, _ := a.levelsByChannel(nil, func(string) bool { return true }) // read before without fault
		if c.LeaveSettled() != nil {
			return
		}
		for _, channel := range slices.Sorted(maps.Keys(read)) {
			all := read[channel]
			slices.SortFunc(all, func(x, y level) int {
				// EverySKU and Everywhere are the largest, and come first.
				return cmp.Or(cmp.Compare(x.sku+1, y.sku+1), cmp.Compare(x.slot+1, y.slot+1))
			})
			for _, v := range all {
				p := Protection{Channel: channel, Units: v.units}
				if v.sku != reservation.EverySKU {
					p.SKU = a.ledger.SKUName(v.sku)
				}
				if v.slot != reservation.Everywhere {
					p.Location = a.ledger.SlotName(v.slot)
					if now, ok := a.ledger.Slot(p.Location); !ok || now != v.slot {
						continue // it went with its location
					}
				}
				if !yield(p) {
					return
				}
			}
		}
	}
}
