package state

import (
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Names gives every string a small number, counted up from zero, once and for
// good. It is safe for concurrent use.
//
// Linearizes at: the map's store; a name found has its string readable.
// Bound: Limit names.
type Names struct {
	// Limit is how many there may be.
	Limit int
	// Adding is held by whoever gives a name its number, from before the record of it
	// until it can be found.
	Adding lock.Mutex
	byName *xsync.MapOf[string, uint32]
	byID   atomic.Pointer[[]string]
	// named, if set, hears of a new name that is readable by its number, before it
	// can be found.
	named func(n *Names, id uint32, name string)
}

// newNames returns no names, of which there may be limit.
func newNames(limit int) *Names {
	n := &Names{Limit: limit, byName: xsync.NewMapOf[string, uint32]()}
	n.byID.Store(new([]string))
	return n
}

// Find is the number of a name.
func (n *Names) Find(name string) (uint32, bool) { return n.byName.Load(name) }

// Name is the string of a number given out before.
func (n *Names) Name(id uint32) string { return (*n.byID.Load())[id] }

// Len is how many there are.
func (n *Names) Len() int { return len(*n.byID.Load()) }

// Intern returns the number of a name, new or old. record is called with the
// number of a new one before anybody can find it; its error is the answer.
func (n *Names) Intern(name string, record func(id uint32) error) (uint32, error) {
	if id, ok := n.byName.Load(name); ok {
		return id, nil
	}
	n.Adding.Lock(lock.Names)
	defer n.Adding.Unlock()
	if id, ok := n.byName.Load(name); ok {
		return id, nil
	}
	if n.Len() >= n.Limit {
		return 0, ErrFull
	}
	if err := record(uint32(n.Len())); err != nil {
		return 0, err
	}
	return n.Put(name), nil
}

// Put appends a name, known or not, under Adding. The array is
// shared between the published slices; only its unpublished end is written.
func (n *Names) Put(name string) uint32 {
	all := *n.byID.Load()
	id := uint32(len(all))
	all = append(all, name)
	n.byID.Store(&all)
	if n.named != nil {
		n.named(n, id, name)
	}
	n.byName.Store(name, id)
	return id
}
