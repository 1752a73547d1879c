//go:build lockorder

package allocator

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// lockedBy is what a lock panics with that a function takes; nil if it takes none. The
// goroutine has, as far as the check knows, what comes last in the order of locks, so
// that each lock is out of order.
func lockedBy(read func()) (panicked any) {
	lock.Enter(lock.Disk)
	defer lock.Leave(lock.Disk)
	defer func() { panicked = recover() }()
	read()
	return nil
}

// Stats takes no lock: not in memory, not with a feed, not with a directory, not after
// the end.
func TestStatsTakesNoLock(t *testing.T) {
	for _, o := range []Options{{}, {FeedBytes: 1 << 20}, {Dir: t.TempDir(), Durability: Written}} {
		a := street(t, 3, o)
		stocked(t, a, "L0", "tea", 100)
		for i := range 10 {
			allocated(t, a, ordered(fmt.Sprint("o", i), Line{"tea", 1}), "L0")
		}
		read := func() { a.Stats() }
		if what := lockedBy(read); what != nil {
			t.Errorf("%+v: %v", o, what)
		}
		if must(t, a.Close()); lockedBy(read) != nil {
			t.Errorf("%+v: %v after the end", o, lockedBy(read))
		}
	}
	// The canary: a read that takes a lock is noticed.
	a := street(t, 3, Options{})
	if lockedBy(func() { a.Sizes() }) == nil {
		t.Error("the canary lives")
	}
	must(t, a.Close())
}
