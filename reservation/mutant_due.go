//go:build mutant_due

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantDue
