package log

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

const (
	// frameOverhead is what a MemoryLog reckons for a frame besides its payload.
	frameOverhead = 64
	// memoryPayload is the longest payload a MemoryLog takes: 256 MiB.
	memoryPayload = 256 << 20
)

// A MemoryLog is a Log that ends with the process. It holds as much as its
// limit allows and drops the oldest frames for the newest; the newest always
// stays. Nothing is durable, so an append is done at once.
//
// Safe for use by several goroutines at once.
type MemoryLog struct {
	limit int

	mu      lock.Mutex
	frames  []Frame
	bytes   int
	next    uint64
	closed  bool
	changed chan struct{}
}

// OpenMemory returns an empty log that holds at most limitBytes of payload,
// counting 64 bytes more for each frame; 0 or less is no frame but the newest.
func OpenMemory(limitBytes int) *MemoryLog {
	return &MemoryLog{limit: limitBytes, next: 1}
}

// MaxPayload is how many bytes a payload may have: 256 MiB; see Sized.
func (l *MemoryLog) MaxPayload() int { return memoryPayload }

// Append adds a frame; see Log.
func (l *MemoryLog) Append(expected uint64, count int, payload []byte) error {
	if err := CheckFrame(count, payload, memoryPayload); err != nil {
		return err
	}
	l.mu.Lock(lock.Memory)
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	if expected != l.next {
		return &SequenceError{Expected: expected, Last: l.next - 1}
	}
	l.frames = append(l.frames, Frame{First: expected, Count: count, Payload: slices.Clone(payload)})
	l.bytes += len(payload) + frameOverhead
	l.next += uint64(count)
	drop := 0
	for l.bytes > l.limit && drop+1 < len(l.frames) {
		l.bytes -= len(l.frames[drop].Payload) + frameOverhead
		drop++
	}
	l.drop(drop)
	l.announce()
	return nil
}

// drop lets go of the oldest n frames. Readers hold none of the slice: a frame
// is copied out of it under the lock, and its payload is never used again.
func (l *MemoryLog) drop(n int) {
	clear(l.frames[:n])
	l.frames = l.frames[n:]
}

func (l *MemoryLog) announce() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// Read yields frames; see Log. It holds no lock while the caller looks at one.
func (l *MemoryLog) Read(from uint64) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for next := from; ; {
			f, found, err := l.holding(next)
			if err != nil {
				yield(Frame{}, err)
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
func (l *MemoryLog) holding(sequence uint64) (f Frame, found bool, err error) {
	l.mu.Lock(lock.Memory)
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return f, false, ErrClosed
	case sequence < l.first():
		return f, false, &TrimmedError{First: l.first()}
	case sequence >= l.next:
		return f, false, nil
	}
	i, exact := slices.BinarySearchFunc(l.frames, sequence, func(f Frame, s uint64) int { return cmp.Compare(f.First, s) })
	if !exact {
		i--
	}
	return l.frames[i], true, nil
}

func (l *MemoryLog) first() uint64 {
	if len(l.frames) == 0 {
		return l.next
	}
	return l.frames[0].First
}

// First is the first sequence number that is still there; see Log.
func (l *MemoryLog) First() uint64 {
	l.mu.Lock(lock.Memory)
	defer l.mu.Unlock()
	return l.first()
}

// Last is the last sequence number that was appended; see Log.
func (l *MemoryLog) Last() uint64 {
	l.mu.Lock(lock.Memory)
	defer l.mu.Unlock()
	return l.next - 1
}

// Tail waits for a record after after; see Log.
func (l *MemoryLog) Tail(ctx context.Context, after uint64) error {
	for {
		l.mu.Lock(lock.Memory)
		last, closed := l.next-1, l.closed
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		switch {
		case last > after:
			return nil
		case closed:
			return ErrClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Trim drops the frames whose records are all below; see Log. The newest frame
// stays.
func (l *MemoryLog) Trim(below uint64) error {
	l.mu.Lock(lock.Memory)
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	drop := 0
	for drop+1 < len(l.frames) && l.frames[drop+1].First <= below {
		l.bytes -= len(l.frames[drop].Payload) + frameOverhead
		drop++
	}
	l.drop(drop)
	return nil
}

// Sync does nothing: there is no more durable state than the one it is in.
func (l *MemoryLog) Sync() error {
	l.mu.Lock(lock.Memory)
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	return nil
}

// Close drops everything; see Log.
func (l *MemoryLog) Close() error {
	l.mu.Lock(lock.Memory)
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.closed = true
	l.frames = nil
	l.announce()
	return nil
}
