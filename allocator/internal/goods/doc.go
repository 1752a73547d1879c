// Package goods knows from which cells of the stock a SKU is taken: what a bundle is
// made of, the lots of a SKU in the order in which they expire, and how long goods must
// last.
//
// It owns what bundles are made of and the shelf lives, with their notes, the names of
// the cells of lots, and the lock Goods. What orders read is immutable and replaced
// whole; reading it takes no lock. The lots of a SKU are listed when they are first
// asked for.
//
// It may touch the ledger: it reads and writes notes under its own keys, and reads the
// names of sub-SKUs. Stock is asked for by handles; bundles go by names, since neither a
// bundle nor its parts need ever have been in stock.
//
// It must not know orders, sourcing, channels or the door (a quota is a cell that the
// caller names), nor what is available, and it never waits for other calls: new settings
// are given to the caller as a change that he writes while no order is under way.
package goods
