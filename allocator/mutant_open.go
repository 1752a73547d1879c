//go:build mutant_open

package allocator

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantOpen
