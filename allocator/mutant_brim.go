//go:build mutant_brim

package allocator

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantBrim
