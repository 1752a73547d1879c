//go:build lockorder

package reservation

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// The canary of the ledger's locks: calls that take them out of order are caught,
// though nobody waits.
func TestWrongOrderIsCaught(t *testing.T) {
	l := floorOf(t, 2, 2, roomy)
	tea := received(t, l, "r", 0, "tea", 5)
	for _, c := range []struct {
		name  string
		m     *lock.Mutex
		rank  lock.Rank
		wrong func()
		says  string
	}{
		{"a shard before a floor", &l.book.shards[0].mu, lock.Shard, func() { l.Available(tea, 0) }, "lock: floor is taken while shard is held"},
		{"floors from the last to the first", &l.floors[1].Mutex, lock.Floor, func() { l.Available(tea, 0) }, "lock: floor is taken while floor is held"},
		{"shards from the last to the first", &l.book.shards[1].mu, lock.Shard, func() {
			l.book.lockAll(new(heldShards), func(yield func(uint64) bool) { yield(0) })
		}, "lock: shard is taken while shard is held"},
		{"what is short before a name", &l.shorts.mu, lock.Short, func() { _, _, _ = l.AddSlot("new", nil, 1) }, "lock: names is taken while short is held"},
		{"a list before its shard", &l.book.shelves.make(0).mu, lock.List, func() { l.book.find(kindOrder, "o", new(entry)) }, "lock: shard is taken while list is held"},
	} {
		c.m.Lock(c.rank)
		what := caught(c.wrong)
		c.m.Unlock()
		if what != c.says {
			t.Errorf("%s: %q, want %q", c.name, what, c.says)
		}
	}
	if got := l.Available(tea, 0).Available; got != 5 { // nothing is held any more
		t.Error(got)
	}
}

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
