package reservation

import "time"

// JournalNumbers are the figures of a ledger's journal; all zero without one.
type JournalNumbers struct {
	First, Last, Durable uint64        // records: the oldest kept, the newest given a number, the newest that lasts
	Commits              uint64        // since it was opened
	Written              uint64        // bytes of records in them
	Backlog              int           // bytes of records not yet written
	LastCommit, Slowest  time.Duration // how long the latest commit took, and the longest
	Degraded             bool          // a commit takes more than a second
	Bytes                int64         // of its files
	Segments, Prepared   int           // files with records, files made ready for more
	Err                  error         // why nothing more is written; nil: all is well
}

// Journal reads the figures of the journal.
func (l *Ledger) Journal() JournalNumbers {
	if l.queue == nil {
		return JournalNumbers{}
	}
	q := l.queue.Numbers()
	n := JournalNumbers{First: 1, Last: l.queue.Last(), Durable: l.queue.Durable(), Commits: q.Commits, Written: q.Bytes,
		Backlog: q.BacklogBytes, LastCommit: q.LastCommit, Slowest: q.Slowest, Degraded: q.Degraded, Err: l.queue.Err()}
	if l.file != nil {
		f := l.file.log.Numbers()
		n.First, n.Bytes, n.Segments, n.Prepared = f.First, f.Bytes, f.Segments, f.Prepared
	}
	return n
}

// Recorded tells whether the ledger has a journal, be it in memory, so that
// waiting for it means something.
func (l *Ledger) Recorded() bool { return l.queue != nil }

// Short is at how many SKUs and locations more is held than is on hand.
func (l *Ledger) Short() int { return int(l.shorts.cells.Load()) }
