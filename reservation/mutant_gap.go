//go:build mutant_gap

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantGap
