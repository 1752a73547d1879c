// Package walk has the values by which the door enumerates what an engine holds:
// reservations (Orders) and the units at every location (Stock), page by page or as a
// sequence, and the filters and figures that go with them.
//
// # The contract
//
// Each walk begins with a number, its Sequence: every event up to it is in what the walk
// gives. A walk stops nobody and is no single instant, so an item may be newer; it then
// has from events behind that number what it has. What such an event says holds after it
// in full, or is told by the item's own Sequence to be in it already. So whoever takes
// a walk, and then applies Events from Sequence+1 on, each once and in order, has
// exactly what the engine has:
//
//   - of a reservation, an event whose Sequence is not above the item's is in it already
//     and is passed over; any other moves units as its name says (reservation/life has
//     the table), in each of its lots and quotas by itself (Apart). A hold's deadline
//     only ever moves on. A part that has no lines has a place in a window and no goods.
//     One whose goods were not found and went elsewhere may be canceled, not rerouted, if
//     it had a place in a period too.
//   - of a cell, OnHand and Shelves of an event replace what the cell has, whatever the
//     order in which the two were read.
//   - what is held at a cell follows from the reservations: the units held and confirmed
//     of those that have not ended and whose goods are not on the road. Cell.Held is the
//     engine's own counter at the instant at which the cell was read, and belongs to no
//     number.
//
// What exists during the whole walk comes exactly once. The order is stable but means
// nothing. A cursor says where a page ended: it survives a restart and any change in
// between, and is refused by another walk, with another filter, or by another engine.
//
// It owns these values, and how a sequence is made of pages. It may touch life, whose
// states a filter names. It must not know the door, or how anything is kept.
package walk
