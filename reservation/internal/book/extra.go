package book

import (
	"encoding/binary"

	"github.com/clickcollect/clickcollect/reservation/internal/book/slab"
)

// extra is the memory of what only some entries have, little-endian:
//
//	byte  0  to                   4
//	      4  bytes of each string 12  six times 2: order, customer, owner, channel, code, and what past.go draws
//	     16  nodes               12  references in the views by order, by customer and by whole
//	     28  number of lines      4  0 when the state says where the units are
//	     32  lines               32  each: held, confirmed, collected, returned,
//	      …                          missing, lapsed, short, rerouted
//	      …  strings                 one after the other
//
// It lies in a slab of its own, because a reference into the slab of the records
// must always find a record, outdated or not.
type extra []byte

const (
	extraToAt      = 0
	extraStringsAt = 4
	extraNodesAt   = 16
	extraCountAt   = 28
	extraLinesAt   = 32

	extraLineBytes = 32
	refCount       = 6
)

// All is each of them, in the order in which they are kept.
func (r *Refs) All() [refCount - 1]string {
	return [refCount - 1]string{r.Order, r.Customer, r.Owner, r.Channel, r.Code}
}

// bytes is how long all of them are.
func (r *Refs) bytes() int {
	return len(r.Order) + len(r.Customer) + len(r.Owner) + len(r.Channel) + len(r.Code)
}

// extraBytes returns the size of the piece an entry needs, 0 for none, and
// whether its lines are in it. A part but for the first always has one, for its node in
// the view of its order.
func extraBytes(e *Entry) (size int, lines bool) {
	lines = !implied(e)
	text := e.Refs.bytes() + e.pastBytes()
	if !lines && text == 0 && e.To == 0 && e.Part == 0 {
		return 0, false
	}
	size = extraLinesAt + text
	if lines {
		size += extraLineBytes * len(e.Lines)
	}
	return size, lines
}

func (x extra) write(e *Entry, lines bool, nodes [views]uint32) {
	binary.LittleEndian.PutUint32(x[extraToAt:], e.To)
	count, at := 0, extraLinesAt
	if lines {
		count = len(e.Lines)
		for i := range e.Lines {
			l, b := &e.Lines[i], x[at:at+extraLineBytes]
			for j, units := range [...]uint32{l.Held, l.Confirmed, l.Collected, l.Returned, l.Missing, l.Lapsed, l.Short, l.Rerouted} {
				binary.LittleEndian.PutUint32(b[4*j:], units)
			}
			at += extraLineBytes
		}
	}
	binary.LittleEndian.PutUint32(x[extraCountAt:], uint32(count))
	for i, s := range e.Refs.All() {
		binary.LittleEndian.PutUint16(x[extraStringsAt+2*i:], uint16(len(s)))
		at += copy(x[at:], s)
	}
	past := e.pastBytes()
	binary.LittleEndian.PutUint16(x[extraStringsAt+2*(refCount-1):], uint16(past))
	e.putPast(x[at : at+past])
	for v, node := range nodes {
		x.setNode(View(v), node)
	}
}

// read completes an entry that record.read has filled. It allocates once if
// there are strings.
func (x extra) read(into *Entry) {
	into.To = binary.LittleEndian.Uint32(x[extraToAt:])
	count, at := x.lineCount(), extraLinesAt
	for i := range count {
		l, b := &into.Lines[i], x[at:at+extraLineBytes]
		l.Held, l.Confirmed = binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		l.Collected, l.Returned = binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
		l.Missing, l.Lapsed = binary.LittleEndian.Uint32(b[16:]), binary.LittleEndian.Uint32(b[20:])
		l.Short, l.Rerouted = binary.LittleEndian.Uint32(b[24:]), binary.LittleEndian.Uint32(b[28:])
		at += extraLineBytes
	}
	size := x.size()
	if at == size {
		return
	}
	text := string(x[at:size])
	for i, s := range [refCount - 1]*string{&into.Refs.Order, &into.Refs.Customer, &into.Refs.Owner, &into.Refs.Channel, &into.Refs.Code} {
		n := x.stringBytes(i)
		*s, text = text[:n], text[n:]
	}
	if text != "" {
		into.Recall(into.Since, text)
	}
}

func (x extra) stringBytes(i int) int { return int(binary.LittleEndian.Uint16(x[extraStringsAt+2*i:])) }
func (x extra) lineCount() int        { return int(binary.LittleEndian.Uint32(x[extraCountAt:])) }

func (x extra) size() int {
	size := extraLinesAt + extraLineBytes*x.lineCount()
	for i := range refCount {
		size += x.stringBytes(i)
	}
	return size
}

func (x extra) node(v View) uint32 { return binary.LittleEndian.Uint32(x[extraNodesAt+4*int(v):]) }

func (x extra) setNode(v View, node uint32) {
	binary.LittleEndian.PutUint32(x[extraNodesAt+4*int(v):], node)
}

// key returns what the record with that ID is found by in a view where it has a
// node; it aliases the piece or the ID.
func (x extra) key(v View, id []byte) []byte {
	if v == ByWhole {
		return id
	}
	at := extraLinesAt + extraLineBytes*x.lineCount()
	for i := range int(v) {
		at += x.stringBytes(i)
	}
	return x[at : at+x.stringBytes(int(v))]
}

// past returns what past.go draws; it aliases the piece.
func (x extra) past() []byte {
	size := x.size()
	return x[size-x.stringBytes(refCount-1) : size]
}

// writeExtra brings the extra piece of a record up to date, in another place if
// its size has changed, and the views with it. It is called with the shard's
// lock held.
func (b *Book) writeExtra(s *shard, ref uint32, e *Entry) {
	r := s.record(ref)
	size, lines := extraBytes(e)
	old := r.extra()
	if old == 0 && size == 0 {
		return
	}
	var nodes [views]uint32
	given := 0
	if old != 0 {
		x := s.extra(old)
		given = x.size()
		for v := range views {
			nodes[v] = x.node(v)
			if nodes[v] != 0 && string(x.key(v, r.id())) != e.key(v, r.id()) {
				b.views[v].remove(b.viewHash(v, x.key(v, r.id())), nodes[v])
				nodes[v] = 0
			}
		}
	}
	piece := old
	if !slab.Same(given, size) {
		piece = 0
		if old != 0 {
			s.side.Give(old, given)
		}
		if size != 0 {
			piece = s.side.Take(size)
		}
		r.setExtra(piece)
	}
	if piece == 0 {
		return
	}
	if r.kind() == KindOrder {
		for v := range views {
			if key := e.key(v, r.id()); nodes[v] == 0 && key != "" {
				nodes[v] = b.views[v].add(hashID(&b.key, viewKind(v), key)&b.used, s.number, ref)
			}
		}
	}
	s.extra(piece).write(e, lines, nodes)
}

// freeExtra gives the extra piece of a record back and takes it out of the views.
func (b *Book) freeExtra(s *shard, r record) {
	ref := r.extra()
	if ref == 0 {
		return
	}
	x := s.extra(ref)
	for v := range views {
		if node := x.node(v); node != 0 {
			b.views[v].remove(b.viewHash(v, x.key(v, r.id())), node)
		}
	}
	s.side.Give(ref, x.size())
	r.setExtra(0)
}
