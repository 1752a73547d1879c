//go:build lockorder

package book

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// The canary of the book's locks: what takes them out of order is caught, though
// nobody waits.
func TestWrongOrderIsCaught(t *testing.T) {
	b := Fixed(8, 4)
	first := "o" // an ID of the first shard
	for ShardOf(b.Hash(KindOrder, first), 4) != 0 {
		first += "o"
	}
	for _, c := range []struct {
		name  string
		m     *lock.Mutex
		rank  lock.Rank
		wrong func()
		says  string
	}{
		{"shards from the last to the first", &b.shards[1].mu, lock.Shard, func() {
			b.FindAll(first, nil)
		}, "lock: shard is taken while shard is held"},
		{"a list before its shard", &b.shelves.make(0).mu, lock.List, func() { b.Find(KindOrder, "o", new(Entry)) }, "lock: shard is taken while list is held"},
	} {
		c.m.Lock(c.rank)
		what := caught(c.wrong)
		c.m.Unlock()
		if what != c.says {
			t.Errorf("%s: %q, want %q", c.name, what, c.says)
		}
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
