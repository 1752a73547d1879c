//go:build lockorder

package reservation

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
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
		{"floors from the last to the first", &l.state.Floors[1].Mutex, lock.Floor, func() { l.Available(tea, 0) }, "lock: floor is taken while floor is held"},
		{"what is short before a name", &l.shorts.mu, lock.Short, func() { _, _, _ = l.AddSlot("new", nil, 1) }, "lock: names is taken while short is held"},
	} {
		c.m.Lock(c.rank)
		what := caught(c.wrong)
		c.m.Unlock()
		if what != c.says {
			t.Errorf("%s: %q, want %q", c.name, what, c.says)
		}
	}
	if how, _ := reserve(l, "o", 1, 0, units(tea, 1)); how != Done {
		t.Fatal(how)
	}
	_, _ = l.state.Book.Change(book.KindOrder, "o", new(book.Entry), lifeRule(func(string, *book.Entry) ([]byte, error) {
		if what := caught(func() { l.Available(tea, 0) }); what != "lock: floor is taken while shard is held" {
			t.Errorf("a shard before a floor: %q", what)
		}
		return nil, ErrState
	}))
	if got := l.Available(tea, 0).Available; got != 4 { // nothing is held any more
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
