// Package scaletest says how much the tests of this module try.
//
// By default every test runs with counts that find most faults in a few seconds.
// With CLICKCOLLECT_FULL=1 in the environment, as make full and make check have
// it, they run with all of them, and the canaries build each package with its
// deliberate bugs. What takes hours is behind flags of single packages, see make
// long. -short, which the race detector is run with, takes the full counts away
// again.
package scaletest

import (
	"os"
	"testing"
)

// Variable is the environment variable of the full counts. go test knows that the
// tests read it, so results of the one kind are not shown for the other.
const Variable = "CLICKCOLLECT_FULL"

// Full reports whether tests run with all of their counts.
func Full() bool {
	return os.Getenv(Variable) != "" && !testing.Short()
}

// Of is a count: full with all of the counts, or else quick.
func Of(full, quick int) int {
	if Full() {
		return full
	}
	return quick
}

// Alone is the count of a test that does one thing after the other and judges the
// answers: n, or under the race detector a third. That looks at what runs at the same
// time, takes ten times as long, and the answers are judged with all of n without it.
func Alone(n int) int {
	if raced {
		return n / 3
	}
	return n
}
