//go:build lockorder

package lock

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
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
	held.add(r, uintptr(unsafe.Pointer(m)))
	return true
}

// Unlock unlocks it.
func (m *Mutex) Unlock() {
	held.remove(uintptr(unsafe.Pointer(m)))
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
	held.remove(uintptr(unsafe.Pointer(m)))
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
	held.remove(uintptr(unsafe.Pointer(m)))
	m.mu.RUnlock()
}

// Enter notes that the goroutine has what the rank stands for. It panics if that
// is out of order.
func Enter(r Rank) { take(r, 0) }

// Leave ends Enter.
func Leave(r Rank) { held.leave(r) }

// A holding is a lock that a goroutine has.
type holding struct {
	rank Rank
	at   uintptr // 0: no mutex
}

// holdings are the locks of all goroutines. It is the one state of this package,
// for tests alone: a goroutine has no other place to keep it.
type holdings struct {
	mu sync.Mutex
	by map[uint64][]holding
}

var held = holdings{by: map[uint64][]holding{}}

// take adds a lock, or panics because the goroutine has one that comes later, or
// this one.
func take(r Rank, at uintptr) {
	id := goroutine()
	held.mu.Lock()
	defer held.mu.Unlock()
	for _, h := range held.by[id] {
		if h.rank > r || h.rank == r && h.at >= at {
			panic(fmt.Sprintf("lock: %v is taken while %v is held", r, h.rank))
		}
	}
	held.by[id] = append(held.by[id], holding{r, at})
}

func (h *holdings) add(r Rank, at uintptr) {
	id := goroutine()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.by[id] = append(h.by[id], holding{r, at})
}

func (h *holdings) remove(at uintptr) { h.drop(func(l holding) bool { return l.at == at }) }

func (h *holdings) leave(r Rank) { h.drop(func(l holding) bool { return l.at == 0 && l.rank == r }) }

// drop takes a lock of the goroutine off, or of another one that took it for this
// one.
func (h *holdings) drop(is func(holding) bool) {
	id := goroutine()
	h.mu.Lock()
	defer h.mu.Unlock()
	mine := h.by[id]
	for i := len(mine) - 1; i >= 0; i-- {
		if is(mine[i]) {
			if h.by[id] = append(mine[:i], mine[i+1:]...); len(h.by[id]) == 0 {
				delete(h.by, id)
			}
			return
		}
	}
	panic("lock: what is given back was not taken by this goroutine")
}

// goroutine is the number of the calling goroutine, which the runtime tells in
// stack traces alone: "goroutine 7 [running]:".
func goroutine() uint64 {
	var b [64]byte
	text := bytes.TrimPrefix(b[:runtime.Stack(b[:], false)], []byte("goroutine "))
	text, _, _ = bytes.Cut(text, []byte(" "))
	id, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		panic("lock: a stack trace of another form: " + string(text))
	}
	return id
}
