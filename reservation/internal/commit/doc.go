// Package commit is the queue before a log: it gives records their numbers, gathers
// them into frames, commits one frame at a time and answers the callers that wait.
//
// It owns the numbers, what is appended and not yet in the log, who waits for it,
// whether new writes are admitted, two goroutines, and from New on the log itself
// (reservation/log), whose only writer it is. It may read the clock, for how long a
// commit takes and nothing else. It must not know what a record says, nor where the
// log lies: it never imports reservation/internal/journal.
package commit
