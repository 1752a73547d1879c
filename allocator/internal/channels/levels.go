package channels

import "github.com/clickcollect/clickcollect/reservation"

// Levels is the protection levels that count for the orders of one channel. nil has
// none. It is immutable.
type Levels struct {
	own, all *table // those of the channel, and those of all channels; nil: none
}

// Of is how many units an order of the channel must leave available of a SKU at a
// location. It takes no lock.
func (l *Levels) Of(sku, slot uint32) int64 {
	if l == nil {
		return 0
	}
	if l.own != nil {
		if units, ok := l.own.of(sku, slot); ok {
			return units
		}
	}
	if l.all != nil {
		units, _ := l.all.of(sku, slot)
		return units
	}
	return 0
}

// table is the protection levels of one channel, or of all channels.
//
// Bound: 32 to 64 bytes for each level.
type table struct {
	pairs, skus, slots hashTable
	everything         int64 // below 0: none
}

// of is the level that decides; ok is false when none applies.
func (t *table) of(sku, slot uint32) (units int64, ok bool) {
	if units, ok = t.pairs.find(uint64(sku)<<32 | uint64(slot)); ok {
		return units, true
	}
	if units, ok = t.skus.find(uint64(sku)); ok {
		return units, true
	}
	if units, ok = t.slots.find(uint64(slot)); ok {
		return units, true
	}
	return max(t.everything, 0), t.everything >= 0
}

// level is one protection level of the channel, or of all channels, that a table is of.
type level struct {
	sku, slot uint32
	units     int64
}

// newTable is the table of some levels; nil if there are none.
func newTable(all []level) *table {
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
	t := &table{pairs: newHashTable(pairs), skus: newHashTable(skus), slots: newHashTable(slots), everything: -1}
	for _, v := range all {
		switch {
		case v.sku != reservation.EverySKU && v.slot != reservation.Everywhere:
			t.pairs.put(uint64(v.sku)<<32|uint64(v.slot), v.units)
		case v.sku != reservation.EverySKU:
			t.skus.put(uint64(v.sku), v.units)
		case v.slot != reservation.Everywhere:
			t.slots.put(uint64(v.slot), v.units)
		default:
			t.everything = v.units
		}
	}
	return t
}

// hashTable is a hash table with open addressing that is written once. Of a
// million levels a look-up reads one cache line, seldom two.
type hashTable struct {
	places []place // a power of two of them, at most half in use; empty: none
	shift  uint8   // 64 less their number's logarithm
}

type place struct {
	key   uint64
	units uint32
	used  bool
}

// newHashTable is a table with room for n levels.
func newHashTable(n int) (t hashTable) {
	if n == 0 {
		return t
	}
	t.shift = 63
	for 1<<(64-t.shift) < 2*n {
		t.shift--
	}
	t.places = make([]place, 1<<(64-t.shift))
	return t
}

// at is where a key is, or would be: the hash's highest bits say where to begin,
// then one place comes after the other. The hash is the finalizer of SplitMix64
// (Steele, Lea and Flood, OOPSLA 2014): neighbours in both halves of a key, as
// these have, must not become neighbours in the table.
func (t *hashTable) at(key uint64) *place {
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

func (t *hashTable) find(key uint64) (units int64, ok bool) {
	if len(t.places) == 0 {
		return 0, false
	}
	return t.look(key)
}

// look is find in a table with places; apart, so that find is inlined.
func (t *hashTable) look(key uint64) (units int64, ok bool) {
	p := t.at(key)
	return int64(p.units), p.used
}

func (t *hashTable) put(key uint64, units int64) {
	*t.at(key) = place{key: key, units: uint32(units), used: true}
}
