package allocator

import (
	"strings"

	"github.com/clickcollect/clickcollect/reservation"
)

// channels is what counts for orders by the channel they come from. It is
// immutable.
type channels struct {
	keeps  map[string]*keeps   // of the channels with levels of their own
	others *keeps              // of all the others, and of orders that name none
	quotas map[string]struct{} // the channels that units were ever set aside for
}

// keepsOf is the protection levels that count for a channel; nil if there are
// none.
func (a *Allocator) keepsOf(channel string) *keeps {
	c := a.channels.Load()
	if c == nil {
		return nil
	}
	if k, ok := c.keeps[channel]; ok {
		return k
	}
	return c.others
}

// hasQuotas reports whether units of any SKU may be set aside for a channel: its
// orders are planned.
func (a *Allocator) hasQuotas(channel string) bool {
	c := a.channels.Load()
	if c == nil || channel == "" {
		return false
	}
	_, ok := c.quotas[channel]
	return ok
}

// quotaOf is what is set aside of a SKU for a channel; ok is false if nothing
// ever was.
func (a *Allocator) quotaOf(channel string, sku uint32) (handle uint32, ok bool) {
	if channel == "" {
		return 0, false
	}
	return a.ledger.Quota(sku, channel)
}

// keeps is the protection levels that count for a channel. nil has none. It is
// immutable.
type keeps struct {
	own, all *levels // those of the channel, and those of all channels; nil: none
}

// of is how many units an order of the channel must leave available of a SKU at a
// location. It takes no lock.
func (k *keeps) of(sku, slot uint32) int64 {
	if k == nil {
		return 0
	}
	if k.own != nil {
		if units, ok := k.own.of(sku, slot); ok {
			return units
		}
	}
	if k.all != nil {
		units, _ := k.all.of(sku, slot)
		return units
	}
	return 0
}

// levels is protection levels of one channel, or of all.
//
// Bound: 32 to 64 bytes for each level.
type levels struct {
	pairs, skus, slots levelTable
	everything         int64 // below 0: none
}

// of is the level that decides; ok is false when none applies.
func (l *levels) of(sku, slot uint32) (units int64, ok bool) {
	if units, ok = l.pairs.find(uint64(sku)<<32 | uint64(slot)); ok {
		return units, true
	}
	if units, ok = l.skus.find(uint64(sku)); ok {
		return units, true
	}
	if units, ok = l.slots.find(uint64(slot)); ok {
		return units, true
	}
	return max(l.everything, 0), l.everything >= 0
}

// levelTable is a hash table with open addressing that is written once. Of a
// million levels a look-up reads one cache line, seldom two.
type levelTable struct {
	places []levelPlace // a power of two of them, at most half in use; empty: none
	shift  uint8        // 64 less their number's logarithm
}

type levelPlace struct {
	key   uint64
	units uint32
	used  bool
}

// newLevelTable is a table with room for n levels.
func newLevelTable(n int) (t levelTable) {
	if n == 0 {
		return t
	}
	t.shift = 63
	for 1<<(64-t.shift) < 2*n {
		t.shift--
	}
	t.places = make([]levelPlace, 1<<(64-t.shift))
	return t
}

// at is where a key is, or would be: the hash's highest bits say where to begin,
// then one place comes after the other. The hash is the finalizer of SplitMix64
// (Steele, Lea and Flood, OOPSLA 2014): neighbours in both halves of a key, as
// these have, must not become neighbours in the table.
func (t *levelTable) at(key uint64) *levelPlace {
	mask := uint64(len(t.places) - 1)
	hash := (key ^ key>>30) * 0xbf58476d1ce4e5b9
	hash = (hash ^ hash>>27) * 0x94d049bb133111eb
	for i := (hash ^ hash>>31) >> t.shift; ; i++ {
		p := &t.places[i&mask]
		if !p.used || p.key == key {
			return p
		}
	}
}

func (t *levelTable) find(key uint64) (units int64, ok bool) {
	if len(t.places) == 0 {
		return 0, false
	}
	return t.look(key)
}

// look is find in a table with places; apart, so that find is inlined.
func (t *levelTable) look(key uint64) (units int64, ok bool) {
	p := t.at(key)
	return int64(p.units), p.used
}

func (t *levelTable) put(key uint64, units int64) {
	*t.at(key) = levelPlace{key: key, units: uint32(units), used: true}
}

// recoverChannels finds what was set for channels before the engine was closed.
func (a *Allocator) recoverChannels() error {
	next := &channels{quotas: map[string]struct{}{}}
	for sku := range uint32(a.ledger.SKUs()) {
		if _, channel, ok := reservation.QuotaOf(a.ledger.SKUName(sku)); ok {
			next.quotas[strings.Clone(channel)] = struct{}{}
		}
	}
	if err := a.readLevels(next); err != nil {
		return err
	}
	if len(next.quotas) > 0 || next.others != nil || len(next.keeps) > 0 {
		a.channels.Store(next)
	}
	return nil
}
