package topology

import "slices"

// groups finds the locations of a group: an order may ask for hundreds of groups
// and each location may be in hundreds, so comparing the two lists at every location
// would take an order 15 ms at 10,000 of them. It is immutable, as the catalogue is.
//
// Invariant: a location that is not in late is in exactly the groups that byName has
// it in; what late has is asked by its terms.
type groups struct {
	byName map[string]members
	late   []uint32 // slots set since byName was built, ascending
}

// members is the slots of the locations of a group: a list, ascending, or bits if
// those take less room.
type members struct {
	list []uint32
	bits []uint64
}

// lateGroups is how many locations may be set before byName is built anew: few
// enough to ask each of them in every order that names groups, and enough for
// thousands of locations to be set one by one.
func lateGroups(places int) int { return max(64, places/16) }

// with is the groups after some of so many locations were set; of tells the groups of
// each.
func (g groups) with(locations int, set []uint32, of func(slot uint32) []string) groups {
	late := slices.Clone(g.late)
	for _, slot := range set {
		// A location that comes without groups is in no list, and needs none.
		if len(g.byName) > 0 || len(late) > 0 || len(of(slot)) > 0 {
			late = append(late, slot)
		}
	}
	slices.Sort(late)
	late = slices.Compact(late)
	if len(late) > lateGroups(locations) {
		return newGroups(locations, of)
	}
	return groups{byName: g.byName, late: late}
}

// newGroups reads the groups of all locations.
func newGroups(locations int, of func(slot uint32) []string) groups {
	lists := make(map[string][]uint32)
	for slot := range uint32(locations) {
		for _, name := range of(slot) {
			list := lists[name]
			if n := len(list); n == 0 || list[n-1] != slot { // it may be named twice
				lists[name] = append(list, slot)
			}
		}
	}
	byName := make(map[string]members, len(lists))
	for name, list := range lists {
		if len(list) <= locations/32 { // 32 bits for each in a list, one for each that there is in bits
			byName[name] = members{list: slices.Clip(list)}
			continue
		}
		m := members{bits: make([]uint64, (locations+63)/64)}
		for _, slot := range list {
			m.bits[slot/64] |= 1 << (slot % 64)
		}
		byName[name] = m
	}
	return groups{byName: byName}
}

// anyOf is the locations in one of the groups asked for, a bit for each slot; is tells
// whether a location that was set late is.
func (g groups) anyOf(asked []string, locations int, is func(slot uint32) bool) []uint64 {
	found := make([]uint64, (locations+63)/64)
	for _, name := range asked {
		m := g.byName[name]
		for _, slot := range m.list {
			found[slot/64] |= 1 << (slot % 64)
		}
		for w, word := range m.bits {
			found[w] |= word
		}
	}
	for _, slot := range g.late {
		found[slot/64] &^= 1 << (slot % 64)
		if is(slot) {
			found[slot/64] |= 1 << (slot % 64)
		}
	}
	return found
}
