package reservation

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/recovery"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/storage"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// stored is a storage, and what was found in it.
type stored struct {
	*storage.Storage
	recovery Recovery
}

// Recovery is what Open found and how long it took.
type Recovery struct {
	Snapshot uint64        // records that a snapshot stood for
	Records  uint64        // records replayed after it
	Took     time.Duration // measured by the caller
}

// Open returns the ledger that a directory or a log holds (Options.Dir and
// Options.Log), or a new one if it is empty. It reads the newest snapshot that is whole
// and then the log after it. The caller numbers the locations (Renumber) and then calls
// Fill; before that there is no stock. The log is the ledger's from then on: Close closes
// it, and so does an Open that fails, but for *InvalidError.
//
// A directory on a full disk opens: what is there is read, and what frees passes as
// far as there is room (see Opened).
//
// Errors: *InvalidError, neither a directory nor a log, or a log that has no identity
// beside a directory; ErrLocked, ErrCorrupt, ErrNewer, ErrForeign (of the directory, also
// if it holds a journal and a log is given, or another log's snapshots), ErrLogLost (the log
// given ends before what a snapshot has seen), ErrTrimmed (the
// log given does not reach back to a snapshot, or to its first record), ErrFull (a
// limit is below what is there), *InvariantError, ErrNoSpace and ErrUnavailable (not even
// the few kilobytes, or the handles, that opening takes are to be had), or the system's.
// Nothing was changed but for a torn end of the journal, which no one was told of
// and which is cut off.
func Open(o Options) (*Ledger, error) {
	if err := o.checkPlaces(); err != nil {
		return nil, fmt.Errorf("reservation: open: %w", err)
	}
	name := o.Dir
	if o.Log != nil {
		name = "a log"
	}
	var live endings
	s, err := storage.Open(storage.Options{Dir: o.Dir, Disk: o.disk, Log: o.Log, Schema: history.Version, SegmentBytes: o.SegmentBytes, Owed: live.frames,
		NoSync: o.Written, Manual: o.manual, RetainBytes: o.RetainBytes, Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("reservation: open %q: %w", name, err)
	}
	l, _, err := recoverFrom(s, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reservation: open %q: %w", name, err), s.Log().Close(), s.Close())
	}
	live.book.Store(l.state.Book)
	l.begin(commit.New(s.Log(), commit.Options{Delay: o.Delay, Written: o.Written, SyncEvery: o.SyncEvery,
		BacklogBytes: o.BacklogBytes, FrameBytes: o.frame, Manual: o.manual, Logger: o.Logger}))
	return l, nil
}

// checkPlaces refuses options that do not say where the ledger lies.
func (o *Options) checkPlaces() error {
	if o.Log == nil {
		if o.Dir == "" && o.disk == nil {
			return &InvalidError{Field: "Options.Dir", Value: "", Why: "must name a directory, or Options.Log a log"}
		}
		return nil
	}
	if _, ok := o.Log.(log.Identified); !ok && o.Dir != "" {
		return &InvalidError{Field: "Options.Log", Value: fmt.Sprintf("%T", o.Log), Why: "must be log.Identified, since snapshots in Options.Dir name the log they are of"}
	}
	if o.Written {
		return &InvalidError{Field: "Options.Written", Value: true, Why: "must be false with Options.Log: the log says when a frame lasts"}
	}
	return nil
}

// recoverFrom builds the ledger from the newest whole snapshot and the records
// after it. A damaged snapshot makes it go back to the one before, as long as the
// log reaches back so far.
func recoverFrom(from *storage.Storage, o Options) (*Ledger, *recovery.Replay, error) {
	snapshots, err := from.Snapshots()
	if err != nil {
		return nil, nil, err
	}
	first := from.Log().First()
	var damaged error
	for i, s := range snapshots {
		if s.From+1 < first {
			break
		}
		l, p, err := restore(from, o, &s)
		if err == nil {
			from.Whole(snapshots[i:]) // those before are damaged
			return l, p, nil
		}
		if !errors.Is(err, ErrCorrupt) {
			return nil, nil, err
		}
		damaged = errors.Join(damaged, err)
	}
	if first > 1 {
		if damaged == nil && o.Log == nil {
			damaged = fmt.Errorf("records 1 to %d are in no snapshot: %w", first-1, ErrCorrupt)
		} else if damaged == nil { // somebody else may have trimmed it
			damaged = fmt.Errorf("records 1 to %d are in no snapshot: %w", first-1, &log.TrimmedError{First: first})
		}
		return nil, nil, damaged
	}
	l, p, err := restore(from, o, nil)
	if err != nil {
		return nil, nil, errors.Join(err, damaged)
	}
	return l, p, nil
}

// restore builds the ledger from one snapshot, or none, and the records after it.
func restore(from *storage.Storage, o Options, s *storage.Snapshot) (*Ledger, *recovery.Replay, error) {
	quiet := o
	quiet.FeedBytes = 0
	l := New(quiet)
	l.options = o
	l.state.Recover()
	l.state.Digests = state.Key{Words: state.Former()} // until a key is met, or drawn
	l.storage = &stored{Storage: from}
	l.state.Book.Loosen()
	p := recovery.NewReplay(&l.state, 0, 0)
	if s != nil {
		if last := from.Log().Last(); last < s.To {
			return nil, nil, fmt.Errorf("the journal ends at record %d, before snapshot %s is exact: %w", last, s.Name, ErrCorrupt)
		}
		if err := loadSnapshot(from, s, l); err != nil {
			return nil, nil, err
		}
		p = recovery.NewReplay(&l.state, s.From, s.To)
		l.storage.recovery.Snapshot = s.From
		since := l.state.Time()
		for i := range l.state.Floors {
			l.state.Floors[i].Since = since
		}
	}
	if err := p.Rest(from.Log(), o.workers()); err != nil {
		return nil, nil, refused(err)
	}
	l.state.Book.Settle(max(o.workers(), 1), l.state.Time())
	l.storage.recovery.Records = p.Records()
	return l, p, nil
}

func loadSnapshot(from *storage.Storage, s *storage.Snapshot, l *Ledger) (err error) {
	r, err := from.OpenSnapshot(*s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := recovery.ReadSnapshot(r, &l.state, l.options.workers()); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("snapshot %s: %w", s.Name, refused(err))
	}
	return nil
}

// Opened records that the engine begins to work, at an engine time no earlier
// than Time; the first time with the key of its digests. It comes before all calls
// that have IDs. A journal that has no room for that goes without: it would keep
// everybody who reads waiting.
func (l *Ledger) Opened(now int64) (Ticket, error) {
	l.state.Reach(now)
	l.Look(now)
	if l.storage != nil {
		if err := l.storage.Room(); errors.Is(err, ErrNoSpace) || errors.Is(err, ErrUnavailable) {
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
	if l.storage == nil {
		return Recovery{}
	}
	return l.storage.recovery
}

// Close records what is queued and lets go of the directory and the log. Changes
// after it are refused by the journal; a ledger in memory goes on.
func (l *Ledger) Close() error {
	if l.queue == nil {
		return nil
	}
	err := l.queue.Close()
	if errors.Is(err, log.ErrClosed) {
		return nil
	}
	if l.storage != nil {
		err = errors.Join(err, l.storage.Close())
	}
	if err != nil {
		return fmt.Errorf("reservation: close: %w", err)
	}
	return nil
}
