// Package state is what a ledger holds: the stock, the book, the names of SKUs and
// locations with what kind of SKU each is, what was noted of locations and of the
// engine, the safety stock, and the latest changes on each floor.
//
// It owns them and their locks, each of which is in the list of package lock. It may
// touch internal/stock, internal/book, life and history. It must not know the journal,
// the clock, or who asks: whether a change is allowed, and in which order it is
// recorded and shown, is the ledger's affair. What a change does is here, once for the
// change and for its record: Transition moves an entry on, Apply brings in what a record
// says. Recovery and an audit are its users, and whoever follows a log would be.
package state
