// Package recovery builds a state anew: from a snapshot, from the records of a log after
// it, and, once the locations are numbered, with the stock laid out as live reservations
// leave it. It also writes the snapshots.
//
// It owns the bytes of a snapshot, and how the work is shared out to the processors. It
// may touch internal/state and what that holds, internal/commit for the records of a
// frame, life, history, and the log it reads. It must not know what a record means, which
// is the state's affair, where snapshots lie, or who takes part in the log; it never
// appends.
package recovery

// ByHand, in place of a number of workers, is one worker and no goroutines.
const ByHand = 0
