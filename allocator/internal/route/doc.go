// Package route is the hot path of an order: the search for the nearest location that
// can fill it, and the claim there.
//
// It owns the memory of one search and of one claim, and the order in which locations
// are tried: blind the nearest of all where most have everything, then by the bits of
// the stock, then the few that are left where these are too rare to search for.
//
// It may touch the catalogue it is given and, by the claim, the ledger's stock and
// book: a claim is the one thing that it changes.
//
// It must not know orders, answers, rules or channels, read a clock, start a goroutine
// or allocate. Its types are concrete and lie in the memory of the call by value. What
// else must stay at a location is said between Next and Claim.
package route
