package bench

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

const (
	strongSKULocks    = 1024    // locks over the SKUs, a power of two
	strongOrderShards = 1024    // shards of the map of orders, a power of two
	strongRemember    = 1 << 20 // ended orders remembered, over all shards
	strongOnStack     = 16      // lines an order may have before Allocate needs more memory
)

// strong is the baseline of a good engineer with a week: numbers for names,
// one array of counters, locks by SKU taken in ascending order, a k-d tree.
//
// An order is served in five steps: lock the shard of its ID, look the ID up,
// search without SKU locks, lock the SKUs and check again, take. A search
// that lost a race is repeated. Nothing is ever undone, so nobody is refused
// for units that another order held only for a moment.
//
// Safe for concurrent use.
type strong struct {
	skus      map[string]int32 // never written after Load, so read without a lock
	places    map[string]int32
	names     []string // location IDs in the tree's order
	tree      kdTree
	counters  []atomic.Int32 // SKU-major: a search for one SKU stays in one row
	skuLocks  [strongSKULocks]strongLock
	orderSeed maphash.Seed
	orders    [strongOrderShards]strongOrders
}

// strongLock is padded to a cache line, away from the next SKU's lock.
type strongLock struct {
	sync.Mutex
	_ [56]byte
}

// strongOrders is one shard of the orders, live and ended.
type strongOrders struct {
	mu      sync.Mutex
	records map[string]*strongRecord
	ended   []string // ring of the IDs of ended orders, oldest at next once full
	next    int
	_       [64]byte
}

// strongLine is a line after its name was looked up. Lines of one order are
// in ascending order of SKU, one per SKU.
type strongLine struct{ sku, quantity int32 }

// strongRecord is a reservation and what is needed to know its order again.
type strongRecord struct {
	near     geo.Point
	reach    geo.Meters
	location int32
	canceled bool
	lines    []strongLine
	inline   [5]strongLine // holds lines when they fit, to save an allocation
}

func (e *strong) Load(w *World) error {
	e.orderSeed = maphash.MakeSeed()
	for i := range e.orders {
		e.orders[i].records = make(map[string]*strongRecord)
	}
	e.skus = make(map[string]int32, len(w.SKUs))
	for i, name := range w.SKUs {
		e.skus[name] = int32(i)
	}
	points := make([]vector, len(w.Locations))
	for i, l := range w.Locations {
		points[i] = unitVector(l.Point)
	}
	order := e.tree.build(points)
	e.names = make([]string, len(order))
	e.places = make(map[string]int32, len(order))
	for number, i := range order {
		e.names[number] = w.Locations[i].ID
		e.places[w.Locations[i].ID] = int32(number)
	}
	e.counters = make([]atomic.Int32, len(w.SKUs)*len(w.Locations))
	for receipts := range w.Receipts() {
		for _, r := range receipts {
			place, ok := e.places[r.Location]
			if !ok {
				return fmt.Errorf("%w: %q", errNotFound, r.Location)
			}
			for _, l := range r.Lines {
				c := e.counter(e.skus[l.SKU], place)
				if l.Quantity < 0 || l.Quantity > math.MaxInt32-int64(c.Load()) {
					return fmt.Errorf("%w: quantity %d", errInvalid, l.Quantity)
				}
				c.Add(int32(l.Quantity))
			}
		}
	}
	return nil
}

func (e *strong) counter(sku, place int32) *atomic.Int32 {
	return &e.counters[int(sku)*len(e.names)+int(place)]
}

func (e *strong) Allocate(o *allocator.Order) (string, bool, error) {
	var onStack [strongOnStack]strongLine
	lines, err := e.resolve(onStack[:0], o.Lines)
	if err != nil {
		return "", false, err
	}
	shard := e.shard(o.ID)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if old := shard.records[o.ID]; old != nil {
		if old.near != o.Near || old.reach != o.MaxDistance || !slices.Equal(old.lines, lines) {
			return "", false, errConflict
		}
		return e.names[old.location], true, nil
	}
	near := unitVector(o.Near)
	reach := chordSquared(float64(o.MaxDistance))
	for {
		place := e.nearest(near, reach, lines)
		if place < 0 {
			return "", false, nil
		}
		if e.take(place, lines) {
			r := &strongRecord{near: o.Near, reach: o.MaxDistance, location: place}
			r.lines = append(r.inline[:0], lines...)
			shard.records[o.ID] = r
			return e.names[place], true, nil
		}
	}
}

