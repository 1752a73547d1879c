package reservation

import (
	"runtime"

	"github.com/clickcollect/clickcollect/reservation/internal/recovery"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// workers is how many goroutines share the work of recovery.
func (o *Options) workers() int {
	if o.manual {
		return recovery.ByHand
	}
	return min(runtime.GOMAXPROCS(0), recovery.MaxWorkers)
}

// Fill lays out the stock that was recovered, once the locations are numbered:
// what is on hand, less safety stock, less what live reservations hold. It does
// nothing the second time, and for a ledger that recovered nothing.
func (l *Ledger) Fill() error {
	if l.state.LaidOut() {
		return nil
	}
	found, err := recovery.LayOut(&l.state, l.options.workers())
	for _, s := range found.Shorts {
		l.shorts.add(s.SKU, s.Slot, s.Name)
	}
	if err != nil || l.queue == nil {
		return refused(err)
	}
	l.mendShorts(found.Lacking)
	return nil
}

// mendShorts records the shortages that a movement, an end or a return left
// behind when the power went between its record and theirs.
func (l *Ledger) mendShorts(cells []uint64) {
	now := l.Time()
	for _, key := range cells {
		sku, slot := uint32(key>>32), uint32(key)
		f := l.state.Floor(slot)
		f.Lock(lock.Floor)
		l.findShort(sku, slot, "", now)
		l.cover(sku, slot, now)
		f.Unlock()
	}
}
