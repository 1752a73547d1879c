//go:build mutant_ignored

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantIgnored
