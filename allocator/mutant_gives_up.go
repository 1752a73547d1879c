//go:build mutant_gives_up

package allocator

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantGivesUp
