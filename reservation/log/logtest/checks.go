package logtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// A frame is what a log was given.
type frame struct {
	first   uint64
	count   int
	epoch   uint64 // which only the suite's own logs note
	payload []byte
}

func (f frame) next() uint64 { return f.first + uint64(f.count) }

// script fills a log with frames that are drawn from a seed, and notes them.
type script struct {
	log    log.Log
	draw   *rand.Rand
	frames []frame
	next   uint64
}

func newScript(l log.Log, seed uint64) *script {
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
	n, epoch := 0, uint64(0)
	for f, err := range s.log.Read(from) {
		switch {
		case err != nil:
			return fmt.Errorf("read from %d: %w", from, err)
		case n == len(want):
			return fmt.Errorf("read from %d: frame of record %d is one too many", from, f.First)
		case f.First != want[n].first || f.Count != want[n].count:
			return fmt.Errorf("read from %d: got a frame of %d records from %d on, want %d from %d on",
				from, f.Count, f.First, want[n].count, want[n].first)
		case !bytes.Equal(f.Payload, want[n].payload):
			return fmt.Errorf("read from %d: the payload of record %d is not what was appended", from, f.First)
		case f.Epoch < epoch:
			return fmt.Errorf("read from %d: record %d is of epoch %d, those before it of %d", from, f.First, f.Epoch, epoch)
		}
		epoch = f.Epoch
		n++
	}
	if n != len(want) {
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

func checkNew(_ *testing.T, l log.Log) error {
	if first, last := l.First(), l.Last(); first != 1 || last != 0 {
		return fmt.Errorf("a new log has First %d and Last %d, want 1 and 0", first, last)
	}
	if err := l.Sync(); err != nil {
		return fmt.Errorf("sync of a new log: %w", err)
	}
	return newScript(l, 0).check(1)
}

func checkAppendRead(_ *testing.T, l log.Log) error {
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

func checkPayloadNotKept(_ *testing.T, l log.Log) error {
	payload := []byte("as it was")
	if err := l.Append(1, 1, payload); err != nil {
		return err
	}
	copy(payload, "not so...")
	s := newScript(l, 2)
	s.frames = []frame{{first: 1, count: 1, payload: []byte("as it was")}}
	return s.check(1)
}

func checkExpected(_ *testing.T, l log.Log) error {
	s := newScript(l, 3)
	if err := s.append(10); err != nil {
		return err
	}
	for _, expected := range []uint64{0, 1, s.next - 1, s.next + 1, s.next + 1000, 1 << 63} {
		err := l.Append(expected, 3, []byte("never"))
		var at *log.SequenceError
		if !errors.Is(err, log.ErrSequence) || !errors.As(err, &at) || at.Expected != expected || at.Last != s.next-1 {
			return fmt.Errorf("append at %d of a log that ends at %d: got %v, want a *SequenceError that says both", expected, s.next-1, err)
		}
	}
	return errors.Join(s.check(1), s.append(10), s.check(1))
}

// checkSizes appends the shortest and the longest payload that every log takes, and
// what no log takes. What is refused changes nothing.
func checkSizes(_ *testing.T, l log.Log) error {
	s := newScript(l, 13)
	most := log.MaxPayload(l)
	if most < log.PayloadBytes {
		return fmt.Errorf("the log takes payloads of at most %d bytes, every log takes %d", most, log.PayloadBytes)
	}
	for _, size := range []int{1, log.PayloadBytes, 1} {
		f := frame{first: s.next, count: 1, payload: bytes.Repeat([]byte{byte(size + 1)}, size)}
		if err := l.Append(f.first, f.count, f.payload); err != nil {
			return fmt.Errorf("append of %d bytes: %w", size, err)
		}
		s.frames, s.next = append(s.frames, f), f.next()
		if err := l.Append(s.next, 1, make([]byte, most+1)); !errors.Is(err, log.ErrTooLarge) || errors.Is(err, log.ErrJournal) {
			return fmt.Errorf("append of %d bytes, one more than the log takes: got %v, want ErrTooLarge", most+1, err)
		}
		if err := l.Append(s.next, 0, []byte("x")); err == nil || errors.Is(err, log.ErrJournal) {
			return fmt.Errorf("append of no records: got %v, want an error that does not stop the log", err)
		}
		if err := l.Append(s.next, 1, nil); err == nil || errors.Is(err, log.ErrJournal) {
			return fmt.Errorf("append of no bytes: got %v, want an error that does not stop the log", err)
		}
	}
	return errors.Join(s.check(1), s.append(3), s.check(1))
}

func checkReadWithin(_ *testing.T, l log.Log) error {
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

func checkReadStops(_ *testing.T, l log.Log) error {
	s := newScript(l, 5)
	if err := s.append(30); err != nil {
		return err
	}
	for stop := 1; stop <= 30; stop++ {
		n := 0
		l.Read(1)(func(_ log.Frame, err error) bool { // by hand: a loop hides a step too many in a panic
			if n++; err != nil {
				n += 1000
			}
			return n < stop
		})
		if n != stop {
			return fmt.Errorf("a reader that stops after %d frames was given %d, 1,000 more for an error", stop, n)
		}
	}
	return errors.Join(s.append(3), s.check(1))
}

// beginning reads a log that is being appended to, and counts the frames. They are the
// first of the script.
func (s *script) beginning(l log.Log) (n int, err error) {
	for f, err := range l.Read(1) {
		if err != nil {
			return n, err
		}
		if n >= len(s.frames) || f.First != s.frames[n].first || !bytes.Equal(f.Payload, s.frames[n].payload) {
			return n, fmt.Errorf("frame %d of a log that is being appended to is not as appended", n)
		}
		n++
	}
	return n, nil
}

// checkReadWhileAppending reads all the time that frames are appended: what a
// reader sees is always the beginning of the log.
func checkReadWhileAppending(_ *testing.T, l log.Log) error {
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
				var err error
				if n, err = plan.beginning(l); err == nil && n < before {
					err = fmt.Errorf("%d frames were there, a reader saw %d", before, n)
				}
				if err != nil {
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

func checkTail(t *testing.T, l log.Log) error {
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

func checkTailEnds(t *testing.T, l log.Log) error {
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
	if err := <-told; !errors.Is(err, log.ErrClosed) {
		return fmt.Errorf("tail of a log that is closed meanwhile: got %v, want ErrClosed", err)
	}
	return nil
}
