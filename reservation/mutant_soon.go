//go:build mutant_soon

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantSoon
