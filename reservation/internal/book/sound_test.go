package book

import (
	"encoding/binary"
	"errors"
	"fmt"
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
		s, live, kept := &b.shards[i], 0, 0
		for _, ref := range s.index.references(nil) {
			switch r := s.record(ref); {
			case r.has(flagQueued):
				kept++
			case r.kind() == KindOrder:
				live++
			}
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
	t := &s.timers
	timers := map[uint32]int{} // of records, live ones
	visit := func(k bucket, from uint32) (n, dead uint32) {
		for piece := k.first; piece != 0; {
			p := s.side.at(piece)
			end := binary.LittleEndian.Uint32(p[4:])
			if piece == k.last {
				end = k.fill
			}
			for ; from < end; from++ {
				timer := binary.LittleEndian.Uint64(p[pieceHead+8*from:])
				n++
				if s.armed(timer) {
					timers[timerRef(timer)]++
				} else {
					dead++
				}
			}
			from = 0
			if piece == k.last {
				break
			}
			piece = binary.LittleEndian.Uint32(p)
		}
		return n, dead
	}
	for level, l := range t.levels {
		if l == nil {
			continue
		}
		for at, k := range l.buckets {
			n, dead := visit(k, 0)
			if n != k.count || (n > 0) != (l.filled>>at&1 == 1) {
				return fmt.Errorf("bucket %d/%d holds %d timers and says %d", level, at, n, k.count)
			}
			if k.dead > sweepDead+n*3/4 && t.moving.piece == 0 { // More than half: another was being swept.
				return fmt.Errorf("bucket %d/%d says that %d of %d are dead, and nobody sweeps (%d are)", level, at, k.dead, n, dead)
			}
		}
		if (l.filled != 0) != (t.used>>level&1 == 1) {
			return fmt.Errorf("level %d: buckets %x, used %x", level, l.filled, t.used)
		}
	}
	if m := t.moving; m.piece != 0 {
		visit(bucket{first: m.piece, last: m.last, fill: m.fill}, m.next)
	}
	for _, ref := range s.index.references(nil) {
		if r := s.record(ref); r.kind() == KindOrder && r.has(flagArmed) {
			if timers[ref] == 0 { // An old one may look alive besides.
				return errors.New("an armed order has no timer")
			}
		}
	}
	return nil
}
