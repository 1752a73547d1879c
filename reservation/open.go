package reservation

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// fileState is what a ledger with a directory needs besides the queue.
type fileState struct {
	disk journal.Disk
	log  *journal.FileLog
	// writing lets one snapshot be written at a time.
	writing  lock.Mutex
	snapshot atomic.Uint64 // records up to here are in the newest snapshot
	recovery Recovery
	closed   atomic.Bool
}

// Recovery is what Open found and how long it took.
type Recovery struct {
	Snapshot uint64        // records that a snapshot stood for
	Records  uint64        // records replayed after it
	Took     time.Duration // measured by the caller
}

// Open returns the ledger that a directory holds, or a new one in an empty
// directory. It reads the newest snapshot that is whole and then the journal
// after it. The caller numbers the locations (Renumber) and then calls Fill;
// before that there is no stock.
//
// A directory on a full disk opens: what is there is read, and what frees passes as
// far as there is room (see Opened).
//
// Errors: ErrLocked, ErrCorrupt, ErrNewer, ErrForeign, ErrFull (a limit is below
// what is there), *InvariantError, ErrNoSpace and ErrUnavailable (not even the few
// kilobytes, or the handles, that opening takes are to be had), or the system's.
// Nothing was changed but for a torn end of the journal, which no one was told of
// and which is cut off.
func Open(o Options) (*Ledger, error) {
	disk := o.disk
	if disk == nil {
		var err error
		if disk, err = journal.OpenDir(o.Dir); err != nil {
			return nil, fmt.Errorf("reservation: open %q: %w", o.Dir, err)
		}
	}
	log, err := journal.OpenFile(disk, journal.FileOptions{Schema: history.Version, SegmentBytes: o.SegmentBytes,
		NoSync: o.Written, Manual: o.manual, Logger: o.Logger})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reservation: open %q: %w", o.Dir, err), closeDisk(disk))
	}
	l, _, err := recoverFrom(disk, log, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reservation: open %q: %w", o.Dir, err), log.Close(), closeDisk(disk))
	}
	l.begin(commit.New(log, commit.Options{Delay: o.Delay, Written: o.Written, SyncEvery: o.SyncEvery,
		BacklogBytes: o.BacklogBytes, FrameBytes: o.frame, Manual: o.manual, Logger: o.Logger}))
	return l, nil
}

// recoverFrom builds the ledger from the newest whole snapshot and the records
// after it. A damaged snapshot makes it go back to the one before, as long as the
// journal reaches back so far.
func recoverFrom(disk journal.Disk, log *journal.FileLog, o Options) (*Ledger, *replay, error) {
	snapshots, err := journal.Snapshots(disk)
	if err != nil {
		return nil, nil, err
	}
	var damaged error
	for i, s := range snapshots {
		if s.From+1 < log.First() {
			break
		}
		l, p, err := restore(disk, log, o, &s)
		if err == nil {
			log.Spare(journal.TrimPoint(snapshots[i:])) // those before are damaged
			return l, p, nil
		}
		if !errors.Is(err, ErrCorrupt) {
			return nil, nil, err
		}
		damaged = errors.Join(damaged, err)
	}
	if log.First() > 1 {
		if damaged == nil {
			damaged = fmt.Errorf("records 1 to %d are in no snapshot: %w", log.First()-1, ErrCorrupt)
		}
		return nil, nil, damaged
	}
	l, p, err := restore(disk, log, o, nil)
	if err != nil {
		return nil, nil, errors.Join(err, damaged)
	}
	return l, p, nil
}

// restore builds the ledger from one snapshot, or none, and the records after it.
func restore(disk journal.Disk, log *journal.FileLog, o Options, s *journal.SnapshotInfo) (*Ledger, *replay, error) {
	quiet := o
	quiet.FeedBytes = 0
	l := New(quiet)
	l.options = o
	l.shelves = &recovered{}
	l.digests = digests{words: &formerWords} // until a key is met, or drawn
	l.file = &fileState{disk: disk, log: log}
	l.book.Loosen()
	p := &replay{ledger: l}
	if s != nil {
		if log.Last() < s.To {
			return nil, nil, fmt.Errorf("the journal ends at record %d, before snapshot %s is exact: %w", log.Last(), s.Name, ErrCorrupt)
		}
		if err := loadSnapshot(disk, log.Identity(), s, l); err != nil {
			return nil, nil, err
		}
		p.from, p.to, p.sequence = s.From, s.To, s.From
		l.file.snapshot.Store(s.From)
		l.file.recovery.Snapshot = s.From
		since := l.time.Load()
		for i := range l.floors {
			l.floors[i].since = since
		}
	}
	if log.Last() > p.from {
		if err := p.all(log, p.from+1); err != nil {
			return nil, nil, err
		}
	}
	l.time.Store(max(l.time.Load(), p.latest))
	l.book.Settle(l.recoveryWorkers(), l.time.Load())
	l.file.recovery.Records = p.records
	return l, p, nil
}

func loadSnapshot(disk journal.Disk, identity [16]byte, s *journal.SnapshotInfo, l *Ledger) (err error) {
	r, err := journal.OpenSnapshot(disk, identity, *s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	in := &snapshotReader{from: r, ledger: l}
	if err := in.read(); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("snapshot %s: %w", s.Name, err)
	}
	return nil
}

// Opened records that the engine begins to work, at an engine time no earlier
// than Time; the first time with the key of its digests. It comes before all calls
// that have IDs. A journal that has no room for that goes without: it would keep
// everybody who reads waiting.
func (l *Ledger) Opened(now int64) (Ticket, error) {
	l.time.Store(max(l.time.Load(), now))
	l.Look(now)
	if l.file != nil {
		if err := l.file.log.Room(); errors.Is(err, ErrNoSpace) || errors.Is(err, ErrUnavailable) {
			return Ticket{}, nil
		}
	}
	if l.queue != nil {
		if err := l.drawDigests(now); err != nil {
			return Ticket{}, err
		}
	}
	return l.append(&history.Record{Kind: history.Opened, Time: now})
}

// Recovered is what Open found.
func (l *Ledger) Recovered() Recovery {
	if l.file == nil {
		return Recovery{}
	}
	return l.file.recovery
}

// Close records what is queued and lets go of the directory. Changes after it are
// refused by the journal; a ledger in memory goes on.
func (l *Ledger) Close() error {
	if l.queue == nil {
		return nil
	}
	err := l.queue.Close()
	if errors.Is(err, log.ErrClosed) {
		return nil
	}
	if l.file != nil && l.file.closed.CompareAndSwap(false, true) {
		err = errors.Join(err, closeDisk(l.file.disk))
	}
	if err != nil {
		return fmt.Errorf("reservation: close: %w", err)
	}
	return nil
}

// closeDisk lets go of a directory, if it is one that has to be let go of.
func closeDisk(d journal.Disk) error {
	if c, ok := d.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
