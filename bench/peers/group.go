package peers

import (
	"errors"
	"sync"

	"github.com/clickcollect/clickcollect/allocator"
)

var errClosed = errors.New("peers: closed")

// change is what a caller wants written: an order with its location, or, if
// order is nil, the cancellation of one.
type change struct {
	id       string
	location string
	order    *allocator.Order
}

// A batch is what is written together. Its callers wait for done.
type batch struct {
	records []byte   // for a writer of bytes
	changes []change // for a writer of rows
	done    chan struct{}
	err     error // set before done is closed
}

// group commits together what callers bring while the commit before is still
// under way. One goroutine, which newGroup starts and close ends, does the
// writing. After an error nothing is written any more. Safe for concurrent use.
type group struct {
	mu      sync.Mutex
	open    *batch // gathers callers
	spare   *batch // committed; its room is used again
	waiting bool   // somebody waits in open
	err     error  // why nothing is written any more
	wake    chan struct{}
	stopped chan struct{}
	apart   bool // waking many takes a while; the next commit does not wait for it
	commit  func(*batch) error
}

func newGroup(apart bool, commit func(*batch) error) *group {
	g := &group{
		open: &batch{done: make(chan struct{})}, spare: new(batch),
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), apart: apart, commit: commit,
	}
	go g.write()
	return g
}

// do adds a record, or else a change, to the open batch and waits until the
// batch is on disk.
func (g *group) do(record []byte, c change) error {
	g.mu.Lock()
	if g.err != nil {
		defer g.mu.Unlock()
		return g.err
	}
	b := g.open
	if record != nil {
		b.records = append(b.records, record...)
	} else {
		b.changes = append(b.changes, c)
	}
	if !g.waiting {
		g.waiting = true
		g.wake <- struct{}{} // has room: the writer took the one before
	}
	g.mu.Unlock()
	<-b.done
	return b.err
}

// write commits one batch after the other until wake is closed.
func (g *group) write() {
	defer close(g.stopped)
	for range g.wake {
		g.mu.Lock()
		b := g.open
		g.open = &batch{records: g.spare.records[:0], changes: g.spare.changes[:0], done: make(chan struct{})}
		g.waiting = false
		failed := g.err
		g.mu.Unlock()
		if failed == nil || failed == errClosed {
			failed = g.commit(b)
		}
		b.err = failed
		if failed != nil {
			g.mu.Lock()
			g.err = failed
			g.mu.Unlock()
		}
		clear(b.changes)
		g.spare = &batch{records: b.records, changes: b.changes}
		if g.apart {
			go close(b.done)
		} else {
			close(b.done)
		}
	}
}

// close commits what waits and ends the goroutine. Later calls of do fail. It
// must not be called twice.
func (g *group) close() {
	g.mu.Lock()
	if g.err == nil {
		g.err = errClosed
	}
	g.mu.Unlock()
	close(g.wake)
	<-g.stopped
}
