package reservation

import "github.com/clickcollect/clickcollect/reservation/lock"

// floors is how many locks the locations share for movements and collections.
const floors = 256

// recentKept is how many changes of units on hand a floor remembers, for counts
// as of a time before now.
const recentKept = 4096

// floor serialises the movements of the locations that share it. The pad keeps
// neighbours' locks off its cache line.
type floor struct {
	lock.Mutex
	floorParts
	_ [64 - 48]byte
}

type floorParts struct {
	recent []shelfChange // a ring, once it is full
	next   int           // where the ring's oldest is
	since  int64         // engine time from which on recent has everything
}

// shelfChange is one change of the units on hand.
type shelfChange struct {
	time      int64
	sku, slot uint32
	units     int64
}

// note remembers what a change did to units of goods; a resource is not counted on
// a shelf.
func (f *floor) note(now int64, effects []effect, k *classes) {
	for _, e := range effects {
		if e.onHand != 0 && !k.resource(e.sku) {
			f.remember(shelfChange{time: now, sku: e.sku, slot: e.slot, units: e.onHand})
		}
	}
}

func (f *floor) remember(c shelfChange) {
	if len(f.recent) < recentKept {
		f.recent = append(f.recent, c)
		return
	}
	f.since = max(f.since, f.recent[f.next].time+1)
	f.recent[f.next] = c
	f.next = (f.next + 1) % recentKept
}

// latest is the time of the latest change that is remembered. It takes the lock.
func (f *floor) latest() (at int64) {
	f.Lock(lock.Floor)
	defer f.Unlock()
	for i := range f.recent {
		at = max(at, f.recent[i].time)
	}
	return at
}

// after adds up the changes of a SKU's units since a time. False: it is too long
// ago to know.
func (f *floor) after(asOf int64, sku, slot uint32) (units int64, ok bool) {
	if asOf < f.since {
		return 0, false
	}
	for i := range f.recent {
		if c := &f.recent[i]; c.sku == sku && c.slot == slot && c.time > asOf {
			units += c.units
		}
	}
	return units, true
}
