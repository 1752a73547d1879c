package book

import (
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
)

// soundBook checks what no answer shows: that what is gone leaves the timers,
// shelves and views within the bounds, and that their counts are right.
func soundBook(b *Book) error {
	for i := range b.shards {
		if err := soundTimers(b, &b.shards[i]); err != nil {
			return fmt.Errorf("shard %d: %w", i, err)
		}
	}
	if err := soundCounts(b); err != nil {
		return err
	}
	if pages := b.shelves.pages.Load(); pages != nil {
		for i := range len(*pages) * shelfPage {
			f := b.shelves.of(uint32(i))
			dead := 0
			for i := range f.count() {
				if *f.slot(i)>>32 == 0 {
					dead++
				}
			}
			if dead != int(f.dead) || dead > max(shelfDead, f.count()/2) {
				return fmt.Errorf("shelf %d has %d of %d dead, and says %d", i, dead, f.count(), f.dead)
			}
		}
	}
	return nil
}

// soundCounts checks that the counters of a shard say what a count of its entries
// gives.
func soundCounts(b *Book) error {
	for i := range b.shards {
		s, live, kept, waiting := &b.shards[i], 0, 0, 0
		for _, ref := range s.index.References(nil) {
			switch r := s.record(ref); {
			case r.has(flagQueued):
				kept++
			case r.waits():
				waiting++
			case r.kind() == KindOrder:
				live++
			}
		}
		if waiting != s.waiting {
			return fmt.Errorf("shard %d has %d entries that wait, and says %d", i, waiting, s.waiting)
		}
		if live != int(s.live.Load()) || kept != int(s.kept.Load()) {
			return fmt.Errorf("shard %d has %d orders that live and %d entries that are remembered, and says %d and %d",
				i, live, kept, s.live.Load(), s.kept.Load())
		}
	}
	return nil
}

// soundTimers checks that every armed record of a shard has a timer, and
// that buckets hold what they say.
func soundTimers(b *Book, s *shard) error {
	timers := map[uint32]int{} // of records, live ones
	if err := s.timers.Sound(&s.side, func(timer uint64) {
		if s.armed(timer) {
			timers[wheel.Ref(timer)]++
		}
	}); err != nil {
		return err
	}
	for _, ref := range s.index.References(nil) {
		if r := s.record(ref); r.kind() == KindOrder && r.has(flagArmed) {
			if timers[ref] == 0 { // An old one may look alive besides.
				return errors.New("an armed order has no timer")
			}
		}
	}
	return nil
}
