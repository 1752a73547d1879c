// Package stock is the lock-free core: one counter for every (SKU, location)
// that is stocked, the availability bits a search reads, and the claim that
// takes all lines of an order, at one location or at many, or none.
//
// # Words
//
// A SKU and a location reach this package as small numbers. A SKU is a handle,
// counted up from zero. A location has two: its slot, given once and never
// again, which reservations keep; and its number, its place in the order of the
// geo index, which changes when the index is built anew. Rows are laid out by
// number, so that 64 neighbours on the globe share one machine word.
//
// A line is a SKU, a quantity and what it keeps: the units that must still be
// available when it has taken its own. A pick is a line with the slot it comes
// from.
//
// # A cell
//
// A cell is one atomic word with three fields: available (signed; a count may
// push it below zero), pending (units some claim holds while it takes its other
// lines) and a state.
//
//	            available   state   pending
//	narrow  4 B   18 bits   2 bits   12 bits
//	wide    8 B   32 bits   2 bits   30 bits
//
// A row starts narrow and is rebuilt wide when a quantity asks for it. What is
// only written when goods move, the units on hand, lives beside the cells in an
// array of its own, so that a search and a claim never touch it.
//
// # A claim
//
// Escrow, after O'Neil's escrow transactional method (ACM TODS 11(4), 1986) cut
// down to counters. For each line in ascending SKU order: available −q, pending
// +q in one CAS. All lines taken: pending −q everywhere. One line short:
// available +q, pending −q on what was taken. A claim refuses a line only when
// available + pending < q, which stays true however the claims in flight end;
// when available < q ≤ available + pending it waits for them. The order makes
// waiting free of cycles: whoever holds the highest cell waits for nobody. So
// no order is ever refused because another one was being undone.
//
// A claim over many locations (Picks) is the same over more cells. The order of
// all cells is by SKU and then by slot: by slot and not by number, because two
// claims may meet while the locations are being numbered anew. A claim at one
// location keeps to that order of itself, so both kinds run side by side.
//
// A line that keeps c units is taken where available − q ≥ c, compared in the
// CAS that takes, waits while available + pending − q ≥ c, and is refused else.
// The claim holds the q units until its end, and not the c: those anybody may
// take who keeps fewer. So no claim of c ever leaves fewer than c by its own
// step, while all units of a claim are there at one instant, that of its last
// CAS.
//
// # Availability bits
//
// Invariant: available + pending > 0 ⇒ the cell is listed and every bit above
// it is set. Bits may be set for nothing; they are never missing, so a search
// that finds no bit has seen that there was no stock. Both directions of a
// change are serialised by the busy state of the cell itself, a latch held for
// a few instructions, and summary bits are cleared under a latch of the row that
// a setter looks at after its own bit is visible. The usual lock-free recipe
// (clear, read again, set if needed) leaves a window in which stock that is
// there shows no bit; a search that falls into it refuses an order wrongly.
// A claim that empties a cell leaves the bit alone: the next search that comes
// by finds the cell empty and clears it, so a cell that swings between zero and
// one touches no shared bitmap.
//
// # Growth
//
// A row is immutable in shape, but for a tail of at most an eighth of its length
// (or one batch) to which new cells are appended; so goods that arrive location
// by location copy each cell some eight times in all. A full tail, a wider cell
// or a new numbering builds a second row and moves the cells one by one: the value is written to
// the new cell, then the old cell changes to the moved state by CAS, and if it
// changed in between the copy is made again. Whoever meets a moved cell goes on
// in the next row. Until the new row is published, a cell listed there is
// listed in the old row too, so searches under way miss nothing. Only growers
// take the structural lock; claims, put-backs and searches never do.
//
// # Why
//
// Rows hold no pointers beyond their slice headers: with 30 million cells the
// garbage collector sees a few hundred bytes for every SKU. A flat array costs
// 4 bytes for each cell whether stocked or not; a hash table 15 to 48 bytes and
// a dependent cache miss. So: dense rows (index by number) when at least 70 % of
// the locations stock the SKU, bitmap and rank from 1 in 12, sorted 16-bit
// numbers below.
//
// The plan of a search is not left to expected values. Shares multiply only
// where stock is independent, and real stock is not: what one store lacks, small
// stores lack together. So a search has a budget of words, and what it cannot
// find within it is listed instead.
package stock
