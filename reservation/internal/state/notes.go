package state

import (
	"maps"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Note is something the caller keeps with the ledger, under a key of his.
type Note struct {
	Key   string // not empty
	Value []byte // empty: there is none
}

// Notes is what the caller keeps with the ledger. A change holds the lock from
// before its record until it can be read, so whoever reads under the lock sees all
// that had a sequence number by then. Safe for concurrent use.
type Notes struct {
	Mu      lock.RWMutex
	values  map[string][]byte // never changed in place
	Changed uint64            // the record of the latest change
}

// Put sets one note under the lock.
func (n *Notes) Put(key string, value []byte) {
	if len(value) == 0 {
		delete(n.values, key)
		return
	}
	if n.values == nil {
		n.values = map[string][]byte{}
	}
	n.values[key] = value
}

// With is the notes whose keys begin with a prefix, ascending by key.
func (n *Notes) With(prefix string) (all []Note) {
	n.Mu.RLock(lock.Notes)
	defer n.Mu.RUnlock()
	for key, value := range n.values {
		if strings.HasPrefix(key, prefix) {
			all = append(all, Note{Key: key, Value: value})
		}
	}
	slices.SortFunc(all, func(a, b Note) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// Copied is the notes as they are, and the record of their latest change.
func (n *Notes) Copied() (values map[string][]byte, changed uint64) {
	n.Mu.RLock(lock.Notes)
	defer n.Mu.RUnlock()
	return maps.Clone(n.values), n.Changed
}

// Value is the value under a key, nil if there is none. It must not be changed.
func (n *Notes) Value(key string) []byte {
	n.Mu.RLock(lock.Notes)
	defer n.Mu.RUnlock()
	return n.values[key]
}
