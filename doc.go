// Package clickcollect is the map of this module: who finds what where, what is
// promised, and which words mean what. It holds no code.
//
// The module answers one question of a shop that sells online and hands over in
// its stores: which location, or which few, should fill this order? It holds the
// goods there in the same step, with the place in the pickup window and the
// location's capacity, and says when they are ready and why it chose so.
//
// # Three readers
//
// You sell and want your orders routed. Read package allocator: Open, then
// SetLocations, Receive, Allocate, Confirm, Ready, Collect or Cancel.
// examples/quickstart is a whole first program; examples/replay runs a week of
// real orders, or your own from CSV files; examples/durable kills its own process
// again and again and shows that nothing acknowledged is lost.
//
// You write an ERP or a shop system and want to build us in. The same package is
// your door. Every write carries an ID of your choosing, so that a repeat is
// safe (P3); lists are taken wherever you have them in bulk; errors are told
// apart with errors.Is and carry their data in types. Events is the ordered feed
// on which notices to customers, exports and your own books stand; it is the
// journal itself, read from any record that is kept. Nothing is global: two
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
// P1, never oversell. For every SKU and location, at every observable moment and
// at every prefix of the journal: on hand is at least 0, and what is held or
// confirmed is at most what is on hand, unless the shop floor itself took units
// away (a count, a till sale, damage). Then available is negative, and the feed
// names the reservations that became short; it is never silent.
//
// P2, acknowledged is durable. With a directory, a nil error means that the write
// survives a power cut, and no read shows what a power cut could take back unless
// the options ask for that. Without one, everything is in memory and ends with
// the process. The mode Written, asked for by name, acknowledges what the
// operating system has: the end of the process loses nothing then, a power cut
// what was written since the last sync.
//
// P3, one ID, one outcome. The caller chooses the ID of every order, movement,
// return and bulk change. The same ID with the same content gets the same answer,
// also after a restart; with other content it is refused as a conflict. How many
// ended IDs are remembered, and how long, are limits in the options.
//
// P4, one end. Of the calls that race to end one hold (confirm, expire, cancel,
// collect) exactly one wins, and a later one is told which. A confirmed
// reservation never fails for stock.
//
// P5, nearest. The chosen location is the best by the caller's ranking, which is
// great-circle distance unless rules say otherwise, with an error under 1 m
// anywhere on the globe, among those that could fill the order; each better one
// could not, at an instant inside the call.
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
//   - held: taken by a reservation and not yet handed over; Available counts
//     confirmed units as held too.
//   - hold, confirm, collect: a hold has a deadline and expires; a confirmed
//     reservation has none; collecting hands the goods over.
//   - safety stock: units never sold online at a location.
//   - available: on hand − held − safety stock. Below zero after a count or a till
//     sale took what was held.
//   - allocate: choose the location for an order and hold the stock there, in one
//     step.
//   - accept, ready: the store takes the work; the goods wait for the customer,
//     until the pickup deadline, after which it is a no-show.
//   - pack, ship, deliver: the goods are in a parcel; a carrier has it, so that they are
//     on hand no more; its customer has it. Else it is lost, or returned to sender.
//   - short pick: the store found less than is reserved.
//   - short: of a reservation whose goods the shop floor took away.
//   - protection level: what a channel must leave for others. Quota: units set
//     aside for one channel.
//   - sourcing rule: a filter or a ranking key by which a location is chosen.
//   - promise: the time from which the goods are ready, told to the customer.
//   - window, capacity: pickups, and orders or lines, a location can serve in a
//     period. Cut-off, prep time, lead time: what a promise is made of.
//   - split, part: an order served by several locations, and what one of them does
//     for it, by its number in the order. Ship-to-store: what the chosen store lacks
//     is brought there.
//   - reject, reroute, cool-down: a location will not serve; a new claim elsewhere
//     is taken before the old one is freed; for a time it is not asked for that SKU.
//   - bundle, lot, substitute: several SKUs sold as one; units of a SKU with an
//     expiry of their own; a SKU taken instead of another.
//   - receipt, count, sale, adjustment, damage, transfer: the ways stock changes
//     without an order.
//   - journal, segment, record: what is on the disk; the feed is the journal read.
//   - line: a SKU and a quantity. Lines of one order with the same SKU are one.
//   - refusal: a business "no"; nothing changed. Failure: nothing was written.
//
// # Rooms
//
//	geo                          places on the globe, the index of the nearest; knows nothing of stock
//	reservation                  the ledger: stock, reservations, recovery; knows nothing of distance
//	reservation/life             states and verbs as one table: pure
//	reservation/history          what a record of the journal says: a codec
//	reservation/lock             all locks, in the one order in which they are taken
//	reservation/excerpt          what errors show of callers' texts: pure
//	reservation/latency          how long things took: histograms; reads no clock
//	reservation/internal/state   what a ledger holds: stock, book, names, settings; what a record changes of it
//	reservation/internal/recovery a state from a snapshot and a log, and the snapshot of one
//	reservation/internal/audit   a live state beside one recomputed from the log
//	reservation/internal/book    orders, transfers and IDs by ID, with their timers and lists
//	reservation/internal/book/{index, slab, wheel} references by tags; memory by references; timers by their time
//	reservation/internal/stock   counters, claims over several lines, availability bits: lock-free
//	reservation/log              the seam of the journal: what a log must do, its errors, a log in memory
//	reservation/log/logtest      the suite any log must pass that takes the journal's place; a log for tests
//	reservation/internal/commit  the queue before a log: numbers, group commit, admission
//	reservation/internal/storage where a ledger lies: a log, and the snapshots beside it
//	reservation/internal/journal a log in files: frames, segments, snapshots; opaque bytes
//	allocator                    the door: routes an order and holds its stock in one step
//	allocator/metrics            the numbers of an engine for Prometheus; nobody imports it
//	allocator/walk               how the door enumerates: filters, pages, cells, sums; pure
//	allocator/hours              opening hours and working time; knows nothing else
//	allocator/sourcing           rules, rankings, promises, costs, reasons: pure; knows nothing of stock
//	allocator/internal/gate      the way into a call and out of it: pauses, the end, engine time, the host's functions
//	allocator/internal/acceptance orders that their locations have not accepted yet, by when they have to
//	allocator/internal/cooldown  locations that are skipped for a SKU which they have rejected
//	allocator/internal/topology  the catalogue of locations: where they are, and who may be served there
//	allocator/internal/route     the hot path: the nearest location that can fill an order, and the claim there
//	allocator/internal/notes     what the journal keeps of an order's terms and of its first answer
//	allocator/internal/orders    what is claimed for what a plan has chosen
//	allocator/internal/plan      where an order goes that asks for more: one location, or the cheapest few, and why
//	allocator/internal/cover     the cheapest split: an exact minimum-cost cover
//	allocator/internal/calendar  pickup windows and capacities, and what of them is taken
//	allocator/internal/channels  protection levels, quotas and loans
//	allocator/internal/goods     SKU to cells: bundles, lots, shelf lives
//	bench, bench/cmd/ccbench     workloads and their command
//	bench/house                  the rules of the house, as a test
//	bench/peers                  the durable alternatives, a module of its own
//	examples                     quickstart, replay, durable
//
//	examples → allocator, allocator/sourcing, allocator/hours, geo; bench → allocator, geo
//	allocator/metrics → allocator, reservation/latency
//	allocator → geo, reservation, reservation/{latency, life, excerpt, log}, allocator/sourcing, allocator/hours, allocator/walk, allocator/internal/{acceptance, gate, topology, route, notes, orders, plan, cooldown, calendar, channels, goods}
//	allocator/internal/notes → reservation, allocator/sourcing, allocator/internal/topology
//	allocator/internal/orders → reservation, allocator/sourcing, allocator/internal/{gate, plan, calendar, goods}
//	allocator/internal/plan → geo, reservation, allocator/sourcing, allocator/internal/{gate, topology, cover, calendar, channels, cooldown, goods}
//	allocator/internal/route → geo, reservation, allocator/internal/topology
//	allocator/internal/topology → geo, reservation, reservation/{excerpt, lock}, allocator/hours, allocator/sourcing, allocator/internal/gate
//	allocator/internal/acceptance → reservation/lock
//	allocator/internal/{calendar, channels, cooldown, goods} → reservation, reservation/{history, lock, excerpt}
//	allocator/internal/gate → reservation, reservation/{history, lock}
//	allocator/sourcing → geo, allocator/hours
//	allocator/walk → reservation/life
//	reservation → reservation/{life, history, excerpt, log}, reservation/internal/{audit, recovery, state, book, stock, commit, storage}
//	reservation/internal/audit → reservation/internal/{recovery, state, book, stock, commit}
//	reservation/internal/recovery → reservation/internal/{state, book, stock, commit}, reservation/log
//	reservation/internal/state → reservation/internal/{book, stock}
//	reservation/internal/book → reservation/internal/book/{index, slab, wheel}, reservation/internal/commit
//	reservation/internal/book/wheel → reservation/internal/book/slab
//	reservation/internal/storage → reservation/internal/journal, reservation/log
//	reservation/internal/{commit, journal} → reservation/log
//	reservation, reservation/internal/commit → reservation/latency
//
// # The way of an order
//
// What Allocate does for an order that one location fills, nothing but lines and a
// place said; the door hands over and calls the next room, so between two rooms the
// order is always in it:
//
//  1. allocator/internal/gate lets the call in, reads the time, once, and gives it
//     memory that an earlier call has left.
//  2. allocator checks what it was told, and asks channels, calendar and goods whether
//     anything is set that concerns the order: an atomic load each.
//  3. allocator/internal/topology is read by one pointer: from here on the order sees
//     one catalogue of locations.
//  4. reservation turns names of SKUs into handles. From here on there are no names.
//  5. allocator/internal/route looks for the nearest location: geo walks its boxes,
//     nearest first, and reservation/internal/stock tells by its bits which can still
//     hold every line.
//  6. The claim there takes the units in reservation/internal/stock, then puts the
//     reservation in a shard of reservation/internal/book; under that shard's lock its
//     record, which reservation/history spells, gets its number and its place in the
//     batch of reservation/internal/commit. If the units are gone meanwhile, 5 goes on
//     with the next location.
//  7. allocator/internal/gate waits for that batch, which reservation/internal/commit
//     has written by reservation/log, and lets the call out.
//
// The gate is there at both ends; reservation resolves the names in 4 and makes the
// claim in 6; the stock is read in 5 and taken from in 6. No other room is entered
// twice unless the units are gone. An order that asks for more, or for which more is set,
// is planned between 4 and 6, by allocator/internal/plan: allocator/sourcing says of each
// location whether it may and what it costs, allocator/internal/cover finds the cheapest
// split, and the claim takes from several locations at once; the plan is asked for its
// next choice if it is lost.
//
// Nothing imports against the arrows, and third-party packages stay behind the
// room that needs them: orb in geo, xsync and btree in reservation and allocator,
// client_golang in allocator/metrics, which no program links that does not import it.
// The gate and the journal own goroutines, each with an owner and a stop;
// geo, hours, sourcing, the stock and the rules of the ledger have no clock, no goroutine and no
// input or output. bench/house holds the module to this.
package clickcollect
