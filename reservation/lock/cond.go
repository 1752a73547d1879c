package lock

import "sync"

// Cond is a sync.Cond of a Mutex. Whoever waits on it may hold locks that come
// before the Mutex: those that wake him must do without them. The check does not
// see that.
type Cond struct{ cond *sync.Cond }

// NewCond returns the Cond of a Mutex, which is locked with that rank.
func NewCond(m *Mutex, r Rank) *Cond { return &Cond{sync.NewCond(locker{m, r})} }

// Wait gives the Mutex back, waits for a Broadcast, and takes it again. The caller
// holds it and looks again at what it waits for. It panics if taking it again is
// out of order.
func (c *Cond) Wait() { c.cond.Wait() }

// Broadcast wakes all that wait. The caller may hold the Mutex.
func (c *Cond) Broadcast() { c.cond.Broadcast() }

// locker is a Mutex with the rank that it is locked with.
type locker struct {
	m *Mutex
	r Rank
}

func (l locker) Lock()   { l.m.Lock(l.r) }
func (l locker) Unlock() { l.m.Unlock() }
