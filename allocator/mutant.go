package allocator

// The deliberate bugs. A build with the tags mutant_any and mutant_<name> has one
// of them; it is there to prove that the tests would see such a bug, see
// canary_test.go. A new one is a line here, a file mutant_<name>.go, an if where
// it goes wrong, and a line of the canary: no list of tags has to be kept.
const (
	_             = iota
	mutantGivesUp // a planned order that loses a claim does not look again
	mutantNoLimit // a list of an order may have any length
	mutantCut     // terms that are too long to be kept are cut
	mutantNoRoom  // the parts of a split but the first take no capacity
	mutantBrim    // IDs are checked without what the engine adds to them
	mutantJudged  // a call that was made before is judged by what is set now
	mutantBytes   // texts need not be valid UTF-8
)
