//go:build mutant_judged

package allocator

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantJudged
