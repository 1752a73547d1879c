//go:build lockorder

package lock

import (
	"fmt"
	"sync"
	"unsafe"
)

// Mutex is a sync.Mutex whose place in the order is checked.
type Mutex struct{ mu sync.Mutex }

// Lock locks it. It panics if that is out of order.
func (m *Mutex) Lock(r Rank) {
	take(r, uintptr(unsafe.Pointer(m)))
	m.mu.Lock()
}

// TryLock locks it if nobody has it. It may be out of order, since it waits for
// nobody.
func (m *Mutex) TryLock(r Rank) bool {
	if !m.mu.TryLock() {
		return false
	}
	add(r, uintptr(unsafe.Pointer(m)))
	return true
}

// Unlock unlocks it.
func (m *Mutex) Unlock() {
	remove(holding{at: uintptr(unsafe.Pointer(m))})
	m.mu.Unlock()
}

// RWMutex is a sync.RWMutex whose place in the order is checked.
type RWMutex struct{ mu sync.RWMutex }

// Lock locks it for writing. It panics if that is out of order.
func (m *RWMutex) Lock(r Rank) {
	take(r, uintptr(unsafe.Pointer(m)))
	m.mu.Lock()
}

// Unlock ends Lock.
func (m *RWMutex) Unlock() {
	remove(holding{at: uintptr(unsafe.Pointer(m))})
	m.mu.Unlock()
}

// RLock locks it for reading. It panics if that is out of order: a reader waits
// too, for a writer that waits.
func (m *RWMutex) RLock(r Rank) {
	take(r, uintptr(unsafe.Pointer(m)))
	m.mu.RLock()
}

// RUnlock ends RLock.
func (m *RWMutex) RUnlock() {
	remove(holding{at: uintptr(unsafe.Pointer(m))})
	m.mu.RUnlock()
}

// Enter notes that the goroutine has what the rank stands for. It panics if that
// is out of order.
func Enter(r Rank) { take(r, 0) }

// Leave ends Enter.
func Leave(r Rank) { remove(holding{rank: r}) }

// A holding is a lock that a goroutine has.
type holding struct {
	rank Rank
	at   uintptr // 0: no mutex
}

// holdings are the locks of the goroutines that share a stripe.
type holdings struct {
	mu sync.Mutex
	by map[uintptr][]holding // what is empty stays, so that most locks allocate nothing
	_  [64 - 16]byte         // keeps neighbours off its cache line
}

// held is the locks of all goroutines, by stripe. It is the one state of this
// package, for tests alone: a goroutine has no other place to keep it.
var held [64]holdings

// mine is the stripe of the calling goroutine, locked, and the goroutine's key.
func mine() (h *holdings, id uintptr) {
	id = goroutine()
	h = &held[uint64(id)*0x9e3779b97f4a7c15>>58]
	h.mu.Lock()
	if h.by == nil {
		h.by = map[uintptr][]holding{}
	}
	return h, id
}

// take adds a lock, or panics because the goroutine has one that comes later, or
// this one.
func take(r Rank, at uintptr) {
	s, id := mine()
	defer s.mu.Unlock()
	for _, h := range s.by[id] {
		if h.rank > r || h.rank == r && (h.at >= at || !r.several()) {
			panic(fmt.Sprintf("lock: %v is taken while %v is held", r, h.rank))
		}
	}
	s.by[id] = append(s.by[id], holding{r, at})
}

// add adds a lock in whatever order.
func add(r Rank, at uintptr) {
	s, id := mine()
	defer s.mu.Unlock()
	s.by[id] = append(s.by[id], holding{r, at})
}

// remove takes a lock off, the last one if there are more with that rank and
// without a mutex. Another goroutine's cannot be taken off.
func remove(is holding) {
	s, id := mine()
	defer s.mu.Unlock()
	all := s.by[id]
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].at == is.at && (is.at != 0 || all[i].rank == is.rank) {
			s.by[id] = append(all[:i], all[i+1:]...)
			return
		}
	}
	panic("lock: what is given back was not taken by this goroutine")
}

// several reports whether a goroutine may have more than one lock of that rank.
func (r Rank) several() bool { return r == Floor || r == Shard }
