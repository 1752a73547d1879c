// Package calendar keeps the pickup windows and the capacities of locations, and
// knows what of them is taken.
//
// Both are resources of the ledger: cells like those of goods, taken in the same
// claim and freed by the same verbs. The cell of a window, or of a period, begins
// with a fixed number of units that is more than may ever be set; what is gone of
// them is taken: held by a reservation, or used up when it was collected. How many
// may be taken is not the cell's affair: a claim leaves as many units available as
// there are more than the limit (reservation.Line.Keep). So a limit is lowered at
// once, also below what is taken, and nothing is taken until enough has been given
// back; and it is raised without a look at what was used up.
//
// The limit of a window is the units on hand of a second cell, of which nobody takes
// anything: a change of it is a movement, all windows of a location in one record.
// The limits of capacities are notes of the ledger.
//
// It owns which windows, periods and capacities there are, the names of their SKUs
// and the notes of capacities, the locks Capacities and Periods, and the sweep of what
// is over. What orders read is immutable and replaced whole; reading it takes no lock.
//
// It may touch the ledger: it books movements of its own cells, and writes notes under
// its own keys. Locations come as slots and times as engine time or Unix time; what
// belongs to a location's ID, because it outlives the slot, is translated here.
//
// It must not know orders, sourcing or the door, and it never waits for other calls: a
// change that nobody may be under way for is given to the caller in steps, who holds
// the others up meanwhile.
package calendar
