package lock

import "fmt"

// Rank is a lock's place in the order.
type Rank uint8

// The locks of the module, those that are taken first in front. Each says in which
// package it is and what it guards, and after the semicolon what is taken under it.
const (
	// Host is in allocator/internal/gate: no mutex, a function of the host's is called, which must hold nothing; it may call the door.
	Host Rank = iota + 1
	// Rules is in allocator: the rules in force, and the wait for acceptance that follows from them; notes, the book, the journal's buffer.
	Rules
	// Channels is in allocator/internal/channels: protection levels, one change at a time; a pause, notes.
	Channels
	// Goods is in allocator/internal/goods: bundles and shelf lives, one change at a time; a pause, notes.
	Goods
	// Capacities is in allocator/internal/calendar: pickup windows and capacities, one change of them or step of their sweep at a time; a pause, changes, the ledger.
	Capacities
	// Snapshot is in reservation/internal/storage: the snapshot that is being written, or the audit; a pause, all of the ledger, the journal's files.
	Snapshot
	// Pause is in allocator/internal/gate: one pause of all changes at a time; what the pause is for, with all of the ledger.
	Pause
	// Change is in allocator/internal/gate: no mutex, a call that counts as a change, for all of which a pause waits; all that follows.
	Change
	// Locations is in allocator/internal/topology: the catalogue of locations, one change at a time; the ledger.
	Locations
	// Orders is in allocator: what moves an order to another place, by stripe of the order; the ledger.
	Orders
	// Periods is in allocator/internal/calendar: the first use of a capacity's period; the ledger.
	Periods
	// Cooling is in allocator/internal/cooldown: cool-downs; notes.
	Cooling
	// Acceptance is in allocator: the queue of orders that wait to be accepted; nothing.
	Acceptance
	// Comparison is in allocator: the sums of a shadow; nothing.
	Comparison
	// Clock is in allocator/internal/gate: readings of a clock of the host's, not the call of it; nothing.
	Clock
	// Step is in reservation: the IDs of changes, by stripe of the ID; floors, the stock, the book, the journal's buffer.
	Step
	// Floor is in reservation/internal/state: the units on hand of some locations, by slot, several ascending; names, the stock, the book, the journal's buffer.
	Floor
	// Names is in reservation/internal/state: new names of SKUs or locations; what is recorded of locations, the journal's buffer.
	Names
	// Notes is in reservation/internal/state: settings; the journal's buffer.
	Notes
	// Rows is in reservation/internal/stock: the shape of the rows; safety stock, the journal's buffer.
	Rows
	// Safety is in reservation/internal/state: safety stock; the writing of a snapshot, which nobody else waits for.
	Safety
	// Picks is in reservation: the pick list of one location; shards and lists of the book.
	Picks
	// Shard is in reservation: a shard of the book, several ascending; its references and lists, locations, the journal's buffer.
	Shard
	// References is in reservation: the book's references, by stripe of the order or customer; nothing.
	References
	// Lists is in reservation: the growth of the locations' lists in the book; nothing.
	Lists
	// List is in reservation: the live orders of one location; nothing.
	List
	// Short is in reservation: who is short of goods; nothing.
	Short
	// Places is in reservation/internal/state: what is recorded of locations, and what is on its way there; nothing.
	Places
	// Queue is in reservation/internal/commit: the buffer of what is not yet in the log; nothing.
	Queue
	// Append is in reservation/internal/journal: the end of the files, one append or close at a time; the rest of the files.
	Append
	// Mark is in reservation/internal/journal: the file that says what is durable, and trimming; the segments, what is prepared, the disk.
	Mark
	// Segments is in reservation/internal/journal: which files there are, and what they hold; the disk.
	Segments
	// Tending is in reservation/internal/journal: the files that are prepared; nothing.
	Tending
	// Memory is in reservation/log: a journal in memory; nothing.
	Memory
	// Disk is in reservation/internal/journal/faultdisk: a disk that fails on purpose; nothing.
	Disk
	ranks
)

// String is the rank in words.
func (r Rank) String() string {
	if r == 0 || r >= ranks {
		return fmt.Sprintf("Rank(%d)", uint8(r))
	}
	return rankNames[r-1]
}

var rankNames = [ranks - 1]string{"host", "rules", "channels", "goods", "capacities", "snapshot", "pause", "change", "locations", "orders",
	"periods", "cooling", "acceptance", "comparison", "clock", "step", "floor", "names",
	"notes", "rows", "safety", "picks", "shard", "references", "lists", "list", "short", "places", "queue", "append", "mark", "segments", "tending", "memory", "disk"}
