package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// Read yields frames; see Log. It verifies each of them, and holds no lock
// while the caller looks at one.
func (l *FileLog) Read(from uint64) iter.Seq2[log.Frame, error] {
	return func(yield func(log.Frame, error) bool) {
		for {
			next, more, err := l.readSegment(from, yield)
			if err != nil {
				yield(log.Frame{}, err)
				return
			}
			if !more {
				return
			}
			from = next
		}
	}
}

// readSegment yields the frames of one segment, beginning with the one that
// holds from. It returns where to go on; more is false at the end of the log or
// when the caller wants no more.
func (l *FileLog) readSegment(from uint64, yield func(log.Frame, error) bool) (next uint64, more bool, err error) {
	s, begin, limit, err := l.enter(from)
	if s == nil || err != nil {
		return 0, false, err
	}
	buffer, _ := l.windows.Get().(*[]byte)
	if buffer == nil {
		buffer = new([]byte)
	}
	w := s.walk(s.file, begin, limit, *buffer)
	var marks []place
	defer func() {
		if *buffer = w.window; cap(w.window) <= 16*windowBytes {
			l.windows.Put(buffer)
		}
		if left := l.leave(s); left != nil && err == nil {
			next, more, err = 0, false, left
		}
	}()
	for {
		at := place{w.next, w.pos, w.chain}
		h, payload, err := w.step()
		if err == io.EOF {
			l.keepPlaces(s, marks)
			return w.next, true, nil
		}
		if err != nil {
			return 0, false, l.explain(err, s, w)
		}
		if begin.offset == blockSize {
			marks = note(marks, at.first, at.offset, at.chain)
		}
		if w.next <= from {
			continue
		}
		if !yield(log.Frame{First: h.first, Count: int(h.count), Payload: payload}, nil) {
			return 0, false, nil
		}
	}
}

// explain makes a CorruptError of a frame that has to be there and is not.
func (l *FileLog) explain(err error, s *segment, w *walk) error {
	var no errNoFrame
	if !errors.As(err, &no) {
		return err
	}
	from, at := w.next, w.pos
	l.mu.Lock(lock.Segments)
	to := s.next - 1
	l.mu.Unlock()
	later, _, found, err := w.later(at+blockSize, func(h *header) bool { return h.kind == kindData && h.first > from })
	if err != nil {
		return err
	}
	if found {
		to = later.first - 1
	}
	return s.damaged(at, from, to, string(no))
}

// enter finds the segment that holds from, a place at or before it, and where
// the segment's frames end now. Its file stays open until leave. The segment is
// nil if the log ends before from.
func (l *FileLog) enter(from uint64) (s *segment, begin place, limit int64, err error) {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, begin, 0, log.ErrClosed
	case from < l.from:
		return nil, begin, 0, &log.TrimmedError{First: l.from}
	case from >= l.next:
		return nil, begin, 0, nil
	}
	i, exact := slices.BinarySearchFunc(l.segments, from, func(s *segment, from uint64) int { return cmp.Compare(s.first, from) })
	if !exact {
		i--
	}
	s = l.segments[i]
	begin = s.start()
	i, exact = slices.BinarySearchFunc(s.marks, from, func(p place, from uint64) int { return cmp.Compare(p.first, from) })
	if !exact {
		i--
	}
	if i >= 0 {
		begin = s.marks[i]
	}
	if s.file == nil {
		s.file, err = l.disk.Open(s.name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, begin, 0, s.damaged(-1, s.first, s.next-1, "it is missing")
		}
		if err != nil {
			return nil, begin, 0, fmt.Errorf("journal: read: %w", typed(err))
		}
	}
	s.users++
	return s, begin, s.end, nil
}

// keepPlaces notes what a reader learned of a segment that nobody had walked.
func (l *FileLog) keepPlaces(s *segment, marks []place) {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	if len(marks) > len(s.marks) {
		s.marks = marks
	}
}
