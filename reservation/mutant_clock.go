//go:build mutant_clock

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantClock
