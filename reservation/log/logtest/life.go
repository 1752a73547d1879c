package logtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/log"
)

func checkTrim(_ *testing.T, l log.Log) error {
	s := newScript(l, 9)
	first := uint64(1)
	for range 40 {
		if err := s.append(10); err != nil {
			return err
		}
		below := first + s.draw.Uint64N(s.next-first+1)
		if err := l.Trim(below); err != nil {
			return fmt.Errorf("trim below %d: %w", below, err)
		}
		if err := checkTrimmed(s, first, below); err != nil {
			return err
		}
		first = l.First()
	}
	if err := errors.Join(l.Trim(s.next), checkTrimmed(s, first, s.next)); err != nil {
		return fmt.Errorf("trim of everything: %w", err)
	}
	return errors.Join(s.append(5), s.check(l.First()), l.Trim(1), s.check(l.First()))
}

// checkTrimmed looks at a log that was told to drop what is below a record.
func checkTrimmed(s *script, before, below uint64) error {
	first := s.log.First()
	switch {
	case first < before:
		return fmt.Errorf("trim below %d moved First from %d back to %d", below, before, first)
	case first > max(below, before):
		return fmt.Errorf("trim below %d dropped what is not below: First is %d", below, first)
	case s.log.Last() != s.next-1:
		return fmt.Errorf("trim below %d moved Last from %d to %d", below, s.next-1, s.log.Last())
	}
	if at := s.at(first); at < len(s.frames) && s.frames[at].first != first {
		return fmt.Errorf("trim below %d cut a frame: First is %d", below, first)
	}
	if first > 1 {
		err := readFault(s.log, first-1)
		var trimmed *log.TrimmedError
		if !errors.Is(err, log.ErrTrimmed) || !errors.As(err, &trimmed) || trimmed.First != first {
			return fmt.Errorf("read of record %d of a log that begins at %d: got %v, want a *TrimmedError that says so", first-1, first, err)
		}
	}
	return errors.Join(s.check(first), s.check(max(first, below)))
}

// readFault is the first error of a read.
func readFault(l log.Log, from uint64) error {
	for _, err := range l.Read(from) {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkClose(t *testing.T, l log.Log) error {
	s := newScript(l, 10)
	if err := s.append(5); err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if err := l.Append(s.next, 1, []byte("late")); !errors.Is(err, log.ErrClosed) {
		return fmt.Errorf("append to a closed log: got %v, want ErrClosed", err)
	}
	read := readFault(l, 1)
	if !errors.Is(read, log.ErrClosed) {
		return fmt.Errorf("read of a closed log: got %v, want ErrClosed", read)
	}
	if err := l.Tail(t.Context(), s.next); !errors.Is(err, log.ErrClosed) {
		return fmt.Errorf("tail of a closed log: got %v, want ErrClosed", err)
	}
	if err := l.Close(); err != nil && !errors.Is(err, log.ErrClosed) {
		return fmt.Errorf("second close: got %v, want nil or ErrClosed", err)
	}
	return nil
}

// checkReopen holds a log that outlives its handle to what it acknowledged.
func checkReopen(t *testing.T, l log.Log) error {
	if _, ok := l.(Reopener); !ok {
		t.Skip("this log ends with its handle")
	}
	s := newScript(l, 11)
	for range 12 {
		if err := errors.Join(s.append(s.draw.IntN(20)), s.log.Close()); err != nil {
			return err
		}
		again := s.log.(Reopener).Reopen(t)
		defer again.Close()
		s.log = again
		if got := again.Last(); got != s.next-1 {
			return fmt.Errorf("reopened, a log that ended at %d ends at %d", s.next-1, got)
		}
		if err := s.check(again.First()); err != nil {
			return fmt.Errorf("reopened: %w", err)
		}
		if err := again.Append(s.next+1, 1, []byte("gap")); !errors.Is(err, log.ErrSequence) {
			return fmt.Errorf("reopened, an append at %d: got %v, want ErrSequence", s.next+1, err)
		}
		if _, ok := again.(Reopener); !ok {
			return errors.New("a reopened log cannot be reopened")
		}
	}
	return nil
}

// checkFence lets another writer own the log again and again. What the one before
// appends then is not written, and says so each time, whatever it expects.
func checkFence(t *testing.T, l log.Log) error {
	if _, ok := l.(Fencer); !ok {
		t.Skip("this log is not shared")
	}
	s := newScript(l, 14)
	for range 8 {
		if err := s.append(5); err != nil {
			return err
		}
		old := s.log
		s.log = old.(Fencer).Fence(t)
		defer s.log.Close()
		if _, ok := s.log.(Fencer); !ok {
			return errors.New("the log of a new owner cannot be fenced")
		}
		for _, expected := range []uint64{s.next, s.next, s.next + 1, 1} {
			if err := checkFenced(old.Append(expected, 1, []byte("late"))); err != nil {
				return fmt.Errorf("append at %d to a log that ends at %d and has another owner: %w", expected, s.next-1, err)
			}
		}
		if err := s.append(2); err != nil {
			return fmt.Errorf("the new owner: %w", err)
		}
		if err := checkFenced(old.Append(s.next, 1, []byte("late"))); err != nil {
			return fmt.Errorf("append to a log that another owner has written to: %w", err)
		}
		if err := errors.Join(s.check(1), old.Close()); err != nil {
			return err
		}
	}
	return nil
}

// checkFenced looks at what a fenced append answered.
func checkFenced(err error) error {
	var fenced *log.FencedError
	switch {
	case !errors.Is(err, log.ErrFenced) || !errors.As(err, &fenced):
		return fmt.Errorf("got %v, want a *FencedError", err)
	case errors.Is(err, log.ErrJournal):
		return fmt.Errorf("got %v, which is ErrJournal too: it is known that nothing was written", err)
	case fenced.By <= fenced.Epoch:
		return fmt.Errorf("got %v: epoch %d cannot fence epoch %d", err, fenced.By, fenced.Epoch)
	}
	return nil
}

// checkProgram does things in a drawn order.
func checkProgram(t *testing.T, l log.Log) error {
	s := newScript(l, 12)
	first := uint64(1)
	for step := range 600 {
		var err error
		switch s.draw.IntN(8) {
		case 0:
			below := s.draw.Uint64N(s.next + 1)
			if err = l.Trim(below); err == nil {
				err = checkTrimmed(s, first, max(below, first))
			}
			first = l.First()
		case 1:
			if from := first + s.draw.Uint64N(s.next-first+1); from >= l.First() {
				err = s.check(from)
			}
		case 2:
			if got := l.Append(s.next+1+s.draw.Uint64N(5), 1, []byte("gap")); !errors.Is(got, log.ErrSequence) {
				err = fmt.Errorf("append behind a gap: got %v, want ErrSequence", got)
			}
		case 3:
			err = l.Sync()
		default:
			err = s.append(1 + s.draw.IntN(3))
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
	}
	return s.check(l.First())
}
