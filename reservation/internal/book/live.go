package book

import (
	"encoding/binary"
	"math/bits"

	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// What recovery asks of a book, besides what is in recover.go: it shares its work out
// by shard, and takes the units of what is live.

// ShardOf is the shard of a hash in a book that has so many.
func ShardOf(hash uint64, shards int) int {
	shard, _ := bits.Mul64(hash, uint64(shards)) // its highest bits, as they are a power of two
	return int(shard)
}

// PrefetchBytes asks for the memory at an address before it is read.
func PrefetchBytes(address uintptr) {
	prefetchLine(address)
	prefetchLine(address + cacheLine)
}

// Live is what LiveIn shows.
type Live interface {
	// Carried is a transfer, or an order on its way.
	Carried(e *Entry)
	// Partial is an order of which the state does not say where its units are.
	Partial(id string, e *Entry)
	// Line is a line, all of whose units are open, of another order.
	Line(sku, location, units uint32)
}

// LiveIn shows what is live in a shard, in the order of memory, each entry until the
// next one. It holds the lock of the shard.
func (b *Book) LiveIn(shard int, r *Room, to Live) {
	s := &b.shards[shard]
	s.mu.Lock(lock.Shard)
	defer s.mu.Unlock()
	for _, ref := range r.order.of(s) {
		rec := s.record(ref)
		switch {
		case rec.has(flagQueued), rec.waits(), rec.state() == life.Shipped: // the last is at no location, nor on its way to one
		case rec.kind() == KindTransfer || rec.state() == life.InTransit:
			s.read(ref, &r.entry)
			to.Carried(&r.entry)
		case s.partial(rec):
			s.read(ref, &r.entry)
			to.Partial(string(rec.id()), &r.entry)
		default:
			location, lines := rec.location(), rec.lines(rec.idBytes(), rec.lineCount())
			for at := 0; at < len(lines); at += lineBytes {
				both := binary.LittleEndian.Uint64(lines[at:])
				to.Line(uint32(both), location, uint32(both>>32))
			}
		}
	}
}

// Room is the memory that LiveIn works in; it is reused.
type Room struct {
	order refSorter
	entry Entry
}
