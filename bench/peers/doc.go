// Package peers compares the allocator, its journal on disk, with what one
// would take instead: the same world, the same orders, and every answer given
// only when it would survive a power cut.
//
// It is a module of its own, so that nobody who imports the allocator has a
// database among his modules.
//
// # Contestants
//
// "sqlite" has the stock and the reservations in SQLite, in write-ahead mode
// with synchronous=FULL. An index in memory proposes the location, because
// nobody searches a globe in SQL; the database takes the units under a
// condition. "sqlite-log" keeps the stock in memory only, and SQLite as a log
// of reservations that can be asked. Both gather all callers who wait into one
// transaction, on prepared statements, straight on the driver, in a
// write-ahead file that has its full length beforehand.
//
// "strong-journal" is the strong baseline of package bench (locks by SKU, a
// k-d tree, dense numbers) with a plain group-commit journal: while one sync
// is under way, the next callers gather. "strong-tuned" is the same with a
// zero-filled journal of aligned frames that starts over at its end.
//
// "ours" is package allocator with Options.Dir and nothing else set.
//
// "strong-memory" and "ours-memory" answer from memory and lose everything;
// they show what being durable costs, and take part when they are named.
//
// The disk's own rows are a loop that writes records of 100 bytes and waits
// for fdatasync, so many records at a time: nobody who keeps his word can pass
// them with as many callers.
//
// # Method
//
// Orders and world are those of package bench, taken down from a run of it.
// Contestants take turns, round by round, each in a process of its own. A
// caller sends one order, waits for its answer, and sends the next. Figures are
// medians over the rounds; ratios are medians of the ratios within each round,
// because machine and disk may be shared; processor time per order is what a
// busy neighbour disturbs least. Latency is from the order to its
// answer, over all orders, refused ones included.
//
// After every pass the answers are added up: more units promised than were
// received, or units that the engine shows otherwise than the answers say, fail
// the run. Then everything is canceled, outside the timed part.
//
// IDs grow together over all callers, which a database likes: new ones lie
// side by side.
package peers
