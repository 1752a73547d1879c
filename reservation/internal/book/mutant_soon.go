//go:build mutant_soon

package book

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantSoon
