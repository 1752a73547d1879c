package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// A FileLog is a Log in the files of a Disk. See the package comment for the
// files and for what happens when they are damaged.
//
// Safe for use by several goroutines at once; appends take turns.
type FileLog struct {
	disk    Disk
	options FileOptions
	super   superblock
	unlock  func() error

	// appending is held by the one call that appends, or that closes. It comes
	// before every other lock.
	appending lock.Mutex
	frame     []byte // the frame being written; guarded by appending

	// marking guards the watermark, and trimming by way of it. It comes before mu.
	marking   lock.Mutex
	watermark *watermark

	mu       lock.Mutex
	segments []*segment // in order; the last one is being written to
	from     uint64     // first sequence number, kept or to come
	next     uint64     // sequence number of the next record
	durable  uint64
	marked   uint64 // what the watermark says of durable
	spared   uint64 // records below are kept for readers alone
	failed   error  // ErrJournal and the first cause
	closed   bool
	changed  chan struct{} // closed at the next append or stop; nil if nobody waits
	frames   uint64
	written  int64
	syncs    uint64
	kept     // what Files says

	spare   spares
	wake    chan struct{} // the marker has something to do
	stop    chan struct{}
	workers sync.WaitGroup
	windows sync.Pool // of *[]byte, what readers read into
}

// Identity is drawn when the log is made and never changes. What belongs to the
// log but not into it, a snapshot say, can name it.
func (l *FileLog) Identity() [16]byte { return l.super.identity }

// refusal is why nothing can be appended, nil if something can.
func (l *FileLog) refusal() error {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	if l.closed {
		return log.ErrClosed
	}
	return l.failed
}

// fail stops the log for writing and returns what every later append will.
func (l *FileLog) fail(doing string, cause error) error {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %s: %w", log.ErrJournal, doing, cause)
		l.options.Logger.Error("journal stopped", "doing", doing, "cause", cause, "durable", l.durable)
		l.announce()
	}
	return l.failed
}

// announce wakes all who wait in Tail. mu is held.
func (l *FileLog) announce() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// judge is what an error of a call on names means to a change of segments or a
// look at the owner: a refusal, or the log has stopped.
func (l *FileLog) judge(doing string, cause error) error {
	if err := typed(cause); log.Refused(err) {
		return fmt.Errorf("journal: %s: %w", doing, err)
	}
	return l.fail(doing, cause)
}

// MaxPayload is how many bytes a payload may have: 256 MiB; see log.Sized.
func (l *FileLog) MaxPayload() int { return maxPayloadBytes }

// Append writes one frame; see Log. A payload is at least one and at most 256
// MiB bytes long, and count fits 32 bits.
func (l *FileLog) Append(expected uint64, count int, payload []byte) error {
	if err := log.CheckFrame(count, payload, maxPayloadBytes); err != nil {
		return err
	}
	l.appending.Lock(lock.Append)
	defer l.appending.Unlock()
	if err := l.refusal(); err != nil {
		return err
	}
	if expected != l.next { // only Append changes it
		return &log.SequenceError{Expected: expected, Last: l.next - 1}
	}
	size := frameSize(len(payload))
	s := l.active()
	if s == nil || s.end+size > s.dataEnd() {
		var err error
		if s, err = l.advance(size); err != nil {
			return err
		}
	}
	h := header{kind: kindData, count: uint32(count), previous: s.last, segment: s.id, first: expected, durable: l.durableNow()}
	if int64(cap(l.frame)) < size {
		l.frame = make([]byte, max(size, 64<<10))
	}
	frame := l.frame[:size]
	if cap(l.frame) > 16*windowBytes {
		l.frame = nil // a giant now and then must not stay
	}
	h.encode(frame, payload)
	if _, err := s.file.WriteAt(frame, s.end); err != nil {
		return l.fail("append to "+s.name, err)
	}
	synced := !l.options.NoSync
	if synced {
		if err := syncFile(s.file); err != nil {
			return l.fail("sync "+s.name, err)
		}
	}
	l.mu.Lock(lock.Segments)
	s.marks = note(s.marks, expected, s.end, s.last)
	s.end += size
	s.next, s.last = h.next(), h.checksum
	l.next = s.next
	l.frames++
	l.written += size
	if synced {
		l.durable = l.next - 1
		l.syncs++
	}
	l.announce()
	l.mu.Unlock()
	if synced {
		l.nudge()
	}
	return nil
}

// active is the segment being written to, nil before the first append. Only
// Append, under appending, makes another one active.
func (l *FileLog) active() *segment {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	if len(l.segments) == 0 {
		return nil
	}
	return l.segments[len(l.segments)-1]
}

func (l *FileLog) durableNow() uint64 {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	return l.durable
}

// advance makes another segment active, one with room for a frame of size
// bytes. The order is what recovery relies on:
//
//  1. All frames of the old segment are durable.
//  2. The new segment's head is durable, then its name.
//  3. The old segment is sealed. So a seal with no segment behind it means that
//     one was lost, and only the last but one can be without a seal.
//  4. Frames go to the new segment.
//
// appending is held.
func (l *FileLog) advance(size int64) (*segment, error) {
	old := l.active()
	if old != nil && l.options.NoSync {
		if err := l.syncThrough(old, old.next-1); err != nil {
			return nil, err
		}
	}
	if err := checkOwner(l.disk, l.super); err != nil {
		return nil, l.judge("look who owns the directory", err)
	}
	file, prepared, err := l.openSpare(size + 2*blockSize)
	if err != nil {
		return nil, err
	}
	chain := uint32(0)
	if old != nil {
		chain = old.last
	}
	s := newSegment(l.next, prepared.bytes, chain)
	s.file, s.users = file, 1
	if err := l.install(s, prepared); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	empty := old != nil && old.next == old.first // it had the name that s has now
	if old != nil && !empty {
		if err := old.writeSeal(old.file); err != nil {
			return nil, errors.Join(l.fail("seal "+old.name, err), s.file.Close())
		}
	}
	l.mu.Lock(lock.Segments)
	if empty {
		l.segments = l.segments[:len(l.segments)-1]
		old.gone = true
	}
	l.segments = append(l.segments, s)
	l.tally(l.segments, l.from)
	l.mu.Unlock()
	if old != nil {
		if err := l.leave(old); err != nil {
			return nil, l.fail("close "+old.name, err)
		}
	}
	l.kept.aim(l.options.owed())
	return s, nil
}

// openSpare takes a prepared file of at least the length and opens it. One that somebody
// has taken away is not missed. The error is a refusal, or the log has stopped.
func (l *FileLog) openSpare(length int64) (f File, prepared spare, err error) {
	for range l.spare.ready.Load() + maxSpares {
		if prepared, err = l.takeSpare(length); err != nil {
			return nil, spare{}, err
		}
		if f, err = l.disk.Open(prepared.name); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		l.options.Logger.Warn("journal misses a prepared file", "name", prepared.name)
	}
	switch {
	case err == nil:
		return f, prepared, nil
	case log.Refused(typed(err)):
		l.returnSpare(prepared)
	}
	return nil, spare{}, l.judge("open "+prepared.name, err)
}

// install gives a prepared file the head and the name of a segment. Up to the
// name it is no part of the log: what it has no space for is refused.
func (l *FileLog) install(s *segment, prepared spare) error {
	_, err := s.file.WriteAt(s.head(l.super.identity).data[:], 0)
	if err == nil {
		err = syncFile(s.file)
	}
	if isFull(err) { // a file system that writes nothing in place; the file is not trusted again
		return errors.Join(l.judge("begin "+s.name, err), ignoreMissing(l.disk.Remove(prepared.name)))
	} else if err != nil {
		return l.fail("begin "+s.name, err)
	}
	if err := l.disk.Rename(prepared.name, s.name); err != nil {
		// If it is refused nothing has changed but the head of a spare file.
		if log.Refused(typed(err)) {
			l.returnSpare(prepared)
		}
		return l.judge("name "+s.name, err)
	}
	if err := syncNames(l.disk); err != nil {
		return l.fail("sync the names", err)
	}
	return nil
}

// syncThrough makes a segment durable, in which last was the last record when
// the caller looked.
func (l *FileLog) syncThrough(s *segment, last uint64) error {
	if last <= l.durableNow() {
		return nil
	}
	if err := syncFile(s.file); err != nil {
		return l.fail("sync "+s.name, err)
	}
	l.mu.Lock(lock.Segments)
	l.durable = max(l.durable, last)
	l.syncs++
	l.mu.Unlock()
	l.nudge()
	return nil
}

// Sync makes durable what was appended before; see Log.
func (l *FileLog) Sync() error {
	l.mu.Lock(lock.Segments)
	err, closed := l.failed, l.closed
	var s *segment
	if n := len(l.segments); n > 0 && l.options.NoSync && !closed && err == nil {
		s = l.segments[n-1]
		s.users++ // what came before s is durable already
	}
	last := l.next - 1
	l.mu.Unlock()
	switch {
	case closed:
		return log.ErrClosed
	case err != nil || s == nil:
		return err
	}
	err = l.syncThrough(s, last)
	return errors.Join(err, l.leave(s))
}

// leave ends the use of a segment and closes its file after the last one.
func (l *FileLog) leave(s *segment) error {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	s.users--
	if s.users > 0 || s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// First is the first sequence number that is still there; see Log.
func (l *FileLog) First() uint64 {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	return l.from
}

// Last is the last sequence number that was appended; see Log.
func (l *FileLog) Last() uint64 {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	return l.next - 1
}

// Tail waits for a record after after; see Log.
func (l *FileLog) Tail(ctx context.Context, after uint64) error {
	for {
		l.mu.Lock(lock.Segments)
		last, failed, closed := l.next-1, l.failed, l.closed
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		switch {
		case last > after:
			return nil
		case closed:
			return log.ErrClosed
		case failed != nil:
			return failed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// kept is what a log has in files, for readers that must not wait for its mutex.
type kept struct {
	first           atomic.Uint64
	segments, bytes atomic.Int64
	spare           *spares
}

// tally brings it up to date. The log's mutex is held, but for while it is opened.
func (k *kept) tally(segments []*segment, first uint64) {
	bytes := int64(0)
	for _, s := range segments {
		bytes += s.size
	}
	k.first.Store(first)
	k.segments.Store(int64(len(segments)))
	k.bytes.Store(bytes)
}

// aim says how long the next segments are to be: twice as long as all there are
// together, and so long that three of them have room enough for the bytes that are
// owed.
func (k *kept) aim(owed int64) { k.spare.aim(k.bytes.Load(), owed) }

// Files says what of FileNumbers concerns the files alone: Segments, Prepared,
// Bytes and First. It takes no lock; each figure is what it was at some moment during
// the call.
func (k *kept) Files() FileNumbers {
	return FileNumbers{Segments: int(k.segments.Load()), Prepared: int(k.spare.ready.Load()),
		Bytes: k.bytes.Load() + k.spare.bytes.Load(), First: k.first.Load()}
}

// Numbers says how the log is doing. The figures belong to one moment.
func (l *FileLog) Numbers() FileNumbers {
	prepared, bytes := int(l.spare.ready.Load()), l.spare.bytes.Load()
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	for _, s := range l.segments {
		bytes += s.size
	}
	return FileNumbers{
		Segments: len(l.segments), Prepared: prepared, Bytes: bytes,
		First: l.from, Last: l.next - 1, Durable: l.durable, Watermark: l.marked,
		Frames: l.frames, Written: l.written, Syncs: l.syncs,
	}
}

// Close ends the log; see Log. It is the last to return: goroutines have
// stopped, files are closed and the lock is free. Readers that are under way
// get ErrClosed at the end of their segment. The error tells of what could not
// be done; the log is closed all the same.
func (l *FileLog) Close() error {
	l.mu.Lock(lock.Segments)
	if l.closed {
		l.mu.Unlock()
		return log.ErrClosed
	}
	l.closed = true
	l.announce()
	l.mu.Unlock()
	close(l.stop)
	l.spare.close()
	l.workers.Wait()
	l.appending.Lock(lock.Append) // the last append is over
	defer l.appending.Unlock()
	var faults []error
	if s := l.active(); s != nil {
		if l.options.NoSync && l.failedNow() == nil {
			faults = append(faults, l.syncThrough(s, s.next-1))
		}
		faults = append(faults, l.leave(s))
	}
	l.marking.Lock(lock.Mark)
	defer l.marking.Unlock()
	if err := l.failedNow(); err == nil {
		faults = append(faults, l.mark())
	} else if !slices.Contains(faults, err) {
		faults = append(faults, err)
	}
	return errors.Join(append(faults, l.watermark.file.Close(), l.unlock())...)
}

func (l *FileLog) failedNow() error {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	return l.failed
}
