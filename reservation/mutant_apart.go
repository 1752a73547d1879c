//go:build mutant_apart

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantApart
