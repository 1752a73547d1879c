// Package mutant holds the deliberate bugs of the room above. A build with the tag
// in the first line of one of its files has that bug; it is there to prove that the
// tests would see such a bug, see canary_test.go of the room. In all other builds
// Built is 0, and the compiler leaves out what asks for it.
package mutant

// The deliberate bugs.
const (
	_     = iota
	Ack   // a record is called durable before the log has it
	Full  // a batch that found no space is taken for written
	Show  // readers see records before they are acknowledged
	Size  // the size of a record is not looked at before it is queued
	Cut   // records that belong together lie in frames of their own
	Fence // what another writer keeps out is said to be of unknown outcome
)
