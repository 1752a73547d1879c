//go:build !mutant_cover

package cover

// mutant names the deliberate bug compiled in: none in this build. A build with
// the mutant tag proves that the tests see such a bug.
const mutant = 0

// The deliberate bug.
const mutantCover = 1 // a candidate dominates another without a look at prices
