// Package bench measures the whole path through the public door, order with
// names in and reservation out, against two baselines in the same run.
//
// # Contestants
//
// "plain" is what a hurried engineer writes: one mutex, Go maps keyed by
// names, the k nearest locations by haversine and then a look at the stock,
// with k growing until a location can fill the order.
//
// "strong" is what a good Go engineer writes in a week: names turned into
// dense numbers once, one array of 32-bit counters, locks sharded by SKU and
// taken in order, a k-d tree on unit vectors that looks at the stock while it
// searches, and orders in a sharded map. It is the rival to respect.
//
// "ours" is package allocator with zero Options.
//
// All three do the same job: an order names its SKUs and carries an ID; the
// same ID with the same content gets the same answer, with other content a
// conflict; all lines or none; lines of one SKU are summed; the nearest
// location by great-circle distance within the order's maximum distance; a
// stored reservation that can be canceled. The baselines know no kinds of
// location, service areas, safety stock, partial cancellation or collection,
// and take no goods after Load, all of which they would pay for.
//
// # Method
//
// A world (locations in towns, SKUs, stock) and a pool of orders are drawn
// from a fixed seed before anything is timed; order IDs are cut from strings
// made beforehand. Rounds are interleaved: each round gives every contestant,
// in turn, one pass for throughput without a clock inside the loop, one pass
// for latency with two clock reads around each Allocate (which adds their
// cost, some 50 to 100 ns, to every percentile), and, when scaling is asked
// for, throughput passes at one processor and at two. Figures are medians
// over rounds. Processor time per order is reported beside the rate because
// it is what a busy neighbour disturbs least. Ratios of throughput and of p99
// are medians of the ratios within each round, because the machine may be
// shared. With Config.Command each contestant lives in a process of its own,
// so that nobody pays for a rival's garbage.
//
// # What is checked
//
// Before anything is timed 300 orders go in one by one, and each answer is compared
// with brute force over all locations: the same location, within 2 m, or the same
// refusal. An engine that lasts is then closed and opened again, and must answer all
// of them as before.
//
// After every pass the answers the callers got, not the engine's own books,
// are added up per SKU and location: more units promised than were received
// is oversold, and stock received minus units promised must be what the
// engine still shows as available. In a pass without cancels stock only falls, so a
// location that has an order's units left at its end had them all the time: an order
// that was refused is falsely refused then, and one that went farther went wrong.
// Up to 64 of the filled orders are looked at, and of the refused all, as long as that
// takes fewer than 5 million looks at a location. Any of these fails the run. Then
// every reservation is canceled, outside the timed part, and all must be there again, so
// that each pass starts from full shelves. An engine remembers canceled orders as it
// sees fit; strong remembers as many as the allocator.
//
// Doctor plugs in engines that lie, each in one way, and shows that the suite sees it.
// One of them does nothing: what it takes is what the suite itself costs, and is
// printed with every result.
//
// # Open loop
//
// In a closed loop each caller waits for its answer before it sends the next order, so
// an engine that stands still is sent nothing, and one slow answer stands for all that
// would have been. Load sends orders when they are due, at shares of the closed loop's
// rate, and counts latency from then. What is due and never sent is counted as dropped.
//
// A pass that should answer a fixed number of orders is cut short after ten
// pass times. Its rate then covers the first, easier part of the sale, and the
// table says so.
//
// # Results
//
// "ccbench -case all -out bench/results/NAME.json" writes a result file: the
// command, the commit, the machine, the Go version, the date, every Config
// and every round.
package bench
