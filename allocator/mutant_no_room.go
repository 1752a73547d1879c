//go:build mutant_no_room

package allocator

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantNoRoom
