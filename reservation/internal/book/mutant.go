package book

// The deliberate bugs. A build with the tag mutant_<name> has one of them; it is
// there to prove that the tests would see such a bug, see mutant_test.go.
const (
	_           = iota
	mutantSoon  // a hold ends a millisecond early when another one of its shard is due
	mutantWheel // the timers are not told the time while nothing is due
)
