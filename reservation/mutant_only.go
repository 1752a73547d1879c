//go:build mutant_only

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantOnly
