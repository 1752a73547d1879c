package state

import "github.com/clickcollect/clickcollect/reservation/lock"

// Floors is how many locks the locations share for movements and collections.
const Floors = 256

// recentKept is how many changes of units on hand a floor remembers, for counts
// as of a time before now.
const recentKept = 4096

// Floor serialises the movements of the locations that share it. The pad keeps
// neighbours' locks off its cache line.
type Floor struct {
	lock.Mutex
	FloorParts
	_ [64 - 56]byte
}

// FloorParts is what a floor remembers of changes, for counts as of a time.
type FloorParts struct {
	recent []ShelfChange // a ring, once it is full
	next   int           // where the ring's oldest is
	Since  int64         // engine time from which on recent has everything
	// large is, by location, from when on recent has everything because more changed
	// there at once than it keeps; nil: nowhere.
	large map[uint32]int64
}

// A ShelfChange is one change of the units on hand.
type ShelfChange struct {
	Time      int64 // engine time
	SKU, Slot uint32
	Units     int64
}

// Remember notes a change.
func (f *Floor) Remember(c ShelfChange) {
	if len(f.recent) < recentKept {
		f.recent = append(f.recent, c)
		return
	}
	f.Since = max(f.Since, f.recent[f.next].Time+1)
	f.recent[f.next] = c
	f.next = (f.next + 1) % recentKept
}

// Large reports whether n changes at a location at one time are more than are kept. They
// are not remembered one by one then, which would push out those of all locations that
// share the floor: it is known of this one alone that what came before is not.
func (f *Floor) Large(n int, slot uint32, at int64) bool {
	if n <= recentKept {
		return false
	}
	if f.large == nil {
		f.large = map[uint32]int64{}
	}
	f.large[slot] = max(f.large[slot], at+1)
	return true
}

// Latest is the time of the latest change that is remembered. It takes the lock.
func (f *Floor) Latest() (at int64) {
	f.Lock(lock.Floor)
	defer f.Unlock()
	for i := range f.recent {
		at = max(at, f.recent[i].Time)
	}
	for _, from := range f.large {
		at = max(at, from-1)
	}
	return at
}

// After adds up the changes of a location's units since a time, by SKU; what is not
// in it has not changed. False: it is too long ago to know.
func (f *Floor) After(asOf int64, slot uint32) (units map[uint32]int64, ok bool) {
	if asOf < max(f.Since, f.large[slot]) {
		return nil, false
	}
	units = map[uint32]int64{}
	for i := range f.recent {
		if c := &f.recent[i]; c.Slot == slot && c.Time > asOf {
			units[c.SKU] += c.Units
		}
	}
	return units, true
}
