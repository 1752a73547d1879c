// Package book keeps orders, transfers, and the IDs of movements and changes, by ID,
// in memory that the garbage collector does not scan.
//
// It owns the entries, and what they are found by: the table of IDs, the timers of
// deadlines, the lists of each location with the pick list, and the views by order,
// customer and whole. Each of its locks is in the list of package lock. It calls a
// rule under the lock of an entry's shard, and gives the sink the record of a change
// before anyone can see the change.
//
// It may touch package life, of which it asks where units are and what is due, and the
// rooms beneath it: index, the table of IDs and of references, slab, the memory, and
// wheel, the timers. It must not know what a change means, what is on hand, or how a
// record is written.
package book
