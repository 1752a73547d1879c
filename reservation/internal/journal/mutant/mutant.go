// Package mutant holds the deliberate bugs of the room above. A build with the tag
// in the first line of one of its files has that bug; it is there to prove that the
// tests would see such a bug, see canary_test.go of the room. In all other builds
// Built is 0, and the compiler leaves out what asks for it.
package mutant

// The deliberate bugs.
const (
	_          = iota
	Ack        // an append returns before its sync
	Directory  // names are not synced
	Ignored    // the error of a sync is ignored
	Retried    // a failed sync is tried again
	Chain      // a frame is taken whatever frame came before it
	Segment    // a frame of an earlier life of the segment is taken
	Scrub      // what lies behind a torn end is left there
	Scan       // nothing is looked for behind the first bad frame
	Unverified // a snapshot is believed without being read again
	Recycle    // segments are dropped before the snapshot is durable
	Fatal      // what is refused before anything was written stops the log
	Hoard      // history for readers is not given up for want of space
)
