package reservation

// The deliberate bugs. A build with the tag mutant_<name> has one of them; it is
// there to prove that the tests would see such a bug, see canary_test.go.
const (
	_           = iota
	mutantEarly // what a change frees is shown before its record has a number
	mutantTwice // a reservation that has ended gives its units back again
	mutantClock // recovery judges by the clock which holds have expired
	mutantApart // the ID of a change is not in the record of the change
	mutantGrace // a snapshot does not wait for changes that are under way
	mutantShort // nobody is told that the goods of a reservation are gone
	mutantSoon  // a hold ends a millisecond early when another one of its shard is due
	mutantDue   // the same when that order itself has another thing due
	mutantGap   // a reroute frees the old units before it has the new ones
	mutantOnly  // the snapshot before the newest is not kept
)
