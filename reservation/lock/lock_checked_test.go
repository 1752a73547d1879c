//go:build lockorder

package lock

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// caught runs a function and returns what it panicked with.
func caught(f func()) (what string) {
	defer func() {
		if value := recover(); value != nil {
			what = fmt.Sprint(value)
		}
	}()
	f()
	return ""
}

// Locks that are taken in order pass, in whichever way they are given back.
func TestRightOrder(t *testing.T) {
	var first, second Mutex
	var between RWMutex
	for range 2 {
		first.Lock(Rules)
		Enter(Change)
		between.RLock(Notes)
		second.Lock(Queue)
		first.Unlock()
		between.RUnlock()
		Leave(Change)
		second.Unlock()
	}
	shards := make([]Mutex, 3)
	for i := range shards {
		shards[i].Lock(Shard)
	}
	for i := range shards {
		shards[i].Unlock()
	}
	var wait sync.WaitGroup
	second.Lock(Queue)
	wait.Go(func() { // another goroutine has locks of its own
		first.Lock(Rules)
		first.Unlock()
	})
	wait.Wait()
	if !second.TryLock(Queue) {
		second.Unlock()
	}
	for i := range held {
		for _, left := range held[i].by {
			if len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		}
	}
}

// A wait gives the mutex back and takes it again, in order.
func TestCond(t *testing.T) {
	var m Mutex
	c, ready := NewCond(&m, Tending), false
	var wait sync.WaitGroup
	wait.Go(func() {
		m.Lock(Tending)
		defer m.Unlock()
		ready = true
		c.Broadcast()
	})
	m.Lock(Tending)
	for !ready {
		c.Wait()
	}
	m.Unlock()
	wait.Wait()
}

// The canary of the check: each wrong order is caught, though nobody waits.
func TestWrongOrderIsCaught(t *testing.T) {
	for name, wrong := range map[string]func(){
		"two mutexes": func() {
			var first, second Mutex
			second.Lock(Queue)
			defer second.Unlock()
			first.Lock(Rules)
		},
		"a mutex that a pausing call holds, by a change": func() {
			var first Mutex
			Enter(Change)
			defer Leave(Change)
			first.Lock(Channels)
		},
		"the same one twice": func() {
			var one Mutex
			one.Lock(Rules)
			defer one.Unlock()
			one.Lock(Rules)
		},
		"shards from the last to the first": func() {
			shards := make([]Mutex, 2)
			shards[1].Lock(Shard)
			defer shards[1].Unlock()
			shards[0].Lock(Shard)
		},
		"two of a rank that allows one": func() {
			notes := make([]Mutex, 2)
			notes[0].Lock(Notes)
			defer notes[0].Unlock()
			notes[1].Lock(Notes)
		},
		"one that a wait takes again": func() {
			var first, second Mutex
			second.Lock(Queue)
			defer second.Unlock()
			NewCond(&first, Rules).cond.L.Lock()
		},
		"a reader": func() {
			var first RWMutex
			var second Mutex
			second.Lock(Queue)
			defer second.Unlock()
			first.RLock(Notes)
		},
	} {
		if what := caught(wrong); !strings.Contains(what, "is taken while") {
			t.Errorf("%s: %q", name, what)
		}
	}
	if what := caught(func() { Leave(Change) }); !strings.Contains(what, "not taken") {
		t.Errorf("given back twice: %q", what)
	}
}
