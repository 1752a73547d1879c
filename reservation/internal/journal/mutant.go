package journal

// The deliberate bugs. A build with the tag mutant_<name> has one of them; it
// is there to prove that the tests would see such a bug, see canary_test.go.
const (
	_                = iota
	mutantAck        // an append returns before its sync
	mutantDirectory  // names are not synced
	mutantIgnored    // the error of a sync is ignored
	mutantRetried    // a failed sync is tried again
	mutantChain      // a frame is taken whatever frame came before it
	mutantSegment    // a frame of an earlier life of the segment is taken
	mutantScrub      // what lies behind a torn end is left there
	mutantScan       // nothing is looked for behind the first bad frame
	mutantUnverified // a snapshot is believed without being read again
	mutantRecycle    // segments are dropped before the snapshot is durable
	mutantFatal      // what is refused before anything was written stops the log
	mutantHoard      // history for readers is not given up for want of space
)
