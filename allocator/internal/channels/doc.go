// Package channels keeps what is set for the channels that orders come from: protection
// levels, and which units are set aside or lent.
//
// It owns the protection levels with their notes, the names of the cells of loans and
// which of them there are, the list of channels for which units were ever set aside,
// and the lock Channels. What orders read (LevelsOf, HasQuotas, Quota) is immutable and
// replaced whole; reading it takes no lock and no memory. Movements between quotas go
// through here, because a channel's orders must look for a quota before units can be
// in it.
//
// It may touch the ledger: it reads and writes notes under its own keys, and books
// movements of quotas and loans. SKUs and locations come as handles, but where a name
// is stored; channels have no handles, they are names.
//
// It must not know orders, sourcing or the door, and it never waits for other calls:
// new levels are given to the caller as a change that he writes while no order is under
// way.
package channels
