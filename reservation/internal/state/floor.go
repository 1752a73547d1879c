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
	_ [64 - 48]byte
}

// FloorParts is what a floor remembers of changes, for counts as of a time.
type FloorParts struct {
	recent []ShelfChange // a ring, once it is full
	next   int           // where the ring's oldest is
	Since  int64         // engine time from which on recent has everything
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

// Latest is the time of the latest change that is remembered. It takes the lock.
func (f *Floor) Latest() (at int64) {
	f.Lock(lock.Floor)
	defer f.Unlock()
	for i := range f.recent {
		at = max(at, f.recent[i].Time)
	}
	return at
}

// After adds up the changes of a location's units since a time, by SKU; what is not
// in it has not changed. False: it is too long ago to know.
func (f *Floor) After(asOf int64, slot uint32) (units map[uint32]int64, ok bool) {
	if asOf < f.Since {
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
