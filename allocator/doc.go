// Package allocator is the door: it keeps the stock of every SKU at every
// location, chooses for each order the nearest location that can fill all of it,
// and holds the goods there, in one step.
//
// Open gives an engine. SetLocations says where the locations are; Receive,
// Count, Sell and Adjust say what is on their shelves; SetSafetyStock what is
// never sold online. Allocate makes a reservation, Nearby shows what is near, with the
// goods and without, and Collect or Cancel end the reservation. Events tells everything
// that happens, in order, List what a store has to do; Orders and Stock enumerate all
// there is. All state belongs to the
// Allocator: two in one process know nothing of each other.
//
// # A reservation's life
//
//	Held → Confirmed → Accepted → Ready → Collected → Returned
//	                            → Packed → Shipped → Delivered → Returned
//
// Allocate holds the goods until a deadline (Order.HoldFor, Extend). Confirm takes
// the deadline away, paid or not: cash at the till confirms without payment.
// Accept, and Ready, which sets the deadline of the pickup, say how far the
// location is. Dispatch and Arrive move the goods to the location where the
// customer collects them. What is shipped (sourcing.Ship) is Packed and Shipped instead,
// by Change. It ends once: Collected, Delivered, Canceled, Expired (the hold's
// deadline passed), NoShow (the pickup's did), Lost or ReturnedToSender; goods that come
// back make a Collected or Delivered one Returned. Every verb may be about a part of the lines; what
// becomes of each unit stands in its ReservedLine. ShortPick says what the shelf
// did not have, Reassign changes the owner: begun in a cart, finished at a till.
//
// Deadlines are in whole milliseconds of engine time. It begins with the wall
// clock, goes on with the monotonic one and over a restart with what was
// recorded: a clock that is set ends nothing early and revives nothing. The
// engine's own goroutine ends what is due, or Expire with Options.ManualExpiry.
//
// # What holds
//
// P1, never oversell: the units held at a location never pass the units on hand
// unless the shop floor took goods away, by a till sale, a count, a correction or
// damage. Then Available shows fewer than none, new orders pass the location over,
// and the youngest unconfirmed reservations there, after them the youngest
// confirmed ones, are Short of so many units: an event says so of each. Collect of
// those units is a *ShortageError until goods come in or others let go of theirs.
//
// P2, acknowledged is durable: with Options.Dir, a nil error means that what was
// done survives a power cut, and no read shows what a power cut could take back,
// unless Options say otherwise; see What lasts.
//
// P3, one ID, one outcome: each order, each movement, each change and each return
// has an ID that its caller chooses. The same content again gets the answer of the
// first call and changes nothing, also after a restart; other content is
// ErrConflict. Orders have IDs of their own, transfers too, all other movements
// share theirs, and so do changes and returns. The verbs without an ID, such as
// Confirm, are safe to repeat as a whole: the second one is a *StateError or an
// *EndedError that says what the first did. A refusal is not remembered, so its
// repeat is looked at anew. Live reservations, and transfers under way, are
// remembered always; what ended, movements and changes until Options.Remember
// later ones have followed or Options.RememberFor has passed. A repeat of a
// movement at a location that was removed since is ErrUnknownLocation.
//
// P4, one end: of confirming, expiring, canceling and collecting that race on one
// hold exactly one wins, and the others are told by *EndedError or *StateError
// what did. A confirmed reservation never fails for stock.
//
// P5, nearest: of the locations that could fill the order, in reach, of its kinds
// and serving its point, the chosen one has the least great-circle distance; of
// equally near ones the one with the lowest ID. Each nearer one was unable at
// some instant during the call.
//
// P6, no false refusal: an order is refused only if each location was unable at
// some instant during the call. Whoever is short of units that another order
// holds only until its other lines are taken waits for the outcome, a few
// instructions. A line of more than 536,870,911 units takes part in neither way:
// it is seen as taken while its order is still undecided.
//
// Not promised: that a nearer location is still without stock when the caller
// reads the answer, and that Cancel puts all lines back at the same instant: they
// come back one after the other, the last before Cancel returns.
//
// # Sourcing
//
// An order that asks for more than the nearest location that can fill it, and any
// order while rules, Terms, quotas, capacities, lots or bundles are set that may
// concern it, is planned:
//
//  1. Bundles are taken apart and lines of the same SKU summed.
//  2. Locations are looked at, each until the first reason against it (package
//     sourcing lists them, cheap ones first): what the order and the location's
//     Terms say, then the promise, then the stock, then the filters of the Rules.
//  3. One location for everything is tried first, in the order of Rules.Keys.
//     Without keys that is the nearest; locations the order prefers come before
//     all others.
//  4. If there is none and the order may be split, the cheapest split by
//     Rules.Costs is searched among the 64 nearest locations for each form of
//     fulfilment, up to 32 more that fill the most lines, and the nearest 8 for
//     each line none of them fills; exactly up to 8 different lines, and above
//     within a budget, with the bound reported (Explain). A line is served by one
//     location; if none of these has all of it, or an order in part gets more so,
//     it is broken into units over several, without a bound.
//  5. Soft filters are given up, the last one first, before the order is filled
//     in part (Order.Partial) or refused.
//
// What was chosen is taken in one claim over all cells: the goods at every
// location, the place in the pickup window, the capacity of the period. Either all
// of it is held or nothing. When another order was faster, the plan looks again.
// What one location does is a part of the order, by its number. A verb on the order
// changes all of its parts that are still open, in one record and at one instant, or
// none; a verb on a part (Allocator.Part) changes that part.
//
// P1 to P4 hold for all of it: windows, capacities, quotas and lots are counters
// like those of the shelves, in the same records. P5 holds for one location by
// the keys of the rules; a split is the best of the locations that were gathered,
// at the levels as they were read. P6 holds for one location; a split is refused
// if, for every way to split it that was found, some line was short when it was
// looked at. A rule can only rule locations out or rank them: it sees copies, it
// cannot take or free anything, and one that panics counts as a no.
//
// A location says whose its goods are (Terms.Owner). A rule for some forms alone keeps a
// franchisee's goods from being sent, and his customers still collect them:
// sourcing.OwnedBy("").For(sourcing.Ship, sourcing.ShipToStore).
//
// A protection level is units that a channel must leave for others
// (SetProtection): one comparison in the claim. A quota is units only one channel
// can take (SetQuota). Explain says for each location why it was not chosen,
// Quote what would be chosen, Candidates what could be, Nearby all that is near and why
// it could not be, Compare and SetShadow what other rules would do.
//
// # What lasts
//
// Without Options.Dir and Options.Log nothing lasts: the content ends with Close or
// the process.
// Options.FeedBytes then keeps some history in memory, for Events.
//
// With Dir everything that can be read is in a journal, and Open brings it back:
// locations and their areas, stock, safety stock, reservations with the places of
// all their units, transfers, IDs and their answers. What each mode can lose of
// what was acknowledged:
//
//	Durability      kill of the process   power cut
//	Synced          nothing               nothing
//	Written         nothing               about the last 50 ms, newest first
//	no Dir          everything            everything
//
// Options.Log puts a log of your own in the place of the files: what it has taken is
// what lasts, and Dir, if there is one, holds snapshots so that Open has less to read.
// reservation/log says what it must do and reservation/log/logtest tries it. Whoever
// opens the log anew fences the engine before, whose changes are ErrFenced from then
// on: not written. Drivers for databases, and an engine that stands by, come later.
//
// Whatever is lost is lost from the end: what remains is what was true at one
// instant, and no order is there in part. Options.CommitDelay makes commits fewer
// and answers later, and loses nothing. A read that shows what was done waits until
// it lasts; with Options.LiveReads it does not, and may show what a power cut then
// takes back.
//
// A change is made when its record has its place in the journal, and answered when
// the record lasts. Its goods are taken, or free, in between already, so orders do
// not wait for one another's disk writes. ctx ends the waiting, not the change.
//
// A disk that is full refuses new holds, rejections, reroutes, returns, movements and
// settings with ErrNoSpace and lets everything else pass while there is room for
// that; free some space and the engine goes on. So does a system that is out of file
// handles, with ErrUnavailable. History that Options.RetainBytes keeps goes before
// anything is refused, and a directory on a full disk opens all the same. A write or a sync that fails stops the journal: every later
// change is ErrJournal with the same cause, reads go on for what lasts, and the
// directory must be opened anew. The process lives.
//
// Snapshots shorten what Open has to read (Options.SnapshotEvery); the journal
// before the second last one is dropped but for Options.RetainBytes of it, which
// readers of Events can still begin in.
//
// # Errors
//
// An error is a refusal, and nothing was changed (ErrFenced: nothing that lasts, the
// engine is done for), or unknown: ErrJournal, and the
// error of a ctx that ended while the call waited for the disk. Then what was done
// may or may not last: repeat it with the same ID, after ErrJournal when the
// directory has been opened anew. The calls that book one part after the other
// are refused at a part, and there what came before the named part stands: lists
// of movements, of changes, of returns and of safety levels, and AllocateAll.
//
// When several faults apply, the first of these is the answer:
//
//  1. the error of the context, then ErrClosed
//  2. ErrJournal or ErrFenced of an earlier failure, then ErrNoSpace or ErrUnavailable; but for
//     verbs, which meet a failed journal last
//  3. *InvalidError: of the ID, the terms, the number of lines, the point, the
//     distance, the kinds, the lines
//  4. ErrOverflow of the quantities as given
//  5. ErrUnknownLocation, then ErrReturns, then ErrUnknownSKU
//  6. ErrConflict; for a movement before ErrUnknownSKU
//  7. ErrNotFound, then *EndedError, *FormError of the form, *StateError, *FormError of the
//     place, ErrOwner
//  8. *NoLocationError, *ShortageError, *LocationInUseError, ErrTooOld
//  9. ErrOverflow of what would be on hand or available
//  10. ErrFull
//
// Within a movement, and within a list, faults 3 and 4 are found in the order in
// which the parts are given. A list is checked for 3 to 5 as a whole before
// its first part is booked.
//
// # Concurrency
//
// All methods may be called from any number of goroutines at once. Claims take
// no lock on stock. Changes of locations take turns, and so do the movements and
// collections of one location; neither keeps an order waiting. Calls that wait for
// the disk wait together, and for one write. A walk of Nearby holds no lock, so
// every method may be called from inside it but Close, which would wait for the
// walk. Close, and with a directory Open, own the engine's goroutines: one for
// deadlines, one for snapshots, and those of the journal.
package allocator
