package logtest

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// A Store is a log in memory as processes would share it: it outlives its handles,
// and the newest one owns it. It ends with the process, so it is for tests: of a
// ledger on a log, of what a fence does, and of this package's suite. The zero Store
// is empty. Safe for use by several goroutines at once.
type Store struct {
	mu      lock.Mutex
	frames  []log.Frame
	first   uint64 // of the frames; 0 like 1
	last    uint64
	epoch   uint64
	owner   string
	changed chan struct{} // closed when a handle in Tail is to look again
}

// A Handle is a Log: that of a Store. It is log.Identified, a Reopener and a Fencer.
type Handle struct {
	store  *Store
	owner  string
	epoch  uint64
	closed bool // guarded by the store's mutex
}

// Open returns a handle that owns the store from now on. The one before, if it is
// still open, reads on and is fenced.
func (s *Store) Open(owner string) *Handle {
	s.mu.Lock(lock.Memory)
	defer s.mu.Unlock()
	s.epoch++
	s.owner = owner
	s.first = max(s.first, 1)
	return &Handle{store: s, owner: owner, epoch: s.epoch}
}

// announce makes those who wait in Tail look again. The mutex is held.
func (s *Store) announce() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// Identity is the same for all stores of all processes: there is one at a time.
func (h *Handle) Identity() [16]byte { return [16]byte([]byte("a store in tests")) }

// Append adds a frame; see log.Log.
func (h *Handle) Append(expected uint64, count int, payload []byte) error {
	if err := log.CheckFrame(count, payload, log.MaxPayload(h)); err != nil {
		return err
	}
	s := h.store
	s.mu.Lock(lock.Memory)
	defer s.mu.Unlock()
	switch {
	case h.closed:
		return log.ErrClosed
	case h.epoch != s.epoch:
		return &log.FencedError{Epoch: h.epoch, By: s.epoch, Owner: s.owner}
	case expected != s.last+1:
		return &log.SequenceError{Expected: expected, Last: s.last}
	}
	s.frames = append(s.frames, log.Frame{First: expected, Count: count, Epoch: h.epoch, Payload: slices.Clone(payload)})
	s.last += uint64(count)
	s.announce()
	return nil
}

// Read yields frames; see log.Log.
func (h *Handle) Read(from uint64) iter.Seq2[log.Frame, error] {
	return func(yield func(log.Frame, error) bool) {
		for next := from; ; {
			f, found, err := h.holding(next)
			if err != nil {
				yield(log.Frame{}, err)
				return
			}
			if !found || !yield(f, nil) {
				return
			}
			next = f.First + uint64(f.Count)
		}
	}
}

// holding returns the frame that holds a sequence number.
func (h *Handle) holding(sequence uint64) (f log.Frame, found bool, err error) {
	s := h.store
	s.mu.Lock(lock.Memory)
	defer s.mu.Unlock()
	switch {
	case h.closed:
		return f, false, log.ErrClosed
	case sequence < s.first:
		return f, false, &log.TrimmedError{First: s.first}
	case sequence > s.last:
		return f, false, nil
	}
	i, exact := slices.BinarySearchFunc(s.frames, sequence, func(f log.Frame, n uint64) int { return cmp.Compare(f.First, n) })
	if !exact {
		i--
	}
	return s.frames[i], true, nil
}

// First is the first sequence number that is still there; see log.Log.
func (h *Handle) First() uint64 {
	h.store.mu.Lock(lock.Memory)
	defer h.store.mu.Unlock()
	return h.store.first
}

// Last is the last sequence number that was appended; see log.Log.
func (h *Handle) Last() uint64 {
	h.store.mu.Lock(lock.Memory)
	defer h.store.mu.Unlock()
	return h.store.last
}

// Tail waits for a record after after; see log.Log.
func (h *Handle) Tail(ctx context.Context, after uint64) error {
	s := h.store
	for {
		s.mu.Lock(lock.Memory)
		last, closed := s.last, h.closed
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		switch {
		case closed:
			return log.ErrClosed
		case last > after:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Trim drops the frames whose records are all below; see log.Log.
func (h *Handle) Trim(below uint64) error {
	s := h.store
	s.mu.Lock(lock.Memory)
	defer s.mu.Unlock()
	if h.closed {
		return log.ErrClosed
	}
	gone := 0
	for gone < len(s.frames) && s.frames[gone].First+uint64(s.frames[gone].Count) <= below {
		s.first = s.frames[gone].First + uint64(s.frames[gone].Count)
		gone++
	}
	s.frames = slices.Clone(s.frames[gone:])
	return nil
}

// Sync does nothing: nothing of a Store is more durable than the rest.
func (h *Handle) Sync() error { return nil }

// Close ends the use of the handle; the store stays.
func (h *Handle) Close() error {
	h.store.mu.Lock(lock.Memory)
	defer h.store.mu.Unlock()
	if h.closed {
		return log.ErrClosed
	}
	h.closed = true
	h.store.announce()
	return nil
}

// Reopen is Open under the handle's name.
func (h *Handle) Reopen(*testing.T) log.Log { return h.store.Open(h.owner) }

// Fence is Open under another name.
func (h *Handle) Fence(*testing.T) log.Log { return h.store.Open(h.owner + "'") }