// resolve appends the order's lines as numbers, sorted by SKU and with lines
// of one SKU summed.
func (e *strong) resolve(lines []strongLine, named []allocator.Line) ([]strongLine, error) {
	for _, l := range named {
		sku, ok := e.skus[l.SKU]
		if !ok {
			return nil, fmt.Errorf("%w: %q", errNotFound, l.SKU)
		}
		if l.Quantity <= 0 || l.Quantity > math.MaxInt32 {
			return nil, fmt.Errorf("%w: quantity %d", errInvalid, l.Quantity)
		}
		lines = append(lines, strongLine{sku, int32(l.Quantity)})
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%w: no lines", errInvalid)
	}
	if len(lines) == 1 {
		return lines, nil
	}
	slices.SortFunc(lines, func(a, b strongLine) int { return cmp.Compare(a.sku, b.sku) })
	last := 0
	for _, l := range lines[1:] {
		if l.sku != lines[last].sku {
			last++
			lines[last] = l
			continue
		}
		if lines[last].quantity > math.MaxInt32-l.quantity {
			return nil, fmt.Errorf("%w: quantity above %d", errInvalid, math.MaxInt32)
		}
		lines[last].quantity += l.quantity
	}
	return lines[:last+1], nil
}

// canFill reports whether place has all lines at this moment.
func (e *strong) canFill(place int32, lines []strongLine) bool {
	for _, l := range lines {
		if e.counter(l.sku, place).Load() < l.quantity {
			return false
		}
	}
	return true
}

// take checks once more under the SKUs' locks and takes all lines or none.
func (e *strong) take(place int32, lines []strongLine) bool {
	var onStack [strongOnStack]int32
	locks := onStack[:0]
	for _, l := range lines {
		locks = append(locks, l.sku%strongSKULocks)
	}
	if len(locks) > 1 {
		slices.Sort(locks)
		locks = slices.Compact(locks)
	}
	for _, i := range locks {
		e.skuLocks[i].Lock()
	}
	ok := e.canFill(place, lines)
	if ok {
		for _, l := range lines {
			e.counter(l.sku, place).Add(-l.quantity)
		}
	}
	for _, i := range locks {
		e.skuLocks[i].Unlock()
	}
	return ok
}

func (e *strong) shard(id string) *strongOrders {
	return &e.orders[maphash.String(e.orderSeed, id)%strongOrderShards]
}

func (e *strong) Cancel(id string) error {
	shard := e.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	r := shard.records[id]
	if r == nil {
		return errNotFound
	}
	if r.canceled {
		return errEnded
	}
	r.canceled = true
	for _, l := range r.lines {
		// Without the SKU's lock: a counter that grows under a taker that
		// holds the lock can only make its check come true.
		e.counter(l.sku, r.location).Add(l.quantity)
	}
	shard.forgetOldest(id)
	return nil
}

// forgetOldest notes that id ended and forgets the order that ended first
// once the shard remembers its share.
func (s *strongOrders) forgetOldest(id string) {
	if len(s.ended) < strongRemember/strongOrderShards {
		s.ended = append(s.ended, id)
		return
	}
	delete(s.records, s.ended[s.next])
	s.ended[s.next] = id
	s.next = (s.next + 1) % len(s.ended)
}

func (e *strong) Available(sku, location string) (int64, error) {
	s, ok := e.skus[sku]
	place, found := e.places[location]
	if !ok || !found {
		return 0, errNotFound
	}
	return int64(e.counter(s, place).Load()), nil
}

func (e *strong) Close() error { return nil }
