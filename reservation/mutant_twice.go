//go:build mutant_twice

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantTwice
