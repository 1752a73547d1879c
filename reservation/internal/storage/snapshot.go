package storage

import (
	"errors"
	"fmt"
	"io"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// A Snapshot is one of the snapshots there are.
type Snapshot = journal.SnapshotInfo

// Snapshots lists them, the newest first; that one is listed does not say that it is
// whole. Of a log that was given: ErrForeign, one is another log's; *log.LostError, the
// log ends before what one of them has seen, so that it went back.
func (s *Storage) Snapshots() ([]Snapshot, error) {
	if s.disk == nil {
		return nil, nil
	}
	all, err := journal.Snapshots(s.disk)
	if err != nil || s.files != nil {
		return all, err
	}
	last := s.log.Last()
	for _, one := range all {
		r, err := s.OpenSnapshot(one)
		switch {
		case errors.Is(err, log.ErrCorrupt):
			continue // recovery goes by the one before, and says so
		case err != nil:
			return nil, err
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
		if last < one.To {
			return nil, lost(last, one)
		}
	}
	return all, nil
}

// OpenSnapshot reads one.
func (s *Storage) OpenSnapshot(one Snapshot) (io.ReadCloser, error) {
	return journal.OpenSnapshot(s.disk, s.identity, one)
}

// Whole says that the snapshots are whole, newest first: the files keep what is before
// them for readers alone.
func (s *Storage) Whole(snapshots []Snapshot) {
	if s.files != nil {
		s.files.Spare(journal.TrimPoint(snapshots))
	}
}

// WriteSnapshot writes a snapshot and then lets go of what recovery does not need any
// more: all snapshots but the newest keep, and the log before them, but for RetainBytes
// of it. begin says at which record it begins; write writes it, and returns at which
// it is exact. Both may be called again when the disk was full: then files that are
// kept for readers alone make room. perRecord is how many bytes a record of a log that
// was given takes on the average, 0 if that is not known: then it is not trimmed.
func (s *Storage) WriteSnapshot(begin func() uint64, write func(w io.Writer) (to uint64, err error), keep int, perRecord func() int64) error {
	defer s.Steady()()
	err := s.write(begin(), write)
	for files := 1; errors.Is(err, log.ErrNoSpace) && s.free(files); files *= 2 {
		err = s.write(begin(), write)
	}
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	snapshots, err := journal.Snapshots(s.disk)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	for _, one := range snapshots[min(keep, len(snapshots)):] {
		if err := s.remove(one); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
	}
	s.Whole(snapshots)
	if err := s.log.Trim(s.retained(journal.TrimPoint(snapshots), perRecord)); err != nil {
		return fmt.Errorf("trimming the journal: %w", err)
	}
	s.first.Store(s.log.First())
	return nil
}

// write writes one file.
func (s *Storage) write(from uint64, write func(w io.Writer) (to uint64, err error)) error {
	var err error
	if s.files != nil {
		_, err = s.files.WriteSnapshot(from, write)
	} else {
		_, err = journal.WriteSnapshot(s.disk, s.identity, from, write)
	}
	return err
}

// free gives up files that are kept for readers alone. A snapshot frees more than it
// takes, so they go first.
func (s *Storage) free(files int) (freed bool) {
	for range files {
		freed = s.files != nil && s.files.FreeSpace() || freed
	}
	return freed
}

// remove removes a snapshot.
func (s *Storage) remove(one Snapshot) error {
	if s.files != nil {
		return s.files.RemoveSnapshot(one)
	}
	return journal.RemoveSnapshot(s.disk, one)
}

// retained is below which record the log may be trimmed, if recovery needs nothing
// below that one: as many records stay as RetainBytes holds on the average.
func (s *Storage) retained(below uint64, perRecord func() int64) uint64 {
	if s.retain <= 0 {
		return below
	}
	average, last := int64(0), s.log.Last()
	if s.files == nil {
		if average = perRecord(); average == 0 {
			return 0
		}
	} else {
		n := s.files.Numbers()
		if n.Bytes <= 0 {
			return below
		}
		average, last = n.Bytes/int64(max(1, n.Last-n.First+1)), n.Last
	}
	keep := uint64(s.retain / max(1, average))
	if last < keep {
		return 0
	}
	return min(below, last-keep)
}
