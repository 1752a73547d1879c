//go:build mutant_segment

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantSegment
