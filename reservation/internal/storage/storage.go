package storage

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// Options say where a ledger lies.
type Options struct {
	// Dir is the directory of the files, or of the snapshots of Log. Empty, with a
	// Log: there are no snapshots.
	Dir string
	// Disk is in place of Dir; nil: Dir.
	Disk journal.Disk
	// Log is where the records lie; nil: in files of Dir.
	Log log.Log
	// Schema is that of the records in files; one of a higher schema is refused.
	Schema uint32
	// SegmentBytes is the length of a file; 0: as journal.FileOptions says.
	SegmentBytes int64
	Owed         func() int64 // frames for which a full disk must have room; see there too
	// NoSync and Manual are those of journal.FileOptions; false: files are synced by
	// each append, and tended by goroutines.
	NoSync, Manual bool
	// RetainBytes is how much of the log is kept for its readers beyond what recovery
	// needs; 0: none.
	RetainBytes int64
	// Logger hears what the files have to say; nil: nobody.
	Logger *slog.Logger
}

// A Storage is a log and the snapshots beside it. It is safe for use by several
// goroutines at once.
type Storage struct {
	log      log.Log
	files    *journal.FileLog // the log, if it is in files of the directory; else nil
	disk     journal.Disk     // of the snapshots; nil: there are none
	identity [16]byte         // of the log, which snapshots name
	unlock   func() error     // lets go of the directory, if no file log does
	retain   int64
	first    atomic.Uint64 // the first record of a log that was given
	closed   atomic.Bool
	// writing is held by the one who writes a snapshot, or needs that nothing is
	// trimmed meanwhile.
	writing lock.Mutex
}

// Open opens the log and takes the directory. What it has opened is closed again when
// it fails, the given log too. With a directory the log must be log.Identified.
func Open(o Options) (s *Storage, err error) {
	s = &Storage{log: o.Log, disk: o.Disk, retain: o.RetainBytes}
	defer func() {
		if err == nil {
			s.first.Store(s.log.First())
			return
		}
		if s.log != nil {
			err = errors.Join(err, s.log.Close())
		}
		err = errors.Join(err, s.Close())
	}()
	if s.disk == nil && o.Dir != "" {
		if s.disk, err = journal.OpenDir(o.Dir); err != nil {
			return s, err
		}
	}
	if o.Log == nil {
		s.files, err = journal.OpenFile(s.disk, journal.FileOptions{Schema: o.Schema, SegmentBytes: o.SegmentBytes, Owed: o.Owed,
			NoSync: o.NoSync, Manual: o.Manual, Logger: o.Logger})
		if err == nil {
			s.log, s.identity = s.files, s.files.Identity()
		}
		return s, err
	}
	if s.disk != nil {
		s.identity = o.Log.(log.Identified).Identity()
		s.unlock, err = journal.TakeBeside(s.disk)
	}
	return s, err
}

// Log is the log. Whoever appends to it closes it.
func (s *Storage) Log() log.Log { return s.log }

// Close lets go of the directory, once, after the log has been closed.
func (s *Storage) Close() (err error) {
	if !s.closed.CompareAndSwap(false, true) {
		return nil
	}
	if s.unlock != nil {
		err = s.unlock()
	}
	if c, ok := s.disk.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// HasSnapshots tells that there is a directory for snapshots.
func (s *Storage) HasSnapshots() bool { return s.disk != nil }

// Room reports whether a short frame could be written to the files now: nil, a
// refusal, or why they have stopped. A log that was given is asked by an append.
func (s *Storage) Room() error {
	if s.files == nil {
		return nil
	}
	return s.files.Room()
}

// Files are the figures of the files. Of a log that was given only the first record
// is known. It takes no lock.
func (s *Storage) Files() journal.FileNumbers {
	if s.files == nil {
		return journal.FileNumbers{First: s.first.Load()}
	}
	return s.files.Files()
}

// Counted are the figures of the files as they are counted under their lock.
func (s *Storage) Counted() journal.FileNumbers { return s.files.Numbers() }

// Tend does what goroutines of the files do, if they are Manual.
func (s *Storage) Tend() error { return s.files.Tend() }

// Steady keeps snapshots and the log from being trimmed until release.
func (s *Storage) Steady() (release func()) {
	s.writing.Lock(lock.Snapshot)
	return s.writing.Unlock
}

// lost says of a log that was given that records are gone which a snapshot has seen.
func lost(last uint64, s journal.SnapshotInfo) error {
	return fmt.Errorf("snapshot %s: %w", s.Name, &log.LostError{From: last + 1, To: s.To})
}
