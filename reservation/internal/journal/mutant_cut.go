//go:build mutant_cut

package journal

// queueMutant is the deliberate bug compiled in, see mutant_queue.go.
const queueMutant = mutantCut
