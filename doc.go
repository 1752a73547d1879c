// Package clickcollect is the map of this module: who finds what where, what is
// promised, and which words mean what. It holds no code.
//
// The module answers one question of a shop that sells online and hands over in
// its stores: which location can fill this order and is nearest to the customer?
// It holds the goods there in the same step.
//
// # Three readers
//
// You sell and want your orders routed. Read package allocator: Open, then
// SetLocations, Receive, Allocate, Collect or Cancel. examples/quickstart is a
// whole first program; examples/replay runs a week of real orders, or your own
// from CSV files.
//
// You write an ERP or a shop system and want to build us in. The same package is
// your door. Every write carries an ID of your choosing, so that a repeat is
// safe (P3); lists are taken wherever you have them in bulk; errors are told
// apart with errors.Is and carry their data in types. Nothing is global: two
// engines live in one process, no flag, signal, environment variable or standard
// stream is touched, and a nil Logger is silent.
//
// You doubt our numbers. Package bench is the workloads, two baselines that run
// beside ours in the same process or one each, and the books that are checked
// after every pass; bench/cmd/ccbench binds flags to it. Microbenchmarks stand
// beside the code they measure.
//
// # Promises
//
// Comments and tests cite them by number.
//
// P1, never oversell. For every SKU and location, at every observable moment:
// on hand is at least 0, and what is held is at most what is on hand, unless the
// shop floor itself took units away (a count or a till sale). Then available is
// negative and everyone can read it; it is never silent.
//
// P2, acknowledged is durable. With a journal, a nil error means that the write
// survives a power cut. This version has no journal: it keeps everything in
// memory, and what it holds ends with the process.
//
// P3, one ID, one outcome. The caller chooses the ID of every order, receipt,
// count, sale and adjustment. The same ID with the same content gets the same
// answer; with other content it is refused as a conflict. How many ended IDs are
// remembered is a limit in the options, and so far no ID outlives the process.
//
// P4, one end. Of the calls that race to end one hold exactly one wins, and a
// later one is told which. So far the ends are collect and cancel.
//
// P5, nearest. The chosen location is the nearest by great-circle distance, with
// an error under 1 m anywhere on the globe, among those that could fill the
// order; each nearer one could not, at an instant inside the call.
//
// P6, no false refusal. An order is refused only if every eligible location was
// unable to fill it at an instant inside the call. All lines or none is
// linearizable: nobody is refused because another order was being undone.
//
// Not promised: that a nearer location is still empty when the caller reads the
// answer.
//
// # Words
//
//   - location: a place that holds stock: warehouse, store, pickup point, locker.
//     A store is always a shop, never a place for data.
//   - SKU: a sellable unit. Quantities are int64 in its smallest unit (piece,
//     gram, millimetre), never a float.
//   - on hand: physically there, held or not.
//   - held: taken by a reservation and not yet handed over.
//   - safety stock: units never sold online at a location.
//   - available: on hand − held − safety stock. Below zero after a count or a till
//     sale took what was held.
//   - allocate: choose the location for an order and hold the stock there, in one
//     step.
//   - collect, cancel: the two ends of a hold so far. Collected goods leave on
//     hand; canceled goods are available again.
//   - receipt, count, sale, adjustment: the ways stock changes without an order:
//     goods in, an absolute count, a sale at the till, a signed correction.
//   - line: a SKU and a quantity. Lines of one order with the same SKU are one.
//   - refusal: a business "no"; nothing changed. Failure: nothing was written.
//
// # Rooms
//
//	geo                          places on the globe, the index of the nearest; knows nothing of stock
//	reservation                  stock, holds and their ends; knows nothing of distance
//	reservation/internal/stock   counters, claims over several lines, availability bits: lock-free
//	allocator                    the door: routes an order and holds its stock in one step
//	bench, bench/cmd/ccbench     workloads and their command
//	examples                     quickstart, replay
//
//	examples, bench → allocator → geo, reservation → reservation/internal/stock
//
// Nothing imports against the arrows, and third-party packages stay behind the
// room that needs them: orb in geo, xsync and btree in reservation and allocator.
// Rooms left of the arrows own time and goroutines; geo and reservation have no
// clock, no goroutine and no input or output. house_test.go holds the module to
// this. The journal, deadlines of holds, and metrics come next; each gets a room
// of its own or a file beside its subject, and the arrows stay.
package clickcollect
