//go:build mutant_bytes

package allocator

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantBytes
