//go:build mutant_no_limit

package allocator

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantNoLimit
