//go:build mutant_recycle

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantRecycle
