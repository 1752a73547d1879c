package reservation

import (
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// names gives every string a small number, counted up from zero, once and for
// good. It is safe for concurrent use.
//
// Linearizes at: the map's store; a name found has its string readable.
// Bound: limit names.
type names struct {
	limit  int
	adding lock.Mutex
	byName *xsync.MapOf[string, uint32]
	byID   atomic.Pointer[[]string]
	// named, if set, hears of a new name that is readable by its number, before it
	// can be found.
	named func(n *names, id uint32, name string)
}

func newNames(limit int) *names {
	n := &names{limit: limit, byName: xsync.NewMapOf[string, uint32]()}
	n.byID.Store(new([]string))
	return n
}

func (n *names) find(name string) (uint32, bool) { return n.byName.Load(name) }

// name is the string of a number given out before.
func (n *names) name(id uint32) string { return (*n.byID.Load())[id] }

func (n *names) len() int { return len(*n.byID.Load()) }

// intern returns the number of a name, new or old. record is called with the
// number of a new one before anybody can find it; its error is the answer.
func (n *names) intern(name string, record func(id uint32) error) (uint32, error) {
	if id, ok := n.byName.Load(name); ok {
		return id, nil
	}
	n.adding.Lock(lock.Names)
	defer n.adding.Unlock()
	if id, ok := n.byName.Load(name); ok {
		return id, nil
	}
	if n.len() >= n.limit {
		return 0, ErrFull
	}
	if err := record(uint32(n.len())); err != nil {
		return 0, err
	}
	return n.put(name), nil
}

// put appends a name, known or not, under the adding lock. The array is
// shared between the published slices; only its unpublished end is written.
func (n *names) put(name string) uint32 {
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
