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
// After every pass the answers the callers got, not the engine's own books,
// are added up per SKU and location: more units promised than were received
// is oversold, and stock received minus units promised must be what the
// engine still shows as available. Either difference fails the run. Then
// every reservation is canceled, outside the timed part, so that each pass
// starts from full shelves. An engine remembers canceled orders as it sees
// fit; strong remembers as many as the allocator.
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
