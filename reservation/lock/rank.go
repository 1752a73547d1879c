package lock

import "fmt"

// Rank is a lock's place in the order.
type Rank uint8

// The locks of the module, those that are taken first in front.
const (
	Host       Rank = iota + 1 // no mutex: a function of the host's is called, which must hold nothing
	Rules                      // the rules in force, and the wait for acceptance that follows from them
	Channels                   // protection levels
	Goods                      // bundles and shelf lives
	Capacities                 // pickup windows, capacities, and the sweep of those that are over
	Pause                      // one pause of all changes at a time
	Change                     // no mutex: a call that counts as a change; a pause waits for all of them
	Locations                  // the topology
	Orders                     // what moves an order to another place, by stripe
	Periods                    // the first use of a capacity's period
	Cooling                    // cool-downs
	Acceptance                 // the queue of orders that wait to be accepted
	Comparison                 // the sums of a shadow
	Clock                      // readings of a clock of the host's
	Snapshot                   // the snapshot that is being written
	Step                       // the IDs of changes, by stripe
	Floor                      // the units on hand of some locations, by number
	Safety                     // safety stock
	Places                     // what is recorded of locations
	Names                      // new names
	Notes                      // settings
	Rows                       // the shape of the stock's rows
	Shard                      // a shard of the book
	References                 // the book's references, by order or customer
	Lists                      // the locations' lists in the book
	List                       // one of them
	Short                      // who is short of goods
	Queue                      // the journal's buffer
	Append                     // the end of the journal's files
	Mark                       // the file of what is known to be durable
	Segments                   // the journal's files
	Tending                    // what is being prepared for the journal
	Memory                     // a journal in memory
	ranks
)

// String is the rank in words.
func (r Rank) String() string {
	if r == 0 || r >= ranks {
		return fmt.Sprintf("Rank(%d)", uint8(r))
	}
	return rankNames[r-1]
}

var rankNames = [ranks - 1]string{"host", "rules", "channels", "goods", "capacities", "pause", "change", "locations", "orders",
	"periods", "cooling", "acceptance", "comparison", "clock", "snapshot", "step", "floor", "safety", "places", "names",
	"notes", "rows", "shard", "references", "lists", "list", "short", "queue", "append", "mark", "segments", "tending", "memory"}
