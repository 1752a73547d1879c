//go:build mutant_short

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantShort
