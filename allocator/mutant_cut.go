//go:build mutant_cut

package allocator

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantCut
