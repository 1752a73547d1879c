//go:build mutant_fatal

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantFatal
