package reservationtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// A frame is what a log was given.
type frame struct {
	first   uint64
	count   int
	payload []byte
}

func (f frame) next() uint64 { return f.first + uint64(f.count) }

// script fills a log with frames that are drawn from a seed, and notes them.
type script struct {
	log    Log
	draw   *rand.Rand
	frames []frame
	next   uint64
}

func newScript(l Log, seed uint64) *script {
	return &script{log: l, draw: rand.New(rand.NewPCG(seed, 1)), next: 1}
}

// frame draws the next frame: mostly small, now and then one byte or many pages.
func (s *script) frame() frame {
	size := 1 + s.draw.IntN(300)
	switch s.draw.IntN(16) {
	case 0:
		size = 1
	case 1:
		size = 1 + s.draw.IntN(20_000)
	}
	f := frame{first: s.next, count: 1 + s.draw.IntN(40), payload: make([]byte, size)}
	for i := range f.payload {
		f.payload[i] = byte(s.draw.Uint32())
	}
	return f
}

// append appends the next few frames.
func (s *script) append(frames int) error {
	for range frames {
		f := s.frame()
		if err := s.log.Append(f.first, f.count, f.payload); err != nil {
			return fmt.Errorf("append of records %d to %d: %w", f.first, f.next()-1, err)
		}
		s.frames = append(s.frames, f)
		s.next = f.next()
		if got := s.log.Last(); got != s.next-1 {
			return fmt.Errorf("after the append of records up to %d, Last is %d", s.next-1, got)
		}
	}
	return nil
}

// check reads from a record on and compares.
func (s *script) check(from uint64) error {
	want := s.frames[s.at(from):]
	n := 0
	var wrong error
	err := s.log.Read(from, func(first uint64, count int, payload []byte) bool {
		switch {
		case n == len(want):
			wrong = fmt.Errorf("read from %d: frame of record %d is one too many", from, first)
		case first != want[n].first || count != want[n].count:
			wrong = fmt.Errorf("read from %d: got a frame of %d records from %d on, want %d from %d on",
				from, count, first, want[n].count, want[n].first)
		case !bytes.Equal(payload, want[n].payload):
			wrong = fmt.Errorf("read from %d: the payload of record %d is not what was appended", from, first)
		}
		n++
		return wrong == nil
	})
	switch {
	case wrong != nil:
		return wrong
	case err != nil:
		return fmt.Errorf("read from %d: %w", from, err)
	case n != len(want):
		return fmt.Errorf("read from %d: got %d frames, want %d", from, n, len(want))
	}
	return nil
}

// at is the index of the frame that holds a record.
func (s *script) at(record uint64) int {
	i := slices.IndexFunc(s.frames, func(f frame) bool { return record < f.next() })
	if i < 0 {
		return len(s.frames)
	}
	return i
}

func checkNew(_ *testing.T, l Log) error {
	if first, last := l.First(), l.Last(); first != 1 || last != 0 {
		return fmt.Errorf("a new log has First %d and Last %d, want 1 and 0", first, last)
	}
	if err := l.Sync(); err != nil {
		return fmt.Errorf("sync of a new log: %w", err)
	}
	return newScript(l, 0).check(1)
}

func checkAppendRead(_ *testing.T, l Log) error {
	s := newScript(l, 1)
	if err := s.append(200); err != nil {
		return err
	}
	large := frame{first: s.next, count: 1000, payload: bytes.Repeat([]byte("large "), 300_000)}
	if err := l.Append(large.first, large.count, large.payload); err != nil {
		return fmt.Errorf("append of %d bytes: %w", len(large.payload), err)
	}
	s.frames, s.next = append(s.frames, large), large.next()
	if err := s.append(20); err != nil {
		return err
	}
	return errors.Join(l.Sync(), s.check(1))
}

func checkPayloadNotKept(_ *testing.T, l Log) error {
	payload := []byte("as it was")
	if err := l.Append(1, 1, payload); err != nil {
		return err
	}
	copy(payload, "not so...")
	s := newScript(l, 2)
	s.frames = []frame{{1, 1, []byte("as it was")}}
	return s.check(1)
}

func checkExpected(_ *testing.T, l Log) error {
	s := newScript(l, 3)
	if err := s.append(10); err != nil {
		return err
	}
	for _, expected := range []uint64{0, 1, s.next - 1, s.next + 1, s.next + 1000, 1 << 63} {
		if err := l.Append(expected, 3, []byte("never")); !errors.Is(err, ErrSequence) {
			return fmt.Errorf("append at %d of a log that ends at %d: got %v, want ErrSequence", expected, s.next-1, err)
		}
	}
	return errors.Join(s.check(1), s.append(10), s.check(1))
}

func checkReadWithin(_ *testing.T, l Log) error {
	s := newScript(l, 4)
	if err := s.append(60); err != nil {
		return err
	}
	for from := uint64(1); from <= s.next; from++ {
		if err := s.check(from); err != nil {
			return err
		}
	}
	return nil
}

func checkReadStops(_ *testing.T, l Log) error {
	s := newScript(l, 5)
	if err := s.append(30); err != nil {
		return err
	}
	for stop := 1; stop <= 30; stop++ {
		n := 0
		err := l.Read(1, func(uint64, int, []byte) bool {
			n++
			return n < stop
		})
		if err != nil || n != stop {
			return fmt.Errorf("a reader that stops after %d frames got %d and the error %v", stop, n, err)
		}
	}
	return errors.Join(s.append(3), s.check(1))
}

// checkReadWhileAppending reads all the time that frames are appended: what a
// reader sees is always the beginning of the log.
func checkReadWhileAppending(_ *testing.T, l Log) error {
	const frames = 300
	s := newScript(l, 6)
	plan := newScript(l, 6)
	for range frames {
		f := plan.frame()
		plan.frames, plan.next = append(plan.frames, f), f.next()
	}
	var readers sync.WaitGroup
	faults := make(chan error, 3)
	for range 3 {
		readers.Go(func() {
			for n := 0; n < frames; {
				before := plan.at(l.Last() + 1)
				n = 0
				var wrong error
				err := l.Read(1, func(first uint64, count int, payload []byte) bool {
					if n >= frames || first != plan.frames[n].first || !bytes.Equal(payload, plan.frames[n].payload) {
						wrong = fmt.Errorf("frame %d of a log that is being appended to is not as appended", n)
					}
					n++
					return wrong == nil
				})
				if wrong == nil && n < before {
					wrong = fmt.Errorf("%d frames were there, a reader saw %d", before, n)
				}
				if err = errors.Join(wrong, err); err != nil {
					faults <- err
					return
				}
			}
		})
	}
	err := s.append(frames)
	if err != nil {
		return errors.Join(err, l.Close()) // ends the readers
	}
	readers.Wait()
	close(faults)
	for fault := range faults {
		err = errors.Join(err, fault)
	}
	return err
}

func checkTail(t *testing.T, l Log) error {
	s := newScript(l, 7)
	for range 50 {
		after := l.Last()
		told := make(chan error, 1)
		go func() { told <- l.Tail(t.Context(), after) }()
		if err := s.append(1); err != nil {
			return err
		}
		if err := <-told; err != nil {
			return fmt.Errorf("tail after %d: %w", after, err)
		}
		for _, behind := range []uint64{0, after, l.Last() - 1} {
			if err := l.Tail(t.Context(), behind); err != nil {
				return fmt.Errorf("tail after %d of a log that ends at %d: %w", behind, l.Last(), err)
			}
		}
	}
	return nil
}

func checkTailEnds(t *testing.T, l Log) error {
	if err := newScript(l, 8).append(2); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error, 1)
	go func() { told <- l.Tail(ctx, l.Last()) }()
	cancel()
	if err := <-told; !errors.Is(err, context.Canceled) {
		return fmt.Errorf("tail with a ctx that has ended: got %v, want context.Canceled", err)
	}
	last := l.Last()
	go func() { told <- l.Tail(t.Context(), last) }()
	if err := l.Close(); err != nil {
		return fmt.Errorf("close while a tail waits: %w", err)
	}
	if err := <-told; !errors.Is(err, ErrClosed) {
		return fmt.Errorf("tail of a log that is closed meanwhile: got %v, want ErrClosed", err)
	}
	return nil
}
