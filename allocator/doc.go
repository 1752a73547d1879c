// Package allocator is the door: it keeps the stock of every SKU at every
// location, chooses for each order the nearest location that can fill all of it,
// and holds the goods there, in one step.
//
// Open gives an engine. SetLocations says where the locations are; Receive,
// Count, Sell and Adjust say what is on their shelves; SetSafetyStock what is
// never sold online. Allocate makes a reservation, Nearby shows what it could
// choose from, and Collect or Cancel end the reservation. All state belongs to
// the Allocator: two in one process know nothing of each other.
//
// # What holds
//
// P1, never oversell: the units held at a location never pass the units on hand
// unless the shop floor took goods away, by a till sale or a count. Then
// Available shows fewer than none, new orders pass the location over, and
// Collect of what is not there is a *ShortageError until goods come in.
// Cancel and Collect racing on the same units: one of them gets them.
//
// P3, one ID, one outcome: each order and each movement has an ID that its caller
// chooses. The same content again gets the answer of the first call and changes
// nothing; other content is ErrConflict. Orders and movements have IDs of their
// own; the four kinds of movement share theirs. A refusal is not remembered, so
// its repeat is looked at anew. An order that ended and a movement are
// remembered until Options.Remember later ones have followed. A repeat of a
// movement at a location that was removed since is ErrUnknownLocation.
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
// # What lasts
//
// Nothing is durable yet (P2): the engine lives in memory, and its content ends
// with Close or with the process.
//
// # Errors
//
// Every error but that of a context is a refusal: nothing was changed. Two calls
// book one part after the other, and there what came before the named part
// stands: a list of movements, and a list of safety levels.
//
// When several faults apply, the first of these is the answer:
//
//  1. the error of the context, then ErrClosed
//  2. *InvalidError: of the ID, the number of lines, the point, the distance, the
//     kinds, the lines
//  3. ErrOverflow of the quantities as given
//  4. ErrUnknownLocation, then ErrUnknownSKU
//  5. ErrConflict; for a movement before ErrUnknownSKU
//  6. ErrNotFound, then *EndedError
//  7. *NoLocationError, *ShortageError, *LocationInUseError
//  8. ErrOverflow of what would be on hand or available
//  9. ErrFull
//
// Within a movement, and within a list, faults 2 and 3 are found in the order in
// which the parts are given. A list is checked for 2 to 4 as a whole before
// its first part is booked.
//
// # Concurrency
//
// All methods may be called from any number of goroutines at once. Claims take
// no lock on stock. Changes of locations take turns, and so do the movements and
// collections of one location; neither keeps an order waiting. A walk of Nearby
// holds no lock, so every method may be called from inside it but Close, which
// would wait for the walk.
package allocator
