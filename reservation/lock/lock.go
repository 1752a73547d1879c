//go:build !lockorder

package lock

import "sync"

// Mutex is a sync.Mutex whose place in the order is named where it is locked. The
// zero value is unlocked. Like a sync.Mutex it is not copied once it was used.
type Mutex struct{ mu sync.Mutex }

// Lock locks it.
func (m *Mutex) Lock(Rank) { m.mu.Lock() }

// TryLock locks it if nobody has it.
func (m *Mutex) TryLock(Rank) bool { return m.mu.TryLock() }

// Unlock unlocks it.
func (m *Mutex) Unlock() { m.mu.Unlock() }

// RWMutex is to a sync.RWMutex what Mutex is to a sync.Mutex.
type RWMutex struct{ mu sync.RWMutex }

// Lock locks it for writing.
func (m *RWMutex) Lock(Rank) { m.mu.Lock() }

// Unlock ends Lock.
func (m *RWMutex) Unlock() { m.mu.Unlock() }

// RLock locks it for reading.
func (m *RWMutex) RLock(Rank) { m.mu.RLock() }

// RUnlock ends RLock.
func (m *RWMutex) RUnlock() { m.mu.RUnlock() }

// Enter notes that the goroutine has what the rank stands for although there is no
// mutex, such as its count among those that a pause waits for.
func Enter(Rank) {}

// Leave ends Enter.
func Leave(Rank) {}
