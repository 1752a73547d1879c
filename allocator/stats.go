package allocator

import (
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/latency"
)

// Stats is the engine in numbers. Counters count since Open; they are read one
// by one while calls go on. How large the engine is says Sizes.
type Stats struct {
	Locations  int // there now
	Held       int // reservations with units still held or confirmed, of an order in parts each of them
	Remembered int // ended reservations, movements, and changes and returns with an ID, kept for repeats
	Short      int // (SKU, location) pairs with more units held than on hand

	Allocated uint64 // orders held
	Repeated  uint64 // orders answered from the book
	Refused   uint64 // orders no location could fill
	Conflicts uint64 // orders refused because another one has their ID (ErrConflict)
	Collected uint64 // reservations ended by Collect, or by DoDeliver
	Canceled  uint64 // reservations ended by Cancel
	Expired   uint64 // holds whose deadline passed, in whole or the part not confirmed
	NoShows   uint64 // reservations that nobody collected in time
	LostRaces uint64 // locations an order came to and found short, for whatever reason

	HostPanics uint64 // panics of functions of the host's: Options.Clock, Holidays and Logger
	Panics     uint64 // panics in the engine's own goroutines, which began anew

	// ExpiryLag is how late units came free: the longest time, in engine time and
	// whole milliseconds, from the deadline of a hold or of a pickup to the moment
	// at which the next order could take its units. The longest of the latest sweep
	// that ended anything, as far as it has come; reminders do not count. After a
	// time in which the engine was closed it is that long, until the next sweep.
	ExpiryLag time.Duration

	// AllocateTime is how long Allocate took, whatever it answered, of one call in 64:
	// from the moment at which the engine let it begin to its answer, so with the wait
	// for the disk, but without the one for a backlog to be written or for the end of a
	// pause. The orders of AllocateAll are not in it.
	AllocateTime latency.Histogram

	Journal   JournalStats
	Recovered reservation.Recovery // what Open found
}

// JournalStats is the journal in numbers; all zero without one. With
// Options.FeedBytes alone it is kept in memory, and has no files.
type JournalStats struct {
	Sequence   uint64            // of the newest record
	Durable    uint64            // of the newest record that lasts
	Commits    uint64            // since Open
	Backlog    int64             // bytes of records not yet written; from 32 MiB on new ones wait
	LastCommit time.Duration     // how long the latest took
	CommitTime latency.Histogram // how long each took since Open: write and sync, of all records that waited together
	Degraded   bool              // a commit takes more than a second
	Bytes      int64             // of the files that the two below count; snapshots are besides
	Segments   int               // its files with records
	Prepared   int               // its files made ready for more
	Err        error             // why nothing more is written until the engine is opened anew; nil: all is well
}

// Stats reads the engine's numbers. It takes no lock and waits for nothing: it reads
// a few thousand counters, in some microseconds. After Close it still answers.
func (a *Allocator) Stats() Stats {
	held, remembered := a.ledger.Counts()
	host, own := a.gate.Panics()
	j := a.ledger.Journal()
	return Stats{Locations: a.locations.Load().Live(), Held: held, Remembered: remembered, Short: a.ledger.Short(),
		HostPanics: host, Panics: own,
		Allocated: a.gate.Counted(gate.Allocated), Repeated: a.gate.Counted(gate.Repeated), Refused: a.gate.Counted(gate.Refused),
		Conflicts: a.gate.Counted(gate.Conflicts),
		Collected: a.gate.Counted(gate.Collected), Canceled: a.gate.Counted(gate.Canceled), LostRaces: a.gate.Counted(gate.LostRaces),
		Expired: a.expiry.expired.Load(), NoShows: a.expiry.noShows.Load(),
		ExpiryLag:    time.Duration(a.expiry.lag.Load()) * time.Millisecond,
		AllocateTime: a.timing.allocateTime.Read(), Recovered: a.recovery,
		Journal: JournalStats{Sequence: j.Last, Durable: j.Durable, Commits: j.Commits, Backlog: int64(j.Backlog),
			LastCommit: j.LastCommit, CommitTime: j.Took, Degraded: j.Degraded, Bytes: j.Bytes, Segments: j.Segments,
			Prepared: j.Prepared, Err: j.Err}}
}

// Sizes is how large the engine is.
type Sizes struct {
	SKUs  int // received or counted ever, without lots and quotas of theirs
	Cells int // (SKU, location) pairs of them with a counter: those ever received or counted; all locations, for a SKU that most have

	// StockBytes is the heap of counters, bits and units on hand, with what they are
	// found by, also those of lots, quotas, windows and capacities; the names of
	// SKUs and locations are not in it. ReservationBytes is what is set aside for
	// reservations, for the remembered, and for all that finds them and their
	// deadlines, in use or not: it does not shrink.
	StockBytes       int64
	ReservationBytes int64
}

// Sizes adds up how large the engine is. It walks every SKU, and takes the locks of
// reservations one by one: call it now and then. After Close it still answers.
func (a *Allocator) Sizes() Sizes {
	n := a.ledger.Numbers()
	return Sizes{SKUs: n.SKUs, Cells: n.Cells, StockBytes: n.StockBytes, ReservationBytes: n.BookBytes}
}
