package reservation

import (
	"time"

	"github.com/clickcollect/clickcollect/reservation/latency"
)

// JournalNumbers are the figures of a ledger's journal; all zero without one.
type JournalNumbers struct {
	First, Last, Durable uint64            // records: the oldest kept, the newest given a number, the newest that lasts
	Commits              uint64            // since it was opened
	Written              uint64            // bytes of records in them
	Backlog              int               // bytes of records not yet written
	LastCommit, Slowest  time.Duration     // how long the latest commit took, and the longest
	Took                 latency.Histogram // all commits
	Degraded             bool              // a commit takes more than a second
	Bytes                int64             // of its files; 0 of a log that was given
	Segments, Prepared   int               // files with records, files made ready for more
	Err                  error             // why nothing more is written; nil: all is well
}

// Journal reads the figures of the journal. It takes no lock.
func (l *Ledger) Journal() JournalNumbers {
	if l.queue == nil {
		return JournalNumbers{}
	}
	q := l.queue.Numbers()
	n := JournalNumbers{First: 1, Last: q.Last, Durable: q.Durable, Commits: q.Commits, Written: q.Bytes, Took: q.Took,
		Backlog: q.BacklogBytes, LastCommit: q.LastCommit, Slowest: q.Slowest, Degraded: q.Degraded, Err: q.Err}
	if l.storage != nil {
		f := l.storage.Files()
		n.First, n.Bytes, n.Segments, n.Prepared = f.First, f.Bytes, f.Segments, f.Prepared
	}
	return n
}

// Recorded tells whether the ledger has a journal, be it in memory, so that
// waiting for it means something.
func (l *Ledger) Recorded() bool { return l.queue != nil }

// Counts is how many reservations have units held or confirmed, and how many ended
// ones, movements and changes are remembered. It takes no lock.
func (l *Ledger) Counts() (held, remembered int) { return l.state.Book.Counts() }

// Live is how many reservations that have not ended are at a location; those under
// way to another one are still where they were sent from.
func (l *Ledger) Live(slot uint32) int { return l.state.Book.LiveAt(slot) }

// Short is at how many SKUs and locations more is held than is on hand.
func (l *Ledger) Short() int { return int(l.shorts.cells.Load()) }

// Numbers of the ledger, for statistics and tests.
type Numbers struct {
	SKUs, Cells          int   // plain SKUs with a counter, neither resources nor sub-SKUs, and pairs of one and a location
	Held, Remembered     int   // as Counts says
	HotBytes, StockBytes int64 // rows, of resources and sub-SKUs too: what searches and claims read; all of it
	BookBytes            int64 // records and what they are found by, in use or not
}

// Numbers adds up the ledger's size. It walks every SKU, and takes the locks of the
// book one by one.
func (l *Ledger) Numbers() Numbers {
	m := l.state.Stock.Memory(func(sku uint32) bool { return !l.state.Classes.Special(sku) })
	held, remembered := l.Counts()
	return Numbers{SKUs: m.SKUs, Cells: m.Cells, Held: held, Remembered: remembered,
		HotBytes: m.HotBytes, StockBytes: m.AllBytes, BookBytes: l.state.Book.Memory()}
}
