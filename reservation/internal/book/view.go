package book

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/internal/book/index"
	"github.com/clickcollect/clickcollect/reservation/internal/book/slab"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// view is an index of the orders by one of their references, or of the parts of
// orders by the ID of the whole.
type View uint8

// The views.
const (
	ByOrder View = iota
	ByCustomer
	ByWhole
	views
)

// key returns what an entry with that ID is found by in a view; empty: it is not
// in the view. By whole are the parts of an order but for the first.
func (e *Entry) key(v View, id []byte) string {
	switch v {
	case ByOrder:
		return e.Refs.Order
	case ByCustomer:
		return e.Refs.Customer
	}
	if e.Part > 1 {
		return string(id)
	}
	return ""
}

// viewKind is the name space of a view's keys in the hash.
func viewKind(v View) Kind { return kinds + Kind(v) }

func (b *Book) viewHash(v View, key []byte) uint64 {
	return hashID(&b.key, viewKind(v), key) & b.used
}

// viewIndex finds the orders with a reference, here also the parts of a whole: lists of nodes of 24 bytes, by
// the hash of the reference, in memory the collector does not scan. It keeps no
// keys; whoever reads a list compares the references of what it finds. An order
// knows its nodes, so that one order of a customer with a million goes in
// constant time.
//
//	byte  0  hash     8  of the reference
//	      8  shard    4
//	     12  record   4  reference in that shard
//	     16  newer    4  nodes, 0 at the ends
//	     20  older    4
//
// The stripe of the hash is locked inside the lock of a shard, and nothing is
// locked inside it. Safe for concurrent use.
//
// Invariant: the slot of the index names the newest node of a list.
// Bound: 2^31−1 nodes a stripe; memory is that of the peak.
type viewIndex struct {
	stripes []viewStripe // a power of two
	shift   int          // 64 − the hash bits that choose a stripe
}

type viewStripe struct {
	mu    lock.Mutex
	index index.Index
	nodes slab.Slab
}

const (
	viewStripeBytes = unsafe.Sizeof(viewStripe{})

	nodeHashAt   = 0
	nodeShardAt  = 8
	nodeRecordAt = 12
	nodeNewerAt  = 16
	nodeOlderAt  = 20
	nodeBytes    = 24
)

// place names a record: a shard and a reference in it.
type place struct{ shard, ref uint32 }

func newViewIndex(stripes, shift int) viewIndex {
	return viewIndex{stripes: make([]viewStripe, stripes), shift: shift}
}

func (x *viewIndex) stripe(hash uint64) *viewStripe { return &x.stripes[hash>>x.shift] }

// head returns the newest node with that hash, or 0 and its place in the index.
func (s *viewStripe) head(hash uint64) (t *index.Table, at int, node uint32) {
	tag := uint32(hash)
	t = s.index.TableFor(tag)
	mask := len(t.Slots) - 1
	for at = t.Home(tag); ; at = (at + 1) & mask {
		slot := t.Slots[at]
		if slot == 0 {
			return t, at, 0
		}
		if index.Tag(slot) == tag && binary.LittleEndian.Uint64(s.nodes.At(index.Ref(slot))) == hash {
			return t, at, index.Ref(slot)
		}
	}
}

// add puts a record at the beginning of the list of a hash.
func (x *viewIndex) add(hash uint64, shard, ref uint32) (node uint32) {
	s := x.stripe(hash)
	s.mu.Lock(lock.References)
	defer s.mu.Unlock()
	if !s.index.Made() {
		s.index = index.New()
	}
	t, at, head := s.head(hash)
	node = s.nodes.Take(nodeBytes)
	n := s.nodes.At(node)
	binary.LittleEndian.PutUint64(n[nodeHashAt:], hash)
	binary.LittleEndian.PutUint32(n[nodeShardAt:], shard)
	binary.LittleEndian.PutUint32(n[nodeRecordAt:], ref)
	binary.LittleEndian.PutUint32(n[nodeNewerAt:], 0)
	binary.LittleEndian.PutUint32(n[nodeOlderAt:], head)
	if head != 0 {
		binary.LittleEndian.PutUint32(s.nodes.At(head)[nodeNewerAt:], node)
		t.Slots[at] = index.Slot(uint32(hash), node)
		return node
	}
	s.index.Put(t, at, index.Slot(uint32(hash), node))
	if want, urgent := s.index.Wanted(); want || urgent {
		s.index.Begin(make([]uint64, s.index.Twice()))
	}
	return node
}

// remove takes a node out of the list of its hash.
func (x *viewIndex) remove(hash uint64, node uint32) {
	s := x.stripe(hash)
	s.mu.Lock(lock.References)
	defer s.mu.Unlock()
	n := s.nodes.At(node)
	newer, older := binary.LittleEndian.Uint32(n[nodeNewerAt:]), binary.LittleEndian.Uint32(n[nodeOlderAt:])
	if older != 0 {
		binary.LittleEndian.PutUint32(s.nodes.At(older)[nodeNewerAt:], newer)
	}
	switch {
	case newer != 0:
		binary.LittleEndian.PutUint32(s.nodes.At(newer)[nodeOlderAt:], older)
	case older != 0:
		t, at, _ := s.head(hash)
		t.Slots[at] = index.Slot(uint32(hash), older)
	default:
		s.index.Take(index.Slot(uint32(hash), node))
	}
	s.nodes.Give(node, nodeBytes)
}

// places returns where the records of a hash are, newest first.
func (x *viewIndex) places(hash uint64) (all []place) {
	s := x.stripe(hash)
	s.mu.Lock(lock.References)
	defer s.mu.Unlock()
	if !s.index.Made() {
		return nil
	}
	_, _, node := s.head(hash)
	for node != 0 {
		n := s.nodes.At(node)
		all = append(all, place{binary.LittleEndian.Uint32(n[nodeShardAt:]), binary.LittleEndian.Uint32(n[nodeRecordAt:])})
		node = binary.LittleEndian.Uint32(n[nodeOlderAt:])
	}
	return all
}

func (x *viewIndex) bytes() (total int64) {
	for i := range x.stripes {
		s := &x.stripes[i]
		s.mu.Lock(lock.References)
		total += s.nodes.Bytes() + s.index.Bytes() + int64(viewStripeBytes)
		s.mu.Unlock()
	}
	return total
}

// Named walks the names of the orders and parts with a reference, live and remembered
// ones, ascending. It sees each that has it from start to end. No lock is held while
// each runs, which returns false to stop.
func (b *Book) Named(v View, key string, each func(n Name) bool) {
	if key == "" {
		return
	}
	var names []Name
	var e Entry
	for _, p := range b.views[v].places(hashID(&b.key, viewKind(v), key) & b.used) {
		if _, id, ok := b.shards[p.shard].entryAt(p.ref, &e); ok && e.key(v, []byte(id)) == key {
			names = append(names, Name{id, e.Part})
		}
	}
	slices.SortFunc(names, Name.Compare)
	for _, n := range slices.Compact(names) {
		if !each(n) {
			return
		}
	}
}
