//go:build mutant_hoard

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantHoard
