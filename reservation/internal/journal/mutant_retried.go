//go:build mutant_retried

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantRetried
