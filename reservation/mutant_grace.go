//go:build mutant_grace

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantGrace
