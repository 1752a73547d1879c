//go:build mutant_unverified

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantUnverified
