//go:build mutant_early

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantEarly
